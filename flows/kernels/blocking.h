/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * blocking.h: kernels that go from a lattice to one of half the extent in one direction and back, for every group.
 * Definitions: blocking_kernels.h.
 */
#include "lattice/kernels/kernel.h"
#include "flows/kernels/blocking_kernels.h"

REAL_INLINE link_t block_link(const block_args *k, const void *field, int64_t x, int lane, int mu)
{
    return link_load((const scalar *)field + (x * k->t.dim + mu) * LINK_REALS * k->t.lanes + lane, k->t.lanes);
}

REAL_INLINE void put_block_link(const block_args *k, void *field, int64_t x, int lane, int mu, link_t link)
{
    link_store((scalar *)field + (x * k->t.dim + mu) * LINK_REALS * k->t.lanes + lane, k->t.lanes, link);
}

REAL_INLINE link_t coarse_link(const block_args *k, int64_t site, int lane, int mu)
{
    link_t first = block_link(k, k->u, k->fine[site], lane, mu);
    return mu == k->nu ? link_clean(link_mul(first, block_link(k, k->u, k->ahead[site], lane, mu))) : first;
}

KERNEL(block_links)
{
    for (int mu = 0; mu < k->t.dim; mu++) put_block_link(k, k->v, site, lane, mu, coarse_link(k, site, lane, mu));
}
COST(block_links, PRODUCT_FLOPS + CLEAN_FLOPS, (2 * k->t.dim + 1) * LINK_REALS, 0)

KERNEL(unblock_links)
{
    for (int mu = 0; mu < k->t.dim; mu++) {
        link_t v = block_link(k, k->v, site, lane, mu);
        if (mu == k->nu) v = link_clean(link_mul_dagger(v, block_link(k, k->u, k->ahead[site], lane, mu)));
        put_block_link(k, k->u, k->fine[site], lane, mu, v);
    }
}
COST(unblock_links, PRODUCT_FLOPS + CLEAN_FLOPS, (2 * k->t.dim + 1) * LINK_REALS, 0)

/* c_nu(ahead) += sign U^+ c U, with c = c_nu of V */
REAL_INLINE void move_cotangent(const block_args *k, int64_t site, int lane, scalar sign)
{
    real c[ALGEBRA_REALS], turned[ALGEBRA_REALS];
    int components = k->t.dim * ALGEBRA_REALS;
    for (int a = 0; a < ALGEBRA_REALS; a++) c[a] = real_load(AT((const scalar *)k->v, components, site, k->nu * ALGEBRA_REALS + a));
    link_rotate_back(block_link(k, k->links, k->fine[site], lane, k->nu), c, turned);
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        scalar *to = AT((scalar *)k->u, components, k->ahead[site], k->nu * ALGEBRA_REALS + a);
        real_store(to, real_load(to) + sign * turned[a]);
    }
}

KERNEL(block_cotangents)
{
    int components = k->t.dim * ALGEBRA_REALS;
    for (int i = 0; i < components; i++)
        real_store(AT((scalar *)k->v, components, site, i), real_load(AT((const scalar *)k->u, components, k->fine[site], i)));
    move_cotangent(k, site, lane, -1);
}
COST(block_cotangents, ROTATE_FLOPS + ALGEBRA_REALS, 2 * (k->t.dim + 1) * ALGEBRA_REALS + LINK_REALS, 0)

KERNEL(unblock_cotangents)
{
    int components = k->t.dim * ALGEBRA_REALS;
    for (int i = 0; i < components; i++)
        real_store(AT((scalar *)k->u, components, k->fine[site], i), real_load(AT((const scalar *)k->v, components, site, i)));
    move_cotangent(k, site, lane, 1);
}
COST(unblock_cotangents, ROTATE_FLOPS + ALGEBRA_REALS, 2 * (k->t.dim + 1) * ALGEBRA_REALS + LINK_REALS, 0)

KERNEL(lift_density)
{
    double *to = AT(k->density, 1, k->fine[site], 0);
    const double *from = AT(k->coarse, 1, site, 0);
    for (int l = 0; l < REAL_LANES; l++) to[l] += from[l];
}
COST(lift_density, 1, 0, 3)
