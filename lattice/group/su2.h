/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * su2.h: algebra of one SU(2) link for kernels.  A link is four numbers a0 ... a3 of norm 1, U = a0 + i a.sigma; sums
 * of links are such numbers of any norm.  The generators are T_a = i sigma_a / 2.
 */
#ifndef SU2_H
#define SU2_H

#include "lattice/group/complex.h"

enum { LINK_REALS = 4, ALGEBRA_REALS = 3, GROUP_N = 2 };
/* Operations of products of links, of sums of matrices, and of the functions below */
enum { PRODUCT_FLOPS = 28, ADD_FLOPS = 4, MATRIX_FLOPS = 0, GENERATORS_FLOPS = 3, EXP_FLOPS = 14, CLEAN_FLOPS = 13, TRACE_FLOPS = 0, ROTATE_FLOPS = 56, PROJECT_FLOPS = 13 };

typedef struct {
    real a0, a1, a2, a3;
} link_t;
typedef link_t matrix_t;

REAL_INLINE link_t link_one(void) { return (link_t){real_of(1), real_of(0), real_of(0), real_of(0)}; }

REAL_INLINE link_t link_mul(link_t a, link_t b)
{
    return (link_t){
        a.a0 * b.a0 - a.a1 * b.a1 - a.a2 * b.a2 - a.a3 * b.a3, a.a0 * b.a1 + a.a1 * b.a0 - a.a2 * b.a3 + a.a3 * b.a2,
        a.a0 * b.a2 + a.a2 * b.a0 - a.a3 * b.a1 + a.a1 * b.a3, a.a0 * b.a3 + a.a3 * b.a0 - a.a1 * b.a2 + a.a2 * b.a1};
}
/* The same, while a link is brought near that is needed soon */
REAL_INLINE link_t link_mul_fetching(link_t a, link_t b, const scalar *next, int lanes)
{
    for (int c = 0; c < LINK_REALS; c++) real_prefetch(next + c * lanes);
    return link_mul(a, b);
}
REAL_INLINE link_t link_dagger(link_t a) { return (link_t){a.a0, -a.a1, -a.a2, -a.a3}; }
REAL_INLINE link_t link_mul_dagger(link_t a, link_t b) { return link_mul(a, link_dagger(b)); } /* a b^+ */
REAL_INLINE link_t link_dagger_mul(link_t a, link_t b) { return link_mul(link_dagger(a), b); } /* a^+ b */

/* Products leave the group by rounding errors; what is stored comes back to it.  One step of Newton's method for the
 * inverse square root of the norm leaves the square of the error. */
REAL_INLINE link_t link_clean(link_t a)
{
    real square = a.a0 * a.a0 + a.a1 * a.a1 + a.a2 * a.a2 + a.a3 * a.a3, scale = (scalar)1.5 - (scalar)0.5 * square;
    return (link_t){scale * a.a0, scale * a.a1, scale * a.a2, scale * a.a3};
}

REAL_INLINE matrix_t link_matrix(link_t a) { return a; }
REAL_INLINE matrix_t matrix_zero(void) { return (matrix_t){real_of(0), real_of(0), real_of(0), real_of(0)}; }
REAL_INLINE matrix_t matrix_add(matrix_t a, matrix_t b)
{
    return (matrix_t){a.a0 + b.a0, a.a1 + b.a1, a.a2 + b.a2, a.a3 + b.a3};
}
REAL_INLINE matrix_t matrix_scale(real s, matrix_t a) { return (matrix_t){s * a.a0, s * a.a1, s * a.a2, s * a.a3}; }
REAL_INLINE matrix_t link_matrix_mul(link_t a, matrix_t b) { return link_mul(a, b); }
REAL_INLINE matrix_t link_mul_matrix_dagger(link_t a, matrix_t b) { return link_mul_dagger(a, b); } /* a b^+ */

/* tr a / N */
REAL_INLINE void link_trace(link_t a, real *re, real *im)
{
    *re = a.a0;
    *im = real_of(0);
}

/* Re tr(T_a m) for all generators */
REAL_INLINE void matrix_generators(matrix_t m, real out[ALGEBRA_REALS])
{
    out[0] = -m.a1;
    out[1] = -m.a2;
    out[2] = -m.a3;
}

/* exp(a_a T_a) = cos h + i sin(h) (a / |a|).sigma with h = |a| / 2; where h is tiny, sin(h) / h is 1 to rounding. */
REAL_INLINE link_t link_exp(const real algebra[ALGEBRA_REALS])
{
    real square = (scalar)0.25 * (algebra[0] * algebra[0] + algebra[1] * algebra[1] + algebra[2] * algebra[2]);
    real half = real_sqrt(square), sine, cosine;
    real_sincos(half, &sine, &cosine);
    truth tiny = real_less(square, real_of((scalar)1e-20));
    real ratio = (scalar)0.5 * real_select(tiny, real_of(1), sine / real_select(tiny, real_of(1), half));
    return (link_t){cosine, ratio * algebra[0], ratio * algebra[1], ratio * algebra[2]};
}

REAL_INLINE matrix_t matrix_dagger(matrix_t a) { return link_dagger(a); }
/* The group element nearest to a matrix that is not zero */
REAL_INLINE link_t matrix_project(matrix_t a)
{
    return matrix_scale(1 / real_sqrt(a.a0 * a.a0 + a.a1 * a.a1 + a.a2 * a.a2 + a.a3 * a.a3), a);
}

/* tr (a - b) (a - b)^+ */
REAL_INLINE real matrix_square_distance(matrix_t a, matrix_t b)
{
    real d0 = a.a0 - b.a0, d1 = a.a1 - b.a1, d2 = a.a2 - b.a2, d3 = a.a3 - b.a3;
    return 2 * (d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3);
}

