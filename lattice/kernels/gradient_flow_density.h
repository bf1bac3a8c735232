/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow_density.h: what is measured on the gradient flow, with and without couplings of links.
 */

/* The product of the couplings along a path; without couplings (NULL) the constant 1. */
REAL_INLINE real coupling_along(const lat_tables *t, const double *couplings, int64_t site, int lane, const int *step, int steps)
{
    real product = real_of(1);
    for (int i = 0; couplings && i < steps; i++) {
        int mu = step[i] > 0 ? step[i] - 1 : -step[i] - 1;
        if (step[i] < 0) site = t->down[mu][site];
        product = product * coupling_at(t, couplings, site, lane, mu);
        if (step[i] > 0) site = t->up[mu][site];
    }
    return product;
}

/* F^a_mn(x) = -2 Re tr(T_a C) / 8, C the sum of the four plaquettes of the plane that begin and end at x, each with its weight;
 * projected to the algebra, so traceless. */
REAL_INLINE void field_tensor(const lat_tables *t, const void *u, const double *couplings, int64_t site, int lane, int mu, int nu,
                              real out[ALGEBRA_REALS])
{
    const int m = mu + 1, n = nu + 1;
    const int path[4][4] = {{m, n, -m, -n}, {n, -m, -n, m}, {-m, -n, m, n}, {-n, m, n, -m}};
    matrix_t sum = matrix_zero();
    for (int i = 0; i < 4; i++) {
        matrix_t leaf = link_matrix(path_at(t, u, site, lane, path[i], 4));
        if (couplings) leaf = matrix_scale(coupling_along(t, couplings, site, lane, path[i], 4), leaf);
        sum = matrix_add(sum, leaf);
    }
    matrix_generators(sum, out);
    for (int a = 0; a < ALGEBRA_REALS; a++) out[a] = (scalar)(-0.25 * FLOW_WEIGHT) * out[a];
}

REAL_INLINE real algebra_product(const real a[ALGEBRA_REALS], const real b[ALGEBRA_REALS])
{
    real sum = a[0] * b[0];
    for (int i = 1; i < ALGEBRA_REALS; i++) sum += a[i] * b[i];
    return sum;
}

/* density(x, 0) and (x, 1): 2 Re tr(1 - P) of the space-like and of the time-like plaquettes; (x, 2): 1/2 sum of
 * F^a_mn F^a_mn over m < n; (x, 3): charge, epsilon_mnrs F^a_mn F^a_rs / 64 pi^2 with epsilon_txyz = 1 in four
 * dimensions, F / 2 pi of U(1) in two, else 0. */
REAL_INLINE void put_densities(const gradient_flow_density_args *k, const double *couplings, int64_t site, int lane)
{
    real plaquette[2] = {real_of(0), real_of(0)}, energy = real_of(0), charge = real_of(0), f[6][ALGEBRA_REALS];
    int dim = k->t.dim, planes = 0;
    for (int nu = 1; nu < dim; nu++)
        for (int mu = 0; mu < nu; mu++) {
            real re, im;
            link_trace(plaquette_at(&k->t, k->u, site, lane, mu, nu), &re, &im);
            const int around[4] = {mu + 1, nu + 1, -mu - 1, -nu - 1};
            real weight = coupling_along(&k->t, couplings, site, lane, around, 4);
            plaquette[nu == dim - 1] += (scalar)(FLOW_WEIGHT * GROUP_N) * (1 - re) * weight;
            field_tensor(&k->t, k->u, couplings, site, lane, mu, nu, f[planes]);
            energy += (scalar)0.5 * algebra_product(f[planes], f[planes]);
            planes++;
        }
    if (dim == 4) /* the planes: xy, xz, yz, xt, yt, zt */
        charge = (scalar)(1 / (4 * 3.14159265358979323846 * 3.14159265358979323846 * FLOW_WEIGHT)) *
                 (algebra_product(f[1], f[4]) - algebra_product(f[0], f[5]) - algebra_product(f[2], f[3]));
    if (dim == 2 && GROUP_N == 1) charge = (scalar)(0.5 / 3.14159265358979323846) * f[0][0];
    PUT_DOUBLE(k->density, 4, 0, plaquette[0]);
    PUT_DOUBLE(k->density, 4, 1, plaquette[1]);
    PUT_DOUBLE(k->density, 4, 2, energy);
    PUT_DOUBLE(k->density, 4, 3, charge);
}

KERNEL(gradient_flow_density) { put_densities(k, NULL, site, lane); }
COST(gradient_flow_density, PLANES * (3 * PRODUCT_FLOPS + TRACE_FLOPS + 4 * (3 * PRODUCT_FLOPS + MATRIX_FLOPS + ADD_FLOPS) + GENERATORS_FLOPS + 4 * ALGEBRA_REALS), k->t.dim * LINK_REALS, 4)
KERNEL(weighted_gradient_flow_density) { put_densities(k, k->couplings, site, lane); }
COST(weighted_gradient_flow_density, PLANES * (3 * PRODUCT_FLOPS + TRACE_FLOPS + 4 * (3 * PRODUCT_FLOPS + MATRIX_FLOPS + ADD_FLOPS) + GENERATORS_FLOPS + 4 * ALGEBRA_REALS), k->t.dim * LINK_REALS, k->t.dim + 4)
