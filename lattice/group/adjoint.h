/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * adjoint.h: the adjoint representation of an algebra for kernels, after the header of the group: matrices that act on
 * components, and functions of ad_X, X = x_a T_a, whose matrix is (ad_X)_ab = f_abc x_c: [X, T_b] = T_a (ad_X)_ab.
 *
 * Its eigenvalues are 0 and +- i times the roots of X, of which kernels must know that they are at most 2: so series
 * end early, and t = ad_X^2 solves t^4 + e0 t^3 + e1 t^2 + e2 t = 0 with the invariants e (Cayley and Hamilton).
 */
#ifndef ADJOINT_H
#define ADJOINT_H

typedef struct {
    real a[ALGEBRA_REALS][ALGEBRA_REALS];
} adjoint_t;

/* Operations of a product of two, and of the functions below */
enum {
    ADJOINT_FLOPS = 2 * ALGEBRA_REALS * ALGEBRA_REALS * ALGEBRA_REALS,
    ADJOINT_APPLY_FLOPS = 2 * ALGEBRA_REALS * ALGEBRA_REALS,
    ADJOINT_INVERSE_FLOPS = ADJOINT_FLOPS,
};

/* out = s */
REAL_INLINE void adjoint_number(real s, adjoint_t *out)
{
    for (int a = 0; a < ALGEBRA_REALS; a++)
        for (int b = 0; b < ALGEBRA_REALS; b++) out->a[a][b] = a == b ? s : real_of(0);
}

/* out = m n, which is not n */
REAL_INLINE void adjoint_mul(const adjoint_t *m, const adjoint_t *n, adjoint_t *out)
{
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        real row[ALGEBRA_REALS];
        for (int b = 0; b < ALGEBRA_REALS; b++) row[b] = m->a[a][0] * n->a[0][b];
        for (int c = 1; c < ALGEBRA_REALS; c++)
            for (int b = 0; b < ALGEBRA_REALS; b++) row[b] = row[b] + m->a[a][c] * n->a[c][b];
        for (int b = 0; b < ALGEBRA_REALS; b++) out->a[a][b] = row[b];
    }
}

/* sum += s m */
REAL_INLINE void adjoint_add(adjoint_t *sum, real s, const adjoint_t *m)
{
    for (int a = 0; a < ALGEBRA_REALS; a++)
        for (int b = 0; b < ALGEBRA_REALS; b++) sum->a[a][b] = sum->a[a][b] + s * m->a[a][b];
}

/* out = plus + s m x */
REAL_INLINE void adjoint_apply(const adjoint_t *m, const real x[ALGEBRA_REALS], real s, const real plus[ALGEBRA_REALS],
                               real out[ALGEBRA_REALS])
{
    real sum[ALGEBRA_REALS];
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        sum[a] = m->a[a][0] * x[0];
        for (int b = 1; b < ALGEBRA_REALS; b++) sum[a] = sum[a] + m->a[a][b] * x[b];
    }
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = plus[a] + s * sum[a];
}

/* ------------------------------------------------------------------------------------------ linear in x and in h */

REAL_INLINE void add_antisymmetric(adjoint_t *m, int a, int b, real value)
{
    m->a[a][b] = m->a[a][b] + value;
    m->a[b][a] = m->a[b][a] - value;
}
REAL_INLINE void add_symmetric(adjoint_t *m, int a, int b, real value)
{
    m->a[a][b] = m->a[a][b] + value;
    if (a != b) m->a[b][a] = m->a[b][a] + value;
}

REAL_INLINE void adjoint_of(const real x[ALGEBRA_REALS], adjoint_t *out)
{
    (void)x;
    adjoint_number(real_of(0), out);
#define TERM(i, j, l, f)                                                                                               \
    add_antisymmetric(out, i, j, (scalar)(f)*x[l]);                                                                    \
    add_antisymmetric(out, j, l, (scalar)(f)*x[i]);                                                                    \
    add_antisymmetric(out, l, i, (scalar)(f)*x[j]);
    ANTISYMMETRIC_CONSTANTS(TERM)
#undef TERM
}

