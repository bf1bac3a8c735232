/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Time of a training step and of 1000 samples, double precision: 16 plaquette couplings with networks of 2-8-8-3
 * channels and 3x3 kernels, mixtures of two tangents, batch 64, Wilson action at beta = 2.  The best of many
 * short repetitions is printed, in milliseconds of processor time, so that other work on the machine disturbs it
 * little.
 */
#include "flows/flows.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <time.h>

enum { REPEATS = 40, SAMPLES = 64 };

static const char flow[] =
    "prior = \"haar\"; layers = ( { kind = \"plaquette_coupling\"; repeat = 16; transform = \"tangents\"; knots = 2; "
    "hidden = [8, 8]; kernel = 3; activation = \"leaky\"; } );";

static void require(lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double training_step(flow_trainer *trainer, int steps)
{
    lat_error error = {0};
    double best = 1e300;
    for (int repeat = 0; repeat < bench_or_brief(REPEATS, 1); repeat++) {
        flow_progress progress;
        double start = now();
        for (int i = 0; i < steps; i++) flow_trainer_step(trainer, &progress, &error);
        double time = (now() - start) / steps;
        if (time < best) best = time;
    }
    require(&error);
    return 1e3 * best;
}

static double thousand_samples(flow_trainer *trainer)
{
    double best = 1e300;
    for (int repeat = 0; repeat < bench_or_brief(REPEATS, 1); repeat++) {
        double start = now();
        flow_evaluation evaluation = flow_trainer_evaluate(trainer, SAMPLES);
        double time = (now() - start) * 1000 / (double)evaluation.samples;
        if (time < best) best = time;
    }
    return 1e3 * best;
}

static void measure(int64_t extent, int objective, int rank)
{
    lat_error error = {0};
    lat_settings *settings, *train;
    flow_train_settings options;
    flow_model *model;
    flow_training training = {0};
    flow_trainer *trainer;
    lat_shape shape = {.dim = 2, .size = {extent, extent}};
    lat_action *action = lat_action_wilson(LAT_U1, 2);
    lat_settings_parse(flow, "flow", &settings, &error);
    require(&error);
    lat_settings_parse("batch = 64;", "train", &train, &error);
    require(&error);
    flow_train_read(train, &options, &error);
    flow_model_create(settings, flow_layer_kinds, LAT_U1, 2, 1, &model, &error);
    require(&error);
    options.objective = objective;
    flow_trainer_create(MPI_COMM_WORLD, model, action, &shape, LAT_DOUBLE, &options, &training, &trainer, &error);
    require(&error);
    double step = training_step(trainer, extent > 8 ? 1 : 4), samples = thousand_samples(trainer);
    if (rank == 0)
        printf("%2lldx%-2lld  %-13s  training step %8.3f ms   1000 samples %8.2f ms   %lld parameters\n",
               (long long)extent, (long long)extent, flow_objective_names[objective], step, samples,
               (long long)model->stack.parameter_count);
    flow_trainer_free(trainer);
    flow_training_free(&training);
    flow_model_free(model);
    lat_action_free(action);
    flow_train_release(&options);
    lat_settings_free(train);
    lat_settings_free(settings);
}

int main(int argc, char **argv)
{
    int rank;
    lat_start(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int64_t extent = 8; extent <= bench_or_brief(16, 8); extent *= 2)
        for (int objective = 0; objective < 3; objective++) measure(extent, objective, rank);
    MPI_Finalize();
    return 0;
}
