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
    free(h->base.state);
    free(h);
}

static mc_update *create(lat_settings *settings, mc_chain *chain, int index, lat_error *error)
{
    hmc *h = lat_alloc(1, sizeof *h);
    h->base = (mc_update){.table = &mc_update_hmc, .chain = chain, .index = index, .state_count = MC_DYNAMICS_STATES};
    h->base.state = lat_alloc(MC_DYNAMICS_STATES, sizeof *h->base.state);
    int levels = lat_action_levels(chain->action);
    if (mc_dynamics_create(settings, chain->geometry, chain->group, levels, &h->dynamics, error) == LAT_DONE)
        return &h->base;
    release(&h->base);
    return NULL;
}

static lat_status step(mc_update *update, lat_error *error)
{
    mc_chain *chain = update->chain;
    lat_status status = mc_dynamics_step(update, &((hmc *)update)->dynamics, chain->action, chain->links, error);
    chain->links_id++;
    return status;
}

static void report(const mc_update *update, json_t *object)
{
    mc_dynamics_report(update, &((const hmc *)update)->dynamics, object);
}

const mc_update_table mc_update_hmc = {"hmc", create, step, report, release};
