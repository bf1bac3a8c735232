/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * action.h: the kinds of terms that a configuration can name, and what they share.
 */
#ifndef ACTION_H
#define ACTION_H

#include "lattice/gauge/action.h"

/* Each reads its own keys; a failure is left in error. */
lat_action *lat_action_read_wilson(lat_settings *settings, lat_group group, lat_error *error);
lat_action *lat_action_read_improved(lat_settings *settings, lat_group group, lat_error *error);
lat_action *lat_action_read_luescher_weisz(lat_settings *settings, lat_group group, lat_error *error);
lat_action *lat_action_read_iwasaki(lat_settings *settings, lat_group group, lat_error *error);
lat_action *lat_action_read_dbw2(lat_settings *settings, lat_group group, lat_error *error);

/* N of the group. */
double lat_colours(lat_group group);

/* For kernels; NULL: all are 1. */
const double *lat_couplings_of(const lat_action *action);

/* beta sum c_P (1 - Re tr P / N) and its force, with the couplings of the action; the halo of the links is filled. */
void lat_plaquette_value(const lat_action *action, double beta, lat_field *links, lat_field *density);
void lat_plaquette_force(const lat_action *action, double beta, lat_field *links, double scale, lat_field *force);

#endif
