/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rates of the kernels of gauge fields for every group and precision on 8^4 and 16^4, beside the peak rate of
 * multiply-adds and the bandwidth of a copy measured in the same run, and a trajectory of HMC (OMF4, three steps).
 * Best of several repetitions: processor time of a single rank, else wall-clock time of the slowest rank.  Operations
 * and bytes are those that the kernels declare (COST); each has its share of the ceiling beside it.  Bytes are counted as if all came
 * from memory, so what stays in the caches may have more than 100 %.
 *
 *     gauge_kernels [EXTENT...]      instead of 8 and 16
 */
#include "hmc/hmc.h"
#include "lattice/gauge/kernels.h"
#include "tests/bench/bench.h"

#include <stdlib.h>

enum { REPEATS = 15, DIM = 4, PLANES = DIM * (DIM - 1) / 2 };

typedef struct {
    lat_group group;
    lat_gauge *gauge;
    lat_field *links, *force, *density, *out;
    lat_action *action;
    lat_gradient_flow *flow;
} fields;

static const lat_kernels *kernels_of(const fields *f) { return lat_kernels_of(f->links, f->group); }
static lat_range block_of(const fields *f) { return lat_block(f->links->geometry); }

static lat_cost times_of(double factor, lat_cost cost) { return (lat_cost){factor * cost.flops, factor * cost.bytes}; }
static lat_cost plus(lat_cost a, lat_cost b) { return (lat_cost){a.flops + b.flops, a.bytes + b.bytes}; }

static plaquette_force_args force_args(const fields *f)
{
    return (plaquette_force_args){lat_tables_with_paths(f->links, f->group), f->links->data, f->force->data, 1e-3};
}
static void kernel_force(fields *f)
{
    plaquette_force_args args = force_args(f);
    lat_range range = block_of(f);
    kernels_of(f)->plaquette_force(&args, &range);
}
static void whole_force(fields *f) { lat_action_force(f->action, f->gauge, 1e-3, f->force); }
static lat_cost force_cost(const fields *f)
{
    plaquette_force_args args = force_args(f);
    return kernels_of(f)->plaquette_force_cost(&args);
}

static plaquette_sum_args plaquette_args(const fields *f)
{
    return (plaquette_sum_args){lat_tables_of(f->links->geometry), f->links->data, f->density->data, 0, 1};
}
static void plaquette(fields *f)
{
    plaquette_sum_args args = plaquette_args(f);
    lat_range range = block_of(f);
    kernels_of(f)->plaquette_sum(&args, &range);
}
static lat_cost plaquette_cost(const fields *f)
{
    plaquette_sum_args args = plaquette_args(f);
    return kernels_of(f)->plaquette_sum_cost(&args);
}

static void exp_update(fields *f) { lat_gauge_exp_update(f->gauge, 1e-3, f->force); }
static lat_cost exp_update_cost(const fields *f)
{
    exp_update_args args = {lat_tables_of(f->links->geometry), f->links->data, f->force->data, 1e-3};
    return kernels_of(f)->exp_update_cost(&args);
}

static extend_line_args line_args(const fields *f, int mu)
{
    return (extend_line_args){lat_tables_of(f->links->geometry), f->links->data, f->out->data, f->out->data, mu};
}
static void products(fields *f)
{
    lat_range range = block_of(f);
    for (int mu = 0; mu < DIM; mu++) {
        extend_line_args args = line_args(f, mu);
        kernels_of(f)->extend_line(&args, &range);
    }
}
static lat_cost products_cost(const fields *f)
{
    extend_line_args args = line_args(f, 0);
    return times_of(DIM, kernels_of(f)->extend_line_cost(&args));
}

static void gaussian(fields *f)
{
    lat_random random = {.seed = 1, .purpose = LAT_RANDOM_TEST};
    lat_field_gaussian(f->force, &random);
}
static lat_cost gaussian_cost(const fields *f)
{
    gaussian_args args = {.components = f->force->components};
    return lat_field_kernels_of(f->force)->gaussian_cost(&args);
}

static void step_of_flow(fields *f) { lat_gradient_flow_step(f->flow, f->gauge, 1e-3); }
static lat_cost step_cost(const fields *f)
{
    gradient_flow_force_args args = {lat_tables_of(f->links->geometry), f->links->data, f->force->data, 1, 1};
    return times_of(3, plus(kernels_of(f)->gradient_flow_force_cost(&args), exp_update_cost(f)));
}

static void halo(fields *f) { lat_halo_exchange(f->links); }
static lat_cost halo_cost(const fields *f)
{
    const lat_geometry *g = f->links->geometry;
    double size = f->links->precision == LAT_FLOAT ? sizeof(float) : sizeof(double);
    return (lat_cost){0, 2 * size * f->links->components * (double)(g->all_sites - g->sites) / (double)g->sites};
}

