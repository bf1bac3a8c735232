/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset.c: measured numbers from run directories and text files.
 */
#include "src/dataset.h"

#include "hmc/hmc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUMMARY_LIMIT = 1 << 24 };
static const int64_t text_limit = (int64_t)1 << 33;

static dataset *create(const char *name, int columns, int replicas, int64_t rows)
{
    dataset *set = lat_alloc(1, sizeof *set);
    set->name = lat_text("%s", name);
    set->columns = columns;
    set->replicas = replicas;
    set->rows = rows;
    set->every = 1;
    set->core_seconds = NAN;
    set->column = lat_alloc(columns, sizeof *set->column);
    set->series = lat_alloc(columns, sizeof *set->series);
    for (int i = 0; i < columns; i++) set->series[i] = lat_alloc(replicas * rows, sizeof **set->series);
    return set;
}

void dataset_free(dataset *set)
{
    if (!set) return;
    for (int i = 0; i < set->columns; i++) {
        free(set->column[i]);
        free(set->series[i]);
    }
    free(set->column);
    free(set->series);
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

/* Numbers of a text file, row after row. */
typedef struct {
    const char *path;
    int64_t line; /* being read, from 1 */
    int columns;
    char **column;
    int64_t rows, room;
    double *value;
} text_table;

static char *next_word(char **text)
{
    char *word = *text + strspn(*text, " \t\r\v\f");
    *text = word + strcspn(word, " \t\r\v\f");
    if (*text > word && **text) *(*text)++ = 0;
    return *word ? word : NULL;
}

static bool is_number(const char *word, double *value)
{
    char *end;
    *value = strtod(word, &end);
    return end > word && *end == 0;
}

static int count_words(const char *line, bool *numbers)
{
    char *copy = lat_text("%s", line), *rest = copy;
    int count = 0;
    double value;
    *numbers = true;
    for (char *word; (word = next_word(&rest)); count++) *numbers = *numbers && is_number(word, &value);
    free(copy);
    return count;
}

static bool is_named(const text_table *table, int columns, const char *name)
{
    for (int i = 0; i < columns; i++)
        if (strcmp(table->column[i], name) == 0) return true;
    return false;
}

/* The first line with words in it sets the columns.  True if it names them. */
static bool begin_table(text_table *table, char *line, lat_error *error)
{
    bool numbers;
    table->columns = count_words(line, &numbers);
    table->column = lat_alloc(table->columns, sizeof *table->column);
    for (int i = 0; i < table->columns; i++) {
        table->column[i] = numbers ? lat_text("column%d", i + 1) : lat_text("%s", next_word(&line));
        if (is_named(table, i, table->column[i]))
            lat_fail(error, LAT_FORMAT, "%.300s:%lld: two columns are called '%.60s': name them differently",
                     table->path, (long long)table->line, table->column[i]);
    }
    return !numbers;
}

static void grow(text_table *table)
{
    int64_t room = table->room ? 2 * table->room : 1024;
    double *value = lat_alloc(room * table->columns, sizeof *value);
    if (table->rows > 0) memcpy(value, table->value, (size_t)(table->rows * table->columns) * sizeof *value);
    free(table->value);
    table->value = value;
    table->room = room;
}

static void add_row(text_table *table, char *line, lat_error *error)
{
    if (table->rows == table->room) grow(table);
    double *row = &table->value[table->rows * table->columns];
    int count = 0;
    for (char *word; error->status == LAT_DONE && (word = next_word(&line)); count++) {
        double value;
        if (!is_number(word, &value) || !isfinite(value))
            lat_fail(error, LAT_FORMAT,
                     "%.300s:%lld: '%.60s' is not a finite number: correct the line or make it a # comment",
                     table->path, (long long)table->line, word);
        else if (count < table->columns)
            row[count] = value;
    }
    if (count != table->columns)
        lat_fail(error, LAT_FORMAT,
                 "%.300s:%lld: %d numbers where the lines above have %d: complete the line or take it out", table->path,
                 (long long)table->line, count, table->columns);
    table->rows++;
}

/* text is changed. */
static void parse(text_table *table, char *text, lat_error *error)
{
    while (*text && error->status == LAT_DONE) {
        char *line = text, *end = text + strcspn(text, "\n");
        text = end + (*end == '\n');
        *end = 0;
        line[strcspn(line, "#")] = 0;
        table->line++;
        if (line[strspn(line, " \t\r\v\f")] == 0) continue;
        if (table->columns == 0 && begin_table(table, line, error)) continue;
        if (error->status == LAT_DONE) add_row(table, line, error);
    }
}

static dataset *from_table(text_table *table, int64_t skip, lat_error *error)
{
    int64_t rows = remaining(table->path, table->rows, skip, error);
    if (error->status != LAT_DONE) return NULL;
    dataset *set = create(table->path, table->columns, 1, rows);
    for (int i = 0; i < table->columns; i++) {
        set->column[i] = lat_text("%s", table->column[i]);
        for (int64_t row = 0; row < rows; row++) set->series[i][row] = table->value[(row + skip) * table->columns + i];
    }
    return set;
}

static dataset *read_text(const char *path, int64_t skip, lat_error *error)
{
    char *bytes;
    int64_t size;
    if (lat_file_read(MPI_COMM_WORLD, path, text_limit, &bytes, &size, error) != LAT_DONE) return NULL;
    text_table table = {.path = path};
    if (memchr(bytes, 0, (size_t)size))
        lat_fail(error, LAT_FORMAT, "%.300s: is not a text file: give columns of numbers or the directory of a run",
                 path);
    else
        parse(&table, bytes, error);
    dataset *set = error->status == LAT_DONE ? from_table(&table, skip, error) : NULL;
    for (int i = 0; i < table.columns; i++) free(table.column[i]);
    free(table.column);
    free(table.value);
    free(bytes);
    return set;
}

/* ------------------------------------------------------------------------------------------------- run directories */

static dataset *from_history(const char *path, const mc_history *history, int64_t skip, lat_error *error)
{
    int64_t rows = remaining(path, history->columns > 0 ? history->rows : 0, skip, error);
    if (error->status != LAT_DONE) return NULL;
    dataset *set = create(path, history->columns, history->replicas, rows);
    set->every = (int64_t)history->every;
    double *whole = lat_alloc(history->rows, sizeof *whole);
    for (int i = 0; i < history->columns; i++) {
        set->column[i] = lat_text("%s", history->name[i]);
        for (int replica = 0; replica < history->replicas; replica++) {
            mc_history_series(history, i, replica, whole);
            memcpy(&set->series[i][replica * rows], whole + skip, (size_t)rows * sizeof *whole);
        }
    }
    free(whole);
    return set;
}

/* Cost and updates.  entries: all that the run has measured, skipped ones too. */
static void read_summary(const char *path, int64_t entries, dataset *set, lat_error *error)
{
    char *bytes;
    int64_t size;
    if (lat_file_read(MPI_COMM_WORLD, path, SUMMARY_LIMIT, &bytes, &size, error) != LAT_DONE) return;
    json_error_t reason;
    json_t *summary = json_loadb(bytes, (size_t)size, 0, &reason);
    free(bytes);
    if (!summary) {
        lat_fail(error, LAT_FORMAT, "%.300s:%d: %.100s: correct it, or take it away to do without it", path,
                 reason.line, reason.text);
        return;
    }
    json_t *seconds = json_object_get(json_object_get(summary, "cost"), "core_seconds");
    if (json_is_number(seconds)) set->core_seconds = json_number_value(seconds) / (double)entries;
    json_t *updates = json_object_get(summary, "updates");
    if (json_is_array(updates)) set->updates = json_incref(updates);
    json_decref(summary);
}

static dataset *read_run(const char *path, int64_t skip, lat_error *error)
{
    dataset *set = NULL;
    mc_history *history = NULL;
    char *history_path = lat_text("%s/history.h5", path), *summary_path = lat_text("%s/summary.json", path);
    if (mc_history_read(MPI_COMM_WORLD, history_path, &history, error) == LAT_DONE)
        set = from_history(path, history, skip, error);
    if (set && access(summary_path, F_OK) == 0)
        read_summary(summary_path, history->rows * history->replicas, set, error);
    mc_history_free(history);
    free(summary_path);
    free(history_path);
    return set;
}

lat_status dataset_read(const char *path, int64_t skip, dataset **set, lat_error *error)
{
    struct stat about;
    bool directory = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    *set = directory ? read_run(path, skip, error) : read_text(path, skip, error);
    if (error->status == LAT_DONE) return LAT_DONE;
    dataset_free(*set);
    *set = NULL;
    return error->status;
}

/* ----------------------------------------------------------------------------------------------------------- joining
 */

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

lat_status dataset_join(dataset *const *parts, int count, dataset **set, lat_error *error)
{
    int replicas = 0;
    int64_t rows = INT64_MAX;
    double seconds = 0, entries = 0;
    *set = NULL;
    for (int p = 0; p < count; p++) {
        if (!same_columns(parts[p], parts[0]))
            return lat_fail(error, LAT_CONFIG, "%.200s and %.200s have different columns: leave out --replicas",
                            parts[0]->name, parts[p]->name);
        if (parts[p]->every != parts[0]->every)
            return lat_fail(error, LAT_CONFIG,
                            "%.200s and %.200s have rows every %lld and every %lld steps: leave out --replicas",
                            parts[0]->name, parts[p]->name, (long long)parts[0]->every, (long long)parts[p]->every);
        replicas += parts[p]->replicas;
        if (parts[p]->rows < rows) rows = parts[p]->rows;
        double part = (double)parts[p]->rows * parts[p]->replicas;
        seconds += parts[p]->core_seconds * part;
        entries += part;
    }
    char *name = join_names(parts, count);
    *set = create(name, parts[0]->columns, replicas, rows);
    free(name);
    (*set)->every = parts[0]->every;
    (*set)->core_seconds = seconds / entries;
    for (int i = 0; i < parts[0]->columns; i++) {
        double *to = (*set)->series[i];
        (*set)->column[i] = lat_text("%s", parts[0]->column[i]);
        for (int p = 0; p < count; p++)
            for (int replica = 0; replica < parts[p]->replicas; replica++, to += rows)
                memcpy(to, &parts[p]->series[i][replica * parts[p]->rows], (size_t)rows * sizeof *to);
    }
    return LAT_DONE;
}
