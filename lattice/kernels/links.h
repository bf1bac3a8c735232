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
/* Where that link is. */
REAL_INLINE place_t place_at(const lat_tables *t, const void *field, int links, int64_t x, int lane, int mu)
{
    return (place_t){(const scalar *)field + (x * links + mu) * LINK_REALS * t->lanes + lane, t->lanes, false};
}
REAL_INLINE void put_link_at(const lat_tables *t, void *field, int links, int64_t x, int lane, int mu, link_t link)
{
    link_store((scalar *)field + (x * links + mu) * LINK_REALS * t->lanes + lane, t->lanes, link);
}
/* The same inside a kernel: a gauge field, and a field of one group element per site. */
#define LINK(field, x, mu) link_at(&k->t, field, k->t.dim, x, lane, mu)
#define PLACE(field, x, mu) place_at(&k->t, field, k->t.dim, x, lane, mu)
#define ELEMENT_PLACE(field, x) place_at(&k->t, field, 1, x, lane, 0)
#define PUT_LINK(field, mu, link) put_link_at(&k->t, field, k->t.dim, site, lane, mu, link)
#define ELEMENT(field, x) link_at(&k->t, field, 1, x, lane, 0)
#define PUT_ELEMENT(field, link) put_link_at(&k->t, field, 1, site, lane, 0, link)

/* Products of links that are in memory, as those that a kernel makes itself are too: place_of(&a), a link or a matrix of SU(N).  Where
 * there are registers for whole links these are the products of links. */
#ifndef SU3_ROWS_H
REAL_INLINE place_t place_of(const void *a) { return (place_t){(const scalar *)a, REAL_LANES, false}; }
REAL_INLINE link_t link_from(place_t a)
{
    link_t link = link_load(a.p, a.lanes);
    return a.dagger ? link_dagger(link) : link;
}
/* a b; the same stored as a link is, and while a link is brought near that is needed soon */
REAL_INLINE link_t places_mul(place_t a, place_t b) { return link_mul(link_from(a), link_from(b)); }
REAL_INLINE void places_mul_to(place_t a, place_t b, scalar *out, int lanes)
{
    link_store(out, lanes, places_mul(a, b));
}
REAL_INLINE void places_mul_fetching(place_t a, place_t b, place_t next, link_t *out)
{
    *out = link_mul_fetching(link_from(a), link_from(b), next.p, next.lanes);
}
/* a b c and (a b)^+ c */
REAL_INLINE link_t places_mul_twice(place_t a, place_t b, place_t c)
{
    link_t product = places_mul(a, b);
    return link_mul(product, link_from(c));
}
REAL_INLINE link_t places_mul_dagger_mul(place_t a, place_t b, place_t c)
{
    link_t product = places_mul(a, b);
    return link_dagger_mul(product, link_from(c));
}
#endif

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
