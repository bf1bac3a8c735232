/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * columns.c: fuzz target of the reader of text files.  Whatever the file holds, it is refused in one line, or read as as many
 * finite numbers as its lines hold, and then an analysis goes through.
 */
#define _GNU_SOURCE
#include "src/analysis.h"
#include "src/columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_table(const columns_table *table)
{
    for (int i = 0; i < table->columns; i++)
        for (int64_t row = 0; row < table->rows; row++)
            if (!isfinite(table->value[i][row])) abort();
}

static void check_analysis(const char *path)
{
    lat_error error = {0};
    dataset *set;
    if (dataset_read(path, 0, &set, &error) != LAT_DONE) return;
    analysis a = analyse(set, NULL, &error);
    if (error.status != LAT_DONE) abort();
    if (set->columns < 10) analysis_plot("/dev/null/nothing.svg", &a, 1, &error);
    analysis_free(&a);
    dataset_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int file = memfd_create("columns", 0);
    if (file < 0 || write(file, data, size) != (ssize_t)size) abort();
    char *path = lat_text("/proc/self/fd/%d", file);
    columns_table table;
    lat_error error = {0};
    lat_status status = columns_read(path, &table, &error);
    if (status != LAT_DONE && status != LAT_FORMAT) abort();
    if (error.status != status || (status != LAT_DONE && (!error.text[0] || strchr(error.text, '\n')))) abort();
    if (status == LAT_DONE) check_table(&table);
    columns_free(&table);
    if (status == LAT_DONE) check_analysis(path);
    free(path);
    close(file);
    return 0;
}
