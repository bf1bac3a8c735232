/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gauge_kernels.h: the kernels on links: arguments, and the table of one group and precision.  Pointers are to arrays of that
 * precision; densities are double.
 */
#ifndef GAUGE_KERNELS_H
#define GAUGE_KERNELS_H

#include "lattice/backend/dirac_kernels.h"

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
typedef struct { lat_tables t; const void *a; double *re, *im; } trace_args;
typedef struct { lat_tables t; const void *u; void *algebra; double old, fresh; } gradient_flow_force_args;
typedef struct { lat_tables t; const void *u; void *z; double plaquette, rectangle; } gradient_flow_improved_args;
typedef struct { lat_tables t; gradient_flow_force_args sum; const void *z; } gradient_flow_smooth_args;
typedef struct { lat_tables t; const void *u, *start, *algebra; double *distance; double step; } gradient_flow_distance_args;
typedef struct { lat_tables t; const void *u; const double *couplings; double *density; } gradient_flow_density_args, weighted_gradient_flow_density_args;
typedef struct { lat_tables t; const void *u; void *out; double weight; int directions; } smear_stout_args;
typedef smear_stout_args smear_ape_args;
/* From a force on stout links of rho = weight to that on links, in two kernels with the halo of averages between: stout_average changes the force, and
 * stout_force adds to it.  terms: of the series of the derivative of the exponential. */
typedef struct { lat_tables t; const void *u; void *force, *average; double weight; int terms; } stout_average_args;
typedef struct { lat_tables t; const void *u, *average; void *force; double weight; } stout_force_args;
typedef struct { lat_tables t; void *u; double beta; int mu; random_key key; } heatbath_args;
typedef struct { lat_tables t; void *u; int mu; } overrelax_args;
typedef struct { lat_tables t; void *u; const double *couplings; double beta; int mu; random_key key; } weighted_heatbath_args;
typedef struct { lat_tables t; void *u; const double *couplings; int mu; } weighted_overrelax_args;
/* step[loops][length]; density[2]; weight[slices], shift[loops] */
typedef struct { lat_tables t; const void *u, *direction; const int *step; int length, loops; double *density; } orbit_sum_args;
typedef struct { lat_tables t; const void *u; const int *step, *shift; int length, loops; const double *weight; void *force; } orbit_gradient_args;
typedef struct { lat_tables t; const void *u; double *density; } charge_args;
typedef struct { lat_tables t; void *u; const double *charge; } instanton_args;

/* Every kernel, once; X(name).  First those of all groups; then the updates of one link, which are NULL where a group has
 * none; last those that only U(1) has. */
#define LAT_KERNELS(X)                                                                                                 \
    X(plaquette_sum) X(plaquette_force) X(weighted_plaquette_sum) X(weighted_plaquette_force) X(rectangle_sum)          \
    X(rectangle_force) X(exp_update) X(gauge_transform) X(haar) X(extend_line) X(shift) X(loop_trace) X(trace)            \
    X(gradient_flow_force) X(gradient_flow_improved) X(gradient_flow_smooth) X(gradient_flow_distance) X(gradient_flow_density) X(weighted_gradient_flow_density) X(smear_stout) X(smear_ape) X(stout_average) X(stout_force) \
    X(orbit_sum) X(orbit_gradient)
#define LAT_UPDATE_KERNELS(X) X(heatbath) X(overrelax) X(weighted_heatbath) X(weighted_overrelax)
#define LAT_U1_KERNELS(X) X(charge) X(instanton)

typedef struct lat_kernels {
    LAT_KERNELS(LAT_KERNEL_POINTER)
    LAT_DIRAC_KERNELS(LAT_KERNEL_POINTER)
    LAT_UPDATE_KERNELS(LAT_KERNEL_POINTER)
    LAT_U1_KERNELS(LAT_KERNEL_POINTER)
} lat_kernels;

extern const lat_kernels lat_cpu_u1_double, lat_cpu_u1_float, lat_cpu_su2_double, lat_cpu_su2_float, lat_cpu_su3_double,
    lat_cpu_su3_float;
extern const lat_kernels lat_cuda_u1_double, lat_cuda_u1_float, lat_cuda_su2_double, lat_cuda_su2_float, lat_cuda_su3_double,
    lat_cuda_su3_float;

#endif
