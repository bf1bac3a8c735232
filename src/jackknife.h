/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jackknife.h: bins of consecutive configurations, and the error of what is computed without one of them at a time.
 * Local.
 */
#ifndef JACKKNIFE_H
#define JACKKNIFE_H

#include <stdint.h>

/* Bin b: configurations begin[b], ..., begin[b + 1] - 1. */
typedef struct {
    int64_t bins;
    int64_t *begin; /* [bins + 1]: 0, ..., number of configurations */
} jackknife;

/* Cuts chains of so many configurations, one chain after the other, into bins of at least `bin`, the sizes of which differ by at most 1
 * within a chain.  No bin reaches from one chain into the next: a chain shorter than `bin` is one bin. */
jackknife jackknife_cut(const int64_t *chain, int chains, int64_t bin);
void jackknife_free(jackknife *cut);
/* sqrt((bins - 1) / bins sum_b (part[b] - all)^2): 0 for a single bin. */
double jackknife_error(double all, const double *part, int64_t bins);
/* means[0][columns] of all of value[configuration][columns], means[1 + b][columns] without bin b; new memory. */
double *jackknife_means(const double *value, int64_t columns, const jackknife *cut);

#endif
