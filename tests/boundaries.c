/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * boundaries.c: chains with open boundaries, defects and improved actions: molecular dynamics has its order and is reversible,
 * <exp(-dH)> = 1, overrelaxation keeps the action, and plaquettes have their exact values: with an open direction in two
 * dimensions they are independent, and on the smallest lattices with rectangles the integral is done here; in four dimensions an
 * equation of Schwinger and Dyson holds.
 * The 18 statistical tests fail by chance with a probability of 1e-5 all together; their random numbers are fixed.
 */
#include "lattice/grid/kernels.h"
#include "tests/chain.h"
#include "tests/observe.h"

static const char *const hmc = "{ kind = \"hmc\"; trajectory = 2.0; steps = 8; integrator = \"omf2\"; }";
static const char *const heatbath = "{ kind = \"heatbath\"; }, { kind = \"overrelax\"; }";

static test_chain begin_on(MPI_Comm comm, const char *group, const char *lattice, const char *action, const char *chain,
                           const char *updates)
{
    char *text = lat_text("lattice = { group = \"%s\"; %s }; action = ( { %s } ); chain = { seed = 8; %s }; updates = ( %s );",
                          group, lattice, action, chain, updates);
    test_chain t = chain_begin(comm, text);
    free(text);
    return t;
}

static test_chain begin(const char *group, const char *lattice, const char *action, const char *chain, const char *updates)
{
    return begin_on(MPI_COMM_WORLD, group, lattice, action, chain, updates);
}

/* ------------------------------------------------------------------------------------------------- exact plaquettes */

static mc_estimate mean_plaquette(test_chain *t, int steps)
{
    int replicas = mc_replicas(t->chain->state);
    double *series = lat_alloc((int64_t)replicas * steps, sizeof *series), *now = lat_alloc(replicas, sizeof *now);
    chain_run(t, 30);
    for (int i = 0; i < steps; i++) {
        chain_run(t, 1);
        observe("plaquette", t->chain->state->gauge, now);
        for (int r = 0; r < replicas; r++) series[(int64_t)r * steps + i] = now[r];
    }
    mc_estimate e = mc_gamma(series, replicas, steps);
    free(series);
    free(now);
    return e;
}

static void test_value(MPI_Comm comm, int replicas, const char *group, const char *lattice, const char *action,
                       const char *updates, double exact)
{
    char *chain = lat_text("replicas = %d;", replicas);
    test_chain t = begin_on(comm, group, lattice, action, chain, updates);
    free(chain);
    mc_estimate e = mean_plaquette(&t, 300);
    ok(fabs(e.mean - exact) < 5 * e.error && e.error < 0.005, "%s, %s %s, %s: plaquette %.5f +- %.5f, exact %.5f", group,
       lattice, action, updates == hmc ? "hmc" : "heatbath", e.mean, e.error, exact);
    chain_end(&t);
}

/* One plaquette by itself is what is left of an infinite volume. */
static void test_open(const char *group, lat_group number, const char *beta)
{
    double exact = lat_exact2d("plaquette", number, atof(beta), 1000000);
    char *action = lat_text("kind = \"wilson\"; beta = %s;", beta);
    test_value(MPI_COMM_WORLD, 32, group, "size = [4, 6]; boundary = [\"periodic\", \"open\"];", action, hmc, exact);
    test_value(MPI_COMM_WORLD, 32, group, "size = [4, 6]; boundary = [\"open\", \"open\"];", action, heatbath, exact);
    test_value(MPI_COMM_WORLD, 32, group, "size = [8, 4]; defect = { direction = 0; coupling = 0.0; };", action, heatbath, exact);
    free(action);
}

/* A lattice so small is not split over ranks.  Two plaquettes with one common link and the rectangle around both. U(1): angles a, b, a + b; SU(2): half angles with
 * weight sin^2, and the angle between the axes. */
static double two_plaquettes(lat_group group, double beta, double c1)
{
    enum { GRID = 64 };
    double sum = 0, mean = 0;
    for (int i = 0; i < GRID; i++)
        for (int j = 0; j < GRID; j++)
            for (int k = 0; k < (group == LAT_U1 ? 1 : GRID); k++) {
                double a = 2 * M_PI * i / GRID, b = 2 * M_PI * j / GRID, axes = cos(M_PI * (k + 0.5) / GRID);
                double volume = group == LAT_U1 ? 1 : pow(sin(a) * sin(b), 2) * sqrt(1 - axes * axes);
                double around = group == LAT_U1 ? cos(a + b) : cos(a) * cos(b) - sin(a) * sin(b) * axes;
                double weight = volume * exp(beta * ((1 - 8 * c1) * (cos(a) + cos(b) - 2) + c1 * (around - 1)));
                sum += weight;
                mean += weight * 0.5 * (cos(a) + cos(b));
            }
    return mean / sum;
}

