/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * su3.h: algebra of one SU(3) link for kernels.  A link is stored as its 18 numbers, row after row, real part before
 * imaginary part; sums of links are such matrices too.  The generators are T_a = i lambda_a / 2, lambda_a the matrices
 * of Gell-Mann.
 */
#ifndef SU3_H
#define SU3_H

#include "lattice/group/complex.h"

enum { LINK_REALS = 18, ALGEBRA_REALS = 8, GROUP_N = 3 };
/* Operations of products of links, of sums of matrices, and of the functions below: the series of the exponential without halvings,
 * the projection by 17 steps of a product, an inverse and a sum */
enum { PRODUCT_FLOPS = 198, ADD_FLOPS = 18, MATRIX_FLOPS = 0, GENERATORS_FLOPS = 14, EXP_FLOPS = 430, CLEAN_FLOPS = 144, TRACE_FLOPS = 6, ROTATE_FLOPS = 420, PROJECT_FLOPS = 17 * 450 };

typedef struct {
    complex_t x, y, z;
} row_t;
typedef struct {
    row_t r, s, t;
} link_t;
typedef link_t matrix_t;

/* ----------------------------------------------------------------------------------------------------------- rows */

REAL_INLINE row_t row_scale(complex_t a, row_t b)
{
    return (row_t){complex_mul(a, b.x), complex_mul(a, b.y), complex_mul(a, b.z)};
}
REAL_INLINE row_t row_mul_add(complex_t a, row_t b, row_t c)
{
    return (row_t){complex_mul_add(a, b.x, c.x), complex_mul_add(a, b.y, c.y), complex_mul_add(a, b.z, c.z)};
}
REAL_INLINE row_t row_add(row_t a, row_t b)
{
    return (row_t){complex_add(a.x, b.x), complex_add(a.y, b.y), complex_add(a.z, b.z)};
}
REAL_INLINE row_t row_times(real s, row_t a)
{
    return (row_t){complex_scale(s, a.x), complex_scale(s, a.y), complex_scale(s, a.z)};
}
REAL_INLINE row_t row_conj(row_t a) { return (row_t){complex_conj(a.x), complex_conj(a.y), complex_conj(a.z)}; }
REAL_INLINE row_t row_mul(row_t a, link_t b)
{
    return row_mul_add(a.z, b.t, row_mul_add(a.y, b.s, row_scale(a.x, b.r)));
}
/* sum_k a_k^* b_k */
REAL_INLINE complex_t row_product(row_t a, row_t b)
{
    complex_t x = complex_mul(complex_conj(a.x), b.x);
    return complex_conj_mul_add(a.z, b.z, complex_conj_mul_add(a.y, b.y, x));
}
REAL_INLINE real row_square(row_t a) { return complex_square(a.x) + complex_square(a.y) + complex_square(a.z); }
/* (a_x b_y - a_y b_x)^* : the third row of a matrix in SU(3) from two others */
REAL_INLINE complex_t minor_conj(complex_t ax, complex_t ay, complex_t bx, complex_t by)
{
    return (complex_t){ax.re * by.re - ax.im * by.im - ay.re * bx.re + ay.im * bx.im,
                       ay.re * bx.im + ay.im * bx.re - ax.re * by.im - ax.im * by.re};
}
REAL_INLINE row_t row_cross_conj(row_t a, row_t b)
{
    return (row_t){minor_conj(a.y, a.z, b.y, b.z), minor_conj(a.z, a.x, b.z, b.x), minor_conj(a.x, a.y, b.x, b.y)};
}

/* -------------------------------------------------------------------------------------------------------- links */

REAL_INLINE link_t link_one(void)
{
    complex_t one = complex_of(real_of(1), real_of(0)), zero = complex_of(real_of(0), real_of(0));
    return (link_t){{one, zero, zero}, {zero, one, zero}, {zero, zero, one}};
}
REAL_INLINE link_t link_dagger(link_t a)
{
    return (link_t){{complex_conj(a.r.x), complex_conj(a.s.x), complex_conj(a.t.x)},
                    {complex_conj(a.r.y), complex_conj(a.s.y), complex_conj(a.t.y)},
                    {complex_conj(a.r.z), complex_conj(a.s.z), complex_conj(a.t.z)}};
}
REAL_INLINE link_t link_mul(link_t a, link_t b) { return (link_t){row_mul(a.r, b), row_mul(a.s, b), row_mul(a.t, b)}; }
/* The same, while a link is brought near that is needed soon: its lines one by one, since a processor waits for few at a
 * time. */
