/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hmc.c: Hybrid Monte Carlo of the action of the chain.
 */
#include "hmc/updates/dynamics.h"

#include <stdlib.h>

typedef struct {
    mc_update base;
    mc_dynamics dynamics;
} hmc;

static void release(mc_update *update)
{
    hmc *h = (hmc *)update;
    mc_dynamics_free(&h->dynamics);
    free(h->base.memory);
    free(h);
}

static mc_update *create(lat_settings *settings, const mc_context *context, int index, lat_error *error)
{
    const mc_state *state = context->state;
    hmc *h = lat_alloc(1, sizeof *h);
    h->base = (mc_update){.table = &mc_update_hmc, .index = index, .memory_count = MC_DYNAMICS_STATES};
    h->base.memory = lat_alloc(MC_DYNAMICS_STATES, sizeof *h->base.memory);
    if (mc_dynamics_create(settings, mc_lattice(state), state->action, &h->dynamics, error) == LAT_DONE) {
        mc_dynamics_show(&h->dynamics, &h->base);
        return &h->base;
    }
    release(&h->base);
    return NULL;
}

static lat_status step(mc_update *update, mc_state *state, lat_error *error)
{
    return mc_dynamics_step(update, &((hmc *)update)->dynamics, state, state->action, state->gauge, error);
}

static void report(const mc_update *update, json_t *object)
{
    mc_dynamics_report(update, &((const hmc *)update)->dynamics, object);
}

const mc_update_table mc_update_hmc = {"hmc", create, step, report, release};
