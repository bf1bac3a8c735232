/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * apart.h: members of a gauge field copied to a lattice of their own, which has what an observable needs of one: a halo, a layout for float,
 * no more members than are measured.
 */
#ifndef LAT_OBSERVE_APART_H
#define LAT_OBSERVE_APART_H

#include "lattice/gauge/gauge.h"

typedef struct {
    int *member; /* those, of the field that they are of */
    lat_geometry *geometry;
    lat_gauge *gauge;
} lat_apart;

/* All members (-1), or one; of the shape its halo, corners and precision are asked for.  What was made is freed in any case by lat_apart_free.
 * Collective. */
lat_status lat_apart_create(const lat_gauge *gauge, int member, const lat_shape *needs, lat_apart *apart,
                            lat_error *error);
void lat_apart_free(lat_apart *apart);
/* Links and boundaries as they are now.  Collective. */
void lat_apart_take(lat_apart *apart, const lat_gauge *gauge);

#endif
