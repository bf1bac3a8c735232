/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flowstat.c: autocorrelation analysis of runs and of columns of numbers, by the Gamma method (U. Wolff,
 * hep-lat/0306017): means with their errors, integrated autocorrelation times, the distribution of the charge, and the
 * cost per independent sample, 2 tau_int times core-seconds per entry.
 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "hmc/hmc.h"
#include "src/dataset.h"
#include "src/options.h"
#include "src/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const options_program flowstat = {
    .name = "flowstat",
    .usage = "Usage: flowstat [OPTION...] FILE|DIR...\n"
             "\n"
             "Analyses the autocorrelation of measured numbers by the Gamma method: mean, error, integrated\n"
             "autocorrelation time (0.5 for independent entries), P(Q) of a column called charge, and the cost\n"
             "per independent sample. DIR is the directory of a run; FILE holds columns of numbers, separated\n"
             "by white space, # beginning a comment, the first line naming the columns if it has no numbers.\n"
             "\n"
             "  flowstat --skip 500 --column charge run-beta6\n"
             "\n"
             "Analysis:\n"
             "  --skip N             leave out the first N rows of each replica\n"
             "  --column NAME        analyse this column alone\n"
             "  --replicas           take all files as replicas of one chain, as long as the shortest\n"
             "  --json               print JSON\n",
    .accepts = 0,
    .least = 1,
    .most = -1,
};

/* ----------------------------------------------------------------------------------------------------- command line */

typedef struct {
    int64_t skip;
    const char *column;
    bool replicas, json;
} request;

static void take_skip(const char *text, int64_t *skip, lat_error *error)
{
    char *end;
    errno = 0;
    *skip = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || *skip < 0)
        lat_fail(error, LAT_USAGE, "--skip %.60s: give a number of rows, 0 or more", text);
}

/* Takes the options of the analysis out of argv, which keeps the rest.  Returns what argc is then. */
static int take_options(int argc, char **argv, request *request, lat_error *error)
{
    static const char *const names[] = {"--skip", "--column", "--replicas", "--json", "--help", "--version", NULL};
    int kept = 1, i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = argv[i], *value = strchr(word, '=');
        int length = value ? (int)(value++ - word) : (int)strlen(word), known = 0;
        char *name = lat_text("%.*s", length, word);
        while (names[known] && strcmp(name, names[known]) != 0) known++;
        if (known < 2 && !value) value = i + 1 < argc ? argv[++i] : NULL;
        if (strncmp(word, "--", 2) != 0 || known == 4 || known == 5)
            argv[kept++] = argv[i];
        else if (!names[known])
            lat_fail(error, LAT_USAGE, "unknown option '%.100s': is %s meant? flowstat --help lists all", word,
                     lat_nearest(name, names));
        else if (known < 2 && !value)
            lat_fail(error, LAT_USAGE, "option '%s' needs a value: see flowstat --help", name);
        else if (known >= 2 && value)
            lat_fail(error, LAT_USAGE, "option '%s' takes no value: leave it out", name);
        else if (known == 0)
            take_skip(value, &request->skip, error);
        else if (known == 1)
            request->column = value;
        else
            *(known == 2 ? &request->replicas : &request->json) = true;
        free(name);
    }
    while (i < argc) argv[kept++] = argv[i++];
    argv[kept] = NULL;
    return kept;
}

/* --------------------------------------------------------------------------------------------------------- analysis */

enum { MOST_CHARGES = 1000 };

/* P(Q) with its error, for the charges from least on. */
typedef struct {
    int64_t least;
    int count; /* 0: not a charge */
    mc_estimate *share;
} distribution;

typedef struct {
    const dataset *set;
    mc_estimate *estimate; /* [columns] */
    bool *chosen;          /* [columns] */
    distribution charge;
} analysis;

