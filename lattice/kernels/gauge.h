/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gauge.h: kernels on gauge fields, for every group.
 */

#define PLANES (k->t.dim * (k->t.dim - 1) / 2) /* at a site, for costs */

/* P_mn(x) */
REAL_INLINE link_t plaquette_at(const lat_tables *t, const void *u, int64_t site, int lane, int mu, int nu)
{
    int dim = t->dim;
    place_t along = place_at(t, u, dim, site, lane, mu), side = place_at(t, u, dim, site, lane, nu);
    link_t there, back;
    places_mul_to(along, place_at(t, u, dim, t->up[mu][site], lane, nu), (scalar *)&there, REAL_LANES);
    places_mul_to(side, place_at(t, u, dim, t->up[nu][site], lane, mu), (scalar *)&back, REAL_LANES);
    return places_mul(place_of(&there), place_dagger(place_of(&back)));
}

/* The paths of three links from the end of U_mu(x), by way of x + nu or x - nu, to its beginning. */
REAL_INLINE link_t path_above(const lat_tables *t, const void *u, int64_t site, int lane, int mu, int nu)
{
    int dim = t->dim;
    place_t up = place_at(t, u, dim, t->up[mu][site], lane, nu), back = place_at(t, u, dim, t->up[nu][site], lane, mu);
    return places_mul_twice(up, place_dagger(back), place_dagger(place_at(t, u, dim, site, lane, nu)));
}
REAL_INLINE link_t path_below(const lat_tables *t, const void *u, int64_t site, int lane, int mu, int nu)
{
    int dim = t->dim;
    int64_t below = t->down[nu][site], beyond = t->up[mu][below];
    place_t along = place_at(t, u, dim, below, lane, mu), up = place_at(t, u, dim, beyond, lane, nu);
    return places_mul_dagger_mul(along, up, place_at(t, u, dim, below, lane, nu));
}

/* Sum A of the open plaquettes at the link: Re tr(U_mu(x) A) sums the plaquettes that contain the link. */
REAL_INLINE matrix_t staple_at(const lat_tables *t, const void *u, int64_t site, int lane, int mu)
{
    matrix_t sum = matrix_zero();
    for (int nu = 0; nu < t->dim; nu++) {
        if (nu == mu) continue;
        link_t up = path_above(t, u, site, lane, mu, nu), down = path_below(t, u, site, lane, mu, nu);
        sum = matrix_add(sum, matrix_add(link_matrix(up), link_matrix(down)));
    }
    return sum;
}

/* density(x) += sum_{m<n} (constant + weight Re tr P_mn(x) / N) */
KERNEL(plaquette_sum)
{
    real sum = real_of(0);
    for (int mu = 0; mu < k->t.dim; mu++)
        for (int nu = mu + 1; nu < k->t.dim; nu++) {
            real re, im;
            link_trace(plaquette_at(&k->t, k->u, site, lane, mu, nu), &re, &im);
            sum += (scalar)k->constant + (scalar)k->weight * re;
        }
    ADD_DOUBLE(k->density, 1, 0, sum);
}
COST(plaquette_sum, PLANES * (3 * PRODUCT_FLOPS + TRACE_FLOPS + 2), k->t.dim * LINK_REALS, 2)

/* Where a link of the site after x is: sites are visited in ascending order, so what a neighbour lends now, the neighbour's
 * successor lends next, and is brought near the processor meanwhile. */
REAL_INLINE const scalar *next_link(const lat_tables *t, const void *field, int64_t x, int lane, int mu)
{
    return (const scalar *)field + ((x + 1) * t->dim + mu) * LINK_REALS * t->lanes + lane;
}
REAL_INLINE void fetch_next(const lat_tables *t, const void *field, int64_t x, int lane, int mu)
{
    const scalar *next = next_link(t, field, x, lane, mu);
    const int step = t->lanes == REAL_LANES ? REAL_LINE : 1;
    REAL_UNROLL
    for (int c = 0; c < LINK_REALS; c += step) real_prefetch(next + c * t->lanes);
}

/* U_mu(x) U_nu(x+mu) */
REAL_INLINE void corner_at(const lat_tables *t, const void *u, int64_t x, int lane, int mu, int nu, link_t *out)
{
    int64_t ahead = t->up[mu][x];
    place_t first = place_at(t, u, t->dim, x, lane, mu), second = place_at(t, u, t->dim, ahead, lane, nu);
    places_mul_fetching(first, second, place_at(t, u, t->dim, ahead + 1, lane, nu), out);
}

