/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * tempering.c: a swap changes the action by what it is decided by; on all ranks and lanes alike; members of the first rung have the exact
 * plaquette and charge of a periodic lattice in two dimensions, <exp(-Delta)> = 1, acceptances are those that the variances foretell, and
 * an adapted ladder has equal ones, and one whose couplings are "auto" the rungs that these take.
 * The 8 statistical comparisons fail by chance with a probability of 5e-6 all together; their random numbers are fixed.
 */
#include "hmc/updates/schedule.h"
#include "hmc/updates/tempering.h"
#include "tests/chain.h"
#include "tests/observe.h"

static test_chain begin(MPI_Comm comm, const char *group, const char *lattice, const char *action, const char *chain,
                        const char *updates)
{
    char *text =
        lat_text("lattice = { group = \"%s\"; %s }; action = ( { %s } ); chain = { seed = 3; %s }; updates = ( %s );",
                 group, lattice, action, chain, updates);
    test_chain t = chain_begin(comm, text);
    free(text);
    return t;
}

/* ---------------------------------------------------------------------------------------------------- change of a swap */

/* S of all members with this coupling at their defects. */
static double *actions_at(const test_chain *t, double coupling)
{
    mc_state *state = t->chain->state;
    double *action = lat_alloc(mc_members(state), sizeof *action);
    mc_ladder_couple_alike(state->ladder, state->gauge, coupling);
    lat_action_total(state->action, state->gauge, action);
    mc_ladder_couple(state->ladder, state->gauge);
    return action;
}

/* Largest deviation of the change of a swap, of all pairs of members, from that of the whole actions. */
static double worst_change(const test_chain *t, const mc_update *tempering, double c, double d)
{
    const int members = mc_members(t->chain->state);
    double *at_c = actions_at(t, c), *at_d = actions_at(t, d), worst = 0;
    for (int a = 0; a < members; a++)
        for (int b = 0; b < members; b++) {
            const double *f = tempering->figure + 3 * a, *h = tempering->figure + 3 * b;
            double change = mc_swap_change(c, d, &(mc_coupled){f[1], f[2]}, &(mc_coupled){h[1], h[2]});
            worst = fmax(worst, fabs(change - (at_d[a] + at_c[b] - at_c[a] - at_d[b])));
        }
    free(at_c);
    free(at_d);
    return worst;
}

static void test_change(const char *group, const char *lattice, const char *action)
{
    test_chain t = begin(MPI_COMM_WORLD, group, lattice, action, "replicas = 2;",
                         "{ kind = \"tempering\"; }, { kind = \"hmc\"; steps = 5; }, { kind = \"tempering\"; }");
    chain_run(&t, 4);
    const double *s = t.updates[2]->figure;
    double worst = fmax(worst_change(&t, t.updates[2], 1, 0.6), worst_change(&t, t.updates[2], 0.2, 0));
    ok_all(worst < 1e-10 && fabs(s[1] - s[4]) + fabs(s[2] - s[5]) > 0.01, "%s, %s %s: the change of swaps, to %.1g",
           group, lattice, action, worst);
    chain_end(&t);
}

/* ------------------------------------------------------------------------------------------------------ ranks and lanes */

/* While the ladder is being adapted. */
static void test_ranks(const char *group, const char *lattice, const char *lanes, const char *alone, const char *update)
{
    static const char text[] = "lattice = { group = \"%s\"; %s %s }; action = ( { kind = \"wilson\"; beta = 2.0; } );"
                               "chain = { seed = 3; replicas = 2; thermalise = 40; }; updates = ( { kind = \"%s\"; }, "
                               "{ kind = \"tempering\"; adapt = true; } );";
    char *here = lat_text(text, group, lattice, lanes, update), *one = lat_text(text, group, lattice, alone, update),
         *what = lat_text("%s, %s %s, %s", group, lattice, lanes, update);
    chain_everywhere(here, one, 25, 25, what);
    free(here);
    free(one);
    free(what);
}

/* ----------------------------------------------------------------------------------------------------------- statistics */

static void check(const char *what, const char *name, const mc_estimate *e, double exact)
{
    ok(fabs(e->mean - exact) < 5 * e->error && e->error < 0.05 * exact, "%s: %s %.6f +- %.6f, exact %.6f", what, name,
       e->mean, e->error, exact);
}

