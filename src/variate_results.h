/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * variate_results.h: correlators of a source O(t) without and with its control variates, and what these gain.  R(t) is as in variate_model.h.
 *
 *     plain      <O(s) O(s+t)> - <O>^2
 *     one-sided  <O(s) R(s+t) + R(s) O(s+t)> / 2 - <O> <R>      t > range
 *     two-sided  <R(s) R(s+t)> - <R>^2                           t > 2 range + 1
 *
 * have the same expectation where no variate touches the links that the other factor depends on.  Local: for one rank.
 */
#ifndef VARIATE_RESULTS_H
#define VARIATE_RESULTS_H

#include "src/variate_model.h"

enum { VARIATE_PLAIN, VARIATE_ONE_SIDED, VARIATE_TWO_SIDED, VARIATE_ESTIMATORS };

typedef struct {
    const variate_series *series;
    int64_t times; /* 0 ... times - 1 */
    int64_t columns;
    double *residue; /* [configuration][t] */
    double *means;   /* [1 + bin][columns], see jackknife_means */
} variate_results;

/* LAT_NUMERICAL or that of the model's file; to be freed in any case. */
lat_status variate_results_of(const variate_series *series, variate_results *results, lat_error *error);
void variate_results_free(variate_results *results);

/* The first time at which an estimator has no contact terms. */
int64_t variate_first_time(const variates *variates, int estimator);
double variate_correlator(const variate_results *results, int estimator, int64_t t, double *error);
/* The ratio of the variances of the plain correlator and of that of an estimator; t < 0: its mean over all times at which the estimator is one. */
double variate_gain(const variate_results *results, int estimator, int64_t t, double *error);
/* Var O / Var R */
double variate_reduction(const variate_results *results, double *error);
/* The average of w.dS - div w of an orbit, a slice, which is 0. */
double variate_stein(const variate_results *results, int orbit, double *error);

/* Lines of comments: correlators and gains, and the averages that are to vanish, in standard deviations. */
void variate_results_print(const variate_results *results);
/* The same as HDF5, in the group `variates`, with the coefficients that all configurations give together, or those of the model.  settings: what
 * was measured, of which lattice. */
lat_status variate_results_write(const char *path, const variate_results *results, const char *settings,
                                 lat_error *error);

#endif
