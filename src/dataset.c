/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset.c: measured numbers from run directories, models and text files.
 */
#include "src/dataset.h"

#include "flows/flows.h"
#include "hmc/hmc.h"
#include "src/columns.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUMMARY_LIMIT = 1 << 24 };

/* Names and series are for the caller to fill in. */
static dataset *create(const char *name, int columns, int replicas)
{
    dataset *set = lat_alloc(1, sizeof *set);
    set->name = lat_text("%s", name);
    set->label = lat_text("%s", "");
    set->columns = columns;
    set->replicas = replicas;
    set->rows = lat_alloc(replicas, sizeof *set->rows);
    set->every = 1;
    set->core_seconds = NAN;
    set->column = lat_alloc(columns, sizeof *set->column);
    set->series = lat_alloc(columns, sizeof *set->series);
    return set;
}

void dataset_free(dataset *set)
{
    if (!set) return;
    dataset_free(set->next);
    for (int i = 0; i < set->columns; i++) {
        free(set->column[i]);
        free(set->series[i]);
    }
    free(set->column);
    free(set->series);
    free(set->rows);
    free(set->label);
    free(set->name);
    json_decref(set->updates);
    free(set);
}

/* What is left of rows after skip; LAT_CONFIG if that is nothing. */
static int64_t remaining(const char *path, int64_t rows, int64_t skip, lat_error *error)
{
    if (rows < 1)
        lat_fail(error, LAT_FORMAT, "%.300s: there are no numbers in it: give a run that has measured", path);
    else if (skip >= rows)
        lat_fail(error, LAT_CONFIG, "%.300s: has %lld rows, and all of them are skipped: lower --skip", path,
                 (long long)rows);
    return rows - skip;
}

/* ------------------------------------------------------------------------------------------------------ text files */

/* Takes the columns out of the table. */
static dataset *from_columns(const char *path, columns_table *table, int64_t skip, lat_error *error)
{
    int64_t rows = remaining(path, table->rows, skip, error);
    if (error->status != LAT_DONE) return NULL;
    dataset *set = create(path, table->columns, 1);
    set->rows[0] = set->entries = rows;
    for (int i = 0; i < table->columns; i++) {
        set->column[i] = table->name[i];
        set->series[i] = table->value[i];
        if (skip > 0) memmove(set->series[i], set->series[i] + skip, (size_t)rows * sizeof *set->series[i]);
        table->name[i] = NULL;
        table->value[i] = NULL;
    }
    return set;
}

static dataset *read_text(const char *path, int64_t skip, lat_error *error)
{
    columns_table table;
    dataset *set = NULL;
    if (columns_read(path, &table, error) == LAT_DONE) set = from_columns(path, &table, skip, error);
    columns_free(&table);
    return set;
}

/* ---------------------------------------------------------------------------------------------------------- models */

static dataset *from_training(const char *path, const double *history, int64_t rows, int64_t skip, lat_error *error)
{
    static const char *const names[FLOW_HISTORY_COLUMNS] = {"step",          "loss",          "ess",
                                                            "gradient_norm", "learning_rate", "core_seconds"};
    int64_t rest = remaining(path, rows, skip, error);
    if (error->status != LAT_DONE) return NULL;
    dataset *set = create(path, FLOW_HISTORY_COLUMNS, 1);
    set->training = true;
    set->rows[0] = set->entries = rest;
    for (int i = 0; i < set->columns; i++) {
        set->column[i] = lat_text("%s", names[i]);
        set->series[i] = lat_alloc(rest, sizeof **set->series);
        for (int64_t row = 0; row < rest; row++) set->series[i][row] = history[(skip + row) * FLOW_HISTORY_COLUMNS + i];
    }
    return set;
}

static dataset *read_model(const char *path, int64_t skip, lat_error *error)
{
    dataset *set = NULL;
    int64_t extent[2] = {0};
    lat_h5 *file = lat_h5_open(MPI_COMM_NULL, path, "model");
    if (lat_h5_status(file) == LAT_DONE && !lat_h5_has(file, "history"))
        lat_h5_refuse(file, "holds no history of a training: give the model that flowtrain wrote");
    double *history = lat_h5_get_reals(file, "history", 2, extent, INT64_MAX);
    if (history && extent[1] != FLOW_HISTORY_COLUMNS)
        lat_h5_refuse(file, "'history' has %lld columns and should have %d", (long long)extent[1],
                      (int)FLOW_HISTORY_COLUMNS);
    if (lat_h5_finish(file, error) == LAT_DONE) set = from_training(path, history, extent[0], skip, error);
    free(history);
    return set;
}

/* ------------------------------------------------------------------------------------------------- run directories */

