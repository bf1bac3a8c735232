/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * gamma: the Gamma method against plain sums over all lags, and against AR(1) series, x' = rho x + sqrt(1 - rho^2)
 * noise, whose autocorrelation function is rho^t: tau_int = (1 + rho) / (2 (1 - rho)).  Bounds of the statistical tests
 * are 5 standard deviations of an ensemble of series (probability of a false alarm 6e-7 each, with fixed seeds), plus 2
 * % for the bias that truncation at the automatic window leaves.
 */
#include "hmc/hmc.h"
#include "tests/tap.h"

#include <float.h>

/* splitmix64: the test has its own generator, so that it tests one thing. */
static double uniform(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 12) + 0.5) * 0x1p-52;
}

/* Stationary AR(1) of variance 1. */
static void ar1(double rho, int64_t n, uint64_t *state, double *series)
{
    double innovation = sqrt(1 - rho * rho);
    for (int64_t i = 0; i < n; i += 2) {
        double radius = sqrt(-2 * log(uniform(state))), angle = 2 * 3.14159265358979323846 * uniform(state);
        series[i] = radius * cos(angle);
        if (i + 1 < n) series[i + 1] = radius * sin(angle);
    }
    for (int64_t i = 1; i < n; i++) series[i] = rho * series[i - 1] + innovation * series[i];
}

/* Variance of the mean of n entries of AR(1), exactly. */
static double variance_of_mean(double rho, double n)
{
    return ((1 + rho) / (1 - rho) - 2 * rho * (1 - pow(rho, n)) / (n * (1 - rho) * (1 - rho))) / n;
}

/* The method written down from the paper, lag by lag. */
static mc_estimate plain_gamma(const double *series, int replicas, const int64_t *length)
{
    int64_t total = 0, n = 0;
    for (int r = 0; r < replicas; r++) {
        total += length[r];
        if (length[r] > n) n = length[r];
    }
    mc_estimate estimate = {.n = total};
    long double mean = 0, sum = 0;
    for (int64_t i = 0; i < total; i++) mean += series[i];
    mean /= (long double)total;
    long double *gamma = calloc((size_t)n, sizeof *gamma);
    for (int64_t t = 0; t <= n / 2; t++) {
        int64_t pairs = 0, first = 0;
        for (int r = 0; r < replicas; first += length[r++])
            for (int64_t i = first; i + t < first + length[r]; i++, pairs++)
                gamma[t] += (series[i] - mean) * (series[i + t] - mean);
        gamma[t] /= (long double)pairs;
    }
    int64_t w = 1;
    for (;; w++) {
        sum += gamma[w] / gamma[0];
        double tau = sum <= 0 ? 1e-10 : 1.5 / log((double)((sum + 1) / sum));
        if (exp((double)-w / tau) - tau / sqrt((double)(w * total)) < 0) break;
    }
    long double c = gamma[0], corrected;
    for (int64_t t = 1; t <= w; t++) c += 2 * gamma[t];
    corrected = gamma[0] + c / (long double)total;
    estimate.variance = (double)corrected;
    for (int64_t t = 1; t <= w; t++) corrected += 2 * (gamma[t] + c / (long double)total);
    estimate.mean = (double)mean;
    estimate.window = w;
    estimate.error = sqrt((double)corrected / (double)total);
    estimate.error_error = estimate.error * sqrt(((double)w + 0.5) / (double)total);
    estimate.tau_int = (double)corrected / (2 * estimate.variance);
    estimate.tau_int_error = sqrt(4.0 / (double)total * ((double)w + 0.5 - estimate.tau_int)) * estimate.tau_int;
    free(gamma);
    return estimate;
}

static bool close_to(double a, double b, double tolerance) { return fabs(a - b) <= tolerance * fabs(b); }

static bool same(mc_estimate a, mc_estimate b, double tolerance)
{
    return close_to(a.mean, b.mean, tolerance) && close_to(a.error, b.error, tolerance) &&
           close_to(a.error_error, b.error_error, tolerance) && close_to(a.tau_int, b.tau_int, tolerance) &&
           close_to(a.tau_int_error, b.tau_int_error, tolerance) && close_to(a.variance, b.variance, tolerance) &&
           a.window == b.window && a.n == b.n;
}