/* out_c = s tr(m ad_c), ad_c that of T_c */
REAL_INLINE void adjoint_of_gradient(const adjoint_t *m, scalar s, real out[ALGEBRA_REALS])
{
    (void)m;
    (void)s;
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = real_of(0);
#define TERM(i, j, l, f)                                                                                               \
    out[l] = out[l] + (scalar)(f)*s * (m->a[j][i] - m->a[i][j]);                                                       \
    out[i] = out[i] + (scalar)(f)*s * (m->a[l][j] - m->a[j][l]);                                                       \
    out[j] = out[j] + (scalar)(f)*s * (m->a[i][l] - m->a[l][i]);
    ANTISYMMETRIC_CONSTANTS(TERM)
#undef TERM
}

/* m_ab += s d_abc h_c */
REAL_INLINE void adjoint_add_symmetric(adjoint_t *m, scalar s, const real h[ALGEBRA_REALS])
{
    (void)m;
    (void)s;
    (void)h;
#define TERM(i, j, l, d)                                                                                               \
    add_symmetric(m, i, j, (scalar)(d)*s *h[l]);                                                                       \
    if (j != l) add_symmetric(m, i, l, (scalar)(d)*s *h[j]);                                                           \
    if (i != j) add_symmetric(m, j, l, (scalar)(d)*s *h[i]);
    SYMMETRIC_CONSTANTS(TERM)
#undef TERM
}

/* out_c = s d_abc m_ab, for a symmetric matrix */
REAL_INLINE void adjoint_symmetric_gradient(const adjoint_t *m, scalar s, real out[ALGEBRA_REALS])
{
    (void)m;
    (void)s;
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = real_of(0);
#define TERM(i, j, l, d)                                                                                               \
    out[l] = out[l] + (scalar)((i == j ? 1 : 2) * d) * s * m->a[i][j];                                                 \
    if (j != l) out[j] = out[j] + (scalar)((i == l ? 1 : 2) * d) * s * m->a[i][l];                                     \
    if (i != j) out[i] = out[i] + (scalar)((j == l ? 1 : 2) * d) * s * m->a[j][l];
    SYMMETRIC_CONSTANTS(TERM)
#undef TERM
}

/* -------------------------------------------------------------------------------------------- positive matrices */

/* m = L D L^+, symmetric and positive: L below the diagonal, D on it; returns det m.  Without roots and without
 * pivots. */
REAL_INLINE real adjoint_factor(adjoint_t *m)
{
    real det = real_of(1);
    for (int c = 0; c < ALGEBRA_REALS; c++) {
        det = det * m->a[c][c];
        real inverse = 1 / m->a[c][c];
        for (int b = c + 1; b < ALGEBRA_REALS; b++) {
            real l = m->a[b][c] * inverse;
            for (int a = b; a < ALGEBRA_REALS; a++) m->a[a][b] = m->a[a][b] - m->a[a][c] * l;
        }
        for (int a = c + 1; a < ALGEBRA_REALS; a++) m->a[a][c] = m->a[a][c] * inverse;
    }
    return det;
}

/* x <- m^-1 x of such factors */
REAL_INLINE void adjoint_solve(const adjoint_t *m, real x[ALGEBRA_REALS])
{
    for (int a = 0; a < ALGEBRA_REALS; a++)
        for (int b = 0; b < a; b++) x[a] = x[a] - m->a[a][b] * x[b];
    for (int a = 0; a < ALGEBRA_REALS; a++) x[a] = x[a] / m->a[a][a];
    for (int a = ALGEBRA_REALS - 1; a >= 0; a--)
        for (int b = a + 1; b < ALGEBRA_REALS; b++) x[a] = x[a] - m->a[b][a] * x[b];
}

/* out = m^-1 of such factors */
REAL_INLINE void adjoint_inverse(const adjoint_t *m, adjoint_t *out)
{
    for (int c = 0; c < ALGEBRA_REALS; c++) {
        real x[ALGEBRA_REALS];
        for (int a = 0; a < ALGEBRA_REALS; a++) x[a] = real_of(a == c);
        adjoint_solve(m, x);
        for (int a = 0; a < ALGEBRA_REALS; a++) out->a[a][c] = x[a];
    }
}

