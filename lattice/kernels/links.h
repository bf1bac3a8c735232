/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * links.h: where kernels of every group find the links of a field, and products of them along paths.
 */

/* The components of an anti-Hermitian traceless M are -FLOW_WEIGHT Re tr(T_a M). */
enum { FLOW_WEIGHT = GROUP_N == 1 ? 1 : 2 };

REAL_INLINE link_t link_at(const lat_tables *t, const void *field, int links, int64_t x, int lane, int mu)
{
    return link_load((const scalar *)field + (x * links + mu) * LINK_REALS * t->lanes + lane, t->lanes);
}
REAL_INLINE void put_link_at(const lat_tables *t, void *field, int links, int64_t x, int lane, int mu, link_t link)
{
    link_store((scalar *)field + (x * links + mu) * LINK_REALS * t->lanes + lane, t->lanes, link);
}
/* The same inside a kernel: a gauge field, and a field of one group element per site. */
#define LINK(field, x, mu) link_at(&k->t, field, k->t.dim, x, lane, mu)
#define PUT_LINK(field, mu, link) put_link_at(&k->t, field, k->t.dim, site, lane, mu, link)
#define ELEMENT(field, x) link_at(&k->t, field, 1, x, lane, 0)
#define PUT_ELEMENT(field, link) put_link_at(&k->t, field, 1, site, lane, 0, link)

/* The product of the links along a path of `steps` steps from a site: mu + 1 leads up, -(mu + 1) down. */
REAL_INLINE link_t path_at(const lat_tables *t, const void *u, int64_t site, int lane, const int *step, int steps)
{
    link_t product = link_one();
    for (int i = 0; i < steps; i++) {
        bool up = step[i] > 0;
        int mu = up ? step[i] - 1 : -step[i] - 1;
        if (up) {
            link_t next = link_at(t, u, t->dim, site, lane, mu);
            product = i == 0 ? next : link_mul(product, next);
            site = t->up[mu][site];
        } else {
            site = t->down[mu][site];
            product = link_mul_dagger(product, link_at(t, u, t->dim, site, lane, mu));
        }
    }
    return product;
}
