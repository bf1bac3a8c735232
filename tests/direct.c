/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * direct.c: the parameter-free sampler of U(1) in two dimensions gives the exact plaquette, susceptibility and Wilson
 * loop, has the acceptance and ESS that follow from the weight of its last plaquette, leaves the distribution as it
 * is when mixed with other updates, and is the same to the last bit on any ranks.  26 comparisons at 5.7 standard
 * deviations: false by chance with a probability of 3e-7.
 */
#include "tests/chain.h"
#include "tests/observe.h"

static const double most_sigmas = 5.7;

static test_chain begin(MPI_Comm comm, const char *lattice, double beta, int replicas, const char *updates)
{
    char *text = lat_text("lattice = { group = \"u1\"; size = %s; }; action = ( { kind = \"wilson\"; beta = %g; } );"
                          "chain = { seed = 7; replicas = %d; thermalise = 20; }; updates = ( %s );",
                          lattice, beta, replicas, updates);
    test_chain t = chain_begin(comm, text);
    free(text);
    return t;
}

/* ---------------------------------------------------------------------------------------------------- exact results */

/* Expected acceptance of independence Metropolis, sum_ij p_i q_j min(1, w_j / w_i), and ESS, by quadrature: the
 * proposal of the last plaquette is uniform (up to exp(-V)), its weight exp(beta cos P). */
static void expected(double beta, double *acceptance, double *ess)
{
    enum { POINTS = 10000 };
    double z = 0, squares = 0, sum = 0;
    for (int i = POINTS; i-- > 0;) { /* the weights rise: the smaller of two is known */
        double w = exp(beta * (cos(M_PI * (i + 0.5) / POINTS) - 1));
        z += w / POINTS;
        squares += w * w / POINTS;
        sum += w / POINTS * (2 * i + 1) / POINTS;
    }
    *acceptance = sum / z;
    *ess = z * z / squares;
}

static void test_exact(const char *lattice, int64_t volume, double beta, const char *more, int64_t steps)
{
    enum { REPLICAS = 16, COLUMNS = 4 };
    static const char *const names[] = {"plaquette", "wilson_loop_3x3", "charge"};
    static const char *const exact[] = {"plaquette", "wilson_loop_3x3", "charge", "charge_squared"};
    char *updates = lat_text("{ kind = \"direct\"; }%s", more);
    test_chain t = begin(MPI_COMM_WORLD, lattice, beta, REPLICAS, updates);
    double *series[COLUMNS], now[2 * REPLICAS];
    for (int c = 0; c < COLUMNS; c++) series[c] = lat_alloc(REPLICAS * steps, sizeof *series[c]);
    chain_run(&t, 20);
    for (int64_t step = 0; step < steps; step++) {
        chain_run(&t, 1);
        for (int i = 0; i < 3; i++) {
            int columns = observe(names[i], t.chain->state->gauge, now);
            for (int r = 0; r < REPLICAS; r++)
                for (int c = 0; c < columns; c++)
                    series[i + c][r * steps + step] = now[columns * r + c];
        }
    }
    for (int c = 0; c < COLUMNS; c++) {
        mc_estimate e = mc_gamma(series[c], REPLICAS, steps);
        double value = lat_exact2d(exact[c], LAT_U1, beta, volume);
        ok(fabs(e.mean - value) < most_sigmas * e.error, "%s, beta = %g%s: %s %.6f +- %.6f, exact %.6f, tau_int %.2f",
           lattice, beta, more, exact[c], e.mean, e.error, value, e.tau_int);
        free(series[c]);
    }
    if (!*more) {
        double acceptance, ess, n = REPLICAS * (double)steps;
        expected(beta, &acceptance, &ess);
        /* a decision is binomial, and what is remembered from one to the next makes the error at most three times
         * larger */
        ok(fabs(chain_figure(&t, 0, "acceptance") - acceptance) <
               most_sigmas * 3 * sqrt(fabs(acceptance * (1 - acceptance)) / n) + 1e-9,
           "%s, beta = %g: acceptance %.4f, expected %.4f", lattice, beta, chain_figure(&t, 0, "acceptance"),
           acceptance);
        ok(fabs(chain_figure(&t, 0, "ess") - ess) < most_sigmas * 2 * sqrt(ess / n),
           "%s, beta = %g: ESS %.4f, expected %.4f", lattice, beta, chain_figure(&t, 0, "ess"), ess);
    }
    free(updates);
    chain_end(&t);
}

