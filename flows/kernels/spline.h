/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spline.h: rational quadratic splines of the circle (Durkan et al., arXiv:1906.04032; Rezende et al., arXiv:2002.02428).
 *
 * A spline maps an interval of length E onto itself.  parameter, for K bins: K logits of widths, K of heights, logits of
 * slopes at the knots; K at most FLOW_MAX_KNOTS.
 *
 *     width_k = E (m + (1 - K m) softmax_k), height_k likewise,  slope_k = exp(logit_k)
 *
 * with m = 1e-6; a distribution that leaves most of the circle nearly empty is made of such narrow bins and steep slopes.  Knot
 * k is the left end of bin k; logits that are all zero give the identity.  Angles in and out lie in [-pi, pi].
 *
 *   - spline: y = h(x) + t on [-pi, pi], K slopes, since knot K is knot 0, and t.
 *   - even spline: h is odd, so that the density is even: y = h(x) on [0, pi], K + 1 slopes, and the mirror image below.
 *
 * Within the bin, with z = (x - x_k) / width, s = height / width, slopes d0 and d1 at its ends, q = z (1 - z):
 *
 *     h = y_k + height (s z^2 + d0 q) / n,   n = s + (d0 + d1 - 2 s) q
 *     h' = s^2 e / n^2,                      e = d1 z^2 + 2 s q + d0 (1 - z)^2
 */
#ifndef SPLINE_H
#define SPLINE_H

#include "lattice/kernels/real.h"
#include "flows/kernels/flow_kernels.h"

#define SPLINE_LEAST ((scalar)1e-6)

/* For costs: two distributions and the bin among them, and what is done within it. */
#define SPLINE_FLOPS(knots) (16 * (knots) + 39)
#define SPLINE_INVERSE_FLOPS(knots) (16 * (knots) + 54)
#define SPLINE_BACKWARD_FLOPS(knots) (27 * (knots) + 98)

/* Where a spline lives */
typedef struct {
    int knots, slopes; /* slopes = knots: the last knot is the first */
    scalar start, extent;
} spline_domain;

REAL_INLINE spline_domain spline_circle(int knots) { return (spline_domain){knots, knots, -REAL_PI, 2 * REAL_PI}; }
REAL_INLINE spline_domain spline_half_circle(int knots) { return (spline_domain){knots, knots + 1, 0, REAL_PI}; }

/* The bin that holds the point */
typedef struct {
    real index;          /* its number */
    real left, width;    /* in x */
    real bottom, height; /* in y */
    real logit0, logit1; /* of the slopes at its ends */
    real slope0, slope1;
    real s; /* height / width */
} spline_bin;

/* softmax of the logits */
REAL_INLINE void spline_softmax(const real *logit, int knots, real *share)
{
    real most = logit[0], sum = real_of(0);
    for (int j = 1; j < knots; j++) most = real_select(real_less(most, logit[j]), logit[j], most);
    for (int j = 0; j < knots; j++) {
        share[j] = real_exp(logit[j] - most);
        sum = sum + share[j];
    }
    sum = 1 / sum;
    for (int j = 0; j < knots; j++) share[j] = share[j] * sum;
}

REAL_INLINE real spline_extent(spline_domain d, real share)
{
    return d.extent * (SPLINE_LEAST + (1 - (scalar)d.knots * SPLINE_LEAST) * share);
}

/* The last bin whose lower end in x (or y, if by_height) is not above the point.  Its extents are the differences of its
 * ends, whatever their sums have been rounded to: so bins meet, and fill the interval, in any precision. */
REAL_INLINE spline_bin spline_find(spline_domain d, const real *parameter, const real *wide, const real *high, real point,
                                   int by_height)
{
    const int knots = d.knots;
    const real end = real_of(d.start + d.extent);
    spline_bin bin = {0};
    real left = real_of(d.start), bottom = left, right = end, top = end;
    for (int j = 0; j < knots; j++) {
        real next_left = j + 1 < knots ? left + spline_extent(d, wide[j]) : end;
        real next_bottom = j + 1 < knots ? bottom + spline_extent(d, high[j]) : end;
        truth below = j == 0 ? real_less(real_of(0), real_of(1)) : real_less(by_height ? bottom : left, point);
        bin.index = real_select(below, real_of((scalar)j), bin.index);
        bin.left = real_select(below, left, bin.left);
        bin.bottom = real_select(below, bottom, bin.bottom);
        right = real_select(below, next_left, right);
        top = real_select(below, next_bottom, top);
        bin.logit0 = real_select(below, parameter[2 * knots + j], bin.logit0);
        bin.logit1 = real_select(below, parameter[2 * knots + (j + 1 < d.slopes ? j + 1 : 0)], bin.logit1);
        left = next_left;
        bottom = next_bottom;
    }
    bin.width = right - bin.left;
    bin.height = top - bin.bottom;
    bin.slope0 = real_exp(bin.logit0);
    bin.slope1 = real_exp(bin.logit1);
    bin.s = bin.height / bin.width;
    return bin;
}

