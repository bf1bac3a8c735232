/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sampler.c: samples of a model and what their weights say of it.
 *
 * Weights w = -S - log q are those of importance sampling from exp(-S) / Z; Z is the mean of e^w.  In equilibrium an
 * independence Metropolis stands at i with probability e^w_i / sum e^w and is offered each j alike, so its acceptance
 * is sum_ij min(e^w_i, e^w_j) / (n sum_i e^w_i); with the weights in order, the k-th smallest is the minimum of
 * 2 (n - k) + 1 pairs.
 */
#include "flows/sampler.h"

#include <math.h>
#include <stdlib.h>

flow_sampler *flow_sampler_create(flow_map *map, lat_action *action)
{
    lat_group group = map->model->group;
    flow_sampler *sampler = lat_alloc(1, sizeof *sampler);
    *sampler = (flow_sampler){
        map,
        action,
        lat_gauge_create(map->geometry, group, map->precision),
        lat_field_algebra(map->geometry, group, map->precision),
        lat_field_create(map->geometry, 1, LAT_DOUBLE),
    };
    return sampler;
}

void flow_sampler_free(flow_sampler *sampler)
{
    if (!sampler) return;
    lat_gauge_free(sampler->u);
    lat_field_free(sampler->cotangent);
    lat_field_free(sampler->density);
    free(sampler);
}

/* From the links and the density of log det that the map has left. */
static void weigh(flow_sampler *sampler, double *log_q, double *action)
{
    lat_sum(sampler->density, log_q);
    for (int m = 0; m < sampler->map->geometry->members; m++) log_q[m] = -log_q[m];
    lat_field_zero(sampler->density);
    lat_action_sum(sampler->action, sampler->u, sampler->density, action);
}

static void sample(flow_sampler *sampler, const lat_random *random, double *log_q, double *action,
                   void (*map)(flow_map *, lat_gauge *, lat_field *))
{
    lat_gauge_haar(sampler->u, random);
    lat_field_zero(sampler->density);
    map(sampler->map, sampler->u, sampler->density);
    weigh(sampler, log_q, action);
}

void flow_sample(flow_sampler *sampler, const lat_random *random, double *log_q, double *action)
{
    sample(sampler, random, log_q, action, flow_forward);
}

void flow_sample_record(flow_sampler *sampler, const lat_random *random, double *log_q, double *action)
{
    sample(sampler, random, log_q, action, flow_record);
}

void flow_sample_push(flow_sampler *sampler, const lat_random *random, double *log_q, double *action)
{
    lat_gauge_haar(sampler->u, random);
    lat_field_zero(sampler->density);
    lat_field_zero(sampler->cotangent);
    flow_push(sampler->map, sampler->u, sampler->cotangent, sampler->density);
    weigh(sampler, log_q, action);
}

lat_status flow_sampler_failed(flow_sampler *sampler, lat_error *error)
{
    flow_map_failed(sampler->map, error);
    lat_action_failed(sampler->action, error);
    return error->status;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

flow_evaluation flow_evaluate_weights(double *log_weight, int64_t samples)
{
    double n = (double)samples, mean = 0, square = 0, sum = 0, sum_square = 0, accepted = 0;
    for (int64_t i = 0; i < samples; i++) mean += log_weight[i] / n;
    if (!isfinite(mean)) return (flow_evaluation){samples, NAN, NAN, NAN, NAN, NAN, NAN};
    qsort(log_weight, (size_t)samples, sizeof *log_weight, ascending);
    double top = log_weight[samples - 1];
    for (int64_t i = 0; i < samples; i++) {
        double deviation = log_weight[i] - mean, weight = exp(log_weight[i] - top);
        square += deviation * deviation;
        sum += weight;
        sum_square += weight * weight;
        accepted += weight * (2 * (n - (double)i) - 1);
    }
    double ess = sum * sum / (n * sum_square);
    return (flow_evaluation){
        .samples = samples,
        .loss = -mean,
        .spread = sqrt(square / n),
        .ess = ess,
        .acceptance = accepted / (n * sum),
        .log_z = top + log(sum / n),
        .log_z_error = sqrt((1 / ess - 1) / n),
    };
}
