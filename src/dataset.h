/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset.h: measured numbers, from the directory of a run, from columns of text or from the training of a model, as
 * series that can be analysed.  Local: MPI need not have been started.
 */
#ifndef DATASET_H
#define DATASET_H

#include "lattice/lattice.h"

#include <jansson.h>

typedef struct dataset {
    char *name; /* the path it was read from */
    char *label; /* NAME, of history-NAME.h5 of a run; "": anything else */
    struct dataset *next; /* what the same run has measured at steps, or of a replica, of its own; NULL: no more */
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

/* A directory: its history.h5, behind it any history-NAME.h5 in the order of names, and, if it is there, summary.json.  A file: a
 * history.h5; a model, of which the history of its training is read; or columns of numbers in text (src/columns.h).  The first `skip`
 * rows of each replica are left out, of a history-NAME.h5 those up to the same step; one without rows then is no dataset.  LAT_CONFIG
 * if nothing is left at all, LAT_FILE, LAT_FORMAT. */
lat_status dataset_read(const char *path, int64_t skip, dataset **set, lat_error *error);
/* All replicas of all parts as replicas of one set.  LAT_CONFIG if their columns or steps between rows are not the same. */
lat_status dataset_join(dataset *const *parts, int count, dataset **set, lat_error *error);
void dataset_free(dataset *set); /* and all that is behind it; NULL is allowed */

#endif
