/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loops.h: products of links along lines, and Wilson loops.
 */
#ifndef LAT_GAUGE_LOOPS_H
#define LAT_GAUGE_LOOPS_H

#include "lattice/gauge/gauge.h"

/* The product of `length` links in direction mu, starting at each site: one element of the group a site, in new memory.  Collective. */
lat_field *lat_line(const lat_gauge *gauge, int mu, int length);
/* density[R-1][T-1] += Re tr W / N of the loops of R = 1 ... r_count links in direction mu and T = 1 ... t_count in direction nu, where
 * that density (one double component) is not NULL.  Collective. */
void lat_add_loops(const lat_gauge *gauge, int mu, int nu, int r_count, int t_count, lat_field *const *density);
/* Whether loops of r links in the lower and t in the upper direction of each plane do not wind around the lattice.  Local. */
bool lat_loop_fits(const lat_geometry *geometry, int64_t r, int64_t t);
/* Means of Re tr W / N of the loops of R = 1 ... r_count links in any direction but the last and T = 1 ... t_count links in
 * the last: out[member][R-1][T-1].  Collective. */
void lat_wilson_loops(const lat_gauge *gauge, int r_count, int t_count, double *out);

#endif
