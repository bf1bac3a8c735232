/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layout.h: what the layers of a map share on its geometry: lists of sites, tables of stencils, scratch fields.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "flows/kernels/blocking_kernels.h"
#include "flows/kernels/coupling_kernels.h"
#include "flows/kernels/flow_kernels.h"
#include "flows/kernels/masked_stout_kernels.h"
#include "flows/kernels/stout_kernels.h"
#include "flows/map.h"

/* A scratch field of the map, shared by its layers: slots keep their contents only within one call of a layer. */
lat_field *flow_scratch(flow_map *map, int slot, int components, lat_precision precision);

/* The box of a convolution: taps in {-r, ..., r}^dim times the dilation, x fastest.  ahead[site][tap] is the site at
 * x + offset, behind the site at x - offset, for the sites of the block. */
typedef struct flow_box {
    struct flow_box *next;
    int kernel, dilation, taps;
    int *offset; /* [taps][dim] */
    int64_t *ahead, *behind;
} flow_box;

const flow_box *flow_box_of(flow_map *map, int kernel, int dilation);

/* Masks: the sites of the lattice fall into classes 0 to period - 1, sum_mu step[mu] x_mu modulo period, x the global coordinates:
 * parities are step = 1 in all directions, period = 2. */
typedef struct {
    int period, step[LAT_MAX_DIM];
} flow_classes;
flow_classes flow_stripes_along(int direction, int period); /* x_direction modulo period */
/* The sites of the block by class, in ascending order: [period]. */
const lat_sites *flow_sites_of(flow_map *map, flow_classes classes);

/* The whole lattice of a map on every rank, and a map without steps on it that lives as long as this map. */
lat_status flow_whole_geometry(const flow_map *map, lat_geometry **geometry, lat_error *error);
flow_map *flow_map_whole(flow_map *map);
/* Copies all members of a field to one of the same lattice, whoever holds what.  Collective over the ranks of both. */
void flow_copy_members(const lat_field *from, lat_field *to);

/* How many numbers are between the gradients of two lanes; 0: they have one together.  Of the map whose sweep it is. */
int64_t flow_gradient_row(const flow_map *map);
/* gradient += what each lane has, partial[count][lanes]: the sum over the lanes, or to the row of each.  map: where partial was made. */
void flow_gradient_add(const flow_map *map, const void *partial, int64_t count, double *gradient);

/* Constants that all sites of a layer share: what their derivatives are summed with. */
typedef struct {
    int count;
    lat_sites share; /* those that this rank sums */
    void *partial;   /* [count][lanes] */
} flow_constants;

flow_constants flow_constants_create(const flow_map *map, int count);
void flow_constants_free(const flow_map *map, flow_constants *constants);
/* gradient[i] += the sum of component i of a field of the map's precision over a class of sites and all members, in an order that does not
 * depend on ranks: where the lattice is split each rank adds its share of the components, over all sites.  Collective. */
void flow_constants_add(flow_constants *constants, flow_map *map, const lat_field *cotangent, flow_classes classes,
                        int class, double *gradient);

/* A map without steps on another geometry, for the layers inside a layer of this one: workspaces are its own, the memory to
 * keep things in is what is left of this map's.  Free with flow_map_free. */
flow_map *flow_map_within(const flow_map *map, const lat_geometry *geometry);

/* Where kernels count links whose inverse they do not find; flow_map_failed looks.  To be asked for in a layout. */
int64_t *flow_unsolved(const flow_map *map);

/* The kernels of the map's backend and precision; those on links, of its model's group as well. */
const flow_kernels *flow_kernels_of(const flow_map *map);
const flow_coupling_kernels *flow_coupling_kernels_of(const flow_map *map);
const flow_blocking_kernels *flow_blocking_kernels_of(const flow_map *map);
const flow_stout_kernels *flow_stout_kernels_of(const flow_map *map);
const flow_masked_stout_kernels *flow_masked_stout_kernels_of(const flow_map *map);
/* Has the group kernels of plaquette couplings?  Words of a stout step; 0: it has none. */
bool flow_coupling_of_group(lat_group group);
int flow_stout_words(lat_group group);
lat_range flow_range(const flow_map *map, const lat_sites *sites);

#endif
