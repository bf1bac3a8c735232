/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * slices.h: log |det M| of the Wilson operator in two dimensions, by elimination of time slices.
 */
#ifndef LAT_DIRAC_SLICES_H
#define LAT_DIRAC_SLICES_H

#include "lattice/dirac/dirac.h"

typedef struct lat_slices lat_slices;

/* Memory that it takes for lattices of these extents. */
double lat_slices_bytes(const int64_t *size, lat_group group);
/* The geometry is of the host, in double, with whole lattices in lanes. */
lat_slices *lat_slices_create(const lat_geometry *geometry, lat_group group, const lat_dirac_parameters *parameters);
void lat_slices_free(lat_slices *slices); /* NULL is allowed */

/* log_det[lane] = log |det M| of the links of lat_dirac_links.
 * gradient, a field like the links, NULL: not wanted: N x N matrices Z_mu(x), with which d log |det M| / dt = Re tr(T_a Z_mu(x)) along
 * exp(t T_a) U_mu(x).  Local. */
void lat_slices_log_det(lat_slices *slices, const lat_field *links, double *log_det, lat_field *gradient);

#endif
