/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gauge.h: gauge fields and couplings of links.
 */
#ifndef LAT_GAUGE_H
#define LAT_GAUGE_H

#include "lattice/grid/grid.h"
#include "lattice/group/group.h"

lat_field *lat_field_gauge(const lat_geometry *geometry, lat_group group, lat_precision precision); /* unit links */
lat_field *lat_field_algebra(const lat_geometry *geometry, lat_group group, lat_precision precision);
/* Links with Haar measure.  Halo not filled. */
void lat_field_haar(lat_field *links, lat_group group, const lat_random *random);

/* U_mu(x) <- exp(step * A_mu(x)) U_mu(x), A an algebra field.  Halo of U not filled. */
void lat_gauge_exp_update(lat_field *links, lat_group group, double step, const lat_field *algebra);
/* U_mu(x) <- g(x) U_mu(x) g(x+mu)^+; g has lat_link_reals components and a filled halo. */
void lat_gauge_transform(lat_field *links, lat_group group, const lat_field *g);

/* Reads the keys `boundary` and `defect` of a lattice, whose size is known, into its shape. */
void lat_boundary_read(lat_settings *lattice, lat_shape *shape, lat_error *error);
/* The same keys as one line of text, to be released with free(); NULL: all couplings are 1. */
char *lat_boundary_print(const lat_boundary *boundary, int dim);
bool lat_boundary_is_periodic(const lat_boundary *boundary); /* all couplings are 1 */
bool lat_boundary_has_gaps(const lat_boundary *boundary);    /* some are 0 */

/* The couplings of links that follow from the boundary: dim components in double, halo filled; NULL if all are 1.  Collective. */
lat_field *lat_couplings_create(const lat_geometry *geometry);

#endif
