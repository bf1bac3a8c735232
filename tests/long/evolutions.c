/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 2
 *
 * evolutions.c: SU(3) on 8^4 at beta = 6.0 with a defect of 2^3: a pilot finds the rungs of a ladder whose swaps are accepted as the variances
 * foretell; evolutions in 25 and 100 steps dissipate Lambda^2 tau / n; and Delta F from evolutions, from swaps (C. H. Bennett, J. Comput.
 * Phys. 22 (1976) 245: here the two averages of exp(-dS) between neighbours) and from the integral of <dS/dc> agree.
 * Comparisons at 5 standard deviations: false by chance with a probability of 2e-6.
 */
#include "hmc/updates/schedule.h"
#include "hmc/updates/tempering.h"
#include "tests/chain.h"

static const double most_sigmas = 5;
static const char lattice[] =
    "lattice = { group = \"su3\"; size = [8, 8, 8, 8]; defect = { size = [2, 2, 2]; %s }; };"
    "action = ( { kind = \"wilson\"; beta = 6.0; } ); chain = { seed = 4; replicas = %d; thermalise = %d; };"
    "updates = ( { kind = \"heatbath\"; }, { kind = \"overrelax\"; count = 2; }, %s );";

static char *configuration(const char *defect, int replicas, int thermalise, const char *update)
{
    return lat_text(lattice, defect, replicas, thermalise, update);
}

/* ------------------------------------------------------------------------------------------------------------- a ladder */

enum { STEPS = 600, BLOCKS = 20 };

/* Sums over the steps of a block, at each rung, of exp(-(S' - S) / 2), S' with the coupling of the next rung, and with that of the one before. */
typedef struct {
    double next[LAT_MOST_RUNGS], before[LAT_MOST_RUNGS];
} exchange;

static double exponential(const mc_ladder *ladder, int rung, int to, const double *figure)
{
    const double a = ladder->coupling[rung], b = ladder->coupling[to];
    return exp(-(b - a) * (figure[1] + (a + b) * figure[2]) / 2);
}

static void add(const test_chain *t, exchange *sum)
{
    const mc_ladder *ladder = t->chain->state->ladder;
    for (int m = 0; m < ladder->members; m++) {
        const int rung = ladder->rung[m];
        const double *figure = t->updates[2]->figure + 3 * m;
        if (rung + 1 < ladder->rungs) sum->next[rung] += exponential(ladder, rung, rung + 1, figure);
        if (rung > 0) sum->before[rung] += exponential(ladder, rung, rung - 1, figure);
    }
}

/* F at the first rung less F at the last, of all blocks but one (`without` -1: of all). */
static double free_energy(const exchange *block, int rungs, int without)
{
    double sum = 0;
    for (int i = 0; i + 1 < rungs; i++) {
        double next = 0, before = 0;
        for (int b = 0; b < BLOCKS; b++) {
            next += b == without ? 0 : block[b].next[i];
            before += b == without ? 0 : block[b].before[i + 1];
        }
        sum += log(next / before);
    }
    return sum;
}

static void read_rungs(lat_rungs *rungs)
{
    char *text = configuration("couplings = \"auto\"; acceptance = 0.25;", 1, 256, "{ kind = \"tempering\"; }");
    test_chain pilot = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&pilot, 256);
    mc_tempering_plan(pilot.updates[2], rungs);
    chain_end(&pilot);
    free(text);
}

static double figure_at(const json_t *report, const char *key, int i)
{
    return json_number_value(json_array_get(json_object_get(report, key), (size_t)i));
}

/* As many lattices as the pilot says; Delta F from c = 0 to c = 1, and its error. */
static void test_ladder(double *delta_f, double *error, double *length)
{
    lat_rungs rungs;
    read_rungs(&rungs);
    char *text = configuration("couplings = \"auto\"; acceptance = 0.25;", 1, 256, "{ kind = \"tempering\"; }");
    test_chain t = chain_begin_on(MPI_COMM_WORLD, text, &rungs);
    exchange *block = lat_alloc(BLOCKS, sizeof *block);
    chain_run(&t, 256);
    for (int i = 0; i < STEPS; i++) {
        chain_run(&t, 1);
        add(&t, &block[i * BLOCKS / STEPS]);
    }
    json_t *report = json_object();
    t.updates[2]->table->report(t.updates[2], report);
    for (int i = 0; i + 1 < rungs.rungs; i++) {
        const double accepted = figure_at(report, "acceptances", i),
                     foretold = figure_at(report, "predicted_acceptances", i);
        ok(fabs(accepted - foretold) < 0.02 + most_sigmas * sqrt(foretold * (1 - foretold) / STEPS),
           "rungs %d and %d, c = %.3f and %.3f: acceptance %.3f, foretold %.3f", i, i + 1, rungs.coupling[i],
           rungs.coupling[i + 1], accepted, foretold);
    }
    *length = chain_figure(&t, 2, "length");
    *delta_f = free_energy(block, rungs.rungs, -1);
    *error = 0;
    for (int b = 0; b < BLOCKS; b++)
        *error += pow(free_energy(block, rungs.rungs, b) - *delta_f, 2) * (BLOCKS - 1) / BLOCKS;
    *error = sqrt(*error);
    ok(chain_figure(&t, 2, "least_acceptance") > 0.2,
       "%d rungs, length %.2f: Delta F %.3f +- %.3f by swaps, %.0f round trips", rungs.rungs, *length, *delta_f, *error,
       chain_figure(&t, 2, "round_trips"));
    json_decref(report);
    free(block);
    free(text);
    chain_end(&t);
}

/* ---------------------------------------------------------------------------------------------------------- evolutions */

/* The dissipated work times steps / Lambda^2, which is tau. */
static double test_evolutions(int steps, int evolutions, double delta_f, double error)
{
    char *update = lat_text("{ kind = \"nonequilibrium\"; coupling = 1.0; steps = %d; adapt = true; updates = ( { kind "
                            "= \"heatbath\"; } ); }",
                            steps);
    char *text = configuration("coupling = 0.0;", 8, 65, update);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&t, 65 + evolutions / 8);
    const double f = chain_figure(&t, 2, "delta_f"), f_error = chain_figure(&t, 2, "delta_f_error"),
                 length = chain_figure(&t, 2, "length"), dissipated = chain_figure(&t, 2, "dissipated_work"),
                 work_error = chain_figure(&t, 2, "work_error");
    ok(fabs(f - delta_f) < most_sigmas * hypot(f_error, error),
       "%d steps: Delta F %.3f +- %.3f by %.0f evolutions, ESS %.3f, length %.2f", steps, f, f_error,
       chain_figure(&t, 2, "evolutions"), chain_figure(&t, 2, "ess"), length);
    const double tau = dissipated * steps / (length * length),
                 tau_error = hypot(work_error, f_error) * steps / (length * length);
    ok(tau > 0.5 - most_sigmas * tau_error && tau < 1 + most_sigmas * tau_error,
       "%d steps: dissipated work %.3f, Lambda^2 tau / n with tau = %.2f +- %.2f", steps, dissipated, tau, tau_error);
    chain_end(&t);
    free(text);
    free(update);
    return length;
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    double delta_f, error, length;
    test_ladder(&delta_f, &error, &length);
    const double of_25 = test_evolutions(25, 400, delta_f, error), of_100 = test_evolutions(100, 160, delta_f, error);
    ok(fabs(of_100 / length - 1) < 0.15, "the length by evolutions, %.2f and %.2f, by a ladder %.2f", of_25, of_100,
       length);
    return tap_end();
}