REAL_INLINE real spline_within(real share)
{
    real zero = real_of(0), one = real_of(1);
    return real_select(real_less(share, zero), zero, real_select(real_less(one, share), one, share));
}

/* Where the point is in its bin.  Rounding may leave it outside of one that is hardly wider than a rounding. */
REAL_INLINE real spline_place(const spline_bin *bin, real x) { return spline_within((x - bin->left) / bin->width); }

REAL_INLINE real spline_log_slope(const spline_bin *bin, real z)
{
    real q = z * (1 - z), s = bin->s, n = s + (bin->slope0 + bin->slope1 - 2 * s) * q;
    real e = bin->slope1 * z * z + 2 * s * q + bin->slope0 * (1 - z) * (1 - z);
    real root = s / n;
    return real_log(root * root * e);
}

/* h(x) and log h'(x) */
REAL_INLINE real spline_image(spline_domain d, const real *parameter, real x, real *log_slope)
{
    real wide[FLOW_MAX_KNOTS], high[FLOW_MAX_KNOTS];
    spline_softmax(parameter, d.knots, wide);
    spline_softmax(parameter + d.knots, d.knots, high);
    spline_bin bin = spline_find(d, parameter, wide, high, x, 0);
    real z = spline_place(&bin, x), q = z * (1 - z), s = bin.s;
    *log_slope = spline_log_slope(&bin, z);
    return bin.bottom + bin.height * (s * z * z + bin.slope0 * q) / (s + (bin.slope0 + bin.slope1 - 2 * s) * q);
}

/* The x with h(x) = y, and log h'(x).  With r = (h - y_k) / height the bin's z solves (s - b) z^2 + b z = s r,
 * b = d0 - r (d0 + d1 - 2 s).  Its discriminant is (b - 2 s r)^2 + 4 s^2 r (1 - r), a sum of two positive terms, and
 * the form of the root that does not cancel depends on the sign of b. */
REAL_INLINE real spline_preimage(spline_domain d, const real *parameter, real y, real *log_slope)
{
    real wide[FLOW_MAX_KNOTS], high[FLOW_MAX_KNOTS];
    spline_softmax(parameter, d.knots, wide);
    spline_softmax(parameter + d.knots, d.knots, high);
    spline_bin bin = spline_find(d, parameter, wide, high, y, 1);
    real s = bin.s, r = spline_within((y - bin.bottom) / bin.height);
    real b = bin.slope0 - r * (bin.slope0 + bin.slope1 - 2 * s), c = b - 2 * s * r;
    real root = real_sqrt(c * c + 4 * s * s * r * (1 - r));
    truth falls = real_less(b, real_of(0));
    real z = real_select(falls, root - b, 2 * s * r) / real_select(falls, 2 * (s - b), b + root);
    *log_slope = spline_log_slope(&bin, z);
    return bin.left + bin.width * z;
}

/* Cotangents of softmax logits.  The left end of the bin takes `end_bar`, its extent `extent_bar`. */
REAL_INLINE void spline_softmax_backward(spline_domain d, const real *share, real index, real end_bar, real extent_bar,
                                         real *logit_bar)
{
    const int knots = d.knots;
    const scalar scale = d.extent * (1 - (scalar)knots * SPLINE_LEAST);
    real mean = real_of(0);
    for (int j = 0; j < knots; j++) {
        real number = real_of((scalar)j);
        real bar = real_select(real_less(number, index), end_bar,
                               real_select(real_less(index, number), real_of(0), extent_bar));
        logit_bar[j] = bar;
        mean = mean + share[j] * bar;
    }
    for (int j = 0; j < knots; j++) logit_bar[j] = scale * share[j] * (logit_bar[j] - mean);
}

