/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * range.h: what every kernel of every precision is told: where to run and which site is whose neighbour.
 */
#ifndef RANGE_H
#define RANGE_H

#include <stdint.h>

/* What a device is asked to do is done in order in each of two queues: the main one, and that of messages. */
typedef enum { LAT_MAIN, LAT_SIDE, LAT_STREAMS } lat_stream;

/* Which sites a kernel runs over: site[0 ... count-1], or 0 ... count-1 where site is NULL; and in which queue. */
typedef struct {
    int64_t count;
    const int64_t *site;
    int lanes;
    lat_stream stream;
} lat_range;

/* Paths of three links that pass below a link of a later site, left for it by the site where they turn: direction nu has
 * slots for as many sites as there are from x to x + nu, so that a site finds in its own slot what x - nu left. */
typedef struct lat_paths {
    int64_t sites;    /* of the block */
    int64_t slots[4]; /* 0: nothing is kept in this direction */
    int64_t *site[4]; /* [slots][vectors of lanes]: who left the paths that are there; -1: nobody */
    void *path[4];    /* [slots][vectors of lanes][dim - 1] links */
} lat_paths;

/* What kernels need to know of a geometry. */
typedef struct lat_tables {
    const int64_t *up[4], *down[4];
    const int64_t *site_index, *lane_index; /* [sites], [lanes]: their sum is the index in the whole lattice, x fastest */
    const int64_t *lane_member; /* [lanes] */
    const int64_t *site_place, *lane_place; /* only on devices: their sum is the place of a number in site order on this rank */
    int64_t size[4];            /* global extents */
    int64_t sites;              /* of the block; those of the halo follow */
    int dim, lanes;
    const lat_paths *paths; /* where kernels may keep them; NULL: nowhere */
} lat_tables;

/* What travels to a halo in place of a component: that, plus factor times the one that is so many further. */
typedef struct {
    int further, factor;
} lat_halo_pair;

/* What a kernel does for one site and lane: arithmetic operations as its formula has them, an elementary function counting as one;
 * and bytes, those of every number that it reads or writes, counted once; not of those that all sites share, as the weights of a network. */
typedef struct {
    double flops, bytes;
} lat_cost;

/* Of a table of kernels: a kernel, and its cost for a site and lane, which only the tables of the host have. */
#define LAT_KERNEL_POINTER(name) void (*name)(const name##_args *args, const lat_range *range); lat_cost (*name##_cost)(const name##_args *args);

#endif