/* The slot of a site, or of the site below it, in direction nu; negative: there is none. */
REAL_INLINE int64_t path_slot(const lat_tables *t, int64_t site, int lane, int nu)
{
    if (!t->paths || t->paths->slots[nu] == 0) return -1;
    return site % t->paths->slots[nu] * (t->lanes / REAL_LANES) + lane / REAL_LANES;
}
REAL_INLINE scalar *path_in(const lat_tables *t, int64_t slot, int mu, int nu)
{
    return (scalar *)t->paths->path[nu] + (slot * (t->dim - 1) + mu - (mu > nu)) * LINK_REALS * REAL_LANES;
}

/* Sum over nu of the paths of three links that end where U_mu(x) ends and pass below it: those that the sites below have
 * left in the slots of this site, or else from their links. */
REAL_INLINE matrix_t paths_below(const lat_tables *t, const void *u, int64_t site, int lane, int mu, const int64_t slot[4])
{
    matrix_t sum = matrix_zero();
    for (int nu = 0; nu < t->dim; nu++) {
        if (nu == mu) continue;
        int64_t below = t->down[nu][site];
        if (slot[nu] >= 0 && t->paths->site[nu][slot[nu]] == below) {
            sum = matrix_add(sum, link_matrix(link_load(path_in(t, slot[nu], mu, nu), REAL_LANES)));
        } else {
            if (nu > 1) fetch_next(t, u, below, lane, mu); /* rows of sites next to this one are still there */
            link_t corner;
            corner_at(t, u, below, lane, mu, nu, &corner);
            link_t path = places_mul(place_dagger(place_at(t, u, t->dim, below, lane, nu)), place_of(&corner));
            sum = matrix_add(sum, link_matrix(path));
        }
    }
    return sum;
}

/* Takes the slots of a site for what it leaves to the site above, or marks them as empty if that does not come later. */
REAL_INLINE void take_slots(const lat_tables *t, int64_t site, int64_t slot[4])
{
    for (int nu = 0; nu < t->dim; nu++) {
        int64_t above = t->up[nu][site];
        bool later = slot[nu] >= 0 && above > site && above < t->paths->sites;
        if (slot[nu] >= 0) t->paths->site[nu][slot[nu]] = later ? site : -1;
        if (!later) slot[nu] = -1;
    }
}

/* U_nu(x)^+ times the half of a plaquette, to a slot */
REAL_INLINE void leave_path(const lat_tables *t, const void *u, int64_t site, int lane, int nu, const link_t *half,
                            scalar *slot)
{
    places_mul_to(place_dagger(place_at(t, u, t->dim, site, lane, nu)), place_of(half), slot, REAL_LANES);
}

/* d^a of the sum of Re tr P over the plaquettes that contain U_mu(x).  P_mn(x) begins with U_m(x) and its adjoint with
 * U_n(x): it is computed once for both, and its halves are those of the paths below the links opposite.  (U(1) keeps the
 * staple, which needs no product of matrices.) */
REAL_INLINE void plaquette_derivatives(const lat_tables *t, const void *u, int64_t site, int lane,
                                       real out[4][ALGEBRA_REALS])
{
    int64_t slot[4];
    for (int nu = 0; nu < t->dim; nu++) slot[nu] = path_slot(t, site, lane, nu);
    for (int mu = 0; mu < t->dim; mu++) {
        if (GROUP_N == 1) {
            matrix_t staple = staple_at(t, u, site, lane, mu);
            matrix_generators(link_matrix_mul(link_at(t, u, t->dim, site, lane, mu), staple), out[mu]);
        } else {
            matrix_t below = paths_below(t, u, site, lane, mu, slot);
            place_t own = place_at(t, u, t->dim, site, lane, mu);
            matrix_generators(link_matrix(places_mul(own, place_dagger(place_of(&below)))), out[mu]);
        }
    }
    if (GROUP_N == 1) return;
    take_slots(t, site, slot);
    for (int mu = 0; mu < t->dim; mu++)
        for (int nu = mu + 1; nu < t->dim; nu++) {
            real part[ALGEBRA_REALS];
            link_t there, back;
            corner_at(t, u, site, lane, mu, nu, &there);
            corner_at(t, u, site, lane, nu, mu, &back);
            matrix_generators(link_matrix(places_mul(place_of(&there), place_dagger(place_of(&back)))), part);
            for (int a = 0; a < ALGEBRA_REALS; a++) {
                out[mu][a] += part[a];
                out[nu][a] -= part[a];
            }
            if (slot[nu] >= 0) leave_path(t, u, site, lane, nu, &there, path_in(t, slot[nu], mu, nu));
            if (slot[mu] >= 0) leave_path(t, u, site, lane, mu, &back, path_in(t, slot[mu], nu, mu));
        }
}

