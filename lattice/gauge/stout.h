/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stout.h: steps of stout smearing that are kept, so that forces on the smeared links become forces on the links they were made from.
 */
#ifndef LAT_GAUGE_STOUT_H
#define LAT_GAUGE_STOUT_H

#include "lattice/gauge/gauge.h"

/* steps >= 1 of all directions, as in lat_smear, with 0 <= rho <= 1/4, beyond which rounding grows; on geometries with a halo of
 * at least one site and two corners. */
typedef struct lat_stout lat_stout;
lat_stout *lat_stout_create(const lat_geometry *geometry, lat_group group, int steps, double rho);
/* Of one, as lat_field_memory. */
double lat_stout_memory(const lat_geometry *geometry, lat_group group, int steps);
void lat_stout_free(lat_stout *stout); /* NULL is allowed */

/* The smeared links of a gauge field in double.  Its halo is filled on the way.  Collective. */
void lat_stout_smear(lat_stout *stout, lat_gauge *gauge);
lat_gauge *lat_stout_links(const lat_stout *stout);

/* A force on the links that lat_stout_smear made of these becomes one on these: with V the smeared links,
 * d^a S(V(U)) in place of the derivatives of S(V) with respect to V.  Collective. */
void lat_stout_pull_back(lat_stout *stout, lat_gauge *gauge, lat_field *force);

#endif
