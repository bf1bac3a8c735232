/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * history.c: the measured numbers of a chain, one row per step, in memory and as history.h5.  The file is written whole
 * each time: the same rows give the same bytes, however often the run was stopped between them.
 */
#include "hmc/history.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LONGEST_NAME = 255, MOST_COLUMNS = 1 << 12, MOST_REPLICAS = 1 << 20 };

mc_history *mc_history_create(int columns, int replicas)
{
    mc_history *history = lat_alloc(1, sizeof *history);
    history->columns = columns;
    history->replicas = replicas;
    history->every = 1;
    history->name = lat_alloc(columns, sizeof *history->name);
    return history;
}

void mc_history_free(mc_history *history)
{
    if (!history) return;
    for (int column = 0; column < history->columns; column++) free(history->name[column]);
    free(history->name);
    free(history->value);
    free(history);
}

void mc_history_name(mc_history *history, int column, const char *name)
{
    free(history->name[column]);
    history->name[column] = lat_text("%s", name);
}

void mc_history_append(mc_history *history, const double *row)
{
    int64_t width = (int64_t)history->columns * history->replicas;
    if (history->rows == history->capacity) {
        int64_t capacity = history->capacity ? 2 * history->capacity : 1024;
        double *value = lat_alloc(capacity, (size_t)width * sizeof *value);
        if (history->rows) memcpy(value, history->value, (size_t)(history->rows * width) * sizeof *value);
        free(history->value);
        history->value = value;
        history->capacity = capacity;
    }
    if (width) memcpy(&history->value[history->rows * width], row, (size_t)width * sizeof *row);
    history->rows++;
}

bool mc_history_alike(const mc_history *a, const mc_history *b)
{
    bool alike = a->columns == b->columns && a->replicas == b->replicas && a->every == b->every;
    for (int column = 0; alike && column < a->columns; column++) alike = strcmp(a->name[column], b->name[column]) == 0;
    return alike;
}

/* Index of a number in history->value. */
static int64_t place(const mc_history *history, int64_t row, int replica, int column)
{
    return (row * history->replicas + replica) * history->columns + column;
}

void mc_history_series(const mc_history *history, int column, int replica, double *series)
{
    for (int64_t row = 0; row < history->rows; row++)
        series[row] = history->value[place(history, row, replica, column)];
}

uint32_t mc_history_checksum(const mc_history *history, int64_t rows, uint32_t before)
{
    uint64_t bytes = (uint64_t)place(history, rows, 0, 0) * sizeof *history->value;
    uLong sum = before;
    for (uint64_t done = 0, n; done < bytes; done += n) {
        n = bytes - done < UINT32_MAX ? bytes - done : UINT32_MAX; /* what zlib takes at once */
        sum = crc32(sum, (const Bytef *)history->value + done, (uInt)n);
    }
    return (uint32_t)sum;
}

/* ------------------------------------------------------------------------------------------------------------ files */

static double step_of(const mc_history *history, int64_t row)
{
    return (double)(history->first_step + (uint64_t)row * history->every);
}

/* Names in the order of the columns, separated by blanks. */
static char *join_names(const mc_history *history)
{
    lat_bytes names = {0};
    lat_bytes_add(&names, "", 0);
    for (int column = 0; column < history->columns; column++) lat_bytes_print(&names, "%s%s", column ? " " : "", history->name[column]);
    return names.data;
}

static void write_columns(lat_h5 *file, const mc_history *history)
{
    int64_t extent[2] = {history->rows, history->replicas};
    double *column_values = lat_alloc(history->rows * history->replicas, sizeof *column_values);
    for (int column = 0; column < history->columns; column++) {
        for (int64_t row = 0; row < history->rows; row++)
            for (int replica = 0; replica < history->replicas; replica++)
                column_values[row * history->replicas + replica] = history->value[place(history, row, replica, column)];
        lat_h5_put_reals(file, history->name[column], 2, extent, column_values);
    }
    free(column_values);
}

