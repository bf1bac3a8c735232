/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * linear.h: kernels on fields of plain numbers.
 */

/* y += a x */
KERNEL(axpy)
{
    for (int c = 0; c < k->components; c++)
        PUT(k->y, k->components, c, GET(k->y, k->components, c) + (scalar)k->a * GET(k->x, k->components, c));
}
COST(axpy, 2 * k->components, 3 * k->components, 0)

/* to(target(i)) = from(source(i)) for the i of the range, as many components as are asked for, or sums of two; target NULL: i itself.
 * Lane l comes from lane[l], and stays as it is where that is negative.  stream: past the caches. */
PREPARED_KERNEL(halo_copy, lane_order, real_order(k->lane + lane))
{
    const scalar *from = (const scalar *)k->from + k->source[site] * k->from_components * k->t.lanes;
    scalar *to = (scalar *)k->to + (k->target ? k->target[site] : site) * k->to_components * k->t.lanes + lane;
    const int lanes = k->t.lanes;
    if (!k->pair) {
        for (int c = 0; c < k->components; c++) real_permute(prepared, from + c * lanes, to + c * lanes, k->stream);
        return;
    }
    for (int c = 0; c < k->components; c++, from += lanes, to += lanes) {
        real x = real_take(prepared, from) + (scalar)k->pair[c].factor * real_take(prepared, from + k->pair[c].further * lanes);
        real_give(prepared, x, to, k->stream);
    }
}
COST(halo_copy, (k->pair ? 1 : 0) * k->components, (k->pair ? 3 : 2) * k->components, 0)

/* to = from in the lanes where choose is not zero */
KERNEL(select)
{
    for (int l = 0; l < REAL_LANES; l++) {
        if (k->choose[lane + l] == 0) continue;
        for (int c = 0; c < k->components; c++) {
            int64_t i = (site * k->components + c) * k->t.lanes + lane + l;
            ((scalar *)k->to)[i] = ((const scalar *)k->from)[i];
        }
    }
}
COST(select, 0, 2 * k->components, 0)

/* Between fields of double and of float, whatever the precision of the kernels: a lattice that is laid out for double has no
 * whole vectors of float. */
KERNEL(to_float)
{
    for (int c = 0; c < k->components; c++) {
        const double *from = AT((const double *)k->from, k->components, site, c);
        float *to = AT((float *)k->to, k->components, site, c);
        for (int l = 0; l < REAL_LANES; l++) to[l] = (float)from[l];
    }
}
COST(to_float, 0, 0, 1.5 * k->components)
KERNEL(to_double)
{
    for (int c = 0; c < k->components; c++) {
        const float *from = AT((const float *)k->from, k->components, site, c);
        double *to = AT((double *)k->to, k->components, site, c);
        for (int l = 0; l < REAL_LANES; l++) to[l] = (double)from[l];
    }
}
COST(to_double, 0, 0, 1.5 * k->components)

/* Every lane has its own factor. */
KERNEL(scale_lanes)
{
    for (int c = 0; c < k->components; c++) {
        scalar *row = AT((scalar *)k->field, k->components, site, c);
        for (int l = 0; l < REAL_LANES; l++) row[l] *= (scalar)k->factor[lane + l];
    }
}
COST(scale_lanes, k->components, 2 * k->components, 0)

/* density(x) += 1/2 sum_c p_c(x)^2 */
KERNEL(half_square)
{
    real sum = real_of(0);
    for (int c = 0; c < k->components; c++) sum += GET(k->p, k->components, c) * GET(k->p, k->components, c);
    ADD_DOUBLE(k->density, 1, 0, (scalar)0.5 * sum);
}
COST(half_square, 2 * k->components, k->components, 2)

/* density(x) += sum_c (factor (p_c(x) - before_c(x)))^2 */
KERNEL(change_square)
{
    real sum = real_of(0);
    for (int c = 0; c < k->components; c++) {
        real change = (scalar)k->factor * (GET(k->p, k->components, c) - GET(k->before, k->components, c));
        sum += change * change;
    }
    ADD_DOUBLE(k->density, 1, 0, sum);
}
COST(change_square, 4 * k->components, 2 * k->components, 2)

/* Box-Muller: four uniform deviates give four Gaussians, the components c, c + 1, c + 2, c + 3, keyed as direction c. */
KERNEL(gaussian)
{
    for (int c = 0; c < k->components; c += 4) {
        real u[4], normal[4];
        real_uniform4(&k->t, &k->key, site, lane, (uint32_t)c, 0, u);
        for (int i = 0; i < 4; i += 2) {
            real sine, cosine, radius = real_sqrt((scalar)-2 * real_log(u[i]));
            real_sincos((2 * u[i + 1] - 1) * REAL_PI, &sine, &cosine);
            normal[i] = radius * cosine;
            normal[i + 1] = radius * sine;
        }
        for (int i = 0; i < 4 && c + i < k->components; i++) PUT(k->p, k->components, c + i, normal[i]);
    }
}
COST(gaussian, (RANDOM_FLOPS + 4) * k->components, k->components, 0)
