/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jackknife.c: errors by leaving out.
 */
#include "src/jackknife.h"

#include "lattice/lattice.h"

#include <math.h>

int64_t jackknife_bins(int64_t count, int64_t bin) { return count / bin > 1 ? count / bin : 1; }

void jackknife_range(int64_t count, int64_t bins, int64_t b, int64_t *begin, int64_t *end)
{
    *begin = b * count / bins;
    *end = (b + 1) * count / bins;
}

double jackknife_error(double all, const double *part, int64_t bins)
{
    double spread = 0;
    for (int64_t b = 0; b < bins && bins > 1; b++) spread += (part[b] - all) * (part[b] - all);
    return sqrt(spread * (double)(bins - 1) / (double)bins);
}

double *jackknife_means(const double *value, int64_t count, int64_t columns, int64_t bins)
{
    double *means = lat_alloc((bins + 1) * columns, sizeof *means);
    for (int64_t m = 0; m <= bins; m++) {
        double *mean = means + m * columns;
        int64_t begin = 0, end = 0;
        if (m > 0) jackknife_range(count, bins, m - 1, &begin, &end);
        for (int64_t n = 0; n < count; n++)
            for (int64_t c = 0; c < columns && (n < begin || n >= end); c++) mean[c] += value[n * columns + c];
        for (int64_t c = 0; c < columns; c++) mean[c] /= (double)(count - (end - begin));
    }
    return means;
}
