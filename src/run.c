/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run.c: run directories.
 *
 * What a run directory is, and how it changes.  The functions named here are in this file, in src/flowhmc.c (begin, go_on, sample,
 * write_checkpoint, save_links) and in src/signals.c (stopper_*); flowtrain keeps to the same states with a model file in place of the
 * checkpoint.
 *
 *                 run_open           begin              run_settle
 *      (nothing) ---------> [entered] -----> [begun] -----------------> [running]
 *          ^                    |               |                         |  |  |
 *          |     run_close      |               |         write_checkpoint|  |  |
 *          +--------------------+---------------+           and go on  <--+  |  |
 *            (refused: traces are removed)                                   |  |
 *                                                                            |  +--> [finished]  sample: all steps are done;
 *                                                                            |                   results_write, run_close
 *                                                                            +-----> [stopped]   sample: stopper_reason has one, or
 *                                                                            |                   a failure: then no checkpoint
 *                                                                            +-----> [killed]    no function: SIGKILL, a node
 *
 *      [finished], [stopped], [killed] --run_open(resume)--> [entered] --begin, go_on--> [begun] --run_settle--> [running]
 *
 *   nothing    There is no directory, or one without results.  What was begun and came to nothing (config.cfg alone) is nothing.
 *   entered    The process holds the locks, and knows whether a run is to be resumed (run->resumed); the configuration was compared.
 *   begun      The chain is at the step of the checkpoint, with the rows of the history up to it, or at its start.  Nothing was written.
 *   running    config.cfg is that of this run.  From here on only sample writes.
 *   stopped    checkpoint.h5 is of the last step that was done, whatever the reason: a signal, the file stop, a limit.
 *   killed     checkpoint.h5 is of an earlier step, or is not there; the rest may be ahead of it.
 *   resumed    is no state of its own: a running run whose first step is not 0.
 *
 * Order of writes.  In a step: measure (in memory); save_links, each file whole; then, if it is due by steps or by the clock,
 *
 *     0. trajectories.txt, .h5  trajectories_flush: lines of text were added with each step
 *     1. history.h5, -NAME.h5   series_write
 *     2. checkpoint-step-N.h5   checkpoints_keep: a second name for the checkpoint before, if older ones are kept
 *     3. checkpoint.h5          mc_checkpoint_write
 *     4. older checkpoints      checkpoints_prune removes those that are too many
 *
 * and at the end summary.json.  Each file is written under NAME.tmp, synced, read again and compared, renamed, and its folder synced
 * (lat_file_write, lat_h5_finish).  log.txt and
 * trajectories.txt alone are appended to; resuming cuts the lines of trajectories.txt beyond the checkpoint.
 *
 * Invariants, at every instant and so after a kill at any:
 *
 *   1. A name that does not end in .tmp stands for a complete file, which was read back.
 *   2. At most one process writes: it holds a lock on the directory and one on log.txt.  Of its ranks rank 0 alone touches small files.
 *   3. Step of checkpoint.h5 <= last step of history.h5: 1 comes before 3.  The rows up to the checkpoint have the checksum that it
 *      holds, history-NAME.h5 included; go_on cuts those beyond, which are made again, to the same bytes.
 *   4. Configurations up to the step of the checkpoint are in configs/; later ones are what the chain will save again, to the same bytes.
 *   5. checkpoint.h5 is of the identity (all settings that matter, the seed, the hash of the model) that config.cfg and the command
 *      line have.  What may differ is named by run_changes and is in no result.
 *   6. config.cfg changes only in run_settle.  A process that is refused changes nothing but log.txt, and that only if it was to
 *      resume a run.
 *   7. Once checkpoint.h5 is there, it is there at every instant: rename replaces it.  An older one is never taken unasked.
 *   8. A run is a function of its identity: whatever path through the states led to a step, history and configurations are the same, for
 *      the same build; another build is warned of.
 *
 * Tests: tests/run.c (states, locks, refusals), tests/promises.sh (3, 5, 6), tests/resume.sh and tests/long/kills.sh (1, 3, 4, 8),
 * tests/failures.sh (damaged files, full disks), tests/campaign.sh (7).
 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "src/run.h"

#include "src/lock.h"
#include "src/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CONFIG_LIMIT = 1 << 22, PATH_TEXT = 1024 };

