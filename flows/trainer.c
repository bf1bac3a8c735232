/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trainer.c: steps of the training, over groups of ranks, and over the ranks of a group.
 *
 * A chunk of the batch is one vector of lanes.  Its lattices are split over the ranks of one group; which group does not matter,
 * because its random numbers are keyed by the number of the sample in the batch, its gradient is a sum of its own, and the
 * gradients of all chunks are added in an order-independent way.  Nor does the number of ranks in a group: net_gradient.c.
 */
#include "lattice/grid/kernels.h"
#include "flows/objective.h"
#include "flows/optimiser.h"
#include "flows/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FAILURES = 100, MOST_FILES = 1 << 20 };

/* Streams of random numbers within a step. */
enum { STREAM_TRAIN, STREAM_EVALUATE };

struct flow_trainer {
    MPI_Comm comm, group_comm;
    int ranks, group, groups;
    flow_model *model;
    flow_training *training;
    flow_train_settings settings;
    const flow_objective *objective;
    lat_geometry *geometry; /* of one chunk */
    flow_map *map;
    flow_ensemble *ensemble;
    flow_chunk chunk;
    double *log_q, *action;   /* [batch] */
    double *loss, *advantage; /* [batch] */
    flow_optimiser *optimiser;
    int failures; /* dropped steps in a row */
};

/* --------------------------------------------------------------------------------------------------------- settings */

static void read_ensemble(lat_settings *train, flow_train_settings *settings, lat_error *error)
{
    settings->ensemble = lat_alloc(MOST_FILES, sizeof *settings->ensemble);
    settings->ensemble_count = lat_settings_strings(train, "ensemble", settings->ensemble, -1, MOST_FILES, error);
    if (!error->status && settings->ensemble_count == 0)
        lat_settings_fail(train, "ensemble", error, "no files: name the stored configurations to train on");
}

lat_status flow_train_read(lat_settings *train, flow_train_settings *settings, lat_error *error)
{
    const int64_t most = INT64_C(1) << 40;
    const int objective = lat_settings_choice(train, "objective", "path", flow_objective_names, error);
    const bool scores = flow_objective_at(objective)->scores;
    *settings = (flow_train_settings){
        .objective = objective,
        .steps = lat_settings_int(train, "steps", 10000, 0, most, error),
        .batch = lat_settings_int(train, "batch", 64, 1, 1 << 24, error),
        .seed = (uint64_t)lat_settings_int(train, "seed", 1, 0, INT64_MAX, error),
        /* A whole step by default, of which Adam would know nothing. */
        .learning_rate = lat_settings_real(train, "learning_rate", scores ? 1 : 1e-3, 0, 1e3, error),
        .schedule = (flow_schedule)lat_settings_choice(train, "schedule", "constant", flow_schedule_names, error),
        .warm_up = lat_settings_int(train, "warm_up", 0, 0, most, error),
        .clip = lat_settings_real(train, "clip", 0, 0, 1e300, error),
        .evaluate_every = lat_settings_int(train, "evaluate_every", 100, 1, most, error),
        .evaluate_samples = lat_settings_int(train, "evaluate_samples", 1024, 1, 1 << 30, error),
        .final_samples = lat_settings_int(train, "final_samples", 100000, 1, 1 << 30, error),
        .checkpoint_every = lat_settings_int(train, "checkpoint_every", 1000, 1, most, error),
        .anneal_start = 1,
        .decay_steps = 1,
        .decay_factor = 1,
    };
    if (scores) settings->damping = lat_settings_real(train, "damping", 1e-3, 0, 1e300, error);
    if (settings->schedule == FLOW_STEP_DECAY) {
        settings->decay_steps = lat_settings_int(train, "decay_steps", 1000, 1, most, error);
        settings->decay_factor = lat_settings_real(train, "decay_factor", 0.5, 0, 1, error);
    }
    if (lat_settings_has(train, "anneal")) {
        lat_settings *anneal = lat_settings_group(train, "anneal", error);
        settings->anneal_start = lat_settings_real(anneal, "start", 0, 0, 1, error);
        settings->anneal_steps = lat_settings_int(anneal, "steps", settings->steps / 2, 0, most, error);
    }
    if (flow_objective_at(settings->objective)->stored) read_ensemble(train, settings, error);
    return error->status;
}

void flow_train_release(flow_train_settings *settings)
{
    free(settings->ensemble);
    settings->ensemble = NULL;
}

/* --------------------------------------------------------------------------------------------- setting up a trainer */

/* A GPU has room for more, but gains nothing from ever more: as many as divide the batch, so that chunks do not depend on
 * ranks. */
int flow_trainer_lanes(const lat_shape *shape, lat_precision precision, int64_t batch)
{
    enum { ENOUGH = 1024 };
    int vector = lat_backend_lanes(shape->backend, precision), lanes = vector;
    if (!shape->backend || shape->backend->on_host) return vector;
    for (int more = vector; more <= ENOUGH; more += vector)
        if (batch % more == 0) lanes = more;
    return lanes;
}

