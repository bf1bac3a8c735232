/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * meson_masses.h: what correlators of mesons tell of masses.  Local: for one rank.
 */
#ifndef MESON_MASSES_H
#define MESON_MASSES_H

#include "lattice/lattice.h"
#include "src/jackknife.h"

typedef struct {
    const lat_meson_columns *asked;
    int64_t slices, count;    /* configurations */
    jackknife cut;            /* of them */
    double *number, *replica; /* of each */
    double *value;            /* [configuration]: as lat_meson_columns_measure has them */
} meson_correlators;

/* arcosh [(C(t-1) + C(t+1)) / 2 C(t)], which is m for C = cosh m (t - T/2) and for sinh; of the mean of C(t) and `parity` C(T - t), 0 < t < T.  NaN
 * where there is no such number. */
double meson_mass(const double *correlator, int64_t slices, int parity, int64_t t);
/* [A(t+1) - A(t-1)] / 4 P(t), the bare mass of a quark by the conservation of the axial current, for the channels A4P and PP, taken as even and odd in
 * time. */
double meson_pcac_mass(const double *axial, const double *pion, int64_t slices, int64_t t);

/* Lines of comments: these masses for 0 < t <= T/2, with errors of the jackknife. */
void meson_masses_print(const meson_correlators *correlators);
/* The same numbers as HDF5, in a group that is named after the operator: `CHANNEL` [configuration][t], `configuration`, `replica`, `condensate` [configuration];
 * `CHANNEL_mass`, `pcac_mass` [t - 1], each with an `_error`. */
lat_status meson_masses_write(const char *path, const meson_correlators *correlators, lat_error *error);

#endif
