/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gauge.c: operations on gauge fields that belong to no action and no observable.
 */
#include "backend/backend.h"
#include "lattice.h"

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
