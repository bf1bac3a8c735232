/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * float_splines.c: splines in float, whose narrowest bins are hardly wider than the rounding of the angle.  What they give
 * is what the exact spline has within a rounding of the point, for splines that leave most of the circle nearly empty.
 */
#define REAL_FLOAT
#include "flows/kernels/spline.h"

#include "tests/tap.h"

enum { KNOTS = 16, TRIALS = 4000, PARAMETERS = 3 * KNOTS + 1, WINDOW = 64 };

static uint64_t state = 12345;

static double deviate(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(state >> 11) / 0x1p52 - 1;
}

typedef struct {
    double y, log_slope;
} image;

/* The even spline in double: knots and slopes there */
typedef struct {
    double x[KNOTS + 1], y[KNOTS + 1], slope[KNOTS + 1];
} spline;

static spline exact_spline(const double *parameter)
{
    spline s = {{0}, {0}, {0}};
    double sum[2] = {0, 0};
    for (int i = 0; i < 2 * KNOTS; i++) sum[i / KNOTS] += exp(parameter[i]);
    for (int j = 0; j <= KNOTS; j++) s.slope[j] = exp(parameter[2 * KNOTS + j]);
    for (int j = 0; j < KNOTS; j++) {
        s.x[j + 1] = s.x[j] + M_PI * (1e-6 + (1 - KNOTS * 1e-6) * exp(parameter[j]) / sum[0]);
        s.y[j + 1] = s.y[j] + M_PI * (1e-6 + (1 - KNOTS * 1e-6) * exp(parameter[KNOTS + j]) / sum[1]);
    }
    return s;
}

static image reference(const spline *s, double x)
{
    int j = 0;
    while (j < KNOTS - 1 && fabs(x) >= s->x[j + 1]) j++;
    double width = s->x[j + 1] - s->x[j], height = s->y[j + 1] - s->y[j];
    double r = height / width, z = fmin(1, (fabs(x) - s->x[j]) / width), q = z * (1 - z);
    double d0 = s->slope[j], d1 = s->slope[j + 1], n = r + (d0 + d1 - 2 * r) * q;
    return (image){copysign(s->y[j] + height * (r * z * z + d0 * q) / n, x), log(r * r * (d1 * z * z + 2 * r * q + d0 * (1 - z) * (1 - z)) / (n * n))};
}

/* How far the value is outside of what the spline takes within some roundings of the point. */
typedef struct {
    double y, log_slope;
} excess;

static excess outside(const spline *s, double x, image found)
{
    const double rounding = 1.5e-6; /* of sums of up to 16 bins */
    double least = INFINITY, most = -INFINITY, away = INFINITY;
    for (int i = -WINDOW; i <= WINDOW + KNOTS + 1; i++) {
        /* points all over the window, and the knots that lie in it */
        double point = i <= WINDOW ? x + rounding * i / WINDOW : copysign(s->x[i - WINDOW - 1], x);
        if (fabs(point - x) > rounding || fabs(point) > M_PI + 1e-9) continue;
        image near = reference(s, point);
        least = fmin(least, near.log_slope);
        most = fmax(most, near.log_slope);
        away = fmin(away, fabs(remainder(near.y - found.y, 2 * M_PI)));
    }
    return (excess){away - 2 * rounding * exp(most), fmax(least - found.log_slope, found.log_slope - most)};
}

/* Widths that differ by up to e^(2 spread).  The narrowest are a few roundings wide, and by so much they differ in float, and
 * their slopes with them. */
static void test_even_spline(double spread, double tolerance)
{
    excess worst = {-INFINITY, -INFINITY};
    for (int trial = 0; trial < TRIALS; trial++) {
        real p[PARAMETERS], x, y, log_slope;
        double exact[REAL_LANES][PARAMETERS];
        for (int lane = 0; lane < REAL_LANES; lane++) {
            for (int i = 0; i < PARAMETERS; i++) {
                p[i][lane] = (float)((i < 2 * KNOTS ? spread : spread / 2) * deviate());
                exact[lane][i] = p[i][lane];
            }
            x[lane] = (float)(trial % 2 ? M_PI * deviate() : copysign(M_PI, deviate()) * (1 - 1e-6 * fabs(deviate())));
        }
        even_spline_forward(p, KNOTS, x, &y, &log_slope);
        for (int lane = 0; lane < REAL_LANES; lane++) {
            spline s = exact_spline(exact[lane]);
            excess e = outside(&s, x[lane], (image){y[lane], log_slope[lane]});
            if (!(e.y <= worst.y)) worst.y = e.y;
            if (!(e.log_slope <= worst.log_slope)) worst.log_slope = e.log_slope;
        }
    }
    ok(worst.y < 5e-6, "logits up to %g: values within a rounding of the point (%.1e)", spread, worst.y);
    ok(worst.log_slope < tolerance, "logits up to %g: logarithms of slopes likewise (%.1e)", spread, worst.log_slope);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_even_spline(1, 1e-3);
    test_even_spline(5, 0.1);
    test_even_spline(12, 3);
    return tap_end();
}
