/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * device.c: rates of the kernels on a GPU, beside the bandwidth of a copy and the rate of multiply-adds measured in the same
 * run; and times of a trajectory and of training steps.  Best of several repetitions, each of several launches, by the wall
 * clock.  Bytes are compulsory ones: every field read once and written once; operations are counted as in gauge_kernels.c.
 *
 *     device [EXTENT [BATCH]]      32: a lattice of 32^4; 4096: samples of a training step
 */
#include "flows/flows.h"
#include "hmc/hmc.h"
#include "lattice/gauge/kernels.h"
#include "tests/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 5, LAUNCHES = 10, DIM = 4 };

typedef axpy_args multiply_add_args;
void bench_multiply_add(const multiply_add_args *args, const lat_range *range);

static const lat_backend *device;

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

static bench_times times_of(const bench *b, void (*call)(void *what), void *what)
{
    bench_times times = {.repeats = REPEATS, .calls = bench_or_brief(LAUNCHES, 1)};
    call(what);
    device->wait(LAT_MAIN);
    while (bench_again(b, &times)) {
        for (int i = 0; i < times.calls; i++) call(what);
        device->wait(LAT_MAIN);
    }
    return times;
}

static double best_of(const bench *b, void (*call)(void *what), void *what)
{
    bench_times times = times_of(b, call, what);
    return bench_best(&times);
}

/* -------------------------------------------------------------------------------------------------------- ceilings */

typedef struct {
    char *from, *to;
    int64_t bytes;
} copies;
static void copy(void *what)
{
    copies *c = what;
    device->copy(c->to, c->from, c->bytes);
}

enum { THREADS = 1 << 20, CHAINS = 8 };
static int rounds(void) { return bench_or_brief(1000, 1); }
static void multiply(void *what)
{
    multiply_add_args args = {.t = {.lanes = 32}, .y = what, .a = 0.999, .components = rounds()};
    lat_range range = {.count = THREADS / 32, .lanes = 32};
    bench_multiply_add(&args, &range);
}

static void measure_ceilings(bench *b)
{
    copies c = {.bytes = (int64_t)1 << bench_or_brief(28, 23)}; /* THREADS numbers at least */
    c.from = device->allocate(c.bytes);
    c.to = device->allocate(c.bytes);
    b->most.copy = 2e-9 * (double)c.bytes / best_of(b, copy, &c);
    b->most.peak = 2e-9 * THREADS * (double)rounds() * CHAINS / best_of(b, multiply, c.from);
    device->release(c.from);
    device->release(c.to);
    bench_print(b, "copy %.0f GB/s, multiply-adds in double %.0f GFLOP/s\n", b->most.copy, b->most.peak);
}

/* ---------------------------------------------------------------------------------------------------- gauge kernels */

typedef struct {
    lat_group group;
    lat_precision precision;
    lat_geometry *g;
    lat_gauge *links;
    lat_field *force, *density;
    const lat_kernels *kernels;
} fields;

static void force(void *what)
{
    fields *f = what;
    plaquette_force_args args = {lat_tables_of(f->g), f->links->links->data, f->force->data, 1e-3};
    lat_range block = lat_block(f->g);
    f->kernels->plaquette_force(&args, &block);
}

static void sum(void *what)
{
    fields *f = what;
    plaquette_sum_args args = {lat_tables_of(f->g), f->links->links->data, f->density->data, 0, 1};
    lat_range block = lat_block(f->g);
    f->kernels->plaquette_sum(&args, &block);
}

static void update(void *what)
{
    fields *f = what;
    exp_update_args args = {lat_tables_of(f->g), f->links->links->data, f->force->data, 1e-3};
    lat_range block = lat_block(f->g);
    f->kernels->exp_update(&args, &block);
}

/* All links once: the halo within the device included. */
static void overrelax(void *what)
{
    fields *f = what;
    for (int mu = 0; mu < DIM; mu++)
        for (int parity = 0; parity < 2; parity++) {
            overrelax_args args = {lat_tables_of(f->g), f->links->links->data, mu};
            lat_range range = lat_range_of(f->g, &f->g->parity[parity]);
            f->kernels->overrelax(&args, &range);
            lat_halo_finish(lat_halo_start(f->links->links, lat_halo_links(mu, parity)));
        }
}

static void heatbath(void *what)
{
    fields *f = what;
    lat_random random = {.seed = 2, .purpose = LAT_RANDOM_TEST};
    for (int mu = 0; mu < DIM; mu++)
        for (int parity = 0; parity < 2; parity++) {
            heatbath_args args = {lat_tables_of(f->g), f->links->links->data, 6, mu, lat_random_key(&random)};
            lat_range range = lat_range_of(f->g, &f->g->parity[parity]);
            f->kernels->heatbath(&args, &range);
            lat_halo_finish(lat_halo_start(f->links->links, lat_halo_links(mu, parity)));
        }
}

