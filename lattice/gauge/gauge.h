/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gauge.h: the gauge field: links, their group, their couplings, and a version.
 */
#ifndef LAT_GAUGE_H
#define LAT_GAUGE_H

#include "lattice/gauge/boundary.h"
#include "lattice/group/group.h"

/* Whoever keeps something that was made from the links keeps the field's id and their version, and makes it anew where one is another. */
typedef struct {
    lat_field *links; /* dim * lat_link_reals components, component = mu * lat_link_reals + real */
    lat_group group;
    lat_boundary *boundary; /* [members]: what the couplings follow from */
    lat_field *couplings;   /* of the links: dim components in double, halo filled; NULL: all are 1 */
    uint64_t version;       /* raised by all that changes links */
    uint64_t id;            /* that no other gauge field of the geometry has, or had */
} lat_gauge;

lat_gauge *lat_gauge_create(const lat_geometry *geometry, lat_group group, lat_precision precision); /* unit links, couplings 1 */
void lat_gauge_free(lat_gauge *gauge); /* NULL is allowed */

/* Algebra fields: dim * lat_algebra_reals components.  Fields of elements of the group, any number of them a site, with Haar measure;
 * halo not filled. */
lat_field *lat_field_algebra(const lat_geometry *geometry, lat_group group, lat_precision precision);
void lat_field_haar(lat_field *elements, lat_group group, const lat_random *random);

/* Gives a member, or all (member < 0), the couplings that follow from the boundary.  Collective. */
void lat_gauge_couple(lat_gauge *gauge, int member, const lat_boundary *boundary);
/* The same for all members, boundary[members]: where the defects alone are others, what it takes is in proportion to their links.
 * Collective. */
void lat_gauge_couple_members(lat_gauge *gauge, const lat_boundary *boundary);
bool lat_gauge_is_periodic(const lat_gauge *gauge); /* all couplings of all members are 1 */
bool lat_gauge_has_gaps(const lat_gauge *gauge);    /* some are 0 */
/* For kernels; NULL: all are 1. */
const double *lat_gauge_couplings(const lat_gauge *gauge);

/* Whether a link of a member is not finite; links in double.  Collective. */
bool lat_gauge_is_lost(const lat_gauge *gauge, int member);

/* The links were changed by other means than the functions below. */
void lat_gauge_changed(lat_gauge *gauge);
/* Links, halo included, converting the precision; the couplings stay. */
void lat_gauge_copy(lat_gauge *to, const lat_gauge *from);
/* Those of the members m with choose[m] true. */
void lat_gauge_copy_members(lat_gauge *to, const lat_gauge *from, const bool *choose);
/* Links with Haar measure.  Halo not filled. */
void lat_gauge_haar(lat_gauge *gauge, const lat_random *random);
/* U_mu(x) <- exp(step * A_mu(x)) U_mu(x), A an algebra field.  Halo of U not filled. */
void lat_gauge_exp_update(lat_gauge *gauge, double step, const lat_field *algebra);
/* U_mu(x) <- g(x) U_mu(x) g(x+mu)^+; g has lat_link_reals components and a filled halo. */
void lat_gauge_transform(lat_gauge *gauge, const lat_field *g);

#endif
