/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * slices.h: log |det M| in two dimensions, by elimination of time slices.
 */
#ifndef LAT_DIRAC_SLICES_H
#define LAT_DIRAC_SLICES_H

#include "lattice/dirac/elimination.h"

typedef struct lat_slices lat_slices;

/* Memory that it takes for lattices of these extents. */
double lat_slices_bytes(const int64_t *size, lat_group group);
/* The geometry is of the host, in double, with whole lattices in lanes. */
lat_slices *lat_slices_create(const lat_geometry *geometry, lat_group group, const lat_dirac_parameters *parameters);
void lat_slices_free(lat_slices *slices); /* NULL is allowed */

/* log_det[lane] = log |det M|, and its derivatives; NULL: they are not wanted.  Local. */
void lat_slices_log_det(lat_slices *slices, const lat_elimination *of, double *log_det,
                        const lat_elimination *derivatives);

#endif
