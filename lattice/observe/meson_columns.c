/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * meson_columns.c: correlators of mesons and the condensate as columns of numbers.
 */
#include "lattice/observe/meson_columns.h"

#include "lattice/observe/mesons.h"

#include <stdlib.h>
#include <string.h>

/* Where the `update` of random numbers begins: of places of sources at 0. */
enum { MOST_SOURCES = 1000000, FIRST_OF_CONDENSATE = 1 << 20, FIRST_OF_WALLS = 2 << 20 };

/* ------------------------------------------------------------------------------------------------------------- reading */

static void read_channels(lat_settings *group, lat_meson_columns *asked, lat_error *error)
{
    lat_meson meson;
    asked->channel[0] = "PP";
    asked->channels = lat_settings_strings(group, "channels", asked->channel, 1, LAT_MESON_CHANNELS, error);
    for (int i = 0; i < asked->channels && !error->status; i++) {
        if (!lat_meson_read(asked->channel[i], LAT_MAX_DIM, &meson))
            lat_settings_fail(group, "channels", error,
                              "'%.20s' is none: write two of S, P, V1 to V4 and A1 to A4, the sink first, as PP or A4P",
                              asked->channel[i]);
        for (int j = 0; j < i; j++)
            if (strcmp(asked->channel[i], asked->channel[j]) == 0)
                lat_settings_fail(group, "channels", error, "there are two '%s'", asked->channel[i]);
    }
}

/* Tables of configurations that were measured have all keys that are printed: newer ones are read where they are. */
static void read_sources(lat_settings *group, lat_meson_columns *asked, lat_error *error)
{
    asked->sources = (int)lat_settings_int(group, "sources", 1, 1, MOST_SOURCES, error);
    if (lat_settings_has(group, "wall")) asked->wall = lat_settings_bool(group, "wall", false, error);
    if (lat_settings_has(group, "source"))
        asked->coordinates = lat_settings_ints(group, "source", asked->source, 0, LAT_MAX_DIM, 0, INT32_MAX, error);
    if (asked->coordinates > 0 && asked->sources > 1)
        lat_settings_fail(group, "sources", error, "a source is given: leave sources out, or source");
    if (asked->coordinates > 0 && asked->wall)
        lat_settings_fail(group, "wall", error, "a source is given, which is a point: leave wall out, or source");
}

lat_status lat_meson_columns_read(lat_settings *group, const lat_action_context *context, lat_meson_columns *asked,
                                  uint64_t *seed, lat_error *error)
{
    lat_operator_read(group, context, &asked->operator, error);
    asked->name = lat_settings_string(group, "operator", "", error);
    read_channels(group, asked, error);
    read_sources(group, asked, error);
    asked->condensate = (int)lat_settings_int(group, "condensate", 0, 1, MOST_SOURCES, error);
    if (asked->channels == 0 && asked->condensate == 0)
        lat_settings_fail(group, "channels", error, "nothing to measure: name at least one, or ask for the condensate");
    if (seed) *seed = (uint64_t)lat_settings_int(group, "seed", 1, 0, INT64_MAX, error);
    asked->goal.residue = lat_settings_real(group, "residue", 1e-12, 1e-14, 1e-3, error);
    asked->goal.max_iterations = lat_settings_int(group, "iterations", 100000, 1, 1000000000, error);
    return error->status;
}

lat_status lat_meson_columns_check(const lat_meson_columns *asked, const lat_geometry *g, lat_error *error)
{
    lat_meson meson;
    for (int c = 0; c < asked->channels; c++)
        if (!lat_meson_read(asked->channel[c], g->dim, &meson))
            return lat_fail(error, LAT_CONFIG, "channels: %d dimensions have no %s: leave it out", g->dim,
                            asked->channel[c]);
    if (asked->coordinates > 0 && asked->coordinates != g->dim)
        return lat_fail(error, LAT_CONFIG, "source: has %d coordinates, and the lattice %d directions",
                        asked->coordinates, g->dim);
    for (int mu = 0; mu < asked->coordinates; mu++)
        if (asked->source[mu] >= g->size[mu])
            return lat_fail(error, LAT_CONFIG, "source: coordinate %lld is beyond the extent %lld",
                            (long long)asked->source[mu], (long long)g->size[mu]);
    return LAT_DONE;
}

