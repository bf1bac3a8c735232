/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * smearing.h: smeared links.
 */
#ifndef LAT_GAUGE_SMEARING_H
#define LAT_GAUGE_SMEARING_H

#include "lattice/gauge/gauge.h"

typedef enum { LAT_SMEARING_NONE, LAT_SMEARING_APE, LAT_SMEARING_STOUT } lat_smearing;
extern const char *const lat_smearing_names[]; /* "none", "ape", "stout", NULL */
/* Links of the first `directions` directions, by staples within them: dim for all, dim - 1 for the space-like ones.  weight: alpha of
 * APE smearing, (1 - alpha) U + alpha times the mean staple, projected to the group (SU(3): unitary factor over the cube root of its
 * determinant); rho of stout smearing.  Collective. */
void lat_smear(lat_gauge *gauge, lat_smearing kind, int steps, double weight, int directions);

#endif
