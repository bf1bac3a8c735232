/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * members.c: members of fields in the order of sites, and from field to field.
 */
#include "lattice/grid/members.h"

#include "lattice/backend/backend.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------------------- in site order */

/* Where each block of a member begins among the values of lat_field_get_local; to be freed. */
static int64_t *starts_of_blocks(const lat_geometry *g, int member)
{
    int64_t *start = lat_alloc(g->blocks, sizeof *start);
    for (int block = 0; block < g->blocks; block++) start[block] = lat_lane_place(g, block * g->members + member);
    return start;
}

/* All blocks of a site together, so that the field passes through the processor once. */
void lat_field_get_local(const lat_field *field, int member, double *values)
{
    const lat_geometry *g = field->geometry;
    if (!g->backend->on_host) {
        lat_device_get_local(field, member, values);
        return;
    }
    const int components = field->components;
    const int64_t lanes = g->lanes;
    int64_t *start = starts_of_blocks(g, member);
    for (int64_t site = 0; site < g->sites; site++) {
        int64_t row = site * components * lanes + member, index = lat_site_place(g, site);
        for (int block = 0; block < g->blocks; block++, row += g->members) {
            double *to = values + (start[block] + index) * components;
            if (field->precision == LAT_FLOAT)
                for (int c = 0; c < components; c++) to[c] = ((const float *)field->data)[row + c * lanes];
            else
                for (int c = 0; c < components; c++) to[c] = ((const double *)field->data)[row + c * lanes];
        }
    }
    free(start);
}

void lat_field_set_local(lat_field *field, int member, const double *values)
{
    const lat_geometry *g = field->geometry;
    if (!g->backend->on_host) {
        lat_device_set_local(field, member, values);
        return;
    }
    const int components = field->components;
    const int64_t lanes = g->lanes;
    int64_t *start = starts_of_blocks(g, member);
    for (int64_t site = 0; site < g->sites; site++) {
        int64_t row = site * components * lanes + member, index = lat_site_place(g, site);
        for (int block = 0; block < g->blocks; block++, row += g->members) {
            const double *from = values + (start[block] + index) * components;
            if (field->precision == LAT_FLOAT)
                for (int c = 0; c < components; c++) ((float *)field->data)[row + c * lanes] = (float)from[c];
            else
                for (int c = 0; c < components; c++) ((double *)field->data)[row + c * lanes] = from[c];
        }
    }
    free(start);
}

void lat_field_gather(const lat_field *field, int member, double *values)
{
    const lat_geometry *g = field->geometry;
    int64_t total = g->volume * field->components;
    double *part = lat_alloc(total / g->rank_count, sizeof *part);
    lat_field_get_local(field, member, part);
    memset(values, 0, (size_t)total * sizeof *values);
    for (int block = 0; block < g->blocks; block++)
        for (int64_t site = 0; site < g->sites; site++) {
            int lane = block * g->members + member;
            double *to = values + lat_global_site(g, site, lane) * field->components;
            memcpy(to, part + (lat_lane_place(g, lane) + lat_site_place(g, site)) * field->components, (size_t)field->components * sizeof *to);
        }
    free(part);
    lat_join(g->comm, values, total);
}

void lat_field_scatter(lat_field *field, int member, const double *values)
{
    const lat_geometry *g = field->geometry;
    double *part = lat_alloc(g->volume / g->rank_count * field->components, sizeof *part);
    for (int block = 0; block < g->blocks; block++)
        for (int64_t site = 0; site < g->sites; site++) {
            int lane = block * g->members + member;
            double *to = part + (lat_lane_place(g, lane) + lat_site_place(g, site)) * field->components;
            memcpy(to, values + lat_global_site(g, site, lane) * field->components, (size_t)field->components * sizeof *to);
        }
    lat_field_set_local(field, member, part);
    free(part);
}

/* ------------------------------------------------------------------------------------------------ from field to field */

/* Whether each rank has the same part of both lattices. */
static bool same_parts(const lat_geometry *a, const lat_geometry *b)
{
    return a->rank_count == b->rank_count && memcmp(a->ranks, b->ranks, sizeof a->ranks) == 0;
}

/* Whether sites have the same numbers besides. */
static bool same_sites(const lat_geometry *a, const lat_geometry *b) { return a->blocks == 1 && b->blocks == 1; }

static void take_parts(lat_field *to, const lat_field *from, const int *member)
{
    const lat_geometry *g = to->geometry;
    double *part = lat_alloc(g->volume / g->rank_count * to->components, sizeof *part);
    for (int m = 0; m < g->members; m++) {
        if (member[m] < 0) continue;
        lat_field_get_local(from, member[m], part);
        lat_field_set_local(to, m, part);
    }
    free(part);
}

static void take_whole(lat_field *to, const lat_field *from, const int *member)
{
    const lat_geometry *g = to->geometry;
    double *whole = lat_alloc(g->volume * to->components, sizeof *whole);
    for (int m = 0; m < g->members; m++) {
        if (member[m] < 0) continue;
        lat_field_gather(from, member[m], whole);
        lat_field_scatter(to, m, whole);
    }
    free(whole);
}

void lat_field_take_members(lat_field *to, const lat_field *from, const int *member)
{
    const lat_geometry *g = to->geometry, *h = from->geometry;
    if (!same_parts(g, h))
        take_whole(to, from, member);
    else if (g->backend != h->backend)
        take_parts(to, from, member);
    else if (!g->backend->on_host)
        lat_device_take_members(to, from, member);
    else if (same_sites(g, h))
        lat_take_lanes(to, from, member);
    else
        take_parts(to, from, member);
}
