/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 2
 *
 * evolutions.c: SU(3) on 8^4 at beta = 6.0 with a defect of 2^3: a pilot finds the rungs of a ladder whose swaps are accepted as the variances
 * foretell; evolutions in 20 and 60 steps dissipate what they foretell; Delta F from evolutions and from the ladder (C. H. Bennett, J. Comput.
 * Phys. 22 (1976) 245: averages of exp(-dS / 2) both ways between neighbours), and both lengths, agree.
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

enum { THERMALISE = 128, STEPS = 400, BLOCKS = 20 };

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
    char *text = configuration("couplings = \"auto\"; acceptance = 0.25;", 1, THERMALISE, "{ kind = \"tempering\"; }");
    test_chain pilot = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&pilot, THERMALISE);
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
    char *text = configuration("couplings = \"auto\"; acceptance = 0.25;", 1, THERMALISE, "{ kind = \"tempering\"; }");
    test_chain t = chain_begin_on(MPI_COMM_WORLD, text, &rungs);
    exchange *block = lat_alloc(BLOCKS, sizeof *block);
    chain_run(&t, THERMALISE);
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
    /* What a pilot of so few steps knows of deviations is off by a tenth. */
    ok(chain_figure(&t, 2, "least_acceptance") > 0.12,
       "%d rungs, length %.2f: Delta F %.3f +- %.3f by swaps, %.0f round trips", rungs.rungs, *length, *delta_f, *error,
       chain_figure(&t, 2, "round_trips"));
    json_decref(report);
    free(block);
    free(text);
    chain_end(&t);
}

/* ---------------------------------------------------------------------------------------------------------- evolutions */

/* Their dissipated work is what the variances foretell with tau = 1/2, where tau is that of one sweep.  Returns the length. */
static double test_evolutions(int steps, int launches, double delta_f, double error)
{
    enum { FIRST = 50 };
    char *update = lat_text(
        "{ kind = \"nonequilibrium\"; coupling = 1.0; steps = %d; updates = ( { kind = \"heatbath\"; } ); }", steps);
    char *text = configuration("coupling = 0.0;", 8, FIRST, update);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&t, FIRST + launches);
    const double f = chain_figure(&t, 2, "delta_f"), f_error = chain_figure(&t, 2, "delta_f_error"),
                 length = chain_figure(&t, 2, "length"), dissipated = chain_figure(&t, 2, "dissipated_work"),
                 foretold = chain_figure(&t, 2, "predicted_dissipated_work"),
                 dissipated_error = hypot(chain_figure(&t, 2, "work_error"), f_error);
    ok(fabs(f - delta_f) < most_sigmas * hypot(f_error, error),
       "%d steps: Delta F %.3f +- %.3f by %.0f evolutions, ESS %.3f, length %.2f", steps, f, f_error,
       chain_figure(&t, 2, "evolutions"), chain_figure(&t, 2, "ess"), length);
    ok(dissipated > foretold - most_sigmas * dissipated_error &&
           dissipated < 1.6 * foretold + most_sigmas * dissipated_error,
       "%d steps: dissipated work %.3f +- %.3f, foretold %.3f with tau = 1/2", steps, dissipated, dissipated_error,
       foretold);
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
    const double of_20 = test_evolutions(20, 40, delta_f, error), of_60 = test_evolutions(60, 20, delta_f, error);
    ok(fabs(of_60 / length - 1) < 0.15, "the length by evolutions, %.2f and %.2f, by a ladder %.2f", of_20, of_60,
       length);
    return tap_end();
}
