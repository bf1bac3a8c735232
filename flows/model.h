/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model.h: models, and their files.
 *
 * A model is a list of layers with their parameters and nothing that depends on a volume.  U = F(V); V is distributed as the
 * prior (Haar measure), U approximately as exp(-S).  log det is log |dU/dV| with respect to Haar measure, so
 * log q(U) = log r(V) - log det, log r = 0.
 */
#ifndef FLOWS_MODEL_H
#define FLOWS_MODEL_H

#include "flows/stack.h"

typedef struct flow_model {
    lat_group group;
    int dim;
    flow_stack stack;
    double *parameters;   /* [stack.parameter_count] */
    uint64_t version;     /* whoever changes the parameters raises it: packed copies are made anew */
    char *description;    /* the group `flow` in libconfig syntax: enough to build the model again */
    char *action;         /* the list `action` it was trained for, libconfig syntax; "" if none */
    char sha256[65];      /* of the parameters, hexadecimal, of the file it was read from; "" if none */
    double training_core_seconds;
} flow_model;

/* From the group `flow` of a configuration, of layers of these kinds (and NULL); the parameters are initialised from the seed. */
lat_status flow_model_create(lat_settings *flow, const flow_layer_table *const *kinds, lat_group group, int dim, uint64_t seed,
                             flow_model **model, lat_error *error);
void flow_model_free(flow_model *model);
/* SHA-256 of the parameters (little-endian doubles) as 64 hexadecimal digits. */
void flow_model_hash(const flow_model *model, char sha256[65]);

/* State of the optimiser and history of a training, stored beside the parameters. */
typedef struct {
    int64_t step;               /* optimiser steps done */
    double *moments;            /* [2][stack.parameter_count]: first and second moment of Adam */
    int64_t dropped;            /* steps dropped because of NaN */
    int64_t rows;               /* history */
    double *history;            /* [rows][FLOW_HISTORY_COLUMNS] */
    char *config;               /* complete training configuration */
} flow_training;
enum { FLOW_HISTORY_COLUMNS = 6 }; /* step, loss, ess, gradient norm, learning rate, seconds */

/* Collective.  training may be NULL.  Reading refuses (LAT_FORMAT) wrong sizes, NaN, layers of other kinds than these, a wrong hash. */
lat_status flow_model_write(MPI_Comm comm, const char *path, const flow_model *model, const flow_training *training, lat_error *error);
/* The same for a model that takes the place of no other: LAT_CONFIG if by then there is one. */
lat_status flow_model_write_new(MPI_Comm comm, const char *path, const flow_model *model, const flow_training *training,
                                lat_error *error);
lat_status flow_model_read(MPI_Comm comm, const char *path, const flow_layer_table *const *kinds, flow_model **model,
                           flow_training *training, lat_error *error);
void flow_training_free(flow_training *training);

#endif
