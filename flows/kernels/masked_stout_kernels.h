/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * masked_stout_kernels.h: the table of the kernels of masked stout smearing, and their arguments.
 *
 * Active links U = U_mu(x), at the sites of one class, go to exp(X) U, X = -P(U A), P the projection to anti-Hermitian
 * traceless matrices; A = sum_i c_i A_i, A_i the sum of the open loops of kind i at the link, which contain no other
 * active link.  What follows, and the bound on c_i: doc/masked_stout.md.
 */
#ifndef MASKED_STOUT_KERNELS_H
#define MASKED_STOUT_KERNELS_H

#include "lattice/kernels/range.h"

/* Plaquettes; rectangles of 2 x 1. */
typedef enum {
    FLOW_MASKED_STOUT_PLAQUETTE,
    FLOW_MASKED_STOUT_RECTANGLE,
    FLOW_MASKED_STOUT_LOOPS
} flow_masked_stout_loop;

/* How many loops of a kind contain a link; kernels are told. */
static inline int flow_masked_stout_count(flow_masked_stout_loop kind, int dim)
{
    return (kind == FLOW_MASKED_STOUT_PLAQUETTE ? 2 : 6) * (dim - 1);
}

/* |X_1 - X_2| is at most so much times the distance of links U_1 and U_2: sum_i |c_i| count_i is less. */
#define FLOW_MASKED_STOUT_BOUND 0.9
/* Iterations of the inverse: 0.9^400 is 5e-19. */
enum { FLOW_MASKED_STOUT_ITERATIONS = 400 };

/* The kinds of loops, and parameters p[kinds], of which c_i = 0.9 p_i / sqrt(1 + kinds |p|^2) / count_i. */
typedef struct {
    int kinds, count[FLOW_MASKED_STOUT_LOOPS];
    flow_masked_stout_loop kind[FLOW_MASKED_STOUT_LOOPS];
    const double *parameters;
} masked_stout_loops;

typedef struct {
    lat_tables t;
    masked_stout_loops l;
    void *u;
    int mu;
    void *kept;      /* active links before the map, one to a site: forward and push write, backward reads; or NULL */
    double *density; /* forward, inverse, push: += log det of the link's block */
    double *open;    /* inverse, backward: 1 where the iteration has not converged, else 0 */
    /* backward and push only: */
    void *cotangent;                        /* algebra field */
    const double *weight;                   /* [lanes]: of log det (push: not read, 1) */
    void *insertion;                        /* of one matrix: N, the cotangent of A is Re tr(N dA) */
    double *slope[FLOW_MASKED_STOUT_LOOPS]; /* backward: the cotangent of p_i; NULL: is not asked for */
} masked_stout_args;
typedef masked_stout_args masked_stout_forward_args; /* U_mu <- exp(X) U_mu */
typedef masked_stout_args masked_stout_inverse_args;
typedef masked_stout_args
    masked_stout_backward_args; /* U_mu <- its value before the map; its cotangent; insertion and slope */
typedef masked_stout_args
    masked_stout_push_args; /* U_mu <- its value after the map; its cotangent <- J^-T of it; insertion */

/* cotangent += scale times what the insertions of active links mean for the links of their loops, at sites whose
 * class is `phase` above the active one; a step along nu leads step[nu] classes up. */
typedef struct {
    lat_tables t;
    masked_stout_loops l;
    const void *u, *insertion;
    void *cotangent;
    double scale;
    int mu, phase, period, step[4];
} masked_stout_gather_args;

#define FLOW_MASKED_STOUT_KERNELS(X)                                                                                   \
    X(masked_stout_forward) X(masked_stout_inverse) X(masked_stout_backward) X(masked_stout_push) X(masked_stout_gather)

typedef struct {
    FLOW_MASKED_STOUT_KERNELS(LAT_KERNEL_POINTER)
} flow_masked_stout_kernels;

extern const flow_masked_stout_kernels flow_masked_stout_cpu_u1_double, flow_masked_stout_cpu_u1_float,
    flow_masked_stout_cpu_su2_double, flow_masked_stout_cpu_su2_float, flow_masked_stout_cpu_su3_double,
    flow_masked_stout_cpu_su3_float;
extern const flow_masked_stout_kernels flow_masked_stout_cuda_u1_double, flow_masked_stout_cuda_u1_float,
    flow_masked_stout_cuda_su2_double, flow_masked_stout_cuda_su2_float, flow_masked_stout_cuda_su3_double,
    flow_masked_stout_cuda_su3_float;

#endif
