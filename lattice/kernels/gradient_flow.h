/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow.h: kernels of the gradient flow, for every group.
 *
 * The flow dU/dt = Z U goes down the gradient of 1/2 sum_{x, m<n} F^a_mn F^a_mn in the classical limit: Z^a = -d^a of
 * 2 sum Re tr(1 - P), and of sum (1 - cos theta_P) for U(1), whose generator has another norm: that factor is FLOW_WEIGHT.
 */

/* A = old A + fresh Z at the link, for the stages of a Runge-Kutta method */
REAL_INLINE void flow_accumulate(const gradient_flow_force_args *k, int64_t site, int lane, int mu, const real z[ALGEBRA_REALS])
{
    int components = k->t.dim * ALGEBRA_REALS;
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        int c = mu * ALGEBRA_REALS + a;
        real sum = (scalar)k->fresh * z[a];
        if (k->old != 0) sum += (scalar)k->old * GET(k->algebra, components, c);
        PUT(k->algebra, components, c, sum);
    }
}

/* The Wilson flow: Z from the plaquettes */
HOT_KERNEL(gradient_flow_force)
{
    real z[4][ALGEBRA_REALS];
    plaquette_derivatives(&k->t, k->u, site, lane, z);
    for (int mu = 0; mu < k->t.dim; mu++) {
        for (int a = 0; a < ALGEBRA_REALS; a++) z[mu][a] = FLOW_WEIGHT * z[mu][a];
        flow_accumulate(k, site, lane, mu, z[mu]);
    }
}
COST(gradient_flow_force, PLANES * 8 * PRODUCT_FLOPS + k->t.dim * (PRODUCT_FLOPS + GENERATORS_FLOPS + 4 * ALGEBRA_REALS), k->t.dim * (LINK_REALS + (k->old != 0 ? 2 : 1) * ALGEBRA_REALS), 0)

/* d^a of the sum of Re tr R over the rectangles that contain U_mu(x) and reach to one side, +nu or -nu */
REAL_INLINE void rectangle_derivatives(const lat_tables *t, const void *u, int64_t site, int lane, int mu, int nu,
                                       real out[ALGEBRA_REALS])
{
    const int m = mu + 1, n = nu;
    const int path[3][6] = {{m, m, n, -m, -m, -n}, {m, n, -m, -m, -n, m}, {m, n, n, -m, -n, -n}};
    for (int i = 0; i < 3; i++) {
        real part[ALGEBRA_REALS];
        matrix_generators(link_matrix(path_at(t, u, site, lane, path[i], 6)), part);
        for (int a = 0; a < ALGEBRA_REALS; a++) out[a] += part[a];
    }
}

/* z = -d^a of 2 sum [plaquette Re tr(1 - P) + rectangle Re tr(1 - R)] */
HOT_KERNEL(gradient_flow_improved)
{
    real z[4][ALGEBRA_REALS];
    int dim = k->t.dim;
    plaquette_derivatives(&k->t, k->u, site, lane, z);
    for (int mu = 0; mu < dim; mu++) {
        real sum[ALGEBRA_REALS];
        for (int a = 0; a < ALGEBRA_REALS; a++) sum[a] = real_of(0);
        for (int nu = 0; nu < 2 * dim; nu++)
            if (nu / 2 != mu)
                rectangle_derivatives(&k->t, k->u, site, lane, mu, nu % 2 ? nu / 2 + 1 : -(nu / 2 + 1), sum);
        for (int a = 0; a < ALGEBRA_REALS; a++)
            PUT(k->z, dim * ALGEBRA_REALS, mu * ALGEBRA_REALS + a,
                FLOW_WEIGHT * ((scalar)k->plaquette * z[mu][a] + (scalar)k->rectangle * sum[a]));
    }
}
COST(gradient_flow_improved, PLANES * 8 * PRODUCT_FLOPS + k->t.dim * (PRODUCT_FLOPS + GENERATORS_FLOPS + 6 * (k->t.dim - 1) * (5 * PRODUCT_FLOPS + GENERATORS_FLOPS + ALGEBRA_REALS) + 4 * ALGEBRA_REALS), k->t.dim * (LINK_REALS + ALGEBRA_REALS), 0)

REAL_INLINE void algebra_at(const lat_tables *t, const void *field, int64_t x, int lane, int mu, real out[ALGEBRA_REALS])
{
    for (int a = 0; a < ALGEBRA_REALS; a++)
        out[a] = real_load((const scalar *)field + ((x * t->dim + mu) * ALGEBRA_REALS + a) * t->lanes + lane);
}

/* The Zeuthen flow: Z = (1 + D*_mu D_mu / 12) z, with the covariant differences along the link itself */
KERNEL(gradient_flow_smooth)
{
    for (int mu = 0; mu < k->t.dim; mu++) {
        real here[ALGEBRA_REALS], ahead[ALGEBRA_REALS], behind[ALGEBRA_REALS], z[ALGEBRA_REALS];
        int64_t down = k->t.down[mu][site];
        algebra_at(&k->t, k->z, site, lane, mu, here);
        algebra_at(&k->t, k->z, k->t.up[mu][site], lane, mu, z);
        link_rotate(LINK(k->sum.u, site, mu), z, ahead);
        algebra_at(&k->t, k->z, down, lane, mu, z);
        link_rotate_back(LINK(k->sum.u, down, mu), z, behind);
        for (int a = 0; a < ALGEBRA_REALS; a++)
            z[a] = here[a] + (scalar)(1.0 / 12) * (ahead[a] + behind[a] - 2 * here[a]);
        flow_accumulate(&k->sum, site, lane, mu, z);
    }
}
COST(gradient_flow_smooth, k->t.dim * (2 * ROTATE_FLOPS + 7 * ALGEBRA_REALS), k->t.dim * (LINK_REALS + (k->sum.old != 0 ? 3 : 2) * ALGEBRA_REALS), 0)

/* distance(x) = the largest over mu of |U - exp(step A) V| / N^2, |M|^2 = tr M M^+ */
KERNEL(gradient_flow_distance)
{
    real most = real_of(0);
    for (int mu = 0; mu < k->t.dim; mu++) {
        real step[ALGEBRA_REALS];
        algebra_at(&k->t, k->algebra, site, lane, mu, step);
        for (int a = 0; a < ALGEBRA_REALS; a++) step[a] = (scalar)k->step * step[a];
        link_t other = link_mul(link_exp(step), LINK(k->start, site, mu));
        real square = matrix_square_distance(link_matrix(LINK(k->u, site, mu)), link_matrix(other));
        most = real_select(real_less(square, most), most, square);
    }
    PUT_DOUBLE(k->distance, 1, 0, (scalar)(1.0 / (GROUP_N * GROUP_N)) * real_sqrt(most));
}
COST(gradient_flow_distance, k->t.dim * (ALGEBRA_REALS + EXP_FLOPS + PRODUCT_FLOPS + 3 * LINK_REALS), k->t.dim * (2 * LINK_REALS + ALGEBRA_REALS), 1)
