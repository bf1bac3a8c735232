/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keeping.c: what a run leaves in its directory, and how it goes on from there: checkpoints, the history beside them, configurations.
 */
#include "src/keeping.h"

#include "src/checkpoints.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The model of the updates that have one; "" if there is none. */
static char *model_hash(const ensemble *e)
{
    char *hash = NULL;
    for (int i = 0; i < e->update_count && !hash; i++) {
        json_t *report = json_object();
        e->updates[i]->table->report(e->updates[i], report);
        const char *found = json_string_value(json_object_get(json_object_get(report, "model"), "sha256"));
        if (found) hash = lat_text("%s", found);
        json_decref(report);
    }
    return hash ? hash : lat_text("%s", "");
}

/* The seed and all settings that matter, and the model itself, whatever the name of its file. */
static char *identity_with_model(const ensemble *e)
{
    char *model = model_hash(e), *text = lat_text("%smodel = \"%s\";\n", e->identity, model);
    free(model);
    return text;
}

/* The history goes first: it is never behind the checkpoint. */
lat_status keeping_checkpoint(ensemble *e, lat_error *error)
{
    char *checkpoint = run_path(e->run, "checkpoint.h5"), *identity = identity_with_model(e);
    const mc_ties ties = {identity, run_build(), series_checksum(e->series, e->series_count)};
    if (e->energy_started) {
        double joules = energy_joules(&e->energy);
        e->chain->joules = joules < 0 || e->joules_before < 0 ? -1 : e->joules_before + joules;
    }
    bool keep = e->keep_checkpoints > 1 && e->kept != UINT64_MAX && e->kept != e->chain->state->step;
    if (trajectories_flush(&e->trajectories, error) == LAT_DONE &&
        series_write(e->series, e->series_count, e->run->directory, error) == LAT_DONE &&
        (!keep || checkpoints_keep(e->run, e->kept, error) == LAT_DONE) &&
        mc_checkpoint_write(checkpoint, e->chain, e->updates, e->update_count, &ties, error) == LAT_DONE) {
        e->kept = e->chain->state->step;
        checkpoints_prune(e->run, e->keep_checkpoints - 1, error);
    }
    free(identity);
    free(checkpoint);
    return error->status;
}

bool keeping_on_disk(const char *path)
{
    int rank, found = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) found = access(path, F_OK) == 0;
    MPI_Bcast(&found, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return found;
}

/* Rows of trajectories.h5 up to the checkpoint.  They need not begin with the first step: the file may have been moved away. */
static lat_status restore_trajectories(ensemble *e, const char *path, lat_error *error)
{
    mc_history *found, **history = &e->trajectories.history;
    if (mc_history_read(MPI_COMM_WORLD, path, &found, error)) return error->status;
    const int64_t rows = (int64_t)(e->chain->state->step + 1 - found->first_step);
    if (!mc_history_alike(found, *history) || rows < 0 || rows > found->rows) {
        mc_history_free(found);
        return lat_fail(error, LAT_FORMAT,
                        "%.300s: is not of this run up to its checkpoint: move it away, and a new one is begun", path);
    }
    mc_history_free(*history);
    *history = found;
    found->rows = rows;
    return LAT_DONE;
}

static void begin_trajectories(ensemble *e, lat_error *error)
{
    const mc_state *state = e->chain->state;
    char *path = run_path(e->run, "trajectories.h5");
    trajectories_create(&e->trajectories, e->run, e->updates, e->update_count, mc_members(state), state->step);
    if (e->trajectories.history && state->step > 0 && trajectories_check(&e->trajectories, error) == LAT_DONE &&
        keeping_on_disk(path))
        restore_trajectories(e, path, error);
    free(path);
}

/* The step that the checkpoint is of must lie within the run as it is asked for now. */
static lat_status check_length(const ensemble *e, const char *path, lat_error *error)
{
    const mc_chain *chain = e->chain;
    if (chain->state->step > ensemble_end(e))
        lat_fail(error, LAT_CONFIG,
                 "%.200s: %" PRIu64 " steps after thermalisation are done: give chain.steps = %" PRIu64 " or more",
                 path, chain->state->step - chain->thermalise, chain->state->step - chain->thermalise);
    return error->status;
}

