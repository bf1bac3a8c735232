/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * exact2d: exact two-dimensional results against reference values, against integrals over the angles of the plaquettes
 * themselves (tori of 3 and 4 plaquettes), and against coefficients from Weyl's integration formula.
 */
#include "tests/tap.h"

#include <complex.h>

static const double pi = 3.14159265358979323846;

/* The reference values have 12 digits. */
static bool agrees(double value, double expected, double tolerance)
{
    bool good = fabs(value - expected) <= tolerance * fmax(1e-3, fabs(expected));
    if (!good) printf("# %.16g, expected %.16g\n", value, expected);
    return good;
}

static void test_reference_values(void)
{
    static const struct {
        lat_group group;
        int64_t volume;
        double beta, plaquette, charge_squared;
    } row[] = {
        {LAT_U1, 16, 1, 0.44639391203, 0.650097794402},
        {LAT_U1, 16, 7, 0.930356617821, 0.000770338225832},
        {LAT_U1, 64, 2, 0.697774658011, 1.23929891072},
        {LAT_U1, 64, 7, 0.925700364351, 0.217110832504},
        {LAT_U1, 1024, 7, 0.925532210794, 4.02565741966},
        {LAT_SU2, 16, 1.8, 0.399372563465, NAN},
        {LAT_SU2, 256, 5, 0.719340581364, NAN},
        {LAT_SU3, 16, 4, 0.27961915017, NAN},
        {LAT_SU3, 64, 8, 0.535753990214, NAN},
        /* 50 digits, by quadrature and Bessel functions of another library */
        {LAT_U1, 65536, 50, 0.989948967378497753, 33.5403710521893417},
        {LAT_SU2, 65536, 50, 0.970153081575627654, NAN},
        {LAT_SU3, 16, 50, 0.921359609359132567, NAN},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        bool good = agrees(lat_exact2d("plaquette", row[i].group, row[i].beta, row[i].volume), row[i].plaquette, 1e-11);
        if (row[i].group == LAT_U1) {
            double value = lat_exact2d("charge_squared", LAT_U1, row[i].beta, row[i].volume);
            good = agrees(value, row[i].charge_squared, 1e-11) && good;
        }
        ok(good, "reference: group %d, beta %g, %d plaquettes", row[i].group, row[i].beta, (int)row[i].volume);
    }
    ok(agrees(lat_exact2d_log_z(LAT_U1, 50, 65536), -188247.211909329415, 1e-12) &&
           agrees(lat_exact2d_log_z(LAT_SU2, 50, 65536), -399861.49512190848, 1e-12) &&
           agrees(lat_exact2d_log_z(LAT_SU3, 50, 1024), -13279.8449842572028, 1e-12),
       "reference: ln Z at beta 50");
    ok(agrees(lat_exact2d("wilson_loop_2x2", LAT_U1, 2, 64), 0.237061359583229108, 1e-12) &&
           agrees(lat_exact2d("wilson_loop_4x4", LAT_U1, 50, 65536), 0.85075578600979217, 1e-12),
       "reference: Wilson loops");
}

/* All rows of the table that accompanies the source tree, where it is there. */
static void test_reference_file(void)
{
    const char *source = getenv("srcdir");
    char *path = lat_text("%s/../shared/reference/exact2d.csv", source ? source : ".");
    FILE *file = fopen(path, "r");
    free(path);
    if (file == NULL) {
        ok(1, "table of reference values # SKIP exact2d.csv is not here");
        return;
    }
    char line[256], group[8];
    int rows = 0, good = 0;
    while (fgets(line, sizeof line, file)) {
        long long extent;
        double beta, plaquette, charge;
        int fields = sscanf(line, "%7[a-z0-9],%lld,%lf,%lf,%lf", group, &extent, &beta, &plaquette, &charge);
        if (fields < 4) continue;
        lat_group g = group[0] == 'u' ? LAT_U1 : group[2] == '2' ? LAT_SU2 : LAT_SU3;
        rows++;
        good += agrees(lat_exact2d("plaquette", g, beta, extent * extent), plaquette, 1e-10) &&
                (fields < 5 || agrees(lat_exact2d("charge_squared", g, beta, extent * extent), charge, 1e-10));
    }
    fclose(file);
    ok(rows >= 50 && good == rows, "table of reference values: %d of %d rows", good, rows);
}

