/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * weighted.h: kernels where every link has a coupling (C. Bonanno, C. Bonati and M. D'Elia, JHEP 03 (2021) 111
 * [arXiv:2012.14000]): a loop is weighted with the product of the couplings of its links.
 */

/* Two rows of a matrix in SU(3) are enough: where it comes from a product, the compiler leaves the third row out of
 * that. */
REAL_INLINE link_t complete(link_t a)
{
#ifdef SU3_H
    a.t = row_cross_conj(a.r, a.s);
#endif
    return a;
}

/* A product of links, and that of their couplings.  Where kernels are compiled without couplings (NULL), the factor is
 * the constant 1, and the compiler leaves it out. */
typedef struct {
    link_t u;
    real c;
} path_t;

/* Couplings are double for links of any precision. */
REAL_INLINE real coupling_at(const lat_tables *t, const double *couplings, int64_t x, int lane, int mu)
{
    const double *p = couplings + (x * t->dim + mu) * t->lanes + lane;
    real c = real_of(1);
    for (int l = 0; l < REAL_LANES; l++) real_set_lane(&c, l, (scalar)p[l]);
    return c;
}
REAL_INLINE path_t weighted_path_at(const lat_tables *t, const void *u, const double *couplings, int64_t x, int lane, int mu)
{
    return (path_t){link_at(t, u, t->dim, x, lane, mu), couplings ? coupling_at(t, couplings, x, lane, mu) : real_of(1)};
}
REAL_INLINE path_t path_mul(path_t a, path_t b) { return (path_t){link_mul(a.u, b.u), a.c * b.c}; }
REAL_INLINE path_t path_mul_dagger(path_t a, path_t b) { return (path_t){link_mul_dagger(a.u, b.u), a.c * b.c}; }
REAL_INLINE path_t path_dagger_mul(path_t a, path_t b) { return (path_t){link_dagger_mul(a.u, b.u), a.c * b.c}; }
REAL_INLINE path_t path_dagger(path_t a) { return (path_t){link_dagger(a.u), a.c}; }
REAL_INLINE matrix_t path_matrix(path_t a) { return matrix_scale(a.c, link_matrix(complete(a.u))); }

/* Like staple_at, every plaquette with its weight. */
REAL_INLINE matrix_t weighted_staple_at(const lat_tables *t, const void *u, const double *couplings, int64_t site,
                                        int lane, int mu)
{
    matrix_t sum = matrix_zero();
    int64_t ahead = t->up[mu][site];
    for (int nu = 0; nu < t->dim; nu++) {
        if (nu == mu) continue;
        int64_t above = t->up[nu][site], below = t->down[nu][site], beyond = t->up[mu][below];
        path_t side =
            path_mul_dagger(weighted_path_at(t, u, couplings, ahead, lane, nu), weighted_path_at(t, u, couplings, above, lane, mu));
        sum = matrix_add(sum, path_matrix(path_mul_dagger(side, weighted_path_at(t, u, couplings, site, lane, nu))));
        side = path_mul(weighted_path_at(t, u, couplings, below, lane, mu), weighted_path_at(t, u, couplings, beyond, lane, nu));
        sum = matrix_add(sum, path_matrix(path_dagger_mul(side, weighted_path_at(t, u, couplings, below, lane, nu))));
    }
    return matrix_scale(coupling_at(t, couplings, site, lane, mu), sum);
}

/* Of the sum of the staples of a link, their weights among them */
#define STAPLE_FLOPS (2 * (k->t.dim - 1) * (2 * PRODUCT_FLOPS + MATRIX_FLOPS + 2 * ADD_FLOPS))

/* density(x) += sum_{m<n} c_mn(x) (constant + weight Re tr P_mn(x) / N) */
KERNEL(weighted_plaquette_sum)
{
    const lat_tables *t = &k->t;
    const double *couplings = k->couplings;
    real sum = real_of(0);
    for (int mu = 0; mu < t->dim; mu++)
        for (int nu = mu + 1; nu < t->dim; nu++) {
            real re, im;
            path_t there = path_mul(weighted_path_at(t, k->u, couplings, site, lane, mu),
                                    weighted_path_at(t, k->u, couplings, t->up[mu][site], lane, nu));
            path_t back = path_mul(weighted_path_at(t, k->u, couplings, site, lane, nu),
                                   weighted_path_at(t, k->u, couplings, t->up[nu][site], lane, mu));
            path_t plaquette = path_mul_dagger(there, back);
            link_trace(plaquette.u, &re, &im);
            sum += plaquette.c * ((scalar)k->constant + (scalar)k->weight * re);
        }
    ADD_DOUBLE(k->density, 1, 0, sum);
}
COST(weighted_plaquette_sum, PLANES * (3 * PRODUCT_FLOPS + TRACE_FLOPS + 6), k->t.dim * LINK_REALS, k->t.dim + 2)

/* force^a_mu(x) += scale out_a */
REAL_INLINE void add_force(const lat_tables *t, void *force, int64_t site, int lane, int mu, real scale,
                           const real out[ALGEBRA_REALS])
{
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        scalar *p = (scalar *)force + ((site * t->dim + mu) * ALGEBRA_REALS + a) * t->lanes + lane;
        real_store(p, real_load(p) + scale * out[a]);
    }
}

/* force^a_mu(x) += weight d^a sum_P c_P Re tr P, the sum over plaquettes through the link */
KERNEL(weighted_plaquette_force)
{
    for (int mu = 0; mu < k->t.dim; mu++) {
        real out[ALGEBRA_REALS];
        matrix_t staple = weighted_staple_at(&k->t, k->u, k->couplings, site, lane, mu);
        matrix_generators(link_matrix_mul(LINK(k->u, site, mu), staple), out);
        add_force(&k->t, k->force, site, lane, mu, real_of((scalar)k->weight), out);
    }
}
COST(weighted_plaquette_force, k->t.dim * (STAPLE_FLOPS + PRODUCT_FLOPS + GENERATORS_FLOPS + 2 * ALGEBRA_REALS), k->t.dim * (LINK_REALS + 2 * ALGEBRA_REALS), k->t.dim)
