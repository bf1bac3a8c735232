/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * even.h: the even part of the inverse derivative of the exponential, of any group, beside what lattice/group/adjoint.h has.
 *
 *     d exp(X) = exp(X) phi(ad_X) dX,     phi(z) = (1 - e^-z) / z,     1 / phi(z) = z/2 + (z/2) coth(z/2)
 *
 * ad_X is antisymmetric.  The even part of 1 / phi is a power series in A = ad_X^2, (z/2) coth(z/2) = 1 + sum_n beta_n z^2n with
 * beta_n = B_2n / (2n)!.  A has as many non-zero eigenvalues -a_j^2, each twice, as there are pairs of roots, R, so that by Cayley and
 * Hamilton A^(R+1) = -s_1 A^R - ... - s_R A with the elementary symmetric functions s of the a_j^2, and the series is a polynomial of
 * degree R whose coefficients are functions of s.  No eigenvalue is computed, so none can be too close to another.  The series serves
 * roots up to 3.
 */
#ifndef EVEN_H
#define EVEN_H

#include "lattice/group/adjoint.h"

/* tr a b, of symmetric matrices */
REAL_INLINE real adjoint_trace(const adjoint_t *a, const adjoint_t *b)
{
    real sum = real_of(0);
    for (int i = 0; i < ALGEBRA_REALS; i++)
        for (int j = 0; j < ALGEBRA_REALS; j++) sum = sum + a->a[i][j] * b->a[i][j];
    return sum;
}

/* As adjoint_factor; returns log det, which is a NaN where m is not positive. */
REAL_INLINE real adjoint_factor_positive(adjoint_t *m)
{
    real det = adjoint_factor(m), least = m->a[0][0];
    for (int a = 1; a < ALGEBRA_REALS; a++) least = real_select(real_less(m->a[a][a], least), m->a[a][a], least);
    return real_log(real_select(real_less(real_of(0), least), det, real_of(-1)));
}