enum { NODES = 60, POINTS = 256 };

/* Gauss-Legendre quadrature on [0, 1]: Newton's method on the Legendre polynomial. */
static void gauss_legendre(double *node, double *weight)
{
    for (int i = 0; i < NODES; i++) {
        double x = cos(pi * (i + 0.75) / (NODES + 0.5)), slope = 1;
        for (int iteration = 0; iteration < 10; iteration++) {
            double p = 1, q = 0;
            for (int k = 1; k <= NODES; k++) {
                double next = ((2 * k - 1) * x * p - (k - 1) * q) / k;
                q = p;
                p = next;
            }
            slope = NODES * (x * p - q) / (x * x - 1);
            x -= p / slope;
        }
        node[i] = (1 + x) / 2;
        weight[i] = 1 / ((1 - x * x) * slope * slope);
    }
}

static double plaquette_weight(double beta, double angle) { return exp(beta * (cos(angle) - 1)); }

/* Sum over the pairs of plaquettes whose angles add up to an angle of the grid, the trapezoidal rule being exact here.
 */
static void convolve(const double complex *a, const double complex *b, double complex *out)
{
    for (int k = 0; k < POINTS; k++) {
        out[k] = 0;
        for (int i = 0; i < POINTS; i++) out[k] += a[i] * b[(k - i + POINTS) % POINTS] / POINTS;
    }
}

static double complex at_zero(const double complex *a, const double complex *b)
{
    double complex sum = 0;
    for (int i = 0; i < POINTS; i++) sum += a[i] * b[(POINTS - i) % POINTS] / POINTS;
    return sum;
}

/* Weight of Q = 1 on three plaquettes: a, b, 2 pi - a - b, all in (0, pi). */
static double three_plaquettes(double beta, const double *node, const double *weight)
{
    double sum = 0;
    for (int i = 0; i < NODES; i++) {
        for (int k = 0; k < NODES; k++) {
            double a = pi * node[i], b = pi - a + a * node[k]; /* b from pi - a to pi */
            sum += pi * weight[i] * a * weight[k] * plaquette_weight(beta, a) * plaquette_weight(beta, b) *
                   plaquette_weight(beta, a + b);
        }
    }
    return sum / (4 * pi * pi);
}

/* Weight of two plaquettes with angles that add up to s in (0, 2 pi), no multiple of 2 pi allowed. */
static double two_plaquettes(double beta, double s, const double *node, const double *weight)
{
    double sum = 0, length = 2 * pi - s;
    for (int i = 0; i < NODES; i++) {
        double a = s - pi + length * node[i];
        sum += length * weight[i] * plaquette_weight(beta, a) * plaquette_weight(beta, s - a);
    }
    return sum / (2 * pi);
}