/* ------------------------------------------------------------------------------------------------------------ ranks */

static uint64_t run(MPI_Comm comm, const char *lattice, int replicas, const char *updates)
{
    test_chain t = begin(comm, lattice, 3, replicas, updates);
    int64_t n = t.chain->geometry->volume * t.chain->state->gauge->links->components;
    double *links = lat_alloc(n, sizeof *links);
    uint64_t hash = 1469598103934665603ull;
    chain_run(&t, 12);
    for (int m = 0; m < replicas; m++) {
        lat_field_gather(t.chain->state->gauge->links, m, links);
        for (size_t i = 0; i < (size_t)n * sizeof *links; i++)
            hash = (hash ^ ((unsigned char *)links)[i]) * 1099511628211ull;
    }
    for (int64_t i = 0; i < t.updates[0]->memory_count; i++) {
        double state = t.updates[0]->memory[i];
        for (size_t byte = 0; byte < sizeof state; byte++)
            hash = (hash ^ ((unsigned char *)&state)[byte]) * 1099511628211ull;
    }
    free(links);
    chain_end(&t);
    return hash;
}

static void test_ranks(const char *lattice, int replicas, const char *updates)
{
    ok_all(run(MPI_COMM_WORLD, lattice, replicas, updates) == run(MPI_COMM_SELF, lattice, replicas, updates),
           "%s, %d replicas, %s: the same to the last bit on %d ranks", lattice, replicas, updates, tap.ranks);
}

/* A refusal is one line and LAT_CONFIG. */
static void test_refusal(const char *lattice)
{
    char *text = lat_text("lattice = { group = \"u1\"; size = %s; }; action = ( { kind = \"wilson\"; beta = 2; } ); "
                          "updates = ( { kind = \"direct\"; } );",
                          lattice);
    lat_error error = {0};
    lat_settings *root;
    mc_chain *chain = NULL;
    mc_update **updates = NULL;
    int count;
    if (lat_settings_parse(text, "test", &root, &error) || mc_chain_create(MPI_COMM_WORLD, root, lat_action_kinds, lat_dirac_tables, ".", &chain, &error))
        lat_abort(error.status, "%s", error.text);
    chain_updates(root, chain, &updates, &count, &error);
    ok(error.status == LAT_CONFIG && !strchr(error.text, '\n'), "%s: refused: %s", lattice, error.text);
    mc_chain_free(chain);
    lat_settings_free(root);
    free(text);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    if (tap.ranks == 1) {
        test_exact("[8, 8]", 64, 0, "", 2000);
        test_exact("[16, 16]", 256, 2, "", 2000);
        test_exact("[5, 7]", 35, 2.5, "", 4000);
        test_exact("[16, 16]", 256, 7, ", { kind = \"heatbath\"; }, { kind = \"overrelax\"; }", 2000);
        test_exact("[32, 32]", 1024, 28, "", 800);
    }
    test_refusal("[4, 4, 4]");
    test_ranks("[8, 8]", 1, "{ kind = \"direct\"; }");
    test_ranks("[12, 8]", 5, "{ kind = \"direct\"; }");
    test_ranks("[8, 16]", 3,
               "{ kind = \"direct\"; }, { kind = \"hmc\"; trajectory = 0.5; steps = 3; }, { kind = \"instanton\"; }");
    return tap_end();
}
