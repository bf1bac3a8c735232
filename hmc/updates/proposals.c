/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * proposals.c: see proposals.h.
 */
#include "hmc/updates/proposals.h"

#include "hmc/find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- set-up */

lat_status mc_model_read(const mc_context *context, const char *name, flow_model **model, lat_error *error)
{
    const mc_state *state = context->state;
    MPI_Comm comm = mc_lattice(state)->comm;
    if (state->gauge->couplings)
        return lat_fail(error, LAT_CONFIG, "updates: %s: flows know periodic lattices alone: use hmc or heatbath", name);
    char *path;
    if (mc_find_needed(comm, context->directory, "models", name, &path, error)) return error->status;
    lat_status status = flow_model_read(comm, path, context->layers, model, NULL, error);
    free(path);
    if (status) return status;
    if ((*model)->group == state->gauge->group && (*model)->dim == mc_lattice(state)->dim) return LAT_DONE;
    lat_fail(error, LAT_CONFIG, "%s: the model is of %s in %d dimensions, the lattice of %s in %d: use another model", name,
             lat_group_names[(*model)->group], (*model)->dim, lat_group_names[state->gauge->group], mc_lattice(state)->dim);
    flow_model_free(*model);
    *model = NULL;
    return error->status;
}

void mc_model_report(const flow_model *model, const char *name, json_t *object)
{
    json_object_set_new(object, "model", json_pack("{s:s, s:s, s:s, s:f}", "file", name, "sha256", model->sha256, "action", model->action,
                                                   "training_core_seconds", model->training_core_seconds));
}

static lat_status make_groups(mc_proposals *p, const lat_geometry *g, const int *ranks, lat_error *error)
{
    int size = 1;
    for (int mu = 0; mu < g->dim; mu++) size *= ranks[mu] > 0 ? ranks[mu] : 1;
    if (g->rank_count % size)
        return lat_fail(error, LAT_CONFIG, "updates: a proposal on %d ranks does not fit a run on %d: choose ranks whose product divides it", size,
                        g->rank_count);
    p->groups = g->rank_count / size;
    p->group = g->rank / size;
    MPI_Comm_split(g->comm, p->group, g->rank, &p->group_comm);
    return LAT_DONE;
}

lat_status mc_proposals_create(const mc_context *context, const char *model, const int *ranks, mc_proposals *p, lat_error *error)
{
    const mc_state *state = context->state;
    const lat_precision precision = context->precision;
    const lat_geometry *g = mc_lattice(state);
    *p = (mc_proposals){.action = state->action, .group_comm = MPI_COMM_NULL};
    if (mc_model_read(context, model, &p->model, error) || make_groups(p, g, ranks, error)) goto failed;
    lat_shape shape = {.dim = g->dim, .period = p->model->stack.period, .halo = p->model->stack.halo, .corners = g->dim, .precision = precision,
                       .backend = g->backend};
    lat_action_shape(state->action, &shape); /* the action is computed where the flow is */
    shape.members = lat_backend_lanes(g->backend, shape.precision);
    for (int mu = 0; mu < g->dim; mu++) {
        shape.size[mu] = g->size[mu];
        shape.ranks[mu] = ranks[mu] > 0 ? ranks[mu] : 1;
        shape.lane_grid[mu] = 1;
    }
    if (lat_geometry_create(p->group_comm, &shape, &p->geometry, error)) goto failed;
    if (flow_map_create(p->model, p->geometry, precision, &p->map, error)) goto failed;
    p->u = lat_gauge_create(p->geometry, state->gauge->group, precision);
    p->gauge = lat_gauge_create(p->geometry, state->gauge->group, LAT_DOUBLE);
    p->density = lat_field_create(p->geometry, 1, LAT_DOUBLE);
    return LAT_DONE;
failed:
    mc_proposals_free(p);
    return error->status;
}