static void test_angles(double beta)
{
    double complex one[POINTS], cosine[POINTS], phase[POINTS], two[POINTS], marked[POINTS];
    for (int k = 0; k < POINTS; k++) {
        one[k] = plaquette_weight(beta, 2 * pi * k / POINTS);
        phase[k] = one[k] * cexp(2 * pi * I * k / POINTS);
        cosine[k] = creal(phase[k]);
    }
    convolve(one, one, two);
    double z3 = creal(at_zero(two, one)), z4 = creal(at_zero(two, two));
    convolve(cosine, one, marked);
    ok(agrees(lat_exact2d("plaquette", LAT_U1, beta, 4), creal(at_zero(marked, two)) / z4, 1e-12) &&
           agrees(lat_exact2d("plaquette", LAT_U1, beta, 3), creal(at_zero(marked, one)) / z3, 1e-12),
       "U(1), beta %g, 3 and 4 plaquettes: plaquette", beta);
    convolve(phase, phase, marked);
    ok(agrees(lat_exact2d("wilson_loop_1x2", LAT_U1, beta, 4), creal(at_zero(marked, two)) / z4, 1e-12),
       "U(1), beta %g, 4 plaquettes: Wilson loop of area 2", beta);
    ok(agrees(lat_exact2d_log_z(LAT_U1, beta, 3), log(z3), 1e-12) &&
           agrees(lat_exact2d_log_z(LAT_U1, beta, 4), log(z4), 1e-12),
       "U(1), beta %g, 3 and 4 plaquettes: ln Z", beta);

    double node[NODES], weight[NODES], sum = 0;
    gauss_legendre(node, weight);
    ok(agrees(lat_exact2d("charge_squared", LAT_U1, beta, 3), 2 * three_plaquettes(beta, node, weight) / z3, 1e-12),
       "U(1), beta %g, 3 plaquettes: charge squared", beta);
    for (int i = 0; i < NODES; i++) {
        double s = 2 * pi * node[i];
        sum += weight[i] * two_plaquettes(beta, s, node, weight) * two_plaquettes(beta, 2 * pi - s, node, weight);
    }
    ok(agrees(lat_exact2d("charge_squared", LAT_U1, beta, 4), 2 * sum / z4, 1e-12),
       "U(1), beta %g, 4 plaquettes: charge squared", beta);
}

/* Adds up Z and d ln Z / d beta from one coefficient c = value / dimension and its derivative. */
static void add_irrep(double value, double slope, double dimension, double volume, double *z, double *sum)
{
    *z += pow(value / dimension, volume);
    *sum += pow(value / dimension, volume - 1) * slope / dimension;
}

/* SU(2): d c = (2 / pi) int_0^pi sin(p)^2 exp(beta (cos p - 1)) chi(p) dp. */
static void su2_by_weyl(double beta, double volume, double *z, double *sum)
{
    for (int n = 1; n < 40; n++) {
        double value = 0, slope = 0;
        for (int k = 1; k < POINTS; k++) {
            double p = pi * k / POINTS, w = 2.0 / POINTS * sin(p) * sin(n * p) * exp(beta * (cos(p) - 1));
            value += w;
            slope += w * cos(p);
        }
        add_irrep(value, slope, n, volume, z, sum);
    }
}

/* det exp(i l_j a_k) for angles a_1 + a_2 + a_3 = 0: the numerator of a character, and Vandermonde's denominator. */
static double complex alternant(int l1, int l2, double a, double b)
{
    double c = -a - b;
    return cexp(I * (l1 * a + l2 * b)) + cexp(I * (l1 * b + l2 * c)) + cexp(I * (l1 * c + l2 * a)) -
           cexp(I * (l1 * b + l2 * a)) - cexp(I * (l1 * a + l2 * c)) - cexp(I * (l1 * c + l2 * b));
}

static void su3_by_weyl(double beta, double volume, double *z, double *sum)
{
    enum { GRID = 48 };
    for (int p = 0; p < 7; p++) {
        for (int q = 0; q < 7; q++) {
            double value = 0, slope = 0;
            for (int i = 0; i < GRID; i++) {
                for (int k = 0; k < GRID; k++) {
                    double a = 2 * pi * i / GRID, b = 2 * pi * k / GRID, trace = (cos(a) + cos(b) + cos(a + b)) / 3;
                    double w = creal(conj(alternant(p + q + 2, q + 1, a, b)) * alternant(2, 1, a, b)) *
                               exp(beta * (trace - 1));
                    value += w / (6.0 * GRID * GRID);
                    slope += w * trace / (6.0 * GRID * GRID);
                }
            }
            add_irrep(value, slope, (p + 1) * (q + 1) * (p + q + 2) / 2.0, volume, z, sum);
        }
    }
}

