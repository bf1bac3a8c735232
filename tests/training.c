/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * training.c: the training as a whole: the same bits on any number of ranks and after stopping and going on, schedules,
 * dropped steps, what evaluations say, and that models learn.  Statistical test: ln Z at 6 sigma, false alarms below
 * 1e-8.
 */
#include "tests/tap.h"

#include "flows/flows.h"
#include "flows/optimiser.h"

#include <unistd.h>

static const char small[] = "layers = ( { kind = \"plaquette_coupling\"; repeat = 4; hidden = [3]; knots = 4; } );";

typedef struct {
    flow_model *model;
    lat_action *action;
    lat_settings *train;
    lat_shape shape;
    flow_train_settings settings;
    flow_training training;
    flow_trainer *trainer;
} setup;

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

static setup *prepare(const char *layers, const char *options, int64_t extent, double beta)
{
    lat_error error = {0};
    lat_settings *flow;
    setup *s = lat_alloc(1, sizeof *s);
    s->shape = (lat_shape){.dim = 2, .size = {extent, extent}};
    lat_settings_parse(layers, "flow", &flow, &error);
    require(&error);
    lat_settings_parse(options, "train", &s->train, &error);
    require(&error);
    flow_model_create(flow, flow_layer_kinds, LAT_U1, 2, 3, &s->model, &error);
    flow_train_read(s->train, &s->settings, &error);
    lat_settings_finish(s->train, &error);
    require(&error);
    s->action = lat_action_wilson(LAT_U1, beta);
    lat_settings_free(flow);
    return s;
}

static void begin(setup *s, MPI_Comm comm, lat_precision precision)
{
    lat_error error = {0};
    flow_trainer_create(comm, s->model, s->action, &s->shape, precision, &s->settings, &s->training, &s->trainer,
                        &error);
    require(&error);
}

static void end(setup *s)
{
    flow_trainer_free(s->trainer);
    flow_training_free(&s->training);
    flow_model_free(s->model);
    lat_action_free(s->action);
    flow_train_release(&s->settings);
    lat_settings_free(s->train);
    free(s);
}

/* Writes the losses, and returns the last progress. */
static flow_progress steps(setup *s, int count, double *loss)
{
    lat_error error = {0};
    flow_progress progress = {0};
    for (int i = 0; i < count; i++) {
        flow_trainer_step(s->trainer, &progress, &error);
        if (loss) loss[i] = progress.loss;
    }
    require(&error);
    return progress;
}

static bool same_bits(const void *a, const void *b, int64_t doubles)
{
    return memcmp(a, b, (size_t)doubles * sizeof(double)) == 0;
}

/* Parameters, moments and counters. */
static bool same_state(const setup *s, const setup *t)
{
    int64_t n = s->model->stack.parameter_count;
    return same_bits(s->model->parameters, t->model->parameters, n) &&
           same_bits(s->training.moments, t->training.moments, 2 * n) && s->training.step == t->training.step &&
           s->training.dropped == t->training.dropped;
}

/* ------------------------------------------------------------------------------------- ranks, stopping and going on */

static void test_ranks(const char *options, lat_precision precision, const char *name)
{
    enum { STEPS = 6 };
    double loss[2][STEPS];
    setup *all = prepare(small, options, 8, 1.5), *alone = prepare(small, options, 8, 1.5);
    begin(all, MPI_COMM_WORLD, precision);
    begin(alone, MPI_COMM_SELF, precision);
    steps(all, STEPS, loss[0]);
    steps(alone, STEPS, loss[1]);
    ok_all(same_bits(loss[0], loss[1], STEPS) && same_state(all, alone), "%s: %d ranks do what one does, bit by bit",
           name, tap.ranks);
    flow_evaluation a = flow_trainer_evaluate(all->trainer, 100), b = flow_trainer_evaluate(alone->trainer, 100);
    ok_all(same_bits(&a.loss, &b.loss, 6) && a.samples == b.samples && isfinite(a.loss), "%s: and so do evaluations",
           name);
    end(all);
    end(alone);
}

