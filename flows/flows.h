/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flows.h: the public contract of the flows floor: gauge-equivariant invertible maps of gauge fields with known Jacobian.
 *
 * A model is a list of layers with their parameters and nothing that depends on a volume.  A map is a model laid out on
 * a geometry: masks, halos, workspaces.  U = F(V); V is distributed as the prior (Haar measure), U approximately as
 * exp(-S).  log det is log |dU/dV| with respect to Haar measure, so log q(U) = log r(V) - log det, log r = 0.
 *
 * Cotangents are algebra fields: the component (x, mu, a) of the cotangent of a function L of the links is the left
 * derivative d^a_{x,mu} L.
 */
#ifndef FLOWS_H
#define FLOWS_H

#include "lattice/lattice.h"

typedef struct flow_model flow_model;
typedef struct flow_map flow_map;
typedef struct flow_layer flow_layer;
typedef struct flow_step flow_step;

/* ------------------------------------------------------------------------------------------------- layers (layers/) */

/* Which links a layer changes: U_mu(x) with x_nu = shift modulo period. */
typedef struct {
    int mu, nu, shift, period;
} flow_turn;

/* The table of a kind of layer.  A flow_layer holds hyper-parameters only; a flow_step is a layer laid out on a geometry
 * (masks, lists of sites) and shares the workspace of its map.  parameters points to the layer's own block, where kernels find it.
 * forward, inverse, backward and push are collective over the geometry. */
typedef struct {
    const char *name;
    /* Reads the hyper-parameters; `repeat` copies are made, each with the next turn (flow_turn_at). */
    flow_layer *(*create)(lat_settings *settings, lat_group group, int dim, flow_turn turn, lat_error *error);
    void (*free)(flow_layer *layer);
    int64_t (*parameters)(const flow_layer *layer);
    /* Initial values, near the identity, drawn from random with step = index of the layer. */
    void (*initialise)(const flow_layer *layer, const lat_random *random, double *parameters);

    /* On a lattice that its masks do not suit a layer says so in error, or lays out less. */
    flow_step *(*layout)(const flow_layer *layer, flow_map *map, lat_error *error);
    void (*free_step)(flow_step *step);
    /* u <- f(u); density(x) += this site's share of log |det df/du|. */
    void (*forward)(flow_step *step, const double *parameters, lat_field *u, lat_field *density);
    /* u <- f^-1(u); density(x) += the same log |det df/du| (of the forward map), so that forward and inverse agree. */
    /* As forward, and keeps for backward what memory allows; NULL: there is nothing to keep. */
    void (*record)(flow_step *step, const double *parameters, lat_field *u, lat_field *density);
    void (*inverse)(flow_step *step, const double *parameters, lat_field *u, lat_field *density);
    /* Reverse sweep.  In: u = f(v) and the cotangent of u of L(u) + weight[lane] * log det.  Out: u = v and the cotangent
     * of v.  weight and gradient are where kernels find them.  gradient, unless NULL: [parameters], receives the sum over all lanes and sites of this rank of the
     * derivative of L + weight * log det with respect to the parameters. */
    void (*backward)(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, const double *weight, double *gradient);
    /* As record, and cotangent <- J^-T (cotangent - d log det / du): if it was the gradient of log q at u, it is the
     * gradient of log q at f(u). */
    void (*push)(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density);
    /* NULL, if the density at a site is log |det| of the block of the Jacobian that belongs to the links of this site.
     * Otherwise forward ends with such steps: these are they, for audits; NULL: on this lattice it does not. */
    const struct flow_steps *(*parts)(flow_step *step, const double **parameters);
} flow_layer_table;

struct flow_layer {
    const flow_layer_table *table;
    int period; /* extents of lattices, and of the blocks of lanes where split, must be multiples of this */
    int halo;   /* width that it needs where the lattice is split */
};
struct flow_step { const flow_layer *layer; flow_map *map; };

extern const flow_layer_table flow_layer_plaquette_coupling, flow_layer_multiscale;

/* Layers one after another, and where the parameters of each begin. */
typedef struct {
    int layers;
    flow_layer **layer;
    int64_t *first; /* [layers + 1] */
    int64_t parameter_count;
    int period, halo; /* the largest of the layers' */
} flow_stack;

/* ----------------------------------------------------------------------------------------------- models (model.c) */

