/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * progress.h: how far a loop has come, with rate and time left: one line that is written over and over on a terminal,
 * now and then a line where there is none.  Local; silence it on all ranks but one.
 *
 *     if (progress_due(&progress, step)) progress_show(&progress, step, "acceptance %.2f", acceptance);
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    FILE *out; /* stdout, unless set to something else after progress_start */
    bool silent, terminal, shown;
    bool seldom; /* no line for a tenth of the way */
    const char *what; /* "step" */
    int64_t first, total;
    double started, last; /* seconds, monotonic */
    int tenths;           /* last tenth of the way that was reported */
} progress;

/* first: steps done already; total: where the loop ends. */
void progress_start(progress *progress, const char *what, int64_t first, int64_t total, bool silent);
/* Afterwards, for a program whose stdout holds results: to stderr, a line every 30 seconds if that is no terminal. */
void progress_to_stderr(progress *progress);
/* Time for a line: five times a second on a terminal; elsewhere after 30 seconds or a tenth of the way. */
bool progress_due(progress *progress, int64_t done);
void progress_show(progress *progress, int64_t done, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Wipes the line of a terminal. */
void progress_finish(progress *progress);

/* Whether a stream is a terminal that somebody sees.  mpirun gives its processes a terminal of their own even when its
 * output goes to a file, so that isatty is not enough. */
bool progress_terminal(FILE *out);
/* "2d03h", "1h05m", "4m10s", "7s". */
void progress_duration(double seconds, char text[16]);

#endif
