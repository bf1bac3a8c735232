/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ceilings.c: what one core can do at most, measured in the run whose rates are held against it.
 */
#include "lattice/kernels/real.h"
#include "tests/bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 15 };

static double peak(double (*now)(void))
{
    enum { CHAINS = 12, STEPS = 100000 };
    real sum[CHAINS], factor = real_of(0.999), term = real_of(0.001);
    double best = INFINITY;
    for (int j = 0; j < CHAINS; j++) sum[j] = real_of(j);
    for (int repeat = 0; repeat < bench_or_brief(10 * REPEATS, 1); repeat++) {
        double start = now();
        for (int i = 0; i < STEPS; i++) {
            _Pragma("GCC unroll 12") for (int j = 0; j < CHAINS; j++) sum[j] = sum[j] * factor + term;
        }
        best = fmin(best, now() - start);
    }
    for (int j = 0; j < CHAINS; j++) {
        volatile real kept = sum[j];
        (void)kept;
    }
    return 2e-9 * CHAINS * STEPS * REAL_LANES / best;
}

/* Of 64 MiB */
static double copy(double (*now)(void))
{
    enum { BYTES = 1 << 26 };
    char *from = lat_alloc(BYTES, 1), *to = lat_alloc(BYTES, 1);
    double best = INFINITY;
    for (int repeat = 0; repeat < bench_or_brief(REPEATS, 1); repeat++) {
        double start = now();
        memcpy(to, from, BYTES);
        best = fmin(best, now() - start);
        from[repeat] = to[2 * repeat + 1];
    }
    free(from);
    free(to);
    return 2e-9 * BYTES / best;
}

bench_ceilings bench_ceilings_of_core(double (*now)(void)) { return (bench_ceilings){peak(now), copy(now)}; }