/* phi(ad_X) y, for roots up to 3 */
REAL_INLINE void adjoint_phi(const adjoint_t *ad, const real y[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
#ifdef REAL_FLOAT
    enum { ORDERS = 14 };
#else
    enum { ORDERS = 26 };
#endif
    adjoint_dexp_transposed(ad, ORDERS, y, out);
}

/* ------------------------------------------------------------------------------------------- the even part of 1 / phi */

typedef struct {
    adjoint_t ad, power[ADJOINT_POWERS];              /* ad_X; A, A^2, ... */
    real trace[ADJOINT_POWERS], s[ADJOINT_POWERS];    /* tr A^k; s_1, s_2, ... */
    real even[ADJOINT_POWERS], slope[ADJOINT_POWERS]; /* 1 + sum_k even_k A^k; -d even / d s_R */
    real log_det;                                     /* log det phi(ad_X) */
} even_t;

/* sum_k r_k A^(k+1) as a polynomial of degree R */
REAL_INLINE void even_shift(const even_t *e, real r[ADJOINT_POWERS])
{
    real last = r[ADJOINT_POWERS - 1];
    for (int k = ADJOINT_POWERS - 1; k >= 0; k--)
        r[k] = (k > 0 ? r[k - 1] : real_of(0)) - e->s[ADJOINT_POWERS - 1 - k] * last;
}

/* Newton's identities between s and the sums of the a_j^2k */
REAL_INLINE void even_symmetric(even_t *e)
{
    real p[ADJOINT_POWERS];
    for (int k = 0; k < ADJOINT_POWERS; k++) {
        p[k] = (k % 2 ? (scalar)0.5 : (scalar)-0.5) * e->trace[k];
        real sum = k % 2 ? -p[k] : p[k];
        for (int i = 0; i < k; i++) sum = sum + (i % 2 ? -e->s[k - 1 - i] : e->s[k - 1 - i]) * p[i];
        e->s[k] = (scalar)(1.0 / (k + 1)) * sum;
    }
}

/* The remainder of A^n is r; that of (A^n - r) / (its characteristic polynomial, over A) is q, of which the derivatives with respect to
 * s are made.  log det phi = 1/2 sum_n beta_n / n tr A^n. */
REAL_INLINE void even_series(even_t *e)
{
    const double beta[] = ADJOINT_SERIES;
    enum { TERMS = sizeof beta / sizeof *beta - 1 };
    real r[ADJOINT_POWERS], q[ADJOINT_POWERS], log_det[ADJOINT_POWERS];
    for (int k = 0; k < ADJOINT_POWERS; k++) {
        r[k] = real_of(k == 0);
        q[k] = e->even[k] = e->slope[k] = log_det[k] = real_of(0);
    }
    for (int n = 1; n <= TERMS; n++) {
        for (int k = 0; k < ADJOINT_POWERS; k++) {
            e->even[k] = e->even[k] + (scalar)beta[n] * r[k];
            e->slope[k] = e->slope[k] + (scalar)beta[n] * q[k];
            log_det[k] = log_det[k] + (scalar)(0.5 * beta[n] / n) * r[k];
        }
        even_shift(e, q);
        q[0] = q[0] + r[ADJOINT_POWERS - 1];
        even_shift(e, r);
    }
    e->log_det = real_of(0);
    for (int k = 0; k < ADJOINT_POWERS; k++) e->log_det = e->log_det + log_det[k] * e->trace[k];
}

REAL_INLINE void even_of(const real x[ALGEBRA_REALS], even_t *e)
{
    adjoint_of(x, &e->ad);
    adjoint_mul(&e->ad, &e->ad, &e->power[0]);
    for (int k = 1; k < ADJOINT_POWERS; k++) adjoint_mul(&e->power[0], &e->power[k - 1], &e->power[k]);
    for (int k = 0; k < ADJOINT_POWERS; k++) {
        e->trace[k] = real_of(0);
        for (int a = 0; a < ALGEBRA_REALS; a++) e->trace[k] = e->trace[k] + e->power[k].a[a][a];
    }
    even_symmetric(e);
    even_series(e);
}

/* s += (z/2) coth(z/2) at z = ad_X */
REAL_INLINE void even_add(const even_t *e, adjoint_t *s)
{
    for (int a = 0; a < ALGEBRA_REALS; a++) s->a[a][a] = s->a[a][a] + 1;
    for (int k = 0; k < ADJOINT_POWERS; k++) adjoint_add(s, e->even[k], &e->power[k]);
}

/* y <- (1 / phi)(+-ad_X) y, the sign that of `sign` */
REAL_INLINE void even_inverse_phi(const even_t *e, scalar sign, real y[ALGEBRA_REALS])
{
    real out[ALGEBRA_REALS];
    adjoint_apply(&e->ad, y, real_of((scalar)0.5 * sign), y, out);
    for (int k = 0; k < ADJOINT_POWERS; k++) adjoint_apply(&e->power[k], y, e->even[k], out, out);
    for (int a = 0; a < ALGEBRA_REALS; a++) y[a] = out[a];
}

/* The cotangents of tr A^k of sum_k bar_k even_k, by way of s */
REAL_INLINE void even_trace_cotangents(const even_t *e, const real bar[ADJOINT_POWERS], real trace_bar[ADJOINT_POWERS])
{
    real slope[ADJOINT_POWERS], s_bar[ADJOINT_POWERS], p[ADJOINT_POWERS], p_bar[ADJOINT_POWERS];
    for (int k = 0; k < ADJOINT_POWERS; k++) {
        slope[k] = e->slope[k];
        p[k] = (k % 2 ? (scalar)0.5 : (scalar)-0.5) * e->trace[k];
        p_bar[k] = real_of(0);
    }
    for (int i = ADJOINT_POWERS - 1; i >= 0; i--) {
        s_bar[i] = real_of(0);
        for (int k = 0; k < ADJOINT_POWERS; k++) s_bar[i] = s_bar[i] - bar[k] * slope[k];
        even_shift(e, slope);
    }
    for (int k = ADJOINT_POWERS - 1; k >= 0; k--) {
        real share = (scalar)(1.0 / (k + 1)) * s_bar[k];
        p_bar[k] = p_bar[k] + (k % 2 ? -share : share);
        for (int i = 0; i < k; i++) {
            real part = i % 2 ? -share : share;
            p_bar[i] = p_bar[i] + part * e->s[k - 1 - i];
            s_bar[k - 1 - i] = s_bar[k - 1 - i] + part * p[i];
        }
    }
    for (int k = 0; k < ADJOINT_POWERS; k++) trace_bar[k] = (k % 2 ? (scalar)0.5 : (scalar)-0.5) * p_bar[k];
}

/* x += weight times the derivative of tr(g E) + log det phi with respect to the components of X, E the even part and g symmetric */
REAL_INLINE void even_pull(const even_t *e, const adjoint_t *g, real weight, real x[ALGEBRA_REALS])
{
    adjoint_t sum, one, two; /* the cotangent of A; terms of the sums A^j g A^(k-j) */
    real bar[ADJOINT_POWERS], trace_bar[ADJOINT_POWERS], pulled[ALGEBRA_REALS];
    for (int k = 0; k < ADJOINT_POWERS; k++) bar[k] = adjoint_trace(g, &e->power[k]);
    even_trace_cotangents(e, bar, trace_bar);
    adjoint_number(trace_bar[0] + (scalar)0.5 * e->even[0], &sum);
    one = *g;
    for (int k = 1; k < ADJOINT_POWERS; k++)
        adjoint_add(&sum, (scalar)(k + 1) * trace_bar[k] + (scalar)0.5 * e->even[k], &e->power[k - 1]);
    for (int k = 0; k < ADJOINT_POWERS; k++) {
        adjoint_add(&sum, e->even[k], &one);
        if (k + 1 == ADJOINT_POWERS) break;
        adjoint_mul(&e->power[0], &one, &two);
        adjoint_mul(g, &e->power[k], &one);
        adjoint_add(&one, real_of(1), &two);
    }
    adjoint_mul(&e->ad, &sum, &one);
    adjoint_of_gradient(&one, 2, pulled); /* tr(sum d(ad^2)) = 2 tr(ad sum d ad): sum is symmetric */
    for (int a = 0; a < ALGEBRA_REALS; a++) x[a] = x[a] + weight * pulled[a];
}

#endif
