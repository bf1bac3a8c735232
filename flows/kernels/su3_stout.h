/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * su3_stout.h: what stout steps need to know of SU(3).
 */
#ifndef SU3_STOUT_H
#define SU3_STOUT_H

#include "lattice/group/su3.h"

/* With P^2, P Q */
enum { STOUT_WORDS = 7, STOUT_PRODUCTS = 1 };
/* Pairs of roots: so many powers of ad_X^2 are independent. */
enum { ADJOINT_POWERS = 3 };

/* r T_b */
REAL_INLINE row_t row_generator(row_t r, int b)
{
    const scalar half = (scalar)0.5, third = (scalar)0.28867513459481288225; /* 1 / (2 sqrt 3) */
    const complex_t zero = complex_zero();
    row_t h = row_times(real_of(half), r),
          i = row_mul_add(complex_of(real_of(0), real_of(half)), r, (row_t){zero, zero, zero});
    switch (b) {
    case 0: return (row_t){i.y, i.x, zero};
    case 1: return (row_t){complex_scale(real_of(-1), h.y), h.x, zero};
    case 2: return (row_t){i.x, complex_scale(real_of(-1), i.y), zero};
    case 3: return (row_t){i.z, zero, i.x};
    case 4: return (row_t){complex_scale(real_of(-1), h.z), zero, h.x};
    case 5: return (row_t){zero, i.z, i.y};
    case 6: return (row_t){zero, complex_scale(real_of(-1), h.z), h.y};
    default:
        return (row_t){complex_scale(real_of(2 * third), i.x), complex_scale(real_of(2 * third), i.y),
                       complex_scale(real_of(-4 * third), i.z)};
    }
}
/* m T_b */
REAL_INLINE matrix_t matrix_generator(matrix_t m, int b)
{
    return (matrix_t){row_generator(m.r, b), row_generator(m.s, b), row_generator(m.t, b)};
}
REAL_INLINE matrix_t matrix_times(complex_t c, matrix_t m)
{
    row_t zero = matrix_zero().r;
    return (matrix_t){row_mul_add(c, m.r, zero), row_mul_add(c, m.s, zero), row_mul_add(c, m.t, zero)};
}
REAL_INLINE complex_t matrix_complex_trace(matrix_t m) { return complex_add(m.r.x, complex_add(m.s.y, m.t.z)); }
/* Im tr(T_a m) = Re tr(T_a (-i m)) */
REAL_INLINE void matrix_imaginary_generators(matrix_t m, real out[ALGEBRA_REALS])
{
    matrix_generators(matrix_times(complex_of(real_of(0), real_of(-1)), m), out);
}

#endif
