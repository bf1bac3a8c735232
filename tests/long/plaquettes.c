/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 2
 *
 * plaquettes.c: the plaquette of the Wilson action in four dimensions.  SU(3): reference values of another program,
 * whose errors are taken 1.5 times as large; they agree with the literature (0.5492 and 0.5937 at beta = 5.7 and 6.0).
 * SU(2) at beta = 2.3: heatbath and Hybrid Monte Carlo against each other.  Two dimensions, with more statistics than
 * the short tests: exact values.  10 comparisons at 5.4 standard deviations: false by chance with a probability of
 * 7e-7.
 */
#include "tests/chain.h"
#include "tests/observe.h"

static const double most_sigmas = 5.4;

static const char *const heatbath = "{ kind = \"heatbath\"; }, { kind = \"overrelax\"; count = 4; }";
static const char *const hmc = "{ kind = \"hmc\"; trajectory = 1.0; steps = 4; integrator = \"omf4\"; }";

/* size: "[8, 8, 8, 8]".  Beginning from unit links. */
static mc_estimate run(lat_group group, const char *size, double beta, const char *updates, int replicas, int steps)
{
    char *text = lat_text("lattice = { group = \"%s\"; size = %s; }; action = ( { kind = \"wilson\"; beta = %g; } );"
                          "chain = { seed = 41; start = \"cold\"; replicas = %d; }; updates = ( %s );",
                          lat_group_names[group], size, beta, replicas, updates);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    double *series = lat_alloc((int64_t)replicas * steps, sizeof *series), *now = lat_alloc(replicas, sizeof *now);
    chain_run(&t, 300 + steps / 10);
    for (int i = 0; i < steps; i++) {
        chain_run(&t, 1);
        observe("plaquette", t.chain->state->gauge, now);
        for (int r = 0; r < replicas; r++) series[(int64_t)r * steps + i] = now[r];
    }
    mc_estimate e = mc_gamma(series, replicas, steps);
    free(series);
    free(now);
    free(text);
    chain_end(&t);
    return e;
}

static void compare(lat_group group, const char *size, double beta, const char *name, mc_estimate e, double expected,
                    double width)
{
    double sigmas = (e.mean - expected) / hypot(e.error, width);
    ok(fabs(sigmas) < most_sigmas && e.error < 5e-4,
       "%s %s, beta = %g, %s: %.5f +- %.5f, tau_int %.2f, expected %.5f +- %.5f (%.1f)", lat_group_names[group], size,
       beta, name, e.mean, e.error, e.tau_int, expected, width, sigmas);
}

static void test_su3(const char *size, double beta, const char *updates, int steps, double expected, double width)
{
    mc_estimate e = run(LAT_SU3, size, beta, updates, 1, steps);
    compare(LAT_SU3, size, beta, updates == hmc ? "hmc" : "heatbath and overrelax", e, expected, 1.5 * width);
}

static void test_plane(lat_group group, double beta, const char *updates)
{
    mc_estimate e = run(group, "[8, 8]", beta, updates, 64, 2000);
    compare(group, "[8, 8]", beta, updates == hmc ? "hmc" : "heatbath and overrelax", e,
            lat_exact2d("plaquette", group, beta, 64), 0);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_plane(LAT_SU2, 2.2, heatbath);
    test_plane(LAT_SU2, 2.2, hmc);
    test_plane(LAT_SU3, 6, heatbath);
    test_plane(LAT_SU3, 6, hmc);
    mc_estimate draw = run(LAT_SU2, "[8, 8, 8, 8]", 2.3, heatbath, 1, 4000),
                move = run(LAT_SU2, "[8, 8, 8, 8]", 2.3, hmc, 1, 2000);
    compare(LAT_SU2, "[8, 8, 8, 8]", 2.3, "hmc against heatbath", move, draw.mean, draw.error);
    test_su3("[8, 8, 8, 8]", 1, heatbath, 1000, 0.06006, 0.00008);
    test_su3("[8, 8, 8, 8]", 1, hmc, 500, 0.06006, 0.00008);
    test_su3("[12, 12, 12, 12]", 5.7, heatbath, 600, 0.54886, 0.00014);
    test_su3("[12, 12, 12, 12]", 6, heatbath, 300, 0.59374, 0.00007);
    test_su3("[12, 12, 12, 12]", 6, hmc, 100, 0.59374, 0.00007);
    return tap_end();
}