static void test_rectangles(const char *group, lat_group number)
{
    const char *boundary = "boundary = [\"open\", \"open\"];";
    char *flat = lat_text("size = [3, 2]; %s", boundary), *tall = lat_text("size = [2, 3]; %s", boundary);
    test_value(MPI_COMM_SELF, 128, group, flat, "kind = \"iwasaki\"; beta = 1.2;", hmc, two_plaquettes(number, 1.2, -0.331));
    test_value(MPI_COMM_SELF, 128, group, tall, "kind = \"improved\"; beta = 2.0; c1 = 0.1;", hmc, two_plaquettes(number, 2, 0.1));
    free(flat);
    free(tall);
}

/* ---------------------------------------------------------------------------------------- equation of Schwinger and Dyson */

/* Loops per site: a side of length l in an open direction of extent L fits L - l times. */
static double loops_per_site(const lat_gauge *gauge, int length)
{
    const lat_geometry *g = gauge->links->geometry;
    double sum = 0;
    for (int mu = 0; mu < g->dim; mu++)
        for (int nu = 0; nu < g->dim; nu++) {
            double along = gauge->boundary->open[mu] ? 1 - (double)length / (double)g->size[mu] : 1;
            double across = gauge->boundary->open[nu] ? 1 - 1 / (double)g->size[nu] : 1;
            if (mu < nu || (mu > nu && length > 1)) sum += along * across;
        }
    return sum;
}

/* sum_a <(d^a S)^2> = sum_a <d^a d^a S> at every link, whatever the coupling.  With sum_a T_a T_a = -C, and loops that
 * contain a link not more than once, the right side summed over links is C beta / N [4 c0 sum Re tr P + 6 c1 sum Re tr R].
 * Returns the difference of both sides for the links at hand, relative to the right one. */
static double imbalance(test_chain *t, double beta, double c1, lat_field *force)
{
    const lat_geometry *g = t->chain->geometry;
    lat_group group = t->chain->state->gauge->group;
    double n = group == LAT_U1 ? 1 : group == LAT_SU2 ? 2 : 3, casimir = group == LAT_U1 ? 1 : (n * n - 1) / (2 * n);
    double plaquettes, all, square;
    lat_action *wilson = lat_action_wilson(group, 1);
    lat_action_total(wilson, t->chain->state->gauge, &plaquettes);
    lat_action_total(t->chain->action, t->chain->state->gauge, &all);
    lat_action_free(wilson);
    double c0 = 1 - 8 * c1, rectangles = (all / beta - c0 * plaquettes) / c1, volume = (double)g->volume;
    double right = casimir * beta * (4 * c0 * (volume * loops_per_site(t->chain->state->gauge, 1) - plaquettes) +
                                     6 * c1 * (volume * loops_per_site(t->chain->state->gauge, 2) - rectangles));
    lat_field_zero(force);
    lat_field_zero(t->chain->state->density);
    lat_action_force(t->chain->action, t->chain->state->gauge, 1, force);
    half_square_args args = {lat_tables_of(g), force->data, t->chain->state->density->data, force->components};
    lat_range range = lat_block(g);
    lat_field_kernels_of(force)->half_square(&args, &range);
    lat_sum(t->chain->state->density, &square);
    return 2 * square / right - 1;
}

static void test_schwinger_dyson(const char *group, const char *lattice, const char *action, double beta, double c1)
{
    enum { STEPS = 250 };
    double series[STEPS];
    test_chain t = begin(group, lattice, action, "replicas = 1;", "{ kind = \"hmc\"; trajectory = 1.0; steps = 5; integrator = \"omf2\"; }");
    lat_field *force = lat_field_algebra(t.chain->geometry, t.chain->state->gauge->group, LAT_DOUBLE);
    chain_run(&t, 40);
    for (int i = 0; i < STEPS; i++) {
        chain_run(&t, 1);
        series[i] = imbalance(&t, beta, c1, force);
    }
    mc_estimate e = mc_gamma(series, 1, STEPS);
    ok(fabs(e.mean) < 5 * e.error && e.error < 0.01, "%s, %s %s: squared force over Laplacian of the action: 1 %+.5f +- %.5f", group,
       lattice, action, e.mean, e.error);
    lat_field_free(force);
    chain_end(&t);
}