struct flow_model {
    lat_group group;
    int dim;
    flow_stack stack;
    double *parameters;   /* [stack.parameter_count] */
    uint64_t version;     /* whoever changes the parameters raises it: packed copies are made anew */
    char *description;    /* the group `flow` in libconfig syntax: enough to build the model again */
    char *action;         /* the list `action` it was trained for, libconfig syntax; "" if none */
    char sha256[65];      /* of the parameters, hexadecimal, of the file it was read from; "" if none */
    double training_core_seconds;
};

/* From the group `flow` of a configuration; the parameters are initialised from the seed. */
lat_status flow_model_create(lat_settings *flow, lat_group group, int dim, uint64_t seed, flow_model **model, lat_error *error);
void flow_model_free(flow_model *model);
/* SHA-256 of the parameters (little-endian doubles) as 64 hexadecimal digits. */
void flow_model_hash(const flow_model *model, char sha256[65]);

/* ------------------------------------------------------------------------------------------------- model files (file.c) */

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

/* Collective.  training may be NULL.  Reading refuses (LAT_FORMAT) wrong sizes, NaN, unknown layers, wrong hash. */
lat_status flow_model_write(MPI_Comm comm, const char *path, const flow_model *model, const flow_training *training, lat_error *error);
lat_status flow_model_read(MPI_Comm comm, const char *path, flow_model **model, flow_training *training, lat_error *error);
void flow_training_free(flow_training *training);

/* --------------------------------------------------------------------------------------------------- maps (map.c) */

struct flow_map {
    const flow_model *model;
    const lat_geometry *geometry;
    lat_precision precision;
    struct flow_steps *steps;
    struct flow_workspace *work; /* scratch fields shared by the layers */
    double *parameters;          /* the model's, if kernels do not find them there; of `version` */
    uint64_t version;
    int64_t memory;              /* bytes that layers may still take to keep what they computed */
    bool recorded;               /* the last call was flow_record or flow_push: backward finds what its layers kept */
};

/* LAT_CONFIG where the lattice does not suit the model (group, dimension, period).  Fields given to the map have the
 * map's precision; densities are double with one component. */
lat_status flow_map_create(const flow_model *model, const lat_geometry *geometry, lat_precision precision, flow_map **map, lat_error *error);
void flow_map_free(flow_map *map);
/* The parameters of the model where kernels find them: the model's own, or a copy which is made anew when the model's version has
 * changed. */
double *flow_map_parameters(flow_map *map);
/* A scratch field of the map, shared by its layers: slots keep their contents only within one call of a layer. */
lat_field *flow_scratch(flow_map *map, int slot, int components, lat_precision precision);

void flow_forward(flow_map *map, lat_gauge *u, lat_field *density);
/* The same, and keeps what flow_backward would have to compute again, for as many layers as fit into a fixed amount of
 * memory.  The next flow_backward of this map, if no other call comes between, must be given this very u. */
void flow_record(flow_map *map, lat_gauge *u, lat_field *density);
void flow_inverse(flow_map *map, lat_gauge *u, lat_field *density);
/* As in the table, through all layers; gradient: [stack.parameter_count] where kernels find it, or NULL. */
void flow_backward(flow_map *map, lat_gauge *u, lat_field *cotangent, const double *weight, double *gradient);
/* flow_record and the transport of a cotangent in one sweep. */
void flow_push(flow_map *map, lat_gauge *u, lat_field *cotangent, lat_field *density);

/* ------------------------------------------------------------------------------------- pulled-back actions (pullback.c) */

/* S_F(V) = S(F(V)) - log |det dF/dV|.  Neither the map nor the action is owned. */
lat_action *flow_pullback(flow_map *map, lat_action *action);

/* ---------------------------------------------------------------------------------- samples of a model (sampler.c) */

/* Draws samples of the model, as many at once as the geometry of the map has members. */
typedef struct {
    flow_map *map;
    lat_action *action;
    lat_gauge *u;
    lat_field *cotangent, *density;
} flow_sampler;

/* Neither the map nor the action is owned. */
flow_sampler *flow_sampler_create(flow_map *map, lat_action *action);
void flow_sampler_free(flow_sampler *sampler);
/* Draws V from the prior (random.member + member of the lane) and maps it: sampler->u = U, log_q[members],
 * action[members].  Halo of u not filled.  Collective over the geometry of the map. */
