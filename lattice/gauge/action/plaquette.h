/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plaquette.h: what actions with plaquettes share.
 */
#ifndef LAT_GAUGE_ACTION_PLAQUETTE_H
#define LAT_GAUGE_ACTION_PLAQUETTE_H

#include "lattice/gauge/action.h"

/* beta sum c_P (1 - Re tr P / N) and its force, with the couplings of the links. */
void lat_plaquette_value(double beta, lat_gauge *gauge, lat_field *density);
void lat_plaquette_value_at(double beta, lat_gauge *gauge, const lat_sites *sites, lat_field *density);
void lat_plaquette_force(double beta, lat_gauge *gauge, double scale, lat_field *force);

#endif
