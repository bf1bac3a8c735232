/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * smearing.h: smeared links and loops of them.
 */
#ifndef LAT_GAUGE_SMEARING_H
#define LAT_GAUGE_SMEARING_H

#include "lattice/gauge/gauge.h"

/* Smearing and Wilson loops (observe/loops.c).  Links of the first `directions` directions, by staples within them: dim for
 * all, dim - 1 for the space-like ones.  weight: alpha of APE smearing, (1 - alpha) U + alpha times the mean staple, projected
 * to the group (SU(3): unitary factor over the cube root of its determinant); rho of stout smearing.  Collective. */
typedef enum { LAT_SMEARING_NONE, LAT_SMEARING_APE, LAT_SMEARING_STOUT } lat_smearing;
extern const char *const lat_smearing_names[]; /* "none", "ape", "stout", NULL */
void lat_smear(lat_field *links, lat_group group, lat_smearing kind, int steps, double weight, int directions);
/* Means of Re tr W / N of the loops of R = 1 ... r_count links in any direction but the last and T = 1 ... t_count links in
 * the last: out[member][R-1][T-1].  Collective. */
void lat_wilson_loops(lat_field *links, lat_group group, int r_count, int t_count, double *out);

#endif
