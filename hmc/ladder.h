/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ladder.h: members of a gauge field that are of one lattice but for the coupling of its defect (lattice/gauge/boundary.h), for parallel
 * tempering in the boundary condition.
 */
#ifndef HMC_LADDER_H
#define HMC_LADDER_H

#include "lattice/lattice.h"

/* Each replica has a ladder, and on each of its rungs one member: replica * rungs + i, i = 0 ... rungs - 1, in any order.  Members change
 * rungs, their links stay where they are. */
typedef struct {
    int rungs, members;
    lat_boundary boundary;          /* of the lattice that is wanted: that of the first rung */
    double *coupling;               /* [rungs], descending from 1 */
    double acceptance; /* of swaps, which the couplings are to be found for; 0: they are those that were asked for */
    int *rung;                      /* [members] */
    int64_t (*origin)[LAT_MAX_DIM]; /* [members], of their defects */
} mc_ladder;

/* Member replica * rungs + i on rung i, the defects where the boundary has its own. */
mc_ladder *mc_ladder_create(const lat_boundary *boundary, const lat_rungs *rungs, int members);
void mc_ladder_free(mc_ladder *ladder); /* NULL is allowed */
/* The member on a rung of the ladder of a replica. */
int mc_ladder_member(const mc_ladder *ladder, int replica, int rung);
/* Gives all members the couplings of their rungs.  Collective. */
void mc_ladder_couple(const mc_ladder *ladder, lat_gauge *gauge);
/* Gives the defects of all members this coupling, which may be any number.  Collective. */
void mc_ladder_couple_alike(const mc_ladder *ladder, lat_gauge *gauge, double coupling);

/* The sites from which loops start that reach `reach` sites in each direction and hold links of a defect, of any member; lat_sites_free. */
lat_sites mc_ladder_sites(const mc_ladder *ladder, const lat_geometry *geometry, int reach);

/* In a checkpoint: `ladder_couplings` [rungs], `ladder_members` [members][5]: rung, and origin of the defect.  Collective. */
void mc_ladder_put(const mc_ladder *ladder, lat_h5 *file);
/* Its couplings alone, of a ladder of any length. */
void mc_ladder_get_rungs(lat_h5 *file, lat_rungs *rungs);
/* Refuses what is no ladder of as many rungs and members on this lattice; nothing is changed then. */
void mc_ladder_get(mc_ladder *ladder, const lat_geometry *geometry, lat_h5 *file);

#endif
