/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sweep.c: sweeps through the lattice, link by link.
 */
#include "hmc/updates/sweep.h"

#include <math.h>
#include <stdlib.h>

static void check_state(lat_settings *settings, const mc_state *state, const char *name, lat_error *error)
{
    if (!lat_kernels_of(state->gauge->links, state->gauge->group)->heatbath)
        lat_settings_fail(settings, "kind", error, "%s does not know %s: use hmc", name, lat_group_names[state->gauge->group]);
    if (isnan(lat_action_beta(state->action)))
        lat_settings_fail(settings, "kind", error, "%s knows the Wilson action alone: use hmc for others", name);
    for (int mu = 0; mu < mc_lattice(state)->dim; mu++)
        if (mc_lattice(state)->size[mu] % 2)
            lat_settings_fail(settings, "kind", error,
                              "%s needs even extents, and direction %d has %lld sites: use hmc", name, mu,
                              (long long)mc_lattice(state)->size[mu]);
}

mc_update *mc_sweep_create(const mc_update_table *table, mc_sweep_kernel *update_links, lat_settings *settings,
                           const mc_context *context, int index, lat_error *error)
{
    const mc_state *state = context->state;
    enum { MOST_SWEEPS = (1 << (31 - MC_SWEEP_SHIFT)) - 1 };
    int count = (int)lat_settings_int(settings, "count", 1, 1, MOST_SWEEPS, error);
    check_state(settings, state, table->name, error);
    if (error->status) return NULL;
    const lat_geometry *g = mc_lattice(state);
    mc_sweep *sweep = lat_alloc(1, sizeof *sweep);
    sweep->base = (mc_update){.table = table, .index = index};
    sweep->update_links = update_links;
    sweep->geometry = g;
    sweep->count = count;
    for (int parity = 0; parity < 2; parity++) {
        sweep->inner[parity] = lat_sites_common(g, &g->parity[parity], &g->inner);
        sweep->outer[parity] = lat_sites_common(g, &g->parity[parity], &g->outer);
    }
    return &sweep->base;
}

lat_status mc_sweep_step(mc_update *update, mc_state *state, lat_error *error)
{
    (void)error;
    mc_sweep *sweep = (mc_sweep *)update;
    int dim = mc_lattice(state)->dim;
    for (int part = 0; part < 2 * dim * sweep->count; part++) {
        int mu = part / 2 % dim, round = part / 2 / dim, parity = part % 2;
        int last_mu = (part + 2 * dim - 1) / 2 % dim, last_parity = 1 - parity;
        lat_range inner = lat_range_of(mc_lattice(state), &sweep->inner[parity]);
        lat_range outer = lat_range_of(mc_lattice(state), &sweep->outer[parity]);
        /* The whole halo once, then only the links that the part before changed. */
        lat_halo_choice choice = {0};
        if (part > 0) choice = lat_halo_links(last_mu, last_parity);
        lat_exchange *exchange = lat_halo_start(state->gauge->links, choice);
        sweep->update_links(sweep, state, &inner, mu, round);
        lat_halo_finish(exchange);
        sweep->update_links(sweep, state, &outer, mu, round);
    }
    lat_gauge_changed(state->gauge);
    return LAT_DONE;
}

void mc_sweep_report(const mc_update *update, json_t *object)
{
    json_object_set_new(object, "sweeps_per_step", json_integer(((const mc_sweep *)update)->count));
}

void mc_sweep_free(mc_update *update)
{
    mc_sweep *sweep = (mc_sweep *)update;
    for (int parity = 0; parity < 2; parity++) {
        lat_sites_free(sweep->geometry, &sweep->inner[parity]);
        lat_sites_free(sweep->geometry, &sweep->outer[parity]);
    }
    free(sweep);
}
