/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * results.c: what came out of a run.  Errors and autocorrelation times are those of the Gamma method, over all
 * replicas; cost per independent sample = 2 tau_int of the slowest observable times core-seconds per entry.  Which is the slowest is told in
 * steps, as not all are measured after as many.
 */
#include "lattice/grid/kernels.h"
#include "src/ensemble.h"
#include "src/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    const series *series; /* that it is measured in */
    mc_estimate estimate;
    bool moved;           /* by more than rounding: otherwise nothing is known of its error */
    double exact, sigmas; /* NaN: not known */
} result;

typedef struct {
    int count;
    result *result;
    int slowest; /* -1: not known */
    double core_seconds_per_entry, per_independent_sample, processor_seconds;
    double ess; /* of the weights that the slowest has; 1: it has none */
} results;

static double exact_value(const ensemble *ensemble, const char *name)
{
    const mc_chain *chain = ensemble->chain;
    double beta = ensemble_beta(ensemble);
    if (chain->geometry->dim != 2 || isnan(beta) || !lat_gauge_is_periodic(ensemble_sample(ensemble))) return NAN;
    return lat_exact2d(name, chain->state->gauge->group, beta, chain->geometry->volume);
}

/* Whether it is more than rounding that makes the entries differ: of a sum over a lattice, after many updates that keep it. */
static bool has_moved(const double *series, int64_t entries)
{
    const double rounding = 1e-11;
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < entries; i++) {
        low = fmin(low, series[i]);
        high = fmax(high, series[i]);
    }
    return entries > 0 && high - low > rounding * fmax(fabs(low), fabs(high));
}

/* With weights, but for the weights themselves. */
static mc_estimate estimate_of(const series *of, int column, const double *entries)
{
    const mc_history *history = of->history;
    if (!of->weighted || column == history->columns - 1) return mc_gamma(entries, history->replicas, history->rows);
    int64_t *length = lat_alloc(history->replicas, sizeof *length);
    double *log_weight = series_log_weight(of);
    for (int r = 0; r < history->replicas; r++) length[r] = history->rows;
    mc_estimate estimate = mc_gamma_weighted(entries, log_weight, history->replicas, length);
    free(length);
    free(log_weight);
    return estimate;
}

static result analyse_column(const ensemble *ensemble, const series *of, int column)
{
    const mc_history *history = of->history;
    int64_t entries = history->rows * history->replicas;
    double *series = lat_alloc(entries > 0 ? entries : 1, sizeof *series);
    for (int r = 0; r < history->replicas; r++) mc_history_series(history, column, r, series + r * history->rows);
    result result = {.name = history->name[column], .series = of, .estimate = estimate_of(of, column, series)};
    result.moved = has_moved(series, entries);
    result.exact = exact_value(ensemble, result.name);
    result.sigmas = result.moved ? (result.estimate.mean - result.exact) / result.estimate.error : NAN;
    free(series);
    return result;
}

/* tau_int in steps. */
static double steps_of(const result *r) { return r->estimate.tau_int * (double)r->series->history->every; }

static double ess_of(const series *s)
{
    double *log_weight = series_log_weight(s),
           ess = log_weight ? mc_weights_ess(log_weight, s->history->rows * s->history->replicas) : 1;
    free(log_weight);
    return ess;
}

static double core_seconds_per_entry(const ensemble *ensemble, const series *s)
{
    return ensemble->chain->core_seconds / (double)(s->history->rows * s->history->replicas);
}

/* An observable that never moved may be the slowest of all: then nothing is known of the cost. */
static results analyse(const ensemble *ensemble)
{
    int columns = 0;
    for (int i = 0; i < ensemble->series_count; i++) columns += ensemble->series[i].history->columns;
    results r = {.result = lat_alloc(columns, sizeof *r.result), .slowest = -1};
    for (int i = 0; i < ensemble->series_count; i++)
        for (int c = 0; c < ensemble->series[i].history->columns; c++)
            r.result[r.count++] = analyse_column(ensemble, &ensemble->series[i], c);
    bool known = columns > 0;
    for (int i = 0; i < r.count; i++) {
        known = known && r.result[i].moved;
        if (r.slowest < 0 || steps_of(&r.result[i]) > steps_of(&r.result[r.slowest])) r.slowest = i;
    }
    r.processor_seconds = mc_chain_processor_seconds(ensemble->chain);
    if (!known) r.slowest = -1;
    r.core_seconds_per_entry = known ? core_seconds_per_entry(ensemble, r.result[r.slowest].series) : NAN;
    r.ess = known ? ess_of(r.result[r.slowest].series) : NAN;
    r.per_independent_sample =
        known ? 2 * r.result[r.slowest].estimate.tau_int * r.core_seconds_per_entry / r.ess : NAN;
    return r;
}

/* ----------------------------------------------------------------------------------------------------- summary.json */