/* The lattice split over this grid of ranks, and the batch over as many groups of them as there are. */
static void test_split(const char *layers, const char *options, lat_precision precision, int along_x, int along_y, const char *name)
{
    enum { STEPS = 2 };
    double loss[2][STEPS];
    setup *split = prepare(layers, options, 8, 1.5), *alone = prepare(layers, options, 8, 1.5);
    split->shape.ranks[0] = along_x;
    split->shape.ranks[1] = along_y;
    begin(split, MPI_COMM_WORLD, precision);
    begin(alone, MPI_COMM_SELF, precision);
    steps(split, STEPS, loss[0]);
    steps(alone, STEPS, loss[1]);
    ok_all(same_bits(loss[0], loss[1], STEPS) && same_state(split, alone), "%s, %d x %d ranks for a lattice, %d groups: as on one rank, bit by bit",
           name, along_x, along_y, tap.ranks / along_x / along_y);
    flow_evaluation a = flow_trainer_evaluate(split->trainer, 16), b = flow_trainer_evaluate(alone->trainer, 16);
    ok_all(same_bits(&a.loss, &b.loss, 6) && a.samples == b.samples && isfinite(a.loss), "and so do evaluations");
    end(split);
    end(alone);
}

static const char scales[] = "layers = ( { kind = \"multiscale\"; levels = 6; split = { hidden = [4]; knots = 4; transform = \"even_spline\"; }; } );";
static const char mixed[] = "layers = ( { kind = \"multiscale\"; levels = 3; split = { hidden = [4]; knots = 4; kernel = 3; };"
                            " layers = ( { kind = \"plaquette_coupling\"; repeat = 2; hidden = [5, 3]; knots = 4; activation = \"silu\"; } ); } );";

static void test_splits(int along_x, int along_y)
{
    static const struct {
        const char *layers, *name;
    } models[] = {{small, "plaquette_coupling"}, {scales, "multiscale"}, {mixed, "multiscale with further layers"}};
    for (int m = 0; m < 3; m++)
        for (int objective = 0; objective < 3; objective++) {
            char *options = lat_text("batch = 16; learning_rate = 0.01; objective = \"%s\";", flow_objective_names[objective]);
            char *name = lat_text("%s, %s", models[m].name, flow_objective_names[objective]);
            test_split(models[m].layers, options, LAT_DOUBLE, along_x, along_y, name);
            free(options);
            free(name);
        }
    test_split(small, "batch = 16; objective = \"variance\"; damping = 0.1;", LAT_DOUBLE, along_x, along_y, "plaquette_coupling, variance");
    test_split(small, "batch = 32; learning_rate = 0.01;", LAT_FLOAT, along_x, along_y, "plaquette_coupling in float");
}

static void test_resume(const char *layers)
{
    static const char options[] =
        "batch = 16; learning_rate = 0.01; schedule = \"cosine\"; steps = 12; warm_up = 3; clip = 2.0;"
        "anneal = { start = 0.5; steps = 8; }; evaluate_every = 4; evaluate_samples = 32;";
    setup *whole = prepare(layers, options, 8, 1.5), *first = prepare(layers, options, 8, 1.5),
          *second = prepare(layers, options, 8, 1.5);
    double loss[2][12];
    begin(whole, MPI_COMM_WORLD, LAT_DOUBLE);
    steps(whole, 12, loss[0]);
    begin(first, MPI_COMM_WORLD, LAT_DOUBLE);
    steps(first, 5, loss[1]);
    /* what a model file holds, on other ranks */
    int64_t n = first->model->stack.parameter_count;
    memcpy(second->model->parameters, first->model->parameters, (size_t)n * sizeof(double));
    second->training.step = first->training.step;
    second->training.moments = lat_alloc(2 * n, sizeof(double));
    memcpy(second->training.moments, first->training.moments, (size_t)(2 * n) * sizeof(double));
    begin(second, MPI_COMM_SELF, LAT_DOUBLE);
    steps(second, 7, loss[1] + 5);
    ok_all(same_bits(loss[0], loss[1], 12) && same_state(whole, second),
           "stopped and resumed: as if never stopped, bit by bit");
    end(whole);
    end(first);
    end(second);
}

