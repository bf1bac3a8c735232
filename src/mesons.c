/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mesons.c: correlators of mesons.
 */
#include "src/mesons.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Among the `update` of random numbers: no point has it. */
enum { MOST_SOURCES = 1000000, FIRST_OF_CONDENSATE = 1 << 20 };

static void read_operator(lat_settings *root, lat_settings *group, mesons *mesons, lat_error *error)
{
    lat_action_context context = {.group = LAT_U1}; /* the lattice is not known yet */
    lat_operators *operators = lat_operators_read(root, &context, lat_dirac_tables, error);
    context.operators = operators;
    if (!error->status) {
        lat_operator_read(group, &context, &mesons->operator, error);
        mesons->name = lat_settings_string(group, "operator", "", error);
    }
    free(operators);
}

static void read_channels(lat_settings *group, mesons *mesons, lat_error *error)
{
    lat_meson meson;
    mesons->channel[0] = "PP";
    mesons->channels = lat_settings_strings(group, "channels", mesons->channel, 1, MESONS_CHANNELS, error);
    if (mesons->channels == 0) lat_settings_fail(group, "channels", error, "nothing to measure: name at least one");
    for (int i = 0; i < mesons->channels && !error->status; i++) {
        if (!lat_meson_read(mesons->channel[i], LAT_MAX_DIM, &meson))
            lat_settings_fail(group, "channels", error,
                              "'%.20s' is none: write two of S, P, V1 to V4 and A1 to A4, the sink first, as PP or A4P",
                              mesons->channel[i]);
        for (int j = 0; j < i; j++)
            if (strcmp(mesons->channel[i], mesons->channel[j]) == 0)
                lat_settings_fail(group, "channels", error, "there are two '%s'", mesons->channel[i]);
    }
}

void mesons_read(lat_settings *root, mesons *mesons, lat_error *error)
{
    mesons->wanted = lat_settings_has(root, "mesons");
    if (!mesons->wanted) return;
    lat_settings *group = lat_settings_group(root, "mesons", error);
    read_operator(root, group, mesons, error);
    if (error->status) return;
    read_channels(group, mesons, error);
    mesons->sources = (int)lat_settings_int(group, "sources", 1, 1, MOST_SOURCES, error);
    if (lat_settings_has(group, "source"))
        mesons->coordinates = lat_settings_ints(group, "source", mesons->source, 0, LAT_MAX_DIM, 0, INT32_MAX, error);
    if (mesons->coordinates > 0 && mesons->sources > 1)
        lat_settings_fail(group, "sources", error, "a source is given: leave sources out, or source");
    mesons->condensate = (int)lat_settings_int(group, "condensate", 0, 1, MOST_SOURCES, error);
    mesons->seed = (uint64_t)lat_settings_int(group, "seed", 1, 0, INT64_MAX, error);
    mesons->goal.residue = lat_settings_real(group, "residue", 1e-12, 1e-14, 1e-3, error);
    mesons->goal.max_iterations = lat_settings_int(group, "iterations", 100000, 1, 1000000000, error);
}

void mesons_shape(const mesons *mesons, lat_shape *shape)
{
    if (!mesons->wanted) return;
    if (mesons->operator.table->halo> shape->halo) shape->halo = mesons->operator.table->halo;
    shape->precision = LAT_FLOAT;
}

int64_t mesons_columns(const mesons *mesons, int64_t slices)
{
    return mesons->wanted ? mesons->channels * slices + (mesons->condensate > 0) : 0;
}

void mesons_add_names(const mesons *mesons, int64_t slices, lat_bytes *text)
{
    if (!mesons->wanted) return;
    for (int c = 0; c < mesons->channels; c++)
        for (int64_t t = 0; t < slices; t++)
            lat_bytes_print(text, " %s_%s_%lld", mesons->name, mesons->channel[c], (long long)t);
    if (mesons->condensate > 0) lat_bytes_print(text, " %s_condensate", mesons->name);
}

/* The operator on the lattice; NULL: it is none for it. */
static lat_dirac *operator_on(const mesons *mesons, const lat_gauge *gauge, lat_error *error)
{
    lat_operator operator= mesons->operator;
    return lat_operator_fit(&operator, gauge, error) ? NULL : lat_operator_on(&operator, gauge->links->geometry, error);
}

