/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * u1_updates.h: kernels that exist for U(1) only.
 */

/* von Mises distribution exp(kappa cos x), D. J. Best and N. I. Fisher, Applied Statistics 28 (1979) 152: rejection from
 * a wrapped Cauchy distribution.  rho is written so that nothing cancels at small kappa.  Every lane has its own
 * sequence of deviates and stops at its own acceptance. */
REAL_INLINE real von_mises(const lat_tables *t, const random_key *key, int64_t site, int lane, uint32_t direction, real kappa)
{
    enum { MOST_TRIES = 1000 }; /* acceptance is above 0.65: this bounds the loop on NaN */
    kappa = real_select(real_less(kappa, real_of((scalar)1e-30)), real_of((scalar)1e-30), kappa);
    real root = real_sqrt(1 + 4 * kappa * kappa), tau = real_sqrt(1 + root);
    real rho = 2 * tau * kappa / ((tau + (scalar)1.41421356237309504880) * (1 + root));
    real r = (1 + rho * rho) / (2 * rho), angle = real_of(0);
    truth open = real_less(real_of(0), real_of(1));
    for (int tries = 0; tries < MOST_TRIES && truth_any(open); tries++) {
        real u[4], sine, z;
        real_uniform4(t, key, site, lane, direction, (uint64_t)tries, u);
        real_sincos(u[0] * REAL_PI, &sine, &z);
        real f = (1 + r * z) / (r + z), c = kappa * (r - f);
        truth accepted = real_less(u[1], c * (2 - c)) | ~real_less(real_log(c / u[1]) + 1 - c, real_of(0));
        f = real_select(real_less(real_of(1), f), real_of(1), real_select(real_less(f, real_of(-1)), real_of(-1), f));
        real x = real_acos(f);
        x = real_select(real_less(u[2], real_of((scalar)0.5)), -x, x);
        angle = real_select(open & accepted, x, angle);
        open = open & ~accepted;
    }
    return angle;
}

/* A link drawn from exp(beta Re U A), and the link u reflected about A: the action does not change. */
REAL_INLINE link_t draw_link(const lat_tables *t, const random_key *key, int64_t site, int lane, int mu, double beta,
                             matrix_t a)
{
    real kappa = (scalar)beta * real_sqrt(a.re * a.re + a.im * a.im);
    real angle = von_mises(t, key, site, lane, (uint32_t)mu, kappa);
    return link_clean((link_t){angle - real_atan2(a.im, a.re)});
}
REAL_INLINE link_t reflect_link(link_t u, matrix_t a)
{
    return link_clean((link_t){-2 * real_atan2(a.im, a.re) - u.angle});
}

/* With the staple of U_mu(x). */
KERNEL(heatbath)
{
    matrix_t a = staple_at(&k->t, k->u, site, lane, k->mu);
    PUT_LINK(k->u, k->mu, draw_link(&k->t, &k->key, site, lane, k->mu, k->beta, a));
}
COST(heatbath, STAPLE_FLOPS + 4 * RANDOM_FLOPS + 50, (k->t.dim + 1) * LINK_REALS, 0)
KERNEL(overrelax)
{
    matrix_t a = staple_at(&k->t, k->u, site, lane, k->mu);
    PUT_LINK(k->u, k->mu, reflect_link(LINK(k->u, site, k->mu), a));
}
COST(overrelax, STAPLE_FLOPS + 8, (k->t.dim + 1) * LINK_REALS, 0)

/* The same where links have couplings. */
KERNEL(weighted_heatbath)
{
    matrix_t a = weighted_staple_at(&k->t, k->u, k->couplings, site, lane, k->mu);
    PUT_LINK(k->u, k->mu, draw_link(&k->t, &k->key, site, lane, k->mu, k->beta, a));
}
COST(weighted_heatbath, STAPLE_FLOPS + 4 * RANDOM_FLOPS + 50, (k->t.dim + 1) * LINK_REALS, k->t.dim)
KERNEL(weighted_overrelax)
{
    matrix_t a = weighted_staple_at(&k->t, k->u, k->couplings, site, lane, k->mu);
    PUT_LINK(k->u, k->mu, reflect_link(LINK(k->u, site, k->mu), a));
}
COST(weighted_overrelax, STAPLE_FLOPS + 8, (k->t.dim + 1) * LINK_REALS, k->t.dim)

/* density(x) = arg P_01(x) / 2 pi; its sum over a periodic lattice is an integer */
KERNEL(charge)
{
    link_t p = plaquette_at(&k->t, k->u, site, lane, 0, 1);
    PUT_DOUBLE(k->density, 1, 0, real_wrap(p.angle) * (1 / (2 * REAL_PI)));
}
COST(charge, 3 * PRODUCT_FLOPS + 4, 2 * LINK_REALS, 1)

/* Adds charge[lane] units of constant field strength 2 pi / V to a two-dimensional lattice:
 * U_1(x, y) += 2 pi x / V, and U_0(Lx - 1, y) -= 2 pi y / Ly, so that every plaquette gains 2 pi / V (modulo 2 pi). */
KERNEL(instanton)
{
    link_t u0 = LINK(k->u, site, 0), u1 = LINK(k->u, site, 1);
    for (int l = 0; l < REAL_LANES; l++) {
        int64_t index = k->t.site_index[site] + k->t.lane_index[lane + l], x = index % k->t.size[0], y = index / k->t.size[0];
        double charge = k->charge[lane + l] * 2 * 3.14159265358979323846;
        double column = charge * (double)x / (double)(k->t.size[0] * k->t.size[1]), row = charge * (double)y / (double)k->t.size[1];
        real_set_lane(&u1.angle, l, real_lane(u1.angle, l) + (scalar)column);
        if (x == k->t.size[0] - 1) real_set_lane(&u0.angle, l, real_lane(u0.angle, l) - (scalar)row);
    }
    PUT_LINK(k->u, 0, link_clean(u0));
    PUT_LINK(k->u, 1, link_clean(u1));
}
COST(instanton, 8 + 2 * CLEAN_FLOPS, 4 * LINK_REALS, 0)
