/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * orbits.h: kernels of closed loops of any shape, each a list of steps from a site: mu + 1 leads up, -(mu + 1) down.
 */

/* A product of links, and how it changes where every U_mu(x) becomes exp(eps F_mu(x)) U_mu(x). */
typedef struct {
    matrix_t value, change;
} moving_t;

/* The links of a loop, and F in the algebra, at a site. */
REAL_INLINE matrix_t direction_at(const lat_tables *t, const void *direction, int64_t x, int lane, int mu, scalar sign)
{
    real f[ALGEBRA_REALS];
    const scalar *from = (const scalar *)direction + (x * t->dim + mu) * ALGEBRA_REALS * t->lanes + lane;
    for (int a = 0; a < ALGEBRA_REALS; a++) f[a] = sign * real_load(from + a * t->lanes);
    return algebra_matrix(f);
}

/* The product one step longer: d(P U) = (dP + P F) U, and d(P U^+) = dP U^+ - P U^+ F.  first: P is 1. */
REAL_INLINE moving_t move_on(const lat_tables *t, const void *u, const void *direction, int64_t *site, int lane,
                             int step, bool first, moving_t p)
{
    const bool up = step > 0;
    const int mu = up ? step - 1 : -step - 1;
    if (!up) *site = t->down[mu][*site];
    link_t link = link_at(t, u, t->dim, *site, lane, mu);
    matrix_t f = direction_at(t, direction, *site, lane, mu, up ? 1 : -1);
    if (up) {
        p.change = first ? f : matrix_add(p.change, matrix_mul(p.value, f));
        p.value = first ? link_matrix(link) : matrix_link_mul(p.value, link);
        p.change = matrix_link_mul(p.change, link);
        *site = t->up[mu][*site];
    } else {
        link = link_dagger(link);
        matrix_t before = p.change;
        p.value = first ? link_matrix(link) : matrix_link_mul(p.value, link);
        p.change = matrix_mul(p.value, f);
        if (!first) p.change = matrix_add(p.change, matrix_link_mul(before, link));
    }
    return p;
}

/* density(x) = the sums of Re tr L / N, and of its changes, over loops from the site */
KERNEL(orbit_sum)
{
    real value = real_of(0), change = real_of(0);
    for (int i = 0; i < k->loops; i++) {
        const int *step = k->step + i * k->length;
        int64_t x = site;
        moving_t p = {matrix_zero(), matrix_zero()};
        for (int j = 0; j < k->length; j++) p = move_on(&k->t, k->u, k->direction, &x, lane, step[j], j == 0, p);
        value += matrix_trace(p.value);
        change += matrix_trace(p.change);
    }
    PUT_DOUBLE(k->density, 2, 0, value);
    PUT_DOUBLE(k->density, 2, 1, change);
}
COST(orbit_sum, k->loops * 3 * (k->length - 1) * PRODUCT_FLOPS, k->t.dim *(LINK_REALS + ALGEBRA_REALS), 2)

/* weight of the slice that lies `shift` above that of the site, lane by lane */
REAL_INLINE real slice_weight(const lat_tables *t, const double *weight, int64_t site, int lane, int shift)
{
    const int last = t->dim - 1;
    int64_t slice = 1;
    for (int mu = 0; mu < last; mu++) slice *= t->size[mu];
    real out = real_of(0);
    for (int l = 0; l < REAL_LANES; l++) {
        int64_t time = (t->site_index[site] + t->lane_index[lane + l]) / slice + shift;
        real_set_lane(&out, l, (scalar)weight[(time + t->size[last]) % t->size[last]]);
    }
    return out;
}

/* force^a_mu(x) += d^a sum weight Re tr L / N over loops through the link; each is listed by what begins with the link, and the slice that
 * has its weight. */
KERNEL(orbit_gradient)
{
    real sum[4][ALGEBRA_REALS], part[ALGEBRA_REALS];
    for (int mu = 0; mu < k->t.dim; mu++)
        for (int a = 0; a < ALGEBRA_REALS; a++) sum[mu][a] = real_of(0);
    for (int i = 0; i < k->loops; i++) {
        const int *step = k->step + i * k->length;
        real weight = (scalar)(1.0 / GROUP_N) * slice_weight(&k->t, k->weight, site, lane, k->shift[i]);
        matrix_generators(link_matrix(path_at(&k->t, k->u, site, lane, step, k->length)), part);
        for (int a = 0; a < ALGEBRA_REALS; a++) sum[step[0] - 1][a] += weight * part[a];
    }
    for (int mu = 0; mu < k->t.dim; mu++) add_force(&k->t, k->force, site, lane, mu, real_of(1), sum[mu]);
}
COST(orbit_gradient, k->loops *((k->length - 1) * PRODUCT_FLOPS + GENERATORS_FLOPS + 2 * ALGEBRA_REALS),
     k->t.dim *(LINK_REALS + 2 * ALGEBRA_REALS), 0)
