/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training.h: what the files of the training share.
 */
#ifndef TRAINING_H
#define TRAINING_H

#include "flows/flows.h"

/* -------------------------------------------------------------------------------------- stored samples (ensemble.c) */

/* Configurations in site order, as lat_field_gather gives them; the same on all ranks. */
typedef struct {
    int64_t count, reals;
    double *values; /* [count][reals] */
} flow_ensemble;

/* Collective over comm. */
lat_status flow_ensemble_read(MPI_Comm comm, const lat_shape *shape, lat_group group, const char *const *files,
                              int64_t count, flow_ensemble **ensemble, lat_error *error);
void flow_ensemble_free(flow_ensemble *ensemble);

/* ----------------------------------------------------------------------------------------- objectives (objective.c) */

/* A part of a batch, as many samples as the geometry of the map has members, and all of them on one rank. */
typedef struct {
    flow_sampler *sampler;
    lat_random random;             /* member: number in the batch of the first sample */
    double factor;                 /* of the action */
    double *log_q, *action;        /* [members] */
    double *weight;                /* [lanes]: scratch */
    const flow_ensemble *ensemble; /* NULL: the samples are the model's own */
} flow_chunk;

/* The table of an objective.  draw fills log_q and action (unless `stored`) and leaves the samples in the sampler for
 * gradient, which writes the sum over the members of the gradient of the loss.  With `baseline`, gradient is called
 * after all chunks have been drawn, and makes its samples again. */
typedef struct {
    const char *name;
    bool stored;   /* trained on an ensemble: the loss is -log q, not S + log q */
    bool baseline; /* needs advantage[members]: loss of each sample minus the mean loss of all others */
    void (*draw)(flow_chunk *chunk);
    void (*gradient)(flow_chunk *chunk, const double *advantage, double *gradient);
} flow_objective;

const flow_objective *flow_objective_at(int index);

/* ------------------------------------------------------------------------------------------ optimiser (optimiser.c) */

/* Parameters, moments and gradients of a model, where the kernels of a map find them. */
typedef struct flow_optimiser flow_optimiser;

/* moments: [2][parameters], to go on with, and on the host in place.  rows: parts of the gradient on this rank.  Everything
 * stays the caller's.  Collective, as are the gradient and nothing else. */
flow_optimiser *flow_optimiser_create(MPI_Comm comm, flow_model *model, flow_map *map, double *moments, int64_t rows);
void flow_optimiser_free(flow_optimiser *optimiser);
/* The rows: flow_backward adds to one each.  They are the summands of the gradient on this rank. */
double *flow_optimiser_row(flow_optimiser *optimiser, int64_t row);
void flow_optimiser_clear(flow_optimiser *optimiser);
/* Gradient = sum of the rows of all ranks / batch, and its norm; NaN, and no gradient, if a row holds what is no number.
 * Independent of order and place; each term is rounded once, by at most n 2^-61 of the largest of all, n the number of rows. */
double flow_optimiser_gradient(flow_optimiser *optimiser, int64_t batch);
void flow_optimiser_read_gradient(const flow_optimiser *optimiser, double *gradient);
/* Step t = 1, 2, ... of Adam with factor * gradient. */
void flow_optimiser_step(flow_optimiser *optimiser, double factor, int64_t t, double learning_rate);
/* Brings parameters and moments to the host, where a device holds them. */
void flow_optimiser_settle(flow_optimiser *optimiser, double *moments);

#endif
