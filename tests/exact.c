/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * exact.c: every update reproduces the exact plaquette and susceptibility of U(1) on an 8x8 torus, and the exact
 * plaquette and Wilson loop of SU(2) and SU(3) on a 4x4 torus, where finite volume is felt.  40 comparisons at 5.7
 * standard deviations: false by chance with a probability of 5e-7.
 */
#include "tests/chain.h"
#include "tests/observe.h"

enum { REPLICAS = 64, THERMALISE = 100, STEPS = 200, GROUP_STEPS = 100 };
static const double most_sigmas = 5.7;

static void compare(const double *series, int steps, const char *observable, lat_group group, int64_t volume,
                    const char *name, double beta, double most_error)
{
    mc_estimate e = mc_gamma(series, REPLICAS, steps);
    double exact = lat_exact2d(observable, group, beta, volume);
    ok(fabs(e.mean - exact) < most_sigmas * e.error && e.error < most_error,
       "%s, %s, beta = %g: %s %.5f +- %.5f, tau_int %.2f, exact %.5f", lat_group_names[group], name, beta, observable,
       e.mean, e.error, e.tau_int, exact);
}

static void test_updates(const char *updates, const char *name, double beta)
{
    char *text =
        lat_text("lattice = { group = \"u1\"; size = [8, 8]; }; action = ( { kind = \"wilson\"; beta = %g; } );"
                 "chain = { seed = 21; replicas = %d; }; updates = ( %s );",
                 beta, REPLICAS, updates);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    int integers = 0;
    double *p = lat_alloc(REPLICAS * STEPS, sizeof *p), *q = lat_alloc(REPLICAS * STEPS, sizeof *q), now[2 * REPLICAS];
    chain_run(&t, THERMALISE);
    for (int i = 0; i < STEPS; i++) {
        chain_run(&t, 1);
        observe("plaquette", t.chain->state->gauge, now);
        for (int r = 0; r < REPLICAS; r++) p[r * STEPS + i] = now[r];
        observe("charge", t.chain->state->gauge, now);
        for (int r = 0; r < REPLICAS; r++) q[r * STEPS + i] = now[2 * r + 1];
        for (int r = 0; r < REPLICAS; r++) integers += now[2 * r] == rint(now[2 * r]);
    }
    ok(integers == REPLICAS * STEPS, "%s, beta %g: every charge is an integer to the last bit", name, beta);
    compare(p, STEPS, "plaquette", LAT_U1, 64, name, beta, 0.002);
    compare(q, STEPS, "charge_squared", LAT_U1, 64, name, beta, 0.2);
    free(p);
    free(q);
    free(text);
    chain_end(&t);
}

static void test_group(lat_group group, double beta, const char *updates, const char *name)
{
    static const char *const observables[] = {"plaquette", "wilson_loop_2x2"};
    char *text =
        lat_text("lattice = { group = \"%s\"; size = [4, 4]; }; action = ( { kind = \"wilson\"; beta = %g; } );"
                 "chain = { seed = 22; replicas = %d; }; updates = ( %s );",
                 lat_group_names[group], beta, REPLICAS, updates);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    double *series[2], now[2 * REPLICAS];
    for (int o = 0; o < 2; o++) series[o] = lat_alloc(REPLICAS * GROUP_STEPS, sizeof **series);
    chain_run(&t, GROUP_STEPS / 2);
    for (int i = 0; i < GROUP_STEPS; i++) {
        chain_run(&t, 1);
        for (int o = 0; o < 2; o++) {
            observe(observables[o], t.chain->state->gauge, now);
            for (int r = 0; r < REPLICAS; r++) series[o][r * GROUP_STEPS + i] = now[r];
        }
    }
    for (int o = 0; o < 2; o++) {
        compare(series[o], GROUP_STEPS, observables[o], group, 16, name, beta, 0.004);
        free(series[o]);
    }
    free(text);
    chain_end(&t);
}

static void test_groups(void)
{
    static const char *const heatbath = "{ kind = \"heatbath\"; }";
    static const char *const both = "{ kind = \"heatbath\"; }, { kind = \"overrelax\"; count = 2; }";
    static const char *const hmc = "{ kind = \"hmc\"; trajectory = 1.0; steps = 4; integrator = \"omf2\"; }";
    static const double beta[LAT_GROUPS][2] = {[LAT_SU2] = {1.8, 5}, [LAT_SU3] = {4, 8}};
    for (int group = LAT_SU2; group <= LAT_SU3; group++)
        for (int i = 0; i < 2; i++) {
            test_group((lat_group)group, beta[group][i], i == 0 ? both : heatbath,
                       i == 0 ? "heatbath and overrelax" : "heatbath");
            test_group((lat_group)group, beta[group][i], hmc, "hmc");
        }
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
    test_groups();
    return tap_end();
}
