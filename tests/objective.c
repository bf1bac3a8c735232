/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * objective.c: gradients of the training.  Those of reparametrise and forward are derivatives of the loss of a batch
 * and are held against finite differences; those of path and reinforce differ from reparametrise by noise of mean zero.
 * Maps are smooth here, as finite differences need them (splines have kinks in log h').  Statistical tests: 32
 * comparisons at 6 sigma, false alarms below 1e-6.
 */
#include "tests/tap.h"

#include "flows/flows.h"

#include <unistd.h>

enum { EXTENT = 4, BATCH = 32, FILES = 12, DIRECTIONS = 16 };
enum { REPARAMETRISE, PATH, REINFORCE, FORWARD };

static const char layers[] =
    "layers = ( { kind = \"plaquette_coupling\"; repeat = 4; transform = \"tangents\"; hidden = [3]; knots = 3;"
    " activation = \"tanh\"; } );";

typedef struct {
    flow_model *model;
    lat_action *action;
    flow_train_settings settings;
    flow_training training;
    flow_trainer *trainer;
} setup;

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

static double uniform(uint64_t stream, uint64_t i)
{
    double u[4];
    lat_uniform4(&(lat_random){.seed = 5, .purpose = LAT_RANDOM_TEST, .step = stream}, i, 0, 0, 0, u);
    return u[0] - 0.5;
}

/* strength: of random numbers that are added to the parameters */
static setup *start_in(lat_precision precision, int objective, double beta, double strength, const char **files, int count)
{
    lat_error error = {0};
    lat_settings *flow, *train;
    setup *s = lat_alloc(1, sizeof *s);
    lat_shape shape = {.dim = 2, .size = {EXTENT, EXTENT}};
    lat_settings_parse(layers, "flow", &flow, &error);
    require(&error);
    lat_settings_parse("", "train", &train, &error);
    require(&error);
    flow_model_create(flow, flow_layer_kinds, LAT_U1, 2, 3, &s->model, &error);
    flow_train_read(train, &s->settings, &error);
    require(&error);
    for (int64_t i = 0; i < s->model->stack.parameter_count; i++)
        s->model->parameters[i] += strength * uniform(1, (uint64_t)i);
    s->settings.objective = objective;
    s->settings.batch = BATCH;
    s->settings.ensemble = files;
    s->settings.ensemble_count = count;
    s->action = lat_action_wilson(LAT_U1, beta);
    flow_trainer_create(MPI_COMM_WORLD, s->model, s->action, &shape, precision, &s->settings, &s->training,
                        &s->trainer, &error);
    require(&error);
    lat_settings_free(train);
    lat_settings_free(flow);
    return s;
}

static setup *start(int objective, double beta, double strength, const char **files, int count)
{
    return start_in(LAT_DOUBLE, objective, beta, strength, files, count);
}

static void end(setup *s)
{
    flow_trainer_free(s->trainer);
    flow_training_free(&s->training);
    flow_model_free(s->model);
    lat_action_free(s->action);
    free(s);
}

static void move(setup *s, uint64_t direction, double distance)
{
    for (int64_t i = 0; i < s->model->stack.parameter_count; i++)
        s->model->parameters[i] += distance * uniform(direction, (uint64_t)i);
    s->model->version++;
}

static double along(const setup *s, uint64_t direction, const double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < s->model->stack.parameter_count; i++) sum += gradient[i] * uniform(direction, (uint64_t)i);
    return sum;
}

/* Largest relative error of derivatives in random directions, against central differences of fourth order. */
static double difference_error(setup *s)
{
    const double h = 1e-3;
    double *gradient = lat_alloc(s->model->stack.parameter_count, sizeof *gradient), worst = 0;
    flow_trainer_gradient(s->trainer, gradient);
    for (uint64_t d = 100; d < 100 + DIRECTIONS; d++) {
        double loss[4];
        for (int i = 0; i < 4; i++) {
            double distance = h * (i < 2 ? i - 2 : i - 1);
            move(s, d, distance);
            loss[i] = flow_trainer_gradient(s->trainer, NULL);
            move(s, d, -distance);
        }
        double numerical = (loss[0] - loss[3] + 8 * (loss[2] - loss[1])) / (12 * h), exact = along(s, d, gradient);
        worst = fmax(worst, fabs(numerical - exact) / (1 + fabs(exact)));
    }
    free(gradient);
    return worst;
}