static void test_against_plain_sums(void)
{
    uint64_t state = 1;
    for (int replicas = 1; replicas <= 3; replicas++) {
        for (int64_t n = 500; n < 2000; n += 733) {
            double *series = lat_alloc(replicas * n, sizeof *series);
            for (int r = 0; r < replicas; r++) ar1(0.8, n, &state, series + r * n);
            for (int64_t i = 0; i < replicas * n; i++) series[i] += 3;
            ok(same(mc_gamma(series, replicas, n), plain_gamma(series, replicas, (int64_t[]){n, n, n}), 1e-11),
               "%d replicas of %d entries: as plain sums", replicas, (int)n);
            free(series);
        }
    }
}

/* Replicas of any lengths, as long as each has the lags of the window and where it does not. */
static void test_unequal(void)
{
    enum { TOTAL = 4200 };
    static const int64_t lengths[][4] = {{1000, 3000, 200, 0}, {7, 4000, 1, 192}, {4200, 0, 0, 0}};
    double *series = lat_alloc(TOTAL, sizeof *series);
    uint64_t state = 5;
    ar1(0.8, TOTAL, &state, series);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        const int64_t *n = lengths[k];
        ok(same(mc_gamma_replicas(series, 4, n), plain_gamma(series, 4, n), 1e-11),
           "replicas of %d, %d, %d and %d entries: as plain sums", (int)n[0], (int)n[1], (int)n[2], (int)n[3]);
    }
    mc_estimate whole = mc_gamma(series, 1, TOTAL), cut = mc_gamma_replicas(series, 4, lengths[0]);
    ok_near(cut.error / whole.error, 1, 0.1, "cutting a chain in replicas hardly changes its error");
    free(series);
}

/* An ensemble of series of one known tau_int. */
static void test_ar1(double tau, int replicas, int64_t n, int ensemble, uint64_t seed)
{
    double rho = (2 * tau - 1) / (2 * tau + 1), exact = variance_of_mean(rho, (double)n) / replicas;
    double tau_sum = 0, tau_square = 0, tau_error = 0, pull_square = 0, error_square = 0, error_fourth = 0;
    int covered = 0;
    uint64_t state = seed;
    double *series = lat_alloc(replicas * n, sizeof *series);
    for (int s = 0; s < ensemble; s++) {
        for (int r = 0; r < replicas; r++) ar1(rho, n, &state, series + r * n);
        mc_estimate e = mc_gamma(series, replicas, n);
        tau_sum += e.tau_int;
        tau_square += e.tau_int * e.tau_int;
        tau_error += e.tau_int_error;
        covered += fabs(e.mean) < e.error;
        pull_square += e.mean * e.mean / exact;
        error_square += e.error * e.error;
        error_fourth += pow(e.error, 4);
    }
    free(series);
    double m = ensemble, mean = tau_sum / m, deviation = sqrt(fmax(0, tau_square / m - mean * mean));
    char name[128];
    snprintf(name, sizeof name, "tau_int %g, %d replicas: mean of tau_int", tau, replicas);
    ok_near(mean, tau, 5 * deviation / sqrt(m) + 0.02 * tau, name);
    snprintf(name, sizeof name, "tau_int %g, %d replicas: scatter of tau_int over its error", tau, replicas);
    if (tau > 0.5) ok_near(deviation / (tau_error / m), 1, 5 / sqrt(2 * m) + 0.1, name);
    snprintf(name, sizeof name, "tau_int %g, %d replicas: scatter of the mean over its exact error", tau, replicas);
    ok_near(pull_square / m, 1, 5 * sqrt(2 / m), name);
    double square = error_square / m, square_deviation = sqrt(fmax(0, error_fourth / m - square * square));
    snprintf(name, sizeof name, "tau_int %g, %d replicas: error^2 over the exact one", tau, replicas);
    ok_near(square / exact, 1, 5 * square_deviation / exact / sqrt(m) + 0.02, name);
    snprintf(name, sizeof name, "tau_int %g, %d replicas: share of means within one error", tau, replicas);
    ok_near(covered / m, 0.6827, 5 * sqrt(0.6827 * 0.3173 / m) + 0.02, name);
}

