/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loops.h: Wilson loops of space and time, of all sizes, on links whose space-like part is smeared, and Creutz ratios.
 */
#ifndef LOOPS_H
#define LOOPS_H

#include "lattice/lattice.h"

typedef struct {
    bool wanted;
    int r, t; /* the longest */
    lat_smearing smearing;
    int steps;
    double weight;
    int64_t count, room;
    double *value; /* [configuration][r - 1][t - 1] */
} loops;

/* The group `loops` of a configuration, if it is there. */
void loops_read(lat_settings *root, loops *loops, lat_error *error);
/* Adds a configuration.  LAT_CONFIG if its lattice is too small for the loops.  Collective. */
lat_status loops_measure(loops *loops, const lat_gauge *gauge, const char *path, lat_error *error);
/* Each after a space: names of the columns, and the numbers of the last configuration. */
void loops_print_heading(const loops *loops);
void loops_print_row(const loops *loops);
/* Lines of comments: Creutz ratios of the means, with errors of the jackknife over configurations. */
void loops_print_ratios(const loops *loops);
void loops_free(loops *loops);

#endif
