/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset.h: measured numbers, from the directory of a run, from columns of text or from the training of a model, as
 * series that can be analysed.  Local: MPI need not have been started.
 */
#ifndef DATASET_H
#define DATASET_H

#include "lattice/lattice.h"

#include <jansson.h>

typedef struct {
    char *name; /* the path it was read from */
    int columns, replicas;
    int64_t *rows;   /* [replicas] */
    int64_t entries; /* of all replicas together */
    int64_t first;   /* step of the first row; 0 for text */
    int64_t every;   /* steps of the run from one row to the next */
    char **column;
    double **series;     /* [columns]: the rows of each replica, replicas one after another */
    bool training;       /* rows are those of the history of a training, and its first column is the step */
    double core_seconds; /* per entry, as summary.json has it; NaN if it does not say */
    json_t *updates;     /* the list `updates` of summary.json; NULL if there is none */
} dataset;

/* A directory: its history.h5 and, if it is there, summary.json.  A file: a history.h5; a model, of which the history of its
 * training is read; or columns of numbers in text (src/columns.h).  The first `skip` rows of each replica are left out.
 * LAT_CONFIG if nothing is left then, LAT_FILE, LAT_FORMAT. */
lat_status dataset_read(const char *path, int64_t skip, dataset **set, lat_error *error);
/* All replicas of all parts as replicas of one set.  LAT_CONFIG if their columns or steps between rows are not the same. */
lat_status dataset_join(dataset *const *parts, int count, dataset **set, lat_error *error);
void dataset_free(dataset *set); /* NULL is allowed */

#endif