REAL_INLINE row_t row_mul_fetching(row_t a, link_t b, const scalar *next, int lanes)
{
    real_prefetch(next);
    real_prefetch(next + lanes);
    row_t sum = row_scale(a.x, b.r);
    real_prefetch(next + 2 * lanes);
    real_prefetch(next + 3 * lanes);
    sum = row_mul_add(a.y, b.s, sum);
    real_prefetch(next + 4 * lanes);
    real_prefetch(next + 5 * lanes);
    return row_mul_add(a.z, b.t, sum);
}
REAL_INLINE link_t link_mul_fetching(link_t a, link_t b, const scalar *next, int lanes)
{
    return (link_t){row_mul_fetching(a.r, b, next, lanes), row_mul_fetching(a.s, b, next + 6 * lanes, lanes),
                    row_mul_fetching(a.t, b, next + 12 * lanes, lanes)};
}
REAL_INLINE link_t link_mul_dagger(link_t a, link_t b) { return link_mul(a, link_dagger(b)); } /* a b^+ */
REAL_INLINE link_t link_dagger_mul(link_t a, link_t b) { return link_mul(link_dagger(a), b); } /* a^+ b */

/* Products leave the group by rounding errors; what is stored comes back to it.  Gram and Schmidt on the first two
 * rows, the third is their vector product.  The norms are 1 up to rounding, so one step of Newton's method for the
 * inverse square root leaves the square of the error.  The third row of the argument is not read: where it comes from
 * a product, the compiler leaves its third row out. */
REAL_INLINE link_t link_clean(link_t a)
{
    row_t r = row_times((scalar)1.5 - (scalar)0.5 * row_square(a.r), a.r);
    complex_t along = row_product(r, a.s);
    row_t s = row_mul_add(complex_of(-along.re, -along.im), r, a.s);
    s = row_times((scalar)1.5 - (scalar)0.5 * row_square(s), s);
    return (link_t){r, s, row_cross_conj(r, s)};
}

REAL_INLINE matrix_t link_matrix(link_t a) { return a; }
REAL_INLINE matrix_t matrix_zero(void)
{
    complex_t zero = complex_of(real_of(0), real_of(0));
    return (matrix_t){{zero, zero, zero}, {zero, zero, zero}, {zero, zero, zero}};
}
REAL_INLINE matrix_t matrix_add(matrix_t a, matrix_t b)
{
    return (matrix_t){row_add(a.r, b.r), row_add(a.s, b.s), row_add(a.t, b.t)};
}
REAL_INLINE matrix_t matrix_scale(real s, matrix_t a)
{
    return (matrix_t){row_times(s, a.r), row_times(s, a.s), row_times(s, a.t)};
}
REAL_INLINE matrix_t link_matrix_mul(link_t a, matrix_t b) { return link_mul(a, b); }
REAL_INLINE matrix_t link_mul_matrix_dagger(link_t a, matrix_t b) { return link_mul_dagger(a, b); } /* a b^+ */

/* tr a / N */
REAL_INLINE void link_trace(link_t a, real *re, real *im)
{
    *re = (a.r.x.re + a.s.y.re + a.t.z.re) * (scalar)(1.0 / 3);
    *im = (a.r.x.im + a.s.y.im + a.t.z.im) * (scalar)(1.0 / 3);
}

/* Re tr(T_a m) = -Im tr(lambda_a m) / 2 for all generators */
REAL_INLINE void matrix_generators(matrix_t m, real out[ALGEBRA_REALS])
{
    const scalar half = (scalar)0.5, third = (scalar)0.28867513459481288225; /* 1 / (2 sqrt 3) */
    out[0] = -half * (m.r.y.im + m.s.x.im);
    out[1] = half * (m.s.x.re - m.r.y.re);
    out[2] = half * (m.s.y.im - m.r.x.im);
    out[3] = -half * (m.r.z.im + m.t.x.im);
    out[4] = half * (m.t.x.re - m.r.z.re);
    out[5] = -half * (m.s.z.im + m.t.y.im);
    out[6] = half * (m.t.y.re - m.s.z.re);
    out[7] = third * (2 * m.t.z.im - m.r.x.im - m.s.y.im);
}

