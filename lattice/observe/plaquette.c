/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plaquette.c: the mean plaquette.
 */
#include "lattice/gauge/kernels.h"
#include "lattice/observe/observable.h"

#include <stdlib.h>
#include <string.h>

/* The sum of constant + weight Re tr P / N over the plaquettes whose coupling is not 0: exists is 1 or 0 for each link. */
static void sum_existing(lat_gauge *gauge, const lat_field *exists, double constant, double weight, double *out)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    weighted_plaquette_sum_args args = {lat_tables_of(g), gauge->links->data, exists->data, density->data, constant, weight};
    lat_range range = lat_block(g);
    lat_kernels_of(gauge->links, gauge->group)->weighted_plaquette_sum(&args, &range);
    lat_sum(density, out);
    lat_field_free(density);
}

static void existing_plaquettes(lat_gauge *gauge, double *out)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_field *exists = lat_field_create(g, g->dim, LAT_DOUBLE);
    lat_field_copy(exists, gauge->couplings);
    double *c = lat_field_map(exists, LAT_CHANGE), *count = lat_alloc(g->members, sizeof *count);
    for (int64_t i = 0; i < g->all_sites * g->dim * g->lanes; i++) c[i] = c[i] != 0;
    lat_field_unmap(exists, c, LAT_CHANGE);
    lat_halo_exchange(gauge->links);
    sum_existing(gauge, exists, 0, 1, out);
    sum_existing(gauge, exists, 1, 0, count);
    for (int m = 0; m < g->members; m++) out[m] /= count[m];
    free(count);
    lat_field_free(exists);
}

static lat_status measure(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out, lat_error *error)
{
    (void)random;
    (void)error;
    (void)observable;
    const lat_geometry *g = gauge->links->geometry;
    if (lat_gauge_has_gaps(gauge)) {
        existing_plaquettes(gauge, out);
        return LAT_DONE;
    }
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    plaquette_sum_args args = {lat_tables_of(g), gauge->links->data, density->data, 0, 1};
    lat_range range = lat_block(g);
    lat_halo_exchange(gauge->links);
    lat_kernels_of(gauge->links, gauge->group)->plaquette_sum(&args, &range);
    lat_sum(density, out);
    for (int m = 0; m < g->members; m++) out[m] /= (double)g->volume * (g->dim * (g->dim - 1) / 2);
    lat_field_free(density);
    return LAT_DONE;
}

static lat_observable *create(const char *name, const lat_observe_context *context, lat_error *error)
{
    (void)context;
    (void)error;
    if (strcmp(name, "plaquette") != 0) return NULL;
    return lat_observable_new(&lat_observable_plaquette, sizeof(lat_observable), name, 1, (const char *[]){""}, "");
}

const lat_observable_kind lat_observable_plaquette = {"plaquette", create, measure, NULL, NULL};
