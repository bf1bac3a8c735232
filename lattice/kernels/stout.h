/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stout.h: kernels that take a force back through a step of stout smearing, V = exp(X) U, X = w T_a Re tr(T_a U A) with w = FLOW_WEIGHT rho, as
 * in smearing.h.  When U changes by dU = omega U, V changes by
 *
 *     dV V^+ = int_0^1 Ad(exp(s X)) dX ds + Ad(exp(X)) omega,
 *
 * and so, with the force F = f_a T_a on V and the transposed of that integral,
 *
 *     Lambda = int_0^1 Ad(exp(-s X)) F ds = sum_n (-ad X)^n F / (n + 1)!,    Ad(exp(-X)) F = F - [X, Lambda],
 *
 * the force on U is that of F - [X, Lambda], and w d^a sum Re tr(Lambda U A) with Lambda as it is.
 */

REAL_INLINE entries_t algebra_entries(const real algebra[ALGEBRA_REALS])
{
    entries_t out;
    matrix_entries(algebra_matrix(algebra), out.e);
    return out;
}
/* f_a of F = f_a T_a */
REAL_INLINE void entries_algebra(entries_t f, real algebra[ALGEBRA_REALS])
{
    entries_generators(f.e, algebra);
    for (int a = 0; a < ALGEBRA_REALS; a++) algebra[a] = (scalar)-FLOW_WEIGHT * algebra[a];
}
/* [x, y] = x y - (x y)^+, of elements of the algebra */
REAL_INLINE entries_t commutator(entries_t x, entries_t y)
{
    entries_t xy = entries_mul(x, y), out;
    for (int i = 0; i < GROUP_N; i++)
        for (int j = 0; j < GROUP_N; j++) {
            complex_t a = xy.e[i * GROUP_N + j], b = xy.e[j * GROUP_N + i];
            out.e[i * GROUP_N + j] = complex_of(a.re - b.re, a.im + b.im);
        }
    return out;
}

/* Of one link: Lambda of the force, which becomes that of F - [X, Lambda]. */
REAL_INLINE entries_t stout_average(int terms, const real step[ALGEBRA_REALS], real force[ALGEBRA_REALS])
{
    entries_t x = algebra_entries(step), f = algebra_entries(force), term = f, sum = f;
    for (int n = 1; n < terms; n++) {
        term = entries_scale((scalar)(-1.0 / (n + 1)), commutator(x, term));
        sum = entries_add(sum, term);
    }
    entries_algebra(entries_add(f, entries_scale(-1, commutator(x, sum))), force);
    return sum;
}

KERNEL(stout_average)
{
    const int components = k->t.dim * ALGEBRA_REALS;
    for (int mu = 0; mu < k->t.dim; mu++) {
        real step[ALGEBRA_REALS], force[ALGEBRA_REALS], average[ALGEBRA_REALS];
        matrix_t staple = smearing_staple(&k->t, k->u, site, lane, mu, k->t.dim);
        matrix_generators(link_matrix_mul(LINK(k->u, site, mu), staple), step);
        for (int a = 0; a < ALGEBRA_REALS; a++) {
            step[a] = (scalar)(FLOW_WEIGHT * k->weight) * step[a];
            force[a] = GET(k->force, components, mu * ALGEBRA_REALS + a);
        }
        entries_algebra(stout_average(k->terms, step, force), average);
        for (int a = 0; a < ALGEBRA_REALS; a++) {
            PUT(k->average, components, mu * ALGEBRA_REALS + a, average[a]);
            PUT(k->force, components, mu * ALGEBRA_REALS + a, force[a]);
        }
    }
}
COST(stout_average,
     k->t.dim *(2 * (k->t.dim - 1) * (2 * PRODUCT_FLOPS + MATRIX_FLOPS + ADD_FLOPS) + 2 * PRODUCT_FLOPS +
                2 * GENERATORS_FLOPS + k->terms * (ENTRIES_FLOPS + 6 * MATRIX_ENTRIES)),
     k->t.dim *(LINK_REALS + 3 * ALGEBRA_REALS), 0)

REAL_INLINE entries_t average_at(const stout_force_args *k, int64_t x, int lane, int mu)
{
    const int components = k->t.dim * ALGEBRA_REALS;
    real average[ALGEBRA_REALS];
    for (int a = 0; a < ALGEBRA_REALS; a++) average[a] = GET_AT(k->average, components, x, mu * ALGEBRA_REALS + a);
    return algebra_entries(average);
}

/* The plaquettes at U_mu(x) that begin at one of their corners with the link of a Lambda, which stands there; those that go the other way round
 * count with a minus, since Re tr(Lambda P^+) = -Re tr(Lambda P). */
REAL_INLINE entries_t stout_plaquette(const stout_force_args *k, int64_t site, int lane, int mu, int nu, bool up)
{
    const corners_t at = corners_of(&k->t, site, mu, nu, up);
    entries_t own = average_at(k, at.here, lane, mu), other = average_at(k, at.beside, lane, mu),
              side = average_at(k, up ? at.here : at.beside, lane, nu),
              far = average_at(k, up ? at.ahead : at.corner, lane, nu), none = entries_scale(0, own);
    const entries_t upper[4] = {entries_add(own, entries_scale(-1, side)), far, none, entries_scale(-1, other)};
    const entries_t lower[4] = {own, none, entries_scale(-1, far), entries_add(side, entries_scale(-1, other))};
    return inserted_plaquette(&k->t, k->u, at, lane, mu, nu, up, up ? upper : lower);
}

KERNEL(stout_force)
{
    const int components = k->t.dim * ALGEBRA_REALS;
    for (int mu = 0; mu < k->t.dim; mu++) {
        real force[ALGEBRA_REALS];
        entries_t sum;
        for (int i = 0; i < MATRIX_ENTRIES; i++) sum.e[i] = complex_zero();
        for (int nu = 0; nu < k->t.dim; nu++) {
            if (nu == mu) continue;
            sum = entries_add(sum, stout_plaquette(k, site, lane, mu, nu, true));
            sum = entries_add(sum, stout_plaquette(k, site, lane, mu, nu, false));
        }
        entries_generators(sum.e, force);
        for (int a = 0; a < ALGEBRA_REALS; a++) {
            int c = mu * ALGEBRA_REALS + a;
            PUT(k->force, components, c, GET(k->force, components, c) + (scalar)(FLOW_WEIGHT * k->weight) * force[a]);
        }
    }
}
COST(stout_force,
     k->t.dim *(2 * (k->t.dim - 1) * (9 * ENTRIES_FLOPS + 18 * MATRIX_ENTRIES) + GENERATORS_FLOPS + 2 * ALGEBRA_REALS),
     k->t.dim *(LINK_REALS + 3 * ALGEBRA_REALS), 0)
