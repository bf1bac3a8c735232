/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * zolotarev.c: E. I. Zolotarev (1877), in the notation of N. I. Achieser, Theory of Approximation (1956).  With n the
 * degree, k^2 = 1 - epsilon, v = K(k) / (2 n + 1), s_r = sn^2(r v, k) and a_r = cn^2(r v, k) / s_r,
 *
 *     R(y) = A prod_i (y + a_(2i-1)) / (y + a_(2i)),  i = 1 ... n
 *     A = 2 / (1 + sqrt(1 - d^2)) prod_i s_(2i-1) / s_(2i),  d = k^(2n+1) prod_i s_(2i-1)^2
 *     error = d^2 / (1 + sqrt(1 - d^2))^2
 */
#include "lattice/dirac/zolotarev.h"

#include <math.h>

enum { MOST_STEPS = 16 }; /* of means, whose number of right digits doubles with each */

/* The arithmetic-geometric mean of 1 and k', and the steps on the way. */
typedef struct {
    int steps;
    long double a[MOST_STEPS + 1], c[MOST_STEPS + 1];
} means;

static means means_of(long double complement)
{
    means m = {.a = {1}};
    long double b = complement;
    while (m.steps < MOST_STEPS && m.a[m.steps] - b > 1e-19L * m.a[m.steps]) {
        long double a = m.a[m.steps++];
        m.a[m.steps] = (a + b) / 2;
        m.c[m.steps] = (a - b) / 2;
        b = sqrtl(a * b);
    }
    return m;
}

/* (cn / sn)^2 of u = K part, by descending Landen transformations of the amplitude; K = pi / (2 agm). */
static long double cotangent_squared(const means *m, long double part)
{
    long double phase = ldexpl(acosl(-1) / 2 * part, m->steps);
    for (int i = m->steps; i > 0; i--) phase = (phase + asinl(m->c[i] / m->a[i] * sinl(phase))) / 2;
    long double tangent = tanl(phase);
    return 1 / (tangent * tangent);
}

/* a_1 ... a_2n, which descend.  cs(K - u) = k' / cs(u): the second half, where cn is small, follows from the first. */
static void shifts(int degree, long double epsilon, long double *a)
{
    means m = means_of(sqrtl(epsilon));
    for (int r = 1; r <= degree; r++) {
        a[r] = cotangent_squared(&m, (long double)r / (2 * degree + 1));
        a[2 * degree + 1 - r] = epsilon / a[r];
    }
}

/* residue_i = (zero_i - pole_i) prod_{j != i} (zero_j - pole_i) / (pole_j - pole_i) */
static long double residue(int degree, const long double *a, int i)
{
    long double pole = a[2 * i + 2], out = a[2 * i + 1] - pole;
    for (int j = 0; j < degree; j++)
        if (j != i) out *= (a[2 * j + 1] - pole) / (a[2 * j + 2] - pole);
    return out;
}

lat_status lat_zolotarev_create(int degree, double epsilon, lat_zolotarev *out, lat_error *error)
{
    if (degree < 1 || degree > LAT_ZOLOTAREV_MOST || !(epsilon > 0 && epsilon < 1))
        return lat_fail(error, LAT_CONFIG,
                        "rational approximation of degree %d on [%g, 1]: degrees are 1 to %d, and the range begins "
                        "above 0 and below 1",
                        degree, epsilon, LAT_ZOLOTAREV_MOST);
    long double a[2 * LAT_ZOLOTAREV_MOST + 1], d = powl(1 - (long double)epsilon, degree + 0.5L), ratio = 1;
    shifts(degree, epsilon, a);
    *out = (lat_zolotarev){.degree = degree, .epsilon = epsilon};
    for (int i = 0; i < degree; i++) {
        long double zero = a[2 * i + 1], pole = a[2 * i + 2];
        d /= (1 + zero) * (1 + zero);
        ratio *= (1 + pole) / (1 + zero);
        out->zero[i] = (double)zero;
        out->pole[i] = (double)pole;
        out->residue[i] = (double)residue(degree, a, i);
    }
    long double sum = 1 + sqrtl(1 - d * d);
    out->scale = (double)(2 / sum * ratio);
    out->error = (double)(d * d / (sum * sum));
    return LAT_DONE;
}
