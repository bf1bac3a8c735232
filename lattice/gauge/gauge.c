/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gauge.c: gauge fields, their couplings, and operations that belong to no action and no observable.
 */
#include "lattice/gauge/gauge.h"
#include "lattice/gauge/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void set_real(const lat_field *f, void *numbers, int64_t i, double value)
{
    if (f->precision == LAT_FLOAT)
        ((float *)numbers)[i] = (float)value;
    else
        ((double *)numbers)[i] = value;
}

static lat_field *unit_links(const lat_geometry *geometry, lat_group group, lat_precision precision)
{
    /* The numbers of a unit link that are 1 are a fixed distance apart; U(1) stores the angle zero. */
    static const int distance[LAT_GROUPS] = {[LAT_SU2] = 4, [LAT_SU3] = 8};
    int reals = lat_link_reals(group), lanes = geometry->lanes;
    lat_field *field = lat_field_create(geometry, geometry->dim * reals, precision);
    if (distance[group] == 0) return field;
    void *numbers = lat_field_map(field, LAT_WRITE); /* zeroed in either case */
    for (int64_t link = 0; link < geometry->all_sites * geometry->dim; link++)
        for (int c = 0; c < reals; c += distance[group])
            for (int lane = 0; lane < lanes; lane++) set_real(field, numbers, (link * reals + c) * lanes + lane, 1);
    lat_field_unmap(field, numbers, LAT_WRITE);
    return field;
}

lat_field *lat_field_algebra(const lat_geometry *geometry, lat_group group, lat_precision precision)
{
    return lat_field_create(geometry, geometry->dim * lat_algebra_reals(group), precision);
}

static void release_count(const lat_geometry *geometry, void *count)
{
    (void)geometry;
    free(count);
}

lat_gauge *lat_gauge_create(const lat_geometry *geometry, lat_group group, lat_precision precision)
{
    lat_gauge *gauge = lat_alloc(1, sizeof *gauge);
    *gauge = (lat_gauge){.links = unit_links(geometry, group, precision), .group = group};
    gauge->boundary = lat_alloc(geometry->members, sizeof *gauge->boundary);
    uint64_t *count = lat_geometry_room(geometry, release_count, sizeof *count);
    gauge->id = ++*count;
    return gauge;
}

void lat_gauge_free(lat_gauge *gauge)
{
    if (!gauge) return;
    lat_field_free(gauge->links);
    lat_field_free(gauge->couplings);
    free(gauge->boundary);
    free(gauge);
}

/* -------------------------------------------------------------------------------------------------------- couplings */

static void fill_couplings(lat_gauge *gauge)
{
    const lat_geometry *g = gauge->links->geometry;
    if (!gauge->couplings) gauge->couplings = lat_field_create(g, g->dim, LAT_DOUBLE);
    double *c = lat_field_map(gauge->couplings, LAT_WRITE);
    for (int64_t site = 0; site < g->sites; site++) {
        int64_t in_block[LAT_MAX_DIM], x[LAT_MAX_DIM] = {0};
        lat_coordinates(g, site, in_block);
        for (int lane = 0; lane < g->lanes; lane++) {
            int64_t member = g->lane_member[lane];
            for (int nu = 0; nu < g->dim; nu++) x[nu] = g->origin[lane * g->dim + nu] + in_block[nu];
            for (int mu = 0; mu < g->dim; mu++)
                c[(site * g->dim + mu) * g->lanes + lane] =
                    member < g->members ? lat_boundary_coupling(&gauge->boundary[member], g, x, mu) : 1;
        }
    }
    lat_field_unmap(gauge->couplings, c, LAT_WRITE);
    lat_halo_exchange(gauge->couplings);
}

/* Gives the links at the defect of `where`, of a member, the couplings that its boundary says. */
static void couple_defect(lat_gauge *gauge, double *couplings, int member, const lat_boundary *where)
{
    const lat_geometry *g = gauge->links->geometry;
    const int mu = where->direction;
    int64_t first[LAT_MAX_DIM], extent[LAT_MAX_DIM], x[LAT_MAX_DIM];
    int64_t volume = lat_boundary_box(where, g, 0, first, extent), *site = lat_alloc(volume, sizeof *site);
    for (int64_t lane = member; lane < g->blocks * g->members && volume > 0; lane += g->members) {
        int64_t count = lat_box_sites(g, lane, first, extent, site);
        for (int64_t i = 0; i < count; i++) {
            lat_coordinates(g, site[i], x);
            for (int nu = 0; nu < g->dim; nu++) x[nu] += g->origin[lane * g->dim + nu];
            couplings[(site[i] * g->dim + mu) * g->lanes + lane] = lat_boundary_coupling(&gauge->boundary[member], g, x, mu);
        }
    }
    free(site);
}

