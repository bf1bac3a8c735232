/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rectangle.h: kernels of the loops of 2 x 1 links, R_mn(x) = U_m(x) U_m(x+m) U_n(x+2m) [U_n(x) U_m(x+n) U_m(x+m+n)]^+ for every
 * ordered pair of directions.  They reach sites two steps away.  couplings: of every link, or NULL where all are 1.
 */

/* The sum of the paths of five links from x to x + mu that make rectangles of the plane with U_mu(x): above the link,
 * those that widen the path x, x + nu, x + nu + mu, x + mu to the right, to the left and to the top; below likewise. */
REAL_INLINE matrix_t rectangle_paths(const lat_tables *t, const void *u, const double *c, int64_t site, int lane,
                                     int mu, int nu)
{
    int64_t ahead = t->up[mu][site], behind = t->down[mu][site], above = t->up[nu][site], below = t->down[nu][site];
    path_t right, left, far, out, back;
    path_t near = path_at(t, u, c, ahead, lane, mu), last = path_at(t, u, c, behind, lane, mu);

    path_t along = path_at(t, u, c, above, lane, mu), beside = path_at(t, u, c, t->up[mu][above], lane, mu);
    path_t first = path_at(t, u, c, site, lane, nu), second = path_at(t, u, c, ahead, lane, nu);
    right = path_mul_dagger(path_mul(near, path_at(t, u, c, t->up[mu][ahead], lane, nu)), beside);
    left = path_mul(path_dagger_mul(last, path_at(t, u, c, behind, lane, nu)),
                    path_at(t, u, c, t->down[mu][above], lane, mu));
    far = path_mul(path_at(t, u, c, above, lane, nu), path_at(t, u, c, t->up[nu][above], lane, mu));
    far = path_mul_dagger(far, path_at(t, u, c, t->up[mu][above], lane, nu));
    out = path_mul(first, along);
    back = path_mul_dagger(along, second);
    matrix_t sum = matrix_add(path_matrix(path_mul_dagger(out, right)), path_matrix(path_mul(left, back)));
    sum = matrix_add(sum, path_matrix(path_mul_dagger(path_mul(first, far), second)));

    int64_t beyond = t->up[mu][below], before = t->down[mu][below], deep = t->down[nu][below];
    along = path_at(t, u, c, below, lane, mu), beside = path_at(t, u, c, beyond, lane, mu);
    first = path_at(t, u, c, below, lane, nu), second = path_at(t, u, c, beyond, lane, nu);
    right = path_mul_dagger(path_mul_dagger(near, path_at(t, u, c, t->up[mu][beyond], lane, nu)), beside);
    left = path_dagger_mul(path_mul(path_at(t, u, c, before, lane, nu), last), path_at(t, u, c, before, lane, mu));
    far = path_dagger_mul(path_at(t, u, c, deep, lane, nu), path_at(t, u, c, deep, lane, mu));
    far = path_mul(far, path_at(t, u, c, t->up[mu][deep], lane, nu));
    out = path_dagger_mul(first, along);
    back = path_mul(along, second);
    sum = matrix_add(sum, matrix_add(path_matrix(path_mul_dagger(out, right)), path_matrix(path_mul(left, back))));
    return matrix_add(sum, path_matrix(path_mul(path_dagger_mul(first, far), second)));
}

REAL_INLINE path_t rectangle_at(const lat_tables *t, const void *u, const double *c, int64_t site, int lane, int mu,
                                int nu)
{
    int64_t ahead = t->up[mu][site], above = t->up[nu][site];
    path_t there = path_mul(path_at(t, u, c, site, lane, mu), path_at(t, u, c, ahead, lane, mu));
    there = path_mul(there, path_at(t, u, c, t->up[mu][ahead], lane, nu));
    path_t back = path_mul(path_at(t, u, c, site, lane, nu), path_at(t, u, c, above, lane, mu));
    return path_mul_dagger(there, path_mul(back, path_at(t, u, c, t->up[mu][above], lane, mu)));
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

REAL_INLINE void rectangle_forces(const lat_tables *t, const void *u, const double *couplings, int64_t site, int lane,
                                  scalar weight, void *force)
{
    for (int mu = 0; mu < t->dim; mu++) {
        real out[ALGEBRA_REALS];
        matrix_t sum = matrix_zero();
        for (int nu = 0; nu < t->dim; nu++)
            if (nu != mu) sum = matrix_add(sum, rectangle_paths(t, u, couplings, site, lane, mu, nu));
        path_t own = path_at(t, u, couplings, site, lane, mu);
        matrix_generators(link_mul_matrix_dagger(own.u, sum), out);
        add_force(t, force, site, lane, mu, own.c * weight, out);
    }
}

/* force^a_mu(x) += weight d^a sum_R c_R Re tr R, the sum over rectangles through the link */
KERNEL(rectangle_force)
{
    if (k->couplings)
        rectangle_forces(&k->t, k->u, k->couplings, site, lane, (scalar)k->weight, k->force);
    else
        rectangle_forces(&k->t, k->u, NULL, site, lane, (scalar)k->weight, k->force);
}
