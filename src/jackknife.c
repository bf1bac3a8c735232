/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jackknife.c: errors by leaving out.
 */
#include "src/jackknife.h"

#include "lattice/lattice.h"

#include <math.h>
#include <stdlib.h>

static int64_t bins_of(int64_t count, int64_t bin) { return count / bin > 1 ? count / bin : count > 0; }

jackknife jackknife_cut(const int64_t *chain, int chains, int64_t bin)
{
    jackknife cut = {0};
    int64_t bins = 0, first = 0;
    for (int c = 0; c < chains; c++) bins += bins_of(chain[c], bin);
    cut.begin = lat_alloc(bins + 1, sizeof *cut.begin);
    for (int c = 0; c < chains; first += chain[c++]) {
        const int64_t parts = bins_of(chain[c], bin);
        for (int64_t b = 0; b < parts; b++) cut.begin[cut.bins++] = first + b * chain[c] / parts;
    }
    cut.begin[bins] = first;
    return cut;
}

void jackknife_free(jackknife *cut)
{
    free(cut->begin);
    *cut = (jackknife){0};
}

double jackknife_error(double all, const double *part, int64_t bins)
{
    double spread = 0;
    for (int64_t b = 0; b < bins && bins > 1; b++) spread += (part[b] - all) * (part[b] - all);
    return sqrt(spread * (double)(bins - 1) / (double)bins);
}

double *jackknife_means(const double *value, int64_t columns, const jackknife *cut)
{
    const int64_t count = cut->begin[cut->bins];
    double *means = lat_alloc((cut->bins + 1) * columns, sizeof *means);
    for (int64_t m = 0; m <= cut->bins; m++) {
        double *mean = means + m * columns;
        const int64_t begin = m > 0 ? cut->begin[m - 1] : 0, end = m > 0 ? cut->begin[m] : 0;
        for (int64_t n = 0; n < count; n++)
            for (int64_t c = 0; c < columns && (n < begin || n >= end); c++) mean[c] += value[n * columns + c];
        for (int64_t c = 0; c < columns; c++) mean[c] /= (double)(count - (end - begin));
    }
    return means;
}
