/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * net_gradient.c: derivatives with respect to the parameters of a network.
 *
 * They are sums over sites in floating point, hence in an order, that of the whole lattice.  So that they are the same to the last bit
 * where the lattice is split over ranks, every rank gathers activations and cotangents of all sites, and does the whole sums for its
 * share of the parameters.
 */
#include "flows/net_layout.h"
#include "lattice/grid/kernels.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------------------ shares */

static bool split(const flow_net_layout *layout) { return layout->map->geometry->rank_count > 1; }

/* Tiles are counted over the taps that are kept; a weight must be the same rank's at all phases. */
void flow_net_share_weights(const flow_net_layout *layout, const flow_conv *conv, flow_phase_taps *phase)
{
    const lat_geometry *g = layout->map->geometry;
    flow_stencil s = conv->ahead;
    if (!split(layout)) return;
    s.kept = 1;
    int64_t of_tap = flow_conv_tiles(&s);
    phase->tiles.site = lat_alloc(phase->kept * of_tap, sizeof *phase->tiles.site);
    for (int64_t tile = 0; tile < phase->kept * of_tap; tile++)
        if ((phase->keep[tile / of_tap] * of_tap + tile % of_tap) % g->rank_count == g->rank) phase->tiles.site[phase->tiles.count++] = tile;
    lat_sites_share(g, &phase->tiles);
}

void flow_net_share_biases(const flow_net_layout *layout, flow_conv *conv)
{
    const lat_geometry *g = layout->map->geometry;
    if (!split(layout)) return;
    conv->biases.site = lat_alloc(conv->ahead.outputs, sizeof *conv->biases.site);
    for (int64_t output = g->rank; output < conv->ahead.outputs; output += g->rank_count) conv->biases.site[conv->biases.count++] = output;
    lat_sites_share(g, &conv->biases);
}

/* -------------------------------------------------------------------------------------------------------------- sums */

static flow_map *where(const flow_net_layout *layout) { return split(layout) ? flow_map_whole(layout->map) : layout->map; }

static int64_t bytes_of_gradient(const flow_net_layout *layout, const flow_map *map)
{
    return layout->parameters * map->geometry->lanes * (int64_t)flow_real_size(map);
}

void flow_net_gradient_begin(flow_net_layout *layout)
{
    const flow_map *map = where(layout);
    const lat_backend *backend = map->geometry->backend;
    if (!layout->gradient) layout->gradient = backend->allocate(bytes_of_gradient(layout, map));
    backend->zero(layout->gradient, bytes_of_gradient(layout, map));
}

static const lat_field *gathered(const flow_net_layout *layout, flow_map *map, const lat_field *field, int slot)
{
    if (!split(layout)) return field;
    lat_field *all = flow_scratch(map, slot, field->components, field->precision);
    flow_copy_members(field, all);
    return all;
}

void flow_net_gradient_add(flow_net_layout *layout, int c)
{
    enum { SLOT_INPUT, SLOT_COTANGENT };
    flow_map *map = where(layout);
    const flow_kernels *kernels = flow_kernels_of(map);
    const lat_geometry *g = map->geometry;
    const flow_conv *now = &layout->conv[c];
    const lat_field *input = gathered(layout, map, now->input, SLOT_INPUT);
    const lat_field *cotangent = gathered(layout, map, now->output_cotangent, SLOT_COTANGENT);
    const lat_sites *phases = flow_sites_of(map, flow_stripes_along(layout->stripes.direction, layout->stripes.period));
    flow_stencil ahead = now->ahead;
    ahead.neighbour = flow_box_of(map, layout->net->kernel, layout->net->dilation[c])->ahead;
    void *gradient = (char *)layout->gradient + (size_t)(now->first * g->lanes) * flow_real_size(map);
    for (int phase = 0; phase < layout->stripes.period; phase++) {
        if (!now->out[phase]) continue;
        const flow_phase_taps *taps = &now->phase[phase];
        const lat_sites *sites = &phases[(phase + layout->stripes.shift) % layout->stripes.period];
        ahead.kept = taps->kept;
        ahead.keep = taps->keep;
        conv_backward_weights_args args = {{.lanes = g->lanes, .dim = g->dim}, ahead, input->data, cotangent->data, sites->shared, sites->count, gradient};
        lat_range tiles = {.count = flow_conv_tiles(&ahead), .lanes = g->lanes}, outputs = {.count = ahead.outputs, .lanes = g->lanes};
        if (split(layout)) {
            tiles = flow_range(map, &taps->tiles);
            outputs = flow_range(map, &now->biases);
        }
        kernels->conv_backward_weights(&args, &tiles);
        kernels->conv_backward_bias(&args, &outputs);
    }
}

void flow_net_gradient_end(flow_net_layout *layout, double *gradient)
{
    flow_gradient_add(where(layout), layout->gradient, layout->parameters, gradient);
}
