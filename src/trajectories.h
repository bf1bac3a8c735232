/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trajectories.h: trajectories.txt in a run directory: a line for each step, thermalisation included, with what updates tell of their last
 * step (dH, acceptance, forces) and the seconds it took.  The first line names the columns, so that flowstat reads it.  The seconds are no function
 * of the configuration; the rest is.
 */
#ifndef TRAJECTORIES_H
#define TRAJECTORIES_H

#include "hmc/hmc.h"
#include "src/run.h"

typedef struct {
    const run *run;
    mc_update *const *updates;
    int count, replicas;
    char *path;
    FILE *file;     /* on rank 0, where an update has something to tell; else NULL */
    double flushed; /* MPI_Wtime */
} trajectories;

/* Goes on after this step: lines beyond it are cut, at step 0 the file begins anew.  Collective; LAT_FILE. */
lat_status trajectories_open(trajectories *trajectories, const run *run, mc_update *const *updates, int count, int replicas, uint64_t step,
                             lat_error *error);
/* The line of this step, which is on disk within a second or so.  Rank 0 alone does it. */
void trajectories_add(trajectories *trajectories, uint64_t step);
/* All lines are on disk: call it before a checkpoint is written.  Collective; LAT_FILE. */
lat_status trajectories_flush(trajectories *trajectories, lat_error *error);
void trajectories_close(trajectories *trajectories);

#endif
