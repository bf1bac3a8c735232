/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tempering.h: how long the ladder of a chain should be.
 */
#ifndef TEMPERING_H
#define TEMPERING_H

#include "hmc/update.h"

/* After what an update of the kind `tempering` has seen since its ladder was changed last: the fewest rungs, from the first coupling to the
 * last, whose swaps are all accepted as often as the ladder asks for.  Returns their number; above LAT_MOST_RUNGS there are no couplings.
 * Local. */
int mc_tempering_plan(const mc_update *update, lat_rungs *rungs);

#endif