/* Cotangents of x and of the logits of ybar h(x) + lbar log h'(x). */
REAL_INLINE real spline_pull(spline_domain d, const real *parameter, real x, real ybar, real lbar, real *parameter_bar)
{
    const int knots = d.knots;
    real wide[FLOW_MAX_KNOTS], high[FLOW_MAX_KNOTS];
    spline_softmax(parameter, knots, wide);
    spline_softmax(parameter + knots, knots, high);
    spline_bin bin = spline_find(d, parameter, wide, high, x, 0);
    real z = spline_place(&bin, x), s = bin.s, d0 = bin.slope0, d1 = bin.slope1;
    real q = z * (1 - z), dq = 1 - 2 * z, sum = d0 + d1 - 2 * s;
    real over_n = 1 / (s + sum * q), e = d1 * z * z + 2 * s * q + d0 * (1 - z) * (1 - z), over_e = 1 / e;
    real g = (s * z * z + d0 * q) * over_n; /* h = bottom + height g */

    /* partial derivatives of g and log h' with respect to z, s, d0, d1 */
    real gbar = ybar * bin.height;
    real zbar =
        gbar * s * e * over_n * over_n + lbar * (2 * (d1 * z + s * dq - d0 * (1 - z)) * over_e - 2 * sum * dq * over_n);
    real sbar = gbar * (z * z - g * (1 - 2 * q)) * over_n + lbar * (2 / s + 2 * q * over_e - 2 * (1 - 2 * q) * over_n);
    real bar0 = gbar * q * (1 - g) * over_n + lbar * ((1 - z) * (1 - z) * over_e - 2 * q * over_n);
    real bar1 = -gbar * g * q * over_n + lbar * (z * z * over_e - 2 * q * over_n);

    /* z = (x - left) / width, s = height / width, h = bottom + height g */
    real xbar = zbar / bin.width;
    real width_bar = -(zbar * z + sbar * s) / bin.width, height_bar = ybar * g + sbar / bin.width;
    spline_softmax_backward(d, wide, bin.index, -xbar, width_bar, parameter_bar);
    spline_softmax_backward(d, high, bin.index, ybar, height_bar, parameter_bar + knots);

    bar0 = bar0 * d0;
    bar1 = bar1 * d1;
    for (int j = 0; j < d.slopes; j++) {
        real here = real_of((scalar)j), before = real_of((scalar)(j > 0 ? j - 1 : knots - 1)), zero = real_of(0);
        truth no0 = real_less(here, bin.index) | real_less(bin.index, here);
        truth no1 = real_less(before, bin.index) | real_less(bin.index, before);
        real left_end = real_select(no0, zero, bar0), right_end = real_select(no1, zero, bar1);
        parameter_bar[2 * knots + j] = j > 0 || d.slopes == knots ? left_end + right_end : left_end;
    }
    return xbar;
}

/* y and log h'(x) */
REAL_INLINE void spline_forward(const real *parameter, int knots, real x, real *y, real *log_slope)
{
    *y = real_wrap(spline_image(spline_circle(knots), parameter, x, log_slope) + parameter[3 * knots]);
}

REAL_INLINE void spline_inverse(const real *parameter, int knots, real y, real *x, real *log_slope)
{
    *x = real_wrap(spline_preimage(spline_circle(knots), parameter, real_wrap(y - parameter[3 * knots]), log_slope));
}

/* Cotangents of x and of the parameters of ybar y + lbar log h'(x). */
REAL_INLINE void spline_backward(const real *parameter, int knots, real x, real ybar, real lbar, real *xbar, real *parameter_bar)
{
    *xbar = spline_pull(spline_circle(knots), parameter, x, ybar, lbar, parameter_bar);
    parameter_bar[3 * knots] = ybar;
}

/* a with the sign of b */
REAL_INLINE real spline_sign(real a, real b) { return real_select(real_less(b, real_of(0)), -a, a); }

REAL_INLINE void even_spline_forward(const real *parameter, int knots, real x, real *y, real *log_slope)
{
    *y = real_wrap(spline_sign(spline_image(spline_half_circle(knots), parameter, real_abs(x), log_slope), x));
}

REAL_INLINE void even_spline_inverse(const real *parameter, int knots, real y, real *x, real *log_slope)
{
    *x = real_wrap(spline_sign(spline_preimage(spline_half_circle(knots), parameter, real_abs(y), log_slope), y));
}

REAL_INLINE void even_spline_backward(const real *parameter, int knots, real x, real ybar, real lbar, real *xbar, real *parameter_bar)
{
    *xbar = spline_sign(spline_pull(spline_half_circle(knots), parameter, real_abs(x), spline_sign(ybar, x), lbar, parameter_bar), x);
}

#endif
