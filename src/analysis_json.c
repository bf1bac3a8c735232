/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * analysis_json.c: the results of an analysis for scripts, as JSON and as comma-separated values (RFC 4180).
 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "src/analysis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------------- JSON */

static void put(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) != 0) lat_abort(LAT_CONFIG, "JSON: no memory left for '%s'", name);
}

/* Names that are not UTF-8 have no place in JSON: their other bytes become ?. */
static json_t *text_json(const char *text)
{
    json_t *value = json_string(text);
    if (value) return value;
    char *copy = lat_text("%s", text);
    for (char *c = copy; *c; c++)
        if (*c & 0x80) *c = '?';
    value = json_string(copy);
    free(copy);
    return value;
}

static json_t *real_json(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *estimate_json(const analysis *a, int column)
{
    const mc_estimate *e = &a->estimate[column];
    json_t *object = json_object();
    put(object, "mean", real_json(e->mean));
    put(object, "error", real_json(e->error));
    put(object, "error_error", real_json(e->error_error));
    put(object, "tau_int", real_json(e->tau_int));
    put(object, "tau_int_error", real_json(e->tau_int_error));
    put(object, "variance", real_json(e->variance));
    put(object, "window", json_integer(e->window));
    put(object, "n", json_integer(e->n));
    put(object, "too_short", json_boolean(mc_too_short(e)));
    if (isfinite(a->set->core_seconds))
        put(object, "core_seconds_per_independent_sample", real_json(analysis_cost(a, column)));
    return object;
}

static json_t *charge_json(const distribution *p)
{
    json_t *object = json_object();
    for (int k = 0; k < p->count; k++) {
        if (p->share[k].mean == 0) continue;
        char *charge = lat_text("%lld", (long long)p->least + k);
        put(object, charge,
            json_pack("{s:o, s:o}", "mean", real_json(p->share[k].mean), "error", real_json(p->share[k].error)));
        free(charge);
    }
    return object;
}

/* A number if all replicas have as many rows, else a list of one for each. */
static json_t *rows_json(const dataset *set)
{
    json_t *rows = json_array();
    bool equal = true;
    for (int r = 0; r < set->replicas; r++) {
        equal = equal && set->rows[r] == set->rows[0];
        json_array_append_new(rows, json_integer(set->rows[r]));
    }
    if (!equal) return rows;
    json_decref(rows);
    return json_integer(set->rows[0]);
}

/* The history of a training, column by column. */
static json_t *training_json(const analysis *a)
{
    json_t *object = json_object();
    for (int i = 0; i < a->set->columns; i++) {
        json_t *values = json_array();
        for (int64_t row = 0; row < a->set->entries; row++)
            json_array_append_new(values, real_json(a->set->series[i][row]));
        if (a->chosen[i])
            put(object, a->set->column[i], values);
        else
            json_decref(values);
    }
    return object;
}

static json_t *observables_json(const analysis *a)
{
    json_t *object = json_object();
    for (int i = 0; i < a->set->columns; i++) {
        if (!a->chosen[i]) continue;
        json_t *name = text_json(a->set->column[i]);
        put(object, json_string_value(name), estimate_json(a, i));
        json_decref(name);
    }
    return object;
}

static json_t *result_json(const analysis *a, int64_t skip)
{
    const dataset *set = a->set;
    json_t *object = json_object();
    put(object, "path", text_json(set->name));
    put(object, "replicas", json_integer(set->replicas));
    put(object, "rows", rows_json(set));
    put(object, "every", json_integer(set->every));
    put(object, "skip", json_integer(skip));
    if (set->training)
        put(object, "training", training_json(a));
    else
        put(object, "observables", observables_json(a));
    if (a->charge.count > 0) put(object, "charge_distribution", charge_json(&a->charge));
    if (a->log_weight) put(object, "ess", real_json(a->ess));
    if (isfinite(set->core_seconds)) put(object, "core_seconds_per_entry", json_real(set->core_seconds));
    if (set->updates) put(object, "updates", json_incref(set->updates));
    return object;
}

void analysis_json(const analysis *a, int count, int64_t skip)
{
    json_t *results = json_array(), *whole = json_object();
    for (int i = 0; i < count; i++)
        if (json_array_append_new(results, result_json(&a[i], skip)) != 0)
            lat_abort(LAT_CONFIG, "JSON: no memory left for the results");
    put(whole, "program", json_string("flowstat"));
    put(whole, "version", json_string(PACKAGE_VERSION));
    put(whole, "results", results);
    if (json_dumpf(whole, stdout, JSON_INDENT(4)) == 0) printf("\n");
    json_decref(whole);
}

/* -------------------------------------------------------------------------------------------------------------- CSV */

static void csv_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"') putchar('"');
        putchar(*text);
    }
    putchar('"');
}

/* Nothing stands for what is not known. */
static void csv_real(double value)
{
    if (isfinite(value))
        printf(",%.17g", value);
    else
        putchar(',');
}

static void csv_row(const analysis *a, int column)
{
    const dataset *set = a->set;
    const mc_estimate *e = &a->estimate[column];
    csv_text(set->name);
    putchar(',');
    csv_text(set->column[column]);
    printf(",%d,%lld", set->replicas, (long long)e->n);
    csv_real(e->mean);
    csv_real(e->error);
    csv_real(e->error_error);
    csv_real(e->tau_int);
    csv_real(e->tau_int_error);
    printf(",%lld", (long long)e->window);
    csv_real(e->variance);
    csv_real(analysis_cost(a, column));
    printf(",%d\n", mc_too_short(e));
}

void analysis_csv(const analysis *a, int count, lat_error *error)
{
    for (int k = 0; k < count; k++)
        if (a[k].set->training)
            lat_fail(error, LAT_CONFIG, "%.300s is a model, and has no estimates for --csv: use --json",
                     a[k].set->name);
    if (error->status != LAT_DONE) return;
    printf("path,observable,replicas,n,mean,error,error_error,tau_int,tau_int_error,window,variance,"
           "core_seconds_per_independent_sample,too_short\n");
    for (int k = 0; k < count; k++)
        for (int i = 0; i < a[k].set->columns; i++)
            if (a[k].chosen[i]) csv_row(&a[k], i);
}
