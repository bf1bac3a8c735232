/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sampler.h: samples of a model, and what their weights say of it.
 */
#ifndef FLOWS_SAMPLER_H
#define FLOWS_SAMPLER_H

#include "flows/map.h"

/* Draws samples of the model, as many at once as the geometry of the map has members. */
typedef struct {
    flow_map *map;
    lat_action *action;
    lat_gauge *u;
    lat_field *cotangent, *density;
} flow_sampler;

/* Neither the map nor the action is owned.  What goes wrong in either is left there: see flow_sampler_failed. */
flow_sampler *flow_sampler_create(flow_map *map, lat_action *action);
void flow_sampler_free(flow_sampler *sampler);
/* Draws V from the prior (random.member + member of the lane) and maps it: sampler->u = U, log_q[members],
 * action[members].  Halo of u not filled.  Collective over the geometry of the map. */
void flow_sample(flow_sampler *sampler, const lat_random *random, double *log_q, double *action);
/* The same by flow_record, for a reverse sweep that follows. */
void flow_sample_record(flow_sampler *sampler, const lat_random *random, double *log_q, double *action);
/* The same by flow_push, with d log q / dU in sampler->cotangent. */
void flow_sample_push(flow_sampler *sampler, const lat_random *random, double *log_q, double *action);
/* The failure left in the map or in the action, its status; clears both. */
lat_status flow_sampler_failed(flow_sampler *sampler, lat_error *error);

/* What n log weights w = -S - log q say of a model. */
typedef struct {
    int64_t samples;
    double loss;               /* mean of S + log q, an upper bound of -ln Z */
    double spread;             /* standard deviation of w */
    double ess;                /* (sum e^w)^2 / (n sum e^2w) */
    double acceptance;         /* expected, of independence Metropolis in equilibrium */
    double log_z, log_z_error; /* ln of the mean of e^w */
} flow_evaluation;

/* NaN everywhere if a weight is not finite.  Sorts the weights. */
flow_evaluation flow_evaluate_weights(double *log_weight, int64_t samples);

#endif
