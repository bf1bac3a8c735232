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

#include <time.h>

/* On one rank the time that it computes: other programs take as little part in it as can be. */
static double seconds(void)
{
    struct timespec now;
    clock_gettime(tap.ranks == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Kernels on all links of one parity of the chain's lattice, no halo exchange. */
enum kernel { HEATBATH, OVERRELAX, FORCE };

static double kernel_time(test_chain *t, lat_field *force, enum kernel kernel, int repetitions)
{
    const lat_geometry *g = t->chain->geometry;
    const lat_kernels *kernels = lat_kernels_of(t->chain->state->gauge->links, t->chain->state->gauge->group);
    lat_random random = mc_random(t->chain->state, LAT_RANDOM_TEST, 0);
    double best = INFINITY;
    for (int i = 0; i < repetitions; i++) {
        double start = seconds();
        for (int parity = 0; parity < 2; parity++) {
            lat_range range = lat_range_of(g, &g->parity[parity]);
            plaquette_force_args f = {lat_tables_of(g), t->chain->state->gauge->links->data, force->data, 1};
            if (kernel == FORCE) kernels->plaquette_force(&f, &range);
            for (int mu = 0; mu < g->dim && kernel != FORCE; mu++) {
                heatbath_args h = {lat_tables_of(g), t->chain->state->gauge->links->data, lat_action_beta(t->chain->action), mu,
                                   lat_random_key(&random)};
                overrelax_args o = {lat_tables_of(g), t->chain->state->gauge->links->data, mu};
                if (kernel == HEATBATH)
                    kernels->heatbath(&h, &range);
                else
                    kernels->overrelax(&o, &range);
            }
        }
        best = fmin(best, seconds() - start);
    }
    return best;
}

static double step_time(const char *lattice, double beta, const char *updates, int repetitions)
{
    char *text = lat_text("lattice = { %s }; action = ( { kind = \"wilson\"; beta = %g; } ); chain = { start = "
                          "\"cold\"; }; updates = ( %s );",
                          lattice, beta, updates);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    double best = INFINITY;
    for (int i = 0; i < repetitions; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = seconds();
        chain_run(&t, 1);
        best = fmin(best, seconds() - start);
    }
    chain_end(&t);
    free(text);
    return best;
}

static void bench(lat_group group, int extent, double beta)
{
    int repetitions = bench_or_brief(extent > 8 ? 5 : 60, 1);
    char *lattice =
        lat_text("group = \"%s\"; size = [%d, %d, %d, %d];", lat_group_names[group], extent, extent, extent, extent);
    double heatbath = step_time(lattice, beta, "{ kind = \"heatbath\"; }", repetitions);
    double overrelax = step_time(lattice, beta, "{ kind = \"overrelax\"; }", repetitions);
    double mixed =
        step_time(lattice, beta, "{ kind = \"heatbath\"; }, { kind = \"overrelax\"; count = 4; }", repetitions);

    char *text =
        lat_text("lattice = { %s }; action = ( { kind = \"wilson\"; beta = %g; } ); chain = { start = \"cold\"; };"
                 "updates = ( { kind = \"heatbath\"; }, { kind = \"overrelax\"; } );",
                 lattice, beta);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&t, 10);
    lat_field *force = lat_field_algebra(t.chain->geometry, group, LAT_DOUBLE);
    double kernel[3];
    for (int i = 0; i < 3; i++) kernel[i] = kernel_time(&t, force, (enum kernel)i, repetitions);
    double links = (double)(t.chain->geometry->volume * t.chain->geometry->dim / t.chain->geometry->rank_count),
           micro = 1e6 / links;
    if (tap.rank == 0) {
        printf("%s %2d^4: heatbath sweep %.3f us per link, overrelaxation sweep %.3f; 1 heatbath + 4 overrelaxation "
               "sweeps %.4f s, %.3f us\n",
               lat_group_names[group], extent, heatbath * micro, overrelax * micro, mixed, mixed * micro / 5);
        printf("         kernels: heatbath %.3f, overrelaxation %.3f, of which staple and product %.3f, subgroups "
               "%.3f; random numbers %.3f; "
               "halo %.3f per sweep\n",
               kernel[HEATBATH] * micro, kernel[OVERRELAX] * micro, kernel[FORCE] * micro,
               (kernel[OVERRELAX] - kernel[FORCE]) * micro, (kernel[HEATBATH] - kernel[OVERRELAX]) * micro,
               (overrelax - kernel[OVERRELAX]) * micro);
    }
    lat_field_free(force);
    chain_end(&t);
    free(text);
    free(lattice);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (int extent = 8; extent <= bench_or_brief(16, 8); extent *= 2) {
        bench(LAT_SU2, extent, 2.3);
        bench(LAT_SU3, extent, 6);
    }
    MPI_Finalize();
    return 0;
}
