/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sun_updates.h: heatbath and overrelaxation of one link of SU(2) or SU(3), one SU(2) subgroup after the other (N.
 * Cabibbo and E. Marinari, Phys. Lett. B 119 (1982) 387).  The weight of an element g of a subgroup is exp(alpha h0),
 * h0 being the first component of h = g v / |v|, v the numbers of matrix_subgroup, and alpha = 2 beta |v| / N.
 */

/* Staples like staple_at. */
REAL_INLINE matrix_t completed_staple_at(const lat_tables *t, const void *u, int64_t site, int lane, int mu)
{
    matrix_t sum = matrix_zero();
    for (int nu = 0; nu < t->dim; nu++) {
        if (nu == mu) continue;
        sum = matrix_add(sum, complete(path_above(t, u, site, lane, mu, nu)));
        sum = matrix_add(sum, complete(path_below(t, u, site, lane, mu, nu)));
    }
    return sum;
}

/* 1 - h0 for one component h0 of a unit vector in four dimensions with density sqrt(1 - h0^2) exp(alpha h0).  Large
 * alpha: A. D. Kennedy and B. J. Pendleton, Phys. Lett. B 156 (1985) 393.  Small alpha, where that is hardly ever
 * accepted: h0 from its distribution at alpha = 0, a coordinate of a uniform point in the unit disc, accepted with
 * exp(alpha (h0 - 1)).  The acceptance is at least 0.45, at the alpha where the methods change.  Every lane has its own
 * sequence of deviates and stops at its own acceptance. */
REAL_INLINE real subgroup_distance(const lat_tables *t, const random_key *key, int64_t site, int lane,
                                   uint32_t direction, int s, real alpha)
{
    enum { MOST_TRIES = 1000 }; /* bounds the loop on NaN */
    real distance = real_of(0);
    truth open = real_less(real_of(0), real_of(1)), small = real_less(alpha, real_of((scalar)0.87));
    real width = 1 / real_select(small, real_of(1), alpha);
    for (int tries = 0; tries < MOST_TRIES && truth_any(open); tries++) {
        real u[4], sine, cosine;
        real_uniform4(t, key, site, lane, direction, (uint64_t)(s + 1) << 32 | (uint64_t)tries, u);
        real_sincos((2 * u[1] - 1) * REAL_PI, &sine, &cosine);
        real log0 = real_log(u[0]), log2 = real_log(u[2]);
        real far = -width * (log0 + cosine * cosine * log2), near = 1 - real_sqrt(u[0]) * cosine;
        truth accepted =
            (small & ~real_less(-alpha * near, log2)) | (~small & ~real_less(1 - (scalar)0.5 * far, u[3] * u[3]));
        distance = real_select(open & accepted, real_select(small, near, far), distance);
        open = open & ~accepted;
    }
    return distance;
}

/* Of a number that is not negative but for rounding. */
REAL_INLINE real root(real x) { return real_sqrt(real_select(real_less(real_of(0), x), x, real_of(0))); }

/* h v^+ for quaternions */
REAL_INLINE void quaternion_mul_dagger(const real h[4], const real v[4], real out[4])
{
    out[0] = h[0] * v[0] + h[1] * v[1] + h[2] * v[2] + h[3] * v[3];
    out[1] = h[1] * v[0] - h[0] * v[1] + h[2] * v[3] - h[3] * v[2];
    out[2] = h[2] * v[0] - h[0] * v[2] + h[3] * v[1] - h[1] * v[3];
    out[3] = h[3] * v[0] - h[0] * v[3] + h[1] * v[2] - h[2] * v[1];
}

REAL_INLINE real quaternion_square(const real v[4]) { return v[0] * v[0] + v[1] * v[1] + v[2] * v[2] + v[3] * v[3]; }

/* Below this, |v|^2 is nothing but rounding. */
#define NO_STAPLE real_of((scalar)1e-30)