static void test_weyl(void)
{
    double z = 0, sum = 0;
    su2_by_weyl(3.3, 4, &z, &sum);
    ok(agrees(lat_exact2d("plaquette", LAT_SU2, 3.3, 4), sum / z, 1e-12) &&
           agrees(lat_exact2d_log_z(LAT_SU2, 3.3, 4), log(z), 1e-12),
       "SU(2), 4 plaquettes: Weyl's integration formula");
    z = sum = 0;
    su3_by_weyl(5.5, 9, &z, &sum);
    ok(agrees(lat_exact2d("plaquette", LAT_SU3, 5.5, 9), sum / z, 1e-12) &&
           agrees(lat_exact2d_log_z(LAT_SU3, 5.5, 9), log(z), 1e-12),
       "SU(3), 9 plaquettes: Weyl's integration formula");
}

/* Everything about the irreducible representations of SU(3) with p, q < SHELLS on a grid over the angles of a torus:
 * numerators of their characters, coefficients, and products with the fundamental representation by integration. */
static double su3_loop_by_weyl(double beta, int volume, int area)
{
    enum { SHELLS = 7, IRREPS = SHELLS * SHELLS, GRID = 48, NODES_2D = GRID * GRID };
    static double complex numerator[IRREPS][NODES_2D], fundamental[NODES_2D];
    double dimension[IRREPS], c[IRREPS] = {0}, z = 0, loop = 0;
    for (int r = 0; r < IRREPS; r++) {
        int p = r / SHELLS, q = r % SHELLS;
        dimension[r] = (p + 1) * (q + 1) * (p + q + 2) / 2.0;
        for (int i = 0; i < NODES_2D; i++) {
            double a = 2 * pi * (i / GRID) / GRID, b = 2 * pi * (i % GRID) / GRID;
            fundamental[i] = cexp(I * a) + cexp(I * b) + cexp(-I * (a + b));
            numerator[r][i] = alternant(p + q + 2, q + 1, a, b);
            c[r] += creal(conj(numerator[r][i]) * numerator[0][i]) * exp(beta * (creal(fundamental[i]) / 3 - 1)) /
                    (6.0 * NODES_2D * dimension[r]);
        }
        z += pow(c[r], volume);
    }
    for (int s = 0; s < IRREPS; s++)
        for (int r = 0; r < IRREPS; r++) {
            double complex times = 0;
            for (int i = 0; i < NODES_2D; i++) times += conj(numerator[r][i]) * numerator[s][i] * fundamental[i];
            loop += creal(times) / (6.0 * NODES_2D) * dimension[s] / dimension[r] * pow(c[s], area) *
                    pow(c[r], volume - area);
        }
    return loop / (3 * z);
}

/* SU(2): spins j and j +- 1/2. */
static double su2_loop_by_weyl(double beta, int volume, int area)
{
    enum { IRREPS = 40 };
    double c[IRREPS + 1] = {0}, z = 0, loop = 0;
    for (int n = 1; n < IRREPS; n++) {
        for (int k = 1; k < POINTS; k++) {
            double p = pi * k / POINTS;
            c[n] += 2.0 / (POINTS * n) * sin(p) * sin(n * p) * exp(beta * (cos(p) - 1));
        }
        z += pow(c[n], volume);
    }
    for (int n = 1; n < IRREPS; n++) {
        loop += n / (n + 1.0) * pow(c[n], area) * pow(c[n + 1], volume - area);
        if (n > 1) loop += n / (n - 1.0) * pow(c[n], area) * pow(c[n - 1], volume - area);
    }
    return loop / (2 * z);
}

static void test_loops(void)
{
    ok(agrees(lat_exact2d("wilson_loop_2x2", LAT_SU2, 3.3, 9), su2_loop_by_weyl(3.3, 9, 4), 1e-12) &&
           agrees(lat_exact2d("wilson_loop_1x7", LAT_SU2, 3.3, 16), su2_loop_by_weyl(3.3, 16, 7), 1e-12),
       "SU(2): Wilson loops on 9 and 16 plaquettes");
    ok(agrees(lat_exact2d("wilson_loop_2x2", LAT_SU3, 5.5, 9), su3_loop_by_weyl(5.5, 9, 4), 1e-12) &&
           agrees(lat_exact2d("wilson_loop_2x3", LAT_SU3, 5.5, 16), su3_loop_by_weyl(5.5, 16, 6), 1e-12),
       "SU(3): Wilson loops on 9 and 16 plaquettes");
    /* On a large torus plaquettes are independent: the area law, with the plaquette of one integral. */
    double su2 = lat_exact2d("plaquette", LAT_SU2, 2, 40000), su3 = lat_exact2d("plaquette", LAT_SU3, 5, 40000);
    ok(agrees(lat_exact2d("wilson_loop_3x4", LAT_SU2, 2, 40000), pow(su2, 12), 1e-11) &&
           agrees(lat_exact2d("wilson_loop_3x4", LAT_SU3, 5, 40000), pow(su3, 12), 1e-11),
       "SU(2), SU(3): area law");
}

