/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * wilson.c: the operator of Wilson quarks, A = 1.
 */
#include "lattice/dirac/dirac.h"

const lat_dirac_table lat_dirac_wilson = {.name = "wilson", .halo = 1, .corners = 1};
