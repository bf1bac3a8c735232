/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loops.c: lines of links, and Wilson loops of two lines and their copies at the other end of the loop.
 */
#include "lattice/gauge/loops.h"

#include "lattice/gauge/kernels.h"

#include <stdlib.h>

typedef struct {
    const lat_gauge *gauge;
    lat_field *spare; /* one element per site */
    const lat_kernels *kernels;
    lat_range range;
} work;

static lat_field *elements(const lat_gauge *gauge)
{
    return lat_field_create(gauge->links->geometry, lat_link_reals(gauge->group), gauge->links->precision);
}

static work begin(const lat_gauge *gauge)
{
    return (work){gauge, elements(gauge), lat_kernels_of(gauge->links, gauge->group), lat_block(gauge->links->geometry)};
}

static void swap_data(lat_field *a, lat_field *b)
{
    void *data = a->data;
    a->data = b->data;
    b->data = data;
}

/* a(x) = U_mu(x) a(x+mu); the first time U_mu(x) */
static void extend(work *w, lat_field *a, int mu, bool first)
{
    extend_line_args args = {lat_tables_of(a->geometry), w->gauge->links->data, first ? NULL : a->data, w->spare->data, mu};
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

lat_field *lat_line(const lat_gauge *gauge, int mu, int length)
{
    work w = begin(gauge);
    lat_field *line = elements(gauge);
    for (int i = 0; i < length; i++) extend(&w, line, mu, i == 0);
    lat_field_free(w.spare);
    return line;
}

/* Is one of these there? */
static bool any(lat_field *const *field, int count, int stride)
{
    for (int i = 0; i < count; i++)
        if (field[i * stride]) return true;
    return false;
}

/* Lines in direction nu, and the same moved along mu, of those lengths that some loop has; NULL: none. */
typedef struct {
    lat_field **line, **side; /* [t_count] */
} lines;

static lines make_lines(work *w, int nu, int r_count, int t_count, lat_field *const *density)
{
    lines l = {lat_alloc(t_count, sizeof *l.line), lat_alloc(t_count, sizeof *l.side)};
    lat_field *grow = elements(w->gauge);
    for (int t = 0; t < t_count; t++) {
        bool wanted = any(density + t, r_count, t_count);
        extend(w, grow, nu, t == 0);
        if (!wanted) continue;
        l.line[t] = elements(w->gauge);
        l.side[t] = elements(w->gauge);
        lat_field_copy(l.line[t], grow);
        lat_field_copy(l.side[t], grow);
    }
    lat_field_free(grow);
    return l;
}

static void free_lines(lines *l, int t_count)
{
    for (int t = 0; t < t_count; t++) {
        lat_field_free(l->line[t]);
        lat_field_free(l->side[t]);
    }
    free(l->line);
    free(l->side);
}

void lat_add_loops(const lat_gauge *gauge, int mu, int nu, int r_count, int t_count, lat_field *const *density)
{
    work w = begin(gauge);
    lines l = make_lines(&w, nu, r_count, t_count, density);
    lat_field *below = elements(gauge), *above = elements(gauge);
    for (int r = 0; r < r_count; r++) {
        extend(&w, below, mu, r == 0);
        for (int t = 0; t < t_count; t++)
            if (l.side[t]) shift(&w, l.side[t], mu);
        if (!any(density + r * t_count, t_count, 1)) continue;
        lat_field_copy(above, below);
        for (int t = 0; t < t_count; t++) {
            shift(&w, above, nu);
            lat_field *to = density[r * t_count + t];
            if (!to) continue;
            loop_trace_args args = {lat_tables_of(to->geometry), below->data, l.side[t]->data, above->data, l.line[t]->data, to->data};
            w.kernels->loop_trace(&args, &w.range);
        }
    }
    lat_field_free(below);
    lat_field_free(above);
    free_lines(&l, t_count);
    lat_field_free(w.spare);
}

bool lat_loop_fits(const lat_geometry *g, int64_t r, int64_t t)
{
    for (int mu = 0; mu + 1 < g->dim; mu++)
        if (r >= g->size[mu] || t >= g->size[mu + 1]) return false;
    return true;
}

void lat_wilson_loops(const lat_gauge *gauge, int r_count, int t_count, double *out)
{
    const lat_geometry *g = gauge->links->geometry;
    int last = g->dim - 1, loops = r_count * t_count;
    lat_field **density = lat_alloc(loops, sizeof *density);
    double *sum = lat_alloc(g->members, sizeof *sum);
    for (int i = 0; i < loops; i++) density[i] = lat_field_create(g, 1, LAT_DOUBLE);
    for (int mu = 0; mu < last; mu++) lat_add_loops(gauge, mu, last, r_count, t_count, density);
    for (int i = 0; i < loops; i++) {
        lat_sum(density[i], sum);
        for (int m = 0; m < g->members; m++) out[m * loops + i] = sum[m] / ((double)g->volume * last);
        lat_field_free(density[i]);
    }
    free(sum);
    free(density);
}
