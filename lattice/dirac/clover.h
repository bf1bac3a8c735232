/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clover.h: the clover term, for operators that have it.
 */
#ifndef LAT_DIRAC_CLOVER_H
#define LAT_DIRAC_CLOVER_H

#include "lattice/dirac/dirac.h"

/* `fill`, `force` and `force_reals` of lat_dirac_table, of A = 1 + E, E = kappa csw sum_{m<n} i sigma_mn F_mn. */
void lat_clover_fill(const lat_dirac *dirac, const lat_gauge *gauge, lat_field *blocks);
void lat_clover_force(const lat_dirac *dirac, lat_gauge *gauge, const lat_field *weights, lat_field *force);
int lat_clover_force_reals(lat_group group, int dim);

#endif