int64_t flow_trainer_rows(const flow_train_settings *settings, int64_t lanes)
{
    return flow_objective_at(settings->objective)->scores ? lanes : 1;
}

static lat_status check_action(const lat_action *action, lat_precision precision, lat_error *error)
{
    if (action->auxiliary)
        return lat_fail(error, LAT_CONFIG, "action: training knows actions without auxiliary fields alone: use a determinant, or leave quarks out");
    if (action->quarks && precision == LAT_FLOAT)
        return lat_fail(error, LAT_CONFIG, "precision: training in float knows actions without quarks alone: use double");
    return LAT_DONE;
}

/* The ranks are cut in groups of as many as the lattice is split over. */
static lat_status make_groups(flow_trainer *t, const lat_shape *shape, lat_error *error)
{
    int rank, size = 1;
    MPI_Comm_rank(t->comm, &rank);
    MPI_Comm_size(t->comm, &t->ranks);
    for (int mu = 0; mu < shape->dim; mu++) size *= shape->ranks[mu] > 0 ? shape->ranks[mu] : 1;
    if (t->ranks % size)
        return lat_fail(error, LAT_CONFIG,
                        "lattice.ranks: a lattice split over %d ranks does not fit a run on %d: choose numbers whose "
                        "product divides it", size, t->ranks);
    t->groups = t->ranks / size;
    t->group = rank / size;
    MPI_Comm_split(t->comm, t->group, rank, &t->group_comm);
    return LAT_DONE;
}

/* One member in every lane. */
static lat_shape chunk_shape(const flow_trainer *t, const lat_shape *shape, const lat_action *action, lat_precision precision)
{
    lat_shape chunk = {
        .dim = shape->dim,
        .lane_grid = {1, 1, 1, 1},
        .halo = t->model->stack.halo,
        .corners = shape->dim,
        .precision = precision,
        .backend = shape->backend,
    };
    lat_action_shape(action, &chunk);
    chunk.members = flow_trainer_lanes(shape, chunk.precision, t->settings.batch);
    for (int mu = 0; mu < shape->dim; mu++) {
        chunk.size[mu] = shape->size[mu];
        chunk.ranks[mu] = shape->ranks[mu] > 0 ? shape->ranks[mu] : 1;
    }
    return chunk;
}

static lat_status check_batch(const flow_trainer *t, lat_error *error)
{
    int members = t->geometry->members;
    if (t->settings.batch % members == 0) return LAT_DONE;
    return lat_fail(error, LAT_CONFIG,
                    "train.batch: %lld is not a multiple of the vector length %d of this machine: use %lld",
                    (long long)t->settings.batch, members, (long long)((t->settings.batch / members + 1) * members));
}

static lat_status check_objective(const flow_objective *objective, const flow_model *model, lat_error *error)
{
    if (objective->scores && model->stack.parameter_count > FLOW_NATURAL_MOST)
        return lat_fail(error, LAT_CONFIG, "train.objective: \"%s\" solves for at most %d parameters, the model has %lld: use \"reinforce\"",
                        objective->name, FLOW_NATURAL_MOST, (long long)model->stack.parameter_count);
    if (!objective->push || !model->stack.without_push) return LAT_DONE;
    return lat_fail(error, LAT_CONFIG,
                    "train.objective: \"%s\" pushes derivatives of log q through the layers, which those of kind \"%s\" "
                    "cannot do: use \"reparametrise\"", objective->name, model->stack.without_push);
}

static void allocate(flow_trainer *t)
{
    int64_t batch = t->settings.batch, parameters = t->model->stack.parameter_count, chunks = batch / t->geometry->members;
    int64_t own = (chunks - t->group + t->groups - 1) / t->groups;
    t->log_q = lat_alloc(batch, sizeof *t->log_q);
    t->action = lat_alloc(batch, sizeof *t->action);
    t->loss = lat_alloc(batch, sizeof *t->loss);
    t->advantage = lat_alloc(batch, sizeof *t->advantage);
    t->chunk.weight = lat_alloc(t->geometry->lanes, sizeof *t->chunk.weight);
    if (!t->training->moments) t->training->moments = lat_alloc(2 * parameters, sizeof *t->training->moments);
    const int64_t rows = flow_trainer_rows(&t->settings, t->geometry->members);
    t->optimiser = flow_optimiser_create(t->comm, t->model, t->map, t->training->moments, own * rows, chunks * rows);
}

