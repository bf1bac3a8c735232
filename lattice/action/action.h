/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * action.h: the kinds of terms that a configuration can name.
 */
#ifndef ACTION_H
#define ACTION_H

#include "../lattice.h"

/* Each reads its own keys; a failure is left in error. */
lat_action *lat_action_read_wilson(lat_settings *settings, lat_group group, lat_error *error);

#endif
