/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flowtrain.c: trains a model, goes on with one, or moves one to another coupling or volume.
 */
#include "flows/flows.h"
#include "hmc/hmc.h"
#include "src/options.h"
#include "src/progress.h"
#include "src/run.h"
#include "src/signals.h"
#include "src/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const options_program program = {
    .name = "flowtrain",
    .usage = "Usage: flowtrain [OPTION...] [TRAIN.cfg]\n"
             "\n"
             "Trains a model for flowhmc. TRAIN.cfg says on which lattice, for which action, which layers, and\n"
             "how; without it a small example is trained:\n"
             "\n"
             "  mpirun -n 2 flowtrain train.cfg\n"
             "  mpirun -n 4 flowtrain --resume train.cfg                            go on, on other ranks\n"
             "  flowtrain --set initial=beta2.h5 --set model=beta3.h5 beta3.cfg     begin from another model\n",
    .accepts = OPTION_ALL,
    .least = 0,
    .most = 1,
};

static const char example[] = "lattice = { group = \"u1\"; size = [8, 8]; };\n"
                              "action = ( { kind = \"wilson\"; beta = 2.0; } );\n"
                              "flow = { layers = ( { kind = \"plaquette_coupling\"; repeat = 16; hidden = [8]; knots = "
                              "6; activation = \"silu\"; } ); };\n"
                              "train = { steps = 1000; batch = 64; learning_rate = 0.01; schedule = \"cosine\"; };\n"
                              "model = \"example.h5\";\n";

/* What may be different when a run is resumed. */
static const char *const free_keys[] = {"walltime", "backend", "lattice.ranks", "train.checkpoint_every", "train.final_samples", NULL};
static const run_changes changes = {free_keys, "train.steps"};

typedef struct {
    const options *options;
    int rank, ranks;
    lat_settings *root;
    char *directory; /* of the configuration file */
    lat_group group;
    lat_shape shape;
    char no_device[LAT_BACKEND_TEXT];
    lat_precision precision;
    lat_action *action;
    flow_train_settings settings;
    int64_t walltime;
    const char *initial; /* "": none */
    bool resumed;        /* there is a model of this run already */
    char *path;          /* of the model */
    char *config;        /* complete */
    flow_model *model;
    flow_training training;
    flow_trainer *trainer;
    flow_progress last; /* step */
    flow_evaluation evaluation;
    run *run;
} work;

/* ---------------------------------------------------------------------------------------------------- configuration */

/* The grid of ranks that a lattice is split over; without the key there is one rank to a lattice. */
static void read_ranks(work *w, lat_settings *lattice, lat_error *error)
{
    int64_t ranks[LAT_MAX_DIM];
    if (!lat_settings_has(lattice, "ranks")) return;
    int count = lat_settings_ints(lattice, "ranks", ranks, -1, LAT_MAX_DIM, 1, 1 << 20, error);
    if (!error->status && count != w->shape.dim)
        lat_settings_fail(lattice, "ranks", error, "%d numbers for a lattice of %d directions: give one for each", count, w->shape.dim);
    for (int mu = 0; mu < count && !error->status; mu++) w->shape.ranks[mu] = (int)ranks[mu];
}

static void read_lattice(work *w, lat_error *error)
{
    lat_settings *lattice = lat_settings_group(w->root, "lattice", error);
    const char *boundary[LAT_MAX_DIM] = {"periodic", "periodic", "periodic", "periodic"};
    w->group = (lat_group)lat_settings_choice(lattice, "group", NULL, lat_group_names, error);
    w->shape.dim = lat_settings_ints(lattice, "size", w->shape.size, -1, LAT_MAX_DIM, 2, INT32_MAX, error);
    if (!error->status && w->shape.dim < 2)
        lat_settings_fail(lattice, "size", error, "a lattice has 2, 3 or 4 directions: give as many extents");
    if (error->status) return;
    read_ranks(w, lattice, error);
    int given = lat_settings_strings(lattice, "boundary", boundary, w->shape.dim, LAT_MAX_DIM, error);
    for (int mu = 0; mu < given && !error->status; mu++)
        if (strcmp(boundary[mu], "periodic") != 0)
            lat_settings_fail(lattice, "boundary", error, "'%.40s' is not known: use \"periodic\"", boundary[mu]);
}

