/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pullback.h: pulled-back actions.
 */
#ifndef FLOWS_PULLBACK_H
#define FLOWS_PULLBACK_H

#include "flows/map.h"

/* S_F(V) = S(F(V)) - log |det dF/dV|.  Neither the map nor the action is owned.  log det belongs to the innermost level. */
lat_action *flow_pullback(flow_map *map, lat_action *action);

#endif
