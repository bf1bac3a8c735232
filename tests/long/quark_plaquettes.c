/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 2
 *
 * quark_plaquettes.c: plaquettes of two flavours on 4^4 by pseudofermions, against what tmLQCD's samples and openQCD found.  2 comparisons at 5.4
 * standard deviations: false by chance with a probability of 1.4e-7.
 */
#include "tests/chain.h"
#include "tests/observe.h"

static const double most_sigmas = 5.4;

static void test(const char *name, double beta, const char *quark, const char *masses, const char *steps,
                 double expected, double width)
{
    enum { REPLICAS = 8, THERMALISE = 60, STEPS = 120 };
    char *text =
        lat_text("lattice = { group = \"su3\"; size = [4, 4, 4, 4]; }; operators = ( { name = \"light\"; %s } );"
                 "action = ( { kind = \"wilson\"; beta = %g; level = 0; }, { kind = \"two_flavours\"; operator = "
                 "\"light\"; %s level = 1; } );"
                 "chain = { seed = 43; replicas = %d; thermalise = %d; }; updates = ( { kind = \"hmc\"; steps = %s; "
                 "integrator = \"omf2\"; } );",
                 quark, beta, masses, (int)REPLICAS, (int)THERMALISE, steps);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    double *series = lat_alloc(REPLICAS * STEPS, sizeof *series), now[REPLICAS];
    chain_run(&t, THERMALISE);
    for (int i = 0; i < STEPS; i++) {
        chain_run(&t, 1);
        observe("plaquette", t.chain->state->gauge, now);
        for (int r = 0; r < REPLICAS; r++) series[r * STEPS + i] = now[r];
    }
    mc_estimate e = mc_gamma(series, REPLICAS, STEPS);
    const double sigmas = (e.mean - expected) / hypot(e.error, width);
    ok(fabs(sigmas) < most_sigmas && e.error < 1e-3,
       "%s: %.5f +- %.5f, tau_int %.2f, expected %.5f +- %.5f (%.1f); acceptance %.3f", name, e.mean, e.error,
       e.tau_int, expected, width, sigmas, chain_figure(&t, 0, "acceptance"));
    free(series);
    free(text);
    chain_end(&t);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test("clover", 5.6, "kind = \"clover\"; kappa = 0.138; csw = 1.76;", "masses = [0.0, 1.0]; levels = [1, 0];",
         "[3, 2, 2]", 0.5905, 0.0003);
    test("twisted clover", 5.6, "kind = \"clover\"; kappa = 0.138; csw = 1.0; mu = 0.036231884057971016;",
         "masses = [0.0, 1.0]; levels = [1, 0];", "[3, 2, 2]", 0.57375, 0.00007);
    return tap_end();
}