static void test_history(void)
{
    setup *s = prepare(small, "batch = 16;", 8, 1.5);
    begin(s, MPI_COMM_WORLD, LAT_DOUBLE);
    for (int i = 0; i < 3; i++) {
        flow_progress progress = steps(s, 2, NULL);
        flow_evaluation evaluation = flow_trainer_evaluate(s->trainer, 32);
        flow_trainer_record(s->trainer, &evaluation, &progress);
        double row[] = {2.0 * (i + 1), evaluation.loss, evaluation.ess, progress.gradient_norm, progress.learning_rate};
        const double *last = s->training.history + i * FLOW_HISTORY_COLUMNS;
        ok(s->training.rows == i + 1 && same_bits(last, row, 5) && last[5] > 0 &&
               last[5] == s->model->training_core_seconds,
           "row %d of the history", i);
    }
    ok(s->training.history[0] == 2 && s->training.history[5] < s->training.history[FLOW_HISTORY_COLUMNS + 5],
       "rows stay, seconds rise");
    end(s);
}

/* ---------------------------------------------------------------------------------------------- optimiser and guard */

static void test_schedules(void)
{
    flow_train_settings s = {
        .learning_rate = 2, .steps = 100, .schedule = FLOW_CONSTANT, .decay_steps = 10, .decay_factor = 0.5};
    ok(flow_learning_rate(&s, 0) == 2 && flow_learning_rate(&s, 99) == 2, "constant");
    s.schedule = FLOW_COSINE;
    ok_near(flow_learning_rate(&s, 50), 1, 1e-14, "cosine: half way");
    ok_near(flow_learning_rate(&s, 100), 0, 1e-14, "cosine: to zero at the end");
    s.schedule = FLOW_STEP_DECAY;
    ok(flow_learning_rate(&s, 9) == 2 && flow_learning_rate(&s, 10) == 1 && flow_learning_rate(&s, 35) == 0.25,
       "step decay");
    s.schedule = FLOW_CONSTANT;
    s.warm_up = 3;
    ok(flow_learning_rate(&s, 0) == 0.5 && flow_learning_rate(&s, 2) == 1.5 && flow_learning_rate(&s, 3) == 2,
       "warm-up");
}

/* An optimiser by itself. */
typedef struct {
    setup *s;
    lat_geometry *geometry;
    flow_map *map;
    flow_optimiser *optimiser;
    int64_t count, rows;
    double *moments, *gradient;
} descent;

static descent descent_of(MPI_Comm comm, int64_t rows, int64_t parts)
{
    lat_error error = {0};
    descent d = {.s = prepare(small, "", 8, 1.5), .rows = rows};
    lat_shape shape = d.s->shape;
    shape.members = lat_backend_lanes(NULL, LAT_DOUBLE);
    lat_geometry_create(MPI_COMM_SELF, &shape, &d.geometry, &error);
    flow_map_create(d.s->model, d.geometry, LAT_DOUBLE, &d.map, &error);
    require(&error);
    d.count = d.s->model->stack.parameter_count;
    d.moments = lat_alloc(2 * d.count, sizeof *d.moments);
    d.gradient = lat_alloc(d.count, sizeof *d.gradient);
    d.optimiser = flow_optimiser_create(comm, d.s->model, d.map, d.moments, rows, parts);
    return d;
}

static void descent_free(descent *d)
{
    flow_optimiser_free(d->optimiser);
    flow_map_free(d->map);
    lat_geometry_free(d->geometry);
    free(d->moments);
    free(d->gradient);
    end(d->s);
}

/* Some of the numbers [rows][count], from the first row given; then the gradient. */
static double fill_gradient(descent *d, const double *numbers, int64_t first, int64_t batch)
{
    for (int64_t r = 0; r < d->rows; r++)
        memcpy(flow_optimiser_row(d->optimiser, r), numbers + (first + r) * d->count, (size_t)d->count * sizeof *numbers);
    double norm = flow_optimiser_gradient(d->optimiser, batch);
    flow_optimiser_read_gradient(d->optimiser, d->gradient);
    return norm;
}

