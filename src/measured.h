/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * measured.h: rows of numbers, one for each configuration of a chain, in memory and in a text file that grows with
 * them.  Local: for one rank.
 *
 *     # flowmeas, replica 1                         the head: comments and the names of the columns
 *     # measure.observables.[0] = "plaquette";
 *     plaquette
 *     # 300 run/configs/step-0000000300.h5          a record: number and file, and the row
 *     0.72263519493553974
 */
#ifndef MEASURED_H
#define MEASURED_H

#include "src/append_file.h"

typedef struct {
    append_file file; /* zeros: there is none */
    int64_t columns, count, room;
    int64_t *number; /* ascending */
    char **path;
    double *value; /* [row][column] */
} measured;

/* Takes in what is in the file, which is begun if it is not there; path NULL: no file.  Half a record at its end is
 * cut off.  head ends with a new line.  LAT_CONFIG if the file has another head, LAT_FORMAT if it is damaged. */
lat_status measured_open(measured *rows, const char *path, const char *head, int64_t columns, lat_error *error);
/* The row of a number; -1: there is none. */
int64_t measured_find(const measured *rows, int64_t number);
/* The number must be larger than that of the last row. */
void measured_append(measured *rows, int64_t number, const char *path, const double *value, lat_error *error);
void measured_free(measured *rows);

#endif
