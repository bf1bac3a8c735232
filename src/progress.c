/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * progress.c: progress lines.
 */
#include "src/progress.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

bool progress_terminal(FILE *out)
{
    if (!isatty(fileno(out))) return false;
    if (!getenv("OMPI_COMM_WORLD_SIZE")) return true;
    char path[40];
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getppid(), fileno(out));
    int file = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    bool terminal = file >= 0 && isatty(file);
    if (file >= 0) close(file);
    return terminal;
}

void progress_start(progress *progress, const char *what, int64_t first, int64_t total, bool silent)
{
    memset(progress, 0, sizeof *progress);
    progress->out = stdout;
    progress->silent = silent;
    progress->terminal = !silent && progress_terminal(stdout);
    progress->what = what;
    progress->first = first;
    progress->total = total;
    progress->started = progress->last = now();
}

void progress_to_stderr(progress *progress)
{
    progress->out = stderr;
    progress->terminal = !progress->silent && progress_terminal(stderr);
    progress->seldom = true;
}

/* Tenths of the way from first to total. */
static int tenths(const progress *progress, int64_t done)
{
    int64_t way = progress->total - progress->first;
    return way > 0 ? (int)(10.0 * (double)(done - progress->first) / (double)way) : 0;
}

bool progress_due(progress *progress, int64_t done)
{
    if (progress->silent) return false;
    double passed = now() - progress->last;
    if (progress->terminal) return passed >= 0.2;
    return passed >= 30.0 || (!progress->seldom && tenths(progress, done) > progress->tenths);
}

void progress_duration(double seconds, char text[16])
{
    if (!(seconds < 99.0 * 86400)) {
        snprintf(text, 16, "99 days or more");
        return;
    }
    int64_t s = llrint(seconds);
    int days = (int)(s / 86400), hours = (int)(s / 3600 % 24), minutes = (int)(s / 60 % 60);
    if (days > 0)
        snprintf(text, 16, "%dd%02dh", days, hours);
    else if (hours > 0)
        snprintf(text, 16, "%dh%02dm", hours, minutes);
    else if (minutes > 0)
        snprintf(text, 16, "%dm%02ds", minutes, (int)(s % 60));
    else
        snprintf(text, 16, "%ds", (int)s);
}

/* A longer line would not be written over by the next one. */
static int terminal_width(FILE *out)
{
    struct winsize size = {0};
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void progress_show(progress *progress, int64_t done, const char *format, ...)
{
    if (progress->silent) return;
    progress->last = now();
    progress->tenths = tenths(progress, done);
    double passed = progress->last - progress->started;
    double rate = passed > 0 ? (double)(done - progress->first) / passed : 0.0;
    char left[16], text[256];
    progress_duration(rate > 0 ? (double)(progress->total - done) / rate : INFINITY, left);
    int used =
        snprintf(text, sizeof text, "%s %lld/%lld (%.0f %%)  %.3g/s  left %s  ", progress->what, (long long)done,
                 (long long)progress->total,
                 progress->total > 0 ? floor(100.0 * (double)done / (double)progress->total) : 100.0, rate, left);
    va_list list;
    va_start(list, format);
    if (used < (int)sizeof text) vsnprintf(text + used, sizeof text - (size_t)used, format, list);
    va_end(list);
    if (progress->terminal)
        fprintf(progress->out, "\r%.*s\033[K", terminal_width(progress->out) - 1, text);
    else
        fprintf(progress->out, "%s\n", text);
    fflush(progress->out);
    progress->shown = true;
}

void progress_finish(progress *progress)
{
    if (progress->terminal && progress->shown) fprintf(progress->out, "\r\033[K");
    fflush(progress->out);
}
