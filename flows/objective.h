/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * objective.h: what training minimises.
 */
#ifndef FLOWS_OBJECTIVE_H
#define FLOWS_OBJECTIVE_H

#include "flows/ensemble.h"
#include "flows/sampler.h"

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
 * gradient, which adds the sum over the members of the gradient of the loss.  What goes wrong is left in the sampler.  With
 * `baseline`, gradient is called after all chunks have been drawn, and makes its samples again. */
typedef struct {
    const char *name;
    bool stored;   /* trained on an ensemble: the loss is -log q, not S + log q */
    bool push;     /* needs the push of every layer */
    bool scores;   /* gradient leaves the score of each member in a row, for a step of natural gradient: natural_gradient.h */
    bool baseline; /* needs advantage[members]: loss of each sample minus the mean loss of all others */
    void (*draw)(flow_chunk *chunk);
    void (*gradient)(flow_chunk *chunk, const double *advantage, double *gradient);
} flow_objective;

const flow_objective *flow_objective_at(int index);

#endif
