/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * observable.c: plaquette, topological charge, Polyakov loop and Wilson loops, by name.
 */
#include "lattice/grid/kernels.h"
#include "lattice/observe/observable.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int planes(const lat_geometry *g) { return g->dim * (g->dim - 1) / 2; }

/* The sum of constant + weight Re tr P / N over the plaquettes whose coupling is not 0. */
static void sum_existing(lat_field *links, lat_group group, lat_field *couplings, double constant, double weight, double *out)
{
    const lat_geometry *g = links->geometry;
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    weighted_plaquette_sum_args args = {lat_tables_of(g), links->data, couplings->data, density->data, constant, weight};
    lat_range range = lat_block(g);
    lat_kernels_of(links, group)->weighted_plaquette_sum(&args, &range);
    lat_sum(density, out);
    lat_field_free(density);
}

static void existing_plaquettes(lat_field *links, lat_group group, double *out)
{
    const lat_geometry *g = links->geometry;
    lat_field *couplings = lat_couplings_create(g);
    double *c = lat_field_map(couplings, LAT_CHANGE), *count = lat_alloc(g->members, sizeof *count);
    for (int64_t i = 0; i < g->all_sites * g->dim * g->lanes; i++) c[i] = c[i] != 0;
    lat_field_unmap(couplings, c, LAT_CHANGE);
    lat_halo_exchange(links);
    sum_existing(links, group, couplings, 0, 1, out);
    sum_existing(links, group, couplings, 1, 0, count);
    for (int m = 0; m < g->members; m++) out[m] /= count[m];
    free(count);
    lat_field_free(couplings);
}

static void plaquette(const lat_observable *observable, lat_field *links, lat_group group, double *out)
{
    (void)observable;
    const lat_geometry *g = links->geometry;
    if (lat_boundary_has_gaps(&g->boundary)) {
        existing_plaquettes(links, group, out);
        return;
    }
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    plaquette_sum_args args = {lat_tables_of(g), links->data, density->data, 0, 1};
    lat_range range = lat_block(g);
    lat_halo_exchange(links);
    lat_kernels_of(links, group)->plaquette_sum(&args, &range);
    lat_sum(density, out);
    for (int m = 0; m < g->members; m++) out[m] /= (double)g->volume * planes(g);
    lat_field_free(density);
}

static void charge(const lat_observable *observable, lat_field *links, lat_group group, double *out)
{
    (void)observable;
    const lat_geometry *g = links->geometry;
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    charge_args args = {lat_tables_of(g), links->data, density->data};
    lat_range range = lat_block(g);
    lat_halo_exchange(links);
    lat_kernels_of(links, group)->charge(&args, &range);
    lat_sum(density, out);
    for (int m = g->members - 1; m >= 0; m--) {
        double q = rint(out[m]); /* rounding alone keeps it from an integer: a frozen charge must not seem to move */
        out[2 * m] = q;
        out[2 * m + 1] = q * q;
    }
    lat_field_free(density);
}

/* The product of `length` links in direction mu, starting at each site. */
static lat_field *line(lat_field *links, lat_group group, int mu, int length)
{
    const lat_geometry *g = links->geometry;
    const lat_kernels *kernels = lat_kernels_of(links, group);
    lat_range range = lat_block(g);
    lat_field *now = lat_field_create(g, lat_link_reals(group), links->precision);
    lat_field *next = lat_field_create(g, lat_link_reals(group), links->precision);
    for (int i = 0; i < length; i++) {
        extend_line_args args = {lat_tables_of(g), links->data, i ? now->data : NULL, next->data, mu};
        if (i) lat_halo_exchange(now);
        kernels->extend_line(&args, &range);
        lat_field *swap = now;
        now = next;
        next = swap;
    }
    lat_field_free(next);
    return now;
}

/* in(x + distance mu), into a new field */
static lat_field *shifted(const lat_field *in, lat_group group, int mu, int distance)
{
    const lat_geometry *g = in->geometry;
    lat_range range = lat_block(g);
    lat_field *now = lat_field_create(g, in->components, in->precision), *next = lat_field_create(g, in->components, in->precision);
    lat_field_copy(now, in);
    for (int i = 0; i < distance; i++) {
        lat_halo_exchange(now);
        shift_args args = {lat_tables_of(g), now->data, next->data, mu};
        lat_kernels_of(in, group)->shift(&args, &range);
        lat_field *swap = now;
        now = next;
        next = swap;
    }
    lat_field_free(next);
    return now;
}

