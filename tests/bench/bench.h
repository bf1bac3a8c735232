/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bench.h: what the benchmarks share.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdlib.h>

/* A number of repetitions, or a size; the second where BENCH_BRIEF is set in the environment: to see that all runs, in little
 * time, and measure nothing. */
static inline int bench_or_brief(int standard, int brief)
{
    const char *set = getenv("BENCH_BRIEF");
    return set && set[0] ? brief : standard;
}

#endif