static void test_gradient_sum(void)
{
    enum { TOTAL = 24, BATCH = 3 };
    int64_t mine = TOTAL / tap.ranks;
    descent all = descent_of(MPI_COMM_WORLD, mine, TOTAL), alone = descent_of(MPI_COMM_SELF, TOTAL, TOTAL);
    double *number = lat_alloc(TOTAL * all.count, sizeof *number), worst = 0, square = 0;
    lat_random random = {.seed = 4, .purpose = LAT_RANDOM_TEST};
    for (int64_t i = 0; i < TOTAL * all.count; i++) {
        double u[4];
        lat_uniform4(&random, (uint64_t)i, 0, 0, 0, u);
        number[i] = (u[0] - 0.5) * exp(10 * u[1]);
    }
    double norm_alone = fill_gradient(&alone, number, 0, BATCH), norm = fill_gradient(&all, number, tap.rank * mine, BATCH);
    for (int64_t i = 0; i < all.count; i++) {
        double sum = 0;
        for (int64_t r = 0; r < TOTAL; r++) sum += number[r * all.count + i] / BATCH;
        worst = fmax(worst, fabs(sum - alone.gradient[i]));
        square += sum * sum;
    }
    ok(worst < 1e-10, "the gradient is the sum of its parts: %.1g", worst);
    ok_near(norm, sqrt(square), 1e-10 * sqrt(square), "and its norm is told");
    ok_all(same_bits(all.gradient, alone.gradient, all.count) && norm == norm_alone, "whoever adds what");
    memset(number, 0, (size_t)(TOTAL * all.count) * sizeof *number);
    ok_all(fill_gradient(&all, number, 0, 1) == 0 && all.gradient[0] == 0, "zero everywhere");
    if (tap.rank == 0) number[3] = -INFINITY;
    ok_all(isnan(fill_gradient(&all, number, 0, 1)), "an infinite number on one rank is seen by all");
    if (tap.rank == 0) number[3] = NAN;
    ok_all(isnan(fill_gradient(&all, number, 0, 1)), "and so is a NaN");
    free(number);
    descent_free(&all);
    descent_free(&alone);
}

/* The minimum of sum_i a_i (x_i - i)^2 from gradients with very different scales. */
static void test_adam(void)
{
    enum { N = 4 };
    descent d = descent_of(MPI_COMM_SELF, 1, 1);
    double *x = d.s->model->parameters, *gradient = flow_optimiser_row(d.optimiser, 0);
    for (int i = 0; i < N; i++) x[i] = 5;
    for (int t = 1; t <= 4000; t++) {
        for (int i = 0; i < N; i++) gradient[i] = pow(10, 3 * i - 3) * (x[i] - i);
        flow_optimiser_gradient(d.optimiser, 1);
        flow_optimiser_step(d.optimiser, 1, t, 0.1 * pow(0.998, t));
        if (t == 1)
            ok(fabs(x[0] - 4.9002) < 1e-6 && fabs(x[3] - 4.9002) < 1e-6,
               "first step of Adam: the learning rate, whatever the scale");
    }
    for (int i = 0; i < N; i++) ok_near(x[i], i, 1e-3, "Adam finds the minimum");
    descent_free(&d);
}

static double length_of(const double *vector, int64_t count)
{
    double square = 0;
    for (int64_t i = 0; i < count; i++) square += vector[i] * vector[i];
    return sqrt(square);
}

static void test_clip(void)
{
    setup *free_one = prepare(small, "batch = 16; learning_rate = 0.01;", 8, 1.5);
    setup *cut = prepare(small, "batch = 16; learning_rate = 0.01; clip = 0.125;", 8, 1.5);
    begin(free_one, MPI_COMM_WORLD, LAT_DOUBLE);
    begin(cut, MPI_COMM_WORLD, LAT_DOUBLE);
    double norm = steps(cut, 1, NULL).gradient_norm;
    ok(norm == steps(free_one, 1, NULL).gradient_norm && norm > 0.2, "the norm is that of the whole gradient: %.3g",
       norm);
    ok_near(length_of(cut->training.moments, cut->model->stack.parameter_count), 0.1 * 0.125, 1e-12,
            "what the optimiser sees is cut");
    ok_near(length_of(free_one->training.moments, cut->model->stack.parameter_count), 0.1 * norm, 1e-12,
            "and whole without the key");
    end(free_one);
    end(cut);
}

