/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * potential.c: Creutz ratios, the static potential and its scales of loops that are known exactly, and errors by leaving out.
 * # ranks: 1
 */
#include "tests/tap.h"

#include "src/jackknife.h"
#include "src/potential.h"

#include <unistd.h>

enum { R = 6, T = 5 };

/* V(r) = c + sigma r - alpha / r; W = exp(-V T) */
static double sigma = 0.05, alpha = 0.29, offset = 0.6;
static double v(double r) { return offset + sigma * r - alpha / r; }

static void make(double mean[R][T], double excited)
{
    for (int r = 1; r <= R; r++)
        for (int t = 1; t <= T; t++) mean[r - 1][t - 1] = exp(-v(r) * t) + excited * exp(-2 * v(r) * t);
}

static void exact(void)
{
    double mean[R][T], worst = 0, worst_ratio = 0;
    make(mean, 0);
    for (int r = 1; r <= R; r++)
        for (int t = 1; t < T; t++) {
            worst = fmax(worst, fabs(potential_effective(&mean[0][0], T, r, t) - v(r)));
            if (r > 1)
                worst_ratio = fmax(worst_ratio, fabs(potential_creutz(&mean[0][0], T, r, t + 1) - (v(r) - v(r - 1))));
        }
    ok_near(worst, 0, 1e-14, "V(R) of exact loops");
    ok_near(worst_ratio, 0, 2e-14, "Creutz ratios of exact loops are differences of V");
    ok_near(potential_creutz(&mean[0][0], T, 1, 1), v(1), 1e-15,
            "the ratio of the plaquette: loops without area are 1");
    /* R^2 V' = sigma R^2 + alpha */
    for (int t = 1; t < T; t++) {
        ok_near(potential_scale(&mean[0][0], R, T, t, 1.65), sqrt((1.65 - alpha) / sigma), 1e-11, "r0");
        ok_near(potential_scale(&mean[0][0], R, T, t, 1.0), sqrt((1.0 - alpha) / sigma), 1e-11, "r1");
    }
    sigma = 0.3;
    make(mean, 0);
    ok_near(potential_scale(&mean[0][0], R, T, 1, 1.65), sqrt((1.65 - alpha) / sigma), 1e-12,
            "r0 between other places");
    ok(isnan(potential_scale(&mean[0][0], 2, T, 1, 1.65)), "no scale of R up to 2");
    ok(isnan(potential_scale(&mean[0][0], R, T, 1, 100)), "no scale where the force does not get there");
    ok(isnan(potential_scale(&mean[0][0], R, T, 1, 0.5)), "no scale below the first place");
    mean[3][1] = -1e-3;
    ok(isnan(potential_effective(&mean[0][0], T, 4, 1)), "no logarithm of a negative loop");
}

/* A mean by hand: of 0, 1, ..., n - 1 without bin b, and the error of the mean, sqrt(variance / n) for bins of one. */
static void errors(void)
{
    enum { N = 7 };
    double value[N];
    for (int n = 0; n < N; n++) value[n] = n * n;
    ok(jackknife_bins(N, 1) == 7 && jackknife_bins(N, 3) == 2 && jackknife_bins(N, 100) == 1, "numbers of bins");
    int64_t begin, end, next = 0;
    for (int b = 0; b < 2; b++) {
        jackknife_range(N, 2, b, &begin, &end);
        ok(begin == next && end - begin >= 3 && end - begin <= 4, "bin %d: %lld to %lld", b, (long long)begin,
           (long long)end);
        next = end;
    }
    ok(next == N, "all are in a bin");
    double *means = jackknife_means(value, N, 1, N), mean = 91.0 / 7, variance = 0;
    for (int n = 0; n < N; n++) variance += (value[n] - mean) * (value[n] - mean) / (N - 1);
    ok_near(means[0], mean, 1e-14, "mean");
    ok_near(means[7], 55.0 / 6, 1e-14, "mean without the last");
    ok_near(jackknife_error(means[0], means + 1, N), sqrt(variance / N), 1e-14, "its error is that of a mean");
    ok(jackknife_error(1, &(double){3}, 1) == 0, "no error of one bin");
    free(means);
    means = jackknife_means(value, N, 1, 2);
    ok_near(means[1], (9 + 16 + 25 + 36) / 4.0, 1e-14, "mean without the first of two bins");
    free(means);
}

static void stored(void)
{
    enum { N = 4 };
    static double value[N][R][T];
    const char *path = "potential-test.h5";
    lat_error error = {0};
    for (int n = 0; n < N; n++) make(value[n], 0.001 * n);
    potential_loops loops = {.r = R, .t = T, .count = N, .bin = 2, .value = &value[0][0][0]};
    potential_write(path, &loops, &error);
    lat_h5 *file = lat_h5_open(MPI_COMM_SELF, path, "measurement");
    int64_t two[2], one[1];
    double *potential = lat_h5_get_reals(file, "potential", 2, two, 100),
           *r0 = lat_h5_get_reals(file, "r0", 1, one, 100), *r0_error = lat_h5_get_reals(file, "r0_error", 1, one, 100);
    ok(lat_h5_get_int(file, "bins", 0, 100) == 2, "two bins");
    if (lat_h5_finish(file, &error) == LAT_DONE) {
        double *means = jackknife_means(&value[0][0][0], N, R * T, 2);
        ok(two[0] == R && two[1] == T - 1 && potential[2 * (T - 1) + 1] == potential_effective(means, T, 3, 2),
           "V(3) at T = 2 is stored");
        double all = potential_scale(means, R, T, 1, 1.65),
               part[2] = {potential_scale(means + R * T, R, T, 1, 1.65),
                          potential_scale(means + 2 * R * T, R, T, 1, 1.65)};
        ok(one[0] == T - 1 && r0[0] == all && r0_error[0] == jackknife_error(all, part, 2) && r0_error[0] > 0,
           "and r0 with its error");
        free(means);
    }
    ok(!error.status, "written and read%s", error.text);
    free(potential);
    free(r0);
    free(r0_error);
    unlink(path);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    exact();
    errors();
    stored();
    return tap_end();
}
