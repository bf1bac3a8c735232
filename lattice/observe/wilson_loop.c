/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * wilson_loop.c: Wilson loops of R x T links in all planes, and rectangles of 1 x 2 both ways round.
 */
#include "lattice/gauge/loops.h"
#include "lattice/observe/observable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    lat_observable base;
    int r, t; /* R along the lower direction of each plane */
} loop;

static void mean_loop(const lat_gauge *gauge, int r, int t, double *out)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_field **density = lat_alloc((int64_t)r * t, sizeof *density), *only = lat_field_create(g, 1, LAT_DOUBLE);
    density[r * t - 1] = only;
    for (int mu = 0; mu < g->dim; mu++)
        for (int nu = mu + 1; nu < g->dim; nu++) lat_add_loops(gauge, mu, nu, r, t, density);
    lat_sum(only, out);
    for (int m = 0; m < g->members; m++) out[m] /= (double)g->volume * (g->dim * (g->dim - 1) / 2);
    lat_field_free(only);
    free(density);
}

static lat_status measure_loop(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out, lat_error *error)
{
    (void)random;
    (void)error;
    const loop *l = (const loop *)observable;
    mean_loop(gauge, l->r, l->t, out);
    return LAT_DONE;
}

static lat_status measure_rectangle(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out, lat_error *error)
{
    (void)random;
    (void)error;
    (void)observable;
    const int members = gauge->links->geometry->members;
    double *other = lat_alloc(members, sizeof *other);
    mean_loop(gauge, 1, 2, out);
    mean_loop(gauge, 2, 1, other);
    for (int m = 0; m < members; m++) out[m] = 0.5 * (out[m] + other[m]);
    free(other);
    return LAT_DONE;
}

static lat_observable *create_loop(const char *name, const lat_observe_context *context, lat_error *error)
{
    int r = 0, t = 0, end = 0;
    if (strncmp(name, "wilson_loop_", 12) != 0 || lat_observable_needs_all_loops(name, context->gauge, error)) return NULL;
    if (sscanf(name, "wilson_loop_%4dx%4d%n", &r, &t, &end) != 2 || name[end] || r < 1 || t < 1 ||
        !lat_loop_fits(context->lattice, r, t)) {
        lat_fail(error, LAT_CONFIG, "measure.observables: %s: write wilson_loop_RxT with R and T smaller than the lattice", name);
        return NULL;
    }
    char *plain = lat_text("wilson_loop_%dx%d", r, t); /* 02x2 is 2x2 */
    loop *l = (loop *)lat_observable_new(&lat_observable_wilson_loop, sizeof *l, plain, 1, (const char *[]){""}, "");
    l->r = r;
    l->t = t;
    free(plain);
    return &l->base;
}

static lat_observable *create_rectangle(const char *name, const lat_observe_context *context, lat_error *error)
{
    if (strcmp(name, "rectangle") != 0 || lat_observable_needs_all_loops(name, context->gauge, error)) return NULL;
    return lat_observable_new(&lat_observable_rectangle, sizeof(lat_observable), name, 1, (const char *[]){""}, "");
}

const lat_observable_kind lat_observable_wilson_loop = {"wilson_loop_RxT", create_loop, measure_loop, NULL, NULL};
const lat_observable_kind lat_observable_rectangle = {"rectangle", create_rectangle, measure_rectangle, NULL, NULL};