static lat_status check_on(const mesons *mesons, const lat_gauge *gauge, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_meson meson;
    if (!operator_on(mesons, gauge, error)) return error->status;
    for (int c = 0; c < mesons->channels; c++)
        if (!lat_meson_read(mesons->channel[c], g->dim, &meson))
            return lat_fail(error, LAT_CONFIG, "channels: %d dimensions have no %s: leave it out", g->dim,
                            mesons->channel[c]);
    if (mesons->coordinates > 0 && mesons->coordinates != g->dim)
        return lat_fail(error, LAT_CONFIG, "source: has %d coordinates, and the lattice %d directions",
                        mesons->coordinates, g->dim);
    for (int mu = 0; mu < mesons->coordinates; mu++)
        if (mesons->source[mu] >= g->size[mu])
            return lat_fail(error, LAT_CONFIG, "source: coordinate %lld is beyond the extent %lld",
                            (long long)mesons->source[mu], (long long)g->size[mu]);
    return LAT_DONE;
}

static lat_status name_file(const char *path, const lat_error *why, lat_error *error)
{
    return why->status ? lat_fail(error, why->status, "%.150s: mesons: %.300s", path, why->text) : LAT_DONE;
}

lat_status mesons_check(const mesons *mesons, lat_gauge *gauge, const char *path, lat_error *error)
{
    lat_error why = {0};
    if (mesons->wanted) check_on(mesons, gauge, &why);
    return name_file(path, &why, error);
}

static void choose_site(const mesons *mesons, const lat_geometry *g, const lat_random *random, int64_t *site)
{
    if (mesons->coordinates == 0) {
        lat_random_sites(g, random, site);
        return;
    }
    *site = 0;
    for (int mu = g->dim - 1; mu >= 0; mu--) *site = *site * g->size[mu] + mesons->source[mu];
}

/* value += correlators of one source */
static void add_source(const mesons *mesons, lat_propagator *propagator, const lat_geometry *g, double *value)
{
    const int64_t slices = g->size[g->dim - 1];
    double *one = lat_alloc(slices, sizeof *one);
    for (int c = 0; c < mesons->channels; c++) {
        lat_meson meson;
        lat_meson_read(mesons->channel[c], g->dim, &meson); /* as mesons_check has found */
        lat_propagator_correlate(propagator, &meson, one);
        for (int64_t t = 0; t < slices; t++) value[c * slices + t] += one[t] / mesons->sources;
    }
    free(one);
}

static lat_status measure_on(const mesons *mesons, lat_dirac *dirac, lat_random random, double *value, lat_error *error)
{
    const lat_geometry *g = lat_dirac_geometry(dirac);
    lat_propagator *propagator = lat_propagator_create(dirac);
    for (int i = 0; i < mesons->sources; i++, random.update++) {
        int64_t site;
        choose_site(mesons, g, &random, &site);
        if (lat_propagator_solve(propagator, &site, &mesons->goal, error)) break;
        add_source(mesons, propagator, g, value);
    }
    lat_propagator_free(propagator);
    random.update = FIRST_OF_CONDENSATE;
    double *condensate = value + mesons->channels * g->size[g->dim - 1];
    if (mesons->condensate > 0 && !error->status)
        lat_condensate(dirac, mesons->condensate, &random, &mesons->goal, condensate, error);
    return error->status;
}

lat_status mesons_measure(const mesons *mesons, const numbered_file *file, lat_gauge *gauge, double *value,
                          lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    const lat_random random = {.seed = mesons->seed,
                               .purpose = LAT_RANDOM_SOURCES,
                               .step = (uint64_t)file->number,
                               .member = (uint64_t)file->replica};
    lat_error why = {0};
    lat_dirac *dirac = operator_on(mesons, gauge, &why);
    memset(value, 0, (size_t)mesons_columns(mesons, g->size[g->dim - 1]) * sizeof *value);
    if (dirac && !lat_dirac_prepare(dirac, gauge, &why)) measure_on(mesons, dirac, random, value, &why);
    return name_file(file->path, &why, error);
}
