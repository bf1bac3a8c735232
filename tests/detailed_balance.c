/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * detailed_balance.c: in equilibrium, going from state i to state j is as frequent as going from j to i.  States are
 * bins of gauge-invariant angles of a 2x2 lattice, or of its action; n_ij counts independent pairs (before, after),
 * which many replicas and sweeps in between provide, and sum_{i<j} (n_ij - n_ji)^2 / (n_ij + n_ji) is then a chi^2.
 * hmc and instanton are tested as they are, heatbath and overrelaxation one direction and parity at a time: a sweep is
 * a sequence of steps that are in detailed balance, and is not so itself; nor is an update of SU(3), which goes from one
 * subgroup to the next.  15 tests at 5.5 standard deviations, false by chance with a probability of 5e-7.
 */
#include "lattice/gauge/kernels.h"
#include "tests/chain.h"
#include "tests/matrix.h"

enum {
    PLAQUETTE_BINS = 4,
    LOOP_BINS = 3,
    STATES = PLAQUETTE_BINS * PLAQUETTE_BINS * LOOP_BINS,
    LEVELS = 8,
    REPLICAS = 4096,
    ROUNDS = 20
};

/* Bin of a number between low and high. */
static int part(double x, double low, double high, int bins)
{
    int b = (int)((x - low) / (high - low) * bins);
    return b < 0 ? 0 : b < bins ? b : bins - 1;
}

static int bin(double angle, int bins)
{
    double turned = angle / (2 * M_PI);
    int b = (int)((turned - floor(turned)) * bins);
    return b < bins ? b : 0;
}

/* Two neighbouring plaquettes, and the loop that winds around direction 1. */
static void find_states(const mc_chain *chain, int *state)
{
    for (int m = 0; m < REPLICAS; m++) {
        double u[8]; /* [y][x][direction] */
        lat_field_gather(chain->state->gauge->links, m, u);
        double first = u[0] + u[3] - u[4] - u[1], second = u[2] + u[1] - u[6] - u[3], loop = u[1] + u[5];
        state[m] = (bin(first, PLAQUETTE_BINS) * PLAQUETTE_BINS + bin(second, PLAQUETTE_BINS)) * LOOP_BINS +
                   bin(loop, LOOP_BINS);
    }
}

/* The same by the traces of the matrices, for SU(2) and SU(3). */
static void find_traces(const mc_chain *chain, int *state)
{
    double real[8 * 18], n = chain->state->gauge->group + 1;
    plain_field f = {.group = chain->state->gauge->group, .dim = 2, .size = {2, 2, 1, 1}, .real = real};
    for (int m = 0; m < REPLICAS; m++) {
        lat_field_gather(chain->state->gauge->links, m, real);
        double trace[2];
        for (int x = 0; x < 2; x++) {
            matrix there = matrix_product(plain_link(&f, x, 0), plain_link(&f, 1 - x, 1));
            matrix back = matrix_product(plain_link(&f, x, 1), plain_link(&f, x + 2, 0));
            trace[x] = creal(matrix_trace(matrix_product(there, matrix_dagger(back)))) / n;
        }
        double loop = creal(matrix_trace(matrix_product(plain_link(&f, 0, 1), plain_link(&f, 2, 1)))) / n;
        state[m] =
            (part(trace[0], -0.5, 1, PLAQUETTE_BINS) * PLAQUETTE_BINS + part(trace[1], -0.5, 1, PLAQUETTE_BINS)) *
                LOOP_BINS +
            part(loop, -0.6, 0.6, LOOP_BINS);
    }
}

static void find_any_states(const mc_chain *chain, int *state)
{
    if (chain->state->gauge->group == LAT_U1)
        find_states(chain, state);
    else
        find_traces(chain, state);
}

/* Bins of the action, which lies between 0 and 2 beta for each of the four plaquettes. */
static void find_levels(mc_chain *chain, int *level)
{
    double *action = lat_alloc(REPLICAS, sizeof *action), most = 8 * lat_action_beta(chain->action);
    lat_action_total(chain->action, chain->state->gauge, action);
    for (int m = 0; m < REPLICAS; m++) level[m] = (int)(fmin(fmax(action[m] / most, 0), 0.999) * LEVELS);
    free(action);
}

/* n: [states][states] */
static void check(const int64_t *n, int states, const char *name, const char *of)
{
    double chi_square = 0, moved = 0, stayed = 0;
    int pairs = 0;
    for (int i = 0; i < states; i++) {
        stayed += (double)n[i * states + i];
        for (int j = 0; j < i; j++) {
            double both = (double)(n[i * states + j] + n[j * states + i]),
                   difference = (double)(n[i * states + j] - n[j * states + i]);
            moved += both;
            if (both == 0) continue;
            chi_square += difference * difference / both;
            pairs++;
        }
    }
    ok(moved > 9e3 && fabs(chi_square_sigmas(chi_square, pairs)) < 5.5,
       "%s, %s: %.0f%% of the pairs moved, chi^2 %.1f for %d pairs of states", name, of, 100 * moved / (moved + stayed),
       chi_square, pairs);
}

