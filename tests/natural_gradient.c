/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * natural_gradient.c: the step of the objective "variance": the least-squares solution of a batch that has one, whoever holds what;
 * scores of samples, whose sum is the gradient, for all kinds of layers; a model that learns by it.
 */
#include "tests/tap.h"

#include "flows/natural_gradient.h"
#include "tests/flow_bench.h"

enum { SAMPLES = 200, COUNT = 20, IDLE = 7, FLAT = 11 };

static lat_random stream(uint64_t step) { return (lat_random){.seed = 12, .purpose = LAT_RANDOM_TEST, .step = step}; }

static double uniform(uint64_t step, uint64_t i)
{
    lat_random random = stream(step);
    double u[4];
    lat_uniform4(&random, i, 0, 0, 0, u);
    return u[0] - 0.5;
}

/* ------------------------------------------------------------------------------------------------- the linear problem */

/* Scores with a mean, on scales from 1e-4 to 1e4; one parameter matters nowhere, one everywhere alike. */
static double score(int64_t sample, int64_t parameter)
{
    if (parameter == IDLE) return 0;
    if (parameter == FLAT) return 3;
    return pow(10, (double)(parameter % 9) - 4) * (0.3 + uniform(1, (uint64_t)(sample * COUNT + parameter)));
}

static double wanted(int64_t parameter)
{
    return parameter == IDLE || parameter == FLAT ? 0 : uniform(2, (uint64_t)parameter) / score(0, parameter);
}

/* Of the samples of a group; the ranks of a group hold every second, or more distant, parameter. */
static double solve(MPI_Comm comm, MPI_Comm group_comm, int group, int groups, double spoilt, double *step)
{
    int rank, ranks;
    MPI_Comm_rank(group_comm, &rank);
    MPI_Comm_size(group_comm, &ranks);
    double *row = lat_alloc(SAMPLES * COUNT, sizeof *row), deviation[SAMPLES], mean = 0;
    flow_scores scores = {.comm = comm,
                          .group_comm = group_comm,
                          .samples = SAMPLES,
                          .count = COUNT,
                          .row = row,
                          .deviation = deviation,
                          .damping = 1e-9};
    for (int64_t i = 0; i < SAMPLES; i++)
        for (int64_t a = 0; a < COUNT; a++) mean += score(i, a) * wanted(a) / SAMPLES;
    for (int64_t i = group; i < SAMPLES; i += groups) {
        deviation[scores.rows] = -mean;
        for (int64_t a = 0; a < COUNT; a++) {
            if (a % ranks == rank) row[scores.rows * COUNT + a] = score(i, a);
            deviation[scores.rows] += score(i, a) * wanted(a);
        }
        scores.rows++;
    }
    if (spoilt != 0 && group == groups - 1) row[rank] = spoilt;
    double length = flow_natural_gradient(&scores, step);
    free(row);
    return length;
}

static void test_solution(void)
{
    double alone[COUNT], shared[COUNT], split[COUNT], worst = 0, size = 0, lengths[3];
    MPI_Comm self;
    MPI_Comm_dup(MPI_COMM_SELF, &self);
    lengths[0] = solve(self, self, 0, 1, 0, alone);
    lengths[1] = solve(MPI_COMM_WORLD, self, tap.rank, tap.ranks, 0, shared);
    lengths[2] = solve(MPI_COMM_WORLD, MPI_COMM_WORLD, 0, 1, 0, split);
    for (int64_t a = 0; a < COUNT; a++) {
        worst = fmax(worst, fabs(alone[a] / (wanted(a) == 0 ? 1 : wanted(a)) - (wanted(a) != 0)));
        for (int64_t i = 0; i < SAMPLES; i++) size = fmax(size, fabs(score(i, a) * wanted(a)));
    }
    ok(worst < 1e-4, "deviations that are linear in the scores: the step is their coefficients (%.1e)", worst);
    ok(lengths[0] > 0 && lengths[0] < COUNT * size, "its length is the change of log q (%g)", lengths[0]);
    ok(alone[IDLE] == 0 && alone[FLAT] == 0, "parameters without effect stay");
    ok_all(memcmp(alone, shared, sizeof alone) == 0 && lengths[0] == lengths[1], "samples on %d ranks: the same bits",
           tap.ranks);
    ok_all(memcmp(alone, split, sizeof alone) == 0 && lengths[0] == lengths[2], "parameters on %d ranks: the same bits",
           tap.ranks);
    ok_all(isnan(solve(MPI_COMM_WORLD, self, tap.rank, tap.ranks, NAN, shared)) && shared[0] == 0,
           "a NaN on one rank is seen by all");
    ok_all(isnan(solve(MPI_COMM_WORLD, self, tap.rank, tap.ranks, INFINITY, shared)), "and so is an infinite number");
    MPI_Comm_free(&self);
}

