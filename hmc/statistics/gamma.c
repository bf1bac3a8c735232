/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gamma.c: errors and autocorrelation times by the Gamma method, U. Wolff, Comput. Phys. Commun. 156 (2004) 143
 * [hep-lat/0306017].
 *
 * With a_r(i) entry i of replica r, N entries in all R replicas and the mean a over all of them,
 *
 *     Gamma(t) = 1 / (N - R t) sum_r sum_i (a_r(i) - a) (a_r(i+t) - a)
 *     C(W) = Gamma(0) + 2 sum_{t=1}^W Gamma(t)
 *     error^2 = C / N,  tau_int = C / (2 Gamma(0)).
 *
 * Subtracting the measured mean lowers Gamma by C / N on average, which is added back (his eq. 49).  W is the first lag
 * where the systematic error of stopping there falls below the statistical one, guessing that tau_exp = S tau_int.  All
 * lags come from one Fourier transform per replica and one back, zero-padded so that the series does not wrap around.
 */
#include "hmc/statistics/gamma.h"

#include "lattice/lattice.h"

#include <complex.h>
#include <fftw3.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double window_factor = 1.5; /* S: tau_exp is taken as S tau_int */

/* Smallest even 2^a 3^b 5^c that is at least `least`: lengths that FFTW is fast at. */
static int64_t transform_length(int64_t least)
{
    for (int64_t length = least + least % 2;; length += 2) {
        int64_t rest = length;
        while (rest % 2 == 0) rest /= 2;
        while (rest % 3 == 0) rest /= 3;
        while (rest % 5 == 0) rest /= 5;
        if (rest == 1) return length;
    }
}

/* Mean over all entries, relative to the first: a large constant costs no digits. */
static double mean_of(const double *series, int64_t total)
{
    double sum = 0;
    for (int64_t i = 0; i < total; i++) sum += series[i] - series[0];
    return series[0] + sum / (double)total;
}

static bool is_constant(const double *series, int64_t total)
{
    for (int64_t i = 1; i < total; i++)
        if (series[i] != series[0]) return false;
    return true;
}

/* A power of two that brings the deviations from the mean to order one: their squares neither overflow nor vanish. */
static double scale_of(const double *series, int64_t total, double mean)
{
    double largest = 0;
    for (int64_t i = 0; i < total; i++) largest = fmax(largest, fabs(series[i] - mean));
    if (!(largest > 0) || !isfinite(largest)) return 1;
    int exponent = ilogb(largest);
    return ldexp(1, exponent < -1000 ? 1000 : -exponent);
}

/* gamma[t] = Gamma(t) of (series - mean) * scale for t = 0 ... max, max < n. */
static void autocovariance(const double *series, int replicas, int64_t n, double mean, double scale, int64_t max,
                           double *gamma)
{
    int64_t length = transform_length(n + max + 1), frequencies = length / 2 + 1;
    fftw_complex *mode = lat_alloc(frequencies, sizeof *mode);
    double *entry = (double *)mode; /* transforms in place */
    double *power = lat_alloc(frequencies, sizeof *power);
    fftw_iodim64 extent = {.n = length, .is = 1, .os = 1};
    fftw_plan forth = fftw_plan_guru64_dft_r2c(1, &extent, 0, NULL, entry, mode, FFTW_ESTIMATE);
    fftw_plan back = fftw_plan_guru64_dft_c2r(1, &extent, 0, NULL, mode, entry, FFTW_ESTIMATE);
    if (forth == NULL || back == NULL)
        lat_abort(LAT_NUMERICAL, "autocorrelation: FFTW has no plan for length %lld", (long long)length);

    for (int r = 0; r < replicas; r++) {
        for (int64_t i = 0; i < n; i++) entry[i] = (series[r * n + i] - mean) * scale;
        for (int64_t i = n; i < length; i++) entry[i] = 0;
        fftw_execute(forth);
        for (int64_t k = 0; k < frequencies; k++) power[k] += creal(mode[k] * conj(mode[k]));
    }
    for (int64_t k = 0; k < frequencies; k++) mode[k] = power[k];
    fftw_execute(back);
    for (int64_t t = 0; t <= max; t++) gamma[t] = entry[t] / (double)length / (double)(replicas * (n - t));

    fftw_destroy_plan(forth);
    fftw_destroy_plan(back);
    free(mode);
    free(power);
}

/* The automatic window: the first W >= 1 with exp(-W / tau) < tau / sqrt(W N); 0 if there is none up to max. */
static int64_t automatic_window(const double *gamma, int64_t max, int64_t total)
{
    double sum = 0;
    for (int64_t t = 1; t <= max; t++) {
        sum += gamma[t] / gamma[0];
        double tau = sum > 0 ? window_factor / log1p(1 / sum) : DBL_EPSILON;
        if (exp(-(double)t / tau) < tau / sqrt((double)t * (double)total)) return t;
    }
    return 0;
}

/* C(W).  Where noise or strong anticorrelation makes it negative, the window shrinks until it is not, which errs
 * on the safe side. */
static double summed_covariance(const double *gamma, int64_t *window)
{
    double sum = gamma[0], best = gamma[0];
    int64_t last = 0;
    for (int64_t t = 1; t <= *window; t++) {
        sum += 2 * gamma[t];
        if (sum > 0) {
            best = sum;
            last = t;
        }
    }
    *window = last;
    return best;
}

mc_estimate mc_gamma(const double *series, int replicas, int64_t n)
{
    int64_t total = replicas * n, max = n / 2;
    mc_estimate estimate = {.tau_int = 0.5, .n = total, .mean = NAN};
    if (total == 0) return estimate;
    estimate.mean = mean_of(series, total);
    if (is_constant(series, total)) return estimate;

    double scale = scale_of(series, total, estimate.mean);
    double *gamma = lat_alloc(max + 1, sizeof *gamma);
    autocovariance(series, replicas, n, estimate.mean, scale, max, gamma);
    int64_t window = automatic_window(gamma, max, total);
    bool resolved = window > 0;
    if (!resolved) window = max;
    double covariance = summed_covariance(gamma, &window);
    double entries = (double)total, bias = covariance / entries;
    for (int64_t t = 0; t <= window; t++) gamma[t] += bias; /* eq. 49 */
    covariance += (double)(2 * window + 1) * bias;

    estimate.window = window;
    estimate.variance = gamma[0] / (scale * scale);
    estimate.error = sqrt(covariance / entries) / scale;
    estimate.error_error = estimate.error * sqrt(((double)window + 0.5) / entries);
    estimate.tau_int = covariance / (2 * gamma[0]);
    double spread = fmax(0, (double)window + 0.5 - estimate.tau_int);
    estimate.tau_int_error = estimate.tau_int * sqrt(4 * spread / entries); /* eq. 42 */
    /* The series is too short to tell: tau_int may be anything from here up. */
    if (!resolved) estimate.tau_int_error = fmax(estimate.tau_int_error, estimate.tau_int);
    free(gamma);
    return estimate;
}

void mc_autocorrelation(const double *series, int replicas, int64_t n, int64_t max, double *rho)
{
    int64_t total = replicas * n, last = max < n ? max : n - 1;
    for (int64_t t = 0; t <= max; t++) rho[t] = t == 0; /* a constant, and lags beyond the series */
    if (total == 0 || is_constant(series, total)) return;
    double mean = mean_of(series, total);
    autocovariance(series, replicas, n, mean, scale_of(series, total, mean), last, rho);
    for (int64_t t = last; t >= 0; t--) rho[t] /= rho[0];
}
