/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gamma.c: errors and autocorrelation times by the Gamma method, U. Wolff, Comput. Phys. Commun. 156 (2004) 143
 * [hep-lat/0306017].
 *
 * With a_r(i) entry i of replica r, of N_r entries, N in all replicas, and a the mean of all N,
 *
 *     Gamma(t) = sum_r sum_i (a_r(i) - a) (a_r(i+t) - a) / sum_r max(0, N_r - t)
 *     C(W) = Gamma(0) + 2 sum_{t=1}^W Gamma(t)
 *     error^2 = C / N,  tau_int = C / (2 Gamma(0)).
 *
 * A replica that is shorter than a lag has no pair of entries for it, and the others go on without it.  Subtracting the
 * measured mean lowers Gamma by C / N on average, which is added back (his eq. 49).  W is the first lag where the
 * systematic error of stopping there falls below the statistical one, guessing that tau_exp = S tau_int.  All lags come
 * from one Fourier transform per replica and one back, zero-padded so that the series does not wrap around.
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

/* Replicas one after another, and what brings their deviations from the first entry to order one, as powers of two:
 * then neither sums nor squares overflow or vanish, and a large constant costs no digits. */
typedef struct {
    const double *entry;
    int replicas;
    const int64_t *length;
    int64_t total, longest;
    double mean;
    int exponent; /* a deviation is 2^exponent times a scaled one */
} chain;

/* The deviation of an entry from a number in the range of the chain; at most 2 in size.  Halves, since it may overflow. */
static double scaled(const chain *c, int64_t i, double from)
{
    return ldexp(0.5 * c->entry[i] - 0.5 * from, 1 - c->exponent);
}

static int exponent_of(const chain *c)
{
    double largest = 0;
    for (int64_t i = 0; i < c->total; i++) largest = fmax(largest, fabs(0.5 * c->entry[i] - 0.5 * c->entry[0]));
    return largest > 0 && isfinite(largest) ? ilogb(largest) + 1 : 0;
}

static chain chain_of(const double *series, int replicas, const int64_t *length)
{
    chain c = {.entry = series, .replicas = replicas, .length = length};
    double sum = 0;
    for (int r = 0; r < replicas; r++) {
        c.total += length[r];
        if (length[r] > c.longest) c.longest = length[r];
    }
    c.exponent = exponent_of(&c);
    for (int64_t i = 0; i < c.total; i++) sum += scaled(&c, i, series[0]);
    c.mean = c.total > 0 ? series[0] + ldexp(sum / (double)c.total, c.exponent) : NAN;
    return c;
}

static bool is_constant(const chain *c)
{
    for (int64_t i = 1; i < c->total; i++)
        if (c->entry[i] != c->entry[0]) return false;
    return true;
}

/* Pairs of entries that are t apart. */
static int64_t pairs(const chain *c, int64_t t)
{
    int64_t count = 0;
    for (int r = 0; r < c->replicas; r++) count += c->length[r] > t ? c->length[r] - t : 0;
    return count;
}

