/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * charge.c: the topological charge of U(1) in two dimensions, Q = sum arg P / 2 pi.
 */
#include "lattice/gauge/kernels.h"
#include "lattice/observe/observable.h"

#include <math.h>
#include <string.h>

static lat_status measure(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out, lat_error *error)
{
    (void)random;
    (void)error;
    (void)observable;
    const lat_geometry *g = gauge->links->geometry;
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    charge_args args = {lat_tables_of(g), gauge->links->data, density->data};
    lat_range range = lat_block(g);
    lat_halo_exchange(gauge->links);
    lat_kernels_of(gauge->links, gauge->group)->charge(&args, &range);
    lat_sum(density, out);
    for (int m = g->members - 1; m >= 0; m--) {
        double q = rint(out[m]); /* rounding alone keeps it from an integer: a frozen charge must not seem to move */
        out[2 * m] = q;
        out[2 * m + 1] = q * q;
    }
    lat_field_free(density);
    return LAT_DONE;
}

static lat_observable *create(const char *name, const lat_observe_context *context, lat_error *error)
{
    if (strcmp(name, "charge") != 0 || lat_observable_needs_all_loops(name, context->gauge, error)) return NULL;
    if (context->gauge->group != LAT_U1 || context->gauge->links->geometry->dim != 2) {
        lat_fail(error, LAT_CONFIG, "measure.observables: charge is defined for u1 in two dimensions: leave it out");
        return NULL;
    }
    return lat_observable_new(&lat_observable_charge, sizeof(lat_observable), name, 2, (const char *[]){"", "_squared"}, "");
}

const lat_observable_kind lat_observable_charge = {"charge", create, measure, NULL, NULL};
