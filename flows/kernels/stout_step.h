/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stout_step.h: one stout step of a loop P given a loop C, its Jacobian and their derivatives, for SU(2) and SU(3).  Stout smearing:
 * C. Morningstar and M. Peardon, hep-lat/0311018.
 *
 *     P' = e^X P,   X = -TA[M],   Q = P C^+,   t_1 = tr P,   t_2 = tr Q,
 *     M = c_0 (P + Q) + c_1 (t_1 P + t_2 Q) + c_2 (t_2 P + t_1 Q) + c_3 (t_1^* P + t_2^* Q) + c_4 (t_2^* P + t_1^* Q)
 *         + c_5 (P^2 + Q^2) + c_6 (P Q + Q P)
 *
 * M's words begin where P does, so that X turns with P and C whatever the coefficients.  With D_ab the left derivative along T_b of the
 * component x_a of X, the Jacobian is Ad(e^X) phi(ad_X) S, S = 1 / phi(ad_X) + D (even.h).  X is the gradient of a function of P,
 * hence the antisymmetric part of D is -ad_X / 2, which cancels against that of 1 / phi: S is symmetric.  A step is one to one where S
 * is positive everywhere (doc/su_n_flows.md), and log det = log det phi(ad_X) + log det S.
 */
#ifndef STOUT_STEP_H
#define STOUT_STEP_H

#include "flows/kernels/even.h"

enum { STOUT_ALL_WORDS = 7 };
typedef struct {
    real c[STOUT_ALL_WORDS]; /* zero for words that the group does not have */
} words_t;

typedef struct {
    link_t p, q;
    words_t w;
    complex_t trace_p, trace_q;
    matrix_t of_p, of_q, m; /* c_5 P + c_6 Q, c_5 Q + c_6 P; M */
    real x[ALGEBRA_REALS];
} stout_t;

/* What a step's Jacobian is made of; s holds the factors of S. */
typedef struct {
    even_t even;
    adjoint_t s;
    real log_det;
} stout_jacobian_t;

REAL_INLINE complex_t words_sum(complex_t one, real a, complex_t two, real b)
{
    return complex_add(complex_scale(a, one), complex_scale(b, two));
}

/* c_0 + c_1 a + c_2 b + c_3 a^* + c_4 b^*, and the same without c_0 */
REAL_INLINE complex_t words_of_traces(const words_t *w, complex_t a, complex_t b)
{
    return complex_add(words_sum(a, w->c[1], b, w->c[2]),
                       words_sum(complex_conj(a), w->c[3], complex_conj(b), w->c[4]));
}

REAL_INLINE complex_t words_factor(const words_t *w, complex_t a, complex_t b)
{
    complex_t sum = words_of_traces(w, a, b);
    sum.re = sum.re + w->c[0];
    return sum;
}

REAL_INLINE stout_t stout_of(link_t p, link_t c, words_t w)
{
    stout_t s = {.p = p, .q = link_mul_dagger(p, c), .w = w};
    s.trace_p = matrix_complex_trace(s.p);
    s.trace_q = matrix_complex_trace(s.q);
    s.m = matrix_add(matrix_times(words_factor(&w, s.trace_p, s.trace_q), s.p),
                     matrix_times(words_factor(&w, s.trace_q, s.trace_p), s.q));
    s.of_p = s.of_q = matrix_zero();
    if (STOUT_PRODUCTS) {
        s.of_p = matrix_add(matrix_scale(w.c[5], s.p), matrix_scale(w.c[6], s.q));
        s.of_q = matrix_add(matrix_scale(w.c[5], s.q), matrix_scale(w.c[6], s.p));
        s.m = matrix_add(s.m, matrix_add(link_mul(s.p, s.of_p), link_mul(s.q, s.of_q)));
    }
    matrix_generators(s.m, s.x);
    for (int a = 0; a < ALGEBRA_REALS; a++) s.x[a] = 2 * s.x[a];
    return s;
}

REAL_INLINE link_t stout_image(const stout_t *s) { return link_clean(link_mul(link_exp(s->x), s->p)); }

/* tr(T_a m) */
REAL_INLINE void complex_generators(matrix_t m, complex_t out[ALGEBRA_REALS])
{
    real re[ALGEBRA_REALS], im[ALGEBRA_REALS];
    matrix_generators(m, re);
    matrix_imaginary_generators(m, im);
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = complex_of(re[a], im[a]);
}

/* The symmetric part of D_ab = 2 Re tr(T_a dM / dtau_b).  In each word the first factor varies, 2 Re tr(T_a T_b M), whose symmetric part
 * has the Hermitian part of M alone; then the second, and the traces. */