static distribution charge_distribution(const double *charge, int replicas, int64_t rows)
{
    int64_t entries = replicas * rows;
    double least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < entries; i++) {
        least = fmin(least, rint(charge[i]));
        most = fmax(most, rint(charge[i]));
    }
    distribution p = {0};
    if (!(most - least < MOST_CHARGES && fabs(least) < 1e15)) return p;
    p.least = (int64_t)least;
    p.count = (int)(most - least) + 1;
    p.share = lat_alloc(p.count, sizeof *p.share);
    double *indicator = lat_alloc(entries, sizeof *indicator);
    for (int k = 0; k < p.count; k++) {
        for (int64_t i = 0; i < entries; i++) indicator[i] = rint(charge[i]) == least + k;
        p.share[k] = mc_gamma(indicator, replicas, rows);
    }
    free(indicator);
    return p;
}

static void choose(analysis *a, const char *column, lat_error *error)
{
    const dataset *set = a->set;
    bool found = false;
    for (int i = 0; i < set->columns; i++) {
        a->chosen[i] = !column || strcmp(set->column[i], column) == 0;
        found = found || a->chosen[i];
    }
    if (found) return;
    const char **names = lat_alloc(set->columns + 1, sizeof *names);
    memcpy(names, set->column, (size_t)set->columns * sizeof *names);
    lat_fail(error, LAT_CONFIG, "%.200s: there is no column '%.60s': is '%.60s' meant?", set->name, column,
             lat_nearest(column, names));
    free(names);
}

static analysis analyse(const dataset *set, const char *column, lat_error *error)
{
    analysis a = {.set = set};
    a.estimate = lat_alloc(set->columns, sizeof *a.estimate);
    a.chosen = lat_alloc(set->columns, sizeof *a.chosen);
    choose(&a, column, error);
    for (int i = 0; i < set->columns && error->status == LAT_DONE; i++) {
        if (!a.chosen[i]) continue;
        a.estimate[i] = mc_gamma(set->series[i], set->replicas, set->rows);
        if (strcmp(set->column[i], "charge") == 0)
            a.charge = charge_distribution(set->series[i], set->replicas, set->rows);
    }
    return a;
}

static void analysis_free(analysis *a)
{
    free(a->estimate);
    free(a->chosen);
    free(a->charge.share);
}

/* ----------------------------------------------------------------------------------------------------------- tables */

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
        table_number(rows, e->variance);
        if (cost) table_number(rows, 2 * e->tau_int * set->core_seconds);
    }
    table_print(rows, stdout);
    table_free(rows);
}

