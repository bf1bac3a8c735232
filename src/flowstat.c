/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flowstat.c: autocorrelation analysis of runs and of columns of numbers, by the Gamma method (U. Wolff,
 * hep-lat/0306017): means with their errors, integrated autocorrelation times, the distribution of the charge, and the
 * cost per independent sample, 2 tau_int times core-seconds per entry.  A serial program: it does not start MPI.
 */
#include "src/analysis.h"
#include "src/options.h"
#include "src/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_SKIP, OWN_COLUMN, OWN_REPLICAS, OWN_JSON, OWN_CSV, OWN_PLOT, OWN_END };
static const options_own own[OWN_END + 1] = {
    [OWN_SKIP] = {"skip", "N", "leave out the first N rows of each replica"},
    [OWN_COLUMN] = {"column", "NAME", "analyse this column alone"},
    [OWN_REPLICAS] = {"replicas", NULL, "take all files as replicas of one chain, of any lengths"},
    [OWN_JSON] = {"json", NULL, "print JSON"},
    [OWN_CSV] = {"csv", NULL, "print comma-separated values"},
    [OWN_PLOT] = {"plot", "FILE.svg", "draw histories, autocorrelation functions, P(Q), training curves"},
};

static const options_program flowstat = {
    .name = "flowstat",
    .usage = "Usage: flowstat [OPTION...] FILE|DIR...\n"
             "\n"
             "Analyses the autocorrelation of measured numbers by the Gamma method: mean, error, integrated\n"
             "autocorrelation time (0.5 for independent entries), P(Q) of a column called charge, and the cost\n"
             "per independent sample. DIR is the directory of a run; FILE holds columns of numbers, separated\n"
             "by white space, # beginning a comment, the first line naming the columns if none of its words\n"
             "looks like a number; or FILE is a model, whose training is shown.\n"
             "\n"
             "  flowstat --skip 500 --column charge run-beta6\n",
    .accepts = 0,
    .least = 1,
    .most = -1,
    .own = own,
};

typedef struct {
    int64_t skip;
    const char *column, *plot;
    bool replicas, json, csv;
} request;

static int64_t read_skip(const char *text, lat_error *error)
{
    char *end;
    errno = 0;
    int64_t skip = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || skip < 0)
        lat_fail(error, LAT_USAGE, "--skip %.60s: give a number of rows, 0 or more", text);
    return skip;
}

static request read_request(const options *options, lat_error *error)
{
    const char *const *given = options->own;
    request r = {.column = given[OWN_COLUMN], .plot = given[OWN_PLOT]};
    r.replicas = given[OWN_REPLICAS];
    r.json = given[OWN_JSON];
    r.csv = given[OWN_CSV];
    if (given[OWN_SKIP]) r.skip = read_skip(given[OWN_SKIP], error);
    if (r.json && r.csv) lat_fail(error, LAT_USAGE, "--json and --csv exclude each other: leave one out");
    size_t length = r.plot ? strlen(r.plot) : 0;
    if (r.plot && (length < 5 || strcmp(r.plot + length - 4, ".svg") != 0))
        lat_fail(error, LAT_USAGE,
                 "--plot %.200s: give a name that ends in .svg; python3 -m flowhmc.plot makes png and pdf", r.plot);
    return r;
}

/* ----------------------------------------------------------------------------------------------------------- tables */

/* Four digits; "-" for NaN. */
static void rough_cell(table *rows, double value)
{
    char *text = isnan(value) ? lat_text("-") : lat_text("%.4g", value);
    table_cell(rows, text);
    free(text);
}

