/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * coupling_kernels.h: the table of the kernels of the plaquette coupling of U(1), and their arguments.
 *
 * Loops.  A shape R x T in the plane (a, b), a < b, is the loop that starts at x, goes R links along a, T along b and
 * back; its angle is L(x).  A coupling looks at several shapes; the first is the plaquette.  The cotangents of the loop
 * angles are kept in a field of one component per loop, zero where the loop contains an active link (the plaquette
 * excepted: there the cotangent of the active plaquette itself is kept).
 */
#ifndef COUPLING_KERNELS_H
#define COUPLING_KERNELS_H

#include "../../lattice/kernels/range.h"

#include <stdbool.h>

enum { FLOW_MAX_LOOPS = 24 };

typedef struct {
    int a, b, r, t;
} flow_loop;

typedef enum { FLOW_SPLINE, FLOW_TANGENTS, FLOW_TRANSFORMS } flow_transform;

/* feature(x, 2 l) = cos L(x), feature(x, 2 l + 1) = sin L(x) for the loops with bit l set in `open`, zero for the others. */
typedef struct {
    lat_tables t;
    const void *u;
    void *feature; /* 2 loops components */
    int loops;
    flow_loop loop[FLOW_MAX_LOOPS];
    uint32_t open;
} loop_features_args;

/* What the three kernels on active links share.  P = P_{mu nu}(x) is the active plaquette, parameter the outputs of the
 * network, h the circle map that they define. */
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
    void *loop_cotangent;      /* `loops` components; component `plane` receives that of the active plaquette */
    int loops, plane;
} coupling_args;
typedef coupling_args coupling_forward_args;  /* U_mu <- h(P) P^+ U_mu */
typedef coupling_args coupling_inverse_args;
/* U_mu <- its value before the map; cotangents of the network's outputs and of the active plaquette, which the link loop
 * then passes on to links. */
typedef coupling_args coupling_backward_args;
/* U_mu <- its value after the map; the cotangent of the link is transported by J^-T, up to what the gather with scale -1
 * will take off again. */
typedef coupling_args coupling_push_args;

/* loop_cotangent(x, l) = -sin L c + cos L s, with c, s the cotangents of cos L and sin L, for loops in `open`; zero for the
 * others, except that component `keep` is left alone (-1: none). */
typedef struct {
    lat_tables t;
    const void *feature, *feature_cotangent; /* 2 loops components */
    void *loop_cotangent;
    int loops, keep;
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

#define FLOW_COUPLING_POINTER(name) void (*name)(const name##_args *args, const lat_range *range);
typedef struct { FLOW_COUPLING_KERNELS(FLOW_COUPLING_POINTER) } flow_coupling_kernels;

extern const flow_coupling_kernels flow_coupling_cpu_u1_double, flow_coupling_cpu_u1_float;

#endif
