/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * field.c: fields of numbers on a geometry.
 */
#include "backend/backend.h"
#include "lattice.h"

#include <stdlib.h>
#include <string.h>

static size_t real_size(lat_precision precision) { return precision == LAT_FLOAT ? sizeof(float) : sizeof(double); }

static int64_t field_reals(const lat_field *field)
{
    const lat_geometry *g = field->geometry;
    return g->all_sites * field->components * g->lanes;
}

static double get_real(const lat_field *f, int64_t i)
{
    return f->precision == LAT_FLOAT ? ((const float *)f->data)[i] : ((const double *)f->data)[i];
}

static void set_real(lat_field *f, int64_t i, double value)
{
    if (f->precision == LAT_FLOAT)
        ((float *)f->data)[i] = (float)value;
    else
        ((double *)f->data)[i] = value;
}

lat_field *lat_field_create(const lat_geometry *geometry, int components, lat_precision precision)
{
    lat_field *field = lat_alloc(1, sizeof *field);
    *field = (lat_field){.geometry = geometry, .components = components, .precision = precision};
    field->data = lat_alloc(field_reals(field), real_size(precision));
    return field;
}

lat_field *lat_field_gauge(const lat_geometry *geometry, lat_group group, lat_precision precision)
{
    /* The numbers of a unit link that are 1 are a fixed distance apart; U(1) stores the angle zero. */
    static const int distance[LAT_GROUPS] = {[LAT_SU2] = 4, [LAT_SU3] = 8};
    int reals = lat_link_reals(group), lanes = geometry->lanes;
    lat_field *field = lat_field_create(geometry, geometry->dim * reals, precision);
    if (distance[group] == 0) return field;
    for (int64_t link = 0; link < geometry->all_sites * geometry->dim; link++)
        for (int c = 0; c < reals; c += distance[group])
            for (int lane = 0; lane < lanes; lane++) set_real(field, (link * reals + c) * lanes + lane, 1);
    return field;
}

lat_field *lat_field_algebra(const lat_geometry *geometry, lat_group group, lat_precision precision)
{
    return lat_field_create(geometry, geometry->dim * lat_algebra_reals(group), precision);
}

void lat_field_free(lat_field *field)
{
    if (!field) return;
    free(field->data);
    free(field);
}

void lat_field_zero(lat_field *field)
{
    memset(field->data, 0, (size_t)field_reals(field) * real_size(field->precision));
}

void lat_field_copy(lat_field *to, const lat_field *from)
{
    int64_t reals = field_reals(to);
    if (to->precision == from->precision)
        memcpy(to->data, from->data, (size_t)reals * real_size(to->precision));
    else if (to->precision == LAT_FLOAT)
        for (int64_t i = 0; i < reals; i++) ((float *)to->data)[i] = (float)((const double *)from->data)[i];
    else
        for (int64_t i = 0; i < reals; i++) ((double *)to->data)[i] = ((const float *)from->data)[i];
}

void lat_field_copy_members(lat_field *to, const lat_field *from, const bool *choose)
{
    const lat_geometry *g = to->geometry;
    int *lanes = lat_alloc(g->lanes, sizeof *lanes);
    for (int lane = 0; lane < g->lanes; lane++) lanes[lane] = g->lane_member[lane] < g->members && choose[g->lane_member[lane]];
    select_args args = {lat_tables_of(g), to->data, from->data, lanes, to->components};
    lat_range range = {.count = g->all_sites, .lanes = g->lanes};
    lat_kernels_of(to, LAT_U1)->select(&args, &range);
    free(lanes);
}

void lat_field_axpy(lat_field *y, double a, const lat_field *x)
{
    axpy_args args = {lat_tables_of(y->geometry), y->data, x->data, a, y->components};
    lat_range range = lat_block(y->geometry);
    lat_kernels_of(y, LAT_U1)->axpy(&args, &range);
}

/* ---------------------------------------------------------------------------------- between lanes and site order */

/* Where the value of a member lies in the rank's part, in site order: a sum of what its lane and its site contribute. */
static int64_t part_index(const lat_geometry *g, const int64_t coordinate[LAT_MAX_DIM])
{
    int64_t index = 0;
    for (int mu = LAT_MAX_DIM - 1; mu >= 0; mu--) index = index * g->local[mu] + coordinate[mu];
    return index;
}

static int64_t index_of_lane(const lat_geometry *g, int lane)
{
    int64_t c[LAT_MAX_DIM] = {0};
    for (int mu = 0; mu < g->dim; mu++) c[mu] = g->origin[lane * g->dim + mu] - g->position[mu] * g->local[mu];
    return part_index(g, c);
}

static int64_t index_of_site(const lat_geometry *g, int64_t site)
{
    int64_t c[LAT_MAX_DIM] = {0};
    for (int mu = 0; mu < g->dim; mu++) c[mu] = g->coordinate[site * g->dim + mu];
    return part_index(g, c);
}

/* All blocks of a site together, so that the field passes through the processor once. */
void lat_field_get_local(const lat_field *field, int member, double *values)
{
    const lat_geometry *g = field->geometry;
    const int components = field->components;
    const int64_t lanes = g->lanes;
    int64_t *start = lat_alloc(g->blocks, sizeof *start);
    for (int block = 0; block < g->blocks; block++) start[block] = index_of_lane(g, block * g->members + member);
    for (int64_t site = 0; site < g->sites; site++) {
        int64_t row = site * components * lanes + member, index = index_of_site(g, site);
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
    const int components = field->components;
    const int64_t lanes = g->lanes;
    int64_t *start = lat_alloc(g->blocks, sizeof *start);
    for (int block = 0; block < g->blocks; block++) start[block] = index_of_lane(g, block * g->members + member);
    for (int64_t site = 0; site < g->sites; site++) {
        int64_t row = site * components * lanes + member, index = index_of_site(g, site);
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
    enum { SLICE = 1 << 20 };
    const lat_geometry *g = field->geometry;
    int64_t total = g->volume * field->components;
    memset(values, 0, (size_t)total * sizeof *values);
    for (int block = 0; block < g->blocks; block++)
        for (int64_t site = 0; site < g->sites; site++) {
            int lane = block * g->members + member;
            int64_t to = g->global_site[site * g->lanes + lane] * field->components, from = site * field->components;
            for (int c = 0; c < field->components; c++) values[to + c] = get_real(field, (from + c) * g->lanes + lane);
        }
    /* every number has one owner and is zero elsewhere; as integers, so that no bit changes */
    if (g->rank_count > 1)
        for (int64_t i = 0; i < total; i += SLICE)
            MPI_Allreduce(MPI_IN_PLACE, values + i, (int)(total - i < SLICE ? total - i : SLICE), MPI_INT64_T, MPI_BOR, g->comm);
}

void lat_field_scatter(lat_field *field, int member, const double *values)
{
    const lat_geometry *g = field->geometry;
    for (int block = 0; block < g->blocks; block++)
        for (int64_t site = 0; site < g->sites; site++) {
            int lane = block * g->members + member;
            int64_t from = g->global_site[site * g->lanes + lane] * field->components, to = site * field->components;
            for (int c = 0; c < field->components; c++) set_real(field, (to + c) * g->lanes + lane, values[from + c]);
        }
}
