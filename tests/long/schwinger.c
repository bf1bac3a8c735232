/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 2
 *
 * schwinger.c: the Schwinger model with the exact determinant, by Hybrid Monte Carlo and instantons: plaquette, charge squared and 2 x 2 loop against
 * numbers of independent pure-gauge configurations reweighted with the dense determinant, without a chain.  One flavour is that of the modulus.  9
 * comparisons at 5.4 standard deviations: false by chance with a probability of 6e-7.
 */
#include "tests/chain.h"
#include "tests/observe.h"

static const double most_sigmas = 5.4;

enum { PLAQUETTE, CHARGE_SQUARED, LOOP, OBSERVABLES, REPLICAS = 16 };
static const char *const names[OBSERVABLES] = {"plaquette", "charge", "wilson_loop_2x2"};

/* At beta = 2, kappa = 0.276 */
static const struct {
    int extent, flavours, steps;
    double mean[OBSERVABLES], error[OBSERVABLES];
} points[] = {
    {4, 1, 4000, {0.73312, 0.13703, 0.35361}, {0.00014, 0.00045, 0.00033}},
    {4, 2, 4000, {0.76302, 0.05698, 0.43432}, {0.00014, 0.00026, 0.00033}},
    {8, 2, 3000, {0.75610, 0.2464, 0.38760}, {0.00033, 0.0029, 0.00075}},
};

static void measure(const test_chain *t, int step, int steps, double *const series[OBSERVABLES])
{
    double now[2 * REPLICAS];
    for (int i = 0; i < OBSERVABLES; i++) {
        int columns = observe(names[i], t->chain->state->gauge, now); /* the charge has its square beside it */
        for (int r = 0; r < REPLICAS; r++) series[i][r * steps + step] = now[r * columns + columns - 1];
    }
}

static void test_point(int extent, int flavours, int steps, const double *mean, const double *error)
{
    char *text = lat_text(
        "lattice = { group = \"u1\"; size = [%d, %d]; }; operators = ( { name = \"light\"; kind = \"wilson\"; kappa = "
        "0.276; } );"
        "action = ( { kind = \"wilson\"; beta = 2.0; }, { kind = \"determinant\"; operator = \"light\"; flavours = %d; "
        "} );"
        "chain = { seed = 43; replicas = %d; };"
        "updates = ( { kind = \"hmc\"; steps = 6; integrator = \"omf2\"; }, { kind = \"instanton\"; hits = 2; } );",
        extent, extent, flavours, REPLICAS);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    double *series[OBSERVABLES];
    for (int i = 0; i < OBSERVABLES; i++) series[i] = lat_alloc((int64_t)REPLICAS * steps, sizeof *series[i]);
    chain_run(&t, 200);
    for (int step = 0; step < steps; step++) {
        chain_run(&t, 1);
        measure(&t, step, steps, series);
    }
    for (int i = 0; i < OBSERVABLES; i++) {
        mc_estimate e = mc_gamma(series[i], REPLICAS, steps);
        double sigmas = (e.mean - mean[i]) / hypot(e.error, error[i]);
        ok(fabs(sigmas) < most_sigmas && e.error < 0.01,
           "%d x %d, flavours: %d, %s%s: %.5f +- %.5f, expected %.5f +- %.5f (%.1f)", extent, extent, flavours,
           names[i], i == CHARGE_SQUARED ? " squared" : "", e.mean, e.error, mean[i], error[i], sigmas);
        free(series[i]);
    }
    chain_end(&t);
    free(text);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        test_point(points[i].extent, points[i].flavours, points[i].steps, points[i].mean, points[i].error);
    return tap_end();
}
