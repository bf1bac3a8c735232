/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * adjoint.h: functions of ad_X, (ad_X) y = [X, y] on components, for the derivative of the exponential, of any group; small
 * symmetric matrices.
 *
 *     d exp(X) = exp(X) phi(ad_X) dX,     phi(z) = (1 - e^-z) / z,     1 / phi(z) = z/2 + (z/2) coth(z/2)
 *
 * ad_X is antisymmetric.  The even part of 1 / phi is a power series in A = ad_X^2, (z/2) coth(z/2) = 1 + sum_n beta_n z^2n with
 * beta_n = B_2n / (2n)!.  A has as many non-zero eigenvalues -a_j^2, each twice, as there are pairs of roots, R, so that by Cayley and
 * Hamilton A^(R+1) = -s_1 A^R - ... - s_R A with the elementary symmetric functions s of the a_j^2, and the series is a polynomial of
 * degree R whose coefficients are functions of s.  No eigenvalue is computed, so none can be too close to another.  The series serves
 * roots up to 3.
 */
#ifndef FLOW_ADJOINT_H
#define FLOW_ADJOINT_H

typedef struct {
    real at[ALGEBRA_REALS][ALGEBRA_REALS];
} adjoint_t;

/* For costs: products of such matrices */
enum { ADJOINT_FLOPS = 2 * ALGEBRA_REALS * ALGEBRA_REALS * ALGEBRA_REALS };

/* ----------------------------------------------------------------------------------------------------- matrices */

REAL_INLINE void adjoint_clear(adjoint_t *a)
{
    for (int i = 0; i < ALGEBRA_REALS; i++)
        for (int j = 0; j < ALGEBRA_REALS; j++) a->at[i][j] = real_of(0);
}

/* out = a b */
REAL_INLINE void adjoint_mul(const adjoint_t *a, const adjoint_t *b, adjoint_t *out)
{
    for (int i = 0; i < ALGEBRA_REALS; i++)
        for (int j = 0; j < ALGEBRA_REALS; j++) {
            real sum = a->at[i][0] * b->at[0][j];
            for (int k = 1; k < ALGEBRA_REALS; k++) sum = sum + a->at[i][k] * b->at[k][j];
            out->at[i][j] = sum;
        }
}

/* a += s b */
REAL_INLINE void adjoint_add(adjoint_t *a, real s, const adjoint_t *b)
{
    for (int i = 0; i < ALGEBRA_REALS; i++)
        for (int j = 0; j < ALGEBRA_REALS; j++) a->at[i][j] = a->at[i][j] + s * b->at[i][j];
}

/* tr a b, of symmetric matrices */
REAL_INLINE real adjoint_trace(const adjoint_t *a, const adjoint_t *b)
{
    real sum = real_of(0);
    for (int i = 0; i < ALGEBRA_REALS; i++)
        for (int j = 0; j < ALGEBRA_REALS; j++) sum = sum + a->at[i][j] * b->at[i][j];
    return sum;
}

