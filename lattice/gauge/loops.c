/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loops.c: smearing, and Wilson loops in planes of space and time.
 */
#include "lattice/gauge/smearing.h"
#include "lattice/grid/kernels.h"

#include <stdlib.h>

const char *const lat_smearing_names[] = {"none", "ape", "stout", NULL};

static void swap_data(lat_field *a, lat_field *b)
{
    void *data = a->data;
    a->data = b->data;
    b->data = data;
}

void lat_smear(lat_field *links, lat_group group, lat_smearing kind, int steps, double weight, int directions)
{
    const lat_geometry *g = links->geometry;
    const lat_kernels *kernels = lat_kernels_of(links, group);
    lat_field *out = lat_field_gauge(g, group, links->precision);
    lat_range range = lat_block(g);
    for (int i = 0; i < steps && kind != LAT_SMEARING_NONE; i++) {
        lat_halo_exchange(links);
        smear_stout_args args = {lat_tables_of(g), links->data, out->data, weight, directions};
        if (kind == LAT_SMEARING_APE)
            kernels->smear_ape(&args, &range);
        else
            kernels->smear_stout(&args, &range);
        swap_data(links, out);
    }
    lat_field_free(out);
}

/* ------------------------------------------------------------------------------------------------------ Wilson loops */

typedef struct {
    lat_field *links, *spare; /* spare: one element per site */
    const lat_kernels *kernels;
    lat_range range;
} work;

/* a(x) = U_mu(x) a(x+mu); the first time U_mu(x) */
static void extend(work *w, lat_field *a, int mu, bool first)
{
    extend_line_args args = {lat_tables_of(a->geometry), w->links->data, first ? NULL : a->data, w->spare->data, mu};
    if (!first) lat_halo_exchange(a);
    w->kernels->extend_line(&args, &w->range);
    swap_data(a, w->spare);
}

/* a(x) = a(x+mu) */
static void shift(work *w, lat_field *a, int mu)
{
    shift_args args = {lat_tables_of(a->geometry), a->data, w->spare->data, mu};
    lat_halo_exchange(a);
    w->kernels->shift(&args, &w->range);
    swap_data(a, w->spare);
}

/* density[r][t] += Re tr W / N of the loops of all lengths in the plane of mu and the last direction. */
static void add_plane(work *w, lat_field *const *line, lat_field *const *side, int mu, int r_count, int t_count,
                      lat_field *const *density)
{
    const lat_geometry *g = w->links->geometry;
    int last = g->dim - 1, components = w->spare->components;
    lat_field *a = lat_field_create(g, components, w->spare->precision),
              *c = lat_field_create(g, components, w->spare->precision);
    for (int t = 0; t < t_count; t++) lat_field_copy(side[t], line[t]);
    for (int r = 0; r < r_count; r++) {
        extend(w, a, mu, r == 0);
        lat_field_copy(c, a);
        for (int t = 0; t < t_count; t++) {
            shift(w, side[t], mu);
            shift(w, c, last);
            loop_trace_args args = {lat_tables_of(g), a->data,       side[t]->data,
                                    c->data,          line[t]->data, density[r * t_count + t]->data};
            w->kernels->loop_trace(&args, &w->range);
        }
    }
    lat_field_free(a);
    lat_field_free(c);
}

static lat_field **fields(const lat_geometry *g, int count, int components, lat_precision precision)
{
    lat_field **field = lat_alloc(count, sizeof *field);
    for (int i = 0; i < count; i++) field[i] = lat_field_create(g, components, precision);
    return field;
}

static void free_fields(lat_field **field, int count)
{
    for (int i = 0; i < count; i++) lat_field_free(field[i]);
    free(field);
}

void lat_wilson_loops(lat_field *links, lat_group group, int r_count, int t_count, double *out)
{
    const lat_geometry *g = links->geometry;
    int reals = lat_link_reals(group), last = g->dim - 1, loops = r_count * t_count;
    lat_field **line = fields(g, t_count, reals, links->precision),
              **side = fields(g, t_count, reals, links->precision);
    lat_field **density = fields(g, loops, 1, LAT_DOUBLE), *grow = lat_field_create(g, reals, links->precision);
    double *sum = lat_alloc(g->members, sizeof *sum);
    work w = {links, lat_field_create(g, reals, links->precision), lat_kernels_of(links, group), lat_block(g)};
    lat_halo_exchange(links);
    for (int t = 0; t < t_count; t++) {
        extend(&w, grow, last, t == 0);
        lat_field_copy(line[t], grow);
    }
    for (int mu = 0; mu < last; mu++) add_plane(&w, line, side, mu, r_count, t_count, density);
    for (int i = 0; i < loops; i++) {
        lat_sum(density[i], sum);
        for (int m = 0; m < g->members; m++) out[m * loops + i] = sum[m] / ((double)g->volume * last);
    }
    free(sum);
    free_fields(line, t_count);
    free_fields(side, t_count);
    free_fields(density, loops);
    lat_field_free(grow);
    lat_field_free(w.spare);
}
