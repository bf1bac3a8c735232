/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * state.h: the state of a Markov chain, which updates are handed: independent configurations (replicas) as members of one gauge field.
 * Several states may exist side by side.
 */
#ifndef HMC_STATE_H
#define HMC_STATE_H

#include "hmc/ladder.h"

typedef struct {
    lat_gauge *gauge;  /* double; members = replicas, or the rungs of their ladders */
    mc_ladder *ladder; /* NULL: all members are of the lattice that is wanted, and have its boundary */
    lat_action *action;
    lat_field *density; /* scratch: one double component */
    uint64_t seed;
    uint64_t step; /* steps done */
    bool counts;   /* what is done now counts in the reports of updates: thermalisation is over */
    bool random;   /* the links are those of a random start, which nothing has changed yet */
} mc_state;

/* A state of unit links at step 0, which frees the ladder (NULL: there is none); the action stays the caller's.  NULL boundary: periodic.
 * Collective. */
mc_state *mc_state_create(const lat_geometry *geometry, lat_group group, const lat_boundary *boundary,
                          mc_ladder *ladder, lat_action *action, uint64_t seed);
void mc_state_free(mc_state *state); /* NULL is allowed */
const lat_geometry *mc_lattice(const mc_state *state); /* of its gauge field */
int mc_members(const mc_state *state);
int mc_replicas(const mc_state *state); /* independent chains: of members, or of ladders */
/* A random stream of this state at its present step. */
lat_random mc_random(const mc_state *state, lat_purpose purpose, int update);

#endif