void mc_proposals_free(mc_proposals *p)
{
    lat_gauge_free(p->u);
    lat_gauge_free(p->gauge);
    lat_field_free(p->density);
    flow_map_free(p->map);
    lat_geometry_free(p->geometry);
    flow_model_free(p->model);
    if (p->group_comm != MPI_COMM_NULL) MPI_Comm_free(&p->group_comm);
    *p = (mc_proposals){.group_comm = MPI_COMM_NULL};
}

/* --------------------------------------------------------------------------------------------------------- weights */

/* to += factor * the sum of the action of `gauge` */
static void add_action(mc_proposals *p, double factor, double *to)
{
    double *action = lat_alloc(p->geometry->members, sizeof *action);
    lat_field_zero(p->density);
    lat_action_sum(p->action, p->gauge, p->density, action);
    for (int m = 0; m < p->geometry->members; m++) to[m] += factor * action[m];
    free(action);
}

lat_status mc_proposals_draw(mc_proposals *p, uint64_t seed, int update, uint64_t first, double *log_weight, lat_gauge *v, lat_error *error)
{
    lat_random random = {.seed = seed, .purpose = LAT_RANDOM_PRIOR, .update = (uint32_t)update, .member = first};
    lat_gauge_haar(p->u, &random);
    if (v) lat_gauge_copy(v, p->u);
    lat_field_zero(p->density);
    flow_forward(p->map, p->u, p->density);
    lat_sum(p->density, log_weight);
    lat_gauge_copy(p->gauge, p->u);
    add_action(p, -1, log_weight);
    return lat_action_failed(p->action, error);
}

lat_status mc_proposals_weigh(mc_proposals *p, double *log_weight, lat_gauge *v, lat_error *error)
{
    lat_gauge_copy(p->u, p->gauge);
    lat_field_zero(p->density);
    flow_inverse(p->map, p->u, p->density);
    if (v) lat_gauge_copy(v, p->u);
    lat_sum(p->density, log_weight);
    add_action(p, -1, log_weight);
    flow_map_failed(p->map, error);
    lat_action_failed(p->action, error);
    return error->status;
}

void mc_proposals_log_det(mc_proposals *p, const double *log_weight, double *log_det)
{
    for (int m = 0; m < p->geometry->members; m++) log_det[m] = log_weight[m];
    add_action(p, 1, log_det);
}

/* ---------------------------------------------------------------------------------------------------------- moving */

static void broadcast(double *values, int64_t count, int root, MPI_Comm comm)
{
    enum { SLICE = 1 << 20 };
    for (int64_t i = 0; i < count; i += SLICE) MPI_Bcast(values + i, (int)(count - i < SLICE ? count - i : SLICE), MPI_DOUBLE, root, comm);
}

static void move_whole(mc_proposals *p, mc_state *state, int group, const lat_field *links, int member, int replica)
{
    const lat_geometry *g = mc_lattice(state);
    int64_t reals = g->volume * state->gauge->links->components;
    double *whole = lat_alloc(reals, sizeof *whole);
    if (p->group == group) lat_field_gather(links, member, whole);
    broadcast(whole, reals, group * (g->rank_count / p->groups), g->comm);
    lat_field_scatter(state->gauge->links, replica, whole);
    free(whole);
}

void mc_proposals_to_chain(mc_proposals *p, mc_state *state, int group, const lat_gauge *from, const int *member)
{
    const lat_field *links = from ? from->links : NULL;
    lat_gauge_changed(state->gauge);
    if (p->groups == 1) {
        lat_field_take_members(state->gauge->links, links, member);
        return;
    }
    for (int r = 0; r < mc_replicas(state); r++)
        if (member[r] >= 0) move_whole(p, state, group, links, member[r], r);
}

void mc_proposals_from_chain(mc_proposals *p, const mc_state *state, int replica, int member)
{
    int *from = lat_alloc(p->geometry->members, sizeof *from);
    for (int m = 0; m < p->geometry->members; m++) from[m] = m == member ? replica : -1;
    lat_gauge_changed(p->gauge);
    lat_field_take_members(p->gauge->links, state->gauge->links, from);
    free(from);
}
