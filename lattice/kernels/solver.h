/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * solver.h: kernels of solvers of linear equations: vectors are fields of plain numbers, coefficients one double for
 * each lane.
 */

/* One number for each lane */
REAL_INLINE real real_of_lanes(const double *number, int lane)
{
    real x = real_of(0);
    for (int l = 0; l < REAL_LANES; l++) real_set_lane(&x, l, (scalar)number[lane + l]);
    return x;
}

/* density = scale sum in whole units of 2^-76, as those lat_sum adds up fast; below 2^-24 a double may be finer.  With a
 * scale that makes densities about 1, which is exact if it is a power of two, nothing is lost that counts. */
REAL_INLINE void put_term(double *density, real sum, const double *scale)
{
    const double shift = 12582912 / 70368744177664.0; /* 1.5 2^-23: doubles near it are multiples of 2^-75 */
    const double most = 1 / 16777216.0;
    for (int l = 0; l < REAL_LANES; l++) {
        double term = scale[l] * (double)real_lane(sum, l), whole = (term + shift) - shift;
        density[l] = term < most && term > -most ? whole : term;
    }
}
#define PUT_TERM(field, sum) put_term(AT(field, 1, site, 0), sum, k->scale + lane)

/* density = |w|^2 + shift |p|^2 = p^+ A p, with w = D p and A = D^+ D + shift */
FETCHING_KERNEL(cg_curvature)
{
    fetch_near(&k->t, k->w, k->components, next, lane, 0, k->components);
    real sum = real_of(0), more = real_of(0);
    for (int c = 0; c < k->components; c++) sum += GET(k->w, k->components, c) * GET(k->w, k->components, c);
    for (int c = 0; k->shift != 0 && c < k->components; c++)
        more += GET(k->p, k->components, c) * GET(k->p, k->components, c);
    PUT_TERM(k->density, sum + (scalar)k->shift * more);
}
COST(cg_curvature, (k->shift != 0 ? 4 : 2) * k->components, (k->shift != 0 ? 2 : 1) * k->components, 1)

/* r -= alpha (q + shift p), density = |r|^2 */
FETCHING_KERNEL(cg_residue)
{
    fetch_near(&k->t, k->q, k->components, next, lane, 0, k->components);
    fetch_near(&k->t, k->r, k->components, next, lane, 0, k->components);
    real alpha = real_of_lanes(k->alpha, lane), sum = real_of(0);
    for (int c = 0; c < k->components; c++) {
        real q = GET(k->q, k->components, c);
        if (k->shift != 0) q += (scalar)k->shift * GET(k->p, k->components, c);
        real r = GET(k->r, k->components, c) - alpha * q;
        PUT(k->r, k->components, c, r);
        sum += r * r;
    }
    PUT_TERM(k->density, sum);
}
COST(cg_residue, (k->shift != 0 ? 6 : 4) * k->components, (k->shift != 0 ? 4 : 3) * k->components, 1)

/* One for each lane; NULL: 1 */
REAL_INLINE real lane_coefficients(const double *of_lanes, int lane)
{
    return of_lanes ? real_of_lanes(of_lanes, lane) : real_of(1);
}

/* x += alpha p, p = zeta r + beta p */
FETCHING_KERNEL(cg_direction)
{
    fetch_near(&k->t, k->p, k->components, next, lane, 0, k->components);
    fetch_near(&k->t, k->x, k->components, next, lane, 0, k->components);
    fetch_near(&k->t, k->r, k->components, next, lane, 0, k->components);
    real alpha = real_of_lanes(k->alpha, lane), beta = real_of_lanes(k->beta, lane),
         zeta = lane_coefficients(k->zeta, lane);
    for (int c = 0; c < k->components; c++) {
        real p = GET(k->p, k->components, c);
        PUT(k->x, k->components, c, GET(k->x, k->components, c) + alpha * p);
        PUT(k->p, k->components, c, zeta * GET(k->r, k->components, c) + beta * p);
    }
}
COST(cg_direction, 5 * k->components, 5 * k->components, 0)

/* y += a x of complex numbers */
KERNEL(complex_axpy)
{
    real re = real_of_lanes(k->re, lane), im = real_of_lanes(k->im, lane);
    for (int c = 0; c < k->components; c += 2) {
        real a = GET(k->x, k->components, c), b = GET(k->x, k->components, c + 1);
        PUT(k->y, k->components, c, GET(k->y, k->components, c) + (re * a - im * b));
        PUT(k->y, k->components, c + 1, GET(k->y, k->components, c + 1) + (re * b + im * a));
    }
}
COST(complex_axpy, 4 * k->components, 3 * k->components, 0)

/* y = x + a y of complex numbers */
KERNEL(complex_direction)
{
    real re = real_of_lanes(k->re, lane), im = real_of_lanes(k->im, lane);
    for (int c = 0; c < k->components; c += 2) {
        real a = GET(k->y, k->components, c), b = GET(k->y, k->components, c + 1);
        PUT(k->y, k->components, c, GET(k->x, k->components, c) + (re * a - im * b));
        PUT(k->y, k->components, c + 1, GET(k->x, k->components, c + 1) + (re * b + im * a));
    }
}
COST(complex_direction, 4 * k->components, 3 * k->components, 0)

/* x^+ y: density the real part, density_im the imaginary one */
KERNEL(complex_dot)
{
    real re = real_of(0), im = real_of(0);
    for (int c = 0; c < k->components; c += 2) {
        real a = GET(k->x, k->components, c), b = GET(k->x, k->components, c + 1);
        real u = GET(k->y, k->components, c), v = GET(k->y, k->components, c + 1);
        re += a * u + b * v;
        im += a * v - b * u;
    }
    PUT_TERM(k->density, re);
    PUT_TERM(k->density_im, im);
}
COST(complex_dot, 4 * k->components, 2 * k->components, 2)
