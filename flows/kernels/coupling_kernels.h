/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * coupling_kernels.h: the table of the kernels of the plaquette coupling, and their arguments.
 *
 * Loops.  A shape R x T in the plane (a, b), a < b, is the loop that starts at x, goes R links along a, T along b and
 * back.  It is kept at its middle, x + (R / 2) a + (T / 2) b, rounded down; L(x) is the angle of the loop that is kept at
 * x.  A coupling looks at several shapes; the first is the plaquette.  The cotangents of the loop angles are kept in a
 * field of one component per loop, zero where the loop contains an active link (the plaquette excepted: there the
 * cotangent of the active plaquette itself is kept).
 */
#ifndef COUPLING_KERNELS_H
#define COUPLING_KERNELS_H

#include "lattice/kernels/range.h"

#include <stdbool.h>

enum { FLOW_MAX_LOOPS = 24 };

typedef struct {
    int a, b, r, t;
} flow_loop;

typedef enum { FLOW_SPLINE, FLOW_TANGENTS, FLOW_EVEN_SPLINE, FLOW_TRANSFORMS } flow_transform;

/* What a network sees of the loops: for each loop with its bit set in `live`, one after another, cos h L, sin h L for the
 * harmonics h = 1, 2, ...; zero for those that are not in `open`.  Of the loop `halved` (-1: none) it sees cos h L / 2 only, with L in
 * [-pi, pi]. */
typedef struct {
    int loops, harmonics, channels; /* 2 harmonics for each live loop, half as many for the halved one */
    int halved;
    uint32_t live;
} loop_channels;

typedef struct {
    lat_tables t;
    const void *u;
    void *feature;
    loop_channels c;
    flow_loop loop[FLOW_MAX_LOOPS];
    uint32_t open;
} loop_features_args;

/* What the kernels on active links share.  P is the active plaquette P_{mu nu}(x), or, where there is a halved loop, its
 * deviation from half the angle L of the loop around it and the plaquette before it: P_{mu nu}(x) - L / 2; parameter
 * are the outputs of the network, h the circle map that they define. */
typedef struct {
    lat_tables t;
    void *u;
    const void *parameter; /* `outputs` components */
    int mu, nu, outputs, knots;
    flow_transform transform;
    double *density;       /* forward, inverse, push: += log h'(P) */
    void *plaquette;       /* of one component: forward and push write P into it, backward reads it; NULL: they do not */
    /* backward and push only: */
    void *cotangent;           /* algebra field */
    const double *weight;      /* [lanes]: of log det (push: not read) */
    void *parameter_cotangent; /* `outputs` components */
    void *loop_cotangent;      /* `loops` components; component `plane` receives that of the active plaquette, `halved` its share */
    int loops, plane, halved;
} coupling_args;
typedef coupling_args coupling_forward_args;  /* U_mu <- h(P) P^+ U_mu */
typedef coupling_args coupling_inverse_args;
/* U_mu <- its value before the map; cotangents of the network's outputs and of the active plaquette, which the link loop
 * then passes on to links. */
typedef coupling_args coupling_backward_args;
/* U_mu <- its value after the map; the cotangent of the link is transported by J^-T, up to what the gather with scale -1
 * will take off again. */
typedef coupling_args coupling_push_args;

/* loop_cotangent(x, l) = sum_h h (cos h L s_h - sin h L c_h), with c, s the cotangents of cos h L and sin h L, for live loops
 * in `open`; zero for the others, except that component `keep` is left alone (-1: none).  For the halved loop
 * -sum_h h/2 sin(h L / 2) c_h is added to what is there. */
typedef struct {
    lat_tables t;
    const void *u, *feature, *feature_cotangent;
    void *loop_cotangent;
    loop_channels c;
    flow_loop loop[FLOW_MAX_LOOPS];
    int keep;
    uint32_t open;
} loop_cotangents_args;

/* cotangent_mu(x) += scale sum of the cotangents of the loops through the link, with the sign of its direction */
typedef struct {
    lat_tables t;
    const void *loop_cotangent;
    void *cotangent;
    int loops;
    flow_loop loop[FLOW_MAX_LOOPS];
    double scale;
} gather_loops_args;

#define FLOW_COUPLING_KERNELS(X)                                                                                       \
    X(loop_features) X(coupling_forward) X(coupling_inverse) X(coupling_backward) X(coupling_push) X(loop_cotangents)  \
    X(gather_loops)

typedef struct { FLOW_COUPLING_KERNELS(LAT_KERNEL_POINTER) } flow_coupling_kernels;

extern const flow_coupling_kernels flow_coupling_cpu_u1_double, flow_coupling_cpu_u1_float, flow_coupling_cuda_u1_double,
    flow_coupling_cuda_u1_float;

#endif