int64_t lat_meson_columns_count(const lat_meson_columns *asked, int64_t slices)
{
    return asked->channels * slices + (asked->condensate > 0);
}

char *lat_meson_columns_name(const lat_meson_columns *asked, int64_t slices, int64_t column)
{
    if (column == asked->channels * slices) return lat_text("%s_condensate", asked->name);
    return lat_text("%s_%s_%lld", asked->name, asked->channel[column / slices], (long long)(column % slices));
}

/* ----------------------------------------------------------------------------------------------------------- measuring */

static void choose_sites(const lat_meson_columns *asked, const lat_geometry *g, const lat_random *random, int64_t *site)
{
    lat_random_sites(g, random, site);
    for (int m = 0; m < g->members && asked->coordinates > 0; m++) {
        site[m] = 0;
        for (int mu = g->dim - 1; mu >= 0; mu--) site[m] = site[m] * g->size[mu] + asked->source[mu];
    }
}

/* out += correlators of one source */
static void add_source(const lat_meson_columns *asked, lat_propagator *propagator, const lat_geometry *g, double *out)
{
    const int64_t slices = g->size[g->dim - 1], columns = lat_meson_columns_count(asked, slices);
    double *one = lat_alloc(g->members * slices, sizeof *one);
    for (int c = 0; c < asked->channels; c++) {
        lat_meson meson;
        lat_meson_read(asked->channel[c], g->dim, &meson); /* as lat_meson_columns_check has found */
        lat_propagator_correlate(propagator, &meson, one);
        for (int64_t i = 0; i < g->members * slices; i++)
            out[i / slices * columns + c * slices + i % slices] += one[i] / asked->sources;
    }
    free(one);
}

static lat_status correlators(const lat_meson_columns *asked, lat_dirac *dirac, lat_random random, double *out,
                              lat_error *error)
{
    const lat_geometry *g = lat_dirac_geometry(dirac);
    lat_propagator *propagator = lat_propagator_create(dirac);
    int64_t *site = lat_alloc(g->members, sizeof *site);
    for (int i = 0; i < asked->sources; i++) {
        random.update = (uint32_t)i;
        choose_sites(asked, g, &random, site);
        random.update += FIRST_OF_WALLS;
        if (lat_propagator_solve(propagator, site, asked->wall ? &random : NULL, &asked->goal, error)) break;
        add_source(asked, propagator, g, out);
    }
    free(site);
    lat_propagator_free(propagator);
    return error->status;
}

static lat_status condensate(const lat_meson_columns *asked, lat_dirac *dirac, lat_random random, double *out,
                             lat_error *error)
{
    const lat_geometry *g = lat_dirac_geometry(dirac);
    const int64_t columns = lat_meson_columns_count(asked, g->size[g->dim - 1]);
    double *value = lat_alloc(g->members, sizeof *value);
    random.update = FIRST_OF_CONDENSATE;
    lat_condensate(dirac, asked->condensate, &random, &asked->goal, value, error);
    for (int m = 0; m < g->members; m++) out[m * columns + columns - 1] = value[m];
    free(value);
    return error->status;
}

lat_status lat_meson_columns_measure(const lat_meson_columns *asked, lat_dirac *dirac, const lat_random *random,
                                     double *out, lat_error *error)
{
    const lat_geometry *g = lat_dirac_geometry(dirac);
    memset(out, 0, (size_t)(g->members * lat_meson_columns_count(asked, g->size[g->dim - 1])) * sizeof *out);
    if (asked->channels > 0 && correlators(asked, dirac, *random, out, error)) return error->status;
    return asked->condensate > 0 ? condensate(asked, dirac, *random, out, error) : LAT_DONE;
}

void lat_meson_columns_needs(const lat_meson_columns *asked, const lat_geometry *g, lat_needs *needs)
{
    if (asked->channels > 0) {
        lat_propagator_needs(g, asked->operator.group, needs);
        return;
    }
    lat_solve_quark_needs(g, asked->operator.group, needs);
    needs->kept += 2 * lat_spinor_memory(g, asked->operator.group, LAT_DOUBLE);
}
