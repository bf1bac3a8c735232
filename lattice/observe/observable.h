/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * observable.h: what is measured of configurations.
 */
#ifndef LAT_OBSERVE_OBSERVABLE_H
#define LAT_OBSERVE_OBSERVABLE_H

#include "lattice/gauge/gauge.h"

/* The table of an observable: one or more numbers per member.  Collective. */
typedef struct lat_observable lat_observable;
struct lat_observable {
    char name[32];        /* as in the configuration: "wilson_loop_2x2" */
    int columns;          /* numbers per member */
    const char *column[2];/* suffix of each column's name: "", "_squared", "_im" ... */
    int extent[2];        /* R and T of a Wilson loop */
    void (*measure)(const lat_observable *observable, lat_field *links, lat_group group, double *out /* [members][columns] */);
};
/* plaquette: mean of Re tr P / N over the plaquettes whose coupling is not 0; the others know no such plaquettes and are
 * refused.  rectangle: mean of Re tr R / N, both orientations.  charge: Q = sum arg P / 2 pi and Q^2 (2D U(1)).  polyakov: mean of tr L / N along the
 * last direction, real and imaginary part.  wilson_loop_RxT: mean of Re tr W / N over sites and planes (R along the lower
 * direction). */
lat_status lat_observable_find(const char *name, lat_group group, const lat_shape *shape, lat_observable *out, lat_error *error);


/* Exact values in two dimensions, periodic Lx x Ly (exact2d.c): NaN where none is known.
 * Name: "plaquette", "charge_squared" (U(1)), "charge" (0), "wilson_loop_RxT" (R < Lx, T < Ly). */
double lat_exact2d(const char *name, lat_group group, double beta, int64_t volume);
/* ln Z = ln of the integral of exp(-S) over the normalised Haar measure of all links. */
double lat_exact2d_log_z(lat_group group, double beta, int64_t volume);

#endif
