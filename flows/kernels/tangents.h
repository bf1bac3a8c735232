/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tangents.h: mixture of M non-compact projections of the circle (Albergo et al., arXiv:2101.08176),
 *
 *     y = h(x) + t,  h(x) = (1/M) sum_k h_k(x),  h_k(x) = 2 atan(e^{s_k} tan(x/2)).
 *
 * parameter: s_0 ... s_{M-1}, t; M at most FLOW_MAX_KNOTS.  All zero: the identity.  Angles in and out lie in
 * [-pi, pi].  With S = sin(x/2), C = cos(x/2) the slopes are h_k' = 1 / (e^{-s_k} C^2 + e^{s_k} S^2): no pole.
 */
#ifndef TANGENTS_H
#define TANGENTS_H

#include "lattice/kernels/real.h"
#include "flows/kernels/flow_kernels.h"

/* For costs.  The inverse takes as many steps as its numbers need: one where there is one component, else about these, for vectors
 * of eight lanes, parameters up to 3 and up to four components. */
enum { TANGENTS_STEPS = 19 };
#define TANGENTS_FLOPS(components) (10 * (components) + 11)
#define TANGENTS_INVERSE_FLOPS(components) (19 * (components) + 36 + ((components) > 1 ? TANGENTS_STEPS : 1) * (7 * (components) + 18))
#define TANGENTS_BACKWARD_FLOPS(components) (21 * (components) + 9)

/* The angle of (cosine, sine) in [-pi, pi]: an arc tangent of something between 0 and 1, put into its octant. */
REAL_INLINE real tangents_angle(real sine, real cosine)
{
    real zero = real_of(0), across = real_abs(cosine), size = real_abs(sine);
    truth steep = real_less(across, size);
    real angle = real_atan(real_select(steep, across, size) / real_select(steep, size, across));
    angle = real_select(steep, REAL_PI / 2 - angle, angle);
    angle = real_select(real_less(cosine, zero), REAL_PI - angle, angle);
    return real_select(real_less(sine, zero), -angle, angle);
}

/* h(x) without the translation, and its slope.  The sum of two angles of [-pi/2, pi/2] is that of the product of two
 * complex numbers: one arc tangent does for two components. */
REAL_INLINE real tangents_mean(const real *scale, int components, real x, real *slope)
{
    real s, c, h = real_of(0), g = real_of(0);
    real_sincos((scalar)0.5 * x, &s, &c);
    for (int j = 0; j < components; j++) g = g + scale[j] / (c * c + scale[j] * scale[j] * s * s);
    for (int j = 0; j + 1 < components; j += 2) {
        real a = scale[j] * s, b = scale[j + 1] * s;
        h = h + tangents_angle(c * (a + b), c * c - a * b);
    }
    if (components % 2) h = h + tangents_angle(scale[components - 1] * s, c);
    *slope = g / (scalar)components;
    return h * ((scalar)2 / (scalar)components);
}

REAL_INLINE void tangents_scales(const real *parameter, int components, real *scale)
{
    for (int j = 0; j < components; j++) scale[j] = real_exp(parameter[j]);
}

/* y and log h'(x) */
REAL_INLINE void tangents_forward(const real *parameter, int components, real x, real *y, real *log_slope)
{
    real scale[FLOW_MAX_KNOTS], slope;
    tangents_scales(parameter, components, scale);
    *y = real_wrap(tangents_mean(scale, components, x, &slope) + parameter[components]);
    *log_slope = real_log(slope);
}

/* log tan(x/2) for x in [0, pi], finite at both ends, and sin x */
REAL_INLINE real tangents_log_tan(real x, real *sine)
{
#ifdef REAL_FLOAT
    const scalar least = (scalar)1e-30;
#else
    const scalar least = 1e-290;
#endif
    real s, c;
    real_sincos((scalar)0.5 * x, &s, &c);
    s = real_select(real_less(s, real_of(least)), real_of(least), s);
    c = real_select(real_less(c, real_of(least)), real_of(least), c);
    *sine = 2 * s * c;
    return real_log(s / c);
}