/* Means over members of the first rungs. */
static void test_exact(const char *group, lat_group number, const char *chain, const char *updates, int steps)
{
    test_chain t = begin(MPI_COMM_WORLD, group,
                         "size = [8, 8]; defect = { direction = 0; size = [3]; couplings = [1.0, 0.6, 0.3, 0.0]; };",
                         "kind = \"wilson\"; beta = 3.0;", chain, updates);
    const int replicas = mc_replicas(t.chain->state), columns = number == LAT_U1 ? 2 : 1;
    double *plaquette = lat_alloc((int64_t)replicas * steps, sizeof *plaquette),
           *charge = lat_alloc((int64_t)replicas * steps, sizeof *charge),
           *now = lat_alloc(2 * (int64_t)replicas, sizeof *now);
    chain_run(&t, (int64_t)t.chain->thermalise);
    for (int i = 0; i < steps; i++) {
        chain_run(&t, 1);
        lat_gauge *sample = mc_chain_sample(t.chain);
        observe("plaquette", sample, now);
        for (int r = 0; r < replicas; r++) plaquette[r * steps + i] = now[r];
        if (columns == 2) observe("charge", sample, now);
        for (int r = 0; r < replicas; r++) charge[r * steps + i] = now[columns * r + columns - 1];
    }
    mc_estimate p = mc_gamma(plaquette, replicas, steps), q = mc_gamma(charge, replicas, steps);
    check(group, "plaquette", &p, lat_exact2d("plaquette", number, 3, 64));
    if (columns == 2) check(group, "charge_squared", &q, lat_exact2d("charge_squared", number, 3, 64));
    double mean = chain_figure(&t, t.count - 1, "exp_minus_delta"),
           error = chain_figure(&t, t.count - 1, "exp_minus_delta_error");
    ok(fabs(mean - 1) < 5 * error && error < 0.05, "%s: <exp(-Delta)> = %.4f +- %.4f", group, mean, error);
    free(plaquette);
    free(charge);
    free(now);
    chain_end(&t);
}

/* Acceptances, and those that are foretold, of an update that tells them. */
static void read_acceptances(const mc_update *update, int pairs, double *measured, double *predicted)
{
    json_t *object = json_object();
    update->table->report(update, object);
    for (int i = 0; i < pairs; i++) {
        measured[i] = json_number_value(json_array_get(json_object_get(object, "acceptances"), (size_t)i));
        predicted[i] = json_number_value(json_array_get(json_object_get(object, "predicted_acceptances"), (size_t)i));
    }
    json_decref(object);
}

static void test_schedule(void)
{
    enum { PAIRS = 7 };
    test_chain t =
        begin(MPI_COMM_WORLD, "u1",
              "size = [16, 16]; defect = { size = [6]; couplings = [1.0, 0.99, 0.95, 0.9, 0.8, 0.7, 0.5, 0.0]; };",
              "kind = \"wilson\"; beta = 7.0;", "replicas = 8; thermalise = 300;",
              "{ kind = \"heatbath\"; }, { kind = \"tempering\"; adapt = true; }");
    double measured[PAIRS], predicted[PAIRS], off = 0, low = 1, high = 0;
    chain_run(&t, 700);
    read_acceptances(t.updates[1], PAIRS, measured, predicted);
    for (int i = 0; i < PAIRS; i++) {
        off = fmax(off, fabs(measured[i] - predicted[i]));
        low = fmin(low, measured[i]);
        high = fmax(high, measured[i]);
    }
    ok(off < 0.05, "acceptances are what the variances foretell, to %.3f", off);
    ok(low > 0.2 && high < 0.98 && high - low < 0.12, "an adapted ladder has acceptances from %.3f to %.3f", low, high);
    ok(chain_figure(&t, 1, "round_trips") > 10, "%.0f round trips", chain_figure(&t, 1, "round_trips"));
    chain_end(&t);
}

/* ------------------------------------------------------------------------------------------------------------ schedule */

static void test_even_out(void)
{
    double constant[5] = {1, 0.9, 0.3, 0.1, 0}, linear[4] = {1, 0.7, 0.2, 0};
    mc_ladder_even_out(constant, (double[]){3, 3, 3, 3, 3}, 5);
    mc_ladder_even_out(linear, (double[]){1, 0.7, 0.2, 0}, 4); /* length c^2 / 2 */
    bool good = true;
    for (int i = 0; i < 5; i++) good = good && fabs(constant[i] - (1 - i / 4.0)) < 1e-14;
    ok_all(good, "a constant variance: equal steps of the coupling");
    for (int i = 0; i < 4; i++) good = good && fabs(linear[i] - sqrt(1 - i / 3.0)) < 1e-14;
    ok_all(good, "a deviation that rises with the coupling: equal steps of its square");
    ok_all(fabs(mc_swap_acceptance(2 * 0.8134198475976) - 0.25) < 1e-9, "acceptance 0.25");
    ok_all(mc_ladder_rungs(9, 0.25) == 7 && mc_ladder_rungs(4 * 2 * 0.81341, 0.25) == 5 &&
               mc_ladder_rungs(4 * 2 * 0.81343, 0.25) == 6 && mc_ladder_rungs(0, 0.25) == 2,
           "rungs for an acceptance of 0.25");
}

