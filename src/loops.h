/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loops.h: Wilson loops of space and time, of all sizes, on links whose space-like part is smeared.
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
} loops;

/* The group `loops` of a configuration, if it is there. */
void loops_read(lat_settings *root, loops *loops, lat_error *error);
/* Numbers of one configuration: r times t, or 0. */
int loops_columns(const loops *loops);
/* Their names, each after a space. */
void loops_add_names(const loops *loops, lat_bytes *text);
/* LAT_CONFIG if the lattice of a file has no such loops. */
lat_status loops_check(const loops *loops, const lat_gauge *gauge, const char *path, lat_error *error);
/* value[r - 1][t - 1].  Collective. */
void loops_measure(const loops *loops, const lat_gauge *gauge, double *value);

#endif
