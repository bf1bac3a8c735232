/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * backend.h: who runs the kernels of the field library: arguments, the table of kernels, and the backends.  Pointers are
 * to arrays of the precision of the table that is called; densities are double.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "../kernels/range.h"
#include "../kernels/random.h"
#include "../lattice.h"

typedef struct { lat_tables t; const void *u; double *density; double constant, weight; } plaquette_sum_args;
typedef struct { lat_tables t; const void *u; void *force; double weight; } plaquette_force_args;
typedef struct { lat_tables t; const void *u; const double *couplings; double *density; double constant, weight; } weighted_plaquette_sum_args, rectangle_sum_args;
typedef struct { lat_tables t; const void *u; const double *couplings; void *force; double weight; } weighted_plaquette_force_args, rectangle_force_args;
typedef struct { lat_tables t; void *u; const void *algebra; double step; } exp_update_args;
typedef struct { lat_tables t; void *u; const void *g; } gauge_transform_args;
typedef struct { lat_tables t; void *u; int links; random_key key; } haar_args;
typedef struct { lat_tables t; const void *u, *in; void *out; int mu; } extend_line_args;
typedef struct { lat_tables t; const void *in; void *out; int mu; } shift_args;
typedef struct { lat_tables t; const void *a, *b, *c, *d; double *density; } loop_trace_args;
typedef struct { lat_tables t; const void *a; double *density; } trace_args;
typedef struct { lat_tables t; const void *u; void *algebra; double old, fresh; } flow_force_args;
typedef struct { lat_tables t; const void *u; void *z; double plaquette, rectangle; } flow_improved_args;
typedef struct { lat_tables t; flow_force_args sum; const void *z; } flow_smooth_args;
typedef struct { lat_tables t; const void *u, *start, *algebra; double *distance; double step; } flow_distance_args;
typedef struct { lat_tables t; const void *u; double *density; } flow_density_args;
typedef struct { lat_tables t; const void *u; void *out; double weight; int directions; } smear_stout_args;
typedef smear_stout_args smear_ape_args;
typedef struct { lat_tables t; void *y; const void *x; double a; int components; } axpy_args;
typedef struct { lat_tables t; void *to; const void *from; const int *choose; int components; } select_args;
typedef struct { lat_tables t; void *to; const void *from; const int64_t *target, *source; const int *lane; int components, to_components, from_components, stream; } halo_copy_args;
typedef struct { lat_tables t; const void *p; double *density; int components; } half_square_args;
typedef struct { lat_tables t; void *p; int components; random_key key; } gaussian_args;
typedef struct { lat_tables t; void *u; double beta; int mu; random_key key; } heatbath_args;
typedef struct { lat_tables t; void *u; int mu; } overrelax_args;
typedef struct { lat_tables t; void *u; const double *couplings; double beta; int mu; random_key key; } weighted_heatbath_args;
typedef struct { lat_tables t; void *u; const double *couplings; int mu; } weighted_overrelax_args;
typedef struct { lat_tables t; const void *u; double *density; } charge_args;
typedef struct { lat_tables t; void *u; const double *charge; } instanton_args;

/* Every kernel of the field library, once; X(name).  First those of all groups; then the updates of one link, which
 * are NULL where a group has none; last those that only U(1) has. */
#define LAT_KERNELS(X)                                                                                                 \
    X(plaquette_sum) X(plaquette_force) X(weighted_plaquette_sum) X(weighted_plaquette_force) X(rectangle_sum)          \
    X(rectangle_force) X(exp_update) X(gauge_transform) X(haar) X(extend_line) X(shift) X(loop_trace) X(trace)            \
    X(flow_force) X(flow_improved) X(flow_smooth) X(flow_distance) X(flow_density) X(smear_stout) X(smear_ape) X(axpy)    \
    X(select) X(halo_copy) X(half_square) X(gaussian)
#define LAT_UPDATE_KERNELS(X) X(heatbath) X(overrelax) X(weighted_heatbath) X(weighted_overrelax)
#define LAT_U1_KERNELS(X) X(charge) X(instanton)

#define LAT_KERNEL_POINTER(name) void (*name)(const name##_args *args, const lat_range *range);
typedef struct {
    int lanes; /* vector length: lanes of a geometry are a multiple of it */
    LAT_KERNELS(LAT_KERNEL_POINTER)
    LAT_UPDATE_KERNELS(LAT_KERNEL_POINTER)
    LAT_U1_KERNELS(LAT_KERNEL_POINTER)
} lat_kernels;

typedef struct lat_backend {
    const char *name;
    const lat_kernels *kernels[LAT_GROUPS][LAT_PRECISIONS]; /* NULL: the group is not there */
} lat_backend;

extern const lat_backend lat_backend_cpu;
extern const lat_kernels lat_cpu_u1_double, lat_cpu_u1_float, lat_cpu_su2_double, lat_cpu_su2_float, lat_cpu_su3_double,
    lat_cpu_su3_float;

lat_tables lat_tables_of(const lat_geometry *geometry);
/* The same for kernels that read the links again and again: with room, empty at first, where they keep products of them.  Stale as
 * soon as the links change. */
lat_tables lat_tables_with_paths(const lat_field *links, lat_group group);
/* All sites of the block, or a list of them. */
lat_range lat_block(const lat_geometry *geometry);
lat_range lat_range_of(const lat_geometry *geometry, const lat_sites *sites);
const lat_kernels *lat_kernels_of(const lat_field *field, lat_group group);
random_key lat_random_key(const lat_random *random);

#endif
