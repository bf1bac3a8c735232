/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fthmc.c: field-transformation HMC, M. Luescher, arXiv:0907.5491: plain HMC for V = F^-1(U) under the pulled-back action.
 */
#include "hmc/updates/dynamics.h"
#include "hmc/updates/proposals.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    mc_update base;
    const char *name;
    flow_model *model;
    lat_geometry *geometry; /* cut as the chain's, with the halo and the blocks that the model needs */
    flow_map *map;
    lat_action *action; /* pulled back */
    lat_field *v, *u, *density;
    mc_dynamics dynamics;
} fthmc;

static void release(mc_update *update)
{
    fthmc *f = (fthmc *)update;
    mc_dynamics_free(&f->dynamics);
    lat_field_free(f->v);
    lat_field_free(f->u);
    lat_field_free(f->density);
    lat_action_free(f->action);
    flow_map_free(f->map);
    lat_geometry_free(f->geometry);
    flow_model_free(f->model);
    free(f->base.state);
    free(f);
}

static lat_status set_up(fthmc *f, lat_settings *settings, lat_error *error)
{
    mc_chain *chain = f->base.chain;
    const lat_geometry *g = chain->geometry;
    if (mc_model_read(chain, f->name, &f->model, error)) return error->status;
    lat_shape shape = {.dim = g->dim, .members = chain->replicas, .period = f->model->stack.period, .halo = mc_flow_halo(chain, f->model), .corners = g->dim,
                       .backend = g->backend};
    memcpy(shape.size, g->size, sizeof shape.size);
    memcpy(shape.ranks, g->ranks, sizeof shape.ranks);
    if (lat_geometry_create(g->comm, &shape, &f->geometry, error)) return error->status;
    if (flow_map_create(f->model, f->geometry, LAT_DOUBLE, &f->map, error)) return error->status;
    f->action = flow_pullback(f->map, chain->action);
    f->v = lat_field_gauge(f->geometry, chain->group, LAT_DOUBLE);
    f->u = lat_field_gauge(f->geometry, chain->group, LAT_DOUBLE);
    f->density = lat_field_create(f->geometry, 1, LAT_DOUBLE);
    return mc_dynamics_create(settings, f->geometry, chain->group, 1, &f->dynamics, error);
}

static mc_update *create(lat_settings *settings, mc_chain *chain, int index, lat_error *error)
{
    fthmc *f = lat_alloc(1, sizeof *f);
    f->base = (mc_update){.table = &mc_update_fthmc, .chain = chain, .index = index, .state_count = MC_DYNAMICS_STATES};
    f->base.state = lat_alloc(MC_DYNAMICS_STATES, sizeof *f->base.state);
    f->name = lat_settings_string(settings, "model", NULL, error);
    if (!error->status && set_up(f, settings, error) == LAT_DONE) return &f->base;
    release(&f->base);
    return NULL;
}

/* Between the chain's field and one of ours: both cut the lattice alike, so each rank moves its own part. */
static void move_members(const lat_field *from, lat_field *to, const bool *choose)
{
    const lat_geometry *g = from->geometry;
    if (lat_same_sites(from->geometry, to->geometry)) {
        int *member = lat_alloc(g->members, sizeof *member);
        for (int m = 0; m < g->members; m++) member[m] = choose && !choose[m] ? -1 : m;
        lat_field_take_members(to, from, member);
        free(member);
        return;
    }
    double *part = lat_alloc(g->volume / g->rank_count * from->components, sizeof *part);
    for (int m = 0; m < g->members; m++) {
        if (choose && !choose[m]) continue;
        lat_field_get_local(from, m, part);
        lat_field_set_local(to, m, part);
    }
    free(part);
}

/* Rejected replicas keep their links to the last bit; only accepted ones go through the map. */
static lat_status step(mc_update *update, lat_error *error)
{
    fthmc *f = (fthmc *)update;
    mc_chain *chain = update->chain;
    move_members(chain->links, f->v, NULL);
    flow_inverse(f->map, f->v, f->density);
    if (mc_dynamics_step(update, &f->dynamics, f->action, f->v, error)) return error->status;
    lat_field_copy(f->u, f->v);
    flow_forward(f->map, f->u, f->density);
    move_members(f->u, chain->links, f->dynamics.accepted);
    chain->links_id++;
    return LAT_DONE;
}

static void report(const mc_update *update, json_t *object)
{
    const fthmc *f = (const fthmc *)update;
    mc_dynamics_report(update, &f->dynamics, object);
    mc_model_report(f->model, f->name, object);
}

const mc_update_table mc_update_fthmc = {"fthmc", create, step, report, release};
