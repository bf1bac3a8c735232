/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * range.h: what every kernel of every precision is told: where to run and which site is whose neighbour.
 */
#ifndef RANGE_H
#define RANGE_H

#include <stdint.h>

/* Which sites a kernel runs over: site[0 ... count-1], or 0 ... count-1 where site is NULL. */
typedef struct {
    int64_t count;
    const int64_t *site;
    int lanes;
} lat_range;

/* What kernels need to know of a geometry. */
typedef struct {
    const int64_t *up[4], *down[4];
    const int64_t *global_site; /* [sites][lanes] */
    const int64_t *lane_member; /* [lanes] */
    int64_t size[4];            /* global extents */
    int dim, lanes;
} lat_tables;

#endif
