/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * potential.c: Creutz ratios, the static potential, and its scales.
 */
#include "src/potential.h"

#include "src/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tables fit on 80 columns. */
enum { BLOCK = 5 };
static const double r0_force = 1.65, r1_force = 1.0;

static double loop(const double *mean, int t, int R, int T) { return R == 0 || T == 0 ? 1 : mean[(R - 1) * t + T - 1]; }

double potential_creutz(const double *mean, int t, int R, int T)
{
    double large = loop(mean, t, R, T) * loop(mean, t, R - 1, T - 1);
    return -log(large / (loop(mean, t, R, T - 1) * loop(mean, t, R - 1, T)));
}

double potential_effective(const double *mean, int t, int R, int T)
{
    return log(loop(mean, t, R, T) / loop(mean, t, R, T + 1));
}

/* R^2 dV/dR between R - 1 and R. */
static double force(const double *mean, int t, int R, int T)
{
    return R * (R - 1) * (potential_effective(mean, t, R, T) - potential_effective(mean, t, R - 1, T));
}

double potential_scale(const double *mean, int r, int t, int T, double c)
{
    for (int R = 2; R < r; R++) {
        double below = force(mean, t, R, T), above = force(mean, t, R + 1, T);
        if (!(below <= c && c <= above)) continue;
        double part = above > below ? (c - below) / (above - below) : 0;
        return sqrt(R * (R - 1) + part * 2 * R);
    }
    return NAN;
}

/* ----------------------------------------------------------------------------------------------- with their errors */

typedef struct {
    const potential_loops *loops;
    double *means, *part;
} analysis;

static analysis analyse(const potential_loops *loops)
{
    return (analysis){loops, jackknife_means(loops->value, (int64_t)loops->r * loops->t, &loops->cut),
                      lat_alloc(loops->cut.bins, sizeof(double))};
}

static void release(analysis *a)
{
    free(a->means);
    free(a->part);
}

typedef double quantity(const potential_loops *loops, const double *mean, int R, int T);
static double creutz(const potential_loops *loops, const double *mean, int R, int T)
{
    return potential_creutz(mean, loops->t, R, T);
}
static double potential(const potential_loops *loops, const double *mean, int R, int T)
{
    return potential_effective(mean, loops->t, R, T);
}
static double r0(const potential_loops *loops, const double *mean, int R, int T)
{
    (void)R;
    return potential_scale(mean, loops->r, loops->t, T, r0_force);
}
static double r1(const potential_loops *loops, const double *mean, int R, int T)
{
    (void)R;
    return potential_scale(mean, loops->r, loops->t, T, r1_force);
}

static double value_of(const analysis *a, quantity *quantity, int R, int T, double *error)
{
    int64_t columns = (int64_t)a->loops->r * a->loops->t;
    double all = quantity(a->loops, a->means, R, T);
    for (int64_t b = 0; b < a->loops->cut.bins; b++)
        a->part[b] = quantity(a->loops, a->means + (b + 1) * columns, R, T);
    *error = jackknife_error(all, a->part, a->loops->cut.bins);
    return all;
}

static void add_cell(table *table, const analysis *a, quantity *quantity, int R, int T)
{
    double error, value = value_of(a, quantity, R, T, &error);
    table_value(table, value, error);
}

/* V(R) at some T, a row for each R, and below them the scales. */
static void print_block(const analysis *a, int first, int last)
{
    char heading[BLOCK][16];
    const char *headings[BLOCK + 1] = {"R"};
    for (int T = first; T <= last; T++) {
        snprintf(heading[T - first], sizeof heading[0], "T=%d", T);
        headings[T - first + 1] = heading[T - first];
    }
    table *table = table_create(last - first + 2, headings);
    for (int R = 1; R <= a->loops->r; R++) {
        char text[16];
        snprintf(text, sizeof text, "%d", R);
        table_cell(table, text);
        for (int T = first; T <= last; T++) add_cell(table, a, potential, R, T);
    }
    for (int scale = 0; scale < 2 && a->loops->r > 2; scale++) {
        table_cell(table, scale ? "r1" : "r0");
        for (int T = first; T <= last; T++) add_cell(table, a, scale ? r1 : r0, 0, T);
    }
    table_comment(table);
    table_free(table);
}

void potential_print(const potential_loops *loops)
{
    analysis a = analyse(loops);
    for (int R = 1; R <= loops->r; R++)
        for (int T = 1; T <= loops->t; T++) {
            double error, value = value_of(&a, creutz, R, T, &error);
            char *text = table_format(value, error);
            printf("# creutz_%dx%d %s\n", R, T, text);
            free(text);
        }
    if (loops->t > 1)
        printf("# static potential V(R) = ln W(R,T)/W(R,T+1), %lld configurations in %lld bins\n",
               (long long)loops->count, (long long)loops->cut.bins);
    for (int T = 1; T < loops->t; T += BLOCK)
        print_block(&a, T, T + BLOCK - 1 < loops->t ? T + BLOCK - 1 : loops->t - 1);
    release(&a);
}

/* name and name_error, [R][T]; rows 0: [T]. */
static void put(lat_h5 *file, const char *name, const analysis *a, quantity *quantity, int rows, int columns)
{
    int64_t count = (int64_t)(rows ? rows : 1) * columns, extent[2] = {rows ? rows : columns, columns};
    double *value = lat_alloc(count, sizeof *value), *error = lat_alloc(count, sizeof *error);
    for (int64_t i = 0; i < count; i++)
        value[i] = value_of(a, quantity, (int)(i / columns) + 1, (int)(i % columns) + 1, &error[i]);
    char *error_name = lat_text("%s_error", name);
    lat_h5_put_reals(file, name, rows ? 2 : 1, extent, value);
    lat_h5_put_reals(file, error_name, rows ? 2 : 1, extent, error);
    free(error_name);
    free(value);
    free(error);
}

lat_status potential_write(const char *path, const potential_loops *loops, lat_error *error)
{
    analysis a = analyse(loops);
    lat_h5 *file = lat_h5_create(MPI_COMM_SELF, path, "measurement");
    lat_h5_put_int(file, "bins", loops->cut.bins);
    lat_h5_put_reals(file, "loops", 3, (int64_t[]){loops->count, loops->r, loops->t}, loops->value);
    put(file, "creutz", &a, creutz, loops->r, loops->t);
    if (loops->t > 1) {
        put(file, "potential", &a, potential, loops->r, loops->t - 1);
        put(file, "r0", &a, r0, 0, loops->t - 1);
        put(file, "r1", &a, r1, 0, loops->t - 1);
    }
    release(&a);
    return lat_h5_finish(file, error);
}
