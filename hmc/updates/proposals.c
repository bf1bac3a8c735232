/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * proposals.c: see proposals.h.
 */
#include "hmc/updates/proposals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- set-up */

lat_status mc_model_read(const mc_chain *chain, const char *name, flow_model **model, lat_error *error)
{
    MPI_Comm comm = chain->geometry->comm;
    if (chain->couplings)
        return lat_fail(error, LAT_CONFIG, "updates: %s: flows know periodic lattices alone: use hmc or heatbath", name);
    char *path = mc_find_file(chain->directory, "models", name);
    lat_status status = flow_model_read(comm, path ? path : name, model, NULL, error);
    free(path);
    if (status) return status;
    if ((*model)->group == chain->group && (*model)->dim == chain->geometry->dim) return LAT_DONE;
    lat_fail(error, LAT_CONFIG, "%s: the model is of %s in %d dimensions, the lattice of %s in %d: use another model", name,
             lat_group_names[(*model)->group], (*model)->dim, lat_group_names[chain->group], chain->geometry->dim);
    flow_model_free(*model);
    *model = NULL;
    return error->status;
}

/* The action is computed where the flow is. */
int mc_flow_halo(const mc_chain *chain, const flow_model *model)
{
    return chain->action->halo > model->stack.halo ? chain->action->halo : model->stack.halo;
}

void mc_model_report(const flow_model *model, const char *name, json_t *object)
{
    json_object_set_new(object, "model", json_pack("{s:s, s:s, s:f}", "file", name, "sha256", model->sha256, "training_core_seconds",
                                                   model->training_core_seconds));
}

