/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * u1.h: algebra of one U(1) link for kernels.  A link is its angle in [-pi, pi]; sums of links are complex numbers.
 * The generator is T = i.
 */
#ifndef U1_H
#define U1_H

#include "lattice/group/complex.h"

enum { LINK_REALS = 1, ALGEBRA_REALS = 1, GROUP_N = 1 };
/* Operations of products of links, of sums of matrices, and of the functions below */
enum { PRODUCT_FLOPS = 1, ADD_FLOPS = 2, MATRIX_FLOPS = 2, GENERATORS_FLOPS = 1, EXP_FLOPS = 0, CLEAN_FLOPS = 3, TRACE_FLOPS = 2, ROTATE_FLOPS = 0, PROJECT_FLOPS = 1 };

typedef struct { real angle; } link_t;
typedef struct { real re, im; } matrix_t;

REAL_INLINE link_t link_one(void) { return (link_t){real_of(0)}; }
REAL_INLINE link_t link_dagger(link_t a) { return (link_t){-a.angle}; }
REAL_INLINE link_t link_mul(link_t a, link_t b) { return (link_t){a.angle + b.angle}; }
REAL_INLINE link_t link_mul_fetching(link_t a, link_t b, const scalar *next, int lanes)
{
    (void)next;
    (void)lanes;
    return link_mul(a, b);
}
REAL_INLINE link_t link_mul_dagger(link_t a, link_t b) { return (link_t){a.angle - b.angle}; } /* a b^+ */
REAL_INLINE link_t link_dagger_mul(link_t a, link_t b) { return (link_t){b.angle - a.angle}; } /* a^+ b */

/* Products leave the principal branch; what is stored comes back to it. */
REAL_INLINE link_t link_clean(link_t a) { return (link_t){real_wrap(a.angle)}; }

REAL_INLINE matrix_t link_matrix(link_t a)
{
    matrix_t m;
    real_sincos(a.angle, &m.im, &m.re);
    return m;
}
REAL_INLINE matrix_t matrix_zero(void) { return (matrix_t){real_of(0), real_of(0)}; }
REAL_INLINE matrix_t matrix_add(matrix_t a, matrix_t b) { return (matrix_t){a.re + b.re, a.im + b.im}; }
REAL_INLINE matrix_t matrix_scale(real s, matrix_t a) { return (matrix_t){s * a.re, s * a.im}; }
REAL_INLINE matrix_t link_matrix_mul(link_t a, matrix_t b)
{
    matrix_t u = link_matrix(a);
    return (matrix_t){u.re * b.re - u.im * b.im, u.re * b.im + u.im * b.re};
}

REAL_INLINE matrix_t link_mul_matrix_dagger(link_t a, matrix_t b) /* a b^+ */
{
    return link_matrix_mul(a, (matrix_t){b.re, -b.im});
}

/* tr a / N */
REAL_INLINE void link_trace(link_t a, real *re, real *im) { real_sincos(a.angle, im, re); }

/* Re tr(T_a m) for all generators */
REAL_INLINE void matrix_generators(matrix_t m, real out[ALGEBRA_REALS]) { out[0] = -m.im; }

/* exp(a_a T_a) */
REAL_INLINE link_t link_exp(const real algebra[ALGEBRA_REALS]) { return (link_t){algebra[0]}; }

REAL_INLINE matrix_t matrix_dagger(matrix_t a) { return (matrix_t){a.re, -a.im}; }
/* The group element nearest to a matrix */
REAL_INLINE link_t matrix_project(matrix_t a) { return (link_t){real_atan2(a.im, a.re)}; }

/* |a - b|^2 */
REAL_INLINE real matrix_square_distance(matrix_t a, matrix_t b)
{
    return (a.re - b.re) * (a.re - b.re) + (a.im - b.im) * (a.im - b.im);
}

/* a_a T_a */
REAL_INLINE matrix_t algebra_matrix(const real a[ALGEBRA_REALS]) { return (matrix_t){real_of(0), a[0]}; }

/* The components of U A U^+ and of U^+ A U, of an algebra element A */
REAL_INLINE void link_rotate(link_t u, const real algebra[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
    (void)u;
    out[0] = algebra[0];
}
REAL_INLINE void link_rotate_back(link_t u, const real algebra[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
    (void)u;
    out[0] = algebra[0];
}

/* Haar measure from uniform deviates */
enum { HAAR_REALS = 1 };
REAL_INLINE link_t link_haar(const real uniform[HAAR_REALS]) { return (link_t){(2 * uniform[0] - 1) * REAL_PI}; }

REAL_INLINE link_t link_load(const scalar *p, int lanes)
{
    (void)lanes;
    return (link_t){real_load(p)};
}
REAL_INLINE void link_store(scalar *p, int lanes, link_t a)
{
    (void)lanes;
    real_store(p, a.angle);
}

/* A matrix as its N^2 entries, row after row; and Re tr(T_a m) for all generators, of any matrix. */
REAL_INLINE void matrix_entries(matrix_t a, complex_t out[GROUP_N * GROUP_N]) { out[0] = complex_of(a.re, a.im); }
REAL_INLINE void entries_generators(const complex_t m[GROUP_N * GROUP_N], real out[ALGEBRA_REALS]) { out[0] = -m[0].im; }

REAL_INLINE link_t link_select(truth t, link_t a, link_t b) { return (link_t){real_select(t, a.angle, b.angle)}; }

/* Matrices as they are stored, their products and their traces: Re tr a / N */
enum { MATRIX_REALS = 2 };
REAL_INLINE matrix_t matrix_load(const scalar *p, int lanes) { return (matrix_t){real_load(p), real_load(p + lanes)}; }
REAL_INLINE void matrix_store(scalar *p, int lanes, matrix_t a)
{
    real_store(p, a.re);
    real_store(p + lanes, a.im);
}
REAL_INLINE matrix_t matrix_mul(matrix_t a, matrix_t b)
{
    return (matrix_t){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
REAL_INLINE matrix_t matrix_link_mul(matrix_t a, link_t b) { return link_matrix_mul(b, a); }
REAL_INLINE real matrix_trace(matrix_t a) { return a.re; }

/* A matrix has no part -i h_a T_a, which traceless Hermitian matrices are (su3.h). */
REAL_INLINE void matrix_hermitian(matrix_t m, real out[ALGEBRA_REALS])
{
    (void)m;
    out[0] = real_of(0);
}
REAL_INLINE matrix_t hermitian_matrix(const real h[ALGEBRA_REALS])
{
    (void)h;
    return matrix_zero();
}

/* There are no structure constants: see su3.h. */
#define ANTISYMMETRIC_CONSTANTS(X)
#define SYMMETRIC_CONSTANTS(X)
REAL_INLINE void adjoint_invariants(const real x[ALGEBRA_REALS], real e[3])
{
    (void)x;
    e[0] = e[1] = e[2] = real_of(0);
}

#endif
