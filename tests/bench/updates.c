/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * updates.c: time of heatbath and overrelaxation sweeps, of one heatbath and four overrelaxation sweeps together, and
 * what it is spent on: the halo exchange; staples (the kernel of the force, which ends in one more product); subgroups
 * (overrelaxation less that); random numbers and rejection (heatbath less overrelaxation).  Best of many repetitions,
 * per link and rank.
 */
#include "lattice/gauge/kernels.h"
#include "tests/bench/bench.h"
#include "tests/chain.h"

enum kernel { HEATBATH, OVERRELAX, FORCE, KERNELS };
static const char *const kernel_names[KERNELS] = {"heatbath kernel", "overrelaxation kernel", "staples and products"};

/* A kernel on all links of one parity, without halo exchange; its cost for a site. */
static lat_cost run_kernel(test_chain *t, lat_field *force, enum kernel kernel, int parity)
{
    const lat_gauge *gauge = t->chain->state->gauge;
    const lat_geometry *g = t->chain->geometry;
    const lat_kernels *kernels = lat_kernels_of(gauge->links, gauge->group);
    const lat_range range = lat_range_of(g, &g->parity[parity]);
    const lat_random random = mc_random(t->chain->state, LAT_RANDOM_TEST, 0);
    plaquette_force_args f = {lat_tables_of(g), gauge->links->data, force->data, 1};
    heatbath_args h = {lat_tables_of(g), gauge->links->data, lat_action_beta(t->chain->action), 0,
                       lat_random_key(&random)};
    overrelax_args o = {lat_tables_of(g), gauge->links->data, 0};
    if (kernel == FORCE) {
        kernels->plaquette_force(&f, &range);
        return kernels->plaquette_force_cost(&f);
    }
    for (int mu = 0; mu < g->dim; mu++) {
        h.mu = o.mu = mu;
        if (kernel == HEATBATH)
            kernels->heatbath(&h, &range);
        else
            kernels->overrelax(&o, &range);
    }
    lat_cost cost = kernel == HEATBATH ? kernels->heatbath_cost(&h) : kernels->overrelax_cost(&o);
    return (lat_cost){g->dim * cost.flops, g->dim * cost.bytes};
}

/* Adds a row in microseconds per link and rank; gives that. */
static double add(bench *b, const bench_times *times, lat_cost cost, const lat_geometry *g, const char *name)
{
    const double links = (double)(g->volume * g->dim / g->rank_count), volume = (double)g->volume;
    bench_result result = {times, 1e6 / links, "us per link", {volume * cost.flops, volume * cost.bytes}, LAT_DOUBLE};
    bench_row(b, &result, "%s", name);
    return result.factor * bench_best(times);
}

static double kernel_time(bench *b, test_chain *t, lat_field *force, enum kernel kernel, const char *lattice,
                          int repetitions)
{
    bench_times times = {.repeats = repetitions};
    lat_cost cost = {0};
    char *name = lat_text("%s, %s", lattice, kernel_names[kernel]);
    while (bench_again(b, &times))
        for (int parity = 0; parity < 2; parity++) cost = run_kernel(t, force, kernel, parity);
    double time = add(b, &times, cost, t->chain->geometry, name);
    free(name);
    return time;
}

static double step_time(bench *b, const char *lattice, const char *what, const char *settings, const char *updates,
                        int repetitions)
{
    char *text = lat_text("%s updates = ( %s );", settings, updates), *name = lat_text("%s, %s", lattice, what);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    bench_times times = {.repeats = repetitions};
    while (bench_again(b, &times)) chain_run(&t, 1);
    double time = add(b, &times, (lat_cost){0}, t.chain->geometry, name);
    chain_end(&t);
    free(text);
    free(name);
    return time;
}

static void kernels(bench *b, const char *lattice, const char *settings, double overrelax, int repetitions)
{
    char *text = lat_text("%s updates = ( { kind = \"heatbath\"; }, { kind = \"overrelax\"; } );", settings);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&t, 10);
    lat_field *force = lat_field_algebra(t.chain->geometry, t.chain->state->gauge->group, LAT_DOUBLE);
    double kernel[KERNELS];
    for (int i = 0; i < KERNELS; i++) kernel[i] = kernel_time(b, &t, force, (enum kernel)i, lattice, repetitions);
    bench_print(b,
                "         kernels: heatbath %.3f, overrelaxation %.3f, of which staple and product %.3f, subgroups "
                "%.3f; random "
                "numbers %.3f; halo %.3f per sweep\n",
                kernel[HEATBATH], kernel[OVERRELAX], kernel[FORCE], kernel[OVERRELAX] - kernel[FORCE],
                kernel[HEATBATH] - kernel[OVERRELAX], overrelax - kernel[OVERRELAX]);
    lat_field_free(force);
    chain_end(&t);
    free(text);
}

static void measure(bench *b, lat_group group, int extent, double beta)
{
    int repetitions = bench_or_brief(extent > 8 ? 5 : 60, 1);
    char *lattice = lat_text("%s %d^4", lat_group_names[group], extent);
    char *settings = lat_text(
        "lattice = { group = \"%s\"; size = [%d, %d, %d, %d]; }; action = ( { kind = \"wilson\"; beta = %g; } ); "
        "chain = { start = \"cold\"; };",
        lat_group_names[group], extent, extent, extent, extent, beta);
    double heatbath = step_time(b, lattice, "heatbath sweep", settings, "{ kind = \"heatbath\"; }", repetitions);
    double overrelax =
        step_time(b, lattice, "overrelaxation sweep", settings, "{ kind = \"overrelax\"; }", repetitions);
    double mixed = step_time(b, lattice, "1 heatbath + 4 overrelaxation sweeps", settings,
                             "{ kind = \"heatbath\"; }, { kind = \"overrelax\"; count = 4; }", repetitions);
    double links = 4.0 * extent * extent * extent * extent / b->ranks;
    bench_print(b,
                "%s: heatbath sweep %.3f us per link, overrelaxation sweep %.3f; 1 heatbath + 4 overrelaxation sweeps "
                "%.4f s, %.3f us\n",
                lattice, heatbath, overrelax, 1e-6 * links * mixed, mixed / 5);
    kernels(b, lattice, settings, overrelax, repetitions);
    free(settings);
    free(lattice);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    bench b = bench_start("updates", bench_clock());
    bench_measure_ceilings(&b);
    for (int extent = 8; extent <= bench_or_brief(16, 8); extent *= 2) {
        measure(&b, LAT_SU2, extent, 2.3);
        measure(&b, LAT_SU3, extent, 6);
    }
    return bench_end(&b);
}
