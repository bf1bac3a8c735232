/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * multiscale.c: a refinement layer learns the conditional distribution that is known exactly for two-dimensional U(1): given
 * the holonomy C of a region of two plaquettes, one of them has the density exp(beta (cos P + cos(C - P))) / I_0(2 beta cos(C/2))
 * with respect to dP / 2 pi.  Those of SU(2) and SU(3) learn what gives the exact partition function, and steps that fold are found out.
 * What all flows must fulfil is tested in flow.c.
 */
#include "tests/tap.h"

#include "flows/flows.h"

static const double beta = 2.0;

static flow_model *make_model(int levels, const char *transform)
{
    lat_error error = {0};
    lat_settings *settings;
    flow_model *model;
    char *text = lat_text("layers = ( { kind = \"multiscale\"; levels = %d; split = { hidden = [16]; harmonics = 4; knots = 8;"
                          " transform = \"%s\"; activation = \"tanh\"; }; } );", levels, transform);
    if (lat_settings_parse(text, "test", &settings, &error) || flow_model_create(settings, flow_layer_kinds, LAT_U1, 2, 3, &model, &error))
        lat_abort(error.status, "%s", error.text);
    lat_settings_free(settings);
    free(text);
    return model;
}

/* On a lattice that is one region wide the coarse links are left as the prior has them, so that C is uniform. */
static const lat_shape region = {.dim = 2, .size = {2, 16}};

static void train(flow_model *model, lat_action *action, const lat_shape *shape, int64_t steps, flow_evaluation *evaluation)
{
    lat_error error = {0};
    flow_training training = {0};
    flow_trainer *trainer;
    flow_progress progress;
    flow_train_settings settings = {.objective = 1 /* path */, .steps = steps, .batch = 64, .seed = 5, .learning_rate = 0.01,
                                    .schedule = FLOW_COSINE, .clip = 10, .anneal_start = 1};
    if (flow_trainer_create(MPI_COMM_WORLD, model, action, shape, LAT_DOUBLE, &settings, &training, &trainer, &error))
        lat_abort(error.status, "%s", error.text);
    for (int64_t step = 0; step < settings.steps; step++)
        if (flow_trainer_step(trainer, &progress, &error)) lat_abort(error.status, "%s", error.text);
    if (evaluation) *evaluation = flow_trainer_evaluate(trainer, 2048);
    flow_trainer_free(trainer);
    flow_training_free(&training);
}

static double bessel_i0(double x)
{
    enum { POINTS = 64 };
    double sum = 0;
    for (int i = 0; i < POINTS; i++) sum += exp(x * cos(2 * M_PI * (i + 0.5) / POINTS));
    return sum / POINTS;
}

static double log_conditional(double p, double c, double coupling)
{
    return coupling * (cos(p) + cos(c - p)) - log(bessel_i0(2 * coupling * cos(c / 2)));
}

typedef struct {
    double divergence[3]; /* mean of log q - log p: the conditional of beta, of beta / 2, none (uniform) */
    double largest;       /* |log q - log p| where p > 0.01 */
    double regions;
} comparison;

static double plaquette(const lat_geometry *g, const double *u, int64_t x, int lane)
{
    const int lanes = g->lanes;
    return u[(2 * x) * lanes + lane] + u[(2 * g->up[0][x] + 1) * lanes + lane] - u[(2 * g->up[1][x]) * lanes + lane] - u[(2 * x + 1) * lanes + lane];
}

/* log q is minus the density of log det, since plaquettes of the prior are uniform. */
static comparison compare(const flow_model *model)
{
    lat_error error = {0};
    lat_geometry *g;
    flow_map *map;
    lat_shape shape = region;
    shape.members = 256;
    if (lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error) || flow_map_create(model, g, LAT_DOUBLE, &map, &error))
        lat_abort(error.status, "%s", error.text);
    lat_gauge *u = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    lat_random random = {.seed = 8, .purpose = LAT_RANDOM_TEST};
    lat_gauge_haar(u, &random);
    flow_forward(map, u, density);
    comparison result = {{0}, 0, 0};
    for (int64_t x = 0; x < g->sites; x++)
        for (int lane = 0; x % g->block[0] == 1 && lane < g->lanes; lane++) {
            double p = plaquette(g, u->links->data, x, lane), c = p + plaquette(g, u->links->data, g->down[0][x], lane);
            double log_q = -((double *)density->data)[x * g->lanes + lane], log_p = log_conditional(p, c, beta);
            result.divergence[0] += log_q - log_p;
            result.divergence[1] += log_q - log_conditional(p, c, beta / 2);
            result.divergence[2] += log_q;
            if (log_p > log(0.01)) result.largest = fmax(result.largest, fabs(log_q - log_p));
            result.regions++;
        }
    for (int i = 0; i < 3; i++) result.divergence[i] /= result.regions;
    lat_gauge_free(u);
    lat_field_free(density);
    flow_map_free(map);
    lat_geometry_free(g);
    return result;
}