char *run_path(const run *run, const char *name) { return lat_text("%s/%s", run->directory, name); }

/* ----------------------------------------------------------------------------------- comparing configurations */

/* Where a line of a printed configuration stands: the names of the groups and lists around it. */
typedef struct {
    char text[PATH_TEXT];
    size_t used[64]; /* length of text outside each bracket */
    int index[64];   /* next element of each bracket that is a list */
    int depth;
} place;

static void enter(place *place, const char *name, size_t length)
{
    size_t used = strlen(place->text);
    if (place->depth == 63 || used + length + 20 > sizeof place->text) return;
    place->used[place->depth++] = used;
    place->index[place->depth] = 0;
    if (length > 0)
        snprintf(place->text + used, sizeof place->text - used, "%.*s.", (int)length, name);
    else
        snprintf(place->text + used, sizeof place->text - used, "[%d].", place->index[place->depth - 1]++);
}

static void leave(place *place)
{
    if (place->depth > 0) place->text[place->used[--place->depth]] = '\0';
}

/* One line of a printed configuration: opens a bracket, closes one, or is a value, which goes to out. */
static void flatten_line(place *place, const char *line, size_t length, FILE *out)
{
    const char *mark = strstr(line, " = ");
    bool named = mark && mark < line + length && line[0] != '"';
    char last = line[length - 1];
    if (line[0] == '}' || line[0] == ')')
        leave(place);
    else if ((last == '{' || last == '(') && (named || length == 1))
        enter(place, line, named ? (size_t)(mark - line) : 0);
    else if (named)
        fprintf(out, "%s%.*s\n", place->text, (int)length, line);
    else
        fprintf(out, "%s[%d] = %.*s\n", place->text, place->index[place->depth]++, (int)length, line);
}

/* "path.to.key = value;" for every value of a printed configuration, in its order. */
static char *flatten(const char *config)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) lat_abort(LAT_CONFIG, "memory: none left to compare configurations");
    place *place = lat_alloc(1, sizeof *place);
    while (*config) {
        config += strspn(config, " \n");
        size_t length = strcspn(config, "\n");
        if (length > 0) flatten_line(place, config, length, out);
        config += length;
    }
    free(place);
    if (fclose(out) != 0) lat_abort(LAT_CONFIG, "memory: none left to compare configurations");
    return text;
}

/* Is this the line of a path?  A * in the path stands for any number. */
static bool is_path(const char *line, const char *path)
{
    for (; *path; path++) {
        if (*path == '*')
            line += strspn(line, "0123456789");
        else if (*line++ != *path)
            return false;
    }
    return strncmp(line, " = ", 3) == 0;
}

static bool may_change(const char *line, const run_changes *changes)
{
    for (const char *const *path = changes->free; path && *path; path++)
        if (is_path(line, *path)) return true;
    return changes->length && is_path(line, changes->length);
}

char *run_identity(const char *config, const run_changes *changes)
{
    char *text = flatten(config), *to = text;
    for (const char *from = text; *from;) {
        size_t length = strcspn(from, "\n") + 1;
        if (!may_change(from, changes)) {
            memmove(to, from, length);
            to += length;
        }
        from += length;
    }
    *to = '\0';
    return text;
}

/* Both are printed configurations. */
static void compare(const char *path, const char *before, const char *now, const run_changes *changes, lat_error *error)
{
    char *a = run_identity(before, changes), *b = run_identity(now, changes);
    const char *p = a, *q = b;
    size_t m, n;
    for (;; p += m + 1, q += n + 1) {
        m = strcspn(p, "\n");
        n = strcspn(q, "\n");
        if (m != n || memcmp(p, q, m) != 0 || !*p) break;
    }
    if (*p || *q)
        lat_fail(error, LAT_CONFIG,
                 "%.120s: was run with '%.*s', but now there is '%.*s': undo this or give another --out", path,
                 m > 100 ? 100 : (int)m, p, n > 100 ? 100 : (int)n, q);
    free(a);
    free(b);
}

/* Compares config with the file path, which goes through the parser, so that only its contents count. */
static lat_status compare_with_file(MPI_Comm comm, const char *path, const char *config, const run_changes *changes,
                                    lat_error *error)
{
    char *bytes;
    int64_t size;
    if (lat_file_read(comm, path, CONFIG_LIMIT, &bytes, &size, error) != LAT_DONE) return error->status;
    lat_settings *root;
    if (lat_settings_parse(bytes, path, &root, error) == LAT_DONE) {
        char *before = lat_settings_print(root);
        compare(path, before, config, changes, error);
        free(before);
        lat_settings_free(root);
    }
    free(bytes);
    return error->status;
}