/* A parameter that is not a number spoils every loss. */
static void test_guard(void)
{
    lat_error error = {0};
    flow_progress progress;
    setup *s = prepare(small, "batch = 16;", 8, 1.5);
    begin(s, MPI_COMM_WORLD, LAT_DOUBLE);
    steps(s, 2, NULL);
    int64_t n = s->model->stack.parameter_count, bad = n - 1;
    double *moments = lat_alloc(2 * n, sizeof *moments), *parameters = lat_alloc(n, sizeof *parameters),
           good = s->model->parameters[bad];
    memcpy(moments, s->training.moments, (size_t)(2 * n) * sizeof *moments);
    s->model->parameters[bad] = NAN;
    s->model->version++;
    memcpy(parameters, s->model->parameters, (size_t)n * sizeof *parameters);
    for (int i = 0; i < 99; i++) flow_trainer_step(s->trainer, &progress, &error);
    ok(!error.status && progress.dropped && s->training.dropped == 99 && s->training.step == 101,
       "99 bad steps are dropped and counted");
    ok(same_bits(moments, s->training.moments, 2 * n) && same_bits(parameters, s->model->parameters, n),
       "parameters and moments are as before");
    s->model->parameters[bad] = good;
    s->model->version++;
    flow_trainer_step(s->trainer, &progress, &error);
    ok(!error.status && !progress.dropped && s->training.dropped == 99 && isfinite(progress.loss),
       "a good step ends the row");
    s->model->parameters[bad] = NAN;
    s->model->version++;
    for (int i = 0; i < 99; i++) flow_trainer_step(s->trainer, &progress, &error);
    ok(!error.status, "99 more go on");
    ok(flow_trainer_step(s->trainer, &progress, &error) == LAT_NUMERICAL && strstr(error.text, "100 steps in a row"),
       "100 do not");
    free(moments);
    free(parameters);
    end(s);
}

static void test_refusals(void)
{
    lat_error error = {0};
    setup *s = prepare(small, "batch = 16;", 8, 1.5);
    s->settings.batch = 17;
    flow_trainer_create(MPI_COMM_WORLD, s->model, s->action, &s->shape, LAT_DOUBLE, &s->settings, &s->training,
                        &s->trainer, &error);
    ok(error.status == LAT_CONFIG && strstr(error.text, "train.batch") && !s->trainer,
       "a batch that is no multiple of the lanes: %s", error.text);
    s->settings.batch = 16;
    s->action->auxiliary = true;
    error = (lat_error){0};
    flow_trainer_create(MPI_COMM_WORLD, s->model, s->action, &s->shape, LAT_DOUBLE, &s->settings, &s->training, &s->trainer, &error);
    ok(error.status == LAT_CONFIG && strstr(error.text, "auxiliary fields") && !s->trainer, "an action with auxiliary fields: %s", error.text);
    s->action->auxiliary = false;
    s->action->quarks = true;
    error = (lat_error){0};
    flow_trainer_create(MPI_COMM_WORLD, s->model, s->action, &s->shape, LAT_FLOAT, &s->settings, &s->training, &s->trainer, &error);
    ok(error.status == LAT_CONFIG && strstr(error.text, "use double") && !s->trainer, "quarks in float: %s", error.text);
    s->action->quarks = false;
    s->shape.size[0] = 6;
    error = (lat_error){0};
    flow_trainer_create(MPI_COMM_WORLD, s->model, s->action, &s->shape, LAT_DOUBLE, &s->settings, &s->training,
                        &s->trainer, &error);
    ok(error.status == LAT_CONFIG && !s->trainer, "a lattice that does not suit the model: %s", error.text);
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"objective = \"paths\";", "path"},
        {"schedule = \"cosin\";", "cosine"},
        {"steps = -1;", "steps"},
        {"learning_rate = -0.1;", "learning_rate"},
        {"objective = \"forward\";", "ensemble"},
        {"stepps = 10;", "steps"},
        {"anneal = { start = 2.0; };", "start"},
        {"batch = 0;", "batch"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lat_settings *train;
        flow_train_settings settings;
        error = (lat_error){0};
        lat_settings_parse(bad[i].text, "train", &train, &error);
        if (!flow_train_read(train, &settings, &error)) lat_settings_finish(train, &error);
        ok(error.status == LAT_CONFIG && strstr(error.text, bad[i].part), "%s: %s", bad[i].text, error.text);
        flow_train_release(&settings);
        lat_settings_free(train);
    }
    end(s);
}

