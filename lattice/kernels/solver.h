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

/* x += alpha p, r -= alpha q, density = |r|^2 */
KERNEL(cg_step)
{
    real alpha = real_of_lanes(k->alpha, lane), sum = real_of(0);
    for (int c = 0; c < k->components; c++) {
        real r = GET(k->r, k->components, c) - alpha * GET(k->q, k->components, c);
        PUT(k->x, k->components, c, GET(k->x, k->components, c) + alpha * GET(k->p, k->components, c));
        PUT(k->r, k->components, c, r);
        sum += r * r;
    }
    PUT_TERM(k->density, sum);
}
COST(cg_step, 6 * k->components, 6 * k->components, 1)

/* p = r + beta p */
KERNEL(cg_direction)
{
    real beta = real_of_lanes(k->beta, lane);
    for (int c = 0; c < k->components; c++)
        PUT(k->p, k->components, c, GET(k->r, k->components, c) + beta * GET(k->p, k->components, c));
}
COST(cg_direction, 2 * k->components, 3 * k->components, 0)

/* q += shift p, density = Re p^+ q */
KERNEL(cg_curvature)
{
    real sum = real_of(0);
    for (int c = 0; c < k->components; c++) {
        real p = GET(k->p, k->components, c), q = GET(k->q, k->components, c) + (scalar)k->shift * p;
        PUT(k->q, k->components, c, q);
        sum += p * q;
    }
    PUT_TERM(k->density, sum);
}
COST(cg_curvature, 4 * k->components, 3 * k->components, 1)

/* x += alpha p, p = zeta r + beta p */
KERNEL(multishift_step)
{
    real alpha = real_of_lanes(k->alpha, lane), beta = real_of_lanes(k->beta, lane),
         zeta = real_of_lanes(k->zeta, lane);
    for (int c = 0; c < k->components; c++) {
        real p = GET(k->p, k->components, c);
        PUT(k->x, k->components, c, GET(k->x, k->components, c) + alpha * p);
        PUT(k->p, k->components, c, zeta * GET(k->r, k->components, c) + beta * p);
    }
}
COST(multishift_step, 5 * k->components, 5 * k->components, 0)

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