/* ------------------------------------------------------------------------------------------------------- opening */

static void lock(const run *run, int descriptor, lat_error *error)
{
    if (!error->status && !lock_file(descriptor))
        lat_fail(error, LAT_FILE, "%.300s: another run is at work in it: wait for its end or give another --out",
                 run->directory);
}

/* A pipe, with a reader too, is no log. */
static int open_appending(const char *path)
{
    struct stat status;
    int descriptor = lat_open(path, O_WRONLY | O_CREAT | O_APPEND);
    if (descriptor < 0 || (fstat(descriptor, &status) == 0 && !S_ISFIFO(status.st_mode))) return descriptor;
    close(descriptor);
    errno = ENXIO;
    return -1;
}

static void open_log(run *run, lat_error *error)
{
    char *path = run_path(run, "log.txt");
    struct stat status;
    run->logged = lstat(path, &status) != 0;
    run->log = open_appending(path);
    if (run->log < 0)
        lat_fail(error, LAT_FILE, "%.300s: cannot be written: %s: check the directory or give another --out", path,
                 strerror(errno));
    free(path);
}

/* Rank 0: makes the directory, locks it, opens and locks the log: a directory cannot be locked on NFS, a log may be deleted. */
static void enter_directory(run *run, lat_error *error)
{
    run->made = mkdir(run->directory, 0777) == 0;
    if (!run->made && errno != EEXIST) {
        lat_fail(error, LAT_FILE, "%.300s: the directory cannot be made: %s: make its parent, or give another --out",
                 run->directory, strerror(errno));
        return;
    }
    run->folder = lat_open(run->directory, O_RDONLY | O_DIRECTORY);
    if (run->folder < 0) {
        lat_fail(error, LAT_FILE, "%.300s: cannot be written: %s: give another --out", run->directory, strerror(errno));
        return;
    }
    lock(run, run->folder, error);
    /* the run that held it may have removed it at its end */
    if (!error->status && !lat_still_named(run->folder, run->directory))
        lat_fail(error, LAT_FILE, "%.300s: was removed a moment ago: start again", run->directory);
    if (!error->status) open_log(run, error);
    if (!error->status) lock(run, run->log, error);
}

