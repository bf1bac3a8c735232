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

enum { MOST_COLUMNS = 64, MOST_OBSERVABLES = MOST_COLUMNS - 4 };

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

static void add_row(table *rows, const json_t *summary, const char *const *observable, int observables)
{
    const json_t *updates = json_object_get(summary, "updates"), *first = json_array_get(updates, 0);
    const json_t *measured = json_object_get(summary, "observables");
    char *names = kinds(updates);
    table_cell(rows, names);
    free(names);
    table_number(rows, number(first, "acceptance"));
    table_number(rows, number(first, "ess"));
    for (int i = 0; i < observables; i++) {
        const json_t *one = json_object_get(measured, observable[i]);
        table_value(rows, number(one, "tau_int"), number(one, "tau_int_error"));
    }
    table_number(rows, number(json_object_get(summary, "cost"), "per_independent_sample"));
}

static void print_rows(json_t *const *summary, int count)
{
    const char *observable[MOST_OBSERVABLES], *key, *heading[MOST_COLUMNS] = {"updates", "acceptance", "ESS"};
    char *text[MOST_OBSERVABLES];
    int observables = 0;
    json_t *value;
    json_object_foreach(json_object_get(summary[0], "observables"), key, value)
    {
        if (observables == MOST_OBSERVABLES) break;
        text[observables] = lat_text("tau_int(%s)", key);
        heading[3 + observables] = text[observables];
        observable[observables++] = key;
    }
    heading[3 + observables] = "core-seconds per independent sample";
    table *rows = table_create(4 + observables, heading);
    for (int i = 0; i < count; i++) add_row(rows, summary[i], observable, observables);
    table_print(rows, stdout);
    table_free(rows);
    for (int i = 0; i < observables; i++) free(text[i]);
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
    if (!error->status) print_rows(summary, count);
    for (int i = 0; i < count; i++) json_decref(summary[i]);
    free(summary);
    return error->status;
}
