/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * group.c: the gauge groups, by name.
 */
#include "lattice/group/group.h"

#include <stddef.h>

const char *const lat_group_names[] = {"u1", "su2", "su3", NULL};

int lat_colours(lat_group group)
{
    static const int colours[LAT_GROUPS] = {1, 2, 3};
    return colours[group];
}

int lat_link_reals(lat_group group)
{
    static const int reals[LAT_GROUPS] = {1, 4, 18};
    return reals[group];
}

int lat_algebra_reals(lat_group group)
{
    static const int reals[LAT_GROUPS] = {1, 3, 8};
    return reals[group];
}
