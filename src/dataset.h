/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset.h: measured numbers, from the directory of a run or from columns of text, as series that can be analysed.
 * All functions that read are collective over MPI_COMM_WORLD; every rank holds everything.
 */
#ifndef DATASET_H
#define DATASET_H

#include "lattice/lattice.h"

#include <jansson.h>

typedef struct {
    char *name; /* the path it was read from */
    int columns, replicas;
    int64_t rows;  /* of each replica */
    int64_t every; /* steps of the run from one row to the next */
    char **column;
    double **series;     /* [columns]: [replicas][rows] */
    double core_seconds; /* per entry, as summary.json has it; NaN if it does not say */
    json_t *updates;     /* the list `updates` of summary.json; NULL if there is none */
} dataset;

/* A directory: its history.h5 and, if it is there, summary.json.  A file: whitespace-separated columns of numbers, what
 * follows a # being comment, the first line naming the columns if it is not of numbers (else column1, column2, ...).
 * The first `skip` rows of each replica are left out.  LAT_CONFIG if nothing is left then, LAT_FILE, LAT_FORMAT. */
lat_status dataset_read(const char *path, int64_t skip, dataset **set, lat_error *error);
/* All replicas of all parts as replicas of one set, as long as the shortest of them.  LAT_CONFIG if their columns are
 * or steps between rows are not the same. */
lat_status dataset_join(dataset *const *parts, int count, dataset **set, lat_error *error);
void dataset_free(dataset *set); /* NULL is allowed */

#endif