/* What the figures do not tell by themselves. */
static void print_remarks(const analysis *a)
{
    for (int i = 0; i < a->set->columns; i++) {
        const mc_estimate *e = &a->estimate[i];
        if (!a->chosen[i]) continue;
        if (e->error == 0)
            printf("%s never changes: its error and tau_int mean nothing.\n", a->set->column[i]);
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

static void print_analysis(const analysis *a)
{
    const dataset *set = a->set;
    printf("%s: %lld rows", set->name, (long long)set->rows);
    if (set->replicas > 1) printf(" of %d replicas", set->replicas);
    if (set->every > 1) printf(", one every %lld steps", (long long)set->every);
    printf("\n\n");
    print_estimates(a);
    print_remarks(a);
    if (a->charge.count > 0) print_charge(&a->charge);
    if (set->updates) print_updates(set->updates);
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

static void put(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) != 0) lat_abort(LAT_CONFIG, "JSON: no memory left for '%s'", name);
}

static void put_real(json_t *object, const char *name, double value)
{
    put(object, name, isfinite(value) ? json_real(value) : json_null());
}

static json_t *estimate_json(const mc_estimate *e, double core_seconds)
{
    json_t *object = json_object();
    put_real(object, "mean", e->mean);
    put_real(object, "error", e->error);
    put_real(object, "error_error", e->error_error);
    put_real(object, "tau_int", e->tau_int);
    put_real(object, "tau_int_error", e->tau_int_error);
    put_real(object, "variance", e->variance);
    put(object, "window", json_integer(e->window));
    put(object, "n", json_integer(e->n));
    if (isfinite(core_seconds)) put_real(object, "core_seconds_per_independent_sample", 2 * e->tau_int * core_seconds);
    return object;
}

static json_t *charge_json(const distribution *p)
{
    json_t *object = json_object();
    for (int k = 0; k < p->count; k++) {
        if (p->share[k].mean == 0) continue;
        char *charge = lat_text("%lld", (long long)p->least + k);
        put(object, charge, json_pack("{s:f, s:f}", "mean", p->share[k].mean, "error", p->share[k].error));
        free(charge);
    }
    return object;
}

static json_t *analysis_json(const analysis *a, int64_t skip)
{
    const dataset *set = a->set;
    json_t *object = json_object(), *observables = json_object();
    put(object, "path", json_string(set->name));
    put(object, "replicas", json_integer(set->replicas));
    put(object, "rows", json_integer(set->rows));
    put(object, "every", json_integer(set->every));
    put(object, "skip", json_integer(skip));
    for (int i = 0; i < set->columns; i++)
        if (a->chosen[i]) put(observables, set->column[i], estimate_json(&a->estimate[i], set->core_seconds));
    put(object, "observables", observables);
    if (a->charge.count > 0) put(object, "charge_distribution", charge_json(&a->charge));
    if (isfinite(set->core_seconds)) put_real(object, "core_seconds_per_entry", set->core_seconds);
    if (set->updates) put(object, "updates", json_incref(set->updates));
    return object;
}

static void print_json(const analysis *a, int count, int64_t skip)
{
    json_t *results = json_array(), *whole = json_object();
    for (int i = 0; i < count; i++)
        if (json_array_append_new(results, analysis_json(&a[i], skip)) != 0)
            lat_abort(LAT_CONFIG, "JSON: no memory left for the results");
    put(whole, "program", json_string("flowstat"));
    put(whole, "version", json_string(PACKAGE_VERSION));
    put(whole, "results", results);
    if (json_dumpf(whole, stdout, JSON_INDENT(4)) == 0) printf("\n");
    json_decref(whole);
}

/* ------------------------------------------------------------------------------------------------------------- main */

static void print(const analysis *a, int count, const request *request)
{
    if (request->json) {
        print_json(a, count, request->skip);
        return;
    }
    for (int i = 0; i < count; i++) {
        if (i > 0) printf("\n");
        print_analysis(&a[i]);
    }
}

static void work(char *const *path, int count, const request *request, lat_error *error)
{
    dataset **set = lat_alloc(count, sizeof *set), *joined = NULL;
    for (int i = 0; i < count && error->status == LAT_DONE; i++) dataset_read(path[i], request->skip, &set[i], error);
    if (error->status == LAT_DONE && request->replicas && count > 1) dataset_join(set, count, &joined, error);
    int analyses = joined ? 1 : count, rank;
    analysis *a = lat_alloc(analyses, sizeof *a);
    for (int i = 0; i < analyses && error->status == LAT_DONE; i++)
        a[i] = analyse(joined ? joined : set[i], request->column, error);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0 && error->status == LAT_DONE) print(a, analyses, request);
    for (int i = 0; i < analyses; i++) analysis_free(&a[i]);
    free(a);
    for (int i = 0; i < count; i++) dataset_free(set[i]);
    free(set);
    dataset_free(joined);
}

int main(int argc, char **argv)
{
    lat_start(&argc, &argv);
    options options;
    request request = {0};
    lat_error error = {0};
    argc = take_options(argc, argv, &request, &error);
    options_parse(argc, argv, &flowstat, &options, &error);
    if (error.status == LAT_DONE && !options.done) work(options.argument, options.argument_count, &request, &error);
    return options_finish(&options, &error);
}