static dataset *from_history(const char *path, const mc_history *history, int64_t skip, lat_error *error)
{
    int64_t rows = remaining(path, history->columns > 0 ? history->rows : 0, skip, error);
    if (error->status != LAT_DONE) return NULL;
    dataset *set = create(path, history->columns, history->replicas);
    set->entries = rows * history->replicas;
    set->every = (int64_t)history->every;
    set->first = (int64_t)history->first_step + skip * set->every;
    double *whole = lat_alloc(history->rows, sizeof *whole);
    for (int replica = 0; replica < history->replicas; replica++) set->rows[replica] = rows;
    for (int i = 0; i < history->columns; i++) {
        set->column[i] = lat_text("%s", history->name[i]);
        set->series[i] = lat_alloc(set->entries, sizeof **set->series);
        for (int replica = 0; replica < history->replicas; replica++) {
            mc_history_series(history, i, replica, whole);
            memcpy(&set->series[i][replica * rows], whole + skip, (size_t)rows * sizeof *whole);
        }
    }
    free(whole);
    return set;
}

/* NULL if there is none. */
static json_t *read_summary(const char *directory, lat_error *error)
{
    char *bytes, *path = lat_text("%s/summary.json", directory);
    int64_t size;
    json_error_t reason;
    json_t *summary = NULL;
    if (access(path, F_OK) == 0 && lat_file_read(MPI_COMM_NULL, path, SUMMARY_LIMIT, &bytes, &size, error) == LAT_DONE) {
        summary = json_loadb(bytes, (size_t)size, 0, &reason);
        if (!summary)
            lat_fail(error, LAT_FORMAT, "%.300s:%d: %.100s: correct it, or take it away to do without it", path, reason.line, reason.text);
        free(bytes);
    }
    free(path);
    return summary;
}

static dataset *read_history(const char *path, int64_t skip, lat_error *error)
{
    dataset *set = NULL;
    mc_history *history = NULL;
    if (mc_history_read(MPI_COMM_NULL, path, &history, error) == LAT_DONE) set = from_history(path, history, skip, error);
    mc_history_free(history);
    return set;
}

/* Cost, of all that was measured, skipped rows too. */
static void take_cost(const json_t *summary, const mc_history *history, dataset *set)
{
    json_t *seconds = json_object_get(json_object_get(summary, "cost"), "core_seconds");
    if (json_is_number(seconds)) set->core_seconds = json_number_value(seconds) / (double)(history->rows * history->replicas);
}

/* A dataset of a run, without the rows up to this step of the chain. */
static dataset *read_series(const char *path, uint64_t skip, const json_t *summary, lat_error *error)
{
    dataset *set = NULL;
    mc_history *history = NULL;
    if (mc_history_read(MPI_COMM_NULL, path, &history, error)) return NULL;
    const uint64_t rows = skip / history->every;
    if (history->columns > 0 && rows < (uint64_t)history->rows) set = from_history(path, history, (int64_t)rows, error);
    if (set) take_cost(summary, history, set);
    mc_history_free(history);
    return set;
}

static int is_series(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return strncmp(entry->d_name, "history-", 8) == 0 && length > 11 && strcmp(entry->d_name + length - 3, ".h5") == 0;
}

/* What has steps of its own, behind the place `last`. */
static void read_others(const char *directory, uint64_t skip, const json_t *summary, dataset **last, lat_error *error)
{
    struct dirent **names;
    const int count = scandir(directory, &names, is_series, alphasort);
    for (int i = 0; i < count; i++) {
        char *path = lat_text("%s/%s", directory, names[i]->d_name);
        if (!error->status) *last = read_series(path, skip, summary, error);
        if (*last) {
            free((*last)->label);
            (*last)->label = lat_text("%.*s", (int)strlen(names[i]->d_name) - 11, names[i]->d_name + 8);
            last = &(*last)->next;
        }
        free(path);
        free(names[i]);
    }
    if (count >= 0) free(names);
}

/* Of so many rows; no more than numbers hold. */
static uint64_t steps_of(const mc_history *history, int64_t rows)
{
    return (uint64_t)rows > UINT64_MAX / history->every ? UINT64_MAX : (uint64_t)rows * history->every;
}

static dataset *read_run(const char *path, int64_t skip, lat_error *error)
{
    dataset *set = NULL;
    mc_history *history = NULL;
    char *history_path = lat_text("%s/history.h5", path);
    json_t *summary = NULL;
    if (mc_history_read(MPI_COMM_NULL, history_path, &history, error) == LAT_DONE) summary = read_summary(path, error);
    if (!error->status && history->columns > 0) set = from_history(path, history, skip, error);
    if (set) take_cost(summary, history, set);
    if (!error->status) read_others(path, steps_of(history, skip), summary, set ? &set->next : &set, error);
    if (!error->status && !set) remaining(path, 0, skip, error);
    json_t *updates = json_object_get(summary, "updates");
    if (set && json_is_array(updates)) set->updates = json_incref(updates);
    json_decref(summary);
    mc_history_free(history);
    free(history_path);
    return set;
}