REAL_INLINE void adjoint_apply(const adjoint_t *a, const real x[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
    for (int i = 0; i < ALGEBRA_REALS; i++) {
        real sum = a->at[i][0] * x[0];
        for (int k = 1; k < ALGEBRA_REALS; k++) sum = sum + a->at[i][k] * x[k];
        out[i] = sum;
    }
}

/* a = L D L^T of a symmetric matrix, in its lower triangle: L below the diagonal, 1 / D on it.  Returns log det, which is a NaN where a
 * is not positive. */
REAL_INLINE real adjoint_factorise(adjoint_t *a)
{
    real det = real_of(1), least = real_of(1);
    for (int j = 0; j < ALGEBRA_REALS; j++) {
        real pivot = a->at[j][j], row[ALGEBRA_REALS];
        for (int k = 0; k < j; k++) {
            row[k] = a->at[j][k];
            a->at[j][k] = row[k] * a->at[k][k];
            pivot = pivot - row[k] * a->at[j][k];
        }
        for (int i = j + 1; i < ALGEBRA_REALS; i++)
            for (int k = 0; k < j; k++) a->at[i][j] = a->at[i][j] - a->at[i][k] * a->at[j][k];
        a->at[j][j] = 1 / pivot;
        det = det * pivot;
        least = real_select(real_less(pivot, least), pivot, least);
    }
    return real_log(real_select(real_less(real_of(0), least), det, real_of(-1)));
}

/* x <- a^-1 x with the factors */
REAL_INLINE void adjoint_solve(const adjoint_t *a, real x[ALGEBRA_REALS])
{
    for (int i = 0; i < ALGEBRA_REALS; i++)
        for (int k = 0; k < i; k++) x[i] = x[i] - a->at[i][k] * x[k];
    for (int i = 0; i < ALGEBRA_REALS; i++) x[i] = x[i] * a->at[i][i];
    for (int i = ALGEBRA_REALS - 1; i >= 0; i--)
        for (int k = i + 1; k < ALGEBRA_REALS; k++) x[i] = x[i] - a->at[k][i] * x[k];
}

REAL_INLINE void adjoint_invert(const adjoint_t *factors, adjoint_t *out)
{
    for (int i = 0; i < ALGEBRA_REALS; i++) {
        for (int j = 0; j < ALGEBRA_REALS; j++) out->at[i][j] = real_of(i == j);
        adjoint_solve(factors, out->at[i]);
    }
}

/* -------------------------------------------------------------------------------------------------------------- ad_X */

REAL_INLINE void adjoint_of(const real x[ALGEBRA_REALS], adjoint_t *ad)
{
    const int index[STRUCTURES][3] = STRUCTURE_INDICES;
    const double constant[STRUCTURES] = STRUCTURE_CONSTANTS;
    adjoint_clear(ad);
    for (int n = 0; n < STRUCTURES; n++)
        for (int turn = 0; turn < 3; turn++) {
            const int a = index[n][turn], b = index[n][(turn + 1) % 3], c = index[n][(turn + 2) % 3];
            ad->at[a][b] = ad->at[a][b] + (scalar)constant[n] * x[c];
            ad->at[b][a] = ad->at[b][a] - (scalar)constant[n] * x[c];
        }
}

/* x_c += tr(z d ad_X / dx_c) for an antisymmetric z */
REAL_INLINE void adjoint_contract(const adjoint_t *z, real x[ALGEBRA_REALS])
{
    const int index[STRUCTURES][3] = STRUCTURE_INDICES;
    const double constant[STRUCTURES] = STRUCTURE_CONSTANTS;
    for (int n = 0; n < STRUCTURES; n++)
        for (int turn = 0; turn < 3; turn++) {
            const int a = index[n][turn], b = index[n][(turn + 1) % 3], c = index[n][(turn + 2) % 3];
            x[c] = x[c] - (scalar)(2 * constant[n]) * z->at[a][b];
        }
}

/* phi(ad_X) y, by its power series */
REAL_INLINE void adjoint_phi(const adjoint_t *ad, const real y[ALGEBRA_REALS], real out[ALGEBRA_REALS])
{
#ifdef REAL_FLOAT
    enum { TERMS = 14 };
#else
    enum { TERMS = 26 };
#endif
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = y[a];
    for (int n = TERMS; n > 0; n--) {
        real turned[ALGEBRA_REALS];
        adjoint_apply(ad, out, turned);
        for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = y[a] - (scalar)(1.0 / (n + 1)) * turned[a];
    }
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
    const double beta[] = {
        0.083333333333333329,   -0.0013888888888888889,  3.3068783068783071e-05, -8.2671957671957675e-07,
        2.08767569878681e-08,   -5.2841901386874932e-10, 1.3382536530684679e-11, -3.3896802963225827e-13,
        8.5860620562778452e-15, -2.1748686985580619e-16, 5.5090028283602295e-18, -1.3954464685812522e-19,
        3.5347070396294673e-21, -8.9535174270375463e-23, 2.2679524523376829e-24, -5.7447906688722025e-26,
        1.455172475614865e-27,  -3.6859949406653103e-29, 9.3367342570950451e-31, -2.36502241570063e-32};
    enum { TERMS = sizeof beta / sizeof *beta };
    real r[ADJOINT_POWERS], q[ADJOINT_POWERS], log_det[ADJOINT_POWERS];
    for (int k = 0; k < ADJOINT_POWERS; k++) {
        r[k] = real_of(k == 0);
        q[k] = e->even[k] = e->slope[k] = log_det[k] = real_of(0);
    }
    for (int n = 1; n <= TERMS; n++) {
        for (int k = 0; k < ADJOINT_POWERS; k++) {
            e->even[k] = e->even[k] + (scalar)beta[n - 1] * r[k];
            e->slope[k] = e->slope[k] + (scalar)beta[n - 1] * q[k];
            log_det[k] = log_det[k] + (scalar)(0.5 * beta[n - 1] / n) * r[k];
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
        for (int a = 0; a < ALGEBRA_REALS; a++) e->trace[k] = e->trace[k] + e->power[k].at[a][a];
    }
    even_symmetric(e);
    even_series(e);
}

/* s += (z/2) coth(z/2) at z = ad_X */
REAL_INLINE void even_add(const even_t *e, adjoint_t *s)
{
    for (int a = 0; a < ALGEBRA_REALS; a++) s->at[a][a] = s->at[a][a] + 1;
    for (int k = 0; k < ADJOINT_POWERS; k++) adjoint_add(s, e->even[k], &e->power[k]);
}

/* y <- (1 / phi)(+-ad_X) y, the sign that of `sign` */
REAL_INLINE void even_inverse_phi(const even_t *e, scalar sign, real y[ALGEBRA_REALS])
{
    real out[ALGEBRA_REALS], turned[ALGEBRA_REALS];
    adjoint_apply(&e->ad, y, turned);
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = y[a] + (scalar)0.5 * sign * turned[a];
    for (int k = 0; k < ADJOINT_POWERS; k++) {
        adjoint_apply(&e->power[k], y, turned);
        for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = out[a] + e->even[k] * turned[a];
    }
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
    real bar[ADJOINT_POWERS], trace_bar[ADJOINT_POWERS];
    adjoint_clear(&sum);
    for (int k = 0; k < ADJOINT_POWERS; k++) bar[k] = adjoint_trace(g, &e->power[k]);
    even_trace_cotangents(e, bar, trace_bar);
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        for (int b = 0; b < ALGEBRA_REALS; b++) one.at[a][b] = g->at[a][b];
        sum.at[a][a] = trace_bar[0] + (scalar)0.5 * e->even[0];
    }
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
    for (int a = 0; a < ALGEBRA_REALS;
         a++) /* sum is symmetric, so (sum ad) is the opposite of the transpose of (ad sum) */
        for (int b = 0; b < ALGEBRA_REALS; b++) two.at[a][b] = weight * (one.at[a][b] - one.at[b][a]);
    adjoint_contract(&two, x);
}

#endif
