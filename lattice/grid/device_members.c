/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * device_members.c: members of fields in the memory of a device, by way of their numbers in the order of sites, there.
 */
#include "lattice/grid/members.h"

#include "lattice/grid/kernels.h"

#include <stdlib.h>

typedef void order_kernel(const to_site_order_args *args, const lat_range *range);

static int64_t reals_of(const lat_field *field)
{
    const lat_geometry *g = field->geometry;
    return g->volume / g->rank_count * field->components;
}

/* which[member]: its place among the values, or -1. */
static void reorder(const lat_field *field, order_kernel *kernel, double *values, const int *which)
{
    const lat_geometry *g = field->geometry;
    int *lanes = lat_alloc(g->lanes, sizeof *lanes);
    for (int lane = 0; lane < g->lanes; lane++) lanes[lane] = g->lane_member[lane] < g->members ? which[g->lane_member[lane]] : -1;
    int *shared = lat_share(g, lanes, g->lanes * (int64_t)sizeof *lanes);
    to_site_order_args args = {lat_tables_of(g), field->data, values, shared, reals_of(field), field->components};
    lat_range range = lat_block(g);
    kernel(&args, &range);
    lat_unshare(g, shared);
    free(lanes);
}

/* A list in which the member alone has a place, the first. */
static int *only(const lat_geometry *g, int member)
{
    int *which = lat_alloc(g->members, sizeof *which);
    for (int m = 0; m < g->members; m++) which[m] = m == member ? 0 : -1;
    return which;
}

void lat_device_get_local(const lat_field *field, int member, double *values)
{
    const lat_backend *backend = field->geometry->backend;
    int64_t bytes = reals_of(field) * (int64_t)sizeof *values;
    int *which = only(field->geometry, member);
    double *ordered = backend->allocate(bytes);
    reorder(field, lat_field_kernels_of(field)->to_site_order, ordered, which);
    backend->download(values, ordered, bytes, LAT_OF_FIELD);
    backend->release(ordered);
    free(which);
}

void lat_device_set_local(lat_field *field, int member, const double *values)
{
    const lat_backend *backend = field->geometry->backend;
    int64_t bytes = reals_of(field) * (int64_t)sizeof *values;
    int *which = only(field->geometry, member);
    double *ordered = backend->allocate(bytes);
    backend->upload(ordered, values, bytes, LAT_OF_FIELD);
    reorder(field, lat_field_kernels_of(field)->from_site_order, ordered, which);
    backend->release(ordered);
    free(which);
}

void lat_device_take_members(lat_field *to, const lat_field *from, const int *member)
{
    const lat_backend *backend = to->geometry->backend;
    int *which = lat_alloc(from->geometry->members, sizeof *which), *place = lat_alloc(to->geometry->members, sizeof *place), places = 0;
    for (int m = 0; m < from->geometry->members; m++) which[m] = -1;
    for (int m = 0; m < to->geometry->members; m++) {
        if (member[m] >= 0 && which[member[m]] < 0) which[member[m]] = places++;
        place[m] = member[m] >= 0 ? which[member[m]] : -1;
    }
    if (places > 0) {
        double *ordered = backend->allocate(places * reals_of(from) * (int64_t)sizeof *ordered);
        reorder(from, lat_field_kernels_of(from)->to_site_order, ordered, which);
        reorder(to, lat_field_kernels_of(to)->from_site_order, ordered, place);
        backend->release(ordered);
    }
    free(which);
    free(place);
}
