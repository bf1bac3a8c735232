/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * proposals.h: a model at work beside a chain: it draws configurations in batches on lattices of its own, spread over
 * groups of ranks, and moves configurations between these and the chain.
 *
 * The ranks of the chain are cut in groups of equal size.  The ranks of a group share the lattices of its proposals, as the
 * given rank grid says; a group of one holds whole lattices, one member per lane.  What is drawn depends on the number of a
 * proposal alone.
 */
#ifndef PROPOSALS_H
#define PROPOSALS_H

#include "flows/flows.h"
#include "hmc/update.h"

typedef struct {
    lat_action *action; /* of the chain */
    flow_model *model;
    flow_map *map;
    MPI_Comm group_comm;
    int groups, group;         /* how many, and which is this rank's */
    lat_geometry *geometry;    /* of this group; members: configurations treated at once */
    lat_gauge *u;              /* of the map's precision */
    lat_gauge *gauge;          /* double */
    lat_field *density;
} mc_proposals;

/* ranks: grid of a group, zeros: one rank.  LAT_CONFIG if the groups do not fit the ranks of the chain or the model does not
 * fit the lattice.  Collective over the chain. */
lat_status mc_proposals_create(const mc_context *context, const char *model, const int *ranks, mc_proposals *proposals, lat_error *error);
void mc_proposals_free(mc_proposals *proposals);

/* Finds a model beside the configuration or where models are installed, reads it, and checks its group and dimension.
 * Collective. */
lat_status mc_model_read(const mc_context *context, const char *name, flow_model **model, lat_error *error);
/* Adds "model" to the report of an update: file, hash, cost of training. */
void mc_model_report(const flow_model *model, const char *name, json_t *object);

/* Draws the proposals numbered first ... first + members - 1 of stream `update` into `u` and `gauge`, with their log weights
 * -S - log q.  v, unless NULL, receives the prior's draw.  Fails where the action does.  Collective over the group. */
lat_status mc_proposals_draw(mc_proposals *proposals, uint64_t seed, int update, uint64_t first, double *log_weight, lat_gauge *v,
                             lat_error *error);
/* Log weights of the configurations in `gauge`, through the inverse.  v, unless NULL, receives F^-1.  Fails where a
 * layer cannot be inverted, or where the action does.  Collective over the group. */
lat_status mc_proposals_weigh(mc_proposals *proposals, double *log_weight, lat_gauge *v, lat_error *error);

/* log det, of proposals that were just drawn with these log weights. */
void mc_proposals_log_det(mc_proposals *proposals, const double *log_weight, double *log_det);

/* Copies configurations from a field of a group, for which ranks of other groups give NULL, to the chain: replica r becomes
 * member[r], and stays as it is where that is negative; or one configuration of the chain into `gauge` of the proposals of
 * every group.  Collective over the chain. */
void mc_proposals_to_chain(mc_proposals *proposals, mc_state *state, int group, const lat_gauge *from, const int *member);
void mc_proposals_from_chain(mc_proposals *proposals, const mc_state *state, int replica, int member);

#endif