static void test_conditional(const char *transform, double tolerance)
{
    flow_model *model = make_model(1, transform);
    lat_action *action = lat_action_wilson(LAT_U1, beta);
    train(model, action, &region, 500, NULL);
    comparison c = compare(model);
    ok(c.regions == 4096, "%g regions", c.regions);
    ok(c.divergence[0] < tolerance, "%s: the divergence of a trained layer from the exact conditional: %.5f per region", transform, c.divergence[0]);
    ok(c.largest < 1, "log q is off by at most %.3f where there is any weight", c.largest);
    ok(c.divergence[1] > 0.05 && c.divergence[2] > 0.4, "that of another coupling is far away: %.3f, and so is the prior: %.3f",
       c.divergence[1], c.divergence[2]);
    lat_action_free(action);
    flow_model_free(model);
}

/* More levels than a lattice can be halved are left out: links and log det are those of as many levels as fit. */
static void test_levels(void)
{
    double log_det[2];
    flow_model *model[2] = {make_model(12, "spline"), make_model(4, "spline")};
    int64_t count = model[1]->stack.parameter_count;
    memcpy(model[0]->parameters + model[0]->stack.parameter_count - count, model[1]->parameters, (size_t)count * sizeof(double));
    for (int i = 0; i < 2; i++) {
        lat_error error = {0};
        lat_geometry *g;
        flow_map *map;
        lat_shape shape = {.dim = 2, .size = {4, 4}, .lane_grid = {1, 1}};
        if (lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error) || flow_map_create(model[i], g, LAT_DOUBLE, &map, &error))
            lat_abort(error.status, "%s", error.text);
        lat_gauge *u = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
        lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
        lat_random random = {.seed = 9, .purpose = LAT_RANDOM_TEST};
        lat_gauge_haar(u, &random);
        flow_forward(map, u, density);
        lat_sum(density, &log_det[i]);
        lat_gauge_free(u);
        lat_field_free(density);
        flow_map_free(map);
        lat_geometry_free(g);
        flow_model_free(model[i]);
    }
    ok(log_det[0] == log_det[1] && log_det[0] != 0, "twelve levels on 4x4 are the last four (%.6g)", log_det[0]);
}

/* ------------------------------------------------------------------------------------------------ SU(2) and SU(3) */

static flow_model *stout_model(lat_group group, const char *layers)
{
    lat_error error = {0};
    lat_settings *settings;
    flow_model *model;
    if (lat_settings_parse(layers, "test", &settings, &error) || flow_model_create(settings, flow_layer_kinds, group, 2, 3, &model, &error))
        lat_abort(error.status, "%s", error.text);
    lat_settings_free(settings);
    return model;
}

/* ln Z of 2048 samples with a false-alarm probability of 6e-7: its weights are nearly alike. */
static void test_partition_function(lat_group group, double coupling, int64_t steps, double least)
{
    const lat_shape shape = {.dim = 2, .size = {4, 8}};
    flow_model *model = stout_model(group, "layers = ( { kind = \"multiscale\"; levels = 5; split = { kind = \"stout\"; steps = 3; }; } );");
    lat_action *action = lat_action_wilson(group, coupling);
    flow_evaluation e;
    train(model, action, &shape, steps, &e);
    double exact = lat_exact2d_log_z(group, coupling, 32);
    ok(e.ess > least, "%s: an ESS of %.4f after %d steps", lat_group_names[group], e.ess, (int)steps);
    ok(fabs(e.log_z - exact) < 5 * e.log_z_error, "ln Z is %.5f(%.5f), and should be %.5f", e.log_z, e.log_z_error, exact);
    lat_action_free(action);
    flow_model_free(model);
}

/* One step of the word P + Q: at P = C = 1 it is 1 - 2 c_0 times the identity, in SU(3) of positive determinant beyond c_0 = 1/2 too. */
static void test_fold(lat_group group, double c0, bool folds)
{
        lat_error error = {0};
    lat_geometry *g;
    flow_map *map;
    double log_det;
    flow_model *model = stout_model(group, "layers = ( { kind = \"stout\"; steps = 1; degree = 0; } );");
    for (int64_t i = 0; i < model->stack.parameter_count; i++) model->parameters[i] = i == 0 ? c0 : 0;
    model->version++;
    lat_shape shape = {.dim = 2, .size = {2, 2}};
    if (lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error) || flow_map_create(model, g, LAT_DOUBLE, &map, &error))
        lat_abort(error.status, "%s", error.text);
    lat_gauge *u = lat_gauge_create(g, group, LAT_DOUBLE); /* unit links */
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    flow_forward(map, u, density);
    lat_sum(density, &log_det);
    ok(!isfinite(log_det) == folds, "%s, c_0 = %g: unit links have log det %g", lat_group_names[group], c0, log_det);
    lat_gauge_free(u);
    lat_field_free(density);
    flow_map_free(map);
    lat_geometry_free(g);
    flow_model_free(model);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_conditional("spline", 0.005);
    test_conditional("even_spline", 0.001);
    test_levels();
    test_partition_function(LAT_SU2, 2.2, 200, 0.95);
    test_partition_function(LAT_SU3, 4, 100, 0.9);
    for (int group = LAT_SU2; group <= LAT_SU3; group++) {
        test_fold((lat_group)group, 0.45, false);
        test_fold((lat_group)group, 0.55, true);
    }
    return tap_end();
}