static const struct {
    const char *name;
    void (*call)(fields *f);
    lat_cost (*cost)(const fields *f);
} stages[] = {
    {"force, kernel alone", kernel_force, force_cost}, {"force", whole_force, force_cost},
    {"step of the flow", step_of_flow, step_cost},     {"plaquettes", plaquette, plaquette_cost},
    {"exp(A) U", exp_update, exp_update_cost},         {"products of links", products, products_cost},
    {"Gaussian momenta", gaussian, gaussian_cost},     {"halo exchange", halo, halo_cost},
};

static lat_shape shape_of(int extent, lat_precision precision)
{
    return (lat_shape){.dim = DIM, .size = {extent, extent, extent, extent}, .precision = precision};
}

/* A stage on the fields of the lattice that the name tells, with a row. */
static void measure(bench *b, size_t stage, fields *f, const char *name)
{
    const double volume = (double)f->links->geometry->volume, links = volume * DIM;
    bench_times times = {.repeats = REPEATS, .calls = 1 + 20000 / (int)links};
    while (bench_again(b, &times))
        for (int i = 0; i < times.calls; i++) stages[stage].call(f);
    bench_result result = {&times, 1e6 / links, "us per link", times_of(volume, stages[stage].cost(f)),
                           f->links->precision};
    bench_rates rates = bench_row(b, &result, "%s, %s", name, stages[stage].name);
    bench_print(b, "%22s %8.4f us per link %8.1f GFLOP/s %4.0f %% %8.1f GB/s %4.0f %%\n", stages[stage].name,
                result.factor * bench_best(&times), rates.flops, 100 * rates.of_peak, rates.bytes, 100 * rates.of_copy);
}

static void kernels(bench *b, lat_group group, lat_precision precision, int extent)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = shape_of(extent, precision);
    lat_random random = {.seed = 1, .purpose = LAT_RANDOM_TEST};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *gauge = lat_gauge_create(g, group, precision);
    fields f = {group,
                gauge,
                gauge->links,
                lat_field_algebra(g, group, precision),
                lat_field_create(g, 1, LAT_DOUBLE),
                lat_field_create(g, lat_link_reals(group), precision),
                lat_action_wilson(group, 6),
                NULL};
    if (lat_gradient_flow_create(gauge, LAT_GRADIENT_FLOW_WILSON, &f.flow, &error))
        lat_abort(error.status, "%s", error.text);
    lat_gauge_haar(gauge, &random);
    lat_halo_exchange(f.links);
    char *name = lat_text("%s, %s, %d^4", lat_group_names[group], lat_precision_names[precision], extent);
    bench_print(b, "\n%s: lanes %d x %d x %d x %d, %lld + %lld sites\n", name, g->lane_grid[0], g->lane_grid[1],
                g->lane_grid[2], g->lane_grid[3], (long long)g->sites, (long long)(g->all_sites - g->sites));
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) measure(b, i, &f, name);
    free(name);
    lat_gauge_free(f.gauge);
    lat_field_free(f.force);
    lat_field_free(f.density);
    lat_field_free(f.out);
    lat_gradient_flow_free(f.flow);
    lat_action_free(f.action);
    lat_geometry_free(g);
}

static void trajectory(bench *b, lat_group group, int extent)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = shape_of(extent, LAT_DOUBLE);
    lat_random random = {.seed = 1, .purpose = LAT_RANDOM_TEST};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *gauge = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_action *action = lat_action_wilson(group, 6);
    mc_trajectory t = {0};
    lat_settings *settings;
    if (lat_settings_parse("steps = 3; integrator = \"omf4\";", "bench", &settings, &error) ||
        mc_trajectory_create(settings, g, action, &t, &error))
        lat_abort(error.status, "%s", error.text);
    lat_settings_free(settings);
    bench_times times = {.repeats = REPEATS};
    while (bench_again(b, &times)) {
        double dh;
        bool accepted;
        random.step++;
        if (mc_trajectory_run(&t, action, gauge, &random, &random, &dh, &accepted, &error))
            lat_abort(error.status, "%s", error.text);
    }
    bench_print(b, "%22s %8.4f s\n", "OMF4, 3 steps", bench_best(&times));
    bench_row(b, &(bench_result){.times = &times, .factor = 1, .unit = "s"}, "%s, %s, %d^4, OMF4, 3 steps",
              lat_group_names[group], lat_precision_names[LAT_DOUBLE], extent);
    mc_trajectory_free(&t);
    lat_gauge_free(gauge);
    lat_action_free(action);
    lat_geometry_free(g);
}

int main(int argc, char **argv)
{
    static const int standard[] = {8, 16};
    lat_start(&argc, &argv);
    bench b = bench_start("gauge_kernels", bench_clock());
    bench_measure_ceilings(&b);
    for (int i = 0; i < (argc > 1 ? argc - 1 : bench_or_brief(2, 1)); i++)
        for (int group = LAT_SU3; group >= LAT_U1; group--)
            for (int precision = 0; precision < LAT_PRECISIONS; precision++) {
                int extent = argc > 1 ? atoi(argv[i + 1]) : standard[i];
                kernels(&b, (lat_group)group, (lat_precision)precision, extent);
                if (precision == LAT_DOUBLE) trajectory(&b, (lat_group)group, extent);
            }
    return bench_end(&b);
}
