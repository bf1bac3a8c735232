/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * group.h: the gauge groups, by name.
 */
#ifndef LAT_GROUP_H
#define LAT_GROUP_H

typedef enum { LAT_U1, LAT_SU2, LAT_SU3, LAT_GROUPS } lat_group;

extern const char *const lat_group_names[];     /* "u1", "su2", "su3", NULL */
int lat_colours(lat_group group);               /* N: 1, 2, 3 */
int lat_link_reals(lat_group group);            /* reals stored per link: 1, 4, 18 */
int lat_algebra_reals(lat_group group);         /* dim of the algebra: 1, 3, 8 */

#endif