/* Where the boundaries were others, which differed in their defects alone. */
static void move_defects(lat_gauge *gauge, const lat_boundary *before)
{
    double *c = lat_field_map(gauge->couplings, LAT_CHANGE);
    for (int m = 0; m < gauge->links->geometry->members; m++) {
        couple_defect(gauge, c, m, &before[m]);
        couple_defect(gauge, c, m, &gauge->boundary[m]);
    }
    lat_field_unmap(gauge->couplings, c, LAT_CHANGE);
    lat_halo_exchange(gauge->couplings);
}

void lat_gauge_couple_members(lat_gauge *gauge, const lat_boundary *boundary)
{
    const lat_geometry *g = gauge->links->geometry;
    bool moved = gauge->couplings != NULL;
    for (int m = 0; m < g->members; m++)
        moved = moved && memcmp(gauge->boundary[m].open, boundary[m].open, sizeof boundary[m].open) == 0;
    lat_boundary *before = lat_alloc(g->members, sizeof *before);
    memcpy(before, gauge->boundary, (size_t)g->members * sizeof *before);
    memcpy(gauge->boundary, boundary, (size_t)g->members * sizeof *before);
    if (moved)
        move_defects(gauge, before);
    else if (gauge->couplings || !lat_gauge_is_periodic(gauge))
        fill_couplings(gauge);
    free(before);
}

void lat_gauge_couple(lat_gauge *gauge, int member, const lat_boundary *boundary)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_boundary *all = lat_alloc(g->members, sizeof *all);
    for (int m = 0; m < g->members; m++) all[m] = member < 0 || member == m ? *boundary : gauge->boundary[m];
    lat_gauge_couple_members(gauge, all);
    free(all);
}

bool lat_gauge_is_periodic(const lat_gauge *gauge)
{
    for (int m = 0; m < gauge->links->geometry->members; m++)
        if (!lat_boundary_is_periodic(&gauge->boundary[m])) return false;
    return true;
}

bool lat_gauge_has_gaps(const lat_gauge *gauge)
{
    for (int m = 0; m < gauge->links->geometry->members; m++)
        if (lat_boundary_has_gaps(&gauge->boundary[m])) return true;
    return false;
}

const double *lat_gauge_couplings(const lat_gauge *gauge) { return gauge->couplings ? gauge->couplings->data : NULL; }

/* ------------------------------------------------------------------------------------------------------------ links */

void lat_gauge_changed(lat_gauge *gauge) { gauge->version++; }

bool lat_gauge_is_lost(const lat_gauge *gauge, int member)
{
    double *sum = lat_alloc(gauge->links->geometry->members, sizeof *sum);
    lat_sum(gauge->links, sum);
    const bool lost = !isfinite(sum[member]);
    free(sum);
    return lost;
}

void lat_gauge_copy(lat_gauge *to, const lat_gauge *from)
{
    lat_field_copy(to->links, from->links);
    lat_gauge_changed(to);
}

void lat_gauge_copy_members(lat_gauge *to, const lat_gauge *from, const bool *choose)
{
    lat_field_copy_members(to->links, from->links, choose);
    lat_gauge_changed(to);
}

void lat_field_haar(lat_field *elements, lat_group group, const lat_random *random)
{
    const lat_geometry *g = elements->geometry;
    haar_args args = {lat_tables_of(g), elements->data, elements->components / lat_link_reals(group), lat_random_key(random)};
    lat_range range = lat_block(g);
    lat_kernels_of(elements, group)->haar(&args, &range);
}

void lat_gauge_haar(lat_gauge *gauge, const lat_random *random)
{
    lat_field_haar(gauge->links, gauge->group, random);
    lat_gauge_changed(gauge);
}

void lat_gauge_exp_update(lat_gauge *gauge, double step, const lat_field *algebra)
{
    const lat_field *u = gauge->links;
    exp_update_args args = {lat_tables_of(u->geometry), u->data, algebra->data, step};
    lat_range range = lat_block(u->geometry);
    lat_kernels_of(u, gauge->group)->exp_update(&args, &range);
    lat_gauge_changed(gauge);
}

void lat_gauge_transform(lat_gauge *gauge, const lat_field *g)
{
    const lat_field *u = gauge->links;
    gauge_transform_args args = {lat_tables_of(u->geometry), u->data, g->data};
    lat_range range = lat_block(u->geometry);
    lat_kernels_of(u, gauge->group)->gauge_transform(&args, &range);
    lat_gauge_changed(gauge);
}
