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

/* What kernels need to know of a geometry. */
typedef struct lat_tables {
    const int64_t *up[4], *down[4];
    const int64_t *global_site; /* [sites][lanes] */
    const int64_t *lane_member; /* [lanes] */
    const int64_t *site_place, *lane_place; /* only on devices: their sum is the place of a number in site order on this rank */
    int64_t size[4];            /* global extents */
    int dim, lanes;
} lat_tables;

#endif
