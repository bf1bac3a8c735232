/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 * # ranks: 1 2 4
 *
 * modelfile.c: a model and the state of its training come back as they were written, and whatever is not a model of
 * this program is refused as such.
 */
#define _GNU_SOURCE
#include "tests/tap.h"

#include "flows/flows.h"

#include <errno.h>
#include <unistd.h>

static const char description[] =
    "prior = \"haar\"; layers = ( { kind = \"plaquette_coupling\"; repeat = 2; hidden = [4]; knots = 3; } );";

static char directory[256];

static char *in_directory(const char *name) { return lat_text("%s/%s", directory, name); }

static void make_directory(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/flowhmc-model-XXXXXX", base ? base : "/tmp");
    if (tap.rank == 0 && !mkdtemp(directory)) lat_abort(LAT_FILE, "%s: %s", directory, strerror(errno));
    MPI_Bcast(directory, sizeof directory, MPI_BYTE, 0, MPI_COMM_WORLD);
}

static void say(const lat_error *error)
{
    if (tap.rank == 0) printf("# %s\n", error->text);
}

static flow_model *make_model(void)
{
    lat_error error = {0};
    lat_settings *settings;
    flow_model *model;
    if (lat_settings_parse(description, "test", &settings, &error) != LAT_DONE ||
        flow_model_create(settings, flow_layer_kinds, LAT_U1, 2, 5, &model, &error) != LAT_DONE)
        lat_abort(error.status, "%s", error.text);
    lat_settings_free(settings);
    free(model->action);
    model->action = lat_text("( { kind = \"wilson\"; beta = 2.0; } )");
    model->training_core_seconds = 12.5;
    return model;
}

static flow_training make_training(int64_t parameters)
{
    enum { ROWS = 3 };
    flow_training training = {.step = 77, .dropped = 2, .rows = ROWS, .config = lat_text("train = {};\n")};
    training.moments = lat_alloc(2 * parameters, sizeof(double));
    training.history = lat_alloc(ROWS * FLOW_HISTORY_COLUMNS, sizeof(double));
    for (int64_t i = 0; i < 2 * parameters; i++) training.moments[i] = (double)i / 7;
    for (int i = 0; i < ROWS * FLOW_HISTORY_COLUMNS; i++) training.history[i] = i == 2 ? NAN : i / 3.0;
    return training;
}