static bool exists(const run *run, const char *name)
{
    char *path = run_path(run, name);
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

/* Rank 0: is there a run in the directory, to be resumed?  Without results there is nothing to lose: what was begun and came to
 * nothing keeps nobody out. */
static int has_run(const run *run, bool resume, lat_error *error)
{
    bool config = exists(run, "config.cfg");
    bool results = exists(run, "checkpoint.h5") || exists(run, "history.h5") || exists(run, "summary.json") || exists(run, "configs");
    if (!resume && results)
        lat_fail(error, LAT_CONFIG, "%.300s: there is a run in it: go on with --resume, or give another --out",
                 run->directory);
    if (resume && results && !config)
        lat_fail(error, LAT_CONFIG, "%.300s: its config.cfg is missing: it cannot be resumed: give another --out",
                 run->directory);
    return resume && config;
}

lat_status run_open(MPI_Comm comm, const char *program, const char *directory, bool resume, bool quiet,
                    const char *config, const run_changes *changes, run **opened, lat_error *error)
{
    run *run = lat_alloc(1, sizeof *run);
    run->comm = comm;
    run->quiet = quiet;
    run->folder = run->log = -1;
    run->program = lat_text("%s", program);
    run->directory = lat_text("%s", directory);
    run->config = lat_text("%s", config);
    MPI_Comm_rank(comm, &run->rank);
    int found = 0;
    if (run->rank == 0) enter_directory(run, error);
    if (run->rank == 0 && error->status == LAT_DONE) found = has_run(run, resume, error);
    if (lat_agree(comm, error) == LAT_DONE) {
        MPI_Bcast(&found, 1, MPI_INT, 0, comm);
        run->resumed = found;
        char *path = run_path(run, "config.cfg");
        if (found) compare_with_file(comm, path, config, changes, error);
        free(path);
    }
    *opened = run;
    if (error->status == LAT_DONE) return LAT_DONE;
    *opened = NULL;
    run_close(run, &(lat_error){0});
    return error->status;
}

lat_status run_check(MPI_Comm comm, const char *directory, const char *config, const run_changes *changes, lat_error *error)
{
    char *path = lat_text("%s/config.cfg", directory);
    int found = access(path, F_OK) == 0;
    MPI_Bcast(&found, 1, MPI_INT, 0, comm);
    if (found) compare_with_file(comm, path, config, changes, error);
    free(path);
    return error->status;
}

lat_status run_settle(run *run, lat_error *error)
{
    char *path = run_path(run, "config.cfg");
    run->settled = lat_file_write(run->comm, path, run->config, (int64_t)strlen(run->config), error) == LAT_DONE;
    free(path);
    return error->status;
}

/* Rank 0: what a run made that never began. */
static void remove_traces(const run *run)
{
    if (run->settled || run->resumed) return;
    char *log = run_path(run, "log.txt");
    if (run->log >= 0 && run->logged) unlink(log);
    if (run->made) rmdir(run->directory);
    free(log);
}

lat_status run_close(run *run, lat_error *error)
{
    if (!run) return error->status;
    if (run->log >= 0 && close(run->log) != 0)
        lat_fail(&run->log_error, LAT_FILE, "%.300s/log.txt: cannot be written: %s: check the room on the disk",
                 run->directory, strerror(errno));
    if (run->folder >= 0) {
        remove_traces(run);
        close(run->folder);
    }
    if (lat_agree(run->comm, &run->log_error) != LAT_DONE)
        lat_fail(error, run->log_error.status, "%s", run->log_error.text);
    free(run->program);
    free(run->directory);
    free(run->config);
    free(run);
    return error->status;
}

/* --------------------------------------------------------------------------------------------------------- writing */

const char *run_build(void)
{
#if defined(__AVX512F__)
#define VECTORS "avx512"
#elif defined(__AVX2__)
#define VECTORS "avx2"
#elif defined(__SSE4_2__)
#define VECTORS "sse4.2"
#else
#define VECTORS "no vectors"
#endif
#if defined(__clang__)
    return VECTORS ", clang " __clang_version__;
#else
    return VECTORS ", gcc " __VERSION__;
#endif
}

/* One line, with the time. */
static void add_line(run *run, FILE *out, const char *before, const char *format, va_list list)
{
    if (run->rank > 0) return;
    char text[512], when[32];
    time_t now = time(NULL);
    struct tm utc;
    vsnprintf(text, sizeof text, format, list);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    if (dprintf(run->log, "%s %s%s\n", when, before, text) < 0)
        lat_fail(&run->log_error, LAT_FILE, "%.300s/log.txt: cannot be written: %s: check the room on the disk",
                 run->directory, strerror(errno));
    if (!out) return;
    if (progress_terminal(out)) fputs("\r\033[K", out);
    if (out == stderr) fprintf(out, "%s: ", run->program);
    fprintf(out, "%s%s\n", before, text);
    fflush(out);
}

void run_note(run *run, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    add_line(run, NULL, "", format, list);
    va_end(list);
}

void run_log(run *run, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    add_line(run, run->quiet ? NULL : stdout, "", format, list);
    va_end(list);
}

void run_warn(run *run, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    add_line(run, stderr, "warning: ", format, list);
    va_end(list);
}

lat_status run_write_summary(run *run, const json_t *summary, lat_error *error)
{
    int ranks;
    MPI_Comm_size(run->comm, &ranks);
    json_t *whole = json_pack("{s:s, s:s, s:s, s:i}", "program", run->program, "version", PACKAGE_VERSION, "build", run_build(), "ranks", ranks);
    char *text = NULL;
    if (whole && json_object_update(whole, (json_t *)(uintptr_t)summary) == 0) text = json_dumps(whole, JSON_INDENT(4));
    json_decref(whole);
    if (!text) lat_abort(LAT_CONFIG, "%s/summary.json: no memory left to write it", run->directory);
    char *path = run_path(run, "summary.json"), *lines = lat_text("%s\n", text);
    lat_file_write(run->comm, path, lines, (int64_t)strlen(lines), error);
    free(lines);
    free(path);
    free(text);
    return error->status;
}
