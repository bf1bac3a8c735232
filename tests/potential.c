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
    jackknife each = jackknife_cut(&(int64_t){N}, 1, 1), two = jackknife_cut(&(int64_t){N}, 1, 3),
              one = jackknife_cut(&(int64_t){N}, 1, 100);
    ok(each.bins == 7 && two.bins == 2 && one.bins == 1, "numbers of bins");
    ok(two.begin[0] == 0 && two.begin[1] >= 3 && two.begin[1] <= 4 && two.begin[2] == N, "all are in a bin: 0, %lld, 7",
       (long long)two.begin[1]);
    double *means = jackknife_means(value, 1, &each), mean = 91.0 / 7, variance = 0;
    for (int n = 0; n < N; n++) variance += (value[n] - mean) * (value[n] - mean) / (N - 1);
    ok_near(means[0], mean, 1e-14, "mean");
    ok_near(means[7], 55.0 / 6, 1e-14, "mean without the last");
    ok_near(jackknife_error(means[0], means + 1, N), sqrt(variance / N), 1e-14, "its error is that of a mean");
    ok(jackknife_error(1, &(double){3}, 1) == 0, "no error of one bin");
    free(means);
    means = jackknife_means(value, 1, &two);
    ok_near(means[1], (9 + 16 + 25 + 36) / 4.0, 1e-14, "mean without the first of two bins");
    free(means);
    jackknife_free(&each);
    jackknife_free(&two);
    jackknife_free(&one);
}

/* Every chain ends with a bin, whatever the lengths; numbers that are those of their chains have then no bin of two of them. */
static void chains_of_bins(void)
{
    static const int64_t chain[] = {5, 1, 0, 7, 2};
    static const int64_t begin[] = {0, 2, 5, 6, 8, 10, 13, 15};
    enum { CHAINS = 5, BINS = 7 };
    jackknife cut = jackknife_cut(chain, CHAINS, 2);
    bool same = cut.bins == BINS;
    for (int b = 0; same && b <= BINS; b++) same = cut.begin[b] == begin[b];
    ok(same, "chains of 5, 1, 0, 7, 2 in bins of 2: %lld bins", (long long)cut.bins);
    double value[15], *means;
    for (int n = 0; n < 15; n++) value[n] = n < 5 ? 1 : 0;
    means = jackknife_means(value, 1, &cut);
    ok_near(means[1] * 13, 3, 1e-14, "without the first bin");
    ok_near(means[2] * 12, 2, 1e-14, "without the second, which ends with its chain");
    ok_near(means[3] * 14, 5, 1e-14, "without a chain that is one bin");
    free(means);
    jackknife_free(&cut);
    jackknife long_bins = jackknife_cut(chain, CHAINS, 100);
    ok(long_bins.bins == 4 && long_bins.begin[1] == 5 && long_bins.begin[4] == 15,
       "chains that are shorter than a bin are one each");
    jackknife_free(&long_bins);
}

static void stored(void)
{
    enum { N = 4 };
    static double value[N][R][T];
    const char *path = "potential-test.h5";
    lat_error error = {0};
    for (int n = 0; n < N; n++) make(value[n], 0.001 * n);
    potential_loops loops = {
        .r = R, .t = T, .count = N, .cut = jackknife_cut(&(int64_t){N}, 1, 2), .value = &value[0][0][0]};
    potential_write(path, &loops, &error);
    lat_h5 *file = lat_h5_open(MPI_COMM_SELF, path, "measurement");
    int64_t two[2], one[1];
    double *potential = lat_h5_get_reals(file, "potential", 2, two, 100),
           *r0 = lat_h5_get_reals(file, "r0", 1, one, 100), *r0_error = lat_h5_get_reals(file, "r0_error", 1, one, 100);
    ok(lat_h5_get_int(file, "bins", 0, 100) == 2, "two bins");
    if (lat_h5_finish(file, &error) == LAT_DONE) {
        double *means = jackknife_means(&value[0][0][0], R * T, &loops.cut);
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
    jackknife_free(&loops.cut);
    unlink(path);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    exact();
    errors();
    chains_of_bins();
    stored();
    return tap_end();
}
