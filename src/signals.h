/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * signals.h: how a run is asked to stop at its next step: a signal at any rank (SIGTERM, SIGINT, SIGHUP; SIGUSR1, SIGUSR2 or SIGXCPU,
 * as batch systems send them before the end of a job), a file `stop` in the run directory, the wall-clock limit, or the end of the
 * job where the batch system tells it.  And when a checkpoint is due by the clock.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include "lattice/lattice.h"

typedef struct {
    MPI_Comm comm;
    char *file;     /* DIRECTORY/stop; NULL: none is looked for */
    double started; /* MPI_Wtime, as are all moments */
    double limit;   /* seconds; 0: none */
    double job_end; /* of the job; 0: not known */
    double looked;  /* when the file was last looked for */
    double asked, longest; /* when stopper_reason was last called, and the longest time between two calls */
    double interval, saved; /* seconds between checkpoints, 0: not by the clock; when the last one was written */
    bool due;               /* on all ranks alike, after stopper_reason: write a checkpoint, and call stopper_saved */
    char reason[64];
} stopper;

/* Takes over the signals, for the life of the program: one that comes before the run has begun is kept for its first step, one that
 * comes while the last files are written, or MPI ends, comes too late to be obeyed.  A second SIGINT ends the program at once.
 * A file that would become larger than the limit of the process is a failure to write it (EFBIG), and no signal.
 * Call it first in main: what MPI_Init starts takes a while. */
void signals_take(void);

/* Collective.  Removes a stop file left from before; directory may be NULL.  The wall-clock time counts from here; 0: none was asked
 * for, and then the end of the job counts, where the environment tells it (SLURM_JOB_END_TIME). */
void stopper_start(stopper *stopper, MPI_Comm comm, const char *directory, int64_t walltime);
/* Collective; call it once a step.  NULL, or the same on all ranks: why to stop now, "signal 15", "file DIR/stop",
 * "wall-clock limit", "end of the job". */
const char *stopper_reason(stopper *stopper);
/* A checkpoint was written: the interval to the next one begins. */
void stopper_saved(stopper *stopper);
/* Forgets the signals that came; they stay taken. */
void stopper_end(stopper *stopper);

/* Seconds since 1970 in a text, as in SLURM_JOB_END_TIME; 0 if there is no text or it is no such moment after now. */
double job_end_seconds(const char *text, double now);

/* "23h30m", "45m", "90s", "2d" in seconds: each unit (d, h, m, s) at most once, in this order; -1 if text is none. */
int64_t walltime_seconds(const char *text);
/* The key `walltime` of a configuration; 0 if there is no limit. */
int64_t walltime_read(lat_settings *root, lat_error *error);

#endif
