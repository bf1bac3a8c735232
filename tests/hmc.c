/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * hmc.c: integrators have their order and are reversible, <exp(-dH)> = 1, and what is not finite is dealt with.
 * The six statistical tests fail by chance with a probability of 4e-6 all together; their random numbers are fixed.
 */
#include "hmc/updates/blocked.h"
#include "tests/chain.h"
#include "tests/observe.h"

static void test_order(test_chain *t, const char *lattice)
{
    static const double order[MC_INTEGRATORS] = {2, 2, 4};
    static const int steps[MC_INTEGRATORS] = {32, 16, 24};
    for (int i = 0; i < MC_INTEGRATORS; i++) {
        char *few = lat_text("%d", steps[i]), *many = lat_text("%d", 2 * steps[i]);
        double coarse = chain_violation(t->chain, (mc_integrator)i, few), fine = chain_violation(t->chain, (mc_integrator)i, many);
        free(few);
        free(many);
        double measured = log2(coarse / fine);
        ok(fabs(measured - order[i]) < 0.1, "%s: %s is of order %g", lattice, mc_integrator_names[i], order[i]);
        if (tap.rank == 0)
            printf("# %s: order %.3f, dH %.3g with %d steps\n", mc_integrator_names[i], measured, coarse, steps[i]);
    }
}

static void test_reversibility(test_chain *t)
{
    mc_chain *chain = t->chain;
    lat_gauge *before = lat_gauge_create(chain->geometry, chain->state->gauge->group, LAT_DOUBLE);
    size_t bytes = (size_t)(chain->geometry->sites * before->links->components * chain->geometry->lanes) * sizeof(double);
    lat_gauge_copy(before, chain->state->gauge);
    for (int i = 0; i < MC_INTEGRATORS; i++) {
        mc_trajectory trajectory = chain_trajectory(chain, (mc_integrator)i, "8");
        lat_random momenta = mc_random(chain->state, LAT_RANDOM_TEST, 2);
        double difference =
            mc_trajectory_reversibility(&trajectory, chain->action, chain->state->gauge, &momenta);
        ok_all(difference > 0 && difference < 1e-12, "%s: forth and back ends where it began (%.2g)",
               mc_integrator_names[i], difference);
        ok_all(memcmp(before->links->data, chain->state->gauge->links->data, bytes) == 0, "%s: and leaves the links alone",
               mc_integrator_names[i]);
        mc_trajectory_free(&trajectory);
    }
    lat_gauge_free(before);
}

/* sum_{x,mu,a} (F^a_mu(x))^2 of one level over all links, from the action itself; out[members]. */
static void sum_force_squares(const mc_chain *chain, lat_gauge *gauge, int level, double *out)
{
    const lat_geometry *g = chain->geometry;
    lat_field *force = lat_field_algebra(g, gauge->group, LAT_DOUBLE);
    double *value = lat_alloc(g->volume * force->components, sizeof *value);
    chain->action->table->force(chain->action, level, gauge, 1, force);
    for (int m = 0; m < g->members; m++) {
        lat_field_gather(force, m, value);
        out[m] = 0;
        for (int64_t i = 0; i < g->volume * force->components; i++) out[m] += value[i] * value[i];
    }
    free(value);
    lat_field_free(force);
}

/* What a trajectory tells of the forces at its end, which accepted members still have. */
static void test_forces(const mc_chain *chain, const char *name, const char *steps)
{
    const lat_geometry *g = chain->geometry;
    mc_trajectory trajectory = chain_trajectory(chain, MC_OMF2, steps);
    lat_gauge *gauge = lat_gauge_create(g, chain->state->gauge->group, LAT_DOUBLE);
    lat_gauge_copy(gauge, chain->state->gauge);
    lat_random momenta = mc_random(chain->state, LAT_RANDOM_TEST, 3),
               acceptance = mc_random(chain->state, LAT_RANDOM_TEST, 4);
    double *dh = lat_alloc(g->members, sizeof *dh), *squares = lat_alloc(g->members, sizeof *squares), worst = 0;
    bool *accepted = lat_alloc(g->members, sizeof *accepted);
    int compared = 0;
    mc_trajectory_run(&trajectory, chain->action, gauge, &momenta, &acceptance, dh, accepted, &(lat_error){0});
    for (int level = 0; level < trajectory.levels; level++) {
        sum_force_squares(chain, gauge, level, squares);
        for (int m = 0; m < g->members; m++) {
            if (!accepted[m]) continue;
            double exact = sqrt(squares[m] / ((double)g->volume * g->dim));
            worst = fmax(worst, fabs(trajectory.force[level * g->members + m] / exact - 1));
            compared++;
        }
    }
    ok_all(compared > 0 && worst < 1e-12, "%s: %d forces at the end of a trajectory, to %.1g", name, compared, worst);
    mc_trajectory_free(&trajectory);
    lat_gauge_free(gauge);
    free(accepted);
    free(squares);
    free(dh);
}

