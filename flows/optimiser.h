/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * optimiser.h: the gradient of a batch from its parts, Adam, and steps along natural gradients.
 */
#ifndef FLOWS_OPTIMISER_H
#define FLOWS_OPTIMISER_H

#include "flows/map.h"
#include "flows/natural_gradient.h"

/* Parameters, moments and gradients of a model, where the kernels of a map find them. */
typedef struct flow_optimiser flow_optimiser;

/* moments: [2][parameters], to go on with, and on the host in place.  rows: parts of the gradient on this rank; parts: how many there
 * are in all.  A part may have rows on several ranks, if each of its numbers is on one of them, and zero on the others.  Everything
 * stays the caller's.  Collective, as are the gradient and nothing else. */
flow_optimiser *flow_optimiser_create(MPI_Comm comm, flow_model *model, flow_map *map, double *moments, int64_t rows, int64_t parts);
void flow_optimiser_free(flow_optimiser *optimiser);
/* The rows: flow_backward adds to one each.  They are the summands of the gradient on this rank. */
double *flow_optimiser_row(flow_optimiser *optimiser, int64_t row);
void flow_optimiser_clear(flow_optimiser *optimiser);
/* Gradient = sum of the rows of all ranks / batch, and its norm; NaN, and no gradient, if a row holds what is no number.
 * Independent of order and place; each term is rounded once, by at most n 2^-61 of the largest of all, n the number of parts. */
double flow_optimiser_gradient(flow_optimiser *optimiser, int64_t batch);
void flow_optimiser_read_gradient(const flow_optimiser *optimiser, double *gradient);
/* Step t = 1, 2, ... of Adam with factor * gradient. */
void flow_optimiser_step(flow_optimiser *optimiser, double factor, int64_t t, double learning_rate);
/* A step of natural gradient (natural_gradient.h), where the rows are scores: finds it, and returns the standard deviation of the change
 * of log q, or NaN; and takes rate times it.  scores: all but the rows, which are copied, is the caller's to set. */
double flow_optimiser_natural(flow_optimiser *optimiser, flow_scores *scores);
void flow_optimiser_descend(flow_optimiser *optimiser, double rate);
/* Brings parameters and moments to the host, where a device holds them. */
void flow_optimiser_settle(flow_optimiser *optimiser, double *moments);

#endif