static json_t *observables_object(const ensemble *ensemble, const results *results)
{
    json_t *all = json_object();
    for (int i = 0; i < results->count; i++) {
        const result *r = &results->result[i];
        json_t *one = json_object();
        mc_report_real(one, "mean", r->estimate.mean);
        mc_report_real(one, "error", r->moved ? r->estimate.error : NAN);
        mc_report_real(one, "tau_int", r->moved ? r->estimate.tau_int : NAN);
        mc_report_real(one, "tau_int_error", r->moved ? r->estimate.tau_int_error : NAN);
        json_object_set_new(one, "n", json_integer(r->estimate.n));
        if (r->series != ensemble->series) json_object_set_new(one, "every", json_integer((json_int_t)r->series->history->every));
        if (isfinite(r->exact)) mc_report_real(one, "exact", r->exact);
        json_object_set_new(all, r->name, one);
    }
    return all;
}

static json_t *updates_array(const ensemble *ensemble)
{
    json_t *all = json_array();
    for (int i = 0; i < ensemble->update_count; i++) {
        const mc_update *update = ensemble->updates[i];
        json_t *one = json_object();
        json_object_set_new(one, "kind", json_string(update->table->name));
        mc_report_real(one, "seconds", update->seconds);
        update->table->report(update, one);
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *cost_object(const ensemble *ensemble, const results *results)
{
    const mc_chain *chain = ensemble->chain;
    json_t *cost = json_object();
    mc_report_real(cost, "core_seconds", chain->core_seconds);
    mc_report_real(cost, "processor_seconds", results->processor_seconds);
    mc_report_real(cost, "measure_core_seconds", chain->measure_core_seconds);
    mc_report_real(cost, "joules", chain->joules < 0 ? NAN : chain->joules);
    mc_report_real(cost, "per_independent_sample", results->per_independent_sample);
    json_object_set_new(cost, "slowest_observable",
                        results->slowest < 0 ? json_null() : json_string(results->result[results->slowest].name));
    return cost;
}

static json_t *summary_object(const ensemble *ensemble, const results *results)
{
    const mc_chain *chain = ensemble->chain;
    json_t *summary = json_object(), *updates = updates_array(ensemble), *model = NULL;
    json_object_set_new(summary, "seed", json_integer((json_int_t)chain->state->seed));
    json_object_set_new(summary, "backend", json_string(chain->geometry->backend->name));
    json_object_set_new(summary, "step", json_integer((json_int_t)chain->state->step));
    json_object_set_new(summary, "finished",
                        json_boolean(chain->state->step >= chain->thermalise + (uint64_t)ensemble->steps));
    json_object_set_new(summary, "observables", observables_object(ensemble, results));
    for (size_t i = 0; i < json_array_size(updates) && !model; i++)
        model = json_object_get(json_array_get(updates, i), "model");
    json_object_set_new(summary, "updates", updates);
    json_object_set_new(summary, "cost", cost_object(ensemble, results));
    if (model) json_object_set(summary, "model", model);
    return summary;
}

/* ------------------------------------------------------------------------------------------------------------ words */

/* To the log and to stdout, line by line. */
static void say_lines(run *run, char *text)
{
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end) *end++ = '\0';
        run_log(run, "%s", line);
    }
}

static void add_row(table *rows, const result *r)
{
    table_cell(rows, r->name);
    table_value(rows, r->estimate.mean, r->moved ? r->estimate.error : 0);
    if (r->moved)
        table_value(rows, r->estimate.tau_int, r->estimate.tau_int_error);
    else
        table_cell(rows, "-");
    table_number(rows, r->exact);
    char *sigmas = isfinite(r->sigmas) ? lat_text("%+.1f sigma", rint(10 * r->sigmas) / 10 + 0.0) : lat_text("-");
    table_cell(rows, sigmas);
    free(sigmas);
}

static void say_series(const ensemble *ensemble, const results *results, const series *s)
{
    static const char *const headings[] = {"observable", "mean", "tau_int", "exact", "deviation"};
    table *rows = table_create(5, headings);
    for (int i = 0; i < results->count; i++)
        if (results->result[i].series == s) add_row(rows, &results->result[i]);
    char *text = table_text(rows);
    say_lines(ensemble->run, text);
    free(text);
    table_free(rows);
}

/* What is measured by itself comes in tables of its own. */
static void say_observables(const ensemble *ensemble, const results *results)
{
    say_series(ensemble, results, ensemble->series);
    for (int i = 1; i < ensemble->series_count; i++) {
        const series *s = &ensemble->series[i];
        run_log(ensemble->run, "%s, measured every %llu steps, which are the unit of its tau_int:", s->observable[0]->name,
                (unsigned long long)s->history->every);
        say_series(ensemble, results, s);
    }
}

/* ", acceptance 0.93"; with its error, ", log_z 1.234(56)", where the object has one.  NULL: nothing to say. */
static char *number_text(const json_t *object, const char *key, const json_t *value)
{
    char *error_key = lat_text("%s_error", key);
    const json_t *error = json_object_get(object, error_key);
    free(error_key);
    if (json_is_integer(value)) return lat_text("%s %lld", key, (long long)json_integer_value(value));
    if (!json_is_real(value)) return NULL;
    if (!json_is_real(error)) return lat_text("%s %.5g", key, json_real_value(value) + 0.0);
    char *number = table_format(json_real_value(value), json_real_value(error)), *text = lat_text("%s %s", key, number);
    free(number);
    return text;
}

