/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gamma.h: means of correlated series, and their errors.
 */
#ifndef HMC_STATISTICS_GAMMA_H
#define HMC_STATISTICS_GAMMA_H

#include <stdint.h>

/* Gamma method, U. Wolff, hep-lat/0306017: automatic window with S = 1.5, errors of the errors, bias correction.
 * series: [replicas][n], replicas one after another.  tau_int in units of one entry, 0.5 for white noise. */
typedef struct {
    double mean, error, error_error;
    double tau_int, tau_int_error;
    double variance;
    int64_t window, n; /* n: total number of entries */
} mc_estimate;
mc_estimate mc_gamma(const double *series, int replicas, int64_t n);
/* Normalised autocorrelation function rho(t), t = 0 ... max, by FFT. */
void mc_autocorrelation(const double *series, int replicas, int64_t n, int64_t max, double *rho);

#endif
