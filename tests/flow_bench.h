/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flow_bench.h: a flow on a lattice with links that it maps, for tests of layers.
 */
#ifndef FLOW_BENCH_H
#define FLOW_BENCH_H

#include "flows/flows.h"
#include "hmc/updates/layer_check.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    const char *name;
    lat_geometry *g;
    flow_map *map;
    lat_gauge *v, *u, *other; /* links with Haar measure, their image, and room for others */
    lat_field *cotangent, *density;
    double *weight; /* [lanes] */
} bench;

enum { MOST_REALS = 18, MOST_ALGEBRA = 8 }; /* of a link */

/* lanes: as many as there are; else one block. */
static inline bench bench_of(MPI_Comm comm, const char *name, const int64_t *size, const flow_model *model, int members,
                      lat_precision precision, bool lanes, const lat_random *random)
{
    lat_error error = {0};
    bench b = {.name = name};
    lat_shape shape = {.dim = model->dim,
                       .members = members,
                       .period = model->stack.period,
                       .halo = model->stack.halo,
                       .corners = model->dim,
                       .precision = precision};
    for (int mu = 0; mu < model->dim; mu++) {
        shape.size[mu] = size[mu];
        shape.lane_grid[mu] = lanes ? 0 : 1;
    }
    if (lat_geometry_create(comm, &shape, &b.g, &error) || flow_map_create(model, b.g, precision, &b.map, &error))
        lat_abort(error.status, "%s", error.text);
    b.u = lat_gauge_create(b.g, model->group, precision);
    b.v = lat_gauge_create(b.g, model->group, precision);
    b.other = lat_gauge_create(b.g, model->group, precision);
    b.cotangent = lat_field_algebra(b.g, model->group, precision);
    b.density = lat_field_create(b.g, 1, LAT_DOUBLE);
    b.weight = lat_alloc(b.g->lanes, sizeof *b.weight);
    lat_gauge_haar(b.v, random);
    return b;
}

static inline void free_bench(bench *b)
{
    lat_gauge_free(b->u);
    lat_gauge_free(b->v);
    lat_gauge_free(b->other);
    lat_field_free(b->cotangent);
    lat_field_free(b->density);
    free(b->weight);
    flow_map_free(b->map);
    lat_geometry_free(b->g);
}

static inline int64_t reals(const lat_field *f) { return f->geometry->sites * f->components * f->geometry->lanes; }

/* Is the lane of number i of a field one of a member? */
static inline bool used(const lat_geometry *g, int64_t i) { return g->lane_member[i % g->lanes] < g->members; }

/* Link i (of all sites) in a lane */
static inline void get_link(const lat_gauge *u, int64_t i, int lane, double *out)
{
    const int count = lat_link_reals(u->group), lanes = u->links->geometry->lanes;
    for (int c = 0; c < count; c++) out[c] = lat_real_at(u->links, u->links->data, (i * count + c) * lanes + lane);
}

/* Largest difference of links on all ranks */
static inline double distance(const lat_gauge *a, const lat_gauge *b)
{
    const lat_geometry *g = a->links->geometry;
    double worst = 0, x[MOST_REALS], y[MOST_REALS];
    for (int64_t i = 0; i < g->sites * g->dim; i++)
        for (int lane = 0; lane < g->lanes; lane++) {
            if (!used(g, lane)) continue;
            get_link(a, i, lane, x);
            get_link(b, i, lane, y);
            worst = fmax(worst, mc_link_distance(a->group, x, y));
        }
    MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, g->comm);
    return worst;
}

/* U = F(V); log det of the members, and that of the first */
static inline double map_links(bench *b, double *log_det)
{
    lat_gauge_copy(b->u, b->v);
    lat_field_zero(b->density);
    flow_forward(b->map, b->u, b->density);
    lat_sum(b->density, log_det);
    return log_det[0];
}

/* L(U) = sum_i c_i x_i + weight log det with fixed c, x the components of U relative to `other`: where U is that, dL/dU is c. */
static inline double linear_loss(bench *b, const lat_field *c, double weight)
{
    const lat_geometry *g = b->g;
    const int algebra = lat_algebra_reals(b->u->group);
    double log_det[8], sum = 0, x[MOST_REALS], y[MOST_REALS], moved[MOST_ALGEBRA];
    map_links(b, log_det);
    for (int64_t i = 0; i < g->sites * g->dim; i++)
        for (int lane = 0; lane < g->lanes; lane++) {
            if (!used(g, lane)) continue;
            get_link(b->u, i, lane, x);
            get_link(b->other, i, lane, y);
            mc_link_logarithm(b->u->group, x, y, moved);
            for (int a = 0; a < algebra; a++)
                sum += lat_real_at(c, c->data, (i * algebra + a) * g->lanes + lane) * moved[a];
        }
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, g->comm);
    for (int m = 0; m < g->members; m++) sum += weight * log_det[m];
    return sum;
}

/* Of fields in double */
static inline double dot_fields(const lat_field *a, const lat_field *b)
{
    double sum = 0;
    for (int64_t i = 0; i < reals(a); i++)
        if (used(a->geometry, i)) sum += ((double *)a->data)[i] * ((double *)b->data)[i];
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, a->geometry->comm);
    return sum;
}

#endif