/* Whether the value is printed beside another one as its error. */
static bool is_error(const json_t *object, const char *key)
{
    size_t length = strlen(key), tail = strlen("_error");
    if (length <= tail || strcmp(key + length - tail, "_error") != 0) return false;
    char *name = lat_text("%.*s", (int)(length - tail), key);
    bool found = json_is_real(json_object_get(object, name));
    free(name);
    return found;
}

/* "hmc: seconds 1.2, acceptance 0.93": all numbers of an object, in lines that fit a terminal. */
static void say_numbers(run *run, const char *name, json_t *object)
{
    enum { WIDTH = 80 };
    char *line = lat_text("%s:", name), *longer;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char *figure = is_error(object, key) ? NULL : number_text(object, key, value);
        if (!figure) continue;
        bool begins = line[strlen(line) - 1] == ':', full = strlen(line) + strlen(figure) + 2 > WIDTH;
        if (full) run_log(run, "%s,", line);
        longer = full ? lat_text("    %s", figure) : lat_text("%s%s %s", line, begins ? "" : ",", figure);
        free(line);
        free(figure);
        line = longer;
    }
    run_log(run, "%s", line);
    free(line);
}

/* Of a ladder: how often swaps of neighbours were accepted, and how often variances say that they should have been. */
static void say_swaps(const ensemble *ensemble, const json_t *update)
{
    static const char *const headings[] = {"rungs", "coupling", "next", "acceptance", "foretold"};
    const json_t *coupling = json_object_get(update, "couplings"), *accepted = json_object_get(update, "acceptances"),
                 *predicted = json_object_get(update, "predicted_acceptances");
    if (json_array_size(accepted) == 0) return;
    table *rows = table_create(5, headings);
    for (size_t i = 0; i < json_array_size(accepted); i++) {
        char *pair = lat_text("%d - %d", (int)i, (int)i + 1);
        table_cell(rows, pair);
        free(pair);
        table_number(rows, json_number_value(json_array_get(coupling, i)));
        table_number(rows, json_number_value(json_array_get(coupling, i + 1)));
        table_number(rows, json_number_value(json_array_get(accepted, i)));
        table_number(rows, json_number_value(json_array_get(predicted, i)));
    }
    char *text = table_text(rows);
    say_lines(ensemble->run, text);
    free(text);
    table_free(rows);
}

/* All that the updates report, and what solvers did for the terms of the action. */
static void say_updates(const ensemble *ensemble, json_t *updates)
{
    size_t i, k;
    json_t *one, *term;
    json_array_foreach(updates, i, one)
    {
        const char *name = ensemble->updates[i]->table->name;
        say_numbers(ensemble->run, name, one);
        say_swaps(ensemble, one);
        json_array_foreach(json_object_get(one, "solves"), k, term)
        {
            char *of_term = lat_text("%s, solves", name);
            say_numbers(ensemble->run, of_term, term);
            free(of_term);
        }
    }
}

/* What must not be taken for a result. */
static void warn(const ensemble *ensemble, json_t *updates)
{
    size_t i;
    json_t *one;
    json_array_foreach(updates, i, one)
    {
        const json_t *acceptance = json_object_get(one, "acceptance");
        if (json_is_number(acceptance) && json_number_value(acceptance) == 0)
            run_warn(ensemble->run, "updates.[%d] (%s) accepted nothing in the whole run: as far as it goes, the results are those of the start",
                     (int)i, ensemble->updates[i]->table->name);
    }
}

static void say_cost(const ensemble *ensemble, const results *results)
{
    const mc_chain *chain = ensemble->chain;
    run_log(ensemble->run, "cost: %.4g core-seconds by the clock, %.4g by the processors", chain->core_seconds, results->processor_seconds);
    if (ensemble->series_count > 1) run_log(ensemble->run, "measurements: %.4g core-seconds more", chain->measure_core_seconds);
    if (results->slowest < 0)
        run_log(ensemble->run, "not enough is measured to tell the cost of an independent sample");
    else if (ensemble_weighted(ensemble))
        run_log(ensemble->run, "%.4g core-seconds per independent sample (2 tau_int of %s x %.4g / ESS %.4g)",
                results->per_independent_sample, results->result[results->slowest].name,
                results->core_seconds_per_entry, results->ess);
    else
        run_log(ensemble->run, "%.4g core-seconds per independent sample (2 tau_int of %s x %.4g)", results->per_independent_sample,
                results->result[results->slowest].name, results->core_seconds_per_entry);
}

lat_status results_write(const ensemble *ensemble, lat_error *error)
{
    results results = analyse(ensemble);
    json_t *summary = summary_object(ensemble, &results);
    say_observables(ensemble, &results);
    say_updates(ensemble, json_object_get(summary, "updates"));
    say_cost(ensemble, &results);
    warn(ensemble, json_object_get(summary, "updates"));
    run_write_summary(ensemble->run, summary, error);
    json_decref(summary);
    free(results.result);
    return error->status;
}