static void print_estimates(const analysis *a)
{
    static const char *const headings[] = {"observable", "mean", "tau_int", "window", "n", "variance", "core-s/sample"};
    const dataset *set = a->set;
    bool cost = isfinite(set->core_seconds);
    table *rows = table_create(cost ? 7 : 6, headings);
    for (int i = 0; i < set->columns; i++) {
        if (!a->chosen[i]) continue;
        const mc_estimate *e = &a->estimate[i];
        table_cell(rows, set->column[i]);
        table_value(rows, e->mean, e->error);
        table_value(rows, e->tau_int, e->tau_int_error);
        table_number(rows, (double)e->window);
        char *n = lat_text("%lld", (long long)e->n);
        table_cell(rows, n);
        free(n);
        rough_cell(rows, e->variance);
        if (cost) rough_cell(rows, analysis_cost(a, i));
    }
    table_print(rows, stdout);
    table_free(rows);
}

/* What the figures do not tell by themselves. */
static void print_remarks(const analysis *a)
{
    if (a->log_weight) printf("Means are weighted with exp(log_weight): ESS %.4g.\n", a->ess);
    for (int i = 0; i < a->set->columns; i++) {
        const mc_estimate *e = &a->estimate[i];
        if (!a->chosen[i]) continue;
        if (isnan(e->mean))
            printf(
                "%s: some entries are not finite, as dH of a trajectory that was lost: nothing is known of its mean.\n",
                a->set->column[i]);
        else if (e->n == 1)
            printf("%s: has a single entry: nothing is known of its error.\n", a->set->column[i]);
        else if (isnan(e->tau_int))
            printf("%s never changes: nothing is known of its error and tau_int.\n", a->set->column[i]);
        else if (mc_too_short(e))
            printf("%s: too few entries for its autocorrelation: take tau_int as a lower bound.\n", a->set->column[i]);
    }
}

static void print_charge(const distribution *p)
{
    static const char *const headings[] = {"Q", "P(Q)"};
    table *rows = table_create(2, headings);
    for (int k = 0; k < p->count; k++) {
        if (p->share[k].mean == 0) continue;
        char *charge = lat_text("%lld", (long long)p->least + k);
        table_cell(rows, charge);
        free(charge);
        table_value(rows, p->share[k].mean, p->share[k].error);
    }
    printf("\n");
    table_print(rows, stdout);
    table_free(rows);
}

static void print_updates(const json_t *updates)
{
    static const char *const headings[] = {"update", "acceptance", "ESS"};
    table *rows = table_create(3, headings);
    for (size_t i = 0; i < json_array_size(updates); i++) {
        const json_t *update = json_array_get(updates, i);
        const char *kind = json_string_value(json_object_get(update, "kind"));
        json_t *acceptance = json_object_get(update, "acceptance"), *ess = json_object_get(update, "ess");
        table_cell(rows, kind ? kind : "-");
        table_number(rows, json_is_number(acceptance) ? json_number_value(acceptance) : NAN);
        table_number(rows, json_is_number(ess) ? json_number_value(ess) : NAN);
    }
    printf("\n");
    table_print(rows, stdout);
    table_free(rows);
}

/* Where the training began and ended. */
static void print_training(const analysis *a)
{
    static const char *const headings[] = {"", "first", "last", "least", "most"};
    const dataset *set = a->set;
    table *rows = table_create(5, headings);
    for (int i = 0; i < set->columns; i++) {
        const double *value = set->series[i];
        double least = value[0], most = value[0];
        if (!a->chosen[i]) continue;
        for (int64_t row = 0; row < set->entries; row++) {
            least = fmin(least, value[row]);
            most = fmax(most, value[row]);
        }
        table_cell(rows, set->column[i]);
        table_number(rows, value[0]);
        table_number(rows, value[set->entries - 1]);
        table_number(rows, least);
        table_number(rows, most);
    }
    table_print(rows, stdout);
    table_free(rows);
}

static void print_analysis(const analysis *a)
{
    const dataset *set = a->set;
    char *extent = analysis_extent(set);
    printf("%s: %s%s\n\n", set->name, set->training ? "history of a training, " : "", extent);
    free(extent);
    if (set->training) {
        print_training(a);
        return;
    }
    print_estimates(a);
    print_remarks(a);
    if (a->charge.count > 0) print_charge(&a->charge);
    if (set->updates) print_updates(set->updates);
}

