/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bench.h: what the benchmarks share: times of repetitions, the ceilings of the machine, and results as JSON.
 *
 *     lat_start(&argc, &argv);
 *     bench b = bench_start("name", bench_clock());
 *     bench_measure_ceilings(&b);
 *     bench_times t = {.repeats = 15};
 *     while (bench_again(&b, &t)) work();
 *     bench_print(&b, "work %8.3f ms\n", 1e3 * bench_best(&t));
 *     bench_row(&b, &(bench_result){.times = &t, .factor = 1e3, .unit = "ms"}, "work, %d^4", extent);
 *     return bench_end(&b);
 *
 * A table shows what it likes; a row of the results is a time, never a difference of times.
 */
#ifndef BENCH_H
#define BENCH_H

#include "lattice/kernels/range.h"
#include "lattice/lattice.h"

#include <jansson.h>
#include <time.h>

/* Of one core: GFLOP/s of multiply-adds in double that stay in registers, and GB/s read and written by a copy. */
typedef struct {
    double peak, copy;
} bench_ceilings;

typedef struct {
    const char *name, *device; /* device: NULL for the CPU */
    double (*now)(void);       /* seconds */
    int rank, ranks;
    bench_ceilings most;
    time_t date; /* this, and the load average, are those of the start */
    double load;
    json_t *rows;
} bench;

/* Times of repetitions, in seconds.  What is given: .repeats, and .calls, of which one repetition consists (0: one). */
enum { BENCH_MOST = 512 };
typedef struct {
    int repeats, calls, count;
    bool running;
    double start, seconds[BENCH_MOST]; /* of one call */
} bench_times;

/* A row of the results: seconds * factor is in the unit; cost: of one call, on all ranks and in this precision, or nothing. */
typedef struct {
    const bench_times *times;
    double factor;
    const char *unit;
    lat_cost cost;
    lat_precision precision;
} bench_result;

/* GFLOP/s and GB/s, and their shares of the ceilings of all ranks. */
typedef struct {
    double flops, bytes, of_peak, of_copy;
} bench_rates;

/* A number of repetitions, or a size; the second where BENCH_BRIEF is set in the environment: to see that all runs, in little
 * time, and measure nothing. */
int bench_or_brief(int standard, int brief);

/* Seconds that this process computed, and those of a clock on the wall; bench_clock: the first on a single rank, so that other
 * programs take as little part as can be, else the second. */
double bench_processor_time(void);
double bench_wall_time(void);
double (*bench_clock(void))(void);

/* After lat_start.  The name is that of the program. */
bench bench_start(const char *name, double (*now)(void));
/* Those of the CPU, and a line that says them. */
void bench_measure_ceilings(bench *b);
/* printf on rank 0. */
void bench_print(const bench *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One repetition from begin to end: the time of the slowest rank.  Collective. */
void bench_begin(const bench *b, bench_times *times);
void bench_finish(const bench *b, bench_times *times);
/* Condition of a loop, of which each round is a repetition; a single one where BENCH_BRIEF is set.  Collective. */
bool bench_again(const bench *b, bench_times *times);
double bench_best(const bench_times *times);

/* Adds a row; its rates at the best time.  A name that was there, and times that are no positive numbers end the program
 * (LAT_NUMERICAL). */
bench_rates bench_row(bench *b, const bench_result *result, const char *name, ...)
    __attribute__((format(printf, 3, 4)));
/* Rank 0 writes the results to the file that BENCH_JSON names in the environment; then MPI ends.  The exit code.  Without a row
 * (LAT_NUMERICAL), or where the file cannot be written (LAT_FILE), the program ends here.  Collective. */
int bench_end(bench *b);

/* ceilings.c, machine.c */
bench_ceilings bench_ceilings_of_core(double (*now)(void));
const char *bench_instructions(void);
/* The instruction set, compiler and its flags, version and commit, and machine, as JSON. */
json_t *bench_build_json(void);
json_t *bench_machine_json(const char *device);

#endif