static bool same_reals(const double *a, const double *b, int64_t count)
{
    return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static bool same_models(const flow_model *a, const flow_model *b)
{
    return a->group == b->group && a->dim == b->dim && a->stack.layers == b->stack.layers &&
           a->stack.parameter_count == b->stack.parameter_count && same_reals(a->parameters, b->parameters, a->stack.parameter_count) &&
           strcmp(a->description, b->description) == 0 && strcmp(a->action, b->action) == 0 &&
           a->training_core_seconds == b->training_core_seconds;
}

static void test_hash(const flow_model *model)
{
    /* SHA-256 of no bytes, FIPS 180-4, and of the eight bytes of the double 1, by coreutils. */
    double one = 1;
    flow_model few = *model;
    char hash[65];
    few.parameters = &one;
    few.stack.parameter_count = 0;
    flow_model_hash(&few, hash);
    ok(strcmp(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == 0,
       "SHA-256 of no parameters");
    few.stack.parameter_count = 1;
    flow_model_hash(&few, hash);
    ok(strcmp(hash, "6c3c396ed6b5c36dcae172271f462051b1266b851e92df3deea8ac65478fd712") == 0,
       "SHA-256 of the parameter 1");
}

static void test_round_trip(const flow_model *model, const flow_training *training)
{
    lat_error error = {0};
    flow_model *back;
    flow_training state;
    char hash[65], *path = in_directory("model.h5");
    ok_all(flow_model_write(MPI_COMM_WORLD, path, model, training, &error) == LAT_DONE, "a model is written");
    say(&error);
    ok_all(flow_model_read(MPI_COMM_WORLD, path, flow_layer_kinds, &back, &state, &error) == LAT_DONE, "and read");
    say(&error);
    if (!back) return;
    flow_model_hash(model, hash);
    ok_all(same_models(model, back) && strcmp(back->sha256, hash) == 0, "the model comes back");
    ok_all(state.step == training->step && state.dropped == training->dropped && state.rows == training->rows &&
               strcmp(state.config, training->config) == 0 &&
               same_reals(state.moments, training->moments, 2 * model->stack.parameter_count) &&
               same_reals(state.history, training->history, training->rows * FLOW_HISTORY_COLUMNS),
           "and the state of the training");
    flow_training_free(&state);
    flow_model_free(back);
    ok_all(flow_model_read(MPI_COMM_WORLD, path, flow_layer_kinds, &back, NULL, &error) == LAT_DONE, "the model alone is read");
    flow_model_free(back);
}

static void test_new(const flow_model *model)
{
    lat_error error = {0};
    char *path = in_directory("new.h5");
    ok_all(flow_model_write_new(MPI_COMM_WORLD, path, model, NULL, &error) == LAT_DONE, "a model takes a free name");
    say(&error);
    ok_all(flow_model_write_new(MPI_COMM_WORLD, path, model, NULL, &error) == LAT_CONFIG && strstr(error.text, "new.h5"),
           "and none that is taken");
}

static void test_untrained(const flow_model *model)
{
    lat_error error = {0};
    flow_model *back;
    flow_training state;
    char *path = in_directory("untrained.h5");
    ok_all(flow_model_write(MPI_COMM_WORLD, path, model, NULL, &error) == LAT_DONE &&
               flow_model_read(MPI_COMM_WORLD, path, flow_layer_kinds, &back, &state, &error) == LAT_DONE && same_models(model, back) &&
               !state.moments && !state.config && state.step == 0,
           "a model without the state of a training");
    flow_model_free(back);
}

static void test_not_finite(flow_model *model)
{
    lat_error error = {0};
    double keep = model->parameters[3];
    model->parameters[3] = NAN;
    ok_all(flow_model_write(MPI_COMM_WORLD, in_directory("nan.h5"), model, NULL, &error) == LAT_NUMERICAL &&
               access(in_directory("nan.h5"), F_OK) != 0,
           "NaN is not written");
    say(&error);
    model->parameters[3] = keep;
}

/* A file with a good checksum that is wrong in one thing. */
typedef enum {
    RIGHT,
    UNKNOWN_LAYER,
    UNKNOWN_KEY,
    NO_SYNTAX,
    UNKNOWN_GROUP,
    OTHER_GROUP,
    DIMENSION,
    TOO_FEW,
    TOO_MANY,
    TWO_DIMENSIONS,
    NOT_FINITE,
    INFINITE,
    HASH,
    NO_HASH,
    NO_FLOW,
    NO_ACTION,
    NO_PARAMETERS,
    SECONDS,
    MOMENTS,
    MOMENTS_NAN,
    HISTORY,
    STEP,
    NO_CONFIG,
    FAULTS,
} fault;

static const char *const fault_names[] = {
    "nothing",
    "an unknown layer",
    "an unknown key",
    "no libconfig text",
    "an unknown group",
    "another group",
    "dimension 5",
    "too few parameters",
    "too many parameters",
    "a parameter matrix",
    "a NaN parameter",
    "an infinite parameter",
    "another hash",
    "no hash",
    "no description",
    "no action",
    "no parameters",
    "seconds of another type",
    "too few moments",
    "NaN moments",
    "a short history",
    "a negative step",
    "no configuration",
};

static void write_faulty(const char *path, fault f, const flow_model *model, const flow_training *training)
{
    flow_model copy = *model;
    int64_t n = copy.stack.parameter_count + (f == TOO_MANY) - (f == TOO_FEW);
    double *values = lat_alloc(n + 1, sizeof *values), moment = training->moments[1];
    char hash[65];
    memcpy(values, copy.parameters, (size_t)copy.stack.parameter_count * sizeof *values);
    if (f == NOT_FINITE) values[n - 1] = NAN;
    if (f == INFINITE) values[0] = -INFINITY;
    copy.parameters = values;
    copy.stack.parameter_count = n;
    flow_model_hash(&copy, hash);
    if (f == HASH) hash[0] ^= 1;
    if (f == MOMENTS_NAN) training->moments[1] = NAN;
    lat_h5 *file = lat_h5_create(MPI_COMM_WORLD, path, "model");
    lat_h5_put_text(file, "group", f == UNKNOWN_GROUP ? "u2" : f == OTHER_GROUP ? "su3" : "u1");
    lat_h5_put_int(file, "dimension", f == DIMENSION ? 5 : 2);
    if (f != NO_FLOW)
        lat_h5_put_text(file, "flow",
                        f == UNKNOWN_LAYER ? "layers = ( { kind = \"plaquette_couplinh\"; } );"
                        : f == UNKNOWN_KEY ? "layers = ( { kind = \"plaquette_coupling\"; repeet = 2; } );"
                        : f == NO_SYNTAX   ? "layers = ( {"
                                           : model->description);
    if (f != NO_ACTION) lat_h5_put_text(file, "action", model->action);
    if (f != NO_HASH) lat_h5_put_text(file, "sha256", hash);
    if (f == SECONDS)
        lat_h5_put_int(file, "training_core_seconds", 1);
    else
        lat_h5_put_real(file, "training_core_seconds", 1);
    int64_t square[] = {2, n / 2}, moments[] = {2, model->stack.parameter_count - (f == MOMENTS)},
            history[] = {training->rows, FLOW_HISTORY_COLUMNS - (f == HISTORY)};
    if (f == TWO_DIMENSIONS)
        lat_h5_put_reals(file, "parameters", 2, square, values);
    else if (f != NO_PARAMETERS)
        lat_h5_put_reals(file, "parameters", 1, &n, values);
    if (f != NO_CONFIG) lat_h5_put_text(file, "config", "");
    lat_h5_put_int(file, "step", f == STEP ? -1 : 1);
    lat_h5_put_int(file, "dropped", 0);
    lat_h5_put_reals(file, "moments", 2, moments, training->moments);
    lat_h5_put_reals(file, "history", 2, history, training->history);
    lat_error error = {0};
    if (lat_h5_finish(file, &error) != LAT_DONE) lat_abort(error.status, "%s", error.text);
    training->moments[1] = moment;
    free(values);
}

static void test_faults(const flow_model *model, const flow_training *training)
{
    char *path = in_directory("faulty.h5");
    for (fault f = RIGHT; f < FAULTS; f++) {
        lat_error error = {0};
        flow_model *back = NULL;
        flow_training state;
        write_faulty(path, f, model, training);
        lat_status status = flow_model_read(MPI_COMM_WORLD, path, flow_layer_kinds, &back, &state, &error);
        ok_all(f == RIGHT ? status == LAT_DONE && back
                          : status == LAT_FORMAT && !back && !state.moments && strstr(error.text, path),
               "%s: %s", fault_names[f], f == RIGHT ? "LAT_DONE" : "LAT_FORMAT");
        say(&error);
        if (f == TOO_FEW || f == TOO_MANY) ok(strstr(error.text, "its layers need") != NULL, "naming the number");
        flow_model_free(back);
        flow_training_free(&state);
    }
}

static void test_other_files(void)
{
    lat_error error = {0};
    flow_model *back;
    lat_h5 *file = lat_h5_create(MPI_COMM_WORLD, in_directory("history.h5"), "history");
    lat_h5_finish(file, &error);
    ok_all(flow_model_read(MPI_COMM_WORLD, in_directory("history.h5"), flow_layer_kinds, &back, NULL, &error) == LAT_FORMAT && !back,
           "another kind: LAT_FORMAT");
    say(&error);
    error = (lat_error){0};
    ok_all(flow_model_read(MPI_COMM_WORLD, in_directory("none.h5"), flow_layer_kinds, &back, NULL, &error) == LAT_FILE && !back,
           "missing: LAT_FILE");
    say(&error);
}

static void remove_directory(void)
{
    char *command = lat_text("rm -r '%s'", directory);
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0 && system(command) != 0) printf("# %s is left\n", directory);
    free(command);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    make_directory();
    flow_model *model = make_model();
    flow_training training = make_training(model->stack.parameter_count);
    test_hash(model);
    test_round_trip(model, &training);
    test_new(model);
    test_untrained(model);
    test_not_finite(model);
    test_faults(model, &training);
    test_other_files();
    flow_training_free(&training);
    flow_model_free(model);
    remove_directory();
    return tap_end();
}
