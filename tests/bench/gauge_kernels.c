/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rates of the kernels of gauge fields for every group and precision on 8^4 and 16^4, beside the peak rate of
 * multiply-adds and the bandwidth of a copy measured in the same run, and a trajectory of HMC (OMF4, three steps).
 * Best of several repetitions: processor time of a single rank, else wall-clock time of the slowest rank.  Operations
 * are counted as the formulas have them: 13 products of links for a force, 198 for a product of two 3x3 matrices, 28 for
 * two quaternions; bytes are those of every field read and written once.
 *
 *     gauge_kernels [EXTENT...]      instead of 8 and 16
 */
#include "hmc/hmc.h"
#include "lattice/grid/kernels.h"
#include "lattice/kernels/real.h"
#include "tests/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPEATS = 15, DIM = 4, PLANES = DIM * (DIM - 1) / 2 };

static int rank, ranks;

static double now(void)
{
    struct timespec t;
    if (ranks > 1) return MPI_Wtime();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double peak_rate(void)
{
    enum { CHAINS = 12, STEPS = 100000 };
    real sum[CHAINS], factor = real_of(0.999), term = real_of(0.001);
    double best = INFINITY;
    for (int j = 0; j < CHAINS; j++) sum[j] = real_of(j);
    for (int repeat = 0; repeat < bench_or_brief(10 * REPEATS, 1); repeat++) {
        double start = now();
        for (int i = 0; i < STEPS; i++) {
            _Pragma("GCC unroll 12") for (int j = 0; j < CHAINS; j++) sum[j] = sum[j] * factor + term;
        }
        best = fmin(best, now() - start);
    }
    for (int j = 0; j < CHAINS; j++) {
        volatile real kept = sum[j];
        (void)kept;
    }
    return 2e-9 * CHAINS * STEPS * REAL_LANES / best;
}

/* Bytes read and written by a copy of 64 MiB */
static double copy_rate(void)
{
    enum { BYTES = 1 << 26 };
    char *from = lat_alloc(BYTES, 1), *to = lat_alloc(BYTES, 1);
    double best = INFINITY;
    for (int repeat = 0; repeat < bench_or_brief(REPEATS, 1); repeat++) {
        double start = now();
        memcpy(to, from, BYTES);
        best = fmin(best, now() - start);
        from[repeat] = to[2 * repeat + 1];
    }
    free(from);
    free(to);
    return 2e-9 * BYTES / best;
}

typedef struct {
    lat_group group;
    lat_gauge *gauge;
    lat_field *links, *force, *density, *out;
    lat_action *action;
    lat_gradient_flow *flow;
} fields;

static void kernel_force(fields *f)
{
    plaquette_force_args args = {lat_tables_with_paths(f->links, f->group), f->links->data, f->force->data, 1e-3};
    lat_range range = lat_block(f->links->geometry);
    lat_kernels_of(f->links, f->group)->plaquette_force(&args, &range);
}
static void whole_force(fields *f) { lat_action_force(f->action, f->gauge, 1e-3, f->force); }
static void plaquette(fields *f)
{
    plaquette_sum_args args = {lat_tables_of(f->links->geometry), f->links->data, f->density->data, 0, 1};
    lat_range range = lat_block(f->links->geometry);
    lat_kernels_of(f->links, f->group)->plaquette_sum(&args, &range);
}
static void exp_update(fields *f) { lat_gauge_exp_update(f->gauge, 1e-3, f->force); }
static void products(fields *f)
{
    lat_range range = lat_block(f->links->geometry);
    for (int mu = 0; mu < DIM; mu++) {
        extend_line_args args = {lat_tables_of(f->links->geometry), f->links->data, f->out->data, f->out->data, mu};
        lat_kernels_of(f->links, f->group)->extend_line(&args, &range);
    }
}
static void gaussian(fields *f)
{
    lat_random random = {.seed = 1, .purpose = LAT_RANDOM_TEST};
    lat_field_gaussian(f->force, &random);
}
static void step_of_flow(fields *f) { lat_gradient_flow_step(f->flow, f->gauge, 1e-3); }
static void halo(fields *f) { lat_halo_exchange(f->links); }

/* Products of links, and reals read and written, per link */
static const struct {
    const char *name;
    void (*call)(fields *f);
    double products, link_reals, algebra_reals;
} stages[] = {
    {"force, kernel alone", kernel_force, 13, 1, 2},
    {"force", whole_force, 13, 1, 2},
    {"step of the flow", step_of_flow, 3 * (13 + 1), 6, 5},
    {"plaquettes", plaquette, 3.0 * PLANES / DIM, 1, 0},
    {"exp(A) U", exp_update, 1, 2, 1},
    {"products of links", products, 1, 3, 0},
    {"Gaussian momenta", gaussian, 0, 0, 1},
    {"halo exchange", halo, 0, 2, 0},
};

static double slowest(double seconds)
{
    MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return seconds;
}

static double seconds_of(void (*call)(fields *f), fields *f, int calls)
{
    double best = INFINITY;
    for (int repeat = 0; repeat < bench_or_brief(REPEATS, 1); repeat++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = now();
        for (int i = 0; i < calls; i++) call(f);
        best = fmin(best, slowest(now() - start) / calls);
    }
    return best;
}

static lat_shape shape_of(int extent, lat_precision precision)
{
    return (lat_shape){.dim = DIM, .size = {extent, extent, extent, extent}, .precision = precision};
}

static void kernels(lat_group group, lat_precision precision, int extent)
{
    static const double operations[LAT_GROUPS] = {1, 28, 198};
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
    if (lat_gradient_flow_create(gauge, LAT_GRADIENT_FLOW_WILSON, &f.flow, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge_haar(gauge, &random);
    lat_halo_exchange(f.links);
    double links = (double)g->volume * DIM, bytes = precision == LAT_FLOAT ? 4 : 8;
    if (rank == 0)
        printf("\n%s, %s, %d^4: lanes %d x %d x %d x %d, %lld + %lld sites\n", lat_group_names[group],
               lat_precision_names[precision], extent, g->lane_grid[0], g->lane_grid[1], g->lane_grid[2],
               g->lane_grid[3], (long long)g->sites, (long long)(g->all_sites - g->sites));
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        double seconds = seconds_of(stages[i].call, &f, 1 + 20000 / (int)links);
        double moved =
            bytes * (stages[i].link_reals * lat_link_reals(group) + stages[i].algebra_reals * lat_algebra_reals(group));
        double rate = stages[i].products * operations[group];
        if (rank == 0)
            printf("%22s %8.4f us per link %8.1f GFLOP/s %8.1f GB/s\n", stages[i].name, 1e6 * seconds / links,
                   1e-9 * rate * links / seconds, 1e-9 * moved * links / seconds);
    }
    lat_gauge_free(f.gauge);
    lat_field_free(f.force);
    lat_field_free(f.density);
    lat_field_free(f.out);
    lat_gradient_flow_free(f.flow);
    lat_action_free(f.action);
    lat_geometry_free(g);
}

static void trajectory(lat_group group, int extent)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = shape_of(extent, LAT_DOUBLE);
    lat_random random = {.seed = 1, .purpose = LAT_RANDOM_TEST};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *gauge = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_action *action = lat_action_wilson(group, 6);
    mc_trajectory t = {.integrator = MC_OMF4,
                       .length = 1,
                       .levels = 1,
                       .steps = {3},
                       .momenta = lat_field_algebra(g, group, LAT_DOUBLE),
                       .start = lat_gauge_create(g, group, LAT_DOUBLE),
                       .density = lat_field_create(g, 1, LAT_DOUBLE),
                       .repeats = lat_repeats_create(g)};
    double best = INFINITY;
    for (int repeat = 0; repeat < bench_or_brief(REPEATS, 1); repeat++) {
        double dh;
        bool accepted;
        random.step++;
        MPI_Barrier(MPI_COMM_WORLD);
        double start = now();
        mc_trajectory_run(&t, action, gauge, &random, &random, &dh, &accepted, &(lat_error){0});
        best = fmin(best, slowest(now() - start));
    }
    if (rank == 0) printf("%22s %8.4f s\n", "OMF4, 3 steps", best);
    mc_trajectory_free(&t);
    lat_gauge_free(gauge);
    lat_action_free(action);
    lat_geometry_free(g);
}

int main(int argc, char **argv)
{
    static const int standard[] = {8, 16};
    lat_start(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    double peak = peak_rate(), copy = copy_rate();
    if (rank == 0)
        printf("multiply-adds in registers: %.1f GFLOP/s in double, twice that in float; copy: %.1f GB/s\n", peak,
               copy);
    for (int i = 0; i < (argc > 1 ? argc - 1 : bench_or_brief(2, 1)); i++)
        for (int group = LAT_SU3; group >= LAT_U1; group--)
            for (int precision = 0; precision < LAT_PRECISIONS; precision++) {
                int extent = argc > 1 ? atoi(argv[i + 1]) : standard[i];
                kernels((lat_group)group, (lat_precision)precision, extent);
                if (precision == LAT_DOUBLE) trajectory((lat_group)group, extent);
            }
    MPI_Finalize();
    return 0;
}