/* A list of groups as text. */
static char *list_text(lat_settings *root, const char *key, lat_error *error)
{
    char *text = lat_text("%s = (", key);
    int count = lat_settings_list(root, key, error);
    for (int i = 0; i < count; i++) {
        char *item = lat_settings_print(lat_settings_item(root, key, i, error)), *longer;
        for (char *c = item; *c; c++)
            if (*c == '\n') *c = ' ';
        longer = lat_text("%s%s { %s}", text, i ? "," : "", item);
        free(item);
        free(text);
        text = longer;
    }
    char *whole = lat_text("%s );\n", text);
    free(text);
    return whole;
}

/* The list `action` as text, and the operators that it names. */
static char *action_text(lat_settings *root, lat_error *error)
{
    char *action = list_text(root, "action", error);
    if (!lat_settings_has(root, "operators")) return action;
    char *operators = list_text(root, "operators", error), *both = lat_text("%s%s", operators, action);
    free(operators);
    free(action);
    return both;
}

static char *directory_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? lat_text("%.*s", slash > path ? (int)(slash - path) : 1, path) : lat_text(".");
}

static void read_model_keys(work *w, lat_error *error)
{
    const char *name = lat_settings_string(w->root, "model", NULL, error);
    w->initial = lat_settings_string(w->root, "initial", "", error);
    if (error->status) return;
    size_t length = strlen(name);
    if (length < 4 || strcmp(name + length - 3, ".h5") != 0) {
        lat_settings_fail(w->root, "model", error, "'%.100s' is no name of a model: it ends in .h5", name);
        return;
    }
    bool here = name[0] == '/' || strcmp(w->directory, ".") == 0;
    w->path = here ? lat_text("%s", name) : lat_text("%s/%s", w->directory, name);
}

static lat_status configure(work *w, lat_error *error)
{
    const char *path = w->options->argument_count > 0 ? w->options->argument[0] : NULL;
    if (options_settings(w->options, MPI_COMM_WORLD, path, example, &w->root, error)) return error->status;
    w->directory = directory_of(path);
    read_lattice(w, error);
    if (error->status) return error->status;
    w->action = lat_action_read(w->root, (lat_action_context){.group = w->group, .lattice = &w->shape}, lat_action_kinds, lat_dirac_tables, error);
    flow_train_read(lat_settings_group(w->root, "train", error), &w->settings, error);
    if (error->status) return error->status;
    flow_model_create(lat_settings_group(w->root, "flow", error), flow_layer_kinds, w->group, w->shape.dim, w->settings.seed, &w->model,
                      error);
    read_model_keys(w, error);
    w->precision = (lat_precision)lat_settings_choice(w->root, "precision", "double", lat_precision_names, error);
    w->walltime = walltime_read(w->root, error);
    if (!error->status) lat_backend_read(MPI_COMM_WORLD, w->root, &w->shape.backend, w->no_device, error);
    if (!error->status) lat_settings_finish(w->root, error);
    if (error->status) return error->status;
    free(w->model->action);
    w->model->action = action_text(w->root, error);
    w->config = lat_settings_print(w->root);
    return error->status;
}

/* -------------------------------------------------------------------------------------------------- where it begins */

/* Are the layers of one model those with which the other begins?  Descriptions are libconfig text of one layout, and end with the list. */
static bool begins_with(const char *description, const char *first)
{
    static const char end_of_list[] = "\n);\n";
    size_t length = strlen(first) - strlen(end_of_list);
    return strcmp(description, first) == 0 || (strncmp(description, first, length) == 0 && description[length] == ',');
}

/* Takes over the parameters of a model of the same layers, or of those that come first, and what they have cost. */
static void take_parameters(work *w, const flow_model *from, const char *path, lat_error *error)
{
    if (from->group != w->group || from->dim != w->shape.dim)
        lat_fail(error, LAT_CONFIG, "%s: is a model of %s in %d dimensions, the lattice is %s in %d: use another model",
                 path, lat_group_names[from->group], from->dim, lat_group_names[w->group], w->shape.dim);
    else if (!begins_with(w->model->description, from->description))
        lat_fail(error, LAT_CONFIG,
                 "%s: its layers are not those of the key 'flow', nor the first of them: make them the same (h5dump -a /flow shows its own)",
                 path);
    if (error->status) return;
    memcpy(w->model->parameters, from->parameters, (size_t)from->stack.parameter_count * sizeof *from->parameters);
    w->model->version++;
    w->model->training_core_seconds = from->training_core_seconds;
}

