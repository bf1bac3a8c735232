/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layout.h: what the layers of a map share on its geometry: lists of sites, tables of stencils, scratch fields.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "flows/flows.h"
#include "flows/kernels/coupling_kernels.h"
#include "flows/kernels/flow_kernels.h"

/* The box of a convolution: taps in {-r, ..., r}^dim times the dilation, x fastest.  ahead[site][tap] is the site at
 * x + offset, behind the site at x - offset, for the sites of the block. */
typedef struct flow_box {
    struct flow_box *next;
    int kernel, dilation, taps;
    int *offset; /* [taps][dim] */
    int64_t *ahead, *behind;
} flow_box;

const flow_box *flow_box_of(flow_map *map, int kernel, int dilation);

/* Sites of the block with global coordinate x_mu = phase modulo period: an array of `period` lists. */
const lat_sites *flow_phases(flow_map *map, int mu, int period);

/* A map without steps on another geometry, for the layers inside a layer of this one: workspaces are its own, the memory to
 * keep things in is what is left of this map's.  Free with flow_map_free. */
flow_map *flow_map_within(const flow_map *map, const lat_geometry *geometry);

/* The kernels of the map's backend and precision. */
const flow_kernels *flow_kernels_of(const flow_map *map);
const flow_coupling_kernels *flow_coupling_kernels_of(const flow_map *map);
lat_range flow_range(const flow_map *map, const lat_sites *sites);

#endif
