/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * exact2d.h: exact values in two dimensions.
 */
#ifndef LAT_OBSERVE_EXACT2D_H
#define LAT_OBSERVE_EXACT2D_H

#include "lattice/group/group.h"

#include <stdint.h>

/* Exact values in two dimensions, periodic Lx x Ly: NaN where none is known.
 * Name: "plaquette", "charge_squared" (U(1)), "charge" (0), "wilson_loop_RxT" (R < Lx, T < Ly). */
double lat_exact2d(const char *name, lat_group group, double beta, int64_t volume);
/* ln Z = ln of the integral of exp(-S) over the normalised Haar measure of all links. */
double lat_exact2d_log_z(lat_group group, double beta, int64_t volume);

#endif
