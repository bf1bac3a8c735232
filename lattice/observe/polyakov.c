/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * polyakov.c: the Polyakov loop, the mean of tr L / N along the last direction.
 */
#include "lattice/gauge/loops.h"
#include "lattice/gauge/kernels.h"
#include "lattice/observe/observable.h"

#include <stdlib.h>
#include <string.h>

static lat_status measure(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out, lat_error *error)
{
    (void)random;
    (void)error;
    (void)observable;
    const lat_geometry *g = gauge->links->geometry;
    lat_range range = lat_block(g);
    lat_field *loop = lat_line(gauge, g->dim - 1, (int)g->size[g->dim - 1]);
    lat_field *part[2] = {lat_field_create(g, 1, LAT_DOUBLE), lat_field_create(g, 1, LAT_DOUBLE)};
    trace_args args = {lat_tables_of(g), loop->data, part[0]->data, part[1]->data};
    lat_kernels_of(gauge->links, gauge->group)->trace(&args, &range);
    double *sum = lat_alloc(g->members, sizeof *sum);
    for (int c = 0; c < 2; c++) {
        lat_sum(part[c], sum);
        for (int m = 0; m < g->members; m++) out[2 * m + c] = sum[m] / (double)g->volume;
        lat_field_free(part[c]);
    }
    free(sum);
    lat_field_free(loop);
    return LAT_DONE;
}

static lat_observable *create(const char *name, const lat_observe_context *context, lat_error *error)
{
    if (strcmp(name, "polyakov") != 0 || lat_observable_needs_all_loops(name, context->gauge, error)) return NULL;
    return lat_observable_new(&lat_observable_polyakov, sizeof(lat_observable), name, 2, (const char *[]){"", "_imaginary"}, "");
}

const lat_observable_kind lat_observable_polyakov = {"polyakov", create, measure, NULL, NULL};