static test_chain two_levels(double inner, double outer)
{
    char *text = lat_text(
        "lattice = { group = \"u1\"; size = [8, 8]; };"
        "action = ( { kind = \"wilson\"; beta = %g; level = 0; }, { kind = \"wilson\"; beta = %g; level = 1; } );"
        "chain = { seed = 3; replicas = 32; }; updates = ( { kind = \"hmc\"; steps = [4, 3]; } );",
        inner, outer);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    free(text);
    return t;
}

static void test_levels(void)
{
    static const double order[MC_INTEGRATORS] = {2, 2, 4};
    test_chain t = two_levels(2, 1);
    chain_run(&t, 10);
    ok(chain_figure(&t, 0, "force_evaluations") == 32 * 10 * ((4 * 2 + 1) + (4 * 2 * 3 * 2 + 1)),
       "nested: forces are counted");
    ok(chain_figure(&t, 0, "reversibility") < 1e-11, "nested: forth and back ends where it began");
    for (int i = 0; i < MC_INTEGRATORS; i++) {
        double measured = log2(chain_violation(t.chain, (mc_integrator)i, "[20, 2]") / chain_violation(t.chain, (mc_integrator)i, "[40, 2]"));
        ok(fabs(measured - order[i]) < 0.1, "nested: %s is of order %g (%.3f)", mc_integrator_names[i], order[i],
           measured);
    }
    test_forces(t.chain, "nested", "[20, 2]");
    chain_end(&t);

    /* Where the outer force is weak, the inner steps decide. */
    t = two_levels(4, 0.2);
    double few = chain_violation(t.chain, MC_OMF2, "[6, 2]"), fewer = chain_violation(t.chain, MC_OMF2, "[6, 1]");
    ok(few < 0.5 * fewer, "nested: more steps of the inner level: dH %.3g, %.3g", few, fewer);
    chain_end(&t);

    t = two_levels(2, 0);
    test_chain single = chain_begin(
        MPI_COMM_WORLD, "lattice = { group = \"u1\"; size = [8, 8]; }; action = ( { kind = \"wilson\"; beta = 2.0; } );"
                        "chain = { seed = 3; replicas = 32; }; updates = ( { kind = \"hmc\"; } );");
    double nested = chain_violation(t.chain, MC_LEAPFROG, "[3, 5]"), plain = chain_violation(single.chain, MC_LEAPFROG, "15");
    ok(nested > 0 && fabs(nested / plain - 1) < 1e-8, "nested: without an outer force, as many plain steps");
    chain_end(&single);
    chain_end(&t);
}

/* As many levels as there may be: the last has a force of its own, and its figure a name. */
static void test_most_levels(void)
{
    char *terms = lat_text("{ kind = \"wilson\"; beta = 1.0; }"), *steps = lat_text("[2");
    for (int level = 1; level < LAT_MAX_LEVELS; level++) {
        char *more = lat_text("%s, { kind = \"wilson\"; beta = 0.01; level = %d; }", terms, level), *longer = lat_text("%s, 1", steps);
        free(terms);
        free(steps);
        terms = more;
        steps = longer;
    }
    char *text = lat_text("lattice = { group = \"u1\"; size = [8, 8]; }; action = ( %s ); chain = { seed = 3; };"
                          "updates = ( { kind = \"hmc\"; steps = %s]; integrator = \"leapfrog\"; } );", terms, steps);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&t, 2);
    const mc_update *update = t.updates[0];
    ok(t.chain->action->levels == 8 && strcmp(update->figure_name[9], "force_level7") == 0 && !update->figure_name[10] && update->figure[9] > 0 &&
           update->figure[2] > 20 * update->figure[9], "eight levels, each with its force");
    chain_end(&t);
    free(terms);
    free(steps);
    free(text);
}

