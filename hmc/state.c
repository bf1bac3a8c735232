/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * state.c: the state of a Markov chain.
 */
#include "hmc/state.h"

#include <stdlib.h>

mc_state *mc_state_create(const lat_geometry *geometry, lat_group group, const lat_boundary *boundary,
                          mc_ladder *ladder, lat_action *action, uint64_t seed)
{
    mc_state *state = lat_alloc(1, sizeof *state);
    *state = (mc_state){.action = action, .seed = seed, .ladder = ladder};
    state->gauge = lat_gauge_create(geometry, group, LAT_DOUBLE);
    if (ladder)
        mc_ladder_couple(ladder, state->gauge);
    else if (boundary)
        lat_gauge_couple(state->gauge, -1, boundary);
    state->density = lat_field_create(geometry, 1, LAT_DOUBLE);
    return state;
}

void mc_state_free(mc_state *state)
{
    if (!state) return;
    lat_gauge_free(state->gauge);
    mc_ladder_free(state->ladder);
    lat_field_free(state->density);
    free(state);
}

const lat_geometry *mc_lattice(const mc_state *state) { return state->gauge->links->geometry; }

int mc_members(const mc_state *state) { return mc_lattice(state)->members; }

int mc_replicas(const mc_state *state) { return mc_members(state) / (state->ladder ? state->ladder->rungs : 1); }

lat_random mc_random(const mc_state *state, lat_purpose purpose, int update)
{
    return (lat_random){.seed = state->seed, .purpose = purpose, .update = (uint32_t)update, .step = state->step};
}
