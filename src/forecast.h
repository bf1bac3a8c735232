/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forecast.h: what a run will need, before it is begun: memory, disk and, where a short trial was made, time.
 */
#ifndef FORECAST_H
#define FORECAST_H

#include "src/ensemble.h"

typedef struct {
    int64_t steps;       /* that were timed */
    double step_seconds; /* wall-clock time of one; that of measurements is in the series */
} trial;

/* Prints it on stdout; trial: NULL if there was none.  Collective. */
void forecast_print(const ensemble *ensemble, const char *layout, const trial *trial);

#endif