/* ------------------------------------------------------------------------------------------------------ exponential */

/* A matrix f0 + f1 H + f2 H^2, H Hermitian and traceless. */
typedef struct {
    complex_t f0, f1, f2;
} cubic_t;

/* The square of f, reduced with H^3 = c1 H + c0 (Cayley and Hamilton). */
REAL_INLINE cubic_t cubic_square(cubic_t f, real c0, real c1)
{
    complex_t two1 = complex_add(f.f1, f.f1), two0 = complex_add(f.f0, f.f0);
    complex_t third = complex_mul(two1, f.f2), fourth = complex_mul(f.f2, f.f2); /* of H^3 and H^4 = c1 H^2 + c0 H */
    cubic_t g = {complex_mul(f.f0, f.f0), complex_mul(two0, f.f1),
                 complex_mul_add(f.f1, f.f1, complex_mul(two0, f.f2))};
    g.f0 = complex_add(g.f0, complex_scale(c0, third));
    g.f1 = complex_add(g.f1, complex_add(complex_scale(c1, third), complex_scale(c0, fourth)));
    g.f2 = complex_add(g.f2, complex_scale(c1, fourth));
    return g;
}

/* exp(i H) for |H| <= 1 by its power series, in the scheme of Horner: every product with H is reduced with
 * H^3 = c1 H + c0.  The even powers are the real part, the odd ones the imaginary part. */
REAL_INLINE cubic_t cubic_series(real c0, real c1)
{
#ifdef REAL_FLOAT
    enum { TERMS = 12 };
#else
    enum { TERMS = 20 };
#endif
    /* i^n / n! without the i of the odd ones */
    const double coefficient[] = {
        1, 1, -1.0 / 2, -1.0 / 6, 1.0 / 24, 1.0 / 120, -1.0 / 720, -1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
        -1.0 / 3628800, -1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, -1.0 / 87178291200, -1.0 / 1307674368000,
        1.0 / 20922789888000, 1.0 / 355687428096000, -1.0 / 6402373705728000, -1.0 / 121645100408832000};
    complex_t zero = complex_of(real_of(0), real_of(0));
    cubic_t f = {zero, zero, zero};
    REAL_UNROLL
    for (int n = TERMS - 1; n >= 0; n--) {
        cubic_t h = {complex_scale(c0, f.f2), complex_add(f.f0, complex_scale(c1, f.f2)), f.f1};
        if (n % 2)
            h.f0.im += (scalar)coefficient[n];
        else
            h.f0.re += (scalar)coefficient[n];
        f = h;
    }
    return f;
}

/* The coefficients of exp(i H).  H is halved until its norm, at most sqrt(4 c1 / 3), is below 1, and the result squared
 * as often: both lane by lane, so that no lane depends on its neighbours.  No eigenvalues are needed, so none can be
 * too close to one another. */
REAL_INLINE cubic_t cubic_exp(real c0, real c1)
{
    enum { MOST_HALVINGS = 600 }; /* of the largest number there is; bounds the loops on infinity */
    const scalar largest = (scalar)0.75;
    real halvings = real_of(0);
    for (int i = 0; i < MOST_HALVINGS; i++) {
        truth large = real_less(real_of(largest), c1);
        if (!truth_any(large)) break;
        c1 = real_select(large, (scalar)0.25 * c1, c1);
        c0 = real_select(large, (scalar)0.125 * c0, c0);
        halvings = real_select(large, halvings + 1, halvings);
    }
    cubic_t f = cubic_series(c0, c1);
    for (int i = 0; i < MOST_HALVINGS; i++) {
        truth open = real_less(real_of(0), halvings);
        if (!truth_any(open)) break;
        cubic_t g = cubic_square(f, c0, c1);
        f.f0 = complex_of(real_select(open, g.f0.re, f.f0.re), real_select(open, g.f0.im, f.f0.im));
        f.f1 = complex_of(real_select(open, (scalar)0.5 * g.f1.re, f.f1.re),
                          real_select(open, (scalar)0.5 * g.f1.im, f.f1.im));
        f.f2 = complex_of(real_select(open, (scalar)0.25 * g.f2.re, f.f2.re),
                          real_select(open, (scalar)0.25 * g.f2.im, f.f2.im));
        c1 = real_select(open, 4 * c1, c1);
        c0 = real_select(open, 8 * c0, c0);
        halvings = halvings - 1;
    }
    return f;
}