/* One direction and one parity, which change from round to round. */
static void update_some_links(mc_chain *chain, bool reflect, int round)
{
    lat_geometry *g = chain->geometry;
    lat_range range = lat_range_of(g, &g->parity[round / 2 % 2]);
    lat_random random = mc_random(chain->state, LAT_RANDOM_TEST, 0);
    lat_halo_exchange(chain->state->gauge->links);
    heatbath_args draw = {lat_tables_of(g), chain->state->gauge->links->data, lat_action_beta(chain->action), round % 2,
                          lat_random_key(&random)};
    overrelax_args turn = {lat_tables_of(g), chain->state->gauge->links->data, round % 2};
    if (reflect)
        lat_kernels_of(chain->state->gauge->links, chain->state->gauge->group)->overrelax(&turn, &range);
    else
        lat_kernels_of(chain->state->gauge->links, chain->state->gauge->group)->heatbath(&draw, &range);
}

typedef enum { WHOLE_UPDATE, HEATBATH, OVERRELAX } what;

/* mixing comes first in the list of updates, the update under test last. */
static void test_balance(lat_group group, double beta, const char *update, what what, const char *name)
{
    const char *mixing = group == LAT_U1 ? "{ kind = \"instanton\"; }" : "{ kind = \"overrelax\"; }";
    char *text =
        lat_text("lattice = { group = \"%s\"; size = [2, 2]; }; action = ( { kind = \"wilson\"; beta = %g; } );"
                 "chain = { seed = 31; replicas = %d; };"
                 "updates = ( { kind = \"heatbath\"; count = 4; }, %s, { kind = \"heatbath\"; count = 4; }%s );",
                 lat_group_names[group], beta, REPLICAS, mixing, update);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    lat_error error = {0};
    int *before = lat_alloc(REPLICAS, sizeof *before), *after = lat_alloc(REPLICAS, sizeof *after);
    int *low = lat_alloc(REPLICAS, sizeof *low), *high = lat_alloc(REPLICAS, sizeof *high);
    int64_t *n = lat_alloc(STATES * STATES, sizeof *n), *levels = lat_alloc(LEVELS * LEVELS, sizeof *levels);
    for (int round = 0; round < ROUNDS; round++) {
        if (mc_chain_step(t.chain, t.updates, 3, &error)) lat_abort(error.status, "%s", error.text);
        find_any_states(t.chain, before);
        find_levels(t.chain, low);
        if (what != WHOLE_UPDATE)
            update_some_links(t.chain, what == OVERRELAX, round);
        else if (t.updates[3]->table->step(t.updates[3], t.chain->state, &error))
            lat_abort(error.status, "%s", error.text);
        find_any_states(t.chain, after);
        find_levels(t.chain, high);
        for (int m = 0; m < REPLICAS; m++) {
            n[before[m] * STATES + after[m]]++;
            levels[low[m] * LEVELS + high[m]]++;
        }
    }
    check(n, STATES, name, "angles");
    if (what != OVERRELAX) check(levels, LEVELS, name, "action"); /* it does not change the action */
    if (what == WHOLE_UPDATE && tap.rank == 0)
        printf("# %s: acceptance %.3f\n", name, chain_figure(&t, 3, "acceptance"));
    free(n);
    free(levels);
    free(low);
    free(high);
    free(before);
    free(after);
    free(text);
    chain_end(&t);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_balance(LAT_U1, 1.2, ", { kind = \"hmc\"; trajectory = 1.0; steps = 1; integrator = \"leapfrog\"; }",
                 WHOLE_UPDATE, "hmc, one leapfrog step");
    test_balance(LAT_U1, 1.2, ", { kind = \"hmc\"; trajectory = 1.5; steps = 1; integrator = \"omf4\"; }", WHOLE_UPDATE,
                 "hmc, omf4");
    test_balance(LAT_U1, 1.2, ", { kind = \"instanton\"; }", WHOLE_UPDATE, "instanton");
    test_balance(LAT_U1, 1.2, ", { kind = \"direct\"; }", WHOLE_UPDATE, "direct");
    test_balance(LAT_U1, 1.2, "", HEATBATH, "heatbath");
    test_balance(LAT_U1, 1.2, "", OVERRELAX, "overrelax");
    const char *omf4 = ", { kind = \"hmc\"; trajectory = 1.5; steps = 1; integrator = \"omf4\"; }";
    test_balance(LAT_SU2, 2, "", HEATBATH, "su2, heatbath");
    test_balance(LAT_SU2, 2, "", OVERRELAX, "su2, overrelax");
    test_balance(LAT_SU3, 4, omf4, WHOLE_UPDATE, "su3, hmc, omf4");
    return tap_end();
}
