/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * comparison.h: runs side by side, from their summaries.
 */
#ifndef COMPARISON_H
#define COMPARISON_H

#include "lattice/lattice.h"

/* Prints a table with one column per run directory: kinds of updates, acceptance and ESS of the first, tau_int of each observable
 * of the first run, and core-seconds per independent sample of the slowest; of two runs, a sentence that says what it means.  Local: call
 * it on one rank.  LAT_FORMAT if a summary cannot be read. */
lat_status comparison_print(const char *const *directory, int count, lat_error *error);

#endif
