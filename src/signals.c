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
#include <unistd.h>

static const int signals[] = {SIGTERM, SIGUSR1, SIGINT};
enum { SIGNALS = sizeof signals / sizeof *signals, REASON_FILE = 1000, REASON_WALLTIME = 1001 };

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

void stopper_start(stopper *stopper, MPI_Comm comm, const char *directory, int64_t walltime)
{
    memset(stopper, 0, sizeof *stopper);
    stopper->comm = comm;
    stopper->started = stopper->looked = MPI_Wtime();
    stopper->limit = (double)walltime;
    int rank;
    MPI_Comm_rank(comm, &rank);
    if (directory) stopper->file = lat_text("%s/stop", directory);
    if (directory && rank == 0) unlink(stopper->file);
    received = 0;
    struct sigaction action = {.sa_handler = receive, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &action, NULL);
    MPI_Barrier(comm);
}

/* Of rank 0: a file system is asked at most once a second. */
static int look(stopper *stopper)
{
    double now = MPI_Wtime();
    if (stopper->limit > 0 && now - stopper->started >= stopper->limit) return REASON_WALLTIME;
    if (!stopper->file || now - stopper->looked < 1.0) return 0;
    stopper->looked = now;
    return access(stopper->file, F_OK) == 0 ? REASON_FILE : 0;
}

const char *stopper_reason(stopper *stopper)
{
    int rank, reason = received;
    MPI_Comm_rank(stopper->comm, &rank);
    if (rank == 0 && reason == 0) reason = look(stopper);
    MPI_Allreduce(MPI_IN_PLACE, &reason, 1, MPI_INT, MPI_MAX, stopper->comm);
    if (reason == 0) return NULL;
    if (reason == REASON_WALLTIME)
        snprintf(stopper->reason, sizeof stopper->reason, "wall-clock limit");
    else if (reason == REASON_FILE)
        snprintf(stopper->reason, sizeof stopper->reason, "file %.50s", stopper->file);
    else
        snprintf(stopper->reason, sizeof stopper->reason, "signal %d", reason);
    return stopper->reason;
}

void stopper_end(stopper *stopper)
{
    free(stopper->file);
    stopper->file = NULL;
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