static lat_status go_on(ensemble *e, const char *path, lat_error *error)
{
    char *identity = identity_with_model(e);
    mc_ties ties = {.config = identity};
    if (mc_checkpoint_read(path, e->chain, e->updates, e->update_count, &ties, error) == LAT_DONE &&
        check_length(e, path, error) == LAT_DONE &&
        series_read(e->series, e->series_count, e->run->directory, ensemble_counted(e), ties.history, error) ==
            LAT_DONE) {
        e->kept = e->chain->state->step;
        run_log(e->run, "resumed at step %" PRIu64, e->chain->state->step);
        if (strcmp(ties.build, run_build()) != 0)
            run_warn(e->run,
                     "the checkpoint is of another build (%.80s; this is %.80s): from here on the last bits may be "
                     "others than if one "
                     "build had done it all",
                     ties.build, run_build());
    } else if (error->status == LAT_FORMAT || error->status == LAT_FILE) {
        checkpoints_advise(e->run, error);
    }
    free((char *)(uintptr_t)ties.build);
    free(identity);
    return error->status;
}

/* From the checkpoint, if there is one, else from the start. */
lat_status keeping_begin(ensemble *e, lat_error *error)
{
    char *path = run_path(e->run, "checkpoint.h5");
    e->kept = UINT64_MAX;
    if (e->run->resumed && keeping_on_disk(path)) {
        go_on(e, path, error);
    } else if (e->run->resumed && checkpoints_older(e->run)) {
        lat_fail(error, LAT_FILE, "%.200s: is not there, but older ones are: remove them to start anew", path);
        checkpoints_advise(e->run, error);
    } else {
        if (e->run->resumed) run_log(e->run, "there is no checkpoint yet: starting anew");
        mc_chain_start(e->chain, error);
    }
    e->joules_before = e->chain->joules;
    if (!error->status) begin_trajectories(e, error);
    free(path);
    return error->status;
}

/* For who follows a run from outside: how it is doing, beside each configuration. */
static void note_saved(const ensemble *e)
{
    const mc_history *h = e->series[0].history;
    char *acceptance = ensemble_acceptance(e), *iterations = ensemble_iterations(e);
    if (h->rows > 0 && h->columns > 0)
        run_note(e->run, "saved step %" PRIu64 ": acceptance %s, %s %.8g%s", e->chain->state->step, acceptance,
                 h->name[0], h->value[(h->rows - 1) * h->replicas * h->columns], iterations);
    else
        run_note(e->run, "saved step %" PRIu64 ": acceptance %s%s", e->chain->state->step, acceptance, iterations);
    free(acceptance);
    free(iterations);
}

static lat_status save_replica(const ensemble *e, lat_gauge *sample, int replica, const char *model, lat_error *error)
{
    const mc_chain *chain = e->chain;
    const mc_state *state = chain->state;
    const mc_weighted *weighted = ensemble_weighted(e);
    char *name = mc_replicas(state) > 1
                     ? lat_text("configs/step-%010" PRIu64 "-replica-%05d.%s", state->step, replica, e->save_format)
                     : lat_text("configs/step-%010" PRIu64 ".%s", state->step, e->save_format);
    char *path = run_path(e->run, name), *step = lat_text("%" PRIu64, state->step),
         *seed = lat_text("%" PRIu64, state->seed);
    char *program = lat_text("flowhmc %s (%s)", PACKAGE_VERSION, run_build()), *number = lat_text("%d", replica),
         *beta = lat_text("%.17g", ensemble_beta(e)),
         *log_weight = weighted ? lat_text("%.17g", weighted->log_weight[replica]) : NULL,
         *boundary = lat_boundary_print(&sample->boundary[replica], chain->geometry->dim);
    lat_provenance provenance[9] = {
        {"program", program},           {"seed", seed},          {"step", step}, {"replica", number},
        {"configuration", e->identity}, {"model_sha256", model},
    };
    int count = 6;
    if (!isnan(ensemble_beta(e))) provenance[count++] = (lat_provenance){"beta", beta};
    if (boundary) provenance[count++] = (lat_provenance){"boundary", boundary};
    if (log_weight) provenance[count++] = (lat_provenance){"log_weight", log_weight};
    lat_config_write(path, sample, replica, provenance, count, error);
    free(name);
    free(path);
    free(step);
    free(seed);
    free(program);
    free(number);
    free(boundary);
    free(beta);
    free(log_weight);
    return error->status;
}

lat_status keeping_save(const ensemble *e, lat_error *error)
{
    char *folder = run_path(e->run, "configs"), *model = model_hash(e);
    if (e->run->rank == 0) mkdir(folder, 0777); /* if it fails, so does the writing, with a message */
    MPI_Barrier(MPI_COMM_WORLD);
    lat_gauge *sample = ensemble_sample(e);
    for (int replica = 0; replica < mc_replicas(e->chain->state) && !error->status; replica++)
        save_replica(e, sample, replica, model, error);
    if (!error->status) note_saved(e);
    free(folder);
    free(model);
    return error->status;
}