/* --------------------------------------------------------------------------------------------------- scores of layers */

typedef struct {
    const char *name, *layers;
    lat_group group;
    double strength;
} example;

static const example examples[] = {
    {"plaquette_coupling", "layers = ( { kind = \"plaquette_coupling\"; repeat = 4; hidden = [3]; knots = 4; } );",
     LAT_U1, 0.3},
    {"multiscale, networks",
     "layers = ( { kind = \"multiscale\"; levels = 4; split = { hidden = [3]; knots = 3; transform = \"even_spline\"; "
     "};"
     " layers = ( { kind = \"plaquette_coupling\"; hidden = [3]; knots = 3; } ); } );",
     LAT_U1, 0.3},
    {"masked_stout",
     "layers = ( { kind = \"masked_stout\"; repeat = 4; rho = [0.1, 0.02]; loops = [\"plaquette\", \"rectangle\"]; } "
     ");",
     LAT_SU2, 0.02},
    {"stout", "layers = ( { kind = \"stout\"; repeat = 2; steps = 2; } );", LAT_SU3, 0.1},
    {"multiscale, stout",
     "layers = ( { kind = \"multiscale\"; levels = 4; split = { kind = \"stout\"; steps = 2; degree = 2; }; } );",
     LAT_SU2, 0.15},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static flow_model *make_model(const example *e)
{
    lat_error error = {0};
    lat_settings *settings;
    flow_model *model;
    if (lat_settings_parse(e->layers, e->name, &settings, &error) ||
        flow_model_create(settings, flow_layer_kinds, e->group, 2, 3, &model, &error))
        lat_abort(error.status, "%s", error.text);
    lat_settings_free(settings);
    for (int64_t i = 0; i < model->stack.parameter_count; i++)
        model->parameters[i] += e->strength * uniform(3, (uint64_t)i);
    model->version++;
    return model;
}

/* The rows of the reverse sweep, [MEMBERS][parameters], of all ranks; with one loss for all members, or for one alone. */
enum { MEMBERS = 3 };

static double *sweep_rows(bench *b, const lat_field *c, int only, bool apart)
{
    const int64_t n = b->map->model->stack.parameter_count;
    double *row = lat_alloc(MEMBERS * n, sizeof *row), log_det[MEMBERS];
    map_links(b, log_det);
    lat_field_copy(b->cotangent, c);
    for (int lane = 0; lane < b->g->lanes; lane++) b->weight[lane] = only < 0 || lane == only ? 0.7 : 0;
    for (int64_t i = 0; i < reals(c); i++)
        if (b->weight[i % b->g->lanes] == 0) ((double *)b->cotangent->data)[i] = 0;
    if (apart)
        flow_backward_rows(b->map, b->u, b->cotangent, b->weight, row);
    else
        flow_backward(b->map, b->u, b->cotangent, b->weight, row);
    MPI_Allreduce(MPI_IN_PLACE, row, (int)(MEMBERS * n), MPI_DOUBLE, MPI_SUM, b->g->comm);
    return row;
}

static double difference(const double *a, const double *b, int64_t n)
{
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    return largest > 0 ? worst / largest : INFINITY;
}

static void test_rows(const example *e)
{
    static const int64_t size[] = {8, 8};
    flow_model *model = make_model(e);
    const int64_t n = model->stack.parameter_count;
    lat_random links = stream(4), cotangents = stream(5);
    bench b = bench_of(MPI_COMM_WORLD, e->name, size, model, MEMBERS, LAT_DOUBLE, false, &links);
    lat_field *c = lat_field_algebra(b.g, e->group, LAT_DOUBLE);
    lat_field_gaussian(c, &cotangents);
    double *row = sweep_rows(&b, c, -1, true), *whole = sweep_rows(&b, c, -1, false), *sum = lat_alloc(n, sizeof *sum);
    for (int64_t i = 0; i < MEMBERS * n; i++) sum[i % n] += row[i];
    ok(difference(sum, whole, n) < 1e-12, "%s: the rows of the members add up to the gradient", e->name);
    for (int m = 0; m < MEMBERS; m++) {
        double *alone = sweep_rows(&b, c, m, false);
        ok(difference(row + m * n, alone, n) < 1e-12, "%s: row %d is the gradient of its member", e->name, m);
        free(alone);
    }
    free(row);
    free(whole);
    free(sum);
    lat_field_free(c);
    free_bench(&b);
    flow_model_free(model);
}

/* ------------------------------------------------------------------------------------------------------------ learning */

enum { MOST = 256 }; /* parameters */

/* ESS on 4x4 of a model of SU(2) that begins near the identity. */
static double learn(MPI_Comm comm, int split, int64_t batch, int steps, double *parameters)
{
    static const example scales = {
        "SU(2)", "layers = ( { kind = \"multiscale\"; levels = 4; split = { kind = \"stout\"; steps = 3; }; } );",
        LAT_SU2, 0};
    lat_error error = {0};
    flow_model *model = make_model(&scales);
    lat_action *action = lat_action_wilson(LAT_SU2, 1.8);
    lat_settings *train;
    lat_shape shape = {.dim = 2, .size = {4, 4}, .ranks = {1, split}};
    flow_train_settings settings;
    flow_training training = {0};
    flow_trainer *trainer;
    flow_progress progress;
    char *text = lat_text("objective = \"variance\"; batch = %lld; clip = 1.0; damping = 1e-3;", (long long)batch);
    if (lat_settings_parse(text, "train", &train, &error) || flow_train_read(train, &settings, &error) ||
        flow_trainer_create(comm, model, action, &shape, LAT_DOUBLE, &settings, &training, &trainer, &error))
        lat_abort(error.status, "%s", error.text);
    for (int i = 0; i < steps && !error.status; i++) flow_trainer_step(trainer, &progress, &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    memcpy(parameters, model->parameters, (size_t)model->stack.parameter_count * sizeof *parameters);
    flow_evaluation evaluation = flow_trainer_evaluate(trainer, 2 * batch);
    free(text);
    flow_trainer_free(trainer);
    flow_training_free(&training);
    flow_train_release(&settings);
    lat_settings_free(train);
    lat_action_free(action);
    flow_model_free(model);
    return evaluation.ess;
}

static void test_learning(void)
{
    enum { STEPS = 8, BATCH = 1024 };
    double parameters[MOST] = {0}, before = learn(MPI_COMM_SELF, 1, BATCH, 0, parameters),
           ess = learn(MPI_COMM_SELF, 1, BATCH, STEPS, parameters);
    ok(before < 0.2 && ess > 0.999, "SU(2) at beta = 1.8: %d steps take the ESS from %.3f to %.5f", STEPS, before, ess);
}

static void test_ranks(void)
{
    enum { STEPS = 2, BATCH = 64 };
    double alone[MOST] = {0}, shared[MOST] = {0}, split[MOST] = {0};
    learn(MPI_COMM_SELF, 1, BATCH, STEPS, alone);
    learn(MPI_COMM_WORLD, 1, BATCH, STEPS, shared);
    learn(MPI_COMM_WORLD, 2, BATCH, STEPS, split);
    ok_all(memcmp(alone, shared, sizeof alone) == 0, "%d ranks do what one does, bit by bit", tap.ranks);
    ok_all(memcmp(alone, split, sizeof alone) == 0, "and so do ranks that the lattice is split over");
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_solution();
    for (int i = 0; i < EXAMPLES; i++) test_rows(&examples[i]);
    if (tap.ranks == 1)
        test_learning();
    else
        test_ranks();
    return tap_end();
}
