/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run.h: a run directory: config.cfg (complete, as run), log.txt, summary.json; whoever opens it keeps other runs out
 * of it as long as it lives.  All functions but run_path, run_log, run_note, run_warn,
 * run_identity and run_build are collective.
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
    char *config;        /* that run_settle writes */
    bool settled;        /* config.cfg is that of this run: from here on it is left as it is */
    bool made, logged;   /* the directory, log.txt: were not there before */
    int folder, log;     /* descriptors of the directory and of log.txt on rank 0, which are locked; -1 on others */
    lat_error log_error; /* first failure to write the log, reported by run_close */
} run;

/* What may be different when a run is resumed, as paths of the printed configuration; * stands for any number. */
typedef struct {
    const char *const *free; /* NULL-terminated: "walltime", "updates.[*].ranks", ... */
    const char *length;      /* an integer that may be anything not below what is done, which the program checks: "chain.steps" */
} run_changes;

/* Opens a directory, which is made if it is not there (its parent must be), and keeps others out of it.
 * Without resume: LAT_CONFIG if there is a run in it.  With resume: LAT_CONFIG, naming the first difference, if it was
 * run with another configuration; an empty directory is begun.  LAT_FILE if it cannot be written or if another process
 * is at work in it.  config: what lat_settings_print returned for the settings after all keys were read. */
lat_status run_open(MPI_Comm comm, const char *program, const char *directory, bool resume, bool quiet,
                    const char *config, const run_changes *changes, run **opened, lat_error *error);
/* What run_open with resume would say of the configuration; nothing is touched. */
lat_status run_check(MPI_Comm comm, const char *directory, const char *config, const run_changes *changes, lat_error *error);
/* Writes config.cfg: call it when nothing can refuse the run any more.  Until then a run that is closed leaves the directory as it
 * was, but for the log of a run that was to be resumed. */
lat_status run_settle(run *run, lat_error *error);
/* Reports a failure to write the log, releases the directory and the memory.  NULL is allowed. */
lat_status run_close(run *run, lat_error *error);

/* "DIRECTORY/name" in new memory. */
char *run_path(const run *run, const char *name);
/* One line, with the time (UTC), in log.txt, and without it on stdout unless quiet.  Rank 0 alone does it. */
void run_log(run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same in log.txt alone. */
void run_note(run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A warning, in the log and on stderr, also when quiet.  Rank 0 alone does it. */
void run_warn(run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes summary.json: program, version, build and ranks, then the members of summary, which is not changed. */
lat_status run_write_summary(run *run, const json_t *summary, lat_error *error);

/* The configuration without what may be different, one "path.to.key = value" a line: equal for runs that are the same.
 * New memory.  For checkpoints, so that they belong to their run and to no other. */
char *run_identity(const char *config, const run_changes *changes);

/* What the last bits of its numbers depend on: "avx512, gcc 12.2.0". */
const char *run_build(void);

#endif
