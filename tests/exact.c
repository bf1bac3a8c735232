/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * exact.c: every update reproduces the exact plaquette and susceptibility of U(1) on an 8x8 torus.  24 comparisons at
 * 5.7 standard deviations: false by chance with a probability of 3e-7.
 */
#include "chain.h"

enum { REPLICAS = 64, THERMALISE = 100, STEPS = 200 };
static const double most_sigmas = 5.7;

static void compare(const double *series, const char *observable, const char *name, double beta, double most_error)
{
    mc_estimate e = mc_gamma(series, REPLICAS, STEPS);
    double exact = lat_exact2d(observable, LAT_U1, beta, 64);
    ok(fabs(e.mean - exact) < most_sigmas * e.error && e.error < most_error,
       "%s, beta = %g: %s %.5f +- %.5f, tau_int %.2f, exact %.5f", name, beta, observable, e.mean, e.error, e.tau_int,
       exact);
}

static void test_updates(const char *updates, const char *name, double beta)
{
    char *text =
        lat_text("lattice = { group = \"u1\"; size = [8, 8]; }; action = ( { kind = \"wilson\"; beta = %g; } );"
                 "chain = { seed = 21; replicas = %d; }; updates = ( %s );",
                 beta, REPLICAS, updates);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    lat_shape shape = {.dim = 2, .size = {8, 8}};
    lat_observable plaquette, charge;
    lat_error error = {0};
    int integers = 0;
    double *p = lat_alloc(REPLICAS * STEPS, sizeof *p), *q = lat_alloc(REPLICAS * STEPS, sizeof *q), now[2 * REPLICAS];
    lat_observable_find("plaquette", LAT_U1, &shape, &plaquette, &error);
    if (lat_observable_find("charge", LAT_U1, &shape, &charge, &error)) lat_abort(error.status, "%s", error.text);
    chain_run(&t, THERMALISE);
    for (int i = 0; i < STEPS; i++) {
        chain_run(&t, 1);
        plaquette.measure(&plaquette, t.chain->links, LAT_U1, now);
        for (int r = 0; r < REPLICAS; r++) p[r * STEPS + i] = now[r];
        charge.measure(&charge, t.chain->links, LAT_U1, now);
        for (int r = 0; r < REPLICAS; r++) q[r * STEPS + i] = now[2 * r + 1];
        for (int r = 0; r < REPLICAS; r++) integers += now[2 * r] == rint(now[2 * r]);
    }
    ok(integers == REPLICAS * STEPS, "%s, beta %g: every charge is an integer to the last bit", name, beta);
    compare(p, "plaquette", name, beta, 0.002);
    compare(q, "charge_squared", name, beta, 0.2);
    free(p);
    free(q);
    free(text);
    chain_end(&t);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (int beta = 1; beta <= 3; beta++) {
        test_updates("{ kind = \"hmc\"; trajectory = 1.0; steps = 4; integrator = \"omf2\"; }", "hmc", beta);
        test_updates("{ kind = \"heatbath\"; }", "heatbath", beta);
        test_updates("{ kind = \"heatbath\"; }, { kind = \"overrelax\"; count = 2; }", "heatbath and overrelax", beta);
        test_updates(
            "{ kind = \"hmc\"; trajectory = 1.0; steps = 8; integrator = \"leapfrog\"; }, { kind = \"instanton\"; }",
            "hmc and instanton", beta);
    }
    return tap_end();
}