static void refused(const char *action, const char *update, const char *why)
{
    lat_error error = {0};
    lat_settings *root;
    mc_chain *chain = NULL;
    mc_update **updates;
    int count;
    char *text =
        lat_text("lattice = { group = \"u1\"; size = [8, 8]; }; action = ( %s ); updates = ( { kind = \"hmc\"; %s } );",
                 action, update);
    if (lat_settings_parse(text, "test", &root, &error)) lat_abort(error.status, "%s", error.text);
    if (mc_chain_create(MPI_COMM_WORLD, root, lat_action_kinds, lat_dirac_tables, ".", &chain, &error) == LAT_DONE)
        chain_updates(root, chain, &updates, &count, &error);
    ok(error.status == LAT_CONFIG && strstr(error.text, why), "refused: %s", error.text);
    mc_chain_free(chain);
    lat_settings_free(root);
    free(text);
}

static void test_level_refusals(void)
{
    const char *two = "{ kind = \"wilson\"; beta = 1.0; }, { kind = \"wilson\"; beta = 1.0; level = 1; }";
    refused("{ kind = \"wilson\"; beta = 1.0; level = 1; }", "steps = 3;", "level 0");
    refused("{ kind = \"wilson\"; beta = 1.0; }, { kind = \"wilson\"; beta = 1.0; level = 2; }", "steps = [3, 3];",
            "level 1");
    refused("{ kind = \"wilson\"; beta = 1.0; level = 8; }", "steps = 3;", "too large");
    refused(two, "steps = [3];", "2 levels");
    refused(two, "steps = [3, 3, 3];", "2 levels");
    refused(two, "steps = 3;", "steps");
    refused(two, "", "steps");
}

/* An action that counts its forces. */
static int64_t forces;
static void no_value(lat_action *action, lat_gauge *gauge, lat_field *density)
{
    (void)action, (void)gauge, (void)density;
}
static void count_force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    (void)action, (void)level, (void)gauge, (void)scale, (void)force;
    forces++;
}

static void test_force_count(test_chain *t)
{
    static const lat_action_table table = {.name = "counting", .value = no_value, .force = count_force};
    lat_action action = {.table = &table, .group = LAT_U1, .levels = 1};
    lat_gauge *gauge = lat_gauge_create(t->chain->geometry, LAT_U1, LAT_DOUBLE);
    lat_field *momenta = lat_field_algebra(t->chain->geometry, LAT_U1, LAT_DOUBLE);
    for (int i = 0; i < MC_INTEGRATORS; i++) {
        forces = 0;
        mc_integrate((mc_integrator)i, &action, gauge, momenta, 1, &(int){7}, NULL);
        ok(forces == mc_integrator_forces((mc_integrator)i, 1, &(int){7}), "%s: %d forces in 7 steps",
           mc_integrator_names[i], (int)forces);
    }
    lat_gauge_free(gauge);
    lat_field_free(momenta);
}

static void test_exp_minus_dh(const char *lattice, double beta, int steps, int replicas)
{
    char *text = lat_text("lattice = { %s }; action = ( { kind = \"wilson\"; beta = %.1f; } );"
                          "chain = { seed = 7; replicas = %d; thermalise = 60; };"
                          "updates = ( { kind = \"hmc\"; trajectory = 1.0; steps = %d; integrator = \"omf2\"; } );",
                          lattice, beta, replicas, steps);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    free(text);
    chain_run(&t, 60);
    ok_all(isnan(chain_figure(&t, 0, "acceptance")), "thermalisation does not count");
    chain_run(&t, 400);
    double mean = chain_figure(&t, 0, "exp_minus_dh"), error = chain_figure(&t, 0, "exp_minus_dh_error");
    double acceptance = chain_figure(&t, 0, "acceptance");
    ok(chain_figure(&t, 0, "trajectories") == 400 * replicas, "every trajectory of every replica counts");
    ok(chain_figure(&t, 0, "force_evaluations") == 400 * replicas * (2 * steps + 1), "forces are counted");
    ok(acceptance > 0.5 && acceptance < 0.99, "acceptance %.3f is such that the next test means something", acceptance);
    ok(error > 0 && error < 0.01, "the error of exp(-dH) is small: %.4f", error);
    ok(fabs(mean - 1) < 5 * error, "<exp(-dH)> = %.4f +- %.4f", mean, error);
    double audits = chain_figure(&t, 0, "audits"), reversibility = chain_figure(&t, 0, "reversibility");
    ok(audits >= 1 && audits < 30 && reversibility > 0 && reversibility < 1e-10, "%g audits, reversibility %.2g",
       audits, reversibility);
    chain_end(&t);
}