static void test_reparametrise(void)
{
    setup *s = start(REPARAMETRISE, 1.5, 0.5, NULL, 0);
    ok_near(difference_error(s), 0, 1e-8, "reparametrise: the gradient is the derivative of the loss of the batch");
    s->training.step = 7;
    ok_near(difference_error(s), 0, 1e-8, "and so at another step");
    end(s);
}

static void test_annealing(void)
{
    setup *s = start(REPARAMETRISE, 1.5, 0.5, NULL, 0);
    double full = flow_trainer_gradient(s->trainer, NULL);
    flow_trainer_free(s->trainer);
    lat_error error = {0};
    s->settings.anneal_start = 0.25;
    s->settings.anneal_steps = 4;
    flow_trainer_create(MPI_COMM_WORLD, s->model, s->action, &(lat_shape){.dim = 2, .size = {EXTENT, EXTENT}},
                        LAT_DOUBLE, &s->settings, &s->training, &s->trainer, &error);
    require(&error);
    double quarter = flow_trainer_gradient(s->trainer, NULL);
    setup *t = start(REPARAMETRISE, 0.25 * 1.5, 0.5, NULL, 0);
    ok_near(quarter, flow_trainer_gradient(t->trainer, NULL), 1e-11, "annealing: the loss is that of a weaker action");
    ok(fabs(quarter - full) > 1, "which is another one");
    ok_near(difference_error(s), 0, 1e-8, "annealing: the gradient is the derivative of the loss");
    end(t);
    end(s);
}

/* Mean difference of two gradients over many batches, in random directions and in units of its error: the worst.
 * signal: the largest mean of the first gradient in units of the error of the difference. */
static double compare(int objective, int batches, double *signal)
{
    setup *s = start(REPARAMETRISE, 1.5, 0.5, NULL, 0), *t = start(objective, 1.5, 0.5, NULL, 0);
    int64_t n = s->model->stack.parameter_count;
    double *a = lat_alloc(n, sizeof *a), *b = lat_alloc(n, sizeof *b), sum[DIRECTIONS] = {0}, square[DIRECTIONS] = {0},
           mean[DIRECTIONS] = {0};
    for (int batch = 0; batch < batches; batch++) {
        s->training.step = t->training.step = batch;
        flow_trainer_gradient(s->trainer, a);
        flow_trainer_gradient(t->trainer, b);
        for (int d = 0; d < DIRECTIONS; d++) {
            double first = along(s, 200 + (uint64_t)d, a), difference = along(s, 200 + (uint64_t)d, b) - first;
            mean[d] += first / batches;
            sum[d] += difference / batches;
            square[d] += difference * difference / batches;
        }
    }
    double worst = *signal = 0;
    for (int d = 0; d < DIRECTIONS; d++) {
        double error = sqrt((square[d] - sum[d] * sum[d]) / (batches - 1));
        worst = fmax(worst, fabs(sum[d]) / error);
        *signal = fmax(*signal, fabs(mean[d]) / error);
    }
    free(a);
    free(b);
    end(s);
    end(t);
    return worst;
}

static void test_unbiased(void)
{
    double signal;
    ok_near(compare(PATH, 150, &signal), 0, 6, "path: the mean gradient is that of reparametrise");
    ok(signal > 20, "where the gradient is %.0f times the error", signal);
    ok_near(compare(REINFORCE, 200, &signal), 0, 6, "reinforce: the mean gradient is that of reparametrise");
    ok(signal > 10, "where the gradient is %.0f times the error", signal);
}