/* d ln Z / d beta = V (<plaquette> - 1), over the whole range of couplings and volumes. */
static void test_derivative(void)
{
    static const int64_t volumes[] = {4, 64, 4096, 65536};
    for (int group = LAT_U1; group <= LAT_SU3; group++) {
        bool good = true;
        for (double beta = 0.1; beta < 51; beta *= 2.2) {
            for (int v = 0; v < 4; v++) {
                double h = 1e-4 * beta, v_real = (double)volumes[v];
                double up = lat_exact2d_log_z(group, beta + h, volumes[v]),
                       down = lat_exact2d_log_z(group, beta - h, volumes[v]);
                good = good && agrees((up - down) / (2 * h) / v_real + 1,
                                      lat_exact2d("plaquette", group, beta, volumes[v]), 1e-6);
            }
        }
        ok(good, "%s: plaquette as derivative of ln Z, beta up to 50, up to 65536 plaquettes", lat_group_names[group]);
    }
}

static void test_limits(void)
{
    ok(lat_exact2d("charge", LAT_U1, 3, 64) == 0, "charge: 0");
    ok(agrees(lat_exact2d("wilson_loop_1x1", LAT_U1, 3, 16), lat_exact2d("plaquette", LAT_U1, 3, 16), 1e-14) &&
           agrees(lat_exact2d("wilson_loop_3x5", LAT_U1, 3, 16), lat_exact2d("plaquette", LAT_U1, 3, 16), 1e-14),
       "U(1): a loop and its complement");
    for (int group = LAT_U1; group <= LAT_SU3; group++)
        ok(lat_exact2d("plaquette", group, 0, 16) == 0 && lat_exact2d_log_z(group, 0, 16) == 0, "%s: beta = 0",
           lat_group_names[group]);
    ok(agrees(lat_exact2d("charge_squared", LAT_U1, 0, 64), 64.0 / 12, 1e-14), "U(1): charge squared at beta = 0");
    ok(fabs(lat_exact2d_log_z(LAT_U1, 20, 1)) < 1e-14, "U(1): Z = 1 on a single plaquette");
    double rare = lat_exact2d("charge_squared", LAT_U1, 50, 64);
    ok(fabs(rare - 4.74083410711840134e-7) < 1e-15, "U(1): charge squared of 5e-7 to 8 digits");
    ok(isnan(lat_exact2d("polyakov", LAT_U1, 1, 16)) && isnan(lat_exact2d("charge_squared", LAT_SU2, 1, 16)) &&
           isnan(lat_exact2d("wilson_loop_4x4", LAT_U1, 1, 16)) &&
           isnan(lat_exact2d("wilson_loop_3x4", LAT_SU3, 1, 12)) &&
           isnan(lat_exact2d("wilson_loop_2x2x", LAT_U1, 1, 16)) && isnan(lat_exact2d("plaquette", LAT_U1, -1, 16)) &&
           isnan(lat_exact2d("plaquette", LAT_U1, NAN, 16)) && isnan(lat_exact2d_log_z(LAT_U1, NAN, 16)),
       "NaN where nothing is known");
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_reference_values();
    test_reference_file();
    test_angles(0.7);
    test_angles(3);
    test_angles(12);
    test_weyl();
    test_loops();
    test_derivative();
    test_limits();
    return tap_end();
}
