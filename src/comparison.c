/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * comparison.c: see comparison.h.
 */
#include "src/comparison.h"

#include "src/table.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double number(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* "flow + hmc" */
static char *kinds(const json_t *updates)
{
    char *all = lat_text("%s", "");
    for (size_t i = 0; i < json_array_size(updates); i++) {
        const char *kind = json_string_value(json_object_get(json_array_get(updates, i), "kind"));
        char *longer = lat_text("%s%s%s", all, i ? " + " : "", kind ? kind : "?");
        free(all);
        all = longer;
    }
    return all;
}

/* A figure of the first update of each run. */
static void add_figures(table *rows, const char *name, const char *key, json_t *const *summary, int count)
{
    table_cell(rows, name);
    for (int i = 0; i < count; i++) table_number(rows, number(json_array_get(json_object_get(summary[i], "updates"), 0), key));
}

static void add_times(table *rows, const char *observable, json_t *const *summary, int count)
{
    char *text = lat_text("tau_int of %s", observable);
    table_cell(rows, text);
    free(text);
    for (int i = 0; i < count; i++) {
        const json_t *one = json_object_get(json_object_get(summary[i], "observables"), observable);
        table_value(rows, number(one, "tau_int"), number(one, "tau_int_error"));
    }
}

/* A column for each run. */
static void print_columns(json_t *const *summary, int count)
{
    const char **heading = lat_alloc(count + 1, sizeof *heading), *key;
    char **text = lat_alloc(count, sizeof *text);
    heading[0] = "updates";
    for (int i = 0; i < count; i++) heading[i + 1] = text[i] = kinds(json_object_get(summary[i], "updates"));
    table *rows = table_create(count + 1, heading);
    add_figures(rows, "acceptance", "acceptance", summary, count);
    add_figures(rows, "ESS", "ess", summary, count);
    json_t *value;
    json_object_foreach(json_object_get(summary[0], "observables"), key, value)
    {
        add_times(rows, key, summary, count);
    }
    table_cell(rows, "core-seconds per independent sample");
    for (int i = 0; i < count; i++) table_number(rows, number(json_object_get(summary[i], "cost"), "per_independent_sample"));
    table_print(rows, stdout);
    table_free(rows);
    for (int i = 0; i < count; i++) free(text[i]);
    free(text);
    free(heading);
}

/* tau_int of the slowest observable, whose name is *name. */
static double slowest(const json_t *summary, const char **name)
{
    *name = json_string_value(json_object_get(json_object_get(summary, "cost"), "slowest_observable"));
    return *name ? number(json_object_get(json_object_get(summary, "observables"), *name), "tau_int") : NAN;
}

/* What the table means: the first against the second. */
static void print_meaning(json_t *const *summary)
{
    const char *name[2];
    double cost[2], tau[2];
    char *updates[2];
    for (int i = 0; i < 2; i++) {
        cost[i] = number(json_object_get(summary[i], "cost"), "per_independent_sample");
        tau[i] = slowest(summary[i], &name[i]);
        updates[i] = kinds(json_object_get(summary[i], "updates"));
    }
    if (cost[0] > 0 && cost[1] > 0)
        printf("\nAn independent sample by %s costs %.3g times %s than by %s:\ntau_int is %.3g (%s) against %.3g (%s).\n", updates[0],
               fmax(cost[0], cost[1]) / fmin(cost[0], cost[1]), cost[0] < cost[1] ? "less" : "more", updates[1], tau[0], name[0], tau[1], name[1]);
    else
        printf("\nWhat an independent sample costs is not known:\n%s did not move everything that is measured.\n",
               cost[0] > 0 ? updates[1] : updates[0]);
    for (int i = 0; i < 2; i++) free(updates[i]);
}

lat_status comparison_print(const char *const *directory, int count, lat_error *error)
{
    json_t **summary = lat_alloc(count, sizeof *summary);
    for (int i = 0; i < count && !error->status; i++) {
        json_error_t wrong;
        char *path = lat_text("%s/summary.json", directory[i]);
        summary[i] = json_load_file(path, 0, &wrong);
        if (!summary[i]) lat_fail(error, LAT_FORMAT, "%s: %.200s: run it again", path, wrong.text);
        free(path);
    }
    if (!error->status) print_columns(summary, count);
    if (!error->status && count == 2) print_meaning(summary);
    for (int i = 0; i < count; i++) json_decref(summary[i]);
    free(summary);
    return error->status;
}
