/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * variates.h: control variates for correlators of slices that flowmeas measures (doc/control_variates.md).
 *
 *     action = ( { kind = "wilson"; beta = 6.0; } );
 *     variates = { shapes = [ "xy-x-y", "xxy-x-x-y" ]; source = "xy-x-y"; range = 1; };
 *
 * O(t) is the sum of Re tr L / N over the loops of the source within slice t, A_i(t) that of w.dS - div w, w the gradient of W_t, for each orbit i
 * of the shapes (lattice/gauge/orbits.h): with the action that the configurations are distributed with, its average is 0.
 */
#ifndef VARIATES_H
#define VARIATES_H

#include "lattice/lattice.h"

enum { VARIATES_SHAPES = 16 };

typedef struct {
    bool wanted;
    int shapes;
    const char *shape[VARIATES_SHAPES];
    int source;         /* which of them */
    int range;          /* slices from the source that variates may reach */
    const char *model;  /* file with coefficients; NULL: they are fitted */
    lat_settings *root; /* where the action is */
} variates;

/* The group `variates` of a configuration and the action, if the former is there; the settings must live as long. */
void variates_read(lat_settings *root, variates *variates, lat_error *error);
/* Orbits of the shapes, to be freed; NULL: LAT_CONFIG. */
lat_orbits *variates_orbits(const variates *variates, int dim, lat_error *error);
/* The orbit of the source: within a slice; -1: there is none. */
int variates_source(const variates *variates, const lat_orbits *orbits);
/* Makes a shape, whose dimension is known, ask for what the orbits and the action need. */
void variates_shape(const variates *variates, lat_shape *shape);
/* Numbers of one configuration: O(t), then A_i(t) for each orbit; or 0.  And their names, each after a space. */
int64_t variates_columns(const variates *variates, int dim, int64_t slices);
void variates_add_names(const variates *variates, int dim, int64_t slices, lat_bytes *text);
/* LAT_CONFIG if the lattice of a file has no such variates, or a model does not fit.  Collective. */
lat_status variates_check(const variates *variates, lat_gauge *gauge, const char *path, lat_error *error);
/* value[1 + i][t].  Collective. */
void variates_measure(const variates *variates, lat_gauge *gauge, double *value);

#endif
