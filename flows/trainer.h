/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trainer.h: training a model.
 */
#ifndef FLOWS_TRAINER_H
#define FLOWS_TRAINER_H

#include "flows/sampler.h"

extern const char *const flow_objective_names[]; /* "reparametrise", "path", "reinforce", "forward", "variance", NULL */
extern const char *const flow_schedule_names[];  /* "constant", "cosine", "step", NULL */
typedef enum { FLOW_CONSTANT, FLOW_COSINE, FLOW_STEP_DECAY } flow_schedule;

/* The group `train` of a configuration. */
typedef struct {
    int objective; /* index into flow_objective_names */
    int64_t steps, batch;
    uint64_t seed;
    double learning_rate; /* of "variance": which part of the step is taken */
    double damping;       /* of "variance": natural_gradient.h */
    flow_schedule schedule; /* cosine: to zero at the last step; step: times decay_factor every decay_steps steps */
    int64_t warm_up;        /* the rate rises linearly over so many steps */
    int64_t decay_steps;
    double decay_factor;
    double clip; /* a longer gradient is cut to this length; 0: never.  Of "variance": the standard deviation of the change of log q */
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

/* Trains a model: the batch is cut in chunks of one vector of lanes, the ranks in groups over whose ranks the lattice is split, and
 * chunk c belongs to group c modulo groups.  Random numbers are keyed by (seed, step, site, direction, number in the batch), sums
 * over chunks do not depend on the order, and those over sites have one that does not depend on ranks.  So the parameters after a
 * step are a function of the settings and of the parameters before, bit by bit, on any number of ranks and any grid of them. */
typedef struct flow_trainer flow_trainer;

/* Collective over comm.  Changes the parameters and training_core_seconds of the model; action and training stay the
 * caller's.  A training of {0} begins anew; one that was read from a model file is continued.  shape: extents of the
 * lattice, and the grid of ranks that it is split over, zeros: 1; lanes and members are ignored.  LAT_CONFIG if the grid does not
 * fit the ranks or the lattice, if the batch is no multiple of the chunk, if the lattice does not suit the model, if the objective
 * needs what its layers do not have, if the action has auxiliary fields, or quarks and the precision is float. */
lat_status flow_trainer_create(MPI_Comm comm, flow_model *model, lat_action *action, const lat_shape *shape, lat_precision precision,
                               const flow_train_settings *settings, flow_training *training, flow_trainer **trainer, lat_error *error);
void flow_trainer_free(flow_trainer *trainer);
/* Samples of a chunk: one vector of lanes on the host, more on a device. */
int flow_trainer_lanes(const lat_shape *shape, lat_precision precision, int64_t batch);
/* Gradients that are kept of a chunk: one, or one for each sample. */
int64_t flow_trainer_rows(const flow_train_settings *settings, int64_t lanes);

typedef struct {
    double loss, gradient_norm, learning_rate;
    bool dropped; /* loss or gradient was not finite: parameters and moments are as before */
} flow_progress;

/* Loss of the batch of the present step (mean of S + log q; forward: of -log q) and, unless NULL, its gradient, of "variance" its step,
 * [stack.parameter_count].  Collective; the same on all ranks. */
double flow_trainer_gradient(flow_trainer *trainer, double *gradient);
/* One step of the optimiser.  LAT_NUMERICAL after 100 dropped steps in a row; fails, and changes nothing, where the flow or the action
 * does.  Collective. */
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