/* ------------------------------------------------------------------------------------------------------------- main */

static void print(const analysis *a, int count, const request *request, lat_error *error)
{
    if (request->json) {
        analysis_json(a, count, request->skip);
        return;
    }
    if (request->csv) {
        analysis_csv(a, count, error);
        return;
    }
    for (int i = 0; i < count; i++) {
        if (i > 0) printf("\n");
        print_analysis(&a[i]);
    }
}

/* The set of this label among those of a run; NULL: there is none. */
static dataset *find_label(dataset *first, const char *label)
{
    while (first && strcmp(first->label, label) != 0) first = first->next;
    return first;
}

/* Those of this label of all runs, as replicas of one. */
static dataset *join_label(dataset *const *run, int count, const char *label, lat_error *error)
{
    dataset **part = lat_alloc(count, sizeof *part), *joined = NULL;
    int parts = 0;
    for (int i = 0; i < count; i++)
        if ((part[parts] = find_label(run[i], label))) parts++;
    if (!error->status) dataset_join(part, parts, &joined, error);
    free(part);
    return joined;
}

/* All that any of the runs has, one behind the other. */
static dataset *join(dataset *const *run, int count, lat_error *error)
{
    dataset *joined = NULL, **last = &joined;
    for (int i = 0; i < count; i++)
        for (const dataset *set = run[i]; set; set = set->next)
            if (!find_label(joined, set->label) && (*last = join_label(run, count, set->label, error))) last = &(*last)->next;
    return joined;
}

static bool has_column(const dataset *set, const char *column)
{
    for (int i = 0; i < set->columns; i++)
        if (strcmp(set->column[i], column) == 0) return true;
    return false;
}

/* Of the sets of a run those that have the column; the first if none has it. */
static void add_analyses(const dataset *first, const char *column, analysis *a, int *count, lat_error *error)
{
    const int before = *count;
    for (const dataset *set = first; set && !error->status; set = set->next)
        if (!column || has_column(set, column)) a[(*count)++] = analyse(set, column, error);
    if (first && *count == before && !error->status) a[(*count)++] = analyse(first, column, error);
}

static void analyse_all(dataset *const *run, int count, const request *request, lat_error *error)
{
    int sets = 0, analyses = 0;
    for (int i = 0; i < count; i++)
        for (const dataset *set = run[i]; set; set = set->next) sets++;
    analysis *a = lat_alloc(sets, sizeof *a);
    for (int i = 0; i < count; i++) add_analyses(run[i], request->column, a, &analyses, error);
    if (error->status == LAT_DONE && request->plot) analysis_plot(request->plot, a, analyses, error);
    if (error->status == LAT_DONE) print(a, analyses, request, error);
    for (int i = 0; i < analyses; i++) analysis_free(&a[i]);
    free(a);
}

static void work(const options *options, lat_error *error)
{
    int count = options->argument_count;
    request request = read_request(options, error);
    dataset **run = lat_alloc(count, sizeof *run), *joined = NULL;
    for (int i = 0; i < count && error->status == LAT_DONE; i++)
        dataset_read(options->argument[i], request.skip, &run[i], error);
    const bool join_them = request.replicas && count > 1;
    if (error->status == LAT_DONE && join_them) joined = join(run, count, error);
    if (error->status == LAT_DONE) analyse_all(join_them ? &joined : run, join_them ? 1 : count, &request, error);
    for (int i = 0; i < count; i++) dataset_free(run[i]);
    free(run);
    dataset_free(joined);
}

int main(int argc, char **argv)
{
    options options;
    lat_error error = {0};
    options_parse(argc, argv, &flowstat, &options, &error);
    if (error.status == LAT_DONE && !options.done && options_rank() == 0) work(&options, &error);
    return options_finish(&options, &error);
}
