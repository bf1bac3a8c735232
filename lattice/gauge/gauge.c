/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gauge.c: gauge fields, and operations on them that belong to no action and no observable.
 */
#include "lattice/gauge/gauge.h"
#include "lattice/grid/kernels.h"

static void set_real(const lat_field *f, void *numbers, int64_t i, double value)
{
    if (f->precision == LAT_FLOAT)
        ((float *)numbers)[i] = (float)value;
    else
        ((double *)numbers)[i] = value;
}

lat_field *lat_field_gauge(const lat_geometry *geometry, lat_group group, lat_precision precision)
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

void lat_field_haar(lat_field *links, lat_group group, const lat_random *random)
{
    haar_args args = {lat_tables_of(links->geometry), links->data, links->components / lat_link_reals(group), lat_random_key(random)};
    lat_range range = lat_block(links->geometry);
    lat_kernels_of(links, group)->haar(&args, &range);
}

void lat_gauge_exp_update(lat_field *links, lat_group group, double step, const lat_field *algebra)
{
    exp_update_args args = {lat_tables_of(links->geometry), links->data, algebra->data, step};
    lat_range range = lat_block(links->geometry);
    lat_kernels_of(links, group)->exp_update(&args, &range);
}

void lat_gauge_transform(lat_field *links, lat_group group, const lat_field *g)
{
    gauge_transform_args args = {lat_tables_of(links->geometry), links->data, g->data};
    lat_range range = lat_block(links->geometry);
    lat_kernels_of(links, group)->gauge_transform(&args, &range);
}