/* exp(a_a T_a) = exp(i H), H = a_a lambda_a / 2, as f0 + f1 H + f2 H^2 (C. Morningstar and M. Peardon, Phys. Rev. D 69
 * (2004) 054501 [hep-lat/0311018]); the coefficients are summed rather than taken from the eigenvalues. */
REAL_INLINE link_t link_exp(const real algebra[ALGEBRA_REALS])
{
    const scalar half = (scalar)0.5, third = (scalar)0.28867513459481288225; /* 1 / (2 sqrt 3) */
    real a = half * algebra[2] + third * algebra[7], b = third * algebra[7] - half * algebra[2],
         c = -2 * third * algebra[7];
    complex_t u = complex_of(half * algebra[0], -half * algebra[1]); /* H = (a u v; u^* b w; v^* w^* c) */
    complex_t v = complex_of(half * algebra[3], -half * algebra[4]);
    complex_t w = complex_of(half * algebra[5], -half * algebra[6]);
    real uu = complex_square(u), vv = complex_square(v), ww = complex_square(w);
    complex_t uw = complex_mul(u, w);
    real aa = a * a + uu + vv, bb = b * b + uu + ww, cc = c * c + vv + ww; /* the diagonal of H^2 */
    complex_t uh = complex_conj_mul_add(w, v, complex_scale(-c, u));
    complex_t vh = complex_add(uw, complex_scale(-b, v));
    complex_t wh = complex_conj_mul_add(u, v, complex_scale(-a, w));
    real c1 = half * (aa + bb + cc);
    real c0 = a * (b * c - ww) - b * vv - c * uu + 2 * (uw.re * v.re + uw.im * v.im);
    cubic_t f = cubic_exp(c0, c1);
    link_t e;
#define DIAGONAL(h, hh) complex_add(f.f0, complex_add(complex_scale(h, f.f1), complex_scale(hh, f.f2)))
#define ABOVE(h, hh) complex_mul_add(h, f.f1, complex_mul(hh, f.f2))
#define BELOW(h, hh) complex_conj_mul_add(h, f.f1, complex_mul(complex_conj(hh), f.f2))
    e.r = (row_t){DIAGONAL(a, aa), ABOVE(u, uh), ABOVE(v, vh)};
    e.s = (row_t){BELOW(u, uh), DIAGONAL(b, bb), ABOVE(w, wh)};
    e.t = (row_t){BELOW(v, vh), BELOW(w, wh), DIAGONAL(c, cc)};
#undef DIAGONAL
#undef ABOVE
#undef BELOW
    return e;
}

/* -------------------------------------------------------------------------------------------------------- the rest */

REAL_INLINE matrix_t matrix_dagger(matrix_t a) { return link_dagger(a); }

/* The cofactors, complex conjugate: a^-1^+ times det a^* */
REAL_INLINE matrix_t matrix_cofactors(matrix_t a)
{
    return (matrix_t){row_cross_conj(a.s, a.t), row_cross_conj(a.t, a.r), row_cross_conj(a.r, a.s)};
}

/* The unitary factor of the polar decomposition of a matrix that is not singular, divided by the cube root of its
 * determinant next to 1.  Newton's method a <- (a + a^-1^+) / 2, whose number of steps does for singular values between
 * 1e-3 and 1e3, and is the same for all lanes. */
REAL_INLINE link_t matrix_project(matrix_t a)
{
    enum { STEPS = 17 };
    for (int i = 0; i < STEPS; i++) {
        matrix_t c = matrix_cofactors(a);
        complex_t det = complex_conj(row_product(c.r, a.r)); /* conjugate */
        complex_t inverse = complex_scale(1 / complex_square(det), complex_conj(det));
        row_t zero = matrix_zero().r;
        matrix_t next = {row_mul_add(inverse, c.r, zero), row_mul_add(inverse, c.s, zero), row_mul_add(inverse, c.t, zero)};
        a = matrix_scale(real_of((scalar)0.5), matrix_add(a, next));
    }
    complex_t det = row_product(matrix_cofactors(a).r, a.r), phase;
    real_sincos(real_atan2(det.im, det.re) * (scalar)(-1.0 / 3), &phase.im, &phase.re);
    return link_clean((link_t){row_scale(phase, a.r), row_scale(phase, a.s), row_scale(phase, a.t)});
}