static lat_status make_groups(mc_proposals *p, const int *ranks, lat_error *error)
{
    const lat_geometry *g = p->chain->geometry;
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

lat_status mc_proposals_create(mc_chain *chain, const char *model, const int *ranks, lat_precision precision, mc_proposals *p, lat_error *error)
{
    const lat_geometry *g = chain->geometry;
    *p = (mc_proposals){.chain = chain, .group_comm = MPI_COMM_NULL};
    if (mc_model_read(chain, model, &p->model, error) || make_groups(p, ranks, error)) goto failed;
    lat_shape shape = {.dim = g->dim, .members = lat_backend_lanes(g->backend, precision), .period = p->model->stack.period,
                       .halo = mc_flow_halo(chain, p->model),
                       .corners = g->dim, .precision = precision, .backend = g->backend};
    for (int mu = 0; mu < g->dim; mu++) {
        shape.size[mu] = g->size[mu];
        shape.ranks[mu] = ranks[mu] > 0 ? ranks[mu] : 1;
        shape.lane_grid[mu] = 1;
    }
    if (lat_geometry_create(p->group_comm, &shape, &p->geometry, error)) goto failed;
    if (flow_map_create(p->model, p->geometry, precision, &p->map, error)) goto failed;
    p->u = lat_field_gauge(p->geometry, chain->group, precision);
    p->links = lat_field_gauge(p->geometry, chain->group, LAT_DOUBLE);
    p->density = lat_field_create(p->geometry, 1, LAT_DOUBLE);
    return LAT_DONE;
failed:
    mc_proposals_free(p);
    return error->status;
}

void mc_proposals_free(mc_proposals *p)
{
    lat_field_free(p->u);
    lat_field_free(p->links);
    lat_field_free(p->density);
    flow_map_free(p->map);
    lat_geometry_free(p->geometry);
    flow_model_free(p->model);
    if (p->group_comm != MPI_COMM_NULL) MPI_Comm_free(&p->group_comm);
    *p = (mc_proposals){.group_comm = MPI_COMM_NULL};
}

/* --------------------------------------------------------------------------------------------------------- weights */

/* log_weight -= the sum of the action density of `links` */
static void subtract_action(mc_proposals *p, double *log_weight)
{
    double *action = lat_alloc(p->geometry->members, sizeof *action);
    lat_field_zero(p->density);
    p->chain->action->table->value(p->chain->action, p->links, p->density);
    lat_sum(p->density, action);
    for (int m = 0; m < p->geometry->members; m++) log_weight[m] -= action[m];
    free(action);
}

void mc_proposals_draw(mc_proposals *p, int update, uint64_t first, double *log_weight, lat_field *v)
{
    lat_random random = {.seed = p->chain->seed, .purpose = LAT_RANDOM_PRIOR, .update = (uint32_t)update, .member = first};
    lat_field_haar(p->u, p->chain->group, &random);
    if (v) lat_field_copy(v, p->u);
    lat_field_zero(p->density);
    flow_forward(p->map, p->u, p->density);
    lat_sum(p->density, log_weight);
    lat_field_copy(p->links, p->u);
    subtract_action(p, log_weight);
}

void mc_proposals_weigh(mc_proposals *p, double *log_weight, lat_field *v)
{
    lat_field_copy(p->u, p->links);
    lat_field_zero(p->density);
    flow_inverse(p->map, p->u, p->density);
    if (v) lat_field_copy(v, p->u);
    lat_sum(p->density, log_weight);
    subtract_action(p, log_weight);
}

/* ---------------------------------------------------------------------------------------------------------- moving */

/* If group and chain cut the lattice alike, each rank already holds its part. */
static bool same_cut(const mc_proposals *p)
{
    return p->groups == 1 && memcmp(p->geometry->ranks, p->chain->geometry->ranks, sizeof p->geometry->ranks) == 0;
}

static void broadcast(double *values, int64_t count, int root, MPI_Comm comm)
{
    enum { SLICE = 1 << 20 };
    for (int64_t i = 0; i < count; i += SLICE) MPI_Bcast(values + i, (int)(count - i < SLICE ? count - i : SLICE), MPI_DOUBLE, root, comm);
}

static void move_part(mc_proposals *p, const lat_field *links, int member, int replica)
{
    const lat_geometry *g = p->chain->geometry;
    double *part = lat_alloc(g->volume / g->rank_count * links->components, sizeof *part);
    lat_field_get_local(links, member, part);
    lat_field_set_local(p->chain->links, replica, part);
    free(part);
}

static void move_whole(mc_proposals *p, int group, const lat_field *links, int member, int replica)
{
    const lat_geometry *g = p->chain->geometry;
    int64_t reals = g->volume * p->chain->links->components;
    double *whole = lat_alloc(reals, sizeof *whole);
    if (p->group == group) lat_field_gather(links, member, whole);
    broadcast(whole, reals, group * (g->rank_count / p->groups), g->comm);
    lat_field_scatter(p->chain->links, replica, whole);
    free(whole);
}

void mc_proposals_to_chain(mc_proposals *p, int group, const lat_field *links, const int *member)
{
    bool same = same_cut(p);
    if (same && lat_same_sites(p->geometry, p->chain->geometry)) {
        lat_field_take_members(p->chain->links, links, member);
        return;
    }
    for (int r = 0; r < p->chain->replicas; r++) {
        if (member[r] < 0) continue;
        if (same)
            move_part(p, links, member[r], r);
        else
            move_whole(p, group, links, member[r], r);
    }
}

void mc_proposals_from_chain(mc_proposals *p, int replica, int member)
{
    const lat_geometry *g = p->chain->geometry;
    const lat_field *links = p->chain->links;
    bool same = same_cut(p);
    if (same && lat_same_sites(p->geometry, g)) {
        int *from = lat_alloc(p->geometry->members, sizeof *from);
        for (int m = 0; m < p->geometry->members; m++) from[m] = m == member ? replica : -1;
        lat_field_take_members(p->links, links, from);
        free(from);
        return;
    }
    double *values = lat_alloc((same ? g->volume / g->rank_count : g->volume) * links->components, sizeof *values);
    if (same) {
        lat_field_get_local(links, replica, values);
        lat_field_set_local(p->links, member, values);
    } else {
        lat_field_gather(links, replica, values);
        lat_field_scatter(p->links, member, values);
    }
    free(values);
}
