/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * file.c: model files.  A model is data, never code: the text that describes its layers, its parameters with their
 * SHA-256 (FIPS 180-4, from libmd), and the state of the training that made it.
 */
#include "flows/model.h"

#include <math.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the hash is one of little-endian numbers");

enum { MOST_TEXT = 1 << 24, HASH_TEXT = 64 };

void flow_model_hash(const flow_model *model, char sha256[HASH_TEXT + 1])
{
    SHA2_CTX context;
    SHA256Init(&context);
    SHA256Update(&context, (const uint8_t *)model->parameters,
                 (size_t)model->stack.parameter_count * sizeof *model->parameters);
    SHA256End(&context, sha256);
}

void flow_training_free(flow_training *training)
{
    free(training->moments);
    free(training->history);
    free(training->config);
    *training = (flow_training){0};
}

static int64_t first_not_finite(const double *values, int64_t count)
{
    int64_t i = 0;
    while (i < count && isfinite(values[i])) i++;
    return i;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static void put_training(lat_h5 *file, const flow_training *training, int64_t parameters)
{
    lat_h5_put_text(file, "config", training->config ? training->config : "");
    lat_h5_put_int(file, "step", training->step);
    lat_h5_put_int(file, "dropped", training->dropped);
    lat_h5_put_reals(file, "moments", 2, (int64_t[]){2, parameters}, training->moments);
    lat_h5_put_reals(file, "history", 2, (int64_t[]){training->rows, FLOW_HISTORY_COLUMNS}, training->history);
}

/* Collective: can all parameters be written? */
static bool finite_parameters(MPI_Comm comm, const char *path, const flow_model *model, lat_error *error)
{
    int64_t bad = first_not_finite(model->parameters, model->stack.parameter_count);
    if (bad < model->stack.parameter_count)
        lat_fail(error, LAT_NUMERICAL, "%s: parameter %lld is %g: not written", path, (long long)bad,
                 model->parameters[bad]);
    return lat_agree(comm, error) == LAT_DONE;
}

static lat_status put_model(lat_h5 *file, const flow_model *model, const flow_training *training, lat_error *error)
{
    char sha256[HASH_TEXT + 1];
    flow_model_hash(model, sha256);
    lat_h5_put_text(file, "group", lat_group_names[model->group]);
    lat_h5_put_int(file, "dimension", model->dim);
    lat_h5_put_text(file, "flow", model->description);
    lat_h5_put_text(file, "action", model->action ? model->action : "");
    lat_h5_put_text(file, "sha256", sha256);
    lat_h5_put_real(file, "training_core_seconds", model->training_core_seconds);
    lat_h5_put_reals(file, "parameters", 1, &model->stack.parameter_count, model->parameters);
    if (training) put_training(file, training, model->stack.parameter_count);
    return lat_h5_finish(file, error);
}

lat_status flow_model_write(MPI_Comm comm, const char *path, const flow_model *model, const flow_training *training,
                            lat_error *error)
{
    if (!finite_parameters(comm, path, model, error)) return error->status;
    return put_model(lat_h5_create(comm, path, "model"), model, training, error);
}

lat_status flow_model_write_new(MPI_Comm comm, const char *path, const flow_model *model, const flow_training *training,
                                lat_error *error)
{
    if (!finite_parameters(comm, path, model, error)) return error->status;
    return put_model(lat_h5_create_new(comm, path, "model"), model, training, error);
}

/* ---------------------------------------------------------------------------------------------------------- reading */

/* The model that the description stands for, with initial parameters; NULL, and a refusal, if there is none. */
static flow_model *rebuild(lat_h5 *file, const char *description, const flow_layer_table *const *kinds, lat_group group, int dim)
{
    lat_error error = {0};
    lat_settings *settings = NULL;
    flow_model *model = NULL;
    lat_settings_parse(description, "its flow", &settings, &error);
    if (error.status == LAT_DONE) flow_model_create(settings, kinds, group, dim, 0, &model, &error);
    if (error.status == LAT_DONE) lat_settings_finish(settings, &error);
    if (settings) lat_settings_free(settings);
    if (error.status == LAT_DONE) return model;
    lat_h5_refuse(file, "%s: is it of another version of the program?", error.text);
    if (model) flow_model_free(model);
    return NULL;
}

static void get_parameters(lat_h5 *file, flow_model *model)
{
    int64_t count;
    double *values = lat_h5_get_reals(file, "parameters", 1, &count, INT64_MAX);
    char *sha256 = lat_h5_get_text(file, "sha256", HASH_TEXT);
    if (values && sha256) {
        int64_t bad = first_not_finite(values, count);
        if (count != model->stack.parameter_count)
            lat_h5_refuse(file, "has %lld parameters, its layers need %lld: is it of another version of the program?",
                          (long long)count, (long long)model->stack.parameter_count);
        else if (bad < count)
            lat_h5_refuse(file, "parameter %lld is %g: train it again", (long long)bad, values[bad]);
        else {
            memcpy(model->parameters, values, (size_t)count * sizeof *values);
            model->version++;
            flow_model_hash(model, model->sha256);
            if (strcmp(model->sha256, sha256) != 0)
                lat_h5_refuse(file, "its parameters have SHA-256 %.16s... and should have %.16s...: take another copy",
                              model->sha256, sha256);
        }
    }
    free(sha256);
    free(values);
}

static void get_training(lat_h5 *file, const flow_model *model, flow_training *training)
{
    int64_t moments[2] = {0}, history[2] = {0};
    training->config = lat_h5_get_text(file, "config", MOST_TEXT);
    training->step = lat_h5_get_int(file, "step", 0, INT64_MAX);
    training->dropped = lat_h5_get_int(file, "dropped", 0, INT64_MAX);
    training->moments = lat_h5_get_reals(file, "moments", 2, moments, INT64_MAX);
    training->history = lat_h5_get_reals(file, "history", 2, history, INT64_MAX);
    training->rows = history[0];
    if (!training->moments || !training->history) return;
    if (moments[0] != 2 || moments[1] != model->stack.parameter_count)
        lat_h5_refuse(file, "'moments' has %lld x %lld numbers and should have 2 x %lld", (long long)moments[0],
                      (long long)moments[1], (long long)model->stack.parameter_count);
    else if (history[1] != FLOW_HISTORY_COLUMNS)
        lat_h5_refuse(file, "'history' has %lld columns and should have %d", (long long)history[1],
                      (int)FLOW_HISTORY_COLUMNS);
    else if (first_not_finite(training->moments, 2 * moments[1]) < 2 * moments[1])
        lat_h5_refuse(file, "'moments' holds numbers that are not finite: train it again");
}

/* All of the file; *model is NULL, or to be released by the caller, also on refusal. */
static void get_model(lat_h5 *file, const flow_layer_table *const *kinds, flow_model **model, flow_training *training)
{
    lat_group group = lat_h5_get_group(file);
    int dim = (int)lat_h5_get_int(file, "dimension", 2, LAT_MAX_DIM);
    char *description = lat_h5_get_text(file, "flow", MOST_TEXT), *action = lat_h5_get_text(file, "action", MOST_TEXT);
    double seconds = lat_h5_get_real(file, "training_core_seconds");
    if (lat_h5_status(file) == LAT_DONE) *model = rebuild(file, description, kinds, group, dim);
    free(description);
    if (!*model) {
        free(action);
        return;
    }
    free((*model)->action);
    (*model)->action = action;
    (*model)->training_core_seconds = seconds;
    get_parameters(file, *model);
    if (training && lat_h5_has(file, "moments")) get_training(file, *model, training);
}

lat_status flow_model_read(MPI_Comm comm, const char *path, const flow_layer_table *const *kinds, flow_model **model,
                           flow_training *training, lat_error *error)
{
    *model = NULL;
    if (training) *training = (flow_training){0};
    lat_h5 *file = lat_h5_open(comm, path, "model");
    get_model(file, kinds, model, training);
    lat_status status = lat_h5_finish(file, error);
    if (status == LAT_DONE) return status;
    if (*model) flow_model_free(*model);
    *model = NULL;
    if (training) flow_training_free(training);
    return status;
}