/* ---------------------------------------------------------------------------------------------- molecular dynamics */

static void test_dynamics(const char *group, const char *lattice, const char *action)
{
    static const int steps[MC_INTEGRATORS] = {32, 16, 20}, order[MC_INTEGRATORS] = {2, 2, 4};
    test_chain t = begin(group, lattice, action, "replicas = 4;", "{ kind = \"hmc\"; steps = 20; }");
    chain_run(&t, 10);
    for (int i = 0; i < MC_INTEGRATORS; i++) {
        char *few = lat_text("%d", steps[i]), *many = lat_text("%d", 2 * steps[i]);
        double ratio = chain_violation(t.chain, (mc_integrator)i, few) / chain_violation(t.chain, (mc_integrator)i, many);
        free(few);
        free(many);
        ok(fabs(log2(ratio) - order[i]) < 0.1, "%s, %s %s: %s is of order %d (%.3f)", group, lattice, action,
           mc_integrator_names[i], order[i], log2(ratio));
    }
    double back = chain_figure(&t, 0, "reversibility");
    ok(back > 0 && back < 1e-11, "%s, %s %s: forth and back ends where it began (%.2g)", group, lattice, action, back);
    chain_end(&t);
}

static void test_exp_minus_dh(const char *group, const char *lattice, const char *action)
{
    test_chain t = begin(group, lattice, action, "replicas = 16; thermalise = 40;",
                         "{ kind = \"hmc\"; trajectory = 1.0; steps = 4; integrator = \"omf2\"; }");
    chain_run(&t, 240);
    double mean = chain_figure(&t, 0, "exp_minus_dh"), error = chain_figure(&t, 0, "exp_minus_dh_error");
    double acceptance = chain_figure(&t, 0, "acceptance");
    ok(acceptance > 0.5 && acceptance < 0.995 && error > 0 && error < 0.02 && fabs(mean - 1) < 5 * error,
       "%s, %s %s: <exp(-dH)> = %.4f +- %.4f, acceptance %.3f", group, lattice, action, mean, error, acceptance);
    chain_end(&t);
}

/* ------------------------------------------------------------------------------------------- sweeps and equalities */

static void test_overrelax(const char *group, const char *lattice)
{
    test_chain t = begin(group, lattice, "kind = \"wilson\"; beta = 2.0;", "replicas = 1;", "{ kind = \"overrelax\"; count = 4; }");
    lat_gauge *start = lat_gauge_create(t.chain->geometry, t.chain->state->gauge->group, LAT_DOUBLE);
    double before, after;
    lat_gauge_copy(start, t.chain->state->gauge);
    lat_action_total(t.chain->action, t.chain->state->gauge, &before);
    chain_run(&t, 1);
    lat_action_total(t.chain->action, t.chain->state->gauge, &after);
    ok(fabs(after / before - 1) < 1e-13 && mc_largest_difference(t.chain->state->gauge, start) > 0.5,
       "%s, %s: overrelaxation moves the links and keeps the action (%.2g)", group, lattice, after / before - 1);
    lat_gauge_free(start);
    chain_end(&t);
}

/* Two ways to say the same give the same links, to the last bit. */
static void test_same(const char *group, const char *one, const char *other, const char *action, const char *updates)
{
    test_chain a = begin(group, one, action, "replicas = 2;", updates), b = begin(group, other, action, "replicas = 2;", updates);
    chain_run(&a, 5);
    chain_run(&b, 5);
    ok(mc_largest_difference(a.chain->state->gauge, b.chain->state->gauge) == 0, "%s, %s: %s is %s", group, action, one, other);
    chain_end(&a);
    chain_end(&b);
}

static void test_equalities(const char *group)
{
    const char *wilson = "kind = \"wilson\"; beta = 2.0;", *iwasaki = "kind = \"iwasaki\"; beta = 1.0;";
    const char *both = "{ kind = \"hmc\"; }, { kind = \"heatbath\"; }, { kind = \"overrelax\"; }", *one = "{ kind = \"hmc\"; }";
    const char *periodic = "size = [8, 4, 4];", *whole = "size = [8, 4, 4]; defect = { coupling = 1.0; };";
    const char *open = "size = [8, 4, 4]; boundary = [\"periodic\", \"periodic\", \"open\"];";
    const char *gone = "size = [8, 4, 4]; defect = { direction = 2; size = [8, 4]; coupling = 0.0; };";
    test_same(group, periodic, whole, wilson, both);
    test_same(group, open, gone, wilson, both);
    test_same(group, periodic, whole, iwasaki, one);
    test_same(group, open, gone, iwasaki, one);
}