lat_status mc_history_write(MPI_Comm comm, const char *path, const mc_history *history, lat_error *error)
{
    lat_h5 *file = lat_h5_create(comm, path, "history");
    char *names = join_names(history);
    double *step = lat_alloc(history->rows, sizeof *step);
    for (int64_t row = 0; row < history->rows; row++) step[row] = step_of(history, row);
    lat_h5_put_text(file, "columns", names);
    lat_h5_put_int(file, "replicas", history->replicas);
    lat_h5_put_int(file, "first_step", (int64_t)history->first_step);
    lat_h5_put_int(file, "every", (int64_t)history->every);
    lat_h5_put_reals(file, "step", 1, &history->rows, step);
    write_columns(file, history);
    free(step);
    free(names);
    return lat_h5_finish(file, error);
}

static bool is_new(const mc_history *history, int columns, const char *name, size_t length)
{
    for (int column = 0; column < columns; column++)
        if (history->name[column] && strlen(history->name[column]) == length && memcmp(history->name[column], name, length) == 0) return false;
    return true;
}

/* A new history with the columns named in the text. */
static mc_history *split_names(lat_h5 *file, const char *names, int replicas)
{
    int columns = *names != 0;
    for (const char *c = names; *c; c++) columns += *c == ' ';
    mc_history *history = mc_history_create(columns, replicas);
    for (int column = 0; column < columns; column++) {
        size_t length = strcspn(names, " ");
        if (length < 1 || length > LONGEST_NAME)
            lat_h5_refuse(file, "has a column whose name has %d characters", (int)length);
        else if (!is_new(history, column, names, length))
            lat_h5_refuse(file, "has two columns '%.*s'", (int)length, names);
        history->name[column] = lat_text("%.*s", (int)length, names);
        names += length + (names[length] == ' ');
    }
    return history;
}

static void read_steps(lat_h5 *file, mc_history *history)
{
    double *step = lat_h5_get_reals(file, "step", 1, &history->rows, INT64_MAX);
    if (!step) return;
    for (int64_t row = 0; row < history->rows; row++)
        if (step[row] != step_of(history, row)) {
            lat_h5_refuse(file, "row %lld is of step %g and should be of step %g", (long long)row, step[row],
                          step_of(history, row));
            break;
        }
    free(step);
}

/* NULL on refusal. */
static double *read_column(lat_h5 *file, const mc_history *history, int column)
{
    int64_t extent[2];
    double *values = lat_h5_get_reals(file, history->name[column], 2, extent, INT64_MAX);
    if (!values || (extent[0] == history->rows && extent[1] == history->replicas)) return values;
    lat_h5_refuse(file, "column '%s' has %lld x %lld numbers and should have %lld x %d", history->name[column],
                  (long long)extent[0], (long long)extent[1], (long long)history->rows, history->replicas);
    free(values);
    return NULL;
}

/* Room for the whole table is taken only when the file has shown that it holds as much. */
static void read_columns(lat_h5 *file, mc_history *history)
{
    double **values = lat_alloc(history->columns, sizeof *values);
    for (int column = 0; column < history->columns; column++) values[column] = read_column(file, history, column);
    if (lat_h5_status(file) == LAT_DONE) {
        history->value = lat_alloc(place(history, history->rows, 0, 0), sizeof *history->value);
        history->capacity = history->rows;
        for (int column = 0; column < history->columns; column++)
            for (int64_t row = 0; row < history->rows; row++)
                for (int replica = 0; replica < history->replicas; replica++)
                    history->value[place(history, row, replica, column)] =
                        values[column][row * history->replicas + replica];
    }
    for (int column = 0; column < history->columns; column++) free(values[column]);
    free(values);
}

lat_status mc_history_read(MPI_Comm comm, const char *path, mc_history **history, lat_error *error)
{
    enum { MOST_NAMES = MOST_COLUMNS * (LONGEST_NAME + 1) };
    lat_h5 *file = lat_h5_open(comm, path, "history");
    char *names = lat_h5_get_text(file, "columns", MOST_NAMES);
    int replicas = (int)lat_h5_get_int(file, "replicas", 1, MOST_REPLICAS);
    *history = split_names(file, names ? names : "", replicas);
    free(names);
    (*history)->first_step = (uint64_t)lat_h5_get_int(file, "first_step", 0, INT64_MAX);
    (*history)->every = (uint64_t)lat_h5_get_int(file, "every", 1, INT64_MAX);
    read_steps(file, *history);
    read_columns(file, *history);
    lat_status status = lat_h5_finish(file, error);
    if (status != LAT_DONE) {
        mc_history_free(*history);
        *history = NULL;
    }
    return status;
}
