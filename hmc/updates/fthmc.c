/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fthmc.c: field-transformation HMC, M. Luescher, arXiv:0907.5491: plain HMC for V = F^-1(U) under the pulled-back action.
 */
#include "hmc/updates/audit.h"
#include "hmc/updates/dynamics.h"
#include "hmc/updates/proposals.h"

#include <stdlib.h>
#include <string.h>

/* Memory: what its dynamics keep, then the figures of the audit of the flow. */
enum { AUDIT = MC_DYNAMICS_STATES, STATES = AUDIT + MC_AUDIT_STATES };

typedef struct {
    mc_update base;
    const char *name;
    flow_model *model;
    lat_geometry *geometry; /* cut as the chain's, with the halo and the blocks that the model needs */
    flow_map *map;
    lat_action *action; /* pulled back */
    lat_gauge *v, *u;
    lat_field *density;
    mc_dynamics dynamics;
    mc_auditor auditor;
    bool begun; /* this process has done a step */
} fthmc;

static void release(mc_update *update)
{
    fthmc *f = (fthmc *)update;
    mc_dynamics_free(&f->dynamics);
    mc_auditor_free(&f->auditor);
    lat_gauge_free(f->v);
    lat_gauge_free(f->u);
    lat_field_free(f->density);
    lat_action_free(f->action);
    flow_map_free(f->map);
    lat_geometry_free(f->geometry);
    flow_model_free(f->model);
    free(f->base.memory);
    free(f);
}

static lat_status set_up(fthmc *f, lat_settings *settings, const mc_context *context, lat_error *error)
{
    const mc_state *state = context->state;
    const lat_geometry *g = mc_lattice(state);
    if (mc_model_read(context, f->name, &f->model, error)) return error->status;
    lat_shape shape = {.dim = g->dim, .members = g->members, .period = f->model->stack.period, .halo = f->model->stack.halo, .corners = g->dim,
                       .backend = g->backend};
    lat_action_shape(state->action, &shape); /* the action is computed where the flow is */
    memcpy(shape.size, g->size, sizeof shape.size);
    memcpy(shape.ranks, g->ranks, sizeof shape.ranks);
    if (lat_geometry_create(g->comm, &shape, &f->geometry, error)) return error->status;
    if (flow_map_create(f->model, f->geometry, LAT_DOUBLE, &f->map, error)) return error->status;
    if (mc_auditor_create(f->map, &f->auditor, error)) return error->status;
    f->action = flow_pullback(f->map, state->action);
    f->v = lat_gauge_create(f->geometry, state->gauge->group, LAT_DOUBLE);
    f->u = lat_gauge_create(f->geometry, state->gauge->group, LAT_DOUBLE);
    f->density = lat_field_create(f->geometry, 1, LAT_DOUBLE);
    return mc_dynamics_create(settings, f->geometry, f->action, &f->dynamics, error);
}

static mc_update *create(lat_settings *settings, const mc_context *context, int index, lat_error *error)
{
    fthmc *f = lat_alloc(1, sizeof *f);
    f->base = (mc_update){.table = &mc_update_fthmc, .index = index, .memory_count = STATES};
    f->base.memory = lat_alloc(STATES, sizeof *f->base.memory);
    f->name = lat_settings_string(settings, "model", NULL, error);
    if (!error->status && set_up(f, settings, context, error) == LAT_DONE) {
        mc_dynamics_show(&f->dynamics, &f->base);
        return &f->base;
    }
    release(&f->base);
    return NULL;
}

/* Between the chain's field and one of ours. */
static void move_members(const lat_field *from, lat_field *to, const bool *choose)
{
    const lat_geometry *g = from->geometry;
    int *member = lat_alloc(g->members, sizeof *member);
    for (int m = 0; m < g->members; m++) member[m] = choose && !choose[m] ? -1 : m;
    lat_field_take_members(to, from, member);
    free(member);
}

/* The flow at the links that the trajectory begins from.  What is found only because a run was resumed does not count: a run that was
 * not resumed reports the same. */
static lat_status audit(fthmc *f, const mc_state *state, lat_error *error)
{
    mc_deviation worst[MC_CHECKS] = {{0}};
    double *log_det = lat_alloc(f->geometry->members, sizeof *log_det);
    lat_random random = mc_random(state, LAT_RANDOM_AUDIT, f->base.index);
    lat_gauge_copy(f->u, f->v);
    lat_field_zero(f->density);
    flow_forward(f->map, f->u, f->density);
    lat_sum(f->density, log_det);
    if (mc_dynamics_audited(state, f->base.index)) {
        mc_audit(&f->auditor, &random, state->step == 0, f->v, f->u, log_det, worst, error);
        mc_audit_record(worst, 1, f->base.memory + AUDIT);
    }
    if (!f->begun && state->step > 0) mc_audit(&f->auditor, &random, true, f->v, f->u, log_det, worst, error);
    free(log_det);
    return error->status ? error->status : mc_audit_verdict(worst, error);
}

/* Rejected replicas keep their links to the last bit; only accepted ones go through the map. */
static lat_status step(mc_update *update, mc_state *state, lat_error *error)
{
    fthmc *f = (fthmc *)update;
    move_members(state->gauge->links, f->v->links, NULL);
    flow_inverse(f->map, f->v, f->density);
    if (flow_map_failed(f->map, error)) return error->status;
    if ((!f->begun || mc_dynamics_audited(state, update->index)) && audit(f, state, error)) return error->status;
    f->begun = true;
    if (mc_dynamics_step(update, &f->dynamics, state, f->action, f->v, error)) return error->status;
    lat_gauge_copy(f->u, f->v);
    flow_forward(f->map, f->u, f->density);
    move_members(f->u->links, state->gauge->links, f->dynamics.accepted);
    lat_gauge_changed(state->gauge);
    return LAT_DONE;
}

static void report(const mc_update *update, json_t *object)
{
    const fthmc *f = (const fthmc *)update;
    mc_dynamics_report(update, &f->dynamics, object);
    mc_audit_report(update->memory + AUDIT, object);
    mc_model_report(f->model, f->name, object);
}

const mc_update_table mc_update_fthmc = {"fthmc", create, step, report, release};