/* The x with h(x) + t = y, and log h'(x).  h is odd, so take y > 0.  In terms of a = log tan(x/2) and b = log tan(h/2)
 * each h_k is the shift a -> a + s_k; b(a) is smooth, increasing, and close to straight lines at both ends, and the
 * root lies between b - max s and b - min s.  Newton steps that would leave the bracket are replaced by bisections; a
 * lane that has converged keeps its value, so that it does not depend on its neighbours.  Last comes a Newton step in
 * x. */
REAL_INLINE void tangents_inverse(const real *parameter, int components, real y, real *x, real *log_slope)
{
    enum { MOST_STEPS = 100 };
#ifdef REAL_FLOAT
    const scalar small = (scalar)1e-5;
#else
    const scalar small = 1e-9; /* convergence is quadratic, and one more step follows */
#endif
    real scale[FLOW_MAX_KNOTS], sine, slope, zero = real_of(0);
    tangents_scales(parameter, components, scale);
    real target = real_wrap(y - parameter[components]);
    truth negative = real_less(target, zero);
    target = real_abs(target);
    real b = tangents_log_tan(target, &sine), least = parameter[0], most = parameter[0];
    for (int j = 1; j < components; j++) {
        least = real_select(real_less(parameter[j], least), parameter[j], least);
        most = real_select(real_less(most, parameter[j]), parameter[j], most);
    }
    real low = b - most, high = b - least, a = (scalar)0.5 * (low + high);
    truth open = real_less(zero, real_of(1));
    for (int step = 0; step < MOST_STEPS && truth_any(open); step++) {
        /* h = 2 atan(e^a) is the angle of (C, S) = (1, e^a): dh/da = sin h */
        real e = real_exp(a), h = zero, rise = zero;
        for (int j = 0; j < components; j++) {
            real v = scale[j] * e;
            h = h + real_atan(v);
            rise = rise + v / (1 + v * v);
        }
        real miss = tangents_log_tan(h * ((scalar)2 / (scalar)components), &sine) - b;
        truth above = real_less(zero, miss);
        high = real_select(above & open, a, high);
        low = real_select(above, low, real_select(open, a, low));
        real next = a - miss * sine * (scalar)components / (2 * rise);
        truth inside = real_less(low, next) & real_less(next, high);
        next = real_select(inside, next, (scalar)0.5 * (low + high));
        truth moves = real_less(real_of(small), real_abs(next - a));
        a = real_select(open, next, a);
        open = open & moves;
    }
    real z = 2 * real_atan(real_exp(a));
    real miss = tangents_mean(scale, components, z, &slope) - target;
    z = z - miss / slope;
    tangents_mean(scale, components, z, &slope);
    *x = real_wrap(real_select(negative, -z, z));
    *log_slope = real_log(slope);
}

/* Cotangents of x and of the parameters of ybar y + lbar log h'(x). */
REAL_INLINE void tangents_backward(const real *parameter, int components, real x, real ybar, real lbar, real *xbar,
                                   real *parameter_bar)
{
    const scalar share = (scalar)1 / (scalar)components;
    real s, c, slope = real_of(0), bend = real_of(0);
    real_sincos((scalar)0.5 * x, &s, &c);
    real g[FLOW_MAX_KNOTS], scale[FLOW_MAX_KNOTS];
    for (int j = 0; j < components; j++) {
        scale[j] = real_exp(parameter[j]);
        g[j] = scale[j] / (c * c + scale[j] * scale[j] * s * s);
        slope = slope + share * g[j];
        bend = bend - share * g[j] * g[j] * (scale[j] - 1 / scale[j]) * s * c;
    }
    real weight = lbar / slope;
    *xbar = ybar * slope + weight * bend;
    for (int j = 0; j < components; j++)
        parameter_bar[j] = share * g[j] * (2 * ybar * s * c - weight * g[j] * (scale[j] * s * s - c * c / scale[j]));
    parameter_bar[components] = ybar;
}

#endif
