/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * meson_masses.c: effective masses and the PCAC mass.
 */
#include "src/meson_masses.h"

#include "src/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double folded(const double *c, int64_t slices, int parity, int64_t t)
{
    return 0.5 * (c[t % slices] + parity * c[(slices - t) % slices]);
}

double meson_mass(const double *c, int64_t slices, int parity, int64_t t)
{
    double here = folded(c, slices, parity, t),
           around = folded(c, slices, parity, t - 1) + folded(c, slices, parity, t + 1);
    return around / (2 * here) >= 1 && isfinite(around / here) ? acosh(around / (2 * here)) : NAN;
}

double meson_pcac_mass(const double *axial, const double *pion, int64_t slices, int64_t t)
{
    return (folded(axial, slices, -1, t + 1) - folded(axial, slices, -1, t - 1)) / (4 * folded(pion, slices, 1, t));
}

/* ----------------------------------------------------------------------------------------------- with their errors */

typedef struct {
    const meson_correlators *of;
    int axial, pion; /* channels; negative: they were not measured */
    double *means, *part;
} analysis;

static int find(const lat_meson_columns *asked, const char *name)
{
    for (int c = 0; c < asked->channels; c++)
        if (strcmp(asked->channel[c], name) == 0) return c;
    return -1;
}

static analysis analyse(const meson_correlators *of)
{
    return (analysis){of, find(of->asked, "A4P"), find(of->asked, "PP"),
                      jackknife_means(of->value, lat_meson_columns_count(of->asked, of->slices), &of->cut),
                      lat_alloc(of->cut.bins, sizeof(double))};
}

static void release(analysis *a)
{
    free(a->means);
    free(a->part);
}

static bool has_pcac(const analysis *a) { return a->axial >= 0 && a->pion >= 0; }

/* Time turns the sign of a structure with gamma_t: of one of the two, 4 is in the name once. */
static int parity_of(const char *channel)
{
    const char *first = strchr(channel, '4');
    return first && !strchr(first + 1, '4') ? -1 : 1;
}

/* Of means over configurations, [channel][t]; channel negative: the PCAC mass. */
static double mass_of(const analysis *a, const double *mean, int channel, int64_t t)
{
    const int64_t slices = a->of->slices;
    if (channel < 0) return meson_pcac_mass(mean + a->axial * slices, mean + a->pion * slices, slices, t);
    return meson_mass(mean + channel * slices, slices, parity_of(a->of->asked->channel[channel]), t);
}

static double value_of(const analysis *a, int channel, int64_t t, double *error)
{
    const int64_t columns = lat_meson_columns_count(a->of->asked, a->of->slices);
    double all = mass_of(a, a->means, channel, t);
    for (int64_t b = 0; b < a->of->cut.bins; b++) a->part[b] = mass_of(a, a->means + (b + 1) * columns, channel, t);
    *error = jackknife_error(all, a->part, a->of->cut.bins);
    return all;
}

static void add_cell(table *table, const analysis *a, int channel, int64_t t)
{
    double error, value = value_of(a, channel, t, &error);
    table_value(table, value, error);
}

void meson_masses_print(const meson_correlators *of)
{
    if (of->asked->channels == 0) return;
    analysis a = analyse(of);
    const lat_meson_columns *asked = of->asked;
    const char *headings[LAT_MESON_CHANNELS + 2] = {"t"};
    for (int c = 0; c < asked->channels; c++) headings[1 + c] = asked->channel[c];
    headings[1 + asked->channels] = "PCAC";
    table *table = table_create(1 + asked->channels + has_pcac(&a), headings);
    for (int64_t t = 1; t <= of->slices / 2; t++) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)t);
        table_cell(table, text);
        for (int c = 0; c < asked->channels; c++) add_cell(table, &a, c, t);
        if (has_pcac(&a)) add_cell(table, &a, -1, t);
    }
    printf("# effective masses of \"%s\", %lld configurations in %lld bins\n", asked->name, (long long)of->count,
           (long long)of->cut.bins);
    table_comment(table);
    table_free(table);
    release(&a);
}

/* ------------------------------------------------------------------------------------------------------------- files */

static void put(lat_h5 *file, const char *group, const char *name, const char *suffix, int rank, const int64_t *extent,
                const double *value)
{
    char *path = lat_text("%s/%s%s", group, name, suffix);
    lat_h5_put_reals(file, path, rank, extent, value);
    free(path);
}

static void put_mass(lat_h5 *file, const analysis *a, int channel)
{
    const int64_t count = a->of->slices / 2;
    const char *group = a->of->asked->name, *name = channel < 0 ? "pcac" : a->of->asked->channel[channel];
    double *value = lat_alloc(count, sizeof *value), *error = lat_alloc(count, sizeof *error);
    for (int64_t t = 1; t <= count; t++) value[t - 1] = value_of(a, channel, t, &error[t - 1]);
    put(file, group, name, "_mass", 1, &count, value);
    put(file, group, name, "_mass_error", 1, &count, error);
    free(value);
    free(error);
}

/* Columns of all configurations; count 0: one, without an extent of its own. */
static void put_columns(lat_h5 *file, const meson_correlators *of, const char *name, int64_t first, int64_t count)
{
    const int64_t columns = lat_meson_columns_count(of->asked, of->slices), each = count ? count : 1;
    double *value = lat_alloc(of->count * each, sizeof *value);
    for (int64_t i = 0; i < of->count; i++)
        memcpy(value + i * each, of->value + i * columns + first, (size_t)each * sizeof *value);
    put(file, of->asked->name, name, "", count ? 2 : 1, (int64_t[]){of->count, count}, value);
    free(value);
}

lat_status meson_masses_write(const char *path, const meson_correlators *of, lat_error *error)
{
    analysis a = analyse(of);
    lat_h5 *file = lat_h5_create(MPI_COMM_SELF, path, "measurement");
    lat_h5_put_int(file, "bins", of->cut.bins);
    put(file, of->asked->name, "configuration", "", 1, &of->count, of->number);
    put(file, of->asked->name, "replica", "", 1, &of->count, of->replica);
    for (int c = 0; c < of->asked->channels; c++) {
        put_columns(file, of, of->asked->channel[c], c * of->slices, of->slices);
        put_mass(file, &a, c);
    }
    if (has_pcac(&a)) put_mass(file, &a, -1);
    if (of->asked->condensate > 0) put_columns(file, of, "condensate", of->asked->channels * of->slices, 0);
    release(&a);
    return lat_h5_finish(file, error);
}
