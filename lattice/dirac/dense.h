/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dense.h: log |det M| by elimination of the whole matrix: for small lattices of any dimension.
 */
#ifndef LAT_DIRAC_DENSE_H
#define LAT_DIRAC_DENSE_H

#include "lattice/dirac/elimination.h"

typedef struct lat_dense lat_dense;

/* Rows of the matrix on the even sites of a lattice of so many sites, and the memory that it takes. */
double lat_dense_rows(double volume, lat_group group, int dim);
double lat_dense_bytes(double volume, lat_group group, int dim);
/* These are as those of slices.h. */
lat_dense *lat_dense_create(const lat_geometry *geometry, lat_group group, const lat_dirac_parameters *parameters);
void lat_dense_free(lat_dense *dense); /* NULL is allowed */
void lat_dense_log_det(lat_dense *dense, const lat_elimination *of, double *log_det,
                       const lat_elimination *derivatives);

#endif
