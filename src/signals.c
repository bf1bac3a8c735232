/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * signals.c: when to stop.  A signal may reach one rank only, and clocks differ, so the ranks agree with one small
 * reduction; rank 0 alone looks at the clock and for the file.
 */
#include "src/signals.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};
enum { SIGNALS = sizeof signals / sizeof *signals, REASON_FILE = 1000, REASON_WALLTIME, REASON_JOB_END };

/* Before the end of a job two of the longest steps must fit, each with its checkpoint, and the end of the program: this much, or a tenth
 * of what is left when the run begins, if that is less. */
static const double margin_seconds = 60;

/* A handler can reach nothing else. */
static volatile sig_atomic_t received;

static void receive(int number)
{
    if (received == SIGINT && number == SIGINT) {
        signal(SIGINT, SIG_DFL);
        raise(SIGINT);
    }
    received = number;
}

void signals_take(void)
{
    struct sigaction action = {.sa_handler = receive, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &action, NULL);
    signal(SIGXFSZ, SIG_IGN);
}

double job_end_seconds(const char *text, double now)
{
    char *end = NULL;
    double seconds = text ? strtod(text, &end) : 0;
    return text && *text && *end == '\0' && seconds > now && seconds < now + 1e9 ? seconds : 0;
}

/* The last moment at which a run must have been told to stop, on the clock of MPI_Wtime. */
static double job_end(double started)
{
    double now = (double)time(NULL), end = job_end_seconds(getenv("SLURM_JOB_END_TIME"), now), left = end - now;
    return end > 0 ? started + left - (left / 10 < margin_seconds ? left / 10 : margin_seconds) : 0;
}

void stopper_start(stopper *stopper, MPI_Comm comm, const char *directory, int64_t walltime)
{
    memset(stopper, 0, sizeof *stopper);
    stopper->comm = comm;
    stopper->started = stopper->looked = stopper->asked = stopper->saved = MPI_Wtime();
    stopper->limit = (double)walltime;
    stopper->job_end = walltime > 0 ? 0 : job_end(stopper->started);
    int rank;
    MPI_Comm_rank(comm, &rank);
    if (directory) stopper->file = lat_text("%s/stop", directory);
    if (directory && rank == 0) unlink(stopper->file);
    signals_take();
    MPI_Barrier(comm);
}

/* Of rank 0: a file system is asked at most once a second. */
static int look(stopper *stopper)
{
    double now = MPI_Wtime();
    if (now - stopper->asked > stopper->longest) stopper->longest = now - stopper->asked;
    stopper->asked = now;
    if (stopper->limit > 0 && now - stopper->started >= stopper->limit) return REASON_WALLTIME;
    if (stopper->job_end > 0 && now + 2 * stopper->longest >= stopper->job_end) return REASON_JOB_END;
    if (!stopper->file || now - stopper->looked < 1.0) return 0;
    stopper->looked = now;
    return access(stopper->file, F_OK) == 0 ? REASON_FILE : 0;
}

const char *stopper_reason(stopper *stopper)
{
    int rank;
    MPI_Comm_rank(stopper->comm, &rank);
    int said[2] = {received, rank == 0 && stopper->interval > 0 && MPI_Wtime() - stopper->saved >= stopper->interval};
    if (rank == 0 && said[0] == 0) said[0] = look(stopper);
    MPI_Allreduce(MPI_IN_PLACE, said, 2, MPI_INT, MPI_MAX, stopper->comm);
    stopper->due = said[1];
    if (said[0] == 0) return NULL;
    if (said[0] == REASON_WALLTIME)
        snprintf(stopper->reason, sizeof stopper->reason, "wall-clock limit");
    else if (said[0] == REASON_JOB_END)
        snprintf(stopper->reason, sizeof stopper->reason, "end of the job");
    else if (said[0] == REASON_FILE)
        snprintf(stopper->reason, sizeof stopper->reason, "file %.50s", stopper->file);
    else
        snprintf(stopper->reason, sizeof stopper->reason, "signal %d", said[0]);
    return stopper->reason;
}

void stopper_saved(stopper *stopper) { stopper->saved = MPI_Wtime(); }

void stopper_end(stopper *stopper)
{
    free(stopper->file);
    stopper->file = NULL;
    received = 0;
}

int64_t walltime_seconds(const char *text)
{
    static const struct {
        char name;
        int64_t seconds;
    } unit[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    int64_t total = 0;
    const char *at = text;
    for (size_t i = 0; *at && i < sizeof unit / sizeof *unit; i++) {
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || digits > 9) return -1;
        if (at[digits] != unit[i].name) continue;
        total += strtoll(at, NULL, 10) * unit[i].seconds;
        at += digits + 1;
    }
    return *at || at == text ? -1 : total;
}

int64_t walltime_read(lat_settings *root, lat_error *error)
{
    const char *text = lat_settings_string(root, "walltime", "", error);
    if (!*text) return 0;
    int64_t seconds = walltime_seconds(text);
    if (seconds > 0) return seconds;
    lat_settings_fail(root, "walltime", error, "'%.40s' is no duration: write \"23h30m\", \"45m\", \"90s\" or \"2d\"",
                      text);
    return 0;
}
