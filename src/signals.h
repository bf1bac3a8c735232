/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * signals.h: how a run is asked to stop at its next step: SIGTERM, SIGUSR1 or SIGINT at any rank, a file `stop` in the
 * run directory, or the wall-clock limit.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include "lattice/lattice.h"

typedef struct {
    MPI_Comm comm;
    char *file;     /* DIRECTORY/stop; NULL: none is looked for */
    double started; /* MPI_Wtime */
    double limit;   /* seconds; 0: none */
    double looked;  /* when the file was last looked for */
    char reason[64];
} stopper;

/* Collective.  Takes over the signals, and removes a stop file left from before; directory may be NULL.  The wall-clock
 * time counts from here.  A second SIGINT ends the program at once. */
void stopper_start(stopper *stopper, MPI_Comm comm, const char *directory, int64_t walltime);
/* Collective; call it once a step.  NULL, or the same on all ranks: why to stop now, "signal 15", "file DIR/stop",
 * "wall-clock limit". */
const char *stopper_reason(stopper *stopper);
/* The signals stay taken: one that comes while the last files are written, or MPI ends, comes too late to be obeyed. */
void stopper_end(stopper *stopper);

/* "23h30m", "45m", "90s", "2d" in seconds: each unit (d, h, m, s) at most once, in this order; -1 if text is none. */
int64_t walltime_seconds(const char *text);
/* The key `walltime` of a configuration; 0 if there is no limit. */
int64_t walltime_read(lat_settings *root, lat_error *error);

#endif