/* tr (a - b) (a - b)^+ */
REAL_INLINE real complex_square_distance(complex_t a, complex_t b)
{
    return complex_square(complex_of(a.re - b.re, a.im - b.im));
}
REAL_INLINE real row_square_distance(row_t a, row_t b)
{
    return complex_square_distance(a.x, b.x) + complex_square_distance(a.y, b.y) + complex_square_distance(a.z, b.z);
}
REAL_INLINE real matrix_square_distance(matrix_t a, matrix_t b)
{
    return row_square_distance(a.r, b.r) + row_square_distance(a.s, b.s) + row_square_distance(a.t, b.t);
}

/* a_a T_a = i a_a lambda_a / 2 */
REAL_INLINE matrix_t algebra_matrix(const real a[ALGEBRA_REALS])
{
    const scalar half = (scalar)0.5, third = (scalar)0.28867513459481288225; /* 1 / (2 sqrt 3) */
    real zero = real_of(0), h2 = half * a[2], h7 = third * a[7];
    complex_t u = complex_of(half * a[1], half * a[0]), v = complex_of(half * a[4], half * a[3]);
    complex_t w = complex_of(half * a[6], half * a[5]);
    return (matrix_t){{complex_of(zero, h2 + h7), u, v},
                      {complex_of(-u.re, u.im), complex_of(zero, h7 - h2), w},
                      {complex_of(-v.re, v.im), complex_of(-w.re, w.im), complex_of(zero, -2 * h7)}};
}

