/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * real.c: functions of vectors of lanes that are written out, against the library's.
 * # ranks: 1
 */
#define REAL_FLOAT
#include "lattice/kernels/real.h"

#include "tests/tap.h"

static float exp_of(float x) { return real_lane(real_exp(real_of(x)), REAL_LANES - 1); }

static float tanh_of(float x) { return real_lane(real_tanh(real_of(x)), REAL_LANES - 1); }

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    double worst = 0;
    for (int i = 0; i <= 1 << 20; i++) {
        float x = -87.0f + 175.0f * (float)i / (1 << 20);
        double exact = exp((double)x);
        worst = fmax(worst, fabs(exp_of(x) - exact) / exact);
    }
    ok(worst < 1.5e-7, "exp: relative error %g", worst);
    ok(exp_of(0) == 1 && exp_of(-0.0f) == 1, "exp(0) = 1");
    ok(exp_of(-150.0f) == 0 && exp_of(-INFINITY) == 0 && exp_of(-3e38f) == 0, "exp of very negative numbers is 0");
    ok(isinf(exp_of(90.0f)) && isinf(exp_of(INFINITY)) && isinf(exp_of(3e38f)), "exp of very large numbers is infinite");
    ok(isnan(exp_of(NAN)), "exp of what is no number is none");
    worst = 0;
    for (int i = 0; i <= 1 << 20; i++) {
        float x = -12.0f + 24.0f * (float)i / (1 << 20);
        worst = fmax(worst, fabs(tanh_of(x) - tanh((double)x)));
    }
    ok(worst < 2.5e-7, "tanh: absolute error %g", worst);
    ok(tanh_of(0) == 0 && tanh_of(100.0f) == 1 && tanh_of(-1e30f) == -1 && isnan(tanh_of(NAN)), "tanh far off, of 0 and of what is no number");
    return tap_end();
}