/* At most `most` bytes, in a text that is zero so far. */
static lat_status read_beginning(const char *path, char *text, int64_t most, lat_error *error)
{
    int64_t bytes;
    int descriptor = lat_open_input(path, &bytes, error);
    if (descriptor < 0) return error->status;
    lat_read_at(descriptor, text, bytes < most ? bytes : most, 0);
    if (errno) lat_fail(error, LAT_FILE, "%.300s: cannot be read: %s: check the disk", path, strerror(errno));
    close(descriptor);
    return error->status;
}

/* Does the HDF5 file of this program of that kind begin so? */
static bool is_kind(const char *beginning, const char *kind)
{
    char *expected = lat_text("flowhmc %s\n", kind);
    bool same = strncmp(beginning, expected, strlen(expected)) == 0;
    free(expected);
    return same;
}

/* A regular file tells by its beginning what it is; a pipe is text. */
static dataset *read_file(const char *path, bool regular, int64_t skip, lat_error *error)
{
    char beginning[32] = "";
    if (regular && read_beginning(path, beginning, sizeof beginning - 1, error)) return NULL;
    if (is_kind(beginning, "history")) return read_history(path, skip, error);
    if (is_kind(beginning, "model")) return read_model(path, skip, error);
    return read_text(path, skip, error);
}

lat_status dataset_read(const char *path, int64_t skip, dataset **set, lat_error *error)
{
    struct stat about = {0};
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        *set = read_run(path, skip, error);
    else
        *set = read_file(path, S_ISREG(about.st_mode), skip, error);
    if (error->status == LAT_DONE) return LAT_DONE;
    dataset_free(*set);
    *set = NULL;
    return error->status;
}

/* ----------------------------------------------------------------------------------------------------------- joining */

static bool same_columns(const dataset *a, const dataset *b)
{
    bool same = a->columns == b->columns;
    for (int i = 0; same && i < a->columns; i++) same = strcmp(a->column[i], b->column[i]) == 0;
    return same;
}

/* "run1, run2, run3" */
static char *join_names(dataset *const *parts, int count)
{
    char *names = lat_text("%s", parts[0]->name);
    for (int p = 1; p < count; p++) {
        char *longer = lat_text("%s, %s", names, parts[p]->name);
        free(names);
        names = longer;
    }
    return names;
}

/* Whether the parts are of one kind. */
static lat_status check_parts(dataset *const *parts, int count, lat_error *error)
{
    for (int p = 0; p < count; p++) {
        if (parts[p]->training)
            lat_fail(error, LAT_CONFIG, "%.200s is a model, and trainings are no replicas: leave out --replicas",
                     parts[p]->name);
        if (!same_columns(parts[p], parts[0]))
            lat_fail(error, LAT_CONFIG, "%.200s and %.200s have different columns: leave out --replicas",
                     parts[0]->name, parts[p]->name);
        if (parts[p]->every != parts[0]->every)
            lat_fail(error, LAT_CONFIG,
                     "%.200s and %.200s have rows every %lld and every %lld steps: leave out --replicas",
                     parts[0]->name, parts[p]->name, (long long)parts[0]->every, (long long)parts[p]->every);
    }
    return error->status;
}

static double *join_column(dataset *const *parts, int count, int column, int64_t entries)
{
    double *joined = lat_alloc(entries, sizeof *joined), *to = joined;
    for (int p = 0; p < count; to += parts[p++]->entries)
        memcpy(to, parts[p]->series[column], (size_t)parts[p]->entries * sizeof *to);
    return joined;
}

lat_status dataset_join(dataset *const *parts, int count, dataset **set, lat_error *error)
{
    int replicas = 0, next = 0;
    *set = NULL;
    if (check_parts(parts, count, error) != LAT_DONE) return error->status;
    for (int p = 0; p < count; p++) replicas += parts[p]->replicas;
    char *name = join_names(parts, count);
    dataset *whole = *set = create(name, parts[0]->columns, replicas);
    free(name);
    free(whole->label);
    whole->label = lat_text("%s", parts[0]->label);
    whole->first = parts[0]->first;
    whole->every = parts[0]->every;
    whole->core_seconds = 0;
    for (int p = 0; p < count; p++) {
        for (int replica = 0; replica < parts[p]->replicas; replica++) whole->rows[next++] = parts[p]->rows[replica];
        whole->entries += parts[p]->entries;
        whole->core_seconds += parts[p]->core_seconds * (double)parts[p]->entries;
    }
    whole->core_seconds /= (double)whole->entries;
    for (int i = 0; i < whole->columns; i++) {
        whole->column[i] = lat_text("%s", parts[0]->column[i]);
        whole->series[i] = join_column(parts, count, i, whole->entries);
    }
    return LAT_DONE;
}
