/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flowhmc.c: generates an ensemble of gauge fields: a Markov chain, measured and stored as it goes, in a run directory
 * that it can go on from.
 */
#include "lattice/grid/kernels.h"
#include "src/checkpoints.h"
#include "src/comparison.h"
#include "src/forecast.h"
#include "src/keeping.h"
#include "src/options.h"
#include "src/pilot.h"
#include "src/progress.h"
#include "src/remarks.h"
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
    "updates.[*].ranks", "action.[*].iterations", "measure.mesons.iterations", "chain.force", "chain.save_format", "chain.checkpoint_every", "chain.keep_checkpoints", NULL};
static const run_changes changes = {free_keys, "chain.steps"};

/* ----------------------------------------------------------------------------------------------------------- set-up */

static void read_observables(lat_settings *measure, ensemble *e, lat_error *error)
{
    enum { MOST = 64 };
    const char *names[MOST] = {"plaquette"};
    const lat_observe_context context = {ensemble_sample(e), mc_chain_lattice(e->chain), measure, e->chain->operators};
    int count = lat_settings_strings(measure, "observables", names, 1, MOST, error);
    e->observable = lat_alloc(MOST, sizeof *e->observable);
    for (int i = 0; i < count && !error->status; i++) {
        e->observable[i] = lat_observable_create(names[i], lat_observable_kinds, &context, error);
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

/* What belongs to the chain that there is now. */
static lat_status set_up_rest(lat_settings *root, ensemble *e, lat_error *error)
{
    const mc_context context = mc_chain_context(e->chain, flow_layer_kinds);
    if (mc_updates_create(root, mc_update_tables, &context, &e->updates, &e->update_count, error)) return error->status;
    read_plan(root, e, error);
    if (!error->status && e->chain->pilot) pilot_check(root, e, error);
    if (!error->status) lat_settings_finish(root, error);
    if (lat_agree(MPI_COMM_WORLD, error)) return error->status;
    e->series = series_create(e->observable, e->observable_count, e->every, mc_replicas(e->chain->state),
                              e->chain->thermalise, ensemble_weighted(e) != NULL, &e->series_count);
    return LAT_DONE;
}

/* plan: nothing is to be run. */
static lat_status set_up(lat_settings *root, const char *directory, bool plan, ensemble *e, lat_error *error)
{
    if ((plan ? mc_chain_plan : mc_chain_create)(MPI_COMM_WORLD, root, lat_action_kinds, lat_dirac_tables, directory,
                                                 &e->chain, error))
        return error->status;
    return set_up_rest(root, e, error);
}

static void tear_down(ensemble *e)
{
    mc_updates_free(e->updates, e->update_count);
    series_free(e->series, e->series_count);
    mc_chain_free(e->chain);
    if (e->energy_started) energy_end(&e->energy);
    for (int i = 0; i < e->observable_count; i++) lat_observable_free(e->observable[i]);
    free(e->observable);
    free(e->identity);
}

/* Where the number of rungs was left open, all is made anew for those that there are to be. */
static lat_status settle_ladder(lat_settings *root, const char *directory, ensemble *e, lat_error *error)
{
    lat_rungs rungs;
    if (!e->chain->pilot || pilot_find(e, &rungs, error)) return error->status;
    ensemble settled = {.run = e->run, .identity = e->identity};
    const int64_t walltime = e->walltime;
    e->identity = NULL;
    tear_down(e);
    *e = settled;
    if (mc_chain_create_on(MPI_COMM_WORLD, root, lat_action_kinds, lat_dirac_tables, directory, &rungs, &e->chain,
                           error) == LAT_DONE)
        set_up_rest(root, e, error);
    e->walltime = walltime;
    return error->status;
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
    const int replicas = mc_replicas(e->chain->state);
    const mc_ladder *ladder = e->chain->state->ladder;
    char *rungs = ladder ? lat_text(" of %d rungs%s", ladder->rungs,
                                    e->chain->pilot ? " (of the pilot; the run finds its own)" : "")
                         : lat_text("%s", "");
    char *text = lat_text("%s, %s, %d replica%s%s; %s ranks, %s lanes x %d, %d idle, blocks of %s; backend %s%s%s",
                          lat_group_names[e->chain->state->gauge->group], size, replicas, replicas > 1 ? "s" : "", rungs, rank_grid,
                          lane_grid, g->members, g->lanes - g->blocks * g->members, block, lat_backend_name(g->backend),
                          e->chain->no_device[0] ? ", " : "", e->chain->no_device);
    free(rungs);
    free(size);
    free(rank_grid);
    free(lane_grid);
    free(block);
    return text;
}

/* --------------------------------------------------------------------------------------------------------- sampling */

/* Those that are due after so many steps. */
static lat_status measure(ensemble *e, int64_t counted, lat_error *error)
{
    const lat_random random = mc_chain_sources(e->chain);
    const mc_weighted *weighted = ensemble_weighted(e);
    const double *log_weight = weighted ? weighted->log_weight : NULL;
    lat_gauge *sample = NULL;
    for (int i = 0; i < e->series_count && !error->status; i++) {
        if (!series_due(&e->series[i], counted)) continue;
        if (!sample) sample = ensemble_sample(e);
        series_measure(&e->series[i], sample, log_weight, &random, error);
        e->chain->measure_core_seconds += e->series[i].seconds * e->chain->geometry->rank_count;
    }
    return error->status;
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
    const int64_t counted = ensemble_counted(e);
    if (measure(e, counted, error)) return error->status;
    if (counted > 0 && e->save_every > 0 && counted % e->save_every == 0 && keeping_save(e, error)) return error->status;
    if (e->checkpoint_every > 0 && chain->state->step % (uint64_t)e->checkpoint_every == 0) return keeping_checkpoint(e, error);
    return LAT_DONE;
}

static void show(progress *progress, const ensemble *e)
{
    const mc_history *h = e->series[0].history;
    const int64_t step = (int64_t)e->chain->state->step;
    char *iterations = ensemble_iterations(e);
    if (!mc_chain_counts(e->chain) || h->rows == 0 || h->columns == 0) {
        progress_show(progress, step, "%s%s", mc_chain_counts(e->chain) ? "sampling" : "thermalising", iterations);
        free(iterations);
        return;
    }
    double value = h->value[(h->rows - 1) * h->replicas * h->columns], dh = ensemble_figure(e, "exp_minus_dh");
    char *acceptance = ensemble_acceptance(e);
    if (isnan(dh))
        progress_show(progress, step, "acc %.5s  %s %.5g%s", acceptance, h->name[0], value, iterations);
    else
        progress_show(progress, step, "acc %.5s  <exp(-dH)> %.4f  %s %.5g%s", acceptance, dh, h->name[0], value, iterations);
    free(acceptance);
    free(iterations);
}

static lat_status measure_all(ensemble *e, lat_error *error)
{
    const lat_random random = mc_chain_sources(e->chain);
    const mc_weighted *weighted = ensemble_weighted(e);
    lat_gauge *sample = ensemble_sample(e);
    for (int i = 0; i < e->series_count && !error->status; i++)
        series_measure(&e->series[i], sample, weighted ? weighted->log_weight : NULL, &random, error);
    return error->status;
}

/* A few steps in memory, of which the first is not timed: it has audits and caches to fill.  Where an update draws
 * batches ahead, whole batches.  They count, as evolutions may wait for thermalisation. */
static lat_status try_out(ensemble *e, trial *trial, lat_error *error)
{
    enum { STEPS = 5 };
    mc_chain *chain = e->chain;
    int64_t period = 1;
    for (int i = 0; i < e->update_count; i++)
        if ((int64_t)e->updates[i]->period > period) period = (int64_t)e->updates[i]->period;
    trial->steps = (STEPS + period - 1) / period * period;
    const uint64_t thermalise = chain->thermalise;
    chain->thermalise = 0;
    if (mc_chain_start(chain, error) || mc_chain_step(chain, e->updates, e->update_count, error)) return error->status;
    if (measure_all(e, error)) return error->status;
    MPI_Barrier(MPI_COMM_WORLD);
    double started = MPI_Wtime();
    for (int64_t i = 0; i < trial->steps; i++)
        if (mc_chain_step(chain, e->updates, e->update_count, error)) return error->status;
    MPI_Barrier(MPI_COMM_WORLD);
    trial->step_seconds = (MPI_Wtime() - started) / (double)trial->steps;
    chain->thermalise = thermalise;
    return measure_all(e, error);
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
    uint64_t end = ensemble_end(e);
    if (trajectories_open(&e->trajectories, e->chain->state->step, error)) return error->status;
    stopper_start(&stopper, MPI_COMM_WORLD, e->run->directory, e->walltime);
    stopper.interval = (double)e->checkpoint_seconds;
    if (stopper.job_end > 0) {
        char left[16];
        progress_duration(stopper.job_end - stopper.started, left);
        run_log(e->run, "stops before the end of the job (SLURM_JOB_END_TIME), in %s at the latest", left);
    }
    progress_start(&progress, "step", (int64_t)e->chain->state->step, (int64_t)end, quiet || e->run->rank > 0);
    while (e->chain->state->step < end && !error->status && !(reason = stopper_reason(&stopper))) {
        if (stopper.due && keeping_checkpoint(e, error) == LAT_DONE) stopper_saved(&stopper);
        if (!error->status) one_step(e, error);
        if (progress_due(&progress, (int64_t)e->chain->state->step)) show(&progress, e);
    }
    progress_finish(&progress);
    if (!error->status && e->kept != e->chain->state->step) keeping_checkpoint(e, error);
    if (!error->status && reason)
        lat_fail(error, LAT_STOPPED, "%.300s: stopped at step %" PRIu64 " of %" PRIu64 " (%s): go on with --resume",
                 e->run->directory, e->chain->state->step, end, reason);
    stopper_end(&stopper);
    return error->status;
}

/* ---------------------------------------------------------------------------------------------------------- the run */

static void say_beginning(const ensemble *e)
{
    char *layout = layout_text(e);
    run_log(e->run, "flowhmc %s (%s): %s", PACKAGE_VERSION, run_build(), layout);
    for (int i = 0; i < e->update_count; i++) run_log(e->run, "updates.[%d]: %s", i, e->updates[i]->table->name);
    free(layout);
    remarks_on(e);
}

/* folder: of the configuration file. */
static void work_in(const char *directory, const options *options, lat_settings *root, const char *folder, ensemble *e,
                    const char *config, lat_error *error)
{
    if (run_open(MPI_COMM_WORLD, flowhmc.name, directory, options->resume, options->quiet, config, &changes, &e->run,
                 error))
        return;
    e->identity = run_identity(config, &changes);
    if (settle_ladder(root, folder, e, error) == LAT_DONE) {
        say_beginning(e);
        if (keeping_begin(e, error) == LAT_DONE && run_settle(e->run, error) == LAT_DONE)
            sample(e, options->quiet, error);
    }
    trajectories_close(&e->trajectories);
    lat_error result_error = {0};
    const bool begun = e->chain && !e->chain->pilot;
    if (begun && (error->status == LAT_DONE || error->status == LAT_STOPPED)) results_write(e, &result_error);
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
    for (int i = 2; first_free && keeping_on_disk(directory); i++) {
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
    if (!error->status && !(options->resume && keeping_on_disk(checkpoint))) mc_chain_check_start(e->chain, error);
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
                work_in(directory, options, root, folder, &e, config, error);
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
