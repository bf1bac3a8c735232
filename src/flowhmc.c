/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flowhmc.c: generates an ensemble of gauge fields: a Markov chain, measured and stored as it goes, in a run directory
 * that it can go on from.
 */
#include "lattice/grid/kernels.h"
#include "src/checkpoints.h"
#include "src/comparison.h"
#include "src/forecast.h"
#include "src/options.h"
#include "src/progress.h"
#include "src/signals.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIAL };
static const options_own own_options[] = {
    [TRIAL] = {"trial", NULL, "--dry-run with a few steps in memory, which tell core-hours"},
    {NULL, NULL, NULL},
};

static const options_program flowhmc = {
    .name = "flowhmc",
    .usage = "Usage: flowhmc [OPTION...] [RUN.cfg]\n"
             "\n"
             "Generates an ensemble of lattice gauge fields with the updates that the configuration names, into the\n"
             "directory --out (RUN, if the file is RUN.cfg). Without a file: the built-in example.\n"
             "\n"
             "  mpirun -n 4 flowhmc run.cfg --out run1\n"
             "  mpirun -n 8 flowhmc run.cfg --out run1 --resume --set chain.steps=20000\n",
    .accepts = OPTION_ALL,
    .least = 0,
    .most = 1,
    .own = own_options,
};

/* The built-in example, and what it is compared with. */
static const char *const example = "quickstart.cfg", *const baseline = "quickstart-hmc.cfg";

/* What may be different when a run is resumed. */
static const char *const free_keys[] = {
    "walltime",          "backend",           "lattice.ranks",          "lattice.lanes",
    "updates.[*].ranks", "chain.force", "chain.save_format", "chain.checkpoint_every", "chain.keep_checkpoints", NULL};
static const run_changes changes = {free_keys, "chain.steps"};

/* ----------------------------------------------------------------------------------------------------------- set-up */

static uint64_t end_of(const ensemble *e) { return e->chain->thermalise + (uint64_t)e->steps; }

/* Of a lattice that is only planned a piece is there, which may be smaller than a loop; one that fits there takes its place. */
static const char *loop_that_fits(const ensemble *e, const char *name)
{
    const lat_geometry *whole = e->chain->planned, *piece = e->chain->geometry;
    long long r, t;
    int end = 0;
    if (!whole || sscanf(name, "wilson_loop_%lldx%lld%n", &r, &t, &end) != 2 || name[end]) return name;
    bool fits_whole = r > 0 && t > 0 && r < whole->size[0] && t < whole->size[1], fits_piece = r < piece->size[0] && t < piece->size[1];
    return fits_whole && !fits_piece ? "wilson_loop_1x1" : name;
}

static void read_observables(lat_settings *measure, ensemble *e, lat_error *error)
{
    enum { MOST = 64 };
    const char *names[MOST] = {"plaquette"};
    const lat_observe_context context = {e->chain->state->gauge, measure};
    int count = lat_settings_strings(measure, "observables", names, 1, MOST, error);
    e->observable = lat_alloc(MOST, sizeof *e->observable);
    for (int i = 0; i < count && !error->status; i++) {
        e->observable[i] = lat_observable_create(loop_that_fits(e, names[i]), lat_observable_kinds, &context, error);
        if (error->status) return;
        e->observable_count++;
        for (int j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0)
                lat_settings_fail(measure, "observables", error, "'%.40s' is there twice: leave one out", names[i]);
    }
}

/* A format that cannot hold the links is refused here, not after hours of work. */
static void read_format(lat_settings *chain, ensemble *e, lat_error *error)
{
    static const char *const names[] = {"h5", "nersc", "ildg", "openqcd", NULL};
    const lat_geometry *g = mc_chain_lattice(e->chain);
    lat_shape shape = {.dim = g->dim};
    memcpy(shape.size, g->size, sizeof shape.size);
    e->save_format = names[lat_settings_choice(chain, "save_format", "h5", names, error)];
    lat_error refusal = {0};
    lat_config_options options = {.format = e->save_format};
    if (lat_config_writable("configs", e->chain->state->gauge->group, &shape, &options, &refusal) && !error->status)
        lat_settings_fail(chain, "save_format", error, "%s", refusal.text);
}