REAL_INLINE void stout_derivative(const stout_t *s, adjoint_t *d)
{
    complex_t p[ALGEBRA_REALS], q[ALGEBRA_REALS], y[ALGEBRA_REALS], z[ALGEBRA_REALS];
    matrix_t hermitian = matrix_scale(real_of((scalar)0.5), matrix_add(s->m, matrix_dagger(s->m)));
    complex_generators(s->p, p);
    complex_generators(s->q, q);
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        y[a] = words_of_traces(&s->w, p[a], q[a]);
        z[a] = words_of_traces(&s->w, q[a], p[a]);
    }
    for (int b = 0; b < ALGEBRA_REALS; b++) {
        real row[ALGEBRA_REALS];
        matrix_t w = matrix_generator(hermitian, b);
        if (STOUT_PRODUCTS)
            w = matrix_add(w, matrix_add(link_mul(matrix_generator(s->p, b), s->of_p),
                                         link_mul(matrix_generator(s->q, b), s->of_q)));
        matrix_generators(w, row);
        for (int a = 0; a < ALGEBRA_REALS; a++)
            d->a[a][b] = 2 * (row[a] + p[b].re * y[a].re - p[b].im * y[a].im + q[b].re * z[a].re - q[b].im * z[a].im);
    }
}

REAL_INLINE void stout_jacobian(const stout_t *s, stout_jacobian_t *j)
{
    even_of(s->x, &j->even);
    stout_derivative(s, &j->s);
    even_add(&j->even, &j->s);
    j->log_det = j->even.log_det + adjoint_factor_positive(&j->s);
}

/* ------------------------------------------------------------------------------------------------------ derivatives */

/* What is held against the derivative of w_X . X + sum_ab bar_ab D_ab, bar symmetric. */
typedef struct {
    matrix_t n;                                           /* w_X + sum_ab bar_ab T_a T_b */
    matrix_t of_p, of_q;                                  /* sum_ab bar_ab T_a P T_b, and of Q */
    complex_t p[ALGEBRA_REALS], q[ALGEBRA_REALS];         /* tr T_a P, tr T_a Q */
    complex_t bar_p[ALGEBRA_REALS], bar_q[ALGEBRA_REALS]; /* bar times these */
} stout_dual_t;

REAL_INLINE void complex_apply(const adjoint_t *a, const complex_t x[ALGEBRA_REALS], complex_t out[ALGEBRA_REALS])
{
    for (int i = 0; i < ALGEBRA_REALS; i++) {
        out[i] = complex_zero();
        for (int k = 0; k < ALGEBRA_REALS; k++) out[i] = complex_add(out[i], complex_scale(a->a[i][k], x[k]));
    }
}

REAL_INLINE void stout_dual(const stout_t *s, const real x_bar[ALGEBRA_REALS], const adjoint_t *bar, stout_dual_t *dual)
{
    dual->n = algebra_matrix(x_bar);
    dual->of_p = dual->of_q = matrix_zero();
    for (int b = 0; b < ALGEBRA_REALS; b++) {
        matrix_t row = algebra_matrix(bar->a[b]);
        dual->n = matrix_add(dual->n, matrix_generator(row, b));
        if (!STOUT_PRODUCTS) continue;
        dual->of_p = matrix_add(dual->of_p, matrix_generator(link_mul(row, s->p), b));
        dual->of_q = matrix_add(dual->of_q, matrix_generator(link_mul(row, s->q), b));
    }
    complex_generators(s->p, dual->p);
    complex_generators(s->q, dual->q);
    complex_apply(bar, dual->p, dual->bar_p);
    complex_apply(bar, dual->q, dual->bar_q);
}

/* sum_a y_a T_a */
REAL_INLINE matrix_t complex_algebra_matrix(const complex_t y[ALGEBRA_REALS])
{
    real re[ALGEBRA_REALS], im[ALGEBRA_REALS];
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        re[a] = y[a].re;
        im[a] = y[a].im;
    }
    return matrix_add(algebra_matrix(re), matrix_times(complex_of(real_of(0), real_of(1)), algebra_matrix(im)));
}