/* a_a T_a = i a_a sigma_a / 2 */
REAL_INLINE matrix_t algebra_matrix(const real a[ALGEBRA_REALS])
{
    const scalar half = (scalar)0.5;
    return (matrix_t){real_of(0), half * a[0], half * a[1], half * a[2]};
}

/* The components of U A U^+ and of U^+ A U, of an algebra element A */
REAL_INLINE void link_rotate(link_t u, const real algebra[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
    matrix_t m = link_mul_dagger(link_mul(u, (link_t){real_of(0), algebra[0], algebra[1], algebra[2]}), u);
    out[0] = m.a1;
    out[1] = m.a2;
    out[2] = m.a3;
}
REAL_INLINE void link_rotate_back(link_t u, const real algebra[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
    link_rotate(link_dagger(u), algebra, out);
}

/* Haar measure from uniform deviates: a uniform point of the sphere in four dimensions. */
enum { HAAR_REALS = 3 };
REAL_INLINE link_t link_haar(const real uniform[HAAR_REALS])
{
    real sine[2], cosine[2], first = real_sqrt(uniform[0]), second = real_sqrt(1 - uniform[0]);
    for (int i = 0; i < 2; i++) real_sincos((2 * uniform[1 + i] - 1) * REAL_PI, &sine[i], &cosine[i]);
    return (link_t){first * cosine[0], first * sine[0], second * cosine[1], second * sine[1]};
}

REAL_INLINE link_t link_load(const scalar *p, int lanes)
{
    return (link_t){real_load(p), real_load(p + lanes), real_load(p + 2 * lanes), real_load(p + 3 * lanes)};
}
REAL_INLINE void link_store(scalar *p, int lanes, link_t a)
{
    real_store(p, a.a0);
    real_store(p + lanes, a.a1);
    real_store(p + 2 * lanes, a.a2);
    real_store(p + 3 * lanes, a.a3);
}

/* Subgroups of SU(2), for updates that change a link within one of them; here it is the group itself.
 *
 * matrix_subgroup: the numbers v with Re tr(g w) = 2 (g0 v0 - g1 v1 - g2 v2 - g3 v3) + (what g does not change) for
 * every g = g0 + i g.sigma of subgroup s, which is Re tr(g v) + ... with v = v0 + i v.sigma. */
enum { SUBGROUPS = 1 };
REAL_INLINE void matrix_subgroup(matrix_t w, int s, real v[4])
{
    (void)s;
    v[0] = w.a0;
    v[1] = w.a1;
    v[2] = w.a2;
    v[3] = w.a3;
}
/* g u and g w, with the element g0 + i g.sigma of subgroup s */
REAL_INLINE link_t link_subgroup_mul(const real g[4], int s, link_t u)
{
    (void)s;
    return link_mul((link_t){g[0], g[1], g[2], g[3]}, u);
}
REAL_INLINE matrix_t matrix_subgroup_mul(const real g[4], int s, matrix_t w) { return link_subgroup_mul(g, s, w); }

/* A matrix as its N^2 entries, row after row; and Re tr(T_a m) for all generators, of any matrix. */
REAL_INLINE void matrix_entries(matrix_t a, complex_t out[GROUP_N * GROUP_N])
{
    out[0] = complex_of(a.a0, a.a3);
    out[1] = complex_of(a.a2, a.a1);
    out[2] = complex_of(-a.a2, a.a1);
    out[3] = complex_of(a.a0, -a.a3);
}
REAL_INLINE void entries_generators(const complex_t m[GROUP_N * GROUP_N], real out[ALGEBRA_REALS])
{
    out[0] = (scalar)-0.5 * (m[1].im + m[2].im);
    out[1] = (scalar)0.5 * (m[2].re - m[1].re);
    out[2] = (scalar)0.5 * (m[3].im - m[0].im);
}

REAL_INLINE link_t link_select(truth t, link_t a, link_t b)
{
    return (link_t){real_select(t, a.a0, b.a0), real_select(t, a.a1, b.a1), real_select(t, a.a2, b.a2), real_select(t, a.a3, b.a3)};
}

/* Matrices as they are stored, their products and their traces: Re tr a / N */
enum { MATRIX_REALS = LINK_REALS };
REAL_INLINE matrix_t matrix_load(const scalar *p, int lanes) { return link_load(p, lanes); }
REAL_INLINE void matrix_store(scalar *p, int lanes, matrix_t a) { link_store(p, lanes, a); }
REAL_INLINE matrix_t matrix_mul(matrix_t a, matrix_t b) { return link_mul(a, b); }
REAL_INLINE matrix_t matrix_link_mul(matrix_t a, link_t b) { return link_mul(a, b); }
REAL_INLINE real matrix_trace(matrix_t a) { return a.a0; }

/* Such matrices have no part -i h_a T_a, which traceless Hermitian matrices are (su3.h). */
REAL_INLINE void matrix_hermitian(matrix_t m, real out[ALGEBRA_REALS])
{
    (void)m;
    out[0] = out[1] = out[2] = real_of(0);
}
REAL_INLINE matrix_t hermitian_matrix(const real h[ALGEBRA_REALS])
{
    (void)h;
    return matrix_zero();
}

/* Structure constants and invariants: see su3.h. */
#define ANTISYMMETRIC_CONSTANTS(X) X(0, 1, 2, 1.0)
#define SYMMETRIC_CONSTANTS(X)
REAL_INLINE void adjoint_invariants(const real x[ALGEBRA_REALS], real e[3])
{
    e[0] = x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
    e[1] = e[2] = real_of(0);
}

#endif
