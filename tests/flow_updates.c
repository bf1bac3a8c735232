/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * flow_updates.c: updates with a flow reproduce the exact plaquette, susceptibility and partition function of U(1), alone and
 * in sequence with others, and are the same to the last bit on any ranks and any grid for the proposals.
 * 12 comparisons at 5.7 standard deviations: false by chance with a probability of 2e-7.
 */
#include "flows/flows.h"
#include "tests/chain.h"
#include "tests/observe.h"

enum { STEPS = 250, THERMALISE = 20 };
static const double most_sigmas = 5.7;

/* A smooth map some way off the identity: what fthmc is judged by.  (A trained one is stiffer, and <exp(-dH)> has long tails.) */
static void write_smooth_model(const char *path)
{
    static const char flow[] = "layers = ( { kind = \"plaquette_coupling\"; repeat = 8; transform = \"tangents\"; knots = 2; hidden = [4];"
                               " activation = \"tanh\"; } );";
    lat_error error = {0};
    lat_settings *settings;
    flow_model *model;
    lat_random random = {.seed = 2, .purpose = LAT_RANDOM_TEST};
    if (lat_settings_parse(flow, "test", &settings, &error) || flow_model_create(settings, flow_layer_kinds, LAT_U1, 2, 3, &model, &error))
        lat_abort(error.status, "%s", error.text);
    for (int64_t i = 0; i < model->stack.parameter_count; i++) {
        double u[4];
        lat_uniform4(&random, (uint64_t)i, 0, 0, 0, u);
        model->parameters[i] += 0.3 * (u[0] - 0.5);
    }
    if (flow_model_write(MPI_COMM_WORLD, path, model, NULL, &error)) lat_abort(error.status, "%s", error.text);
    flow_model_free(model);
    lat_settings_free(settings);
}

static char smooth[64];

static test_chain begin(MPI_Comm comm, const char *lattice, const char *start, int replicas, const char *updates)
{
    const char *source = getenv("srcdir");
    char *model = strstr(updates, "fthmc") ? lat_text("%s", smooth) : lat_text("%s/share/models/u1-beta2.h5", source ? source : ".");
    char *list = lat_text(updates, model);
    char *text = lat_text("lattice = { group = \"u1\"; %s }; action = ( { kind = \"wilson\"; beta = 2.0; } );"
                          "chain = { seed = 5; start = \"%s\"; replicas = %d; }; updates = ( %s );", lattice, start, replicas, list);
    test_chain t = chain_begin(comm, text);
    free(model);
    free(list);
    free(text);
    return t;
}

static void compare(const double *series, int replicas, const char *observable, const char *name, double most_error)
{
    mc_estimate e = mc_gamma(series, replicas, STEPS);
    double exact = lat_exact2d(observable, LAT_U1, 2.0, 64);
    ok(fabs(e.mean - exact) < most_sigmas * e.error && e.error < most_error, "%s: %s %.5f +- %.5f, tau_int %.2f, exact %.5f", name, observable, e.mean,
       e.error, e.tau_int, exact);
}

static void test_exact(const char *updates, const char *name, int replicas)
{
    const char *start = strstr(updates, "\"flow\"") ? "hot" : "cold";
    test_chain t = begin(MPI_COMM_WORLD, "size = [8, 8];", start, replicas, updates);
    double *p = lat_alloc((int64_t)replicas * STEPS, sizeof *p), *q = lat_alloc((int64_t)replicas * STEPS, sizeof *q);
    double *now = lat_alloc(2 * replicas, sizeof *now);
    chain_run(&t, THERMALISE);
    for (int i = 0; i < STEPS; i++) {
        chain_run(&t, 1);
        observe("plaquette", t.chain->state->gauge, now);
        for (int r = 0; r < replicas; r++) p[r * STEPS + i] = now[r];
        observe("charge", t.chain->state->gauge, now);
        for (int r = 0; r < replicas; r++) q[r * STEPS + i] = now[2 * r + 1];
    }
    compare(p, replicas, "plaquette", name, 0.003);
    compare(q, replicas, "charge_squared", name, 0.15);
    if (strstr(updates, "\"flow\"")) {
        double log_z = chain_figure(&t, 0, "log_z"), width = chain_figure(&t, 0, "log_z_error");
        ok(fabs(log_z - lat_exact2d_log_z(LAT_U1, 2.0, 64)) < most_sigmas * width && width < 0.1, "%s: ln Z %.4f +- %.4f, exact %.4f", name, log_z,
           width, lat_exact2d_log_z(LAT_U1, 2.0, 64));
        ok(chain_figure(&t, 0, "ess") > 0.1, "%s: ESS %.3f", name, chain_figure(&t, 0, "ess"));
    } else {
        double mean = chain_figure(&t, 0, "exp_minus_dh"), width = chain_figure(&t, 0, "exp_minus_dh_error");
        ok(fabs(mean - 1) < most_sigmas * width && width < 0.02, "%s: <exp(-dH)> = %.4f +- %.4f", name, mean, width);
    }
    free(p);
    free(q);
    free(now);
    chain_end(&t);
}

