/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model.c: no file whatsoever makes the reader of models do more than refuse it; see h5.h.
 */
#include "flows/flows.h"
#include "tests/fuzz/h5.h"

#include <math.h>

enum { PARAMETERS_MOST = 4096 };

static const char flow[] =
    "prior = \"haar\"; layers = ( { kind = \"plaquette_coupling\"; hidden = [2]; kernel = 1; knots = 2; } );";

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_start(argc, argv);
    return 0;
}

static flow_model *make_model(void)
{
    lat_error error = {0};
    lat_settings *settings;
    flow_model *model;
    if (lat_settings_parse(flow, "flow", &settings, &error) != LAT_DONE ||
        flow_model_create(settings, flow_layer_kinds, LAT_U1, 2, 0, &model, &error) != LAT_DONE)
        abort();
    lat_settings_free(settings);
    return model;
}

static void write_model(const char *path, const uint8_t *data, size_t size)
{
    static const double zeros[2 * PARAMETERS_MOST];
    flow_model *model = make_model();
    char sha256[65];
    flow_model_hash(model, sha256);
    hsize_t count = (hsize_t)model->stack.parameter_count;
    const fuzz_item items[] = {
        {.name = "group", .kind = FUZZ_TEXT, .text = "u1"},
        {.name = "dimension", .kind = FUZZ_INT, .integer = 2},
        {.name = "flow", .kind = FUZZ_TEXT, .text = flow},
        {.name = "action", .kind = FUZZ_TEXT, .text = "( { kind = \"wilson\"; beta = 1.0; } )"},
        {.name = "sha256", .kind = FUZZ_TEXT, .text = sha256},
        {.name = "training_core_seconds", .kind = FUZZ_REAL, .real = 1},
        {.name = "parameters", .kind = FUZZ_REALS, .rank = 1, .extent = {count}, .reals = model->parameters},
        {.name = "config", .kind = FUZZ_TEXT, .text = ""},
        {.name = "step", .kind = FUZZ_INT, .integer = 3},
        {.name = "dropped", .kind = FUZZ_INT, .integer = 0},
        {.name = "moments", .kind = FUZZ_REALS, .rank = 2, .extent = {2, count}, .reals = zeros},
        {.name = "history", .kind = FUZZ_REALS, .rank = 2, .extent = {1, FLOW_HISTORY_COLUMNS}, .reals = zeros},
    };
    if (count > PARAMETERS_MOST) abort();
    fuzz_write(path, "model", data, size, items, sizeof items / sizeof *items);
    flow_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    lat_error error = {0};
    flow_model *model;
    flow_training training;
    snprintf(path, sizeof path, "/dev/shm/flowhmc-fuzz-%d.h5", (int)getpid());
    write_model(path, data, size);
    lat_status status = flow_model_read(MPI_COMM_SELF, path, flow_layer_kinds, &model, &training, &error);
    if (status != LAT_DONE && (status != LAT_FORMAT || model || training.moments || error.status != status)) abort();
    for (int64_t i = 0; model && i < model->stack.parameter_count; i++)
        if (!isfinite(model->parameters[i])) abort();
    for (int64_t i = 0; training.moments && i < 2 * model->stack.parameter_count; i++)
        if (!isfinite(training.moments[i])) abort();
    flow_model_free(model);
    flow_training_free(&training);
    unlink(path);
    return 0;
}
