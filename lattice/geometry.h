/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * geometry.h: what the files of this floor share about geometries.
 */
#ifndef GEOMETRY_H
#define GEOMETRY_H

#include "lattice.h"

/* The sites of the block for which choose(geometry, site, value) holds, in order; lat_sites_free. */
lat_sites lat_sites_where(const lat_geometry *geometry, bool (*choose)(const lat_geometry *geometry, int64_t site, int value), int value);

/* Where a site and a lane lie in the rank's part, in site order: the place is the sum of both (field.c). */
int64_t lat_site_place(const lat_geometry *geometry, int64_t site);
int64_t lat_lane_place(const lat_geometry *geometry, int lane);

/* Releases the exchanges of a geometry (halo.c). */
void lat_halos_free(lat_geometry *geometry);

/* Releases the room for paths (paths.c). */
void lat_paths_free(lat_geometry *geometry);

#endif
