/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Time of a training step and of 1000 samples, double precision: 16 plaquette couplings with networks of 2-8-8-3
 * channels and 3x3 kernels, mixtures of two tangents, batch 64, Wilson action at beta = 2.  The best of many
 * short repetitions is printed, in milliseconds of processor time, so that other work on the machine disturbs it
 * little.
 */
#include "flows/flows.h"
#include "tests/bench/bench.h"

enum { REPEATS = 40, SAMPLES = 64 };

static const char flow[] =
    "prior = \"haar\"; layers = ( { kind = \"plaquette_coupling\"; repeat = 16; transform = \"tangents\"; knots = 2; "
    "hidden = [8, 8]; kernel = 3; activation = \"leaky\"; } );";

static void require(lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

/* Milliseconds, with a row. */
static double training_step(bench *b, flow_trainer *trainer, int steps, const char *name)
{
    lat_error error = {0};
    flow_progress progress;
    bench_times times = {.repeats = REPEATS, .calls = steps};
    while (bench_again(b, &times))
        for (int i = 0; i < steps; i++) flow_trainer_step(trainer, &progress, &error);
    require(&error);
    bench_row(b, &(bench_result){.times = &times, .factor = 1e3, .unit = "ms"}, "%s, training step", name);
    return 1e3 * bench_best(&times);
}

static double thousand_samples(bench *b, flow_trainer *trainer, const char *name)
{
    flow_evaluation evaluation = {0};
    bench_times times = {.repeats = REPEATS};
    while (bench_again(b, &times)) evaluation = flow_trainer_evaluate(trainer, SAMPLES);
    double factor = 1e3 * 1000 / (double)evaluation.samples;
    bench_row(b, &(bench_result){.times = &times, .factor = factor, .unit = "ms"}, "%s, 1000 samples", name);
    return factor * bench_best(&times);
}

static void measure(bench *b, int64_t extent, int objective)
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
    char *name = lat_text("%lldx%lld, %s", (long long)extent, (long long)extent, flow_objective_names[objective]);
    double step = training_step(b, trainer, extent > 8 ? 1 : 4, name), samples = thousand_samples(b, trainer, name);
    bench_print(b, "%-22s  training step %8.3f ms   1000 samples %8.2f ms   %lld parameters\n", name, step, samples,
                (long long)model->stack.parameter_count);
    free(name);
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
    lat_start(&argc, &argv);
    bench b = bench_start("training", bench_processor_time);
    bench_measure_ceilings(&b);
    for (int64_t extent = 8; extent <= bench_or_brief(16, 8); extent *= 2)
        for (int objective = 0; objective < 3; objective++) measure(&b, extent, objective);
    return bench_end(&b);
}
