/* flowhmc: sampling lattice gauge fields with flows and Hybrid Monte Carlo
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lattice.h: the public contract of the field library, the ground floor of the program.
 *
 * Conventions.  Links U_mu(x) lead from x to x+mu.  Directions are 0, 1, 2, 3 = x, y, z, t and site indices run x
 * fastest.  P_mn(x) = U_m(x) U_n(x+m) U_m(x+n)^+ U_n(x)^+.  A U(1) link is stored as its angle in [-pi, pi].
 * Algebra fields hold the components of the basis T_a with tr T_a T_b = -delta_ab / 2 (U(1): T = i, one component).
 * "Collective" means: every rank of the communicator calls the function with the same arguments; all others are local.
 * Functions that can fail return a lat_status and describe the failure in a lat_error.
 */
#ifndef LATTICE_H
#define LATTICE_H

#include "lattice/base/base.h"
#include "lattice/dirac/action.h"
#include "lattice/dirac/determinant.h"
#include "lattice/dirac/dirac.h"
#include "lattice/dirac/pseudofermions.h"
#include "lattice/dirac/solver.h"
#include "lattice/dirac/spinor.h"
#include "lattice/gauge/action.h"
#include "lattice/gauge/gauge.h"
#include "lattice/gauge/gradient_flow.h"
#include "lattice/gauge/loops.h"
#include "lattice/gauge/orbits.h"
#include "lattice/gauge/smearing.h"
#include "lattice/grid/grid.h"
#include "lattice/group/group.h"
#include "lattice/io/config.h"
#include "lattice/io/h5.h"
#include "lattice/observe/exact2d.h"
#include "lattice/observe/meson_columns.h"
#include "lattice/observe/mesons.h"
#include "lattice/observe/observable.h"

#endif