/* force^a_mu(x) += weight d^a sum_P Re tr P, the sum over plaquettes through the link */
HOT_KERNEL(plaquette_force)
{
    real force[4][ALGEBRA_REALS];
    int dim = k->t.dim;
    plaquette_derivatives(&k->t, k->u, site, lane, force);
    for (int mu = 0; mu < dim; mu++)
        for (int a = 0; a < ALGEBRA_REALS; a++) {
            int c = mu * ALGEBRA_REALS + a;
            PUT(k->force, dim * ALGEBRA_REALS, c,
                GET(k->force, dim * ALGEBRA_REALS, c) + (scalar)k->weight * force[mu][a]);
        }
}
COST(plaquette_force, PLANES * 8 * PRODUCT_FLOPS + k->t.dim * (PRODUCT_FLOPS + GENERATORS_FLOPS + 2 * ALGEBRA_REALS), k->t.dim * (LINK_REALS + 2 * ALGEBRA_REALS), 0)

KERNEL(exp_update)
{
    for (int mu = 0; mu < k->t.dim; mu++) {
        real step[ALGEBRA_REALS];
        for (int a = 0; a < ALGEBRA_REALS; a++)
            step[a] = (scalar)k->step * GET(k->algebra, k->t.dim * ALGEBRA_REALS, mu * ALGEBRA_REALS + a);
        PUT_LINK(k->u, mu, link_clean(link_mul(link_exp(step), LINK(k->u, site, mu))));
    }
}
COST(exp_update, k->t.dim * (ALGEBRA_REALS + EXP_FLOPS + PRODUCT_FLOPS + CLEAN_FLOPS), k->t.dim * (2 * LINK_REALS + ALGEBRA_REALS), 0)

KERNEL(gauge_transform)
{
    for (int mu = 0; mu < k->t.dim; mu++) {
        link_t turned = link_mul_dagger(link_mul(ELEMENT(k->g, site), LINK(k->u, site, mu)), ELEMENT(k->g, k->t.up[mu][site]));
        PUT_LINK(k->u, mu, link_clean(turned));
    }
}
COST(gauge_transform, k->t.dim * (2 * PRODUCT_FLOPS + CLEAN_FLOPS), (2 * k->t.dim + 1) * LINK_REALS, 0)

/* The links of a site share calls for four deviates: deviate n is the (n mod 4)-th of call n / 4. */
KERNEL(haar)
{
    real u[4], own[HAAR_REALS];
    for (int mu = 0; mu < k->links; mu++) {
        for (int i = 0; i < HAAR_REALS; i++) {
            int n = mu * HAAR_REALS + i;
            if (n % 4 == 0) real_uniform4(&k->t, &k->key, site, lane, 0, (uint64_t)(n / 4), u);
            own[i] = u[n % 4];
        }
        put_link_at(&k->t, k->u, k->links, site, lane, mu, link_haar(own));
    }
}
COST(haar, k->links * HAAR_REALS * (RANDOM_FLOPS + 4), k->links * LINK_REALS, 0)

/* out(x) = U_mu(x) in(x+mu): a line of links one longer; in NULL: U_mu(x) */
HOT_KERNEL(extend_line)
{
    scalar *out = (scalar *)k->out + site * LINK_REALS * k->t.lanes + lane;
    if (k->in)
        places_mul_to(PLACE(k->u, site, k->mu), ELEMENT_PLACE(k->in, k->t.up[k->mu][site]), out, k->t.lanes);
    else
        link_store(out, k->t.lanes, LINK(k->u, site, k->mu));
}
COST(extend_line, k->in ? PRODUCT_FLOPS : 0, (k->in ? 3 : 2) * LINK_REALS, 0)

/* out(x) = in(x+mu) */
KERNEL(shift) { PUT_ELEMENT(k->out, ELEMENT(k->in, k->t.up[k->mu][site])); }
COST(shift, 0, 2 * LINK_REALS, 0)

/* density(x) += Re tr a b (d c)^+ / N: the four sides of a loop, all brought to its corner */
KERNEL(loop_trace)
{
    real re, im;
    link_t there = link_mul(ELEMENT(k->a, site), ELEMENT(k->b, site));
    link_t back = link_mul(ELEMENT(k->d, site), ELEMENT(k->c, site));
    link_trace(link_mul_dagger(there, back), &re, &im);
    ADD_DOUBLE(k->density, 1, 0, re);
}
COST(loop_trace, 3 * PRODUCT_FLOPS + TRACE_FLOPS + 1, 4 * LINK_REALS, 2)

/* re(x) = Re tr a / N, im(x) = Im tr a / N */
KERNEL(trace)
{
    real re, im;
    link_trace(ELEMENT(k->a, site), &re, &im);
    PUT_DOUBLE(k->re, 1, 0, re);
    PUT_DOUBLE(k->im, 1, 0, im);
}
COST(trace, TRACE_FLOPS, LINK_REALS, 2)
