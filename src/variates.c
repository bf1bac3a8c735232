/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * variates.c: what control variates are made of.
 */
#include "src/variates.h"

#include "src/variate_model.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_RANGE = 16 };

/* Of the links alone. */
static const lat_action_kind *const actions[] = {
    &lat_action_kind_wilson,  &lat_action_kind_improved, &lat_action_kind_luescher_weisz,
    &lat_action_kind_iwasaki, &lat_action_kind_dbw2,     NULL,
};

static lat_action *action_of(const variates *variates, lat_group group, lat_error *error)
{
    const lat_action_context context = {.group = group};
    return lat_action_create(variates->root, &context, actions, error);
}

void variates_read(lat_settings *root, variates *variates, lat_error *error)
{
    static const char *const six_links[] = {"xy-x-y", "xxy-x-x-y", "xyz-x-z-y", "xyz-x-y-z"};
    variates->wanted = lat_settings_has(root, "variates");
    if (!variates->wanted) return;
    lat_settings *group = lat_settings_group(root, "variates", error);
    memcpy(variates->shape, six_links, sizeof six_links);
    variates->shapes = lat_settings_strings(group, "shapes", variates->shape, 4, VARIATES_SHAPES, error);
    if (variates->shapes == 0) lat_settings_fail(group, "shapes", error, "no loops: name at least one");
    const char *source = lat_settings_string(group, "source", variates->shape[0], error);
    variates->source = -1;
    for (int i = 0; i < variates->shapes && !error->status; i++)
        if (strcmp(source, variates->shape[i]) == 0) variates->source = i;
    if (variates->source < 0) lat_settings_fail(group, "source", error, "'%.40s' is none of the shapes", source);
    variates->range = (int)lat_settings_int(group, "range", 1, 0, MOST_RANGE, error);
    variates->model = lat_settings_string(group, "model", "", error);
    if (!error->status && !*variates->model) variates->model = NULL;
    variates->root = root;
    lat_orbits_free(error->status ? NULL : variates_orbits(variates, LAT_MAX_DIM, error));
    lat_action_free(error->status ? NULL : action_of(variates, LAT_U1, error)); /* its keys are known from now on */
}

lat_orbits *variates_orbits(const variates *variates, int dim, lat_error *error)
{
    lat_orbits *orbits = NULL;
    lat_error why = {0};
    if (lat_orbits_create(variates->shape, variates->shapes, dim, &orbits, &why))
        lat_fail(error, why.status, "variates.shapes: %.400s", why.text);
    return orbits;
}

int variates_source(const variates *variates, const lat_orbits *orbits)
{
    for (int i = 0; i < orbits->count; i++)
        if (orbits->orbit[i].shape == variates->source && orbits->orbit[i].extent == 0) return i;
    return -1;
}

/* In as many dimensions as variates_check has found to do. */
static lat_orbits *known_orbits(const variates *variates, int dim)
{
    lat_error error = {0};
    return variates->wanted ? variates_orbits(variates, dim, &error) : NULL;
}

void variates_shape(const variates *variates, lat_shape *shape)
{
    lat_error error = {0};
    lat_orbits *orbits = known_orbits(variates, shape->dim);
    if (!orbits) return;
    lat_orbits_shape(orbits, shape);
    lat_action *action = action_of(variates, LAT_U1, &error);
    if (action) lat_action_shape(action, shape);
    lat_action_free(action);
    lat_orbits_free(orbits);
}

int64_t variates_columns(const variates *variates, int dim, int64_t slices)
{
    lat_orbits *orbits = known_orbits(variates, dim);
    const int64_t columns = orbits ? (1 + orbits->count) * slices : 0;
    lat_orbits_free(orbits);
    return columns;
}

void variates_add_names(const variates *variates, int dim, int64_t slices, lat_bytes *text)
{
    lat_orbits *orbits = known_orbits(variates, dim);
    for (int i = -1; orbits && i < orbits->count; i++)
        for (int64_t t = 0; t < slices; t++)
            if (i < 0)
                lat_bytes_print(text, " source_%lld", (long long)t);
            else
                lat_bytes_print(text, " stein_%s_%lld", orbits->orbit[i].name, (long long)t);
    lat_orbits_free(orbits);
}

static void check_on(const variates *variates, const lat_gauge *gauge, const lat_orbits *orbits, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    if (!lat_gauge_is_periodic(gauge))
        lat_fail(error, LAT_CONFIG, "is for lattices without open boundaries and defects");
    if (!lat_orbits_fit(orbits, g)) lat_fail(error, LAT_CONFIG, "shapes: there are loops that wind around the lattice");
    if (variates_source(variates, orbits) < 0) lat_fail(error, LAT_CONFIG, "source: has no loops within a slice");
    if (g->size[g->dim - 1] < 2 * variates->range + 2)
        lat_fail(error, LAT_CONFIG, "range: %d slices to both sides are too many for %lld", variates->range,
                 (long long)g->size[g->dim - 1]);
    if (!error->status && variates->model) free(variate_model_read(variates, orbits, g->comm, error));
}

lat_status variates_check(const variates *variates, lat_gauge *gauge, const char *path, lat_error *error)
{
    lat_error why = {0};
    if (!variates->wanted) return LAT_DONE;
    lat_orbits *orbits = variates_orbits(variates, gauge->links->geometry->dim, &why);
    if (orbits) check_on(variates, gauge, orbits, &why);
    lat_orbits_free(orbits);
    return why.status ? lat_fail(error, why.status, "%.150s: variates: %.300s", path, why.text) : LAT_DONE;
}

void variates_measure(const variates *variates, lat_gauge *gauge, double *value)
{
    const lat_geometry *g = gauge->links->geometry;
    const int64_t slices = g->size[g->dim - 1];
    lat_error error = {0};
    lat_orbits *orbits = known_orbits(variates, g->dim);
    if (!orbits) return;
    lat_action *action = action_of(variates, gauge->group, &error);
    lat_field *force = lat_field_algebra(g, gauge->group, gauge->links->precision);
    double *sum = lat_alloc(2 * slices, sizeof *sum);
    lat_action_force(action, gauge, 1, force);
    for (int i = 0; i < orbits->count; i++) {
        const double laplacian = lat_orbit_laplacian(&orbits->orbit[i], gauge->group);
        lat_orbit_sums(&orbits->orbit[i], gauge, force, sum);
        for (int64_t t = 0; t < slices; t++) value[(1 + i) * slices + t] = sum[slices + t] + laplacian * sum[t];
        if (i == variates_source(variates, orbits)) memcpy(value, sum, (size_t)slices * sizeof *sum);
    }
    free(sum);
    lat_field_free(force);
    lat_action_free(action);
    lat_orbits_free(orbits);
}
