/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * history.h: what was measured, row by row.
 */
#ifndef HMC_HISTORY_H
#define HMC_HISTORY_H

#include "lattice/lattice.h"

/* One row per measurement: [replica][column]. */
typedef struct {
    int columns, replicas;
    char **name;            /* [columns] */
    int64_t rows, capacity;
    uint64_t first_step;    /* step number of row 0 */
    uint64_t every;         /* steps from one row to the next: 1, unless set to something else */
    double *value;          /* [rows][replicas][columns]; on all ranks alike */
} mc_history;

mc_history *mc_history_create(int columns, int replicas);
void mc_history_free(mc_history *history);
/* Names a column. */
void mc_history_name(mc_history *history, int column, const char *name);
void mc_history_append(mc_history *history, const double *row);
/* Whether they have the same columns, replicas and steps between rows. */
bool mc_history_alike(const mc_history *a, const mc_history *b);
/* One column of one replica as a series of length rows. */
void mc_history_series(const mc_history *history, int column, int replica, double *series);
/* CRC-32 of the first rows, as they are in memory, behind what has the CRC-32 `before` (0: nothing): what a checkpoint says of the
 * histories that it goes with. */
uint32_t mc_history_checksum(const mc_history *history, int64_t rows, uint32_t before);
/* history.h5: dataset "step" [rows] and one dataset per column [rows][replicas].  Collective; deterministic bytes. */
lat_status mc_history_write(MPI_Comm comm, const char *path, const mc_history *history, lat_error *error);
lat_status mc_history_read(MPI_Comm comm, const char *path, mc_history **history, lat_error *error);

#endif
