/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 2
 *
 * baselines.c: the conventional updates at length, on a 16x16 torus: exact plaquette, susceptibility and Wilson loop,
 * and the autocorrelation times of the charge that hmc, heatbath and hmc with an instanton are known to have
 * (independent program, trajectories of length 1; 15 % are allowed for the integrator).  28 comparisons at 5.7 standard
 * deviations: false by chance with a probability of 4e-7.
 */
#include "tests/chain.h"
#include "tests/observe.h"

enum { REPLICAS = 32 };
static const double most_sigmas = 5.7;

typedef struct {
    const char *name, *updates;
    double beta, tau; /* of the charge */
    int64_t steps;
} baseline;

static void measure(const baseline *b, double *series[4])
{
    static const char *const names[] = {"plaquette", "wilson_loop_3x3", "charge"};
    char *text =
        lat_text("lattice = { group = \"u1\"; size = [16, 16]; }; action = ( { kind = \"wilson\"; beta = %g; } );"
                 "chain = { seed = 77; replicas = %d; }; updates = ( %s );",
                 b->beta, REPLICAS, b->updates);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    double now[2 * REPLICAS];
    chain_run(&t, 200 + (int64_t)(20 * b->tau));
    for (int64_t step = 0; step < b->steps; step++) {
        chain_run(&t, 1);
        for (int i = 0; i < 3; i++) {
            int columns = observe(names[i], t.chain->state->gauge, now);
            for (int r = 0; r < REPLICAS; r++)
                for (int c = 0; c < columns; c++)
                    series[i + c][r * b->steps + step] = now[columns * r + c];
        }
    }
    free(text);
    chain_end(&t);
}

static void test(const baseline *b)
{
    static const char *const exact_names[] = {"plaquette", "wilson_loop_3x3", NULL, "charge_squared"};
    double *series[4];
    for (int i = 0; i < 4; i++) series[i] = lat_alloc(REPLICAS * b->steps, sizeof *series[i]);
    measure(b, series);
    for (int i = 0; i < 4; i++) {
        mc_estimate e = mc_gamma(series[i], REPLICAS, b->steps);
        double exact = exact_names[i] ? lat_exact2d(exact_names[i], LAT_U1, b->beta, 256) : b->tau;
        if (exact_names[i])
            ok(fabs(e.mean - exact) < most_sigmas * e.error, "%s, beta = %g: %s %.6f +- %.6f, exact %.6f", b->name,
               b->beta, exact_names[i], e.mean, e.error, exact);
        else
            ok(fabs(e.tau_int - exact) < most_sigmas * e.tau_int_error + 0.15 * exact,
               "%s, beta = %g: tau_int of the charge %.2f +- %.2f, known %.2f", b->name, b->beta, e.tau_int,
               e.tau_int_error, exact);
        free(series[i]);
    }
}

int main(int argc, char **argv)
{
    static const char *const hmc = "{ kind = \"hmc\"; trajectory = 1.0; steps = 8; integrator = \"omf2\"; }";
    static const char *const winding =
        "{ kind = \"hmc\"; trajectory = 1.0; steps = 8; integrator = \"omf2\"; }, { kind = \"instanton\"; }";
    const baseline baselines[] = {
        {"hmc", hmc, 1, 1.05, 2000},
        {"hmc", hmc, 2, 3.0, 4000},
        {"hmc", hmc, 3, 12.2, 8000},
        {"heatbath", "{ kind = \"heatbath\"; }", 3, 4.5, 8000},
        {"hmc and instanton", winding, 3, 4.1, 4000},
        {"hmc and instanton", winding, 5, 4.2, 4000},
        {"hmc and instanton", winding, 7, 3.0, 4000},
    };
    tap_start(&argc, &argv);
    for (size_t i = 0; i < sizeof baselines / sizeof *baselines; i++) test(&baselines[i]);
    return tap_end();
}
