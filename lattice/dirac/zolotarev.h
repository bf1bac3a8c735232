/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * zolotarev.h: the best rational approximation of an inverse square root.
 */
#ifndef LAT_DIRAC_ZOLOTAREV_H
#define LAT_DIRAC_ZOLOTAREV_H

#include "lattice/base/error.h"

enum { LAT_ZOLOTAREV_MOST = 64 };

/* R(y) = scale prod_i (y + zero[i]) / (y + pole[i]) = scale (1 + sum_i residue[i] / (y + pole[i])), with the least
 * possible largest |1 - sqrt(y) R(y)| = error on [epsilon, 1].  Shifts descend. */
typedef struct {
    int degree;
    double epsilon, scale, error;
    double zero[LAT_ZOLOTAREV_MOST], pole[LAT_ZOLOTAREV_MOST], residue[LAT_ZOLOTAREV_MOST];
} lat_zolotarev;

/* LAT_CONFIG unless 1 <= degree <= LAT_ZOLOTAREV_MOST and 0 < epsilon < 1. */
lat_status lat_zolotarev_create(int degree, double epsilon, lat_zolotarev *out, lat_error *error);

#endif
