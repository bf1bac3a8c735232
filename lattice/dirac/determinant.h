/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * determinant.h: the determinant of a Dirac operator as an action, exact.
 */
#ifndef LAT_DIRAC_DETERMINANT_H
#define LAT_DIRAC_DETERMINANT_H

#include "lattice/dirac/dirac.h"
#include "lattice/gauge/action.h"

/* S = -flavours log |det M|: for an odd number of flavours without mu the modulus stands for det M, whose sign is lost.  Every rank works on whole
 * lattices, its share of the members; so results depend on neither ranks nor lanes nor other members.  In two dimensions time slices are
 * eliminated one by one; in four the whole matrix, on small lattices.
 * The operator stays the caller's and outlives the action; the action is for double links on its geometry.  LAT_CONFIG where the lattice
 * is too large.  The action fails with LAT_NUMERICAL where the determinant is zero.  Collective. */
lat_action *lat_action_determinant(lat_dirac *dirac, int flavours, lat_error *error);

#endif