lat_status flow_trainer_create(MPI_Comm comm, flow_model *model, lat_action *action, const lat_shape *shape,
                               lat_precision precision, const flow_train_settings *settings, flow_training *training,
                               flow_trainer **trainer, lat_error *error)
{
    flow_trainer *t = lat_alloc(1, sizeof *t);
    *trainer = NULL;
    t->model = model;
    t->training = training;
    t->settings = *settings;
    t->objective = flow_objective_at(settings->objective);
    t->group_comm = MPI_COMM_NULL;
    MPI_Comm_dup(comm, &t->comm);
    if (check_action(action, precision, error) || make_groups(t, shape, error)) goto refused;
    lat_shape chunk = chunk_shape(t, shape, action, precision);
    if (lat_geometry_create(t->group_comm, &chunk, &t->geometry, error)) goto refused;
    if (flow_map_create(model, t->geometry, precision, &t->map, error)) goto refused;
    if (check_batch(t, error) || check_objective(t->objective, model, error)) goto refused;
    if (t->objective->stored && flow_ensemble_read(t->comm, shape, model->group, settings->ensemble,
                                                   settings->ensemble_count, &t->ensemble, error))
        goto refused;
    t->chunk.sampler = flow_sampler_create(t->map, action);
    t->chunk.ensemble = t->ensemble;
    allocate(t);
    *trainer = t;
    return LAT_DONE;
refused:
    flow_trainer_free(t);
    return error->status;
}

void flow_trainer_free(flow_trainer *t)
{
    if (!t) return;
    flow_optimiser_free(t->optimiser);
    flow_sampler_free(t->chunk.sampler);
    free(t->chunk.weight);
    flow_ensemble_free(t->ensemble);
    if (t->map) flow_map_free(t->map);
    if (t->geometry) lat_geometry_free(t->geometry);
    free(t->log_q);
    free(t->action);
    free(t->loss);
    free(t->advantage);
    if (t->group_comm != MPI_COMM_NULL) MPI_Comm_free(&t->group_comm);
    MPI_Comm_free(&t->comm);
    free(t);
}

/* ------------------------------------------------------------------------------------------------ loss and gradient */

static void select_chunk(flow_trainer *t, int64_t chunk, int stream, double *log_q, double *action)
{
    int64_t first = chunk * t->geometry->members;
    t->chunk.random = (lat_random){
        .seed = t->settings.seed,
        .purpose = LAT_RANDOM_PRIOR,
        .update = (uint32_t)stream,
        .step = (uint64_t)t->training->step,
        .member = (uint64_t)first,
    };
    t->chunk.log_q = log_q + first;
    t->chunk.action = action + first;
}

static double anneal_factor(const flow_train_settings *settings, int64_t step)
{
    if (step >= settings->anneal_steps) return 1;
    return settings->anneal_start + (1 - settings->anneal_start) * (double)step / (double)settings->anneal_steps;
}

/* t->loss of every sample of the batch, from what the chunks of all ranks have drawn. */
static double batch_loss(flow_trainer *t)
{
    int64_t batch = t->settings.batch, members = t->geometry->members;
    double sum = 0;
    memset(t->loss, 0, (size_t)batch * sizeof *t->loss);
    for (int64_t c = t->group; c < batch / members; c += t->groups)
        for (int64_t i = c * members; i < (c + 1) * members; i++)
            t->loss[i] = t->objective->stored ? -t->log_q[i] : t->log_q[i] + t->action[i];
    lat_join(t->comm, t->loss, batch);
    for (int64_t i = 0; i < batch; i++) sum += t->loss[i];
    for (int64_t i = 0; i < batch; i++)
        t->advantage[i] = (t->loss[i] - sum / (double)batch) * (double)batch / (double)(batch - 1);
    return sum / (double)batch;
}

/* Loss of the batch; and the parts of its gradient, if they are wanted, as rows of the optimiser. */
static double sweep_batch(flow_trainer *t, bool wanted)
{
    int64_t members = t->geometry->members, chunks = t->settings.batch / members, row = 0;
    const int64_t rows = flow_trainer_rows(&t->settings, members);
    const bool baseline = t->objective->baseline;
    t->chunk.factor = anneal_factor(&t->settings, t->training->step);
    if (wanted) flow_optimiser_clear(t->optimiser);
    for (int64_t c = t->group; c < chunks; c += t->groups) {
        select_chunk(t, c, STREAM_TRAIN, t->log_q, t->action);
        t->objective->draw(&t->chunk);
        if (wanted && !baseline) t->objective->gradient(&t->chunk, NULL, flow_optimiser_row(t->optimiser, rows * row++));
    }
    double loss = batch_loss(t);
    for (int64_t c = t->group; wanted && baseline && c < chunks; c += t->groups) {
        select_chunk(t, c, STREAM_TRAIN, t->log_q, t->action);
        t->objective->gradient(&t->chunk, t->advantage + c * members, flow_optimiser_row(t->optimiser, row++));
    }
    return loss;
}

