/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * field_kernels.h: the kernels on fields of plain numbers: arguments, and the table of one precision.  Pointers are to arrays of that
 * precision; densities are double.
 */
#ifndef FIELD_KERNELS_H
#define FIELD_KERNELS_H

#include "lattice/backend/choice.h"
#include "lattice/kernels/range.h"

typedef struct { lat_tables t; void *y; const void *x; double a; int components; } axpy_args;
typedef struct { lat_tables t; void *to; const void *from; const int *choose; int components; } select_args;
typedef struct { lat_tables t; void *to; const void *from; int components; } convert_args;
typedef convert_args to_float_args, to_double_args;
typedef struct { lat_tables t; void *field; const double *factor; int components; } scale_lanes_args;
/* pair: one for each component; NULL: none */
typedef struct { lat_tables t; void *to; const void *from; const int64_t *target, *source; const int *lane; const lat_halo_pair *pair; int components, to_components, from_components, stream; } halo_copy_args;
/* One end of a copy: site i of the range is site[i] there, or i; lane l is lane[l], or l. */
typedef struct { void *data; const int64_t *site; const int *lane; int components, lanes; } halo_end;
typedef struct { lat_tables t; halo_end to, from; const lat_halo_pair *pair; int components; bool add; } halo_move_args;
typedef struct { lat_tables t; const double *data; int64_t rows, *sums; } sum_rows_args;
/* values[which][place][component]; which[lane] negative: not this lane.  stride: of `which`. */
typedef struct { lat_tables t; void *field; double *values; const int *which; int64_t stride; int components; } to_site_order_args;
typedef to_site_order_args from_site_order_args;
typedef struct { lat_tables t; const void *p; double *density; int components; } half_square_args;
typedef struct { lat_tables t; const void *p, *before; double factor; double *density; int components; } change_square_args;
typedef struct { lat_tables t; void *p; int components; random_key key; } gaussian_args;
/* alpha, beta, zeta, re, im, scale: [lanes]; zeta NULL: 1 */
typedef struct { lat_tables t; const void *w, *p; double shift; const double *scale; double *density; int components; } cg_curvature_args;
typedef struct { lat_tables t; void *r; const void *p, *q; double shift; const double *alpha, *scale; double *density; int components; } cg_residue_args;
typedef struct { lat_tables t; void *x, *p; const void *r; const double *alpha, *zeta, *beta; int components; } cg_direction_args;
typedef struct { lat_tables t; void *y; const void *x; const double *re, *im; int components; } complex_axpy_args;
typedef complex_axpy_args complex_direction_args;
typedef struct { lat_tables t; const void *x, *y; const double *scale; double *density, *density_im; int components; } complex_dot_args;
/* y = a x + b y; a, b: one for each lane, NULL: 1. */
typedef struct { lat_tables t; const void *x; void *y; const double *a, *b; int components; } combine_args;
typedef struct { lat_tables t; const void *x, *y; double *density; int components; } spinor_dot_args;
typedef struct { lat_tables t; void *x; int components; } spinor_gamma5_args;
/* density(x) += Re sum_s (re[s] + i im[s]) x_s^+ y_column[s], over spins */
typedef struct { lat_tables t; const void *x, *y; double *density; int components, spins, column[4]; double re[4], im[4]; } spinor_form_args;

/* Every kernel, once; X(name). */
#define LAT_FIELD_KERNELS(X)                                                                                           \
    X(axpy) X(select) X(to_float) X(to_double) X(scale_lanes) X(halo_copy) X(half_square) X(change_square) X(gaussian)  \
    X(cg_curvature) X(cg_residue) X(cg_direction) X(complex_axpy) X(complex_direction) X(complex_dot) \
    X(combine) X(spinor_dot) X(spinor_gamma5) X(spinor_form)
/* For memory that the host does not see; NULL on the CPU. */
#define LAT_DEVICE_KERNELS(X) X(halo_move) X(sum_rows) X(to_site_order) X(from_site_order)

typedef struct {
    int lanes; /* vector length: lanes of a geometry are a multiple of it */
    LAT_FIELD_KERNELS(LAT_KERNEL_POINTER)
    LAT_DEVICE_KERNELS(LAT_KERNEL_POINTER)
} lat_field_kernels;

extern const lat_field_kernels lat_cpu_fields_double, lat_cpu_fields_float, lat_cuda_fields_double, lat_cuda_fields_float;

#endif
