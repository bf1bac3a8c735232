/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stout_kernels.h: the table of the kernels of stout layers, and their arguments.
 *
 * The active link U = U_mu(x) lies in two plaquettes of the plane (mu, nu), P = U S_1 and Q = U S_2, both based at x, with the staples
 *
 *     S_1 = U_nu(x+mu) U_mu(x+nu)^+ U_nu(x)^+,     S_2 = U_nu(x+mu-nu)^+ U_mu(x-nu)^+ U_nu(x-nu),
 *
 * and C = S_2^+ S_1 is the loop around both: Q = P C^+.  Each step maps P to e^X P, X = -TA[M(P, Q)] (stout.h).
 */
#ifndef STOUT_KERNELS_H
#define STOUT_KERNELS_H

#include "lattice/kernels/range.h"

enum { STOUT_MAX_STEPS = 16, STOUT_MAX_DEGREE = 4 };

/* parameters[step][word][degree + 1]: the coefficient of a word is the polynomial of Re tr C / N with these coefficients. */
typedef struct {
    lat_tables t;
    void *u;
    int mu, nu, steps, degree;
    const double *parameters;
    double *density; /* forward, inverse, push: += log det */
    void *before;    /* a link: forward and push write U before the map into it, backward reads it; NULL: they do not */
    int64_t *unsolved; /* inverse, and backward without `before`: += links whose iteration does not converge */
    int members;       /* lanes of others are idle */
    /* backward and push only: */
    void *cotangent;           /* algebra field */
    const double *weight;      /* [lanes]: of log det (push: not read) */
    void *parameter_cotangent; /* steps * words * (degree + 1) components (push: not written) */
    void *staple_cotangent;    /* two algebra elements: those of S_1^+ and S_2^+ based at x, for the gathers */
} stout_args;
typedef stout_args stout_forward_args;
typedef stout_args stout_inverse_args;
/* U_mu <- its value before the map; the cotangent of it, and those of the parameters and staples. */
typedef stout_args stout_backward_args;
/* U_mu <- its value after the map; the cotangent of the link is transported by J^-T, up to what the gathers with scale -1 will
 * take off again. */
typedef stout_args stout_push_args;

/* cotangent_mu, cotangent_nu += scale times what the staples leave there: at sites of active links, and at all others. */
typedef struct {
    lat_tables t;
    const void *u, *staple_cotangent;
    void *cotangent;
    int mu, nu;
    double scale;
} gather_staples_args;
typedef gather_staples_args gather_active_args;
typedef gather_staples_args gather_frozen_args;

#define FLOW_STOUT_KERNELS(X)                                                                                          \
    X(stout_forward) X(stout_inverse) X(stout_backward) X(stout_push) X(gather_active) X(gather_frozen)

typedef struct {
    FLOW_STOUT_KERNELS(LAT_KERNEL_POINTER)
    int words; /* of a step */
} flow_stout_kernels;

extern const flow_stout_kernels flow_stout_cpu_su2_double, flow_stout_cpu_su2_float, flow_stout_cpu_su3_double,
    flow_stout_cpu_su3_float, flow_stout_cuda_su2_double, flow_stout_cuda_su2_float, flow_stout_cuda_su3_double,
    flow_stout_cuda_su3_float;

#endif
