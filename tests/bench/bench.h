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

/* The instruction set that the kernels are compiled for. */
static inline const char *bench_instructions(void)
{
#if defined __AVX512F__
    return "AVX-512";
#elif defined __AVX2__
    return "AVX2";
#elif defined __AVX__
    return "AVX";
#elif defined __SSE2__
    return "SSE";
#elif defined __ARM_NEON
    return "NEON";
#else
    return "no vectors that are known here";
#endif
}

#endif