/* The components of U A U^+ and of U^+ A U, of an algebra element A */
REAL_INLINE void link_rotate(link_t u, const real algebra[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
    matrix_generators(link_mul_dagger(link_mul(u, algebra_matrix(algebra)), u), out);
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = -2 * out[a];
}
REAL_INLINE void link_rotate_back(link_t u, const real algebra[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
    link_rotate(link_dagger(u), algebra, out);
}

/* Haar measure from uniform deviates: the first row is a uniform direction, the second one among those orthogonal to
 * it.  Both come from Gaussians; their norms are far from 1, so square roots are taken. */
enum { HAAR_REALS = 12 };
REAL_INLINE complex_t complex_gaussian(real u, real v)
{
    real sine, cosine, radius = real_sqrt((scalar)-2 * real_log(u));
    real_sincos((2 * v - 1) * REAL_PI, &sine, &cosine);
    return complex_of(radius * cosine, radius * sine);
}
REAL_INLINE link_t link_haar(const real uniform[HAAR_REALS])
{
    complex_t g[6];
    for (int i = 0; i < 6; i++) g[i] = complex_gaussian(uniform[2 * i], uniform[2 * i + 1]);
    row_t r = {g[0], g[1], g[2]}, s = {g[3], g[4], g[5]};
    r = row_times(1 / real_sqrt(row_square(r)), r);
    for (int i = 0; i < 2; i++) { /* once more for what rounding leaves where s is almost parallel to r */
        complex_t along = row_product(r, s);
        s = row_mul_add(complex_of(-along.re, -along.im), r, s);
        s = row_times(1 / real_sqrt(row_square(s)), s);
    }
    return (link_t){r, s, row_cross_conj(r, s)};
}

REAL_INLINE complex_t complex_load(const scalar *p, int lanes)
{
    return (complex_t){real_load(p), real_load(p + lanes)};
}
REAL_INLINE row_t row_load(const scalar *p, int lanes)
{
    return (row_t){complex_load(p, lanes), complex_load(p + 2 * lanes, lanes), complex_load(p + 4 * lanes, lanes)};
}
REAL_INLINE link_t link_load(const scalar *p, int lanes)
{
    return (link_t){row_load(p, lanes), row_load(p + 6 * lanes, lanes), row_load(p + 12 * lanes, lanes)};
}
REAL_INLINE void complex_store(scalar *p, int lanes, complex_t a)
{
    real_store(p, a.re);
    real_store(p + lanes, a.im);
}
REAL_INLINE void row_store(scalar *p, int lanes, row_t a)
{
    complex_store(p, lanes, a.x);
    complex_store(p + 2 * lanes, lanes, a.y);
    complex_store(p + 4 * lanes, lanes, a.z);
}
REAL_INLINE void link_store(scalar *p, int lanes, link_t a)
{
    row_store(p, lanes, a.r);
    row_store(p + 6 * lanes, lanes, a.s);
    row_store(p + 12 * lanes, lanes, a.t);
}

/* Without multiply-adds every product needs a register of its own, and 16 do not hold a row either. */
#if REAL_REGISTERS < 32 && defined(__FMA__)
#include "lattice/group/su3_rows.h"
#endif

/* The three subgroups SU(2) of N. Cabibbo and E. Marinari, Phys. Lett. B 119 (1982) 387: g = g0 + i g.sigma acts on
 * rows (and columns) 0, 1 for s = 0; 0, 2 for s = 1; 1, 2 for s = 2.
 *
 * matrix_subgroup: the numbers v with Re tr(g w) = 2 (g0 v0 - g1 v1 - g2 v2 - g3 v3) + (what g does not change) for
 * every g of subgroup s, which is Re tr(g v) + ... with v = v0 + i v.sigma. */
enum { SUBGROUPS = 3 };
REAL_INLINE void matrix_subgroup(matrix_t w, int s, real v[4])
{
    const scalar half = (scalar)0.5;
    complex_t a = s < 2 ? w.r.x : w.s.y, d = s == 0 ? w.s.y : w.t.z; /* (a b; c d) */
    complex_t b = s == 0 ? w.r.y : s == 1 ? w.r.z : w.s.z, c = s == 0 ? w.s.x : s == 1 ? w.t.x : w.t.y;
    v[0] = half * (a.re + d.re);
    v[1] = half * (b.im + c.im);
    v[2] = half * (b.re - c.re);
    v[3] = half * (a.im - d.im);
}
/* g u and g w, with the element g of subgroup s */
REAL_INLINE link_t link_subgroup_mul(const real g[4], int s, link_t u)
{
    complex_t a = complex_of(g[0], g[3]), b = complex_of(g[2], g[1]), c = complex_of(-g[2], g[1]),
              d = complex_of(g[0], -g[3]);
    row_t upper = s < 2 ? u.r : u.s, lower = s == 0 ? u.s : u.t;
    row_t first = row_mul_add(b, lower, row_scale(a, upper)), second = row_mul_add(d, lower, row_scale(c, upper));
    if (s < 2)
        u.r = first;
    else
        u.s = first;
    if (s == 0)
        u.s = second;
    else
        u.t = second;
    return u;
}
REAL_INLINE matrix_t matrix_subgroup_mul(const real g[4], int s, matrix_t w) { return link_subgroup_mul(g, s, w); }

/* A matrix as its N^2 entries, row after row; and Re tr(T_a m) for all generators, of any matrix. */
REAL_INLINE void matrix_entries(matrix_t a, complex_t out[GROUP_N * GROUP_N])
{
    const row_t row[] = {a.r, a.s, a.t};
    for (int i = 0; i < GROUP_N; i++) {
        out[3 * i] = row[i].x;
        out[3 * i + 1] = row[i].y;
        out[3 * i + 2] = row[i].z;
    }
}
REAL_INLINE void entries_generators(const complex_t m[GROUP_N * GROUP_N], real out[ALGEBRA_REALS])
{
    matrix_generators((matrix_t){{m[0], m[1], m[2]}, {m[3], m[4], m[5]}, {m[6], m[7], m[8]}}, out);
}

REAL_INLINE complex_t complex_select(truth t, complex_t a, complex_t b)
{
    return (complex_t){real_select(t, a.re, b.re), real_select(t, a.im, b.im)};
}
REAL_INLINE row_t row_select(truth t, row_t a, row_t b)
{
    return (row_t){complex_select(t, a.x, b.x), complex_select(t, a.y, b.y), complex_select(t, a.z, b.z)};
}
REAL_INLINE link_t link_select(truth t, link_t a, link_t b)
{
    return (link_t){row_select(t, a.r, b.r), row_select(t, a.s, b.s), row_select(t, a.t, b.t)};
}

/* Matrices as they are stored, their products and their traces: Re tr a / N */
enum { MATRIX_REALS = LINK_REALS };
REAL_INLINE matrix_t matrix_load(const scalar *p, int lanes) { return link_load(p, lanes); }
REAL_INLINE void matrix_store(scalar *p, int lanes, matrix_t a) { link_store(p, lanes, a); }
REAL_INLINE matrix_t matrix_mul(matrix_t a, matrix_t b) { return link_mul(a, b); }
REAL_INLINE matrix_t matrix_link_mul(matrix_t a, link_t b) { return link_mul(a, b); }
REAL_INLINE real matrix_trace(matrix_t a) { return (a.r.x.re + a.s.y.re + a.t.z.re) * (scalar)(1.0 / 3); }

/* -i m */
REAL_INLINE complex_t complex_minus_i(complex_t a) { return (complex_t){a.im, -a.re}; }
REAL_INLINE row_t row_minus_i(row_t a) { return (row_t){complex_minus_i(a.x), complex_minus_i(a.y), complex_minus_i(a.z)}; }
REAL_INLINE matrix_t matrix_minus_i(matrix_t m) { return (matrix_t){row_minus_i(m.r), row_minus_i(m.s), row_minus_i(m.t)}; }

/* h_a = Re tr(-i T_a m) = Re tr(lambda_a m) / 2: the Hermitian part of m is a number and h_a lambda_a.  And -i h_a T_a */
REAL_INLINE void matrix_hermitian(matrix_t m, real out[ALGEBRA_REALS]) { matrix_generators(matrix_minus_i(m), out); }
REAL_INLINE matrix_t hermitian_matrix(const real h[ALGEBRA_REALS]) { return matrix_minus_i(algebra_matrix(h)); }

/* Structure constants of [T_a, T_b] = -f_abc T_c and {lambda_a, lambda_b} = 4/3 delta_ab + 2 d_abc lambda_c: X(a, b, c, value) for
 * those of a <= b <= c that are not zero. */
#define ANTISYMMETRIC_CONSTANTS(X)                                                                                     \
    X(0, 1, 2, 1.0) X(0, 3, 6, 0.5) X(0, 4, 5, -0.5) X(1, 3, 5, 0.5) X(1, 4, 6, 0.5) X(2, 3, 4, 0.5) X(2, 5, 6, -0.5)   \
    X(3, 4, 7, 0.86602540378443864676) X(5, 6, 7, 0.86602540378443864676)
#define SYMMETRIC_CONSTANTS(X)                                                                                         \
    X(0, 0, 7, 0.57735026918962576451) X(1, 1, 7, 0.57735026918962576451) X(2, 2, 7, 0.57735026918962576451)            \
    X(3, 3, 7, -0.28867513459481288225) X(4, 4, 7, -0.28867513459481288225) X(5, 5, 7, -0.28867513459481288225)         \
    X(6, 6, 7, -0.28867513459481288225) X(7, 7, 7, -0.57735026918962576451)                                             \
    X(0, 3, 5, 0.5) X(0, 4, 6, 0.5) X(1, 3, 6, -0.5) X(1, 4, 5, 0.5) X(2, 3, 3, 0.5) X(2, 4, 4, 0.5) X(2, 5, 5, -0.5) X(2, 6, 6, -0.5)

/* Symmetric functions of the squares of the three roots of X = x_a T_a, the differences of the eigenvalues of -i X: their sum, the
 * sum of products of two, and the product.  Eigenvalues solve h^3 = c1 h + c0, c0 = d_abc x_a x_b x_c / 12. */
REAL_INLINE void adjoint_invariants(const real x[ALGEBRA_REALS], real e[3])
{
    real square = real_of(0), c0 = real_of(0);
    for (int a = 0; a < ALGEBRA_REALS; a++) square = square + x[a] * x[a];
#define TERM(a, b, c, d) c0 = c0 + (scalar)(d * (a == c ? 1 : a == b || b == c ? 3 : 6) / 12) * x[a] * x[b] * x[c];
    SYMMETRIC_CONSTANTS(TERM)
#undef TERM
    real c1 = (scalar)0.25 * square;
    e[0] = 6 * c1;
    e[1] = 9 * c1 * c1;
    e[2] = 4 * c1 * c1 * c1 - 27 * c0 * c0;
}

#endif