/* gamma[t] = Gamma(t) of the scaled deviations for t = 0 ... max, max < the longest replica. */
static void autocovariance(const chain *c, int64_t max, double *gamma)
{
    int64_t length = transform_length(c->longest + max + 1), frequencies = length / 2 + 1;
    fftw_complex *mode = lat_alloc(frequencies, sizeof *mode);
    double *entry = (double *)mode; /* transforms in place */
    double *power = lat_alloc(frequencies, sizeof *power);
    fftw_iodim64 extent = {.n = length, .is = 1, .os = 1};
    fftw_plan forth = fftw_plan_guru64_dft_r2c(1, &extent, 0, NULL, entry, mode, FFTW_ESTIMATE);
    fftw_plan back = fftw_plan_guru64_dft_c2r(1, &extent, 0, NULL, mode, entry, FFTW_ESTIMATE);
    if (forth == NULL || back == NULL)
        lat_abort(LAT_NUMERICAL, "autocorrelation: FFTW has no plan for length %lld", (long long)length);

    for (int64_t r = 0, first = 0; r < c->replicas; first += c->length[r++]) {
        for (int64_t i = 0; i < c->length[r]; i++) entry[i] = scaled(c, first + i, c->mean);
        for (int64_t i = c->length[r]; i < length; i++) entry[i] = 0;
        fftw_execute(forth);
        for (int64_t k = 0; k < frequencies; k++) power[k] += creal(mode[k] * conj(mode[k]));
    }
    for (int64_t k = 0; k < frequencies; k++) mode[k] = power[k];
    fftw_execute(back);
    for (int64_t t = 0; t <= max; t++) gamma[t] = entry[t] / (double)length / (double)pairs(c, t);

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

mc_estimate mc_gamma_replicas(const double *series, int replicas, const int64_t *length)
{
    chain c = chain_of(series, replicas, length);
    mc_estimate estimate = {.tau_int = NAN, .tau_int_error = NAN, .n = c.total, .mean = c.mean};
    if (c.total == 0) return estimate;
    if (c.total == 1) estimate.error = estimate.error_error = estimate.variance = NAN;
    if (is_constant(&c)) return estimate;

    int64_t max = c.longest / 2;
    double *gamma = lat_alloc(max + 1, sizeof *gamma);
    autocovariance(&c, max, gamma);
    int64_t window = automatic_window(gamma, max, c.total);
    bool resolved = window > 0;
    if (!resolved) window = max;
    double covariance = summed_covariance(gamma, &window);
    double entries = (double)c.total, bias = covariance / entries;
    for (int64_t t = 0; t <= window; t++) gamma[t] += bias; /* eq. 49 */
    covariance += (double)(2 * window + 1) * bias;

    estimate.window = window;
    estimate.variance = ldexp(gamma[0], 2 * c.exponent);
    estimate.error = ldexp(sqrt(covariance / entries), c.exponent);
    estimate.error_error = estimate.error * sqrt(((double)window + 0.5) / entries);
    estimate.tau_int = covariance / (2 * gamma[0]);
    double spread = fmax(0, (double)window + 0.5 - estimate.tau_int);
    estimate.tau_int_error = estimate.tau_int * sqrt(4 * spread / entries); /* eq. 42 */
    /* The series is too short to tell: tau_int may be anything from here up. */
    if (!resolved) estimate.tau_int_error = fmax(estimate.tau_int_error, estimate.tau_int);
    free(gamma);
    return estimate;
}

/* As many replicas of the same length.  Release with free(). */
static int64_t *equal_lengths(int replicas, int64_t n)
{
    int64_t *length = lat_alloc(replicas, sizeof *length);
    for (int r = 0; r < replicas; r++) length[r] = n;
    return length;
}

mc_estimate mc_gamma(const double *series, int replicas, int64_t n)
{
    int64_t *length = equal_lengths(replicas, n);
    mc_estimate estimate = mc_gamma_replicas(series, replicas, length);
    free(length);
    return estimate;
}

bool mc_too_short(const mc_estimate *e)
{
    double n = (double)e->n, tau = fmax(e->tau_int, 0.5);
    return n < MC_LEAST_TIMES * tau || n < MC_LEAST_WINDOWS * (double)e->window || e->tau_int_error >= e->tau_int;
}

void mc_autocorrelation_replicas(const double *series, int replicas, const int64_t *length, int64_t max, double *rho)
{
    chain c = chain_of(series, replicas, length);
    int64_t last = max < c.longest ? max : c.longest - 1;
    for (int64_t t = 0; t <= max; t++) rho[t] = t == 0; /* a constant, and lags beyond the series */
    if (c.total == 0 || is_constant(&c)) return;
    autocovariance(&c, last, rho);
    for (int64_t t = last; t >= 0; t--) rho[t] /= rho[0];
}

void mc_autocorrelation(const double *series, int replicas, int64_t n, int64_t max, double *rho)
{
    int64_t *length = equal_lengths(replicas, n);
    mc_autocorrelation_replicas(series, replicas, length, max, rho);
    free(length);
}
