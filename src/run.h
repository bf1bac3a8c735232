/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run.h: a run directory: config.cfg (complete, as run), log.txt, summary.json; whoever opens it keeps other runs out
 * of it as long as it lives.  All functions but run_path, run_log and run_identity are collective.
 */
#ifndef RUN_H
#define RUN_H

#include "lattice/lattice.h"

#include <jansson.h>

typedef struct {
    MPI_Comm comm;
    int rank;
    bool resumed; /* there was a run: its checkpoint, if there is one, is the place to go on from */
    bool quiet;
    char *program, *directory;
    int log;             /* descriptor of log.txt on rank 0, which is locked; -1 on others */
    lat_error log_error; /* first failure to write the log, reported by run_close */
} run;

/* What may be different when a run is resumed, as paths of the printed configuration; * stands for any number. */
typedef struct {
    const char *const *free; /* NULL-terminated: "walltime", "updates.[*].ranks", ... */
    const char *raised;      /* an integer that may grow: "chain.steps"; or NULL */
} run_changes;

/* Opens a directory, which is made if it is not there (its parent must be), and writes config.cfg.
 * Without resume: LAT_CONFIG if there is a run in it.  With resume: LAT_CONFIG, naming the first difference, if it was
 * run with another configuration; an empty directory is begun.  LAT_FILE if it cannot be written or if another process
 * is at work in it.  config: what lat_settings_print returned for the settings after all keys were read. */
lat_status run_open(MPI_Comm comm, const char *program, const char *directory, bool resume, bool quiet,
                    const char *config, const run_changes *changes, run **opened, lat_error *error);
/* Reports a failure to write the log, releases the directory and the memory.  NULL is allowed. */
lat_status run_close(run *run, lat_error *error);

/* "DIRECTORY/name" in new memory. */
char *run_path(const run *run, const char *name);
/* One line, with the time (UTC), in log.txt, and without it on stdout unless quiet.  Rank 0 alone does it. */
void run_log(run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same in log.txt alone. */
void run_note(run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes summary.json: program, version and ranks, then the members of summary, which is not changed. */
lat_status run_write_summary(run *run, const json_t *summary, lat_error *error);

/* The configuration without what may be different, one "path.to.key = value" a line: equal for runs that are the same.
 * New memory.  For checkpoints, so that they belong to their run and to no other. */
char *run_identity(const char *config, const run_changes *changes);

#endif