/* ---------------------------------------------------------------------------------------------------------- refusals */

static void refused(const char *lattice, const char *action, const char *update, const char *why)
{
    char *text = lat_text("lattice = { group = \"u1\"; size = [8, 8]; %s }; action = ( { %s beta = 1.0; } ); updates = ( { kind = \"%s\"; } );",
                          lattice, action, update);
    chain_refused(text, why);
    free(text);
}

static void test_refusals(void)
{
    const char *wilson = "kind = \"wilson\";", *open = "boundary = [\"open\", \"periodic\"];";
    refused("boundary = [\"open\"];", wilson, "hmc", "1 words");
    refused("boundary = [\"opne\", \"open\"];", wilson, "hmc", "\"open\"");
    refused("defect = { };", wilson, "hmc", "coupling");
    refused("defect = { coupling = 1.5; };", wilson, "hmc", "coupling");
    refused("defect = { coupling = 0.5; direction = 2; };", wilson, "hmc", "direction");
    refused("defect = { coupling = 0.5; size = [9]; };", wilson, "hmc", "take fewer");
    refused("defect = { coupling = 0.5; size = [4, 4]; };", wilson, "hmc", "2 numbers");
    refused("defect = { coupling = 0.5; width = 4; };", wilson, "hmc", "width");
    refused("", "kind = \"improved\";", "hmc", "c1");
    refused("", "kind = \"iwasaki\";", "heatbath", "Wilson action");
    refused("", "kind = \"iwasaki\";", "overrelax", "Wilson action");
    refused("", "kind = \"iwasaki\";", "direct", "Wilson action");
    refused(open, wilson, "direct", "periodic");
    refused(open, wilson, "flow\"; model = \"u1-beta2.h5", "periodic");
    refused(open, wilson, "fthmc\"; model = \"u1-beta2.h5", "periodic");

    test_chain t = begin("u1", "size = [8, 8]; boundary = [\"open\", \"periodic\"];", "kind = \"wilson\"; beta = 1.0;", "", "{ kind = \"hmc\"; }");
    const lat_observe_context context = {.gauge = t.chain->state->gauge, .lattice = t.chain->geometry};
    lat_error error = {0};
    ok(!lat_observable_create("charge", lat_observable_kinds, &context, &error) && error.status == LAT_CONFIG, "refused: %s", error.text);
    chain_end(&t);
}

int main(int argc, char **argv)
{
    static const char *const groups[] = {"u1", "su2", "su3"}, *const betas[] = {"2.0", "2.2", "5.0"};
    tap_start(&argc, &argv);
    for (int i = 0; i < LAT_GROUPS; i++) {
        test_open(groups[i], (lat_group)i, betas[i]);
        test_equalities(groups[i]);
        test_overrelax(groups[i], "size = [4, 4, 4, 4]; boundary = [\"open\", \"periodic\", \"periodic\", \"open\"];");
        test_overrelax(groups[i], "size = [8, 4]; defect = { coupling = 0.3; size = [5]; };");
        test_dynamics(groups[i], "size = [4, 4, 4]; boundary = [\"periodic\", \"periodic\", \"open\"];", "kind = \"wilson\"; beta = 2.0;");
        test_dynamics(groups[i], "size = [4, 4, 4]; defect = { coupling = 0.5; size = [2, 3]; };", "kind = \"iwasaki\"; beta = 0.8;");
    }
    test_rectangles("u1", LAT_U1);
    test_rectangles("su2", LAT_SU2);
    test_schwinger_dyson("su3", "size = [4, 4, 4, 4];", "kind = \"iwasaki\"; beta = 2.6;", 2.6, -0.331);
    test_schwinger_dyson("su3", "size = [4, 4, 4, 4]; boundary = [\"periodic\", \"periodic\", \"periodic\", \"open\"];",
                         "kind = \"luescher_weisz\"; beta = 4.0;", 4, -1.0 / 12);
    test_schwinger_dyson("su2", "size = [8, 8, 4]; boundary = [\"open\", \"periodic\", \"open\"];", "kind = \"dbw2\"; beta = 0.5;", 0.5, -1.4088);
    test_exp_minus_dh("su3", "size = [4, 4]; boundary = [\"periodic\", \"open\"];", "kind = \"wilson\"; beta = 6.0;");
    test_exp_minus_dh("su2", "size = [4, 4, 4]; defect = { coupling = 0.5; size = [2, 2]; };", "kind = \"iwasaki\"; beta = 0.8;");
    test_refusals();
    return tap_end();
}