/* The link u = U_mu(x) drawn from exp(beta / N Re tr U A), with w = u A. */
REAL_INLINE link_t draw_link(const lat_tables *t, const random_key *key, int64_t site, int lane, int mu, double beta,
                             link_t u, matrix_t w)
{
    real turn[4] = {real_of(0)}; /* filled at s = 0 */
    REAL_UNROLL
    for (int s = 0; s < SUBGROUPS; s++) {
        real v[4], h[4], g[4], sine, cosine;
        matrix_subgroup(w, s, v);
        real square = quaternion_square(v), norm = real_sqrt(square);
        truth none = real_less(square, NO_STAPLE);
        real scale = real_select(none, real_of(0), 1 / norm);
        v[0] = real_select(none, real_of(1), scale * v[0]);
        for (int i = 1; i < 4; i++) v[i] = scale * v[i];
        /* The subgroups share calls for four deviates. */
        if (s % 2 == 0) real_uniform4(t, key, site, lane, (uint32_t)mu, (uint64_t)(s / 2), turn);
        real distance = subgroup_distance(t, key, site, lane, (uint32_t)mu, s, (scalar)(2 * beta / GROUP_N) * norm);
        real height = 2 * turn[s % 2] - 1, radius = root(distance * (2 - distance));
        real_sincos((2 * turn[2 + s % 2] - 1) * REAL_PI, &sine, &cosine);
        real across = radius * root(1 - height * height);
        h[0] = 1 - distance;
        h[1] = across * cosine;
        h[2] = across * sine;
        h[3] = radius * height;
        quaternion_mul_dagger(h, v, g);
        u = link_subgroup_mul(g, s, u);
        w = matrix_subgroup_mul(g, s, w);
    }
    return link_clean(u);
}

/* The link u reflected about the staple A in one subgroup after the other, g = (v^+ / |v|)^2, with w = u A. */
REAL_INLINE link_t reflect_link(link_t u, matrix_t w)
{
    REAL_UNROLL
    for (int s = 0; s < SUBGROUPS; s++) {
        real v[4], g[4];
        matrix_subgroup(w, s, v);
        real square = quaternion_square(v);
        truth none = real_less(square, NO_STAPLE);
        real twice = real_select(none, real_of(0), 2 * v[0] / square);
        g[0] = real_select(none, real_of(1), twice * v[0] - 1);
        for (int i = 1; i < 4; i++) g[i] = -twice * v[i];
        u = link_subgroup_mul(g, s, u);
        w = matrix_subgroup_mul(g, s, w);
    }
    return link_clean(u);
}

/* A quaternion times a quaternion, or times two rows of three complex numbers */
enum { SUBGROUP_FLOPS = GROUP_N == 2 ? 28 : 84 };

/* U_mu(x) drawn from exp(beta / N Re tr U A), A the staple */
KERNEL(heatbath)
{
    link_t u = LINK(k->u, site, k->mu);
    matrix_t staple = completed_staple_at(&k->t, k->u, site, lane, k->mu);
    matrix_t w = places_mul(PLACE(k->u, site, k->mu), place_of(&staple));
    PUT_LINK(k->u, k->mu, draw_link(&k->t, &k->key, site, lane, k->mu, k->beta, u, w));
}
COST(heatbath, STAPLE_FLOPS + PRODUCT_FLOPS + SUBGROUPS * (4 * RANDOM_FLOPS + 2 * SUBGROUP_FLOPS + 60) + CLEAN_FLOPS, (k->t.dim + 1) * LINK_REALS, 0)

/* U_mu(x) reflected about the staple: the action does not change */
KERNEL(overrelax)
{
    link_t u = LINK(k->u, site, k->mu);
    matrix_t staple = completed_staple_at(&k->t, k->u, site, lane, k->mu);
    matrix_t w = places_mul(PLACE(k->u, site, k->mu), place_of(&staple));
    PUT_LINK(k->u, k->mu, reflect_link(u, w));
}
COST(overrelax, STAPLE_FLOPS + PRODUCT_FLOPS + SUBGROUPS * (2 * SUBGROUP_FLOPS + 40) + CLEAN_FLOPS, (k->t.dim + 1) * LINK_REALS, 0)

/* The same where links have couplings. */
KERNEL(weighted_heatbath)
{
    link_t u = LINK(k->u, site, k->mu);
    matrix_t w = link_matrix_mul(u, weighted_staple_at(&k->t, k->u, k->couplings, site, lane, k->mu));
    PUT_LINK(k->u, k->mu, draw_link(&k->t, &k->key, site, lane, k->mu, k->beta, u, w));
}
COST(weighted_heatbath, STAPLE_FLOPS + PRODUCT_FLOPS + SUBGROUPS * (4 * RANDOM_FLOPS + 2 * SUBGROUP_FLOPS + 60) + CLEAN_FLOPS, (k->t.dim + 1) * LINK_REALS, k->t.dim)
KERNEL(weighted_overrelax)
{
    link_t u = LINK(k->u, site, k->mu);
    matrix_t w = link_matrix_mul(u, weighted_staple_at(&k->t, k->u, k->couplings, site, lane, k->mu));
    PUT_LINK(k->u, k->mu, reflect_link(u, w));
}
COST(weighted_overrelax, STAPLE_FLOPS + PRODUCT_FLOPS + SUBGROUPS * (2 * SUBGROUP_FLOPS + 40) + CLEAN_FLOPS, (k->t.dim + 1) * LINK_REALS, k->t.dim)
