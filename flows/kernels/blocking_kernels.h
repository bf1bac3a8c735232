/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * blocking_kernels.h: the table of the kernels that go from a lattice to one of half the extent in one direction and back, and their
 * arguments.
 */
#ifndef BLOCKING_KERNELS_H
#define BLOCKING_KERNELS_H

#include "lattice/kernels/range.h"

/* A lattice and its coarse lattice of half the extent along nu: the coarse site is the fine site `fine`, whose neighbour
 * ahead along nu is `ahead`; the tables are those of the coarse lattice, and the lanes are the same.  The coarse links are
 *
 *     V_nu = U_nu(fine) U_nu(ahead),   V_mu = U_mu(fine) for the other directions.
 *
 * block_links computes V; unblock_links changes U at `fine` so that V becomes what it is told.  With the cotangent c of U,
 * block_cotangents gives that of V where the links at `ahead` are held fixed, and leaves in c(ahead) that of these links
 * where V is held fixed, c_nu(ahead) - U^+ c_nu(fine) U with U = U_nu(fine); unblock_cotangents goes back. */
typedef struct {
    lat_tables t;
    void *u, *v;       /* links, or cotangents: c of u and v */
    const void *links; /* U, for the cotangents */
    const int64_t *fine, *ahead;
    int nu;
} block_args;
typedef block_args block_links_args;
typedef block_args unblock_links_args;
typedef block_args block_cotangents_args;
typedef block_args unblock_cotangents_args;

/* density(fine) += coarse density */
typedef struct {
    lat_tables t;
    double *density;
    const double *coarse;
    const int64_t *fine;
} lift_density_args;

#define FLOW_BLOCKING_KERNELS(X)                                                                                       \
    X(block_links) X(unblock_links) X(block_cotangents) X(unblock_cotangents) X(lift_density)

typedef struct {
    FLOW_BLOCKING_KERNELS(LAT_KERNEL_POINTER)
} flow_blocking_kernels;

extern const flow_blocking_kernels flow_blocking_cpu_u1_double, flow_blocking_cpu_u1_float,
    flow_blocking_cpu_su2_double, flow_blocking_cpu_su2_float, flow_blocking_cpu_su3_double,
    flow_blocking_cpu_su3_float, flow_blocking_cuda_u1_double, flow_blocking_cuda_u1_float,
    flow_blocking_cuda_su2_double, flow_blocking_cuda_su2_float, flow_blocking_cuda_su3_double,
    flow_blocking_cuda_su3_float;

#endif
