/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bench.c: times of repetitions, and the results of a benchmark as JSON: doc/benchmarks.md says what is in it.
 */
#define _GNU_SOURCE
#include "tests/bench/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool brief(void)
{
    const char *set = getenv("BENCH_BRIEF");
    return set && set[0];
}

int bench_or_brief(int standard, int small) { return brief() ? small : standard; }

/* ------------------------------------------------------------------------------------------------------------- times */

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_processor_time(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

double bench_wall_time(void) { return seconds_of(CLOCK_MONOTONIC); }

double (*bench_clock(void))(void)
{
    int ranks;
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    return ranks == 1 ? bench_processor_time : bench_wall_time;
}

void bench_begin(const bench *b, bench_times *times)
{
    MPI_Barrier(MPI_COMM_WORLD);
    times->start = b->now();
}

void bench_finish(const bench *b, bench_times *times)
{
    double seconds = (b->now() - times->start) / (times->calls > 0 ? times->calls : 1);
    MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    if (times->count == BENCH_MOST) lat_abort(LAT_USAGE, "%s: more than %d repetitions", b->name, BENCH_MOST);
    times->seconds[times->count++] = seconds;
}

bool bench_again(const bench *b, bench_times *times)
{
    if (times->running) bench_finish(b, times);
    times->running = times->count < bench_or_brief(times->repeats, 1);
    if (times->running) bench_begin(b, times);
    return times->running;
}

double bench_best(const bench_times *times)
{
    double best = INFINITY;
    for (int i = 0; i < times->count; i++) best = fmin(best, times->seconds[i]);
    return best;
}

/* -------------------------------------------------------------------------------------------------------------- rows */

bench bench_start(const char *name, double (*now)(void))
{
    bench b = {.name = name, .now = now, .date = time(NULL), .rows = json_array()};
    MPI_Comm_rank(MPI_COMM_WORLD, &b.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &b.ranks);
    if (getloadavg(&b.load, 1) != 1) b.load = 0;
    return b;
}

void bench_measure_ceilings(bench *b)
{
    b->most = bench_ceilings_of_core(b->now);
    bench_print(
        b, "%s, one core: multiply-adds in registers %.1f GFLOP/s in double, twice that in float; copy %.1f GB/s\n",
        bench_instructions(), b->most.peak, b->most.copy);
}

void bench_print(const bench *b, const char *format, ...)
{
    if (b->rank > 0) return;
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
}

static bench_rates rates_of(const bench *b, lat_cost cost, lat_precision precision, double seconds)
{
    double flops = 1e-9 * cost.flops / seconds, bytes = 1e-9 * cost.bytes / seconds;
    double peak = b->most.peak * (precision == LAT_FLOAT ? 2 : 1);
    return (bench_rates){flops, bytes, flops / (peak * b->ranks), bytes / (b->most.copy * b->ranks)};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between neighbours of a sorted list, a fraction of the way from the first to the last. */
static double quantile(const double *sorted, int count, double fraction)
{
    double at = fraction * (count - 1);
    int below = (int)at, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

static json_t *real_json(const bench *b, const char *row, double value)
{
    if (!isfinite(value)) lat_abort(LAT_NUMERICAL, "%s: '%s' has a number that is not finite", b->name, row);
    return json_real(value);
}

static json_t *row_json(const bench *b, const char *name, const bench_result *result, const bench_rates *rates)
{
    const bench_times *t = result->times;
    double sorted[BENCH_MOST];
    memcpy(sorted, t->seconds, (size_t)t->count * sizeof *sorted);
    qsort(sorted, (size_t)t->count, sizeof *sorted, by_value);
    double spread = quantile(sorted, t->count, 0.75) - quantile(sorted, t->count, 0.25);
    json_t *row = json_pack("{s:s, s:s, s:o, s:o, s:o, s:i}", "name", name, "unit", result->unit, "value",
                            real_json(b, name, result->factor * sorted[0]), "median",
                            real_json(b, name, result->factor * quantile(sorted, t->count, 0.5)), "spread",
                            real_json(b, name, result->factor * spread), "repetitions", t->count);
    if (result->cost.flops > 0 || result->cost.bytes > 0) {
        bool computes = rates->of_peak > rates->of_copy;
        json_object_set_new(row, "ceiling", json_string(computes ? "multiply_adds" : "copy"));
        json_object_set_new(row, "share", real_json(b, name, computes ? rates->of_peak : rates->of_copy));
    }
    return row;
}

static bool is_there(const bench *b, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(b->rows, i,
                       row) if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0) return true;
    return false;
}

bench_rates bench_row(bench *b, const bench_result *result, const char *format, ...)
{
    const bench_times *t = result->times;
    const bench_rates rates = rates_of(b, result->cost, result->precision, bench_best(t));
    va_list list;
    va_start(list, format);
    char *name = lat_text_list(format, list);
    va_end(list);
    if (t->count == 0) lat_abort(LAT_NUMERICAL, "%s: '%s' was not measured", b->name, name);
    for (int i = 0; i < t->count; i++)
        if (!isfinite(t->seconds[i]) || t->seconds[i] <= 0)
            lat_abort(LAT_NUMERICAL, "%s: '%s' took %g seconds", b->name, name, t->seconds[i]);
    if (is_there(b, name)) lat_abort(LAT_NUMERICAL, "%s: two rows called '%s'", b->name, name);
    if (json_array_append_new(b->rows, row_json(b, name, result, &rates)) != 0)
        lat_abort(LAT_CONFIG, "%s: no memory left for '%s'", b->name, name);
    free(name);
    return rates;
}

/* -------------------------------------------------------------------------------------------------------------- JSON */

static json_t *whole_json(const bench *b)
{
    char date[32];
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&b->date, &utc));
    return json_pack("{s:s, s:o, s:o, s:s, s:f, s:b, s:i, s:s, s:{s:o, s:o}, s:O}", "benchmark", b->name, "build",
                     bench_build_json(), "machine", bench_machine_json(b->device), "date", date, "load_average",
                     b->load, "brief", brief(), "ranks", b->ranks, "clock",
                     b->now == bench_processor_time ? "processor" : "wall", "ceilings", "multiply_adds",
                     real_json(b, "multiply_adds", b->most.peak), "copy", real_json(b, "copy", b->most.copy), "rows",
                     b->rows);
}

/* Rank 0. */
static void write_json(const bench *b, const char *path)
{
    lat_error error = {0};
    json_t *whole = whole_json(b);
    char *text = whole ? json_dumps(whole, JSON_INDENT(4) | JSON_REAL_PRECISION(6)) : NULL;
    if (!text) lat_abort(LAT_CONFIG, "%s: no memory left to write it", path);
    char *lines = lat_text("%s\n", text);
    lat_file_write(MPI_COMM_SELF, path, lines, (int64_t)strlen(lines), &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    json_decref(whole);
    free(text);
    free(lines);
}

int bench_end(bench *b)
{
    const char *path = getenv("BENCH_JSON");
    if (json_array_size(b->rows) == 0) lat_abort(LAT_NUMERICAL, "%s: measured nothing", b->name);
    if (b->rank == 0 && path && path[0]) write_json(b, path);
    json_decref(b->rows);
    MPI_Finalize();
    return LAT_DONE;
}