/* Steps, or a time; where neither is given, a time. */
static void read_interval(lat_settings *chain, ensemble *e, lat_error *error)
{
    static const char key[] = "checkpoint_every";
    lat_error no_number = {0};
    e->checkpoint_every = lat_settings_has(chain, key) ? lat_settings_int(chain, key, 0, 1, INT64_MAX / 4, &no_number) : 0;
    if (e->checkpoint_every > 0 || error->status) return;
    lat_error no_text = {0};
    const char *text = lat_settings_string(chain, key, "10m", &no_text);
    e->checkpoint_seconds = no_text.status ? -1 : walltime_seconds(text);
    if (e->checkpoint_seconds < 1)
        lat_settings_fail(chain, key, error, "neither a number of steps above 0 nor a time: write 1000, \"10m\" or \"1h30m\"");
}

static void read_plan(lat_settings *root, ensemble *e, lat_error *error)
{
    const int64_t most = INT64_MAX / 4;
    lat_settings *chain = lat_settings_group(root, "chain", error),
                 *measure = lat_settings_group(root, "measure", error);
    e->steps = lat_settings_int(chain, "steps", 1000, 0, most, error);
    e->save_every = lat_settings_int(chain, "save_every", 0, 0, most, error);
    read_interval(chain, e, error);
    e->keep_checkpoints = lat_settings_int(chain, "keep_checkpoints", 1, 1, 1 << 20, error);
    read_format(chain, e, error);
    e->every = lat_settings_int(measure, "every", 1, 1, most, error);
    read_observables(measure, e, error);
    e->walltime = walltime_read(root, error);
}

static mc_history *new_history(const ensemble *e)
{
    int columns = 0;
    for (int i = 0; i < e->observable_count; i++) columns += e->observable[i]->columns;
    mc_history *history = mc_history_create(columns, mc_replicas(e->chain->state));
    history->every = (uint64_t)e->every;
    history->first_step = e->chain->thermalise + history->every;
    for (int i = 0, column = 0; i < e->observable_count; i++)
        for (int c = 0; c < e->observable[i]->columns; c++) mc_history_name(history, column++, e->observable[i]->column[c].name);
    return history;
}

/* plan: nothing is to be run. */
static lat_status set_up(lat_settings *root, const char *directory, bool plan, ensemble *e, lat_error *error)
{
    if ((plan ? mc_chain_plan : mc_chain_create)(MPI_COMM_WORLD, root, lat_action_kinds, directory, &e->chain, error)) return error->status;
    const mc_context context = mc_chain_context(e->chain, flow_layer_kinds);
    if (mc_updates_create(root, mc_update_tables, &context, &e->updates, &e->update_count, error)) return error->status;
    read_plan(root, e, error);
    if (!error->status) lat_settings_finish(root, error);
    if (lat_agree(MPI_COMM_WORLD, error)) return error->status;
    e->history = new_history(e);
    return LAT_DONE;
}

static void tear_down(ensemble *e)
{
    mc_updates_free(e->updates, e->update_count);
    mc_history_free(e->history);
    mc_chain_free(e->chain);
    if (e->energy_started) energy_end(&e->energy);
    for (int i = 0; i < e->observable_count; i++) lat_observable_free(e->observable[i]);
    free(e->observable);
    free(e->identity);
}

/* ------------------------------------------------------------------------------------------------------------ words */

/* "16 x 16" */
static char *product_of(const int64_t *numbers, int count)
{
    char *text = lat_text("%" PRId64, numbers[0]);
    for (int i = 1; i < count; i++) {
        char *longer = lat_text("%s x %" PRId64, text, numbers[i]);
        free(text);
        text = longer;
    }
    return text;
}

static char *layout_text(const ensemble *e)
{
    const lat_geometry *g = mc_chain_lattice(e->chain);
    int64_t ranks[LAT_MAX_DIM], lanes[LAT_MAX_DIM];
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        ranks[mu] = g->ranks[mu];
        lanes[mu] = g->lane_grid[mu];
    }
    char *size = product_of(g->size, g->dim), *rank_grid = product_of(ranks, g->dim),
         *lane_grid = product_of(lanes, g->dim);
    char *block = product_of(g->block, g->dim);
    char *text = lat_text("%s, %s, %d replica%s; %s ranks, %s lanes x %d, %d idle, blocks of %s; backend %s%s%s",
                          lat_group_names[e->chain->state->gauge->group], size, g->members, g->members > 1 ? "s" : "", rank_grid,
                          lane_grid, g->members, g->lanes - g->blocks * g->members, block, lat_backend_name(g->backend),
                          e->chain->no_device[0] ? ", " : "", e->chain->no_device);
    free(size);
    free(rank_grid);
    free(lane_grid);
    free(block);
    return text;
}

