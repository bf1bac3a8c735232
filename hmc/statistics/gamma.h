/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gamma.h: means of correlated series, and their errors.
 */
#ifndef HMC_STATISTICS_GAMMA_H
#define HMC_STATISTICS_GAMMA_H

#include <stdbool.h>
#include <stdint.h>

/* Gamma method, U. Wolff, hep-lat/0306017: automatic window with S = 1.5, errors of the errors, bias correction.
 * Replicas lie one after another.  tau_int is in units of one entry, 0.5 for white noise.  A constant series has the
 * error 0 and, as nothing is known of its autocorrelation, tau_int NaN; of a single entry the error is NaN too.  Local. */
typedef struct {
    double mean, error, error_error;
    double tau_int, tau_int_error;
    double variance;
    int64_t window, n; /* n: total number of entries */
} mc_estimate;
/* series: [replicas][n]. */
mc_estimate mc_gamma(const double *series, int replicas, int64_t n);
/* Replica r has length[r] entries. */
mc_estimate mc_gamma_replicas(const double *series, int replicas, const int64_t *length);
/* Whether the series is too short for its autocorrelation: fewer entries than 50 tau_int (25 independent ones) or 10 windows,
 * or no window was found.  Its error is then likely to be too small.  doc/flowstat.md has the rates.  False for a constant. */
enum { MC_LEAST_TIMES = 50, MC_LEAST_WINDOWS = 10 };
bool mc_too_short(const mc_estimate *estimate);
/* Normalised autocorrelation function rho(t), t = 0 ... max, by FFT. */
void mc_autocorrelation(const double *series, int replicas, int64_t n, int64_t max, double *rho);
void mc_autocorrelation_replicas(const double *series, int replicas, const int64_t *length, int64_t max, double *rho);

#endif