/* Steps so coarse that nearly all trajectories rise, and the mean of exp(-dH) would be made by those few that fall by much. */
static void test_heavy_tails(void)
{
    enum { RUNS = 12 };
    double squares = 0, worst = 0, acceptance = 0;
    for (int seed = 1; seed <= RUNS; seed++) {
        char *text = lat_text("lattice = { group = \"u1\"; size = [8, 8]; }; action = ( { kind = \"wilson\"; beta = 2.0; } ); chain = { seed = %d; replicas = 8; };"
                              "updates = ( { kind = \"heatbath\"; },"
                              " { kind = \"hmc\"; trajectory = 2.0; steps = 1; randomise = 0.5; integrator = \"omf4\"; } );", seed);
        test_chain t = chain_begin(MPI_COMM_WORLD, text);
        free(text);
        t.chain->state->counts = true;
        chain_run(&t, 200);
        double off = (chain_figure(&t, 1, "exp_minus_dh") - 1) / chain_figure(&t, 1, "exp_minus_dh_error");
        squares += off * off;
        worst = fmax(worst, fabs(off));
        acceptance += chain_figure(&t, 1, "acceptance") / RUNS;
        chain_end(&t);
    }
    ok(acceptance < 0.1 && worst < 5 && sqrt(squares / RUNS) < 2,
       "acceptance %.2f: <exp(-dH)> is off by %.1f errors at most, rms %.2f", acceptance, worst, sqrt(squares / RUNS));
}

/* Where hardly a trajectory falls nothing is known of <exp(-dH)>, and nothing is quoted. */
static void test_unknown_error(void)
{
    test_chain t = chain_begin(MPI_COMM_WORLD, "lattice = { group = \"u1\"; size = [16, 16]; }; action = ( { kind = \"wilson\"; beta = 6.0; } );"
                                               "chain = { seed = 1; start = \"cold\"; thermalise = 0; };"
                                               "updates = ( { kind = \"hmc\"; trajectory = 1.0; steps = 2; } );");
    chain_run(&t, 100);
    ok(chain_figure(&t, 0, "trajectories") == 100 && isnan(chain_figure(&t, 0, "exp_minus_dh_error")), "no error where no trajectory falls (acceptance %g)",
       chain_figure(&t, 0, "acceptance"));
    chain_end(&t);
}

/* x_i = a x_{i-1} + noise: the error of the mean is that of independent numbers times sqrt((1 + a) / (1 - a)). */
static void test_blocked(double correlation)
{
    enum { STEPS = 20000, RUNS = 40 };
    double quoted = 0, squares = 0, right = 0;
    for (int run = 0; run < RUNS; run++) {
        double state[MC_BLOCKED_STATES] = {0}, x = 0, sum = 0, u[4];
        lat_random random = {.seed = (uint64_t)run + 1, .purpose = LAT_RANDOM_TEST};
        for (int i = 0; i < STEPS; i++) {
            lat_uniform4(&random, (uint64_t)i, 0, 0, 0, u);
            x = correlation * x + (u[0] - 0.5);
            mc_blocked_step(state);
            mc_blocked_add(state, x);
            sum += x;
        }
        right += fabs(mc_blocked_mean(state) - sum / STEPS) < 1e-12;
        quoted += mc_blocked_error(state) / RUNS;
        squares += mc_blocked_mean(state) * mc_blocked_mean(state) / RUNS;
    }
    double exact = 1 / (sqrt(12.0 * STEPS) * (1 - correlation));
    ok(right == RUNS && fabs(quoted / exact - 1) < 0.1, "correlation %.2f: error of the mean %.5f, exact %.5f, spread of means %.5f", correlation, quoted,
       exact, sqrt(squares));
}