/* ------------------------------------------------------------------------------------------------------- keeping it */

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

/* Rows of the history up to the present step. */
static int64_t rows_due(const ensemble *e)
{
    return mc_chain_counts(e->chain) ? (int64_t)(e->chain->state->step - e->chain->thermalise) / e->every : 0;
}

/* The history goes first: it is never behind the checkpoint. */
static lat_status write_checkpoint(ensemble *e, lat_error *error)
{
    char *history = run_path(e->run, "history.h5"), *checkpoint = run_path(e->run, "checkpoint.h5"), *identity = identity_with_model(e);
    const mc_ties ties = {identity, run_build(), mc_history_checksum(e->history, e->history->rows)};
    if (e->energy_started) {
        double joules = energy_joules(&e->energy);
        e->chain->joules = joules < 0 || e->joules_before < 0 ? -1 : e->joules_before + joules;
    }
    bool keep = e->keep_checkpoints > 1 && e->kept != UINT64_MAX && e->kept != e->chain->state->step;
    if (trajectories_flush(&e->trajectories, error) == LAT_DONE &&
        mc_history_write(MPI_COMM_WORLD, history, e->history, error) == LAT_DONE &&
        (!keep || checkpoints_keep(e->run, e->kept, error) == LAT_DONE) &&
        mc_checkpoint_write(checkpoint, e->chain, e->updates, e->update_count, &ties, error) == LAT_DONE) {
        e->kept = e->chain->state->step;
        checkpoints_prune(e->run, e->keep_checkpoints - 1, error);
    }
    free(identity);
    free(history);
    free(checkpoint);
    return error->status;
}

static bool same_columns(const mc_history *a, const mc_history *b)
{
    bool same = a->columns == b->columns;
    for (int column = 0; same && column < a->columns; column++) same = strcmp(a->name[column], b->name[column]) == 0;
    return same;
}

/* A history of the run so far, cut where the checkpoint is, and no other: up to there it is what the checkpoint was written with. */
static lat_status restore_history(ensemble *e, uint32_t checksum, lat_error *error)
{
    char *path = run_path(e->run, "history.h5");
    mc_history *found, *wanted = e->history;
    if (mc_history_read(MPI_COMM_WORLD, path, &found, error) == LAT_DONE) {
        if (!same_columns(found, wanted) || found->replicas != wanted->replicas || found->first_step != wanted->first_step ||
            found->every != wanted->every || found->rows < rows_due(e) ||
            mc_history_checksum(found, rows_due(e)) != checksum) {
            lat_fail(error, LAT_FORMAT,
                     "%.300s: does not belong to the checkpoint beside it: take the one of the same run, or start anew",
                     path);
            mc_history_free(found);
        } else {
            mc_history_free(e->history);
            e->history = found;
            found->rows = rows_due(e);
        }
    }
    free(path);
    return error->status;
}

static bool on_disk(const char *path)
{
    int rank, found = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) found = access(path, F_OK) == 0;
    MPI_Bcast(&found, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return found;
}

/* The step that the checkpoint is of must lie within the run as it is asked for now. */
static lat_status check_length(const ensemble *e, const char *path, lat_error *error)
{
    const mc_chain *chain = e->chain;
    if (chain->state->step > end_of(e))
        lat_fail(error, LAT_CONFIG, "%.200s: %" PRIu64 " steps after thermalisation are done: give chain.steps = %" PRIu64 " or more", path,
                 chain->state->step - chain->thermalise, chain->state->step - chain->thermalise);
    return error->status;
}

static lat_status go_on(ensemble *e, const char *path, lat_error *error)
{
    char *identity = identity_with_model(e);
    mc_ties ties = {.config = identity};
    if (mc_checkpoint_read(path, e->chain, e->updates, e->update_count, &ties, error) == LAT_DONE &&
        check_length(e, path, error) == LAT_DONE && restore_history(e, ties.history, error) == LAT_DONE) {
        e->kept = e->chain->state->step;
        run_log(e->run, "resumed at step %" PRIu64, e->chain->state->step);
        if (strcmp(ties.build, run_build()) != 0)
            run_warn(e->run, "the checkpoint is of another build (%.80s; this is %.80s): from here on the last bits may be others than if one "
                             "build had done it all", ties.build, run_build());
    } else if (error->status == LAT_FORMAT || error->status == LAT_FILE) {
        checkpoints_advise(e->run, error);
    }
    free((char *)(uintptr_t)ties.build);
    free(identity);
    return error->status;
}