static uint64_t run(MPI_Comm comm, const char *lattice, int replicas, const char *updates)
{
    test_chain t = begin(comm, lattice, "hot", replicas, updates);
    int64_t n = t.chain->geometry->volume * t.chain->state->gauge->links->components;
    double *links = lat_alloc(n, sizeof *links);
    uint64_t hash = 1469598103934665603ull;
    chain_run(&t, 6);
    for (int m = 0; m < replicas; m++) {
        lat_field_gather(t.chain->state->gauge->links, m, links);
        for (size_t i = 0; i < (size_t)n * sizeof *links; i++) hash = (hash ^ ((unsigned char *)links)[i]) * 1099511628211ull;
    }
    free(links);
    chain_end(&t);
    return hash;
}

static void test_ranks(const char *lattice, int replicas, const char *updates, const char *name)
{
    static const char *const grids[] = {"[1, 1]", "[1, 2]", "[2, 1]", "[2, 2]"};
    static const int sizes[] = {1, 2, 2, 4};
    const char *place = strstr(updates, "RANKS");
    uint64_t alone = 0;
    for (int i = 0; i < 4; i++) {
        if (tap.ranks % sizes[i] || (!place && i > 0)) continue;
        char *with = place ? lat_text("%.*s%s%s", (int)(place - updates), updates, grids[i], place + 5) : lat_text("%s", updates);
        if (i == 0) alone = run(MPI_COMM_SELF, lattice, replicas, with);
        ok_all(run(MPI_COMM_WORLD, lattice, replicas, with) == alone, "%s, %s %d replicas: the same to the last bit, proposals on %s ranks", name,
               lattice, replicas, grids[i]);
        free(with);
    }
}

/* What fails in the action ends the run, where proposals are drawn and where the chain is weighed. */
static void test_failures(const char *updates)
{
    test_chain t = begin(MPI_COMM_WORLD, "size = [8, 8];", "cold", 1, updates);
    lat_error error = {0};
    lat_fail(&t.chain->action->error, LAT_NUMERICAL, "planted");
    ok(mc_chain_step(t.chain, t.updates, t.count, &error) == LAT_NUMERICAL && strstr(error.text, "planted"), "a failure of the action in a proposal");
    error = (lat_error){0};
    if (mc_chain_step(t.chain, t.updates, t.count, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge_changed(t.chain->state->gauge);
    lat_fail(&t.chain->action->error, LAT_NUMERICAL, "planted");
    ok(mc_chain_step(t.chain, t.updates, t.count, &error) == LAT_NUMERICAL && strstr(error.text, "planted"), "and in the weight of the chain");
    chain_end(&t);
}

int main(int argc, char **argv)
{
    static const char flow[] = "{ kind = \"flow\"; model = \"%s\"; batch = 128; }";
    static const char fthmc[] = "{ kind = \"fthmc\"; model = \"%s\"; trajectory = 1.0; steps = 8; }";
    static const char sequence[] = "{ kind = \"flow\"; model = \"%s\"; batch = 64; ranks = RANKS; }, { kind = \"hmc\"; trajectory = 0.5; steps = 3; },"
                                   "{ kind = \"overrelax\"; count = 2; }";
    tap_start(&argc, &argv);
    snprintf(smooth, sizeof smooth, "flow_updates-%d.h5", tap.ranks);
    write_smooth_model(smooth);
    if (tap.ranks == 1) {
        test_exact(flow, "flow", 32);
        test_exact(fthmc, "fthmc", 32);
        test_exact("{ kind = \"flow\"; model = \"%s\"; batch = 64; }, { kind = \"hmc\"; trajectory = 0.5; steps = 3; }, { kind = \"overrelax\"; count = 2; }",
                   "flow, hmc and overrelaxation", 16);
    }
    test_failures(flow);
    test_ranks("size = [8, 8];", 1, sequence, "sequence");
    test_ranks("size = [8, 16];", 3, sequence, "sequence");
    test_ranks("size = [8, 8];", 2, fthmc, "fthmc");
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0) remove(smooth);
    return tap_end();
}
