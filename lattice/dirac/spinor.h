/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spinor.h: linear algebra of spinor fields.  All on the even sites or on all of them; halos are left alone.  Coefficients: one for each
 * member.  Sums are those of lat_sum, exact, so that they do not depend on ranks and lanes.
 */
#ifndef LAT_DIRAC_SPINOR_H
#define LAT_DIRAC_SPINOR_H

#include "lattice/grid/kernels.h"

typedef enum { LAT_ALL_SITES, LAT_EVEN_SITES } lat_spinor_sites;

lat_range lat_spinor_range(lat_spinor_sites sites, const lat_field *field); /* for kernels */
/* y = a x + b y; NULL: all coefficients are 1 */
void lat_spinor_combine(lat_spinor_sites sites, const double *a, const lat_field *x, const double *b, lat_field *y);
/* out[member] = Re sum x^+ y; density: one double component, overwritten.  Where |x^+ y| of a site is 2^26 and more, this is slow. */
void lat_spinor_dot(lat_spinor_sites sites, const lat_field *x, const lat_field *y, lat_field *density, double *out);
/* x *= gamma5 */
void lat_spinor_gamma5(lat_spinor_sites sites, lat_field *x);

#endif
