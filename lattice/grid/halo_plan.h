/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo_plan.h: which site and lane of the halo is a copy of which, and on which rank.
 */
#ifndef LAT_GRID_HALO_PLAN_H
#define LAT_GRID_HALO_PLAN_H

#include "lattice/grid/halo.h"

/* A region of the halo.  Its pairs of a halo site and the site of the block that it copies are a stretch of the lists of
 * the plan. */
typedef struct {
    int offset[LAT_MAX_DIM];
    int64_t first_pair, sites, even; /* even: sites with an even sum of coordinates */
    int64_t first_halo, first_block;
    bool consecutive; /* the sites of the block follow each other, as those of the halo always do */
} halo_region;

/* What the lanes of a region receive by one message, or from this rank. */
typedef struct {
    const halo_region *region;
    int lanes;
    int *to, *from; /* [lanes]: lane of the halo site, lane of the block that owns it */
    int *origin;    /* [lanes of the geometry]: from, by lane of the halo site; -1 in lanes of other parts */
    bool whole;     /* all lanes are in this part */
    bool plain;     /* and each comes from the same lane next door */
    /* Where the message brings no more than its face, the rest is copied from there: lanes in place of origin, and sites of the
     * halo that hold the same.  NULL: the message brings this part. */
    int *late_lane;
    int64_t *late, *late_by_parity;
} halo_part;

typedef struct {
    int parts;
    halo_part *part;
    const halo_part *face;   /* of message c, the part at the offset o = c; NULL: no such message */
    int64_t values;          /* (site, lane) pairs in all parts */
    int source, destination; /* ranks */
} halo_message;

/* Lists are where kernels find them. */
typedef struct {
    int64_t *block;                             /* for the halo sites in ascending order */
    int64_t *halo_by_parity, *block_by_parity; /* the same pairs, in every region even sites first */
    halo_region region[LAT_REGIONS];
    halo_message message[LAT_REGIONS]; /* by the displacement c; LAT_BLOCK: from this rank */
} halo_plan;

const halo_plan *lat_halo_plan(const lat_geometry *geometry); /* kept there */

#endif
