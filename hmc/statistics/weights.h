/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * weights.h: means of series whose entries have weights.
 */
#ifndef HMC_STATISTICS_WEIGHTS_H
#define HMC_STATISTICS_WEIGHTS_H

#include "hmc/statistics/gamma.h"

/* <O> = sum_i w_i O_i / sum_i w_i, w_i = exp(log_weight_i), which need no norm.  As mc_gamma_replicas; error, tau_int, variance and window are
 * those of the series w_i (O_i - <O>) / <w>, whose mean has the error of <O> to the first order in 1 / N: the variance is that of independent
 * entries, which fluctuating weights make larger. */
mc_estimate mc_gamma_weighted(const double *series, const double *log_weight, int replicas, const int64_t *length);
/* -ln <w> with its error. */
mc_estimate mc_free_energy(const double *log_weight, int replicas, const int64_t *length);
/* <w>^2 / <w^2>: 1 if all weights are alike, 1 / n if one has it all; NaN without entries. */
double mc_weights_ess(const double *log_weight, int64_t n);

#endif
