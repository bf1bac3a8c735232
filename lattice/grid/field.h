/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * field.h: fields of numbers on a geometry.
 */
#ifndef LAT_GRID_FIELD_H
#define LAT_GRID_FIELD_H

#include "lattice/grid/geometry.h"

/* data[(site * components + component) * lanes + lane], all_sites sites, real = double or float. */
typedef struct {
    const lat_geometry *geometry;
    int components;
    lat_precision precision;
    void *data; /* in the memory of the backend: for kernels, not for the host */
} lat_field;

/* The numbers of a field for code of the host: they themselves, or a copy where the backend has its own memory.  Nobody
 * else may use the field until they are given back. */
typedef enum {
    LAT_READ,
    LAT_WRITE, /* all of them; what they were is lost */
    LAT_CHANGE,
} lat_access;
void *lat_field_map(const lat_field *field, lat_access access);
void lat_field_unmap(const lat_field *field, void *numbers, lat_access access);
double lat_real_at(const lat_field *field, const void *numbers, int64_t i); /* number i, of those that were mapped */

lat_copies lat_copies_of(const lat_geometry *geometry); /* since the start of the program, by its backend */

/* Zeroed.  Where the geometry does not serve the precision (lat_geometry_serves), this ends the run with one line. */
lat_field *lat_field_create(const lat_geometry *geometry, int components, lat_precision precision);
/* What one takes in the memory of the host, on a geometry that need only be planned (lat_geometry_plan). */
double lat_field_memory(const lat_geometry *geometry, int components, lat_precision precision);
void lat_field_free(lat_field *field); /* NULL is allowed, as in free() */
void lat_field_zero(lat_field *field);
/* These are for fields of the same geometry with as many components.  Halo included; converts the precision. */
void lat_field_copy(lat_field *to, const lat_field *from);
/* Halo included, of one precision.  Copies the members m with choose[m] true; the others keep their values. */
void lat_field_copy_members(lat_field *to, const lat_field *from, const bool *choose);
/* Member m of `to` becomes the member member[m] of `from`, which has as many components, and stays as it is where that is negative.
 * The lattices have the same extents, and may differ in all else: members, halo, ranks, lanes, backend; converts the
 * precision.  Collective over the ranks of both, with the same list: every rank of `to` is one of `from`, and the other way
 * round or alone with a whole lattice.  Halo not filled. */
void lat_field_take_members(lat_field *to, const lat_field *from, const int *member);
void lat_field_axpy(lat_field *y, double a, const lat_field *x); /* y += a x on the block; of one precision */

/* One member of a field, whole, in site order: values[global_site * components + component], as double.
 * Collective; every rank receives it all, so this is for small lattices, tests and the batch of proposals. */
void lat_field_gather(const lat_field *field, int member, double *values);
/* The inverse: local; each rank picks its part of values.  Halo not filled. */
void lat_field_scatter(lat_field *field, int member, const double *values);
/* This rank's part of one member in site order (x fastest within geometry->local): values[local site][component]. */
void lat_field_get_local(const lat_field *field, int member, double *values);
void lat_field_set_local(lat_field *field, int member, const double *values);

/* Sum over all sites and components of a double field, per member: out[members].  Collective, exact, independent of
 * ranks and lanes. */
void lat_sum(const lat_field *field, double *out);

/* The same over each slice orthogonal to the last direction: out[member][component][slice].  For any numbers, slower. */
void lat_sum_slices(const lat_field *field, double *out);

/* A field of independent Gaussians (mean 0, variance 1); four components share the key of the first as direction. */
void lat_field_gaussian(lat_field *field, const lat_random *random);

#endif