/* With respect to P, Q held: 2 Re tr(T_a P H), the sum H of what follows P in each term (cyclically). */
REAL_INLINE void stout_pull_loop(const words_t *w, link_t p, link_t q, complex_t factor, matrix_t n, matrix_t of_p,
                                 matrix_t of_q, const complex_t bar_p[ALGEBRA_REALS],
                                 const complex_t bar_q[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
    complex_t y[ALGEBRA_REALS];
    for (int a = 0; a < ALGEBRA_REALS; a++) y[a] = complex_scale(real_of(2), words_of_traces(w, bar_p[a], bar_q[a]));
    matrix_t np = link_mul(n, p), nq = link_mul(n, q);
    complex_t traces = words_of_traces(w, matrix_complex_trace(np), matrix_complex_trace(nq));
    matrix_t h = matrix_add(matrix_times(factor, n), matrix_times(traces, link_matrix(link_one())));
    h = matrix_add(h, complex_algebra_matrix(y));
    if (STOUT_PRODUCTS) {
        matrix_t five = matrix_add(matrix_add(np, link_mul(p, n)), matrix_scale(real_of(2), of_p));
        matrix_t six = matrix_add(matrix_add(nq, link_mul(q, n)), matrix_scale(real_of(2), of_q));
        h = matrix_add(h, matrix_add(matrix_scale(w->c[5], five), matrix_scale(w->c[6], six)));
    }
    matrix_generators(link_mul(p, h), out);
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = 2 * out[a];
}

REAL_INLINE real complex_product_real(complex_t a, complex_t b) { return a.re * b.re - a.im * b.im; }
REAL_INLINE real matrix_trace_real(matrix_t a) { return matrix_complex_trace(a).re; }

/* With respect to the coefficients, in which it is linear */
REAL_INLINE void stout_pull_words(const stout_t *s, const stout_dual_t *dual, real out[STOUT_ALL_WORDS])
{
    matrix_t np = link_mul(dual->n, s->p), nq = link_mul(dual->n, s->q);
    complex_t tp = matrix_complex_trace(np), tq = matrix_complex_trace(nq), t1 = s->trace_p, t2 = s->trace_q;
    out[0] = 2 * (tp.re + tq.re);
    out[1] = 2 * (complex_product_real(t1, tp) + complex_product_real(t2, tq));
    out[2] = 2 * (complex_product_real(t2, tp) + complex_product_real(t1, tq));
    out[3] = 2 * (complex_product_real(complex_conj(t1), tp) + complex_product_real(complex_conj(t2), tq));
    out[4] = 2 * (complex_product_real(complex_conj(t2), tp) + complex_product_real(complex_conj(t1), tq));
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        complex_t p = dual->p[a], q = dual->q[a], bp = dual->bar_p[a], bq = dual->bar_q[a];
        out[1] = out[1] + 2 * (complex_product_real(p, bp) + complex_product_real(q, bq));
        out[2] = out[2] + 4 * complex_product_real(q, bp);
        out[3] = out[3] + 2 * (complex_product_real(complex_conj(p), bp) + complex_product_real(complex_conj(q), bq));
        out[4] = out[4] + 4 * complex_product_real(complex_conj(q), bp);
    }
    if (!STOUT_PRODUCTS) return;
    out[5] = 2 * (matrix_trace_real(link_mul(np, s->p)) + matrix_trace_real(link_mul(nq, s->q)) +
                  matrix_trace_real(link_mul(s->p, dual->of_p)) + matrix_trace_real(link_mul(s->q, dual->of_q)));
    out[6] = 2 * (matrix_trace_real(link_mul(np, s->q)) + matrix_trace_real(link_mul(nq, s->p)) +
                  2 * matrix_trace_real(link_mul(s->p, dual->of_q)));
}

/* Reverse mode of L(P') + weight log det.  In: the left derivative of L at P'.  Out: the left derivatives with respect to P, along which
 * Q moves, and to Q alone, and those with respect to the coefficients. */
REAL_INLINE void stout_pull(const stout_t *s, real weight, const real image_bar[ALGEBRA_REALS],
                            real p_bar[ALGEBRA_REALS], real q_bar[ALGEBRA_REALS], real w_bar[STOUT_ALL_WORDS])
{
    stout_jacobian_t j;
    stout_dual_t dual;
    adjoint_t bar;
    real x_bar[ALGEBRA_REALS], direct[ALGEBRA_REALS];
    stout_jacobian(s, &j);
    adjoint_inverse(&j.s, &bar);
    adjoint_phi(&j.even.ad, image_bar, x_bar);
    even_pull(&j.even, &bar, weight, x_bar);
    for (int a = 0; a < ALGEBRA_REALS; a++)
        for (int b = 0; b < ALGEBRA_REALS; b++) bar.a[a][b] = weight * bar.a[a][b];
    stout_dual(s, x_bar, &bar, &dual);
    link_rotate_back(link_exp(s->x), image_bar, direct);
    stout_pull_loop(&s->w, s->p, s->q, words_factor(&s->w, s->trace_p, s->trace_q), dual.n, dual.of_p, dual.of_q,
                    dual.bar_p, dual.bar_q, p_bar);
    stout_pull_loop(&s->w, s->q, s->p, words_factor(&s->w, s->trace_q, s->trace_p), dual.n, dual.of_q, dual.of_p,
                    dual.bar_q, dual.bar_p, q_bar);
    for (int a = 0; a < ALGEBRA_REALS; a++) p_bar[a] = p_bar[a] + q_bar[a] + direct[a];
    stout_pull_words(s, &dual, w_bar);
}

#endif