/* Bytes and operations of a link. */
static void report(bench *b, fields *f, const char *name, void (*call)(void *what), double bytes, double operations)
{
    const double links = (double)f->g->volume * DIM;
    const bench_times times = times_of(b, call, f);
    const double seconds = bench_best(&times);
    bench_result result = {&times, 1e6, "us", {operations * links, bytes * links}, f->precision};
    bench_rates rates = bench_row(b, &result, "%s, %s, %lld^4, %s", lat_group_names[f->group],
                                  lat_precision_names[f->precision], (long long)f->g->size[0], name);
    bench_print(b, "%-4s %-6s %-14s %9.1f us  %8.1f Mlinks/s  %7.1f GB/s (%3.0f %% of a copy)",
                lat_group_names[f->group], lat_precision_names[f->precision], name, 1e6 * seconds,
                1e-6 * links / seconds, rates.bytes, 100 * rates.of_copy);
    if (operations > 0) bench_print(b, "  %8.1f GFLOP/s (%3.0f %%)", rates.flops, 100 * rates.of_peak);
    bench_print(b, "\n");
}

static void measure_group(bench *b, lat_group group, lat_precision precision, int64_t extent)
{
    static const double product[LAT_GROUPS] = {2, 28, 198};
    lat_error error = {0};
    lat_shape shape = {.dim = DIM, .size = {extent, extent, extent, extent}, .precision = precision, .backend = device};
    lat_random random = {.seed = 1, .purpose = LAT_RANDOM_TEST};
    fields f = {.group = group, .precision = precision};
    lat_geometry_create(MPI_COMM_SELF, &shape, &f.g, &error);
    require(&error);
    f.links = lat_gauge_create(f.g, group, precision);
    f.force = lat_field_algebra(f.g, group, precision);
    f.density = lat_field_create(f.g, 1, LAT_DOUBLE);
    f.kernels = lat_kernels_of(f.links->links, group);
    lat_gauge_haar(f.links, &random);
    lat_halo_exchange(f.links->links);
    double real = precision == LAT_FLOAT ? 4 : 8, link = real * lat_link_reals(group),
           algebra = real * lat_algebra_reals(group);
    report(b, &f, "force", force, link + 2 * algebra, (group == LAT_U1 ? 0 : 46.0 / DIM) * product[group]);
    report(b, &f, "plaquette", sum, link + 16.0 / DIM, 0);
    report(b, &f, "exp update", update, 2 * link + algebra, 0);
    report(b, &f, "overrelaxation", overrelax, 2 * link, 0);
    report(b, &f, "heatbath", heatbath, 2 * link, 0);
    lat_gauge_free(f.links);
    lat_field_free(f.force);
    lat_field_free(f.density);
    lat_geometry_free(f.g);
}

/* --------------------------------------------------------------------------------------------------------- training */

static const char flow[] =
    "layers = ( { kind = \"plaquette_coupling\"; repeat = 16; transform = \"tangents\"; knots = 2; "
    "hidden = [8, 8]; kernel = 3; activation = \"leaky\"; } );";

static void measure_training(bench *b, lat_precision precision, int64_t batch)
{
    lat_error error = {0};
    lat_settings *settings, *train;
    flow_train_settings options;
    flow_model *model;
    flow_training training = {0};
    flow_trainer *trainer;
    flow_progress progress;
    lat_shape shape = {.dim = 2, .size = {16, 16}, .backend = device};
    lat_action *action = lat_action_wilson(LAT_U1, 2);
    char *text = lat_text("batch = %lld;", (long long)batch);
    lat_settings_parse(flow, "flow", &settings, &error);
    lat_settings_parse(text, "train", &train, &error);
    require(&error);
    flow_train_read(train, &options, &error);
    flow_model_create(settings, flow_layer_kinds, LAT_U1, 2, 1, &model, &error);
    require(&error);
    flow_trainer_create(MPI_COMM_SELF, model, action, &shape, precision, &options, &training, &trainer, &error);
    require(&error);
    bench_times times = {.repeats = REPEATS};
    for (int i = 0; i < 2; i++) flow_trainer_step(trainer, &progress, &error);
    while (bench_again(b, &times)) flow_trainer_step(trainer, &progress, &error);
    require(&error);
    char *name =
        lat_text("training step, 16x16, 16 layers, batch %lld, %s", (long long)batch, lat_precision_names[precision]);
    bench_print(b, "%s: %.2f ms\n", name, 1e3 * bench_best(&times));
    bench_row(b, &(bench_result){.times = &times, .factor = 1e3, .unit = "ms"}, "%s", name);
    free(name);
    flow_trainer_free(trainer);
    flow_training_free(&training);
    flow_model_free(model);
    lat_action_free(action);
    flow_train_release(&options);
    lat_settings_free(train);
    lat_settings_free(settings);
    free(text);
}

int main(int argc, char **argv)
{
    char why[LAT_BACKEND_TEXT];
    lat_start(&argc, &argv);
    int64_t extent = argc > 1 ? strtoll(argv[1], NULL, 10) : 32, batch = argc > 2 ? strtoll(argv[2], NULL, 10) : 4096;
    device = lat_cuda_open(0, why);
    if (!device) {
        printf("no GPU: %s\n", why[0] ? why : "not built for one");
        MPI_Finalize();
        return 0;
    }
    bench b = bench_start("device", bench_wall_time);
    b.device = device->name;
    measure_ceilings(&b);
    for (int group = 0; group < LAT_GROUPS; group++)
        for (int precision = 0; precision < LAT_PRECISIONS; precision++)
            measure_group(&b, (lat_group)group, (lat_precision)precision, extent);
    for (int precision = 0; precision < LAT_PRECISIONS; precision++)
        measure_training(&b, (lat_precision)precision, batch);
    return bench_end(&b);
}
