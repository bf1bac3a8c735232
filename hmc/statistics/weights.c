/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * weights.c: means with weights and their errors, by the Gamma method for functions of means (U. Wolff, Comput. Phys. Commun. 156 (2004) 143
 * [hep-lat/0306017], section 3): of a ratio <w O> / <w>, and of a logarithm.
 */
#include "hmc/statistics/weights.h"

#include "lattice/lattice.h"

#include <math.h>
#include <stdlib.h>

static int64_t total(int replicas, const int64_t *length)
{
    int64_t n = 0;
    for (int r = 0; r < replicas; r++) n += length[r];
    return n;
}

/* weight[n], which the largest of them divides; returns its logarithm. */
static double weigh(const double *log_weight, int64_t n, double *weight)
{
    double largest = -INFINITY;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, log_weight[i]);
    for (int64_t i = 0; i < n; i++) weight[i] = exp(log_weight[i] - largest);
    return largest;
}

static double sum(const double *number, int64_t n)
{
    double all = 0;
    for (int64_t i = 0; i < n; i++) all += number[i];
    return all;
}

mc_estimate mc_gamma_weighted(const double *series, const double *log_weight, int replicas, const int64_t *length)
{
    const int64_t n = total(replicas, length);
    double *weight = lat_alloc(n, sizeof *weight), mean = 0;
    weigh(log_weight, n, weight);
    const double all = sum(weight, n);
    for (int64_t i = 0; i < n; i++) mean += weight[i] * (series[i] - series[0]);
    mean = series[0] + mean / all;
    for (int64_t i = 0; i < n; i++) weight[i] *= (series[i] - mean) * (double)n / all;
    mc_estimate estimate = mc_gamma_replicas(weight, replicas, length);
    estimate.mean = n > 0 ? mean : NAN;
    free(weight);
    return estimate;
}

mc_estimate mc_free_energy(const double *log_weight, int replicas, const int64_t *length)
{
    const int64_t n = total(replicas, length);
    double *weight = lat_alloc(n, sizeof *weight);
    const double largest = weigh(log_weight, n, weight), all = sum(weight, n);
    for (int64_t i = 0; i < n; i++) weight[i] *= (double)n / all;
    mc_estimate estimate = mc_gamma_replicas(weight, replicas, length);
    estimate.mean = n > 0 ? -largest - log(all / (double)n) : NAN;
    free(weight);
    return estimate;
}

double mc_weights_ess(const double *log_weight, int64_t n)
{
    double *weight = lat_alloc(n, sizeof *weight), squares = 0;
    weigh(log_weight, n, weight);
    const double all = sum(weight, n);
    for (int64_t i = 0; i < n; i++) squares += weight[i] * weight[i];
    free(weight);
    return all * all / ((double)n * squares);
}