/* The plaquette of a chain of a 4x4 torus. */
static mc_estimate plaquette_of(const char *group, const char *start, double beta, const char *update)
{
    enum { REPLICAS = 16, STEPS = 500 };
    char *text = lat_text("lattice = { group = \"%s\"; size = [4, 4]; };"
                          "action = ( { kind = \"wilson\"; beta = %g; } ); chain = { seed = 9; replicas = %d; start = \"%s\"; };"
                          "updates = ( { kind = \"hmc\"; integrator = \"omf2\"; %s } );",
                          group, beta, REPLICAS, start, update);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    double now[REPLICAS], *series = lat_alloc((int64_t)REPLICAS * STEPS, sizeof *series);
    chain_run(&t, 50);
    for (int i = 0; i < STEPS; i++) {
        chain_run(&t, 1);
        observe("plaquette", t.chain->state->gauge, now);
        for (int r = 0; r < REPLICAS; r++) series[r * STEPS + i] = now[r];
    }
    mc_estimate e = mc_gamma(series, REPLICAS, STEPS);
    free(series);
    free(text);
    chain_end(&t);
    return e;
}

/* Its exact value. */
static void test_plaquette(const char *name, lat_group group, double beta)
{
    mc_estimate e = plaquette_of(name, "hot", beta, "trajectory = 1.0; steps = 4;");
    double exact = lat_exact2d("plaquette", group, beta, 16);
    ok(fabs(e.mean - exact) < 5 * e.error && e.error < 0.004, "%s: plaquette %.5f +- %.5f, exact %.5f", name, e.mean,
       e.error, exact);
}

/* Almost free, so that 6 of its 15 modes come back to minus themselves after omega length = pi. */
static void test_resonance(void)
{
    const double beta = 400, exact = lat_exact2d("plaquette", LAT_U1, beta, 16);
    mc_estimate fixed = plaquette_of("u1", "cold", beta, "trajectory = 0.07854; steps = 8;"),
                drawn = plaquette_of("u1", "cold", beta, "trajectory = 0.07854; steps = 8; randomise = 0.5;");
    ok(fixed.mean - exact > 0.2 * (1 - exact), "a fixed length leaves modes behind: 1 - plaquette %.3g, exact %.3g", 1 - fixed.mean, 1 - exact);
    ok(fabs(drawn.mean - exact) < 5 * drawn.error && drawn.error < 0.02 * (1 - exact), "random lengths do not: %.4g +- %.1g", 1 - drawn.mean,
       drawn.error);
}

static void spoil(mc_chain *chain, bool all)
{
    for (int lane = 0; lane < (all ? chain->geometry->lanes : 1); lane++)
        if (all || chain->geometry->rank == 0) ((double *)chain->state->gauge->links->data)[lane] = NAN;
}

static void test_not_finite(void)
{
    const char *text =
        "lattice = { group = \"u1\"; size = [8, 8]; lanes = [1, 1]; }; action = ( { kind = \"wilson\"; beta = 2.0; } );"
        "chain = { seed = 7; replicas = 8; }; updates = ( { kind = \"hmc\"; } );";
    lat_error error = {0};
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&t, 1);
    spoil(t.chain, false);
    chain_run(&t, 12);
    ok(chain_figure(&t, 0, "not_finite") == 12, "a replica that is not finite is rejected and counted");
    ok(chain_figure(&t, 0, "acceptance") > 0.5, "the others go on");
    const double *figure = t.updates[0]->figure; /* [replica][dh, accepted, force_level0] */
    ok(isnan(figure[0]) && figure[1] == 0 && isnan(figure[2]) && isfinite(figure[3]) && figure[5] > 0,
       "its force is not finite, that of the others is");
    spoil(t.chain, true);
    int done = 0;
    while (done < 100 && mc_chain_step(t.chain, t.updates, t.count, &error) == LAT_DONE) done++;
    ok(done == 9 && error.status == LAT_NUMERICAL, "ten lost steps in a row end the run: %s", error.text);
    chain_end(&t);

    lat_error audit_error = {0};
    test_chain audited = chain_begin(MPI_COMM_WORLD, text);
    spoil(audited.chain, false);
    ok(mc_chain_step(audited.chain, audited.updates, audited.count, &audit_error) == LAT_NUMERICAL,
       "a failed audit ends the run: %s", audit_error.text);
    chain_end(&audited);
}

