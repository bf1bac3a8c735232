/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ceilings.h: what one core can do at most, measured in the run whose rates are held against it.
 */
#ifndef CEILINGS_H
#define CEILINGS_H

#include "lattice/kernels/real.h"
#include "lattice/lattice.h"
#include "tests/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* GFLOP/s of multiply-adds in double that stay in registers, and GB/s read and written by a copy */
typedef struct {
    double peak, copy;
} ceilings;

static double ceilings_peak(double (*now)(void), int repeats)
{
    enum { CHAINS = 12, STEPS = 100000 };
    real sum[CHAINS], factor = real_of(0.999), term = real_of(0.001);
    double best = INFINITY;
    for (int j = 0; j < CHAINS; j++) sum[j] = real_of(j);
    for (int repeat = 0; repeat < bench_or_brief(10 * repeats, 1); repeat++) {
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
static double ceilings_copy(double (*now)(void), int repeats)
{
    enum { BYTES = 1 << 26 };
    char *from = lat_alloc(BYTES, 1), *to = lat_alloc(BYTES, 1);
    double best = INFINITY;
    for (int repeat = 0; repeat < bench_or_brief(repeats, 1); repeat++) {
        double start = now();
        memcpy(to, from, BYTES);
        best = fmin(best, now() - start);
        from[repeat] = to[2 * repeat + 1];
    }
    free(from);
    free(to);
    return 2e-9 * BYTES / best;
}

static ceilings ceilings_measure(double (*now)(void), int repeats)
{
    return (ceilings){ceilings_peak(now, repeats), ceilings_copy(now, repeats)};
}

static void ceilings_print(const ceilings *most)
{
    printf("%s, one core: multiply-adds in registers %.1f GFLOP/s in double, twice that in float; copy %.1f GB/s\n",
           bench_instructions(), most->peak, most->copy);
}

#endif
