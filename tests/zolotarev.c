/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * zolotarev.c: the rational approximation of an inverse square root against numbers computed elsewhere, and the error
 * that it states.
 */
#include "lattice/dirac/zolotarev.h"
#include "tests/tap.h"

typedef struct {
    int degree;
    double epsilon, scale, error;
    double zero[12], pole[12], residue[12];
} known;

/* By mpmath with 25 digits */
static const known rational[] = {
    {6,
     0.02 * 0.02 / 4,
     0.2934126334178272,
     8.9519533778528e-05,
     {4.3879630078327585, 0.2867471667177543, 0.04060931011426189, 0.006277162666304339, 0.0009492858588754577,
      0.00011193685218844634},
     {0.8933608373375501, 0.10534234663356506, 0.015930764473700457, 0.0024624895059441126, 0.00034873927838467597,
      2.2789617829843694e-05},
     {2.601264122775488, 0.6827880809226083, 0.255234377048738, 0.10136665348055231, 0.04237432106343665,
      0.022162347904345108}},
    {9,
     0.01 * 0.01 / 16,
     0.24720176529804433,
     1.209954285218545e-05,
     {6.308673211242984, 0.4776994018105085, 0.08584869706766535, 0.017572885594651137, 0.0036898645808416354,
      0.0007770586811241068, 0.00016189975187827914, 3.1853378587389785e-05, 4.59095521404868e-06},
     {1.3613724614159846, 0.19621152534426192, 0.0386041357537035, 0.008043150603450745, 0.0016938290994338912,
      0.0003556615654461658, 7.280250269929891e-05, 1.3083541608618594e-05, 9.906995957345802e-07},
     {3.58592927911061, 0.9689540016826748, 0.40050421384471013, 0.1801570775159478, 0.08253384137149686,
      0.038054712374689444, 0.017782942154698705, 0.008794042201357615, 0.005381712281084057}},
    {12,
     0.005 * 0.005 / 49,
     0.21977445968698234,
     2.477331276247157e-06,
     {8.065310861644264, 0.659918475596604, 0.1351269949240939, 0.03236044292234484, 0.008036940903382927,
      0.00201389347658443, 0.0005056327479561412, 0.00012687908702976988, 3.169984465661636e-05, 7.778779435839997e-06,
      1.7718088260969118e-06, 2.8440971904647885e-07},
     {1.793905227089917, 0.2879566204422704, 0.06558922075639985, 0.016094844853637595, 0.004021183424128382,
      0.0010090408180541905, 0.0002533421392763836, 6.348237317732383e-05, 1.5766288578218374e-05,
      3.7757376453110243e-06, 7.731319859947843e-07, 6.32590721405422e-08},
     {4.477500470723501, 1.2179922706150952, 0.5287408072157903, 0.2557687025438213, 0.12708840381348246,
      0.06357891789972732, 0.03186952493237029, 0.015999579951939565, 0.008068890699403815, 0.00414051103586753,
      0.002265689351888824, 0.0015145470478660507}},
};

static double apart(double a, double b) { return fabs(a / b - 1); }

/* Largest deviation on points that lie close. */
static double deviation(const lat_zolotarev *r)
{
    enum { POINTS = 20000 };
    double worst = 0;
    for (int i = 0; i <= POINTS; i++) {
        double y = pow(r->epsilon, 1 - (double)i / POINTS), product = r->scale, sum = 1;
        for (int j = 0; j < r->degree; j++) {
            product *= (y + r->zero[j]) / (y + r->pole[j]);
            sum += r->residue[j] / (y + r->pole[j]);
        }
        worst = fmax(worst, fmax(fabs(1 - sqrt(y) * product), fabs(1 - sqrt(y) * r->scale * sum)));
    }
    return worst;
}

static void test_numbers(void)
{
    lat_zolotarev r;
    lat_error error = {0};
    for (int i = 0; i < 3; i++) {
        const known *k = &rational[i];
        lat_zolotarev_create(k->degree, k->epsilon, &r, &error);
        double worst = fmax(apart(r.scale, k->scale), apart(r.error, k->error));
        for (int j = 0; j < k->degree; j++)
            worst = fmax(worst, fmax(apart(r.zero[j], k->zero[j]),
                                     fmax(apart(r.pole[j], k->pole[j]), apart(r.residue[j], k->residue[j]))));
        ok(worst < 1e-13, "degree %d on [%g, 1]: all numbers, to %.1g", k->degree, k->epsilon, worst);
    }
}

static void test_errors(void)
{
    lat_zolotarev r;
    lat_error error = {0};
    const struct {
        int degree;
        double epsilon;
    } others[] = {{1, 0.5}, {2, 1e-3}, {20, 1e-10}, {40, 1e-14}};
    for (int i = 0; i < 4; i++) {
        lat_zolotarev_create(others[i].degree, others[i].epsilon, &r, &error);
        double most = deviation(&r);
        ok(most <= r.error * 1.0001 + 1e-12 && most > 0.999 * r.error,
           "degree %d on [%g, 1]: the error is %.3g, as is said", others[i].degree, others[i].epsilon, most);
    }
}

static void test_refused(void)
{
    lat_zolotarev r;
    const struct {
        int degree;
        double epsilon;
    } wrong[] = {{0, 0.1}, {LAT_ZOLOTAREV_MOST + 1, 0.1}, {4, 0}, {4, 1}, {4, NAN}};
    int bad = 0;
    for (int i = 0; i < 5; i++) {
        lat_error error = {0};
        bad += lat_zolotarev_create(wrong[i].degree, wrong[i].epsilon, &r, &error) != LAT_CONFIG;
    }
    ok(bad == 0, "wrong degrees and ranges are refused");
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_numbers();
    test_errors();
    test_refused();
    return tap_end();
}
