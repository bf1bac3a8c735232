/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * complex.h: complex numbers for kernels, and what they need to know of matrices of any group.
 */
#ifndef COMPLEX_H
#define COMPLEX_H

typedef struct {
    real re, im;
} complex_t;

REAL_INLINE complex_t complex_zero(void) { return (complex_t){real_of(0), real_of(0)}; }
REAL_INLINE complex_t complex_of(real re, real im) { return (complex_t){re, im}; }
REAL_INLINE complex_t complex_conj(complex_t a) { return (complex_t){a.re, -a.im}; }
REAL_INLINE complex_t complex_add(complex_t a, complex_t b) { return (complex_t){a.re + b.re, a.im + b.im}; }
REAL_INLINE complex_t complex_scale(real s, complex_t a) { return (complex_t){s * a.re, s * a.im}; }
REAL_INLINE complex_t complex_mul(complex_t a, complex_t b)
{
    return (complex_t){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
/* c + a b and c + a^* b */
REAL_INLINE complex_t complex_mul_add(complex_t a, complex_t b, complex_t c)
{
    return (complex_t){c.re + a.re * b.re - a.im * b.im, c.im + a.re * b.im + a.im * b.re};
}
REAL_INLINE complex_t complex_conj_mul_add(complex_t a, complex_t b, complex_t c)
{
    return (complex_t){c.re + a.re * b.re + a.im * b.im, c.im + a.re * b.im - a.im * b.re};
}
REAL_INLINE real complex_square(complex_t a) { return a.re * a.re + a.im * a.im; }

/* A matrix in memory, or its adjoint: the numbers are `lanes` apart. */
typedef struct {
    const scalar *p;
    int lanes;
    bool dagger;
} place_t;
REAL_INLINE place_t place_dagger(place_t a) { return (place_t){a.p, a.lanes, !a.dagger}; }

#endif
