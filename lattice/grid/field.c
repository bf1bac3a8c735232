/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * field.c: fields of numbers on a geometry.
 */
#include "lattice/grid/kernels.h"

#include <stdlib.h>
#include <string.h>

static size_t real_size(lat_precision precision) { return precision == LAT_FLOAT ? sizeof(float) : sizeof(double); }

static int64_t field_reals(const lat_field *field)
{
    const lat_geometry *g = field->geometry;
    return g->all_sites * field->components * g->lanes;
}

static int64_t field_bytes(const lat_field *field) { return field_reals(field) * (int64_t)real_size(field->precision); }

double lat_field_memory(const lat_geometry *geometry, int components, lat_precision precision)
{
    const lat_field field = {.geometry = geometry, .components = components, .precision = precision};
    return (double)lat_alloc_bytes((size_t)field_bytes(&field));
}

/* -------------------------------------------------------------------------------------------------- for the host */

double lat_real_at(const lat_field *field, const void *numbers, int64_t i)
{
    return field->precision == LAT_FLOAT ? ((const float *)numbers)[i] : ((const double *)numbers)[i];
}

void *lat_field_map(const lat_field *field, lat_access access)
{
    const lat_backend *backend = field->geometry->backend;
    if (backend->on_host) return field->data;
    void *numbers = lat_alloc(field_bytes(field), 1);
    if (access != LAT_WRITE) backend->download(numbers, field->data, field_bytes(field), LAT_OF_FIELD);
    return numbers;
}

void lat_field_unmap(const lat_field *field, void *numbers, lat_access access)
{
    const lat_backend *backend = field->geometry->backend;
    if (backend->on_host) return;
    if (access != LAT_READ) backend->upload(field->data, numbers, field_bytes(field), LAT_OF_FIELD);
    free(numbers);
}

lat_copies lat_copies_of(const lat_geometry *geometry)
{
    return geometry->backend->copies ? geometry->backend->copies() : (lat_copies){0};
}

/* ------------------------------------------------------------------------------------------------------- as a whole */

lat_field *lat_field_create(const lat_geometry *geometry, int components, lat_precision precision)
{
    if (!lat_geometry_serves(geometry, precision))
        lat_abort(LAT_CONFIG, "a field in %s on a lattice of %d lanes, laid out for %s: lay the lattice out for float, which serves both",
                  lat_precision_names[precision], geometry->lanes, lat_precision_names[!precision]);
    lat_field *field = lat_alloc(1, sizeof *field);
    *field = (lat_field){.geometry = geometry, .components = components, .precision = precision};
    field->data = geometry->backend->allocate(field_bytes(field));
    return field;
}

void lat_field_free(lat_field *field)
{
    if (!field) return;
    field->geometry->backend->release(field->data);
    free(field);
}

void lat_field_zero(lat_field *field)
{
    field->geometry->backend->zero(field->data, field_bytes(field));
}

void lat_field_copy(lat_field *to, const lat_field *from)
{
    const lat_geometry *g = to->geometry;
    if (to->precision == from->precision) {
        g->backend->copy(to->data, from->data, field_bytes(to));
        return;
    }
    const lat_field_kernels *kernels = g->backend->fields[LAT_DOUBLE];
    convert_args args = {lat_tables_of(g), to->data, from->data, to->components};
    lat_range range = {.count = g->all_sites, .lanes = g->lanes};
    (to->precision == LAT_FLOAT ? kernels->to_float : kernels->to_double)(&args, &range);
}

void lat_field_copy_members(lat_field *to, const lat_field *from, const bool *choose)
{
    const lat_geometry *g = to->geometry;
    int *lanes = lat_alloc(g->lanes, sizeof *lanes);
    for (int lane = 0; lane < g->lanes; lane++) lanes[lane] = g->lane_member[lane] < g->members && choose[g->lane_member[lane]];
    int *shared = lat_share(g, lanes, g->lanes * (int64_t)sizeof *lanes);
    select_args args = {lat_tables_of(g), to->data, from->data, shared, to->components};
    lat_range range = {.count = g->all_sites, .lanes = g->lanes};
    lat_field_kernels_of(to)->select(&args, &range);
    lat_unshare(g, shared);
    free(lanes);
}

void lat_field_axpy(lat_field *y, double a, const lat_field *x)
{
    axpy_args args = {lat_tables_of(y->geometry), y->data, x->data, a, y->components};
    lat_range range = lat_block(y->geometry);
    lat_field_kernels_of(y)->axpy(&args, &range);
}