static void begin_from(work *w, lat_error *error)
{
    flow_model *from = NULL;
    char *path = mc_find_file(w->directory, "models", w->initial);
    flow_model_read(MPI_COMM_WORLD, path ? path : w->initial, flow_layer_kinds, &from, NULL, error);
    if (from) take_parameters(w, from, w->initial, error);
    flow_model_free(from);
    free(path);
}

/* The model of a run that is resumed must be that run's. */
static void go_on(work *w, lat_error *error)
{
    flow_model *from = NULL;
    if (flow_model_read(MPI_COMM_WORLD, w->path, flow_layer_kinds, &from, &w->training, error)) return;
    char *now = run_identity(w->config, &changes),
         *then = run_identity(w->training.config ? w->training.config : "", &changes);
    if (!w->training.moments || strcmp(now, then) != 0)
        lat_fail(error, LAT_CONFIG, "%s: is not the model of the run in %s: give another name, or another --out",
                 w->path, w->run->directory);
    else if (w->training.step > w->settings.steps)
        lat_fail(error, LAT_CONFIG, "%s: %lld steps are done: give train.steps = %lld or more", w->path, (long long)w->training.step,
                 (long long)w->training.step);
    else
        take_parameters(w, from, w->path, error);
    free(now);
    free(then);
    flow_model_free(from);
    if (!error->status) run_log(w->run, "resumed at step %lld", (long long)w->training.step);
}

static lat_status create_trainer(work *w, flow_training *training, flow_trainer **trainer, lat_error *error)
{
    return flow_trainer_create(MPI_COMM_WORLD, w->model, w->action, &w->shape, w->precision, &w->settings, training,
                               trainer, error);
}

