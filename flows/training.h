/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training.h: what the files of the training share.
 */
#ifndef TRAINING_H
#define TRAINING_H

#include "flows.h"

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

double flow_norm(const double *vector, int64_t n);
/* Step t = 1, 2, ... of Adam. moments: [2][n]. */
void flow_adam(double *parameters, double *moments, const double *gradient, int64_t n, int64_t t, double learning_rate);

#endif
