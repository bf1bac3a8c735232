/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rectangle.h: kernels of the loops of 2 x 1 links, R_mn(x) = U_m(x) U_m(x+m) U_n(x+2m) [U_n(x) U_m(x+n) U_m(x+m+n)]^+ for every
 * ordered pair of directions.  They reach sites two steps away.  couplings: of every link, or NULL where all are 1.
 */

/* The link from x to x + nu or x - nu. */
REAL_INLINE path_t step_from(const lat_tables *t, const void *u, const double *c, int64_t x, int lane, int nu, bool up)
{
    path_t link = weighted_path_at(t, u, c, up ? x : t->down[nu][x], lane, nu);
    return up ? link : path_dagger(link);
}
/* a b, while the link of such a step from the site after x is brought near the processor: what is two steps off comes from far. */
REAL_INLINE path_t mul_and_fetch(const lat_tables *t, const void *u, path_t a, path_t b, int64_t x, int lane, int nu, bool up)
{
    const scalar *next = next_link(t, u, up ? x : t->down[nu][x], lane, nu);
    return (path_t){link_mul_fetching(a.u, b.u, next, t->lanes), a.c * b.c};
}

/* The sum of the paths of five links from x to x + mu that make rectangles of the plane with U_mu(x), above it or below: those that
 * widen the path x, x +- nu, x +- nu + mu, x + mu to the right, to the left and away from the link. */
REAL_INLINE matrix_t rectangle_paths(const lat_tables *t, const void *u, const double *c, int64_t site, int lane,
                                     int mu, int nu, bool up)
{
    const int64_t *next = up ? t->up[nu] : t->down[nu];
    int64_t ahead = t->up[mu][site], behind = t->down[mu][site], beside = next[site], across = t->up[mu][beside];
    int64_t two = t->up[mu][ahead], back = t->down[mu][beside];
    path_t first = step_from(t, u, c, site, lane, nu, up), along = weighted_path_at(t, u, c, beside, lane, mu);
    path_t second = step_from(t, u, c, ahead, lane, nu, up);

    path_t step = step_from(t, u, c, two, lane, nu, up), edge = path_dagger(weighted_path_at(t, u, c, across, lane, mu));
    path_t right = mul_and_fetch(t, u, weighted_path_at(t, u, c, ahead, lane, mu), step, two, lane, nu, up);
    right = mul_and_fetch(t, u, right, edge, across, lane, mu, true);
    matrix_t sum = path_matrix(path_mul_dagger(path_mul(first, along), right));

    step = step_from(t, u, c, behind, lane, nu, up), edge = weighted_path_at(t, u, c, back, lane, mu);
    path_t left = mul_and_fetch(t, u, path_dagger(weighted_path_at(t, u, c, behind, lane, mu)), step, behind, lane, nu, up);
    left = mul_and_fetch(t, u, left, edge, back, lane, mu, true);
    sum = matrix_add(sum, path_matrix(path_mul(left, path_mul_dagger(along, second))));

    step = step_from(t, u, c, beside, lane, nu, up), edge = weighted_path_at(t, u, c, next[beside], lane, mu);
    path_t far = mul_and_fetch(t, u, step, edge, next[beside], lane, mu, true);
    step = path_dagger(step_from(t, u, c, across, lane, nu, up));
    far = mul_and_fetch(t, u, path_mul(first, far), step, across, lane, nu, up);
    return matrix_add(sum, path_matrix(path_mul_dagger(far, second)));
}

REAL_INLINE path_t rectangle_at(const lat_tables *t, const void *u, const double *c, int64_t site, int lane, int mu,
                                int nu)
{
    int64_t ahead = t->up[mu][site], above = t->up[nu][site];
    path_t there = path_mul(weighted_path_at(t, u, c, site, lane, mu), weighted_path_at(t, u, c, ahead, lane, mu));
    there = path_mul(there, weighted_path_at(t, u, c, t->up[mu][ahead], lane, nu));
    path_t back = path_mul(weighted_path_at(t, u, c, site, lane, nu), weighted_path_at(t, u, c, above, lane, mu));
    return path_mul_dagger(there, path_mul(back, weighted_path_at(t, u, c, t->up[mu][above], lane, mu)));
}

REAL_INLINE real rectangle_density(const lat_tables *t, const void *u, const double *couplings, int64_t site, int lane,
                                   scalar constant, scalar weight)
{
    real sum = real_of(0);
    for (int mu = 0; mu < t->dim; mu++)
        for (int nu = 0; nu < t->dim; nu++) {
            real re, im;
            if (nu == mu) continue;
            path_t r = rectangle_at(t, u, couplings, site, lane, mu, nu);
            link_trace(r.u, &re, &im);
            sum += r.c * (constant + weight * re);
        }
    return sum;
}

/* density(x) += sum_{m, n} c_R (constant + weight Re tr R_mn(x) / N) */
KERNEL(rectangle_sum)
{
    scalar constant = (scalar)k->constant, weight = (scalar)k->weight;
    real sum = k->couplings ? rectangle_density(&k->t, k->u, k->couplings, site, lane, constant, weight)
                            : rectangle_density(&k->t, k->u, NULL, site, lane, constant, weight);
    ADD_DOUBLE(k->density, 1, 0, sum);
}
COST(rectangle_sum, 2 * PLANES * (5 * PRODUCT_FLOPS + TRACE_FLOPS + 2), k->t.dim * LINK_REALS, (k->couplings ? k->t.dim : 0) + 2)

REAL_INLINE void rectangle_forces(const lat_tables *t, const void *u, const double *couplings, int64_t site, int lane,
                                  scalar weight, void *force)
{
    for (int mu = 0; mu < t->dim; mu++) {
        real out[ALGEBRA_REALS];
        matrix_t sum = matrix_zero();
        for (int nu = 0; nu < t->dim; nu++) {
            if (nu == mu) continue;
            sum = matrix_add(sum, rectangle_paths(t, u, couplings, site, lane, mu, nu, false));
            sum = matrix_add(sum, rectangle_paths(t, u, couplings, site, lane, mu, nu, true));
        }
        path_t own = weighted_path_at(t, u, couplings, site, lane, mu);
        matrix_generators(link_mul_matrix_dagger(own.u, sum), out);
        add_force(t, force, site, lane, mu, own.c * weight, out);
    }
}

/* force^a_mu(x) += weight d^a sum_R c_R Re tr R, the sum over rectangles through the link */
HOT_KERNEL(rectangle_force)
{
    if (k->couplings)
        rectangle_forces(&k->t, k->u, k->couplings, site, lane, (scalar)k->weight, k->force);
    else
        rectangle_forces(&k->t, k->u, NULL, site, lane, (scalar)k->weight, k->force);
}
COST(rectangle_force, k->t.dim * (2 * (k->t.dim - 1) * (12 * PRODUCT_FLOPS + 3 * ADD_FLOPS) + PRODUCT_FLOPS + GENERATORS_FLOPS + 2 * ALGEBRA_REALS), k->t.dim * (LINK_REALS + 2 * ALGEBRA_REALS), k->couplings ? k->t.dim : 0)
