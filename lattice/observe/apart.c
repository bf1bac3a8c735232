/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * apart.c: members on a lattice of their own.
 */
#include "lattice/observe/apart.h"

#include <stdlib.h>
#include <string.h>

lat_status lat_apart_create(const lat_gauge *gauge, int member, const lat_shape *needs, lat_apart *apart,
                            lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_shape shape = {.dim = g->dim,
                       .members = member < 0 ? g->members : 1,
                       .backend = g->backend,
                       .halo = needs->halo,
                       .corners = needs->corners,
                       .precision = needs->precision};
    memcpy(shape.size, g->size, sizeof shape.size);
    memcpy(shape.ranks, g->ranks, sizeof shape.ranks);
    *apart = (lat_apart){.member = lat_alloc(shape.members, sizeof *apart->member)};
    for (int m = 0; m < shape.members; m++) apart->member[m] = member < 0 ? m : member;
    if (lat_geometry_create(g->comm, &shape, &apart->geometry, error)) return error->status;
    apart->gauge = lat_gauge_create(apart->geometry, gauge->group, LAT_DOUBLE);
    lat_apart_take(apart, gauge);
    return LAT_DONE;
}

void lat_apart_free(lat_apart *apart)
{
    lat_gauge_free(apart->gauge);
    lat_geometry_free(apart->geometry);
    free(apart->member);
}

void lat_apart_take(lat_apart *apart, const lat_gauge *gauge)
{
    lat_field_take_members(apart->gauge->links, gauge->links, apart->member);
    lat_gauge_changed(apart->gauge);
    for (int m = 0; m < apart->geometry->members; m++)
        lat_gauge_couple(apart->gauge, m, &gauge->boundary[apart->member[m]]);
}