/* From the checkpoint, if there is one, else from the start. */
static lat_status begin(ensemble *e, lat_error *error)
{
    char *path = run_path(e->run, "checkpoint.h5");
    e->kept = UINT64_MAX;
    if (e->run->resumed && on_disk(path)) {
        go_on(e, path, error);
    } else if (e->run->resumed && checkpoints_older(e->run)) {
        lat_fail(error, LAT_FILE, "%.200s: is not there, but older ones are: remove them to start anew", path);
        checkpoints_advise(e->run, error);
    } else {
        if (e->run->resumed) run_log(e->run, "there is no checkpoint yet: starting anew");
        mc_chain_start(e->chain, error);
    }
    e->joules_before = e->chain->joules;
    free(path);
    return error->status;
}

/* A figure of the first update that reports it; NaN if it is not known. */
static double figure_of(const ensemble *e, const char *name)
{
    double value = NAN;
    for (int i = 0; i < e->update_count && isnan(value); i++) {
        json_t *report = json_object();
        e->updates[i]->table->report(e->updates[i], report);
        const json_t *found = json_object_get(report, name);
        if (json_is_number(found)) value = json_number_value(found);
        json_decref(report);
    }
    return value;
}

/* "0.8712"; "-" if it is not known. */
static char *acceptance_text(const ensemble *e)
{
    double acceptance = figure_of(e, "acceptance");
    return isnan(acceptance) ? lat_text("-") : lat_text("%.4g", acceptance);
}

/* For who follows a run from outside: how it is doing, beside each configuration. */
static void note_saved(const ensemble *e)
{
    const mc_history *h = e->history;
    char *acceptance = acceptance_text(e);
    if (h->rows > 0 && h->columns > 0)
        run_note(e->run, "saved step %" PRIu64 ": acceptance %s, %s %.8g", e->chain->state->step, acceptance, h->name[0],
                 h->value[(h->rows - 1) * h->replicas * h->columns]);
    else
        run_note(e->run, "saved step %" PRIu64 ": acceptance %s", e->chain->state->step, acceptance);
    free(acceptance);
}

static lat_status save_replica(const ensemble *e, int replica, const char *model, lat_error *error)
{
    const mc_chain *chain = e->chain;
    const mc_state *state = chain->state;
    char *name = mc_replicas(state) > 1
                     ? lat_text("configs/step-%010" PRIu64 "-replica-%05d.%s", state->step, replica, e->save_format)
                     : lat_text("configs/step-%010" PRIu64 ".%s", state->step, e->save_format);
    char *path = run_path(e->run, name), *step = lat_text("%" PRIu64, state->step),
         *seed = lat_text("%" PRIu64, state->seed);
    char *program = lat_text("flowhmc %s (%s)", PACKAGE_VERSION, run_build()), *number = lat_text("%d", replica),
         *beta = lat_text("%.17g", lat_action_beta(chain->action)),
         *boundary = lat_boundary_print(&state->gauge->boundary[replica], chain->geometry->dim);
    lat_provenance provenance[8] = {
        {"program", program}, {"seed", seed},          {"step", step}, {"replica", number},
        {"configuration", e->identity},          {"model_sha256", model},
    };
    int count = 6;
    if (!isnan(lat_action_beta(chain->action))) provenance[count++] = (lat_provenance){"beta", beta};
    if (boundary) provenance[count++] = (lat_provenance){"boundary", boundary};
    lat_config_write(path, state->gauge, replica, provenance, count, error);
    free(name);
    free(path);
    free(step);
    free(seed);
    free(program);
    free(number);
    free(boundary);
    free(beta);
    return error->status;
}

static lat_status save_links(const ensemble *e, lat_error *error)
{
    char *folder = run_path(e->run, "configs"), *model = model_hash(e);
    if (e->run->rank == 0) mkdir(folder, 0777); /* if it fails, so does the writing, with a message */
    MPI_Barrier(MPI_COMM_WORLD);
    for (int replica = 0; replica < mc_replicas(e->chain->state) && !error->status; replica++)
        save_replica(e, replica, model, error);
    if (!error->status) note_saved(e);
    free(folder);
    free(model);
    return error->status;
}

