/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jackknife.h: bins of consecutive configurations, and the error of what is computed without one of them at a time.
 * Local.
 */
#ifndef JACKKNIFE_H
#define JACKKNIFE_H

#include <stdint.h>

/* The number of bins of at least `bin` configurations out of `count`; at least 1. */
int64_t jackknife_bins(int64_t count, int64_t bin);
/* Bin b: configurations begin, ..., end - 1.  The sizes of two bins differ by at most 1. */
void jackknife_range(int64_t count, int64_t bins, int64_t b, int64_t *begin, int64_t *end);
/* sqrt((bins - 1) / bins sum_b (part[b] - all)^2): 0 for a single bin. */
double jackknife_error(double all, const double *part, int64_t bins);
/* means[0][columns] of all of value[count][columns], means[1 + b][columns] without bin b; new memory. */
double *jackknife_means(const double *value, int64_t count, int64_t columns, int64_t bins);

#endif