/* As many rungs as it takes: with the next acceptance above what is asked for, and with one rung less it would be below. */
static void test_automatic(void)
{
    static const char text[] =
        "lattice = { group = \"u1\"; size = [16, 16]; defect = { size = [6]; couplings = \"auto\"; acceptance = 0.4; "
        "}; };"
        "action = ( { kind = \"wilson\"; beta = 7.0; } ); chain = { replicas = 8; thermalise = 256; };"
        "updates = ( { kind = \"heatbath\"; }, { kind = \"tempering\"; } );";
    lat_rungs rungs;
    double measured[LAT_MOST_RUNGS], predicted[LAT_MOST_RUNGS], off = 0;
    test_chain pilot = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&pilot, 256);
    const bool open = pilot.chain->pilot;
    mc_tempering_plan(pilot.updates[1], &rungs);
    chain_end(&pilot);
    test_chain t = chain_begin_on(MPI_COMM_WORLD, text, &rungs);
    chain_run(&t, 656);
    read_acceptances(t.updates[1], rungs.rungs - 1, measured, predicted);
    for (int i = 0; i + 1 < rungs.rungs; i++) off = fmax(off, fabs(measured[i] - predicted[i]));
    const double length = chain_figure(&t, 1, "length"), least = chain_figure(&t, 1, "least_acceptance"),
                 fewer = mc_swap_acceptance(length / (rungs.rungs - 2));
    ok_all(open && !t.chain->pilot && rungs.rungs == t.chain->state->ladder->rungs && rungs.coupling[0] == 1 &&
               rungs.coupling[rungs.rungs - 1] == 0,
           "a pilot finds %d rungs", rungs.rungs);
    ok(off < 0.05 && least > 0.35 && fewer < 0.45,
       "acceptances %.3f and more, to %.3f as foretold; one rung less: %.3f", least, off, fewer);
    chain_end(&t);
}

/* -------------------------------------------------------------------------------------------------------------- files */

enum { RUNGS = 2, MEMBERS = 4, NUMBERS = 5 };

/* What mc_ladder_get says of a file with these numbers; the ladder must stay what it was where it is refused. */
static bool taken(const lat_geometry *g, int64_t rungs, const double *couplings, int64_t members, const double *numbers)
{
    static const char path[] = "ladder.h5";
    const lat_boundary boundary = {.defect = true, .extent = {0, 2}, .coupling = 1};
    mc_ladder *ladder = mc_ladder_create(&boundary, &(lat_rungs){.rungs = RUNGS, .coupling = {1, 0.5}}, MEMBERS);
    lat_error error = {0};
    lat_h5 *file = lat_h5_create(MPI_COMM_WORLD, path, "checkpoint");
    lat_h5_put_reals(file, "ladder_couplings", 1, &rungs, couplings);
    lat_h5_put_reals(file, "ladder_members", 2, (int64_t[]){members, NUMBERS}, numbers);
    if (lat_h5_finish(file, &error)) lat_abort(error.status, "%s", error.text);
    file = lat_h5_open(MPI_COMM_WORLD, path, "checkpoint");
    mc_ladder_get(ladder, g, file);
    bool refused = lat_h5_finish(file, &error) == LAT_FORMAT;
    ok_all(!refused || (ladder->coupling[1] == 0.5 && ladder->rung[1] == 1 && ladder->origin[0][0] == 0),
           "a file of a ladder: %s", refused ? error.text : "taken");
    mc_ladder_free(ladder);
    MPI_Barrier(MPI_COMM_WORLD);
    if (lat_rank(MPI_COMM_WORLD) == 0) remove(path);
    return !refused;
}

