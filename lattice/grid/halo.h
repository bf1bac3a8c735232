/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo.h: filling the halo of a field, and the adjoint operation.
 */
#ifndef LAT_GRID_HALO_H
#define LAT_GRID_HALO_H

#include "lattice/grid/field.h"

/* Fills the halo of a field from the owners of its sites.  Collective.  Between the two halves the halo of the inner sites
 * is filled already (what comes from lanes of the same rank), so that work on them overlaps with the messages; the
 * outer sites must not change.  A geometry has one exchange of a given number of components under way at a time. */
void lat_halo_start(lat_field *field);
void lat_halo_finish(lat_field *field);
void lat_halo_exchange(lat_field *field);
/* The same for no more than the links in direction mu at the sites of one parity, and where staples need them: after an
 * update of these links, when the rest of the halo is filled. */
void lat_halo_start_links(lat_field *links, int mu, int parity);
void lat_halo_finish_links(lat_field *links, int mu, int parity);
/* The same for the links in all directions, where staples and plaquettes need them: the rest of the halo is left alone. */
void lat_halo_start_staples(lat_field *links);
void lat_halo_finish_staples(lat_field *links);
/* Bytes that this rank sends in an exchange of the whole halo, and in one for staples. */
int64_t lat_halo_bytes(const lat_field *field);
int64_t lat_halo_staple_bytes(const lat_field *links);
/* The adjoint: adds every halo value to the site it is a copy of and zeroes the halo.  Collective. */
void lat_halo_adjoint(lat_field *field);

#endif