/* -------------------------------------------------------------------------------------------- functions of ad_X */

#ifdef REAL_FLOAT
enum { ADJOINT_TERMS = 8, ADJOINT_ORDERS = 13 };
#else
enum { ADJOINT_TERMS = 16, ADJOINT_ORDERS = 22 };
#endif
enum {
    ADJOINT_INVARIANTS_FLOPS = 60,
    ADJOINT_SERIES_FLOPS = 7 * ADJOINT_TERMS,
    ADJOINT_DIFFERENCES_FLOPS = 31 * ADJOINT_TERMS
};

/* B_2n / (2n)!, of Bernoulli's numbers: C(t) = sum_n c_n t^n with C(z^2) = (z / 2) coth(z / 2), and log(sinh(z / 2)
 * / (z / 2)) = sum_{n > 0} c_n z^2n / (2n) */
#define ADJOINT_SERIES                                                                                                 \
    {                                                                                                                  \
        1, 1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160, -5.2841901386874931848e-10,              \
            1.3382536530684678833e-11, -3.3896802963225828668e-13, 8.5860620562778445641e-15,                          \
            -2.174868698558061873e-16, 5.5090028283602295152e-18, -1.3954464685812523341e-19,                          \
            3.5347070396294674717e-21, -8.9535174270375468504e-23, 2.2679524523376830603e-24,                          \
            -5.7447906688722024453e-26, 1.455172475614865e-27, -3.6859949406653103e-29, 9.3367342570950451e-31,            \
            -2.36502241570063e-32                                                                                      \
    }

/* f0 + f1 t + f2 t^2 + f3 t^3 <- t times it */
REAL_INLINE void adjoint_times_square(const real e[3], real *f, int stride)
{
    real top = f[3 * stride];
    f[3 * stride] = f[2 * stride] - e[0] * top;
    f[2 * stride] = f[stride] - e[1] * top;
    f[stride] = f[0] - e[2] * top;
    f[0] = real_of(0);
}

/* C(ad^2) = sum_j c_j ad^2j, j < 4, by the scheme of Horner; and the divided differences (C(s) - C(t)) / (s - t) =
 * sum_jk d_jk s^j t^k, by C_n(t) = c_n + t C_n+1(t) and d_n(s, t) = C_n+1(t) + s d_n+1(s, t). */
REAL_INLINE void adjoint_series(const real e[3], real c[4], real d[4][4])
{
    const double coefficient[] = ADJOINT_SERIES;
    for (int j = 0; j < 4; j++) {
        c[j] = real_of(0);
        for (int i = 0; d && i < 4; i++) d[i][j] = real_of(0);
    }
    REAL_UNROLL
    for (int n = ADJOINT_TERMS; n >= 0; n--) {
        for (int j = 0; d && j < 4; j++) {
            adjoint_times_square(e, &d[0][j], 4);
            d[0][j] = c[j];
        }
        adjoint_times_square(e, c, 1);
        c[0] = real_of((scalar)coefficient[n]);
    }
}

/* log det (1 - e^-ad) / ad = log det sinh(ad / 2) / (ad / 2), by Newton's sums of powers of the roots */
REAL_INLINE real adjoint_log_det_dexp(const real e[3])
{
    const double coefficient[] = ADJOINT_SERIES;
    real power[3] = {real_of(3), -e[0], e[0] * e[0] - 2 * e[1]}, sum = real_of(0);
    REAL_UNROLL
    for (int n = 1; n <= ADJOINT_TERMS; n++) {
        sum = sum + (scalar)(coefficient[n] / n) * power[1];
        real next = -e[0] * power[2] - e[1] * power[1] - e[2] * power[0];
        power[0] = power[1];
        power[1] = power[2];
        power[2] = next;
    }
    return sum;
}

/* out = (1 - e^-ad) / ad x, the adjoint of dexp = (e^ad - 1) / ad, to that order */
REAL_INLINE void adjoint_dexp_transposed(const adjoint_t *ad, int orders, const real x[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = x[a];
    for (int n = orders; n > 0; n--) adjoint_apply(ad, out, real_of(-(scalar)1 / (scalar)(n + 1)), x, out);
}

#endif
