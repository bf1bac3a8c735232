/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trajectories.h: trajectories.txt and trajectories.h5 in a run directory: a row for each step, thermalisation included, with what updates
 * tell of their last step (dH, acceptance, forces, solves).  The text, which is there within a second, has the seconds that each took beside it, and its
 * first line names the columns; HDF5 has all digits, and is a function of the configuration alone.  flowstat reads both.
 */
#ifndef TRAJECTORIES_H
#define TRAJECTORIES_H

#include "hmc/hmc.h"
#include "src/run.h"

typedef struct {
    const run *run;
    mc_update *const *updates;
    int count, replicas;
    mc_history *history; /* the rows, on all ranks; NULL: no update has something to tell */
    double *row;         /* scratch */
    char *path;          /* of the text */
    FILE *file;          /* on rank 0, from trajectories_open on; NULL where there is no history */
    double flushed;      /* MPI_Wtime */
    int failure;         /* to write the text: an error number */
} trajectories;

/* Without rows, the first being that after this step.  Touches no file; close it in any case. */
void trajectories_create(trajectories *trajectories, const run *run, mc_update *const *updates, int count, int replicas,
                         uint64_t step);
/* LAT_FORMAT if there is a text with other columns.  Changes no file.  Collective. */
lat_status trajectories_check(const trajectories *trajectories, lat_error *error);
/* Opens the text after this step: lines beyond it are cut, at step 0 the file begins anew.  Collective; LAT_FILE. */
lat_status trajectories_open(trajectories *trajectories, uint64_t step, lat_error *error);
/* The row of this step, the line of which is on disk within a second or so.  Local. */
void trajectories_add(trajectories *trajectories, uint64_t step);
/* All rows are on disk: call it before a checkpoint is written.  Collective; LAT_FILE. */
lat_status trajectories_flush(trajectories *trajectories, lat_error *error);
void trajectories_close(trajectories *trajectories); /* of zeros: nothing happens */

#endif