/* At beta = 0 the identity is the exact map: outputs of all networks zero, all other parameters arbitrary. */
static void test_optimum(void)
{
    enum { LAST = 9 * 3 * 4 + 4 };
    static const char *const meaning[] = {"is noise", "vanishes", "vanishes"};
    for (int objective = REPARAMETRISE; objective <= REINFORCE; objective++) {
        setup *s = start(objective, 0, 0.5, NULL, 0);
        flow_model *m = s->model;
        double *gradient = lat_alloc(m->stack.parameter_count, sizeof *gradient), norm = 0;
        for (int l = 0; l < m->stack.layers; l++)
            for (int64_t i = m->stack.first[l + 1] - LAST; i < m->stack.first[l + 1]; i++) m->parameters[i] = 0;
        m->version++;
        ok_near(flow_trainer_gradient(s->trainer, gradient), 0, 1e-12, "the loss of an exact map is -ln Z = 0");
        for (int64_t i = 0; i < m->stack.parameter_count; i++) norm = fmax(norm, fabs(gradient[i]));
        ok(objective == REPARAMETRISE ? norm > 0.01 : norm < 1e-12, "%s: the gradient %s at the optimum (%.1e)",
           flow_objective_names[objective], meaning[objective], norm);
        free(gradient);
        end(s);
    }
}

/* ---------------------------------------------------------------------------------------------------- an ensemble */

static void write_ensemble(const char *directory, const char **files)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 2, .size = {EXTENT, EXTENT}, .lane_grid = {1, 1}, .members = FILES};
    lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error);
    require(&error);
    lat_gauge *gauge = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
    lat_gauge_haar(gauge, &(lat_random){.seed = 9, .purpose = LAT_RANDOM_TEST});
    for (int i = 0; i < FILES; i++) {
        files[i] = lat_text("%s/%d.h5", directory, i);
        if (tap.rank == 0) lat_config_write(files[i], gauge, i, NULL, 0, &error);
        require(&error);
    }
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

static void test_missing_file(const char *directory)
{
    lat_error error = {0};
    flow_trainer *trainer;
    setup *s = start(REPARAMETRISE, 1, 0, NULL, 0);
    const char *file = lat_text("%s/none.h5", directory);
    s->settings.objective = FORWARD;
    s->settings.ensemble = &file;
    s->settings.ensemble_count = 1;
    flow_trainer_create(MPI_COMM_WORLD, s->model, s->action, &(lat_shape){.dim = 2, .size = {EXTENT, EXTENT}},
                        LAT_DOUBLE, &s->settings, &s->training, &trainer, &error);
    ok_all(error.status == LAT_FILE && !trainer, "a file that is not there is refused: %s",
           strstr(error.text, "none.h5"));
    free((char *)(uintptr_t)file);
    end(s);
}

/* A chunk is a vector of lanes: of floats there are twice as many as of doubles. */
static void test_chunks(const char **files)
{
    setup *few = start(FORWARD, 1.5, 0.5, files, FILES), *many = start_in(LAT_FLOAT, FORWARD, 1.5, 0.5, files, FILES);
    for (int step = 0; step < 3; step++) {
        few->training.step = many->training.step = step;
        ok_near(flow_trainer_gradient(many->trainer, NULL), flow_trainer_gradient(few->trainer, NULL), 1e-4,
                "forward: a batch is the same samples, however many are in a chunk");
    }
    end(few);
    end(many);
}

static void test_forward(void)
{
    char directory[] = "/tmp/flowhmc-objective-XXXXXX";
    const char *files[FILES];
    if (tap.rank == 0 && !mkdtemp(directory)) lat_abort(LAT_FILE, "%s: cannot be made", directory);
    MPI_Bcast(directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);
    write_ensemble(directory, files);
    MPI_Barrier(MPI_COMM_WORLD);
    setup *s = start(FORWARD, 1.5, 0.5, files, FILES);
    double loss = flow_trainer_gradient(s->trainer, NULL);
    ok_near(difference_error(s), 0, 1e-8, "forward: the gradient is the derivative of -log q of stored samples");
    s->training.step++;
    ok(fabs(loss - flow_trainer_gradient(s->trainer, NULL)) > 1e-3, "the next step draws other samples");
    end(s);
    test_chunks(files);
    test_missing_file(directory);
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < FILES; i++) {
        if (tap.rank == 0) unlink(files[i]);
        free((char *)(uintptr_t)files[i]);
    }
    if (tap.rank == 0) rmdir(directory);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_reparametrise();
    test_annealing();
    test_unbiased();
    test_optimum();
    test_forward();
    return tap_end();
}