static bool model_exists(const work *w)
{
    int exists = access(w->path, F_OK) == 0;
    MPI_Bcast(&exists, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return exists;
}

/* All that a run that begins anew can be refused for, before anything is written. */
static void check(work *w, lat_error *error)
{
    flow_training none = {0};
    flow_trainer *trainer = NULL;
    if (!w->options->resume && model_exists(w))
        lat_fail(error, LAT_CONFIG, "%s: there is such a model: move it away, or set model to another name", w->path);
    if (!error->status && w->initial[0] && !model_exists(w)) begin_from(w, error);
    if (!error->status) create_trainer(w, &none, &trainer, error);
    flow_trainer_free(trainer);
    flow_training_free(&none);
}

static void start(work *w, lat_error *error)
{
    const bool exists = model_exists(w);
    if (exists && !w->run->resumed)
        lat_fail(error, LAT_CONFIG, "%s: there is such a model: move it away, or set model to another name", w->path);
    else if (exists)
        go_on(w, error);
    else if (w->initial[0])
        run_log(w->run, "begins from %s", w->initial);
    free(w->training.config);
    w->training.config = lat_text("%s", w->config);
    w->resumed = exists;
}

/* --------------------------------------------------------------------------------------------------------- the loop */

static void evaluate(work *w)
{
    w->evaluation = flow_trainer_evaluate(w->trainer, w->settings.evaluate_samples);
    flow_trainer_record(w->trainer, &w->evaluation, &w->last);
    run_log(w->run, "step %lld  loss %.4f  ESS %.4f  gradient %.3g  rate %.3g", (long long)w->training.step,
            w->evaluation.loss, w->evaluation.ess, w->last.gradient_norm, w->last.learning_rate);
}

static lat_status write_model(work *w, lat_error *error)
{
    flow_trainer_settle(w->trainer);
    return flow_model_write(MPI_COMM_WORLD, w->path, w->model, &w->training, error);
}

/* What a training begins with has the name before hours are spent on it, and keeps others from it. */
static lat_status claim_name(work *w, lat_error *error)
{
    flow_trainer_settle(w->trainer);
    return flow_model_write_new(MPI_COMM_WORLD, w->path, w->model, &w->training, error);
}

static void one_step(work *w, lat_error *error)
{
    flow_trainer_step(w->trainer, &w->last, error);
    if (w->last.dropped)
        run_log(w->run, "step %lld dropped: loss %g, gradient %g", (long long)w->training.step, w->last.loss,
                w->last.gradient_norm);
    if (error->status) return;
    if (w->training.step % w->settings.evaluate_every == 0) evaluate(w);
    if (w->training.step % w->settings.checkpoint_every == 0) write_model(w, error);
}

/* Until the last step, or until it is told to stop: then the reason. */
static const char *train(work *w, stopper *stopper, lat_error *error)
{
    const char *reason = NULL;
    progress progress;
    progress_start(&progress, "step", w->training.step, w->settings.steps, w->options->quiet || w->rank > 0);
    while (w->training.step < w->settings.steps && !error->status && !(reason = stopper_reason(stopper))) {
        one_step(w, error);
        if (progress_due(&progress, w->training.step))
            progress_show(&progress, w->training.step, "loss of the batch %.3f", w->last.loss);
    }
    progress_finish(&progress);
    return reason;
}

/* ---------------------------------------------------------------------------------------------------------- results */

static void result(table *table, const char *name, double value, double error, double exact)
{
    table_cell(table, name);
    table_value(table, value, error);
    table_number(table, exact);
}

static void print_results(const work *w, double exact)
{
    static const char *const headings[] = {"quantity", "value", "exact"};
    const flow_evaluation *e = &w->evaluation;
    table *table = table_create(3, headings);
    double loss_error = e->spread / sqrt((double)e->samples);
    result(table, "effective sample size", e->ess, 0, NAN);
    result(table, "acceptance", e->acceptance, 0, NAN);
    result(table, "loss", e->loss, loss_error, NAN);
    result(table, "loss + ln Z", e->loss + exact, loss_error, NAN);
    result(table, "spread of log weights", e->spread, 0, NAN);
    result(table, "ln Z", e->log_z, e->log_z_error, exact);
    table_print(table, stdout);
    table_free(table);
    printf("from %lld fresh samples; trained in %.1f core-seconds; model in %s\n", (long long)e->samples,
           w->model->training_core_seconds, w->path);
}

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static void write_summary(const work *w, double exact, lat_error *error)
{
    const flow_evaluation *e = &w->evaluation;
    char sha256[65];
    flow_model_hash(w->model, sha256);
    json_t *summary =
        json_pack("{s:I, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:{s:s, s:s, s:I, s:o}}", "seed",
                  (json_int_t)w->settings.seed, "backend", lat_backend_name(w->shape.backend), "steps", (json_int_t)w->training.step, "dropped",
                  (json_int_t)w->training.dropped, "ess", number(e->ess), "acceptance", number(e->acceptance), "loss",
                  number(e->loss), "log_weight_spread", number(e->spread), "log_z", number(e->log_z), "log_z_error",
                  number(e->log_z_error), "log_z_exact", number(exact), "samples", (json_int_t)e->samples, "model",
                  "path", w->path, "sha256", sha256, "parameters", (json_int_t)w->model->stack.parameter_count,
                  "training_core_seconds", number(w->model->training_core_seconds));
    if (!summary) lat_abort(LAT_CONFIG, "%s/summary.json: no memory left to write it", w->run->directory);
    run_write_summary(w->run, summary, error);
    json_decref(summary);
}

static void finish(work *w, lat_error *error)
{
    double beta = lat_action_beta(w->action), exact = NAN;
    int64_t volume = 1;
    for (int mu = 0; mu < w->shape.dim; mu++) volume *= w->shape.size[mu];
    if (w->shape.dim == 2 && isfinite(beta)) exact = lat_exact2d_log_z(w->group, beta, volume);
    w->evaluation = flow_trainer_evaluate(w->trainer, w->settings.final_samples);
    run_log(w->run, "done: %lld steps, %lld dropped, ESS %.4f", (long long)w->training.step,
            (long long)w->training.dropped, w->evaluation.ess);
    write_summary(w, exact, error);
    if (!error->status && w->rank == 0 && !w->options->quiet) print_results(w, exact);
}

/* ------------------------------------------------------------------------------------------------------ the program */

static void print_layout(const work *w)
{
    if (w->rank > 0) return;
    lat_shape chunk = {.precision = w->precision};
    lat_action_shape(w->action, &chunk);
    int64_t lanes = flow_trainer_lanes(&w->shape, chunk.precision, w->settings.batch), chunks = w->settings.batch / lanes, split = 1;
    for (int mu = 0; mu < w->shape.dim; mu++) split *= w->shape.ranks[mu] > 0 ? w->shape.ranks[mu] : 1;
    int64_t groups = w->ranks / split, most = (chunks + groups - 1) / groups;
    double rows = (double)(most * flow_trainer_rows(&w->settings, lanes) + 5), bytes = (double)w->model->stack.parameter_count * rows * 8;
    printf("model: %d layers, %lld parameters\n", w->model->stack.layers, (long long)w->model->stack.parameter_count);
    printf("batch: %lld samples in %lld chunks of %lld lanes, on each of %lld groups of %lld ranks at most %lld\n",
           (long long)w->settings.batch, (long long)chunks, (long long)lanes, (long long)groups, (long long)split, (long long)most);
    printf("memory: %.1f MiB on each rank for gradients and optimiser\n", bytes / (1 << 20));
}

static void run_it(work *w, lat_error *error)
{
    check(w, error);
    if (error->status) return;
    char *directory =
        w->options->out ? lat_text("%s", w->options->out) : lat_text("%.*s", (int)strlen(w->path) - 3, w->path);
    run_open(MPI_COMM_WORLD, program.name, directory, w->options->resume, w->options->quiet, w->config, &changes,
             &w->run, error);
    free(directory);
    if (error->status) return;
    start(w, error);
    if (!error->status) create_trainer(w, &w->training, &w->trainer, error);
    if (!error->status && run_settle(w->run, error) == LAT_DONE && (w->resumed || claim_name(w, error) == LAT_DONE)) {
        stopper stopper;
        stopper_start(&stopper, MPI_COMM_WORLD, w->run->directory, w->walltime);
        run_log(w->run, "%s: %lld parameters, %d ranks, objective %s; backend %s%s%s", w->path, (long long)w->model->stack.parameter_count,
                w->ranks, flow_objective_names[w->settings.objective], lat_backend_name(w->shape.backend),
                w->no_device[0] ? ", " : "", w->no_device);
        const char *reason = train(w, &stopper, error);
        lat_error failure = {0};
        if (write_model(w, &failure)) lat_fail(error, failure.status, "%s", failure.text);
        if (!error->status && reason)
            lat_fail(error, LAT_STOPPED, "%s: stopped at step %lld by %s: go on with --resume", w->run->directory,
                     (long long)w->training.step, reason);
        if (!error->status) finish(w, error);
        stopper_end(&stopper);
    }
    run_close(w->run, error);
}

static void release(work *w)
{
    flow_trainer_free(w->trainer);
    flow_training_free(&w->training);
    flow_model_free(w->model);
    lat_action_free(w->action);
    flow_train_release(&w->settings);
    lat_settings_free(w->root);
    free(w->directory);
    free(w->path);
    free(w->config);
}

static void flowtrain(const options *options, lat_error *error)
{
    work w = {.options = options};
    MPI_Comm_rank(MPI_COMM_WORLD, &w.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &w.ranks);
    if (!configure(&w, error)) {
        if (options->print_config && w.rank == 0) fputs(w.config, stdout);
        if (options->dry_run && !create_trainer(&w, &w.training, &w.trainer, error)) print_layout(&w);
        if (!options->print_config && !options->dry_run) run_it(&w, error);
    }
    release(&w);
}

int main(int argc, char **argv)
{
    signals_take();
    options options;
    lat_error error = {0};
    if (options_parse(argc, argv, &program, &options, &error) == LAT_DONE && !options.done) {
        lat_start(&argc, &argv);
        flowtrain(&options, &error);
    }
    return options_finish(&options, &error);
}