static void test_constant(void)
{
    double series[100], rho[20];
    for (int i = 0; i < 100; i++) series[i] = 0.1;
    mc_estimate e = mc_gamma(series, 4, 25);
    ok(e.mean == 0.1 && e.error == 0 && e.error_error == 0 && e.variance == 0 && e.n == 100,
       "constant series: no error");
    ok(isnan(e.tau_int) && isnan(e.tau_int_error) && !mc_too_short(&e), "constant series: tau_int is not defined");
    mc_autocorrelation(series, 1, 10, 19, rho);
    ok(rho[0] == 1 && rho[1] == 0 && rho[19] == 0, "constant series: rho(t > 0) = 0, also beyond its end");
}

static void test_short(void)
{
    double series[] = {1, 2, 4, 3, 1, 7, 2, 2};
    bool finite = true;
    for (int n = 1; n <= 8; n++) {
        for (int replicas = 1; replicas * n <= 8; replicas++) {
            mc_estimate e = mc_gamma(series, replicas, n);
            finite = finite && isfinite(e.mean);
            if (e.n == 1) {
                finite = finite && isnan(e.error) && isnan(e.tau_int);
                continue;
            }
            finite = finite && isfinite(e.error) && isfinite(e.error_error);
            finite = finite && isfinite(e.tau_int) && isfinite(e.tau_int_error);
            finite = finite && e.tau_int > 0 && e.error > 0 && mc_too_short(&e);
        }
    }
    ok(finite, "series of 2 to 8 entries: finite, and too short; of one entry: no error");
    double seesaw[200];
    for (int i = 0; i < 200; i++) seesaw[i] = i % 2 ? 1 : -1;
    mc_estimate e = mc_gamma(seesaw, 1, 200);
    ok(e.error > 0 && e.tau_int > 0 && e.tau_int < 0.6, "alternating series: errors stay positive");
    double frozen[64 * 6]; /* each replica sits in a sector of its own */
    for (int i = 0; i < 64 * 6; i++) frozen[i] = i / 6 % 7;
    e = mc_gamma(frozen, 64, 6);
    ok(e.tau_int > 3 && e.tau_int_error >= e.tau_int && mc_too_short(&e),
       "frozen replicas: tau_int is marked as unknown");
    series[3] = NAN;
    ok(isnan(mc_gamma(series, 1, 8).mean) && isnan(mc_gamma(series, 1, 8).error), "NaN in, NaN out");
}

/* a x + b: mean and error follow, tau_int and window do not change, whatever the size of a. */
static void test_affine(void)
{
    enum { N = 4000 };
    double series[N], image[N];
    uint64_t state = 7;
    ar1(0.7, N, &state, series);
    mc_estimate e = mc_gamma(series, 2, N / 2);
    static const double factor[] = {-3, 1e-150, 1e-200, 1e-290, 1e200, 4e307, 1e-3}, shift[] = {17, 0, 0, 0, 0, 0, 1e6};
    for (int k = 0; k < 7; k++) {
        for (int i = 0; i < N; i++) image[i] = factor[k] * series[i] + shift[k];
        mc_estimate f = mc_gamma(image, 2, N / 2);
        double tolerance = 1e-12 + 100 * DBL_EPSILON * fabs(shift[k] / factor[k]);
        ok(close_to(f.mean - shift[k], factor[k] * e.mean, 10 * tolerance) &&
               close_to(f.error, fabs(factor[k]) * e.error, tolerance) && close_to(f.tau_int, e.tau_int, tolerance) &&
               close_to(f.tau_int_error, e.tau_int_error, tolerance) && f.window == e.window,
           "%g x + %g", factor[k], shift[k]);
        double size = factor[k] * factor[k];
        if (size > 1e-305 && isfinite(size))
            ok(close_to(f.variance, size * e.variance, 1e-9), "%g x + %g: variance", factor[k], shift[k]);
    }
}