static void test_files(void)
{
    const double good[MEMBERS * NUMBERS] = {1, 3, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 0, 0},
                                other[] = {1, 0.25}, three[] = {1, 0.5, 0.25};
    static const struct {
        int place;
        double number;
    } wrong[] = {{0, 2}, {0, 0}, {0, -1}, {0, 0.5}, {0, NAN}, {1, 8}, {2, -1}, {3, 1}, {6, 1e300}};
    lat_geometry *g;
    lat_error error = {0};
    const lat_shape shape = {.dim = 2, .size = {8, 8}, .members = MEMBERS};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    bool right = taken(g, 2, other, MEMBERS, good),
         bad = taken(g, 3, three, MEMBERS, good) || taken(g, 2, (double[]){0.5, 1}, MEMBERS, good) ||
               taken(g, 2, (double[]){1, -0.5}, MEMBERS, good) || taken(g, 2, other, MEMBERS - 1, good);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double numbers[MEMBERS * NUMBERS];
        memcpy(numbers, good, sizeof good);
        numbers[wrong[i].place] = wrong[i].number;
        bad = taken(g, 2, other, MEMBERS, numbers) || bad;
    }
    ok_all(right && !bad, "a ladder is read, and nothing else is taken for one");
    lat_geometry_free(g);
}

/* ------------------------------------------------------------------------------------------------------------ refusals */

static void refused(const char *lattice, const char *update, const char *why)
{
    char *text = lat_text("lattice = { group = \"u1\"; size = [8, 8]; %s }; action = ( { kind = \"wilson\"; beta = "
                          "1.0; } ); updates = ( { kind = \"%s\"; } );",
                          lattice, update);
    chain_refused(text, why);
    free(text);
}

static void test_refusals(void)
{
    refused("", "tempering", "needs a ladder");
    refused("defect = { coupling = 0.5; };", "tempering", "needs a ladder");
    refused("defect = { couplings = [1.0]; };", "tempering", "descends");
    refused("defect = { couplings = [0.9, 0.5]; };", "tempering", "descends");
    refused("defect = { couplings = [1.0, 0.5, 0.5]; };", "tempering", "descends");
    refused("defect = { couplings = \"automatic\"; };", "tempering", "auto");
    refused("defect = { couplings = \"auto\"; acceptance = 0.0; };", "tempering", "acceptance");
    refused("defect = { couplings = \"auto\"; };", "tempering\"; adapt = false; comment = \"", "adapts itself");
    refused("defect = { couplings = [1.0, -0.5]; };", "tempering", "couplings");
    refused("defect = { couplings = [1.0, 0.5]; };", "direct", "periodic");
    refused("defect = { couplings = [1.0, 0.5]; };", "flow\"; model = \"u1-beta2.h5", "periodic");
}

int main(int argc, char **argv)
{
    int ranks;
    tap_start(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    test_even_out();
    test_files();
    test_change("u1", "size = [16, 8]; defect = { size = [5]; couplings = [1.0, 0.6, 0.2, 0.0]; };",
                "kind = \"wilson\"; beta = 3.0;");
    test_change("su2", "size = [8, 8]; defect = { direction = 0; size = [8]; couplings = [1.0, 0.6, 0.2, 0.0]; };",
                "kind = \"wilson\"; beta = 3.0;");
    test_change("su3", "size = [4, 4, 4, 8]; defect = { size = [2, 2, 3]; couplings = [1.0, 0.6, 0.2, 0.0]; };",
                "kind = \"wilson\"; beta = 5.0;");
    test_change("su3",
                "size = [4, 4, 4, 4]; defect = { direction = 1; size = [3, 2, 2]; couplings = [1.0, 0.6, 0.2]; };",
                "kind = \"iwasaki\"; beta = 2.0;");
    test_change("su2",
                "size = [4, 4, 6]; boundary = [\"periodic\", \"periodic\", \"open\"]; defect = { direction = 0; size = "
                "[2, 2]; couplings = [1.0, 0.3]; };",
                "kind = \"luescher_weisz\"; beta = 2.0;");
    test_ranks("u1", "size = [8, 8]; defect = { size = [3]; couplings = [1.0, 0.5, 0.0]; };", "", "lanes = [1, 1];",
               "heatbath");
    test_ranks("su2", "size = [8, 4, 16]; defect = { size = [3, 2]; couplings = [1.0, 0.5]; };", "lanes = [1, 1, 2];",
               "", "heatbath");
    test_ranks("su3", "size = [4, 4, 4, 4]; defect = { size = [2, 2, 2]; couplings = [1.0, 0.7, 0.4]; };", "",
               "lanes = [1, 1, 1, 1];", "hmc");
    test_exact("u1", LAT_U1, "replicas = 16; thermalise = 100;", "{ kind = \"heatbath\"; }, { kind = \"tempering\"; }",
               600);
    test_exact("su2", LAT_SU2, "replicas = 16; thermalise = 50;",
               "{ kind = \"heatbath\"; }, { kind = \"overrelax\"; }, { kind = \"tempering\"; }", 300);
    test_schedule();
    if (ranks == 1) test_automatic(); /* it is the same on more, and takes longer */
    test_refusals();
    return tap_end();
}