/* Of the scores in the rows, and the deviations of their samples. */
static double natural_gradient(flow_trainer *t)
{
    int64_t members = t->geometry->members, chunks = t->settings.batch / members, row = 0;
    double *deviation = lat_alloc(t->settings.batch, sizeof *deviation);
    for (int64_t c = t->group; c < chunks; c += t->groups)
        for (int64_t m = 0; m < members; m++) deviation[row++] = t->advantage[c * members + m];
    flow_scores scores = {.comm = t->comm, .group_comm = t->group_comm, .rows = row, .samples = t->settings.batch,
                          .count = t->model->stack.parameter_count, .deviation = deviation, .damping = t->settings.damping};
    double length = flow_optimiser_natural(t->optimiser, &scores);
    free(deviation);
    return length;
}

/* The gradient, in the optimiser, and its norm; of scores the step, and its length. */
static double find_gradient(flow_trainer *t)
{
    return t->objective->scores ? natural_gradient(t) : flow_optimiser_gradient(t->optimiser, t->settings.batch);
}

static void descend(flow_trainer *t, double factor, double learning_rate)
{
    if (t->objective->scores)
        flow_optimiser_descend(t->optimiser, factor * learning_rate);
    else
        flow_optimiser_step(t->optimiser, factor, t->training->step - t->training->dropped, learning_rate);
}

double flow_trainer_gradient(flow_trainer *t, double *gradient)
{
    double loss = sweep_batch(t, gradient != NULL);
    if (!gradient) return loss;
    double norm = find_gradient(t);
    flow_optimiser_read_gradient(t->optimiser, gradient);
    for (int64_t i = 0; isnan(norm) && i < t->model->stack.parameter_count; i++) gradient[i] = NAN;
    return loss;
}

/* ----------------------------------------------------------------------------------------------------------- a step */

lat_status flow_trainer_step(flow_trainer *t, flow_progress *progress, lat_error *error)
{
    double start = MPI_Wtime();
    flow_training *training = t->training;
    int64_t step = training->step;
    double loss = sweep_batch(t, true), norm = find_gradient(t);
    flow_sampler_failed(t->chunk.sampler, error);
    if (lat_agree(t->comm, error)) return error->status;
    *progress = (flow_progress){loss, norm, flow_learning_rate(&t->settings, step), !isfinite(loss) || !isfinite(norm)};
    training->step++;
    if (progress->dropped) {
        training->dropped++;
        t->failures++;
    } else {
        double factor = t->settings.clip > 0 && norm > t->settings.clip ? t->settings.clip / norm : 1;
        descend(t, factor, progress->learning_rate);
        t->failures = 0;
    }
    t->model->training_core_seconds += (MPI_Wtime() - start) * t->ranks;
    if (t->failures < MOST_FAILURES) return LAT_DONE;
    return lat_fail(error, LAT_NUMERICAL,
                    "training: loss or gradient was not finite in %d steps in a row up to step %lld; the last good "
                    "parameters are kept: use a smaller learning_rate, or clip",
                    MOST_FAILURES, (long long)training->step);
}

void flow_trainer_settle(flow_trainer *t) { flow_optimiser_settle(t->optimiser, t->training->moments); }

/* ------------------------------------------------------------------------------------------- evaluation and history */

flow_evaluation flow_trainer_evaluate(flow_trainer *t, int64_t samples)
{
    int64_t members = t->geometry->members, chunks = (samples + members - 1) / members, total = chunks * members;
    double *log_q = lat_alloc(total, sizeof *log_q), *action = lat_alloc(total, sizeof *action);
    for (int64_t c = t->group; c < chunks; c += t->groups) {
        select_chunk(t, c, STREAM_EVALUATE, log_q, action);
        flow_sample(t->chunk.sampler, &t->chunk.random, t->chunk.log_q, t->chunk.action);
        for (int64_t i = c * members; i < (c + 1) * members; i++) action[i] = -action[i] - log_q[i];
    }
    lat_join(t->comm, action, total);
    flow_evaluation evaluation = flow_evaluate_weights(action, total);
    free(log_q);
    free(action);
    return evaluation;
}

void flow_trainer_record(flow_trainer *t, const flow_evaluation *evaluation, const flow_progress *progress)
{
    flow_training *training = t->training;
    double *history = lat_alloc((training->rows + 1) * FLOW_HISTORY_COLUMNS, sizeof *history);
    double row[FLOW_HISTORY_COLUMNS] = {
        (double)training->step,  evaluation->loss,        evaluation->ess,
        progress->gradient_norm, progress->learning_rate, t->model->training_core_seconds,
    };
    if (training->rows > 0) memcpy(history, training->history, (size_t)training->rows * sizeof row);
    memcpy(history + training->rows * FLOW_HISTORY_COLUMNS, row, sizeof row);
    free(training->history);
    training->history = history;
    training->rows++;
}
