/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spinor.c: linear algebra of spinor fields.
 */
#include "lattice/dirac/spinor.h"

lat_range lat_spinor_range(lat_spinor_sites sites, const lat_field *field)
{
    const lat_geometry *g = field->geometry;
    return sites == LAT_EVEN_SITES ? lat_range_of(g, &g->parity[0]) : lat_block(g);
}

/* A coefficient for each member becomes one for each lane, where kernels find it. */
static double *of_lanes(const lat_geometry *g, const double *of_members)
{
    if (!of_members) return NULL;
    double *of_lane = lat_alloc((size_t)g->lanes, sizeof *of_lane);
    for (int lane = 0; lane < g->lanes; lane++)
        of_lane[lane] = g->lane_member[lane] < g->members ? of_members[g->lane_member[lane]] : 0;
    return lat_hand_over(g, of_lane, (int64_t)g->lanes * (int64_t)sizeof *of_lane);
}

void lat_spinor_combine(lat_spinor_sites sites, const double *a, const lat_field *x, const double *b, lat_field *y)
{
    const lat_geometry *g = y->geometry;
    double *of_a = of_lanes(g, a), *of_b = of_lanes(g, b);
    combine_args args = {lat_tables_of(g), x->data, y->data, of_a, of_b, y->components};
    lat_range range = lat_spinor_range(sites, y);
    lat_field_kernels_of(y)->combine(&args, &range);
    g->backend->release(of_a);
    g->backend->release(of_b);
}

void lat_spinor_dot(lat_spinor_sites sites, const lat_field *x, const lat_field *y, lat_field *density, double *out)
{
    spinor_dot_args args = {
        .t = lat_tables_of(x->geometry), .x = x->data, .y = y->data, .density = density->data, .components = x->components};
    lat_range range = lat_spinor_range(sites, x);
    if (sites != LAT_ALL_SITES) lat_field_zero(density);
    lat_field_kernels_of(x)->spinor_dot(&args, &range);
    lat_sum(density, out);
}

void lat_spinor_gamma5(lat_spinor_sites sites, lat_field *x)
{
    spinor_gamma5_args args = {lat_tables_of(x->geometry), x->data, x->components};
    lat_range range = lat_spinor_range(sites, x);
    lat_field_kernels_of(x)->spinor_gamma5(&args, &range);
}