static void add_loops(lat_field *links, lat_group group, int mu, int nu, const int extent[2], lat_field *density)
{
    const lat_geometry *g = links->geometry;
    lat_range range = lat_block(g);
    lat_field *a = line(links, group, mu, extent[0]), *d = line(links, group, nu, extent[1]);
    lat_field *b = shifted(d, group, mu, extent[0]), *c = shifted(a, group, nu, extent[1]);
    loop_trace_args args = {lat_tables_of(g), a->data, b->data, c->data, d->data, density->data};
    lat_kernels_of(links, group)->loop_trace(&args, &range);
    lat_field_free(a);
    lat_field_free(b);
    lat_field_free(c);
    lat_field_free(d);
}

static void wilson_loop(const lat_observable *observable, lat_field *links, lat_group group, double *out)
{
    const lat_geometry *g = links->geometry;
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    for (int mu = 0; mu < g->dim; mu++)
        for (int nu = mu + 1; nu < g->dim; nu++) add_loops(links, group, mu, nu, observable->extent, density);
    lat_sum(density, out);
    for (int m = 0; m < g->members; m++) out[m] /= (double)g->volume * planes(g);
    lat_field_free(density);
}

static void rectangle(const lat_observable *observable, lat_field *links, lat_group group, double *out)
{
    (void)observable;
    const lat_geometry *g = links->geometry;
    double *other = lat_alloc(g->members, sizeof *other);
    wilson_loop(&(lat_observable){.extent = {1, 2}}, links, group, out);
    wilson_loop(&(lat_observable){.extent = {2, 1}}, links, group, other);
    for (int m = 0; m < g->members; m++) out[m] = 0.5 * (out[m] + other[m]);
    free(other);
}

static void polyakov(const lat_observable *observable, lat_field *links, lat_group group, double *out)
{
    (void)observable;
    const lat_geometry *g = links->geometry;
    lat_range range = lat_block(g);
    lat_field *loop = line(links, group, g->dim - 1, (int)g->size[g->dim - 1]);
    lat_field *part[2] = {lat_field_create(g, 1, LAT_DOUBLE), lat_field_create(g, 1, LAT_DOUBLE)};
    trace_args args = {lat_tables_of(g), loop->data, part[0]->data, part[1]->data};
    lat_kernels_of(links, group)->trace(&args, &range);
    double *sum = lat_alloc(g->members, sizeof *sum);
    for (int c = 0; c < 2; c++) {
        lat_sum(part[c], sum);
        for (int m = 0; m < g->members; m++) out[2 * m + c] = sum[m] / (double)g->volume;
        lat_field_free(part[c]);
    }
    free(sum);
    lat_field_free(loop);
}

static lat_status find_loop(const char *name, const lat_shape *shape, lat_observable *out, lat_error *error)
{
    int r, t, end = 0;
    char repeated[48];
    if (sscanf(name, "wilson_loop_%4dx%4d%n", &r, &t, &end) != 2 || name[end] || r < 1 || t < 1 || r >= shape->size[0] || t >= shape->size[1])
        return lat_fail(error, LAT_CONFIG, "measure.observables: %s: write wilson_loop_RxT with R and T smaller than the lattice", name);
    *out = (lat_observable){.columns = 1, .column = {""}, .extent = {r, t}, .measure = wilson_loop};
    snprintf(repeated, sizeof repeated, "wilson_loop_%dx%d", r, t);
    snprintf(out->name, sizeof out->name, "%.31s", repeated);
    return LAT_DONE;
}

lat_status lat_observable_find(const char *name, lat_group group, const lat_shape *shape, lat_observable *out, lat_error *error)
{
    static const lat_observable known[] = {
        {.name = "plaquette", .columns = 1, .column = {""}, .measure = plaquette},
        {.name = "rectangle", .columns = 1, .column = {""}, .measure = rectangle},
        {.name = "charge", .columns = 2, .column = {"", "_squared"}, .measure = charge},
        {.name = "polyakov", .columns = 2, .column = {"", "_imaginary"}, .measure = polyakov},
    };
    if (lat_boundary_has_gaps(&shape->boundary) && strcmp(name, "plaquette") != 0)
        return lat_fail(error, LAT_CONFIG, "measure.observables: %s needs a lattice without open boundaries: leave it out", name);
    if (strncmp(name, "wilson_loop_", 12) == 0) return find_loop(name, shape, out, error);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) != 0) continue;
        if (known[i].measure == charge && (group != LAT_U1 || shape->dim != 2))
            return lat_fail(error, LAT_CONFIG, "measure.observables: charge is defined for u1 in two dimensions: leave it out");
        *out = known[i];
        return LAT_DONE;
    }
    return lat_fail(error, LAT_CONFIG, "measure.observables: \"%s\" is not known: use plaquette, rectangle, charge, polyakov or wilson_loop_RxT", name);
}