/* --------------------------------------------------------------------------------------------------------- sampling */

static void measure(ensemble *e)
{
    int replicas = mc_replicas(e->chain->state), width = e->history->columns;
    double *row = lat_alloc((int64_t)replicas * width + 1, sizeof *row),
           *now = lat_alloc((int64_t)replicas * width + 1, sizeof *now);
    for (int i = 0, first = 0; i < e->observable_count; first += e->observable[i++]->columns) {
        const int columns = e->observable[i]->columns;
        lat_observable_measure(e->observable[i], e->chain->state->gauge, now);
        for (int r = 0; r < replicas; r++)
            for (int c = 0; c < columns; c++) row[r * width + first + c] = now[r * columns + c];
    }
    mc_history_append(e->history, row);
    free(row);
    free(now);
}

static lat_status one_step(ensemble *e, lat_error *error)
{
    mc_chain *chain = e->chain;
    if (mc_chain_counts(chain) && !e->energy_started) {
        energy_start(&e->energy, MPI_COMM_WORLD, "/sys/class/powercap");
        e->energy_started = true;
    }
    if (mc_chain_step(chain, e->updates, e->update_count, error)) return error->status;
    trajectories_add(&e->trajectories, chain->state->step);
    if (e->energy_started) energy_look(&e->energy);
    int64_t counted = (int64_t)(chain->state->step - chain->thermalise);
    if (counted > 0 && counted % e->every == 0) measure(e);
    if (counted > 0 && e->save_every > 0 && counted % e->save_every == 0 && save_links(e, error)) return error->status;
    if (e->checkpoint_every > 0 && chain->state->step % (uint64_t)e->checkpoint_every == 0) return write_checkpoint(e, error);
    return LAT_DONE;
}

static void show(progress *progress, const ensemble *e)
{
    const mc_history *h = e->history;
    const int64_t step = (int64_t)e->chain->state->step;
    if (!mc_chain_counts(e->chain) || h->rows == 0 || h->columns == 0) {
        progress_show(progress, step, mc_chain_counts(e->chain) ? "sampling" : "thermalising");
        return;
    }
    double value = h->value[(h->rows - 1) * h->replicas * h->columns], dh = figure_of(e, "exp_minus_dh");
    char *acceptance = acceptance_text(e);
    if (isnan(dh))
        progress_show(progress, step, "acc %.5s  %s %.5g", acceptance, h->name[0], value);
    else
        progress_show(progress, step, "acc %.5s  <exp(-dH)> %.4f  %s %.5g", acceptance, dh, h->name[0], value);
    free(acceptance);
}

/* A few steps in memory, of which the first is not timed: it has audits and caches to fill.  Where an update draws
 * batches ahead, whole batches. */
static lat_status try_out(ensemble *e, trial *trial, lat_error *error)
{
    enum { STEPS = 5 };
    mc_chain *chain = e->chain;
    int64_t period = 1;
    for (int i = 0; i < e->update_count; i++)
        if ((int64_t)e->updates[i]->period > period) period = (int64_t)e->updates[i]->period;
    trial->steps = (STEPS + period - 1) / period * period;
    if (mc_chain_start(chain, error) || mc_chain_step(chain, e->updates, e->update_count, error)) return error->status;
    measure(e);
    MPI_Barrier(MPI_COMM_WORLD);
    double started = MPI_Wtime();
    for (int64_t i = 0; i < trial->steps; i++)
        if (mc_chain_step(chain, e->updates, e->update_count, error)) return error->status;
    MPI_Barrier(MPI_COMM_WORLD);
    double stepped = MPI_Wtime();
    measure(e);
    MPI_Barrier(MPI_COMM_WORLD);
    trial->step_seconds = (stepped - started) / (double)trial->steps;
    trial->measure_seconds = MPI_Wtime() - stepped;
    return LAT_DONE;
}

/* What --dry-run and --trial do: nothing is written. */
static void forecast(ensemble *e, bool with_trial, lat_error *error)
{
    trial trial;
    char *layout = layout_text(e);
    if (!with_trial || try_out(e, &trial, error) == LAT_DONE) forecast_print(e, layout, with_trial ? &trial : NULL);
    free(layout);
}