/* How often AR(1) chains of so many tau_int are called too short. */
static double share_too_short(double tau, double times, int replicas, int chains, uint64_t seed)
{
    double rho = (2 * tau - 1) / (2 * tau + 1);
    int64_t n = (int64_t)(tau * times) / replicas;
    double *series = lat_alloc(replicas * n, sizeof *series);
    int count = 0;
    for (int i = 0; i < chains; i++) {
        for (int r = 0; r < replicas; r++) ar1(rho, n, &seed, series + r * n);
        mc_estimate e = mc_gamma(series, replicas, n);
        count += mc_too_short(&e);
    }
    free(series);
    printf("# %g tau_int of %g in %d replicas: %.2f %% too short\n", times, tau, replicas, 100.0 * count / chains);
    return (double)count / chains;
}

/* Rates of doc/flowstat.md.  Those of chains that are long enough and are called too short are below 2 % from 120 tau_int on,
 * of chains that are not and are called long enough below 2 % up to 10 tau_int; bounds are 6 standard deviations above. */
static void test_too_short(void)
{
    enum { CHAINS = 600 };
    static const double taus[] = {0.5, 2, 20}, enough[] = {120, 200, 400}, little[] = {0.5, 2, 5, 10};
    double bound = 0.02 + 6 * sqrt(0.02 * 0.98 / CHAINS);
    for (int t = 0; t < 3; t++) {
        double alarms = 0, misses = 0;
        for (int i = 0; i < 3; i++) alarms = fmax(alarms, share_too_short(taus[t], enough[i], 1, CHAINS, 31));
        for (int i = 0; i < 4; i++)
            if (little[i] * taus[t] >= 2) misses = fmax(misses, 1 - share_too_short(taus[t], little[i], 1, CHAINS, 32));
        ok(alarms < bound, "tau_int %g: long chains are seldom called too short", taus[t]);
        ok(misses < bound, "tau_int %g: short chains seldom pass", taus[t]);
    }
    ok(share_too_short(200, 0.5, 1, CHAINS, 33) > 0.99, "half a tau_int: almost always too short");
    ok(share_too_short(20, 5, 4, CHAINS, 34) > 1 - bound, "5 tau_int in 4 replicas: too short");
    ok(share_too_short(5, 400, 8, CHAINS, 35) < bound, "400 tau_int in 8 replicas: long enough");
}

static void test_autocorrelation(void)
{
    enum { N = 1000, MAX = 1100 };
    double series[2 * N], rho[MAX + 1], worst = 0, mean = 0, zero = 0;
    uint64_t state = 3;
    ar1(0.9, N, &state, series);
    ar1(0.9, N, &state, series + N);
    for (int i = 0; i < 2 * N; i++) mean += series[i] / (2 * N);
    mc_autocorrelation(series, 2, N, MAX, rho);
    for (int t = 0; t <= MAX; t++) {
        double sum = 0;
        for (int i = 0; i + t < N; i++) {
            sum += (series[i] - mean) * (series[i + t] - mean);
            sum += (series[N + i] - mean) * (series[N + i + t] - mean);
        }
        if (t < N) sum /= 2 * (N - t);
        if (t == 0) zero = sum;
        worst = fmax(worst, fabs(rho[t] - sum / zero));
    }
    ok(worst < 1e-12, "autocorrelation function as plain sums, at every lag");
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_against_plain_sums();
    test_unequal();
    test_too_short();
    test_ar1(0.5, 1, 2000, 2000, 11);
    test_ar1(2, 1, 5000, 1000, 12);
    test_ar1(10, 1, 20000, 400, 13);
    test_ar1(50, 1, 50000, 150, 14);
    test_ar1(2, 8, 1000, 500, 15);
    test_ar1(10, 4, 5000, 400, 16);
    test_constant();
    test_short();
    test_affine();
    test_autocorrelation();
    return tap_end();
}
