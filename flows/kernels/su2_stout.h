/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * su2_stout.h: what stout steps need to know of SU(2).
 */
#ifndef SU2_STOUT_H
#define SU2_STOUT_H

#include "lattice/group/su2.h"

/* P^2, P Q and the complex conjugate traces say nothing new here: P^2 = (tr P) P - 1, traces are real. */
enum { STOUT_WORDS = 3, STOUT_PRODUCTS = 0 };
/* Pairs of roots: so many powers of ad_X^2 are independent. */
enum { ADJOINT_POWERS = 1 };

/* m T_b */
REAL_INLINE matrix_t matrix_generator(matrix_t m, int b)
{
    const scalar half = (scalar)0.5;
    m = matrix_scale(real_of(half), m);
    if (b == 0) return (matrix_t){-m.a1, m.a0, -m.a3, m.a2};
    if (b == 1) return (matrix_t){-m.a2, m.a3, m.a0, -m.a1};
    return (matrix_t){-m.a3, -m.a2, m.a1, m.a0};
}
/* Numbers that multiply matrices are real here. */
REAL_INLINE matrix_t matrix_times(complex_t c, matrix_t m) { return matrix_scale(c.re, m); }
REAL_INLINE complex_t matrix_complex_trace(matrix_t m) { return complex_of(2 * m.a0, real_of(0)); }
/* Im tr(T_a m) */
REAL_INLINE void matrix_imaginary_generators(matrix_t m, real out[ALGEBRA_REALS])
{
    (void)m;
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = real_of(0);
}

#endif
