/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kinds.c: the observables of this folder.
 */
#include "lattice/observe/observable.h"

const lat_observable_kind *const lat_observable_kinds[] = {
    &lat_observable_plaquette, &lat_observable_rectangle, &lat_observable_charge,
    &lat_observable_polyakov,  &lat_observable_wilson_loop, &lat_observable_gradient_flow, &lat_observable_mesons, NULL,
};