/* --------------------------------------------------------------------------------------------- evaluation, learning */

static void test_weights(void)
{
    enum { N = 50 };
    double w[N], sum = 0, square = 0, accepted = 0, mean = 0;
    for (int i = 0; i < N; i++) {
        double u[4];
        lat_uniform4(&(lat_random){.seed = 4, .purpose = LAT_RANDOM_TEST}, (uint64_t)i, 0, 0, 0, u);
        w[i] = 700 + 3 * u[0] + 2 * u[1];
        mean += w[i] / N;
    }
    for (int i = 0; i < N; i++) {
        double e = exp(w[i] - 700);
        sum += e;
        square += e * e;
        for (int j = 0; j < N; j++) accepted += fmin(1, exp(w[j] - w[i])) * e / N;
    }
    flow_evaluation e = flow_evaluate_weights(w, N);
    ok_near(e.ess, sum * sum / (N * square), 1e-13, "effective sample size");
    ok_near(e.acceptance, accepted / sum, 1e-13, "acceptance of independence Metropolis");
    ok_near(e.log_z, 700 + log(sum / N), 1e-12, "ln of the mean weight");
    ok_near(e.loss, -mean, 1e-11, "loss");
    w[3] = NAN;
    e = flow_evaluate_weights(w, N);
    ok(isnan(e.ess) && isnan(e.loss) && isnan(e.log_z), "a weight that is no number is not hidden");
}

static void test_learning(void)
{
    static const char layers[] = "layers = ( { kind = \"plaquette_coupling\"; repeat = 8; hidden = [4]; knots = 6;"
                                 " activation = \"silu\"; } );";
    setup *s = prepare(layers, "batch = 32; learning_rate = 0.02; steps = 200; schedule = \"cosine\";", 8, 1);
    begin(s, MPI_COMM_WORLD, LAT_DOUBLE);
    flow_evaluation before = flow_trainer_evaluate(s->trainer, 2048);
    steps(s, 200, NULL);
    flow_evaluation after = flow_trainer_evaluate(s->trainer, 4096);
    ok(before.ess < 0.1 && after.ess > 0.4, "200 steps at beta = 1 on 8x8: ESS from %.3f to %.3f", before.ess,
       after.ess);
    ok(after.loss < before.loss - 10 && after.acceptance > 0.45, "loss from %.2f to %.2f, acceptance %.2f", before.loss,
       after.loss, after.acceptance);
    ok_near(after.log_z, lat_exact2d_log_z(LAT_U1, 1, 64), 6 * after.log_z_error, "ln Z is exact within errors");
    ok(after.loss > -after.log_z, "the loss is above -ln Z: %.4f > %.4f(%.4f)", after.loss, -after.log_z,
       after.log_z_error);
    end(s);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_ranks("batch = 48; learning_rate = 0.01;", LAT_DOUBLE, "path");
    test_ranks("batch = 48; learning_rate = 0.01; objective = \"reparametrise\";", LAT_DOUBLE, "reparametrise");
    test_ranks("batch = 48; learning_rate = 0.01; objective = \"reinforce\";", LAT_DOUBLE, "reinforce");
    test_ranks("batch = 48; learning_rate = 0.01;", LAT_FLOAT, "path, networks in float");
    if (tap.ranks > 1) test_splits(2, 1);
    if (tap.ranks == 4) test_splits(2, 2);
    test_resume(small);
    test_history();
    test_schedules();
    test_gradient_sum();
    test_adam();
    test_clip();
    test_guard();
    test_refusals();
    test_weights();
    test_learning();
    return tap_end();
}
