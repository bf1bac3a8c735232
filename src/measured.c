/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * measured.c: rows of numbers and their file.
 */
#include "src/measured.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Rounding makes a charge of 0 to -0, which is nothing to print. */
static double without_sign_of_zero(double value) { return value + 0.0; }

/* A place for one more row. */
static double *add(measured *rows, int64_t number, const char *path, int path_length)
{
    if (rows->count == rows->room) {
        int64_t room = 2 * rows->room + 16;
        int64_t *numbers = lat_alloc(room, sizeof *numbers);
        char **paths = lat_alloc(room, sizeof *paths);
        double *value = lat_alloc(room * rows->columns, sizeof *value);
        if (rows->count > 0) {
            memcpy(numbers, rows->number, (size_t)rows->count * sizeof *numbers);
            memcpy(paths, rows->path, (size_t)rows->count * sizeof *paths);
            memcpy(value, rows->value, (size_t)(rows->count * rows->columns) * sizeof *value);
        }
        free(rows->number);
        free(rows->path);
        free(rows->value);
        rows->number = numbers;
        rows->path = paths;
        rows->value = value;
        rows->room = room;
    }
    rows->number[rows->count] = number;
    rows->path[rows->count] = lat_text("%.*s", path_length, path);
    return rows->value + rows->count++ * rows->columns;
}

/* "# 300 path", "0.1 0.2": false if it is none. */
static bool take_record(measured *rows, const char *comment, const char *row)
{
    char *end;
    if (strncmp(comment, "# ", 2) != 0 || strspn(comment + 2, "0123456789") < 1) return false;
    int64_t number = strtoll(comment + 2, &end, 10);
    if (*end != ' ' || (rows->count > 0 && number <= rows->number[rows->count - 1])) return false;
    double *value = add(rows, number, end + 1, (int)strcspn(end + 1, "\n"));
    const char *at = row;
    for (int64_t i = 0; i < rows->columns; i++) {
        if ((i > 0 && *at++ != ' ') || *at == ' ' || *at == '\n') return false;
        value[i] = without_sign_of_zero(strtod(at, &end));
        if (end == at) return false;
        at = end;
    }
    return *at == '\n';
}

/* The line after this one; NULL if this one is not ended. */
static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : NULL;
}

static void take_rows(measured *rows, const char *bytes, const char *first, lat_error *error)
{
    for (const char *record = first; *record;) {
        const char *row = next_line(record), *next = row ? next_line(row) : NULL;
        if (!next) {
            append_file_cut(&rows->file, record - bytes, error);
            return;
        }
        if (!take_record(rows, record, row)) {
            lat_fail(error, LAT_FORMAT,
                     "%s: its record at byte %lld is none: the file is damaged, or not of flowmeas: remove it",
                     rows->file.path, (long long)(record - bytes));
            return;
        }
        record = next;
    }
}

/* The first line that differs. */
static void fail_head(const char *path, const char *bytes, const char *head, lat_error *error)
{
    const char *p = bytes, *q = head;
    size_t m, n;
    for (;; p += m + (p[m] == '\n'), q += n + (q[n] == '\n')) {
        m = strcspn(p, "\n");
        n = strcspn(q, "\n");
        if (m != n || memcmp(p, q, m) != 0 || !*p || !*q) break;
    }
    lat_fail(error, LAT_CONFIG,
             "%.150s: was begun with '%.*s', now there is '%.*s': undo this or name another measure.output", path,
             m > 100 ? 100 : (int)m, p, n > 100 ? 100 : (int)n, q);
}

lat_status measured_open(measured *rows, const char *path, const char *head, int64_t columns, lat_error *error)
{
    char *bytes;
    int64_t head_size = (int64_t)strlen(head);
    *rows = (measured){.columns = columns};
    if (!path || append_file_open(path, &rows->file, &bytes, error)) return error->status;
    int64_t size = rows->file.size;
    if (memchr(bytes, 0, (size_t)size))
        lat_fail(error, LAT_FORMAT, "%s: is no text: it is damaged, or not of flowmeas: remove it", path);
    else if (size < head_size && memcmp(bytes, head, (size_t)size) == 0) {
        append_file_cut(&rows->file, 0, error);
        append_file_add(&rows->file, head, head_size, error);
    } else if (strncmp(bytes, head, (size_t)head_size) != 0)
        fail_head(path, bytes, head, error);
    else
        take_rows(rows, bytes, bytes + head_size, error);
    free(bytes);
    return error->status;
}

int64_t measured_find(const measured *rows, int64_t number)
{
    int64_t low = 0, high = rows->count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (rows->number[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rows->count && rows->number[low] == number ? low : -1;
}

void measured_append(measured *rows, int64_t number, const char *path, const double *value, lat_error *error)
{
    if (error->status) return;
    if (rows->file.path) {
        lat_bytes text = {0};
        lat_bytes_print(&text, "# %" PRId64 " %s\n", number, path);
        for (int64_t i = 0; i < rows->columns; i++) lat_bytes_print(&text, "%s%.17g", i ? " " : "", without_sign_of_zero(value[i]));
        lat_bytes_print(&text, "\n");
        append_file_add(&rows->file, text.data, text.size, error);
        free(text.data);
    }
    if (error->status) return;
    double *row = add(rows, number, path, (int)strlen(path));
    for (int64_t i = 0; i < rows->columns; i++) row[i] = without_sign_of_zero(value[i]);
}

void measured_free(measured *rows)
{
    append_file_close(&rows->file);
    for (int64_t i = 0; i < rows->count; i++) free(rows->path[i]);
    free(rows->number);
    free(rows->path);
    free(rows->value);
}
