/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * state.h: the state of a Markov chain, which updates are handed: independent configurations (replicas) as members of one gauge field.
 * Several states may exist side by side.
 */
#ifndef HMC_STATE_H
#define HMC_STATE_H

#include "lattice/lattice.h"

typedef struct {
    lat_gauge *gauge; /* double; members = replicas */
    lat_action *action;
    lat_field *density; /* scratch: one double component */
    uint64_t seed;
    uint64_t step; /* steps done */
    bool counts;   /* what is done now counts in the reports of updates: thermalisation is over */
    bool random;   /* the links are those of a random start, which nothing has changed yet */
} mc_state;

/* A state of unit links at step 0; the action stays the caller's.  NULL boundary: periodic.  Collective. */
mc_state *mc_state_create(const lat_geometry *geometry, lat_group group, const lat_boundary *boundary, lat_action *action, uint64_t seed);
void mc_state_free(mc_state *state); /* NULL is allowed */
const lat_geometry *mc_lattice(const mc_state *state); /* of its gauge field */
int mc_replicas(const mc_state *state);
/* A random stream of this state at its present step. */
lat_random mc_random(const mc_state *state, lat_purpose purpose, int update);

#endif
