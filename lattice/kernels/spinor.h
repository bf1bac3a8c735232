/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spinor.h: linear algebra of spinors; every lane has its own coefficients.
 */

/* y = a x + b y */
KERNEL(combine)
{
    real a = lane_coefficients(k->a, lane), b = lane_coefficients(k->b, lane);
    for (int c = 0; c < k->components; c++)
        PUT(k->y, k->components, c, a * GET(k->x, k->components, c) + b * GET(k->y, k->components, c));
}
COST(combine, 3 * k->components, 3 * k->components, 0)

/* density(x) = Re x^+ y */
KERNEL(spinor_dot)
{
    real sum = real_of(0);
    for (int c = 0; c < k->components; c += 2) {
        real a = GET(k->x, k->components, c), b = GET(k->x, k->components, c + 1);
        sum += a * GET(k->y, k->components, c) + b * GET(k->y, k->components, c + 1);
    }
    PUT_DOUBLE(k->density, 1, 0, sum);
}
COST(spinor_dot, 2 * k->components, 2 * k->components, 2)

/* x = gamma5 x */
KERNEL(spinor_gamma5)
{
    for (int c = k->components / 2; c < k->components; c++) PUT(k->x, k->components, c, -GET(k->x, k->components, c));
}
COST(spinor_gamma5, 0, k->components, 0)

/* density(x) += Re x^+ W y, with one entry in each row of spins of W */
KERNEL(spinor_form)
{
    const int all = k->components, each = all / k->spins;
    real sum = real_of(0);
    for (int s = 0; s < k->spins; s++) {
        real re = real_of((scalar)k->re[s]), im = real_of((scalar)k->im[s]);
        for (int c = 0; c < each; c += 2) {
            real a = GET(k->x, all, s * each + c), b = GET(k->x, all, s * each + c + 1);
            real p = GET(k->y, all, k->column[s] * each + c), q = GET(k->y, all, k->column[s] * each + c + 1);
            sum += re * (a * p + b * q) - im * (a * q - b * p);
        }
    }
    ADD_DOUBLE(k->density, 1, 0, sum);
}
COST(spinor_form, 5 * k->components, 2 * k->components, 2)