void flow_sample(flow_sampler *sampler, const lat_random *random, double *log_q, double *action);
/* The same by flow_record, for a reverse sweep that follows. */
void flow_sample_record(flow_sampler *sampler, const lat_random *random, double *log_q, double *action);
/* The same by flow_push, with d log q / dU in sampler->cotangent. */
void flow_sample_push(flow_sampler *sampler, const lat_random *random, double *log_q, double *action);

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

/* --------------------------------------------------------- training (objective.c optimiser.c ensemble.c trainer.c) */

extern const char *const flow_objective_names[]; /* "reparametrise", "path", "reinforce", "forward", NULL */
extern const char *const flow_schedule_names[];  /* "constant", "cosine", "step", NULL */
typedef enum { FLOW_CONSTANT, FLOW_COSINE, FLOW_STEP_DECAY } flow_schedule;

/* The group `train` of a configuration. */
typedef struct {
    int objective; /* index into flow_objective_names */
    int64_t steps, batch;
    uint64_t seed;
    double learning_rate;
    flow_schedule schedule; /* cosine: to zero at the last step; step: times decay_factor every decay_steps steps */
    int64_t warm_up;        /* the rate rises linearly over so many steps */
    int64_t decay_steps;
    double decay_factor;
    double clip; /* a longer gradient is cut to this length; 0: never */
    double anneal_start; /* the action is multiplied by a factor that rises linearly from here to 1 */
    int64_t anneal_steps;
    int64_t evaluate_every, evaluate_samples, final_samples, checkpoint_every;
    const char **ensemble; /* files of stored configurations, for the objective "forward" */
    int64_t ensemble_count;
} flow_train_settings;

/* The strings live as long as the settings; release with flow_train_release. */
lat_status flow_train_read(lat_settings *train, flow_train_settings *settings, lat_error *error);
void flow_train_release(flow_train_settings *settings);
/* Learning rate of a step, counted from 0. */
double flow_learning_rate(const flow_train_settings *settings, int64_t step);

/* Trains a model data-parallel: the batch is cut in chunks of one vector of lanes, chunk c belongs to rank c modulo ranks,
 * random numbers are keyed by (seed, step, site, direction, number in the batch), and sums do not depend on the order.
 * So the parameters after a step are a function of the settings and of the parameters before, bit by bit, on any number of
 * ranks. */
typedef struct flow_trainer flow_trainer;

/* Collective over comm.  Changes the parameters and training_core_seconds of the model; action and training stay the
 * caller's.  A training of {0} begins anew; one that was read from a model file is continued.  shape: extents of the
 * lattice; ranks, lanes and members are ignored.  LAT_CONFIG if the batch is no multiple of the chunk, or the lattice does
 * not suit the model. */
lat_status flow_trainer_create(MPI_Comm comm, flow_model *model, lat_action *action, const lat_shape *shape, lat_precision precision,
                               const flow_train_settings *settings, flow_training *training, flow_trainer **trainer, lat_error *error);
void flow_trainer_free(flow_trainer *trainer);
/* Samples of a chunk: one vector of lanes on the host, more on a device. */
int flow_trainer_lanes(const lat_shape *shape, lat_precision precision, int64_t batch);

typedef struct {
    double loss, gradient_norm, learning_rate;
    bool dropped; /* loss or gradient was not finite: parameters and moments are as before */
} flow_progress;

/* Loss of the batch of the present step (mean of S + log q; forward: of -log q) and, unless NULL, its gradient
 * [stack.parameter_count].  Collective; the same on all ranks. */
double flow_trainer_gradient(flow_trainer *trainer, double *gradient);
/* One step of the optimiser.  LAT_NUMERICAL after 100 dropped steps in a row.  Collective. */
lat_status flow_trainer_step(flow_trainer *trainer, flow_progress *progress, lat_error *error);
/* Fresh samples, keyed by the present step and apart from those of the training; their number is rounded up to whole
 * chunks.  Without annealing.  Collective. */
flow_evaluation flow_trainer_evaluate(flow_trainer *trainer, int64_t samples);
/* Brings parameters and moments to the model and the training, as they must be before these are read or written; on the host
 * they are there. */
void flow_trainer_settle(flow_trainer *trainer);
/* Appends a row to the history: the evaluation beside what the last step said. */
void flow_trainer_record(flow_trainer *trainer, const flow_evaluation *evaluation, const flow_progress *progress);

#endif