/* LAT_STOPPED, with a checkpoint, if something asked for it. */
static lat_status sample(ensemble *e, bool quiet, lat_error *error)
{
    stopper stopper;
    progress progress;
    const char *reason = NULL;
    uint64_t end = end_of(e);
    if (trajectories_open(&e->trajectories, e->run, e->updates, e->update_count, mc_replicas(e->chain->state), e->chain->state->step, error)) {
        trajectories_close(&e->trajectories);
        return error->status;
    }
    stopper_start(&stopper, MPI_COMM_WORLD, e->run->directory, e->walltime);
    stopper.interval = (double)e->checkpoint_seconds;
    if (stopper.job_end > 0) {
        char left[16];
        progress_duration(stopper.job_end - stopper.started, left);
        run_log(e->run, "stops before the end of the job (SLURM_JOB_END_TIME), in %s at the latest", left);
    }
    progress_start(&progress, "step", (int64_t)e->chain->state->step, (int64_t)end, quiet || e->run->rank > 0);
    while (e->chain->state->step < end && !error->status && !(reason = stopper_reason(&stopper))) {
        if (stopper.due && write_checkpoint(e, error) == LAT_DONE) stopper_saved(&stopper);
        if (!error->status) one_step(e, error);
        if (progress_due(&progress, (int64_t)e->chain->state->step)) show(&progress, e);
    }
    progress_finish(&progress);
    if (!error->status && e->kept != e->chain->state->step) write_checkpoint(e, error);
    if (!error->status && reason)
        lat_fail(error, LAT_STOPPED, "%.300s: stopped at step %" PRIu64 " of %" PRIu64 " (%s): go on with --resume",
                 e->run->directory, e->chain->state->step, end, reason);
    stopper_end(&stopper);
    trajectories_close(&e->trajectories);
    return error->status;
}

/* ---------------------------------------------------------------------------------------------------------- the run */

/* Do the updates reach every configuration?  A reflection keeps the action, and an instanton changes the charge alone. */
static void warn_of_updates(const ensemble *e)
{
    for (int i = 0; i < e->update_count; i++)
        if (e->updates[i]->table != &mc_update_overrelax && e->updates[i]->table != &mc_update_instanton) return;
    run_warn(e->run, "updates: overrelax and instanton alone do not reach every configuration: the results will be wrong; add heatbath or hmc");
}

/* The lines of the action in a printed configuration, "action.[0].beta = 2.0;". */
static char *action_lines(const char *config)
{
    char *all = run_identity(config, &(run_changes){0}), *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) lat_abort(LAT_CONFIG, "memory: none left to compare actions");
    for (const char *line = all; *line; line += strcspn(line, "\n") + 1)
        if (strncmp(line, "action.", strlen("action.")) == 0) fprintf(out, "%.*s ", (int)strcspn(line, "\n"), line);
    if (fclose(out) != 0) lat_abort(LAT_CONFIG, "memory: none left to compare actions");
    free(all);
    return text;
}

/* A flow for another action proposes badly; or does it well, after a training for a coupling near by. */
static void warn_of_model(const ensemble *e, int update, const char *here)
{
    json_t *report = json_object();
    e->updates[update]->table->report(e->updates[update], report);
    const char *action = json_string_value(json_object_get(json_object_get(report, "model"), "action"));
    lat_error no_action = {0};
    lat_settings *root = NULL;
    if (action && *action && lat_settings_parse(action, "model", &root, &no_action) == LAT_DONE) {
        lat_action_free(lat_action_create(root, e->chain->state->gauge->group, lat_action_kinds, &no_action));
        char *printed = lat_settings_print(root), *there = action_lines(printed);
        if (!no_action.status && strcmp(here, there) != 0)
            run_warn(e->run, "updates.[%d]: the model was trained for another action: %sthere, %shere: see its ESS and acceptance", update,
                     there, here);
        free(printed);
        free(there);
    }
    lat_settings_free(root);
    json_decref(report);
}

static void say_beginning(const ensemble *e)
{
    char *layout = layout_text(e);
    run_log(e->run, "flowhmc %s (%s): %s", PACKAGE_VERSION, run_build(), layout);
    for (int i = 0; i < e->update_count; i++) run_log(e->run, "updates.[%d]: %s", i, e->updates[i]->table->name);
    free(layout);
    warn_of_updates(e);
    char *action = action_lines(e->identity);
    for (int i = 0; i < e->update_count; i++) warn_of_model(e, i, action);
    free(action);
}