static void test_refusals(void)
{
    static const char *const wrong[] = {
        "updates = ();",
        "updates = ( { kind = \"hcm\"; } );",
        "updates = ( { kind = \"hmc\"; steps = 0; } );",
        "updates = ( { kind = \"hmc\"; integrator = \"euler\"; } );",
        "updates = ( { kind = \"hmc\"; randomise = 1.5; } );",
        "updates = ( { kind = \"heatbath\"; count = 0; } );",
        "updates = ( { kind = \"instanton\"; } );",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        lat_error error = {0};
        lat_settings *root;
        mc_chain *chain;
        mc_update **updates;
        int count;
        char *text = lat_text(
            "lattice = { group = \"u1\"; size = [4, 4, 4]; }; action = ( { kind = \"wilson\"; beta = 1.0; } ); %s",
            wrong[i]);
        if (lat_settings_parse(text, "test", &root, &error) ||
            mc_chain_create(MPI_COMM_WORLD, root, lat_action_kinds, lat_dirac_tables, ".", &chain, &error))
            lat_abort(error.status, "%s", error.text);
        ok(chain_updates(root, chain, &updates, &count, &error) == LAT_CONFIG && count == 0, "refused: %s",
           error.text);
        mc_chain_free(chain);
        lat_settings_free(root);
        free(text);
    }
}

static void test_lattice(const char *name, const char *lattice, double beta)
{
    char *text = lat_text("lattice = { %s }; action = ( { kind = \"wilson\"; beta = %.1f; } );"
                          "chain = { seed = 4; replicas = 4; }; updates = ( { kind = \"hmc\"; steps = 20; } );",
                          lattice, beta);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    free(text);
    chain_run(&t, 10);
    test_order(&t, name);
    test_reversibility(&t);
    test_forces(t.chain, name, "20");
    chain_end(&t);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_chain plane = chain_begin(
        MPI_COMM_WORLD, "lattice = { group = \"u1\"; size = [8, 8]; }; action = ( { kind = \"wilson\"; beta = 2.0; } );"
                        "chain = { seed = 3; replicas = 16; }; updates = ( { kind = \"hmc\"; } );");
    chain_run(&plane, 20);
    test_order(&plane, "8x8");
    test_reversibility(&plane);
    test_force_count(&plane);
    chain_end(&plane);
    test_lattice("4x4x4x4", "group = \"u1\"; size = [4, 4, 4, 4];", 1);
    test_lattice("8x8, su2", "group = \"su2\"; size = [8, 8];", 2);
    test_lattice("4x4x4, su2", "group = \"su2\"; size = [4, 4, 4];", 2);
    test_lattice("4x4x4x4, su2", "group = \"su2\"; size = [4, 4, 4, 4];", 2);
    test_lattice("8x8, su3", "group = \"su3\"; size = [8, 8];", 5);
    test_lattice("4x4x4, su3", "group = \"su3\"; size = [4, 4, 4];", 5);
    test_lattice("4x4x4x4, su3", "group = \"su3\"; size = [4, 4, 4, 4];", 5);
    test_exp_minus_dh("group = \"u1\"; size = [8, 8];", 2, 2, 64);
    test_exp_minus_dh("group = \"su2\"; size = [4, 4, 4];", 2, 3, 16);
    test_exp_minus_dh("group = \"su3\"; size = [4, 4];", 5, 3, 16);
    test_heavy_tails();
    test_unknown_error();
    test_blocked(0);
    test_blocked(0.9);
    test_plaquette("su2", LAT_SU2, 2.2);
    test_plaquette("su3", LAT_SU3, 5);
    test_resonance();
    test_levels();
    test_most_levels();
    test_level_refusals();
    test_not_finite();
    test_refusals();
    return tap_end();
}
