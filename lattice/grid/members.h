/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * members.h: ways of moving members of fields, for members.c to choose from.
 */
#ifndef LAT_GRID_MEMBERS_H
#define LAT_GRID_MEMBERS_H

#include "lattice/grid/field.h"

/* As lat_field_take_members, on the host where no lattice is cut over lanes (take_lanes.c). */
void lat_take_lanes(lat_field *to, const lat_field *from, const int *member);

/* In the memory of a device (device_members.c): as lat_field_get_local, lat_field_set_local, lat_field_take_members. */
void lat_device_get_local(const lat_field *field, int member, double *values);
void lat_device_set_local(lat_field *field, int member, const double *values);
void lat_device_take_members(lat_field *to, const lat_field *from, const int *member);

#endif