static void work_in(const char *directory, const options *options, ensemble *e, const char *config, lat_error *error)
{
    if (run_open(MPI_COMM_WORLD, flowhmc.name, directory, options->resume, options->quiet, config, &changes, &e->run,
                 error))
        return;
    e->identity = run_identity(config, &changes);
    say_beginning(e);
    if (begin(e, error) == LAT_DONE && run_settle(e->run, error) == LAT_DONE) sample(e, options->quiet, error);
    lat_error result_error = {0};
    if (error->status == LAT_DONE || error->status == LAT_STOPPED) results_write(e, &result_error);
    if (error->status)
        run_note(e->run, "%s", error->text);
    else if (!result_error.status)
        run_log(e->run, "done: results are in %s", directory);
    if (result_error.status) *error = result_error;
    run_close(e->run, error);
}

/* RUN for path/to/RUN.cfg; for the example, which nobody minds to run twice, the first that is free of quickstart,
 * quickstart-2, ... */
static char *default_directory(const char *path, bool first_free)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    int length = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
    char *directory = lat_text("%.*s%s", length, name, dot && dot > name ? "" : ".run");
    for (int i = 2; first_free && on_disk(directory); i++) {
        free(directory);
        directory = lat_text("%.*s-%d", length, name, i);
    }
    return directory;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? lat_text("%.*s", (int)(slash - path), path) : lat_text(".");
}

/* What can refuse a run before it has a directory.  Where there is a checkpoint, the start is not looked at again. */
static lat_status check(const ensemble *e, const char *directory, const options *options, const char *config, lat_error *error)
{
    char *checkpoint = lat_text("%s/checkpoint.h5", directory);
    if (options->resume) run_check(MPI_COMM_WORLD, directory, config, &changes, error);
    if (!error->status && !(options->resume && on_disk(checkpoint))) mc_chain_check_start(e->chain, error);
    free(checkpoint);
    return error->status;
}

/* Runs the configuration of this file into a directory. */
static void work_on(const char *path, const char *directory, const options *options, lat_error *error)
{
    ensemble e = {0};
    lat_settings *root = NULL;
    char *folder = folder_of(path), *config = NULL;
    const bool trial = options->own[TRIAL], plan = options->print_config || (options->dry_run && !trial);
    if (options_settings(options, MPI_COMM_WORLD, path, NULL, &root, error) == LAT_DONE &&
        set_up(root, folder, plan, &e, error) == LAT_DONE) {
        config = lat_settings_print(root);
        if (options->print_config) {
            if (e.chain->geometry->rank == 0) fputs(config, stdout);
        } else if (check(&e, directory, options, config, error) == LAT_DONE) {
            if (options->dry_run || trial)
                forecast(&e, trial, error);
            else
                work_in(directory, options, &e, config, error);
        }
    }
    tear_down(&e);
    lat_settings_free(root);
    free(folder);
    free(config);
}

/* The example, then the same by HMC in a folder inside, then both side by side. */
static void work_on_example(const options *options, lat_error *error)
{
    char *path = mc_find_file(NULL, "examples", example), *other = mc_find_file(NULL, "examples", baseline);
    if (!path || !other) {
        lat_fail(error, LAT_CONFIG, "%s: the built-in example is not installed: name a configuration file",
                 path ? baseline : example);
        return;
    }
    char *directory = options->out ? lat_text("%s", options->out) : default_directory(path, !options->resume);
    char *inside = lat_text("%s/hmc", directory);
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    work_on(path, directory, options, error);
    if (!options->print_config && !options->dry_run && !options->own[TRIAL]) {
        if (!error->status) work_on(other, inside, options, error);
        if (!error->status && rank == 0 && !options->quiet)
            comparison_print((const char *[]){directory, inside}, 2, error);
    }
    free(path);
    free(other);
    free(directory);
    free(inside);
}

static void work(const options *options, lat_error *error)
{
    if (options->argument_count == 0) {
        work_on_example(options, error);
        return;
    }
    const char *path = options->argument[0];
    char *directory = options->out ? lat_text("%s", options->out) : default_directory(path, false);
    work_on(path, directory, options, error);
    free(directory);
}

int main(int argc, char **argv)
{
    signals_take();
    options options;
    lat_error error = {0};
    if (options_parse(argc, argv, &flowhmc, &options, &error) == LAT_DONE && !options.done) {
        lat_start(&argc, &argv);
        work(&options, &error);
    }
    return options_finish(&options, &error);
}
