/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * constants.c: derivatives with respect to constants that all sites share, as sums over sites.  Where the lattice is split they are made on
 * the whole of it, as those of networks are (net_gradient.c).  And where derivatives go that each lane has: to one gradient, or to rows.
 */
#include "flows/net_layout.h"
#include "lattice/grid/kernels.h"

int64_t flow_gradient_row(const flow_map *map)
{
    while (map->within) map = map->within;
    return map->row;
}

void flow_gradient_add(const flow_map *map, const void *partial, int64_t count, double *gradient)
{
    const lat_geometry *g = map->geometry;
    const int64_t row = flow_gradient_row(map);
    lane_sum_args sum = {partial, gradient, g->lanes, g->members * g->blocks};
    lane_rows_args rows = {partial, gradient, row, g->lanes, g->members};
    lat_range range = {.count = count, .lanes = 1};
    if (row > 0)
        flow_kernels_of(map)->lane_rows(&rows, &range);
    else
        flow_kernels_of(map)->lane_sum(&sum, &range);
}

flow_constants flow_constants_create(const flow_map *map, int count)
{
    const lat_geometry *g = map->geometry;
    flow_constants constants = {.count = count, .share.site = lat_alloc(count, sizeof(int64_t))};
    for (int64_t i = g->rank; i < count; i += g->rank_count) constants.share.site[constants.share.count++] = i;
    lat_sites_share(g, &constants.share);
    return constants;
}

void flow_constants_free(const flow_map *map, flow_constants *constants)
{
    lat_sites_free(map->geometry, &constants->share);
    map->geometry->backend->release(constants->partial);
}

void flow_constants_add(flow_constants *constants, flow_map *map, const lat_field *cotangent, flow_classes classes,
                        int class, double *gradient)
{
    enum { SLOT_ALL = -2 };
    const bool split = map->geometry->rank_count > 1;
    flow_map *where = split ? flow_map_whole(map) : map;
    const lat_geometry *g = where->geometry;
    const int64_t bytes = constants->count * g->lanes * (int64_t)flow_real_size(map);
    if (split) {
        lat_field *all = flow_scratch(where, SLOT_ALL, cotangent->components, cotangent->precision);
        flow_copy_members(cotangent, all);
        cotangent = all;
    }
    if (!constants->partial) constants->partial = g->backend->allocate(bytes);
    g->backend->zero(constants->partial, bytes);
    const lat_sites *sites = &flow_sites_of(where, classes)[class];
    conv_backward_bias_args sums = {{.lanes = g->lanes, .dim = g->dim},
                                    {.outputs = constants->count},
                                    NULL,
                                    cotangent->data,
                                    sites->shared,
                                    sites->count,
                                    constants->partial};
    lat_range share = lat_range_of(g, &constants->share);
    flow_kernels_of(where)->conv_backward_bias(&sums, &share);
    flow_gradient_add(where, constants->partial, constants->count, gradient);
}
