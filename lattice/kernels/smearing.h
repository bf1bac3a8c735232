/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * smearing.h: kernels of smearing.  Links of the first `directions` directions are smeared by staples within these
 * directions; the others are copied.
 */

/* Sum A of the open plaquettes at the link within the directions, like staple_at. */
REAL_INLINE matrix_t smearing_staple(const lat_tables *t, const void *u, int64_t site, int lane, int mu, int directions)
{
    matrix_t sum = matrix_zero();
    const int m = mu + 1;
    for (int nu = 0; nu < 2 * directions; nu++) {
        if (nu / 2 == mu) continue;
        const int n = nu % 2 ? nu / 2 + 1 : -(nu / 2 + 1), path[3] = {n, -m, -n};
        sum = matrix_add(sum, link_matrix(path_at(t, u, t->up[mu][site], lane, path, 3)));
    }
    return sum;
}

/* C. Morningstar and M. Peardon, Phys. Rev. D 69 (2004) 054501 [hep-lat/0311018]: out = exp(-rho P(U A)) U, P the projection
 * to anti-Hermitian traceless matrices. */
KERNEL(smear_stout)
{
    for (int mu = 0; mu < k->t.dim; mu++) {
        link_t u = LINK(k->u, site, mu);
        if (mu < k->directions) {
            real step[ALGEBRA_REALS];
            matrix_generators(link_matrix_mul(u, smearing_staple(&k->t, k->u, site, lane, mu, k->directions)), step);
            for (int a = 0; a < ALGEBRA_REALS; a++) step[a] = (scalar)(FLOW_WEIGHT * k->weight) * step[a];
            u = link_clean(link_mul(link_exp(step), u));
        }
        PUT_LINK(k->out, mu, u);
    }
}
COST(smear_stout, k->directions * (2 * (k->directions - 1) * (2 * PRODUCT_FLOPS + MATRIX_FLOPS + ADD_FLOPS) + 2 * PRODUCT_FLOPS + GENERATORS_FLOPS + ALGEBRA_REALS + EXP_FLOPS + CLEAN_FLOPS), 2 * k->t.dim * LINK_REALS, 0)

/* M. Albanese et al., Phys. Lett. B 192 (1987) 163: out = the group element of (1 - alpha) U + alpha <A^+>, the mean over
 * the staples. */
KERNEL(smear_ape)
{
    for (int mu = 0; mu < k->t.dim; mu++) {
        link_t u = LINK(k->u, site, mu);
        if (mu < k->directions) {
            matrix_t staple = smearing_staple(&k->t, k->u, site, lane, mu, k->directions);
            scalar part = (scalar)(k->weight / (2 * (k->directions - 1)));
            u = matrix_project(matrix_add(matrix_scale(real_of((scalar)(1 - k->weight)), link_matrix(u)),
                                          matrix_scale(real_of(part), matrix_dagger(staple))));
        }
        PUT_LINK(k->out, mu, u);
    }
}
COST(smear_ape, k->directions * (2 * (k->directions - 1) * (2 * PRODUCT_FLOPS + MATRIX_FLOPS + ADD_FLOPS) + 3 * ADD_FLOPS + PROJECT_FLOPS), 2 * k->t.dim * LINK_REALS, 0)
