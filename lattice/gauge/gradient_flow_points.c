/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow_points.c: the gradient flow, measured at some of its times.
 */
#include "lattice/gauge/gradient_flow.h"

#include <stdlib.h>
#include <string.h>

/* What a slice function has found at a point, [member][quantity][slice], to its place. */
static void put(const lat_gradient_flow_points *points, int64_t point, const double *now, int members, int64_t slices,
                double *out)
{
    for (int64_t i = 0; i < (int64_t)members * LAT_GRADIENT_FLOW_QUANTITIES; i++)
        memcpy(out + (i * points->count + point) * slices, now + i * slices, (size_t)slices * sizeof *now);
}

lat_status lat_gradient_flow_integrate(lat_gradient_flow *flow, lat_gauge *gauge,
                                       const lat_gradient_flow_points *points, double *out, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    const int64_t slices = g->size[g->dim - 1];
    int64_t done = 0, taken = 0;
    double step = points->step, *now = lat_alloc(g->members * LAT_GRADIENT_FLOW_QUANTITIES * slices, sizeof *now);
    for (int64_t i = 0; i < points->count && !error->status; i++) {
        const int64_t more = points->after[i] - done;
        if (points->tolerance > 0 && more > 0)
            lat_gradient_flow_advance(flow, gauge, (double)more * points->step, points->tolerance, &step, &taken,
                                      error);
        for (int64_t n = 0; n < more && !(points->tolerance > 0); n++)
            lat_gradient_flow_step(flow, gauge, points->step);
        lat_gradient_flow_slices(gauge, now);
        put(points, i, now, g->members, slices, out);
        done = points->after[i];
    }
    free(now);
    return error->status;
}

static double sum(const lat_gradient_flow_points *points, int64_t point, const double *value, int quantity,
                  int64_t slices)
{
    const double *of_slice = value + (quantity * points->count + point) * slices;
    double sum = 0;
    for (int64_t t = 0; t < slices; t++) sum += of_slice[t];
    return sum;
}

static double time_of(const lat_gradient_flow_points *points, int64_t point)
{
    return points->step * (double)points->after[point];
}

double lat_gradient_flow_t2e(const lat_gradient_flow_points *points, int64_t point, const double *value, int64_t slices,
                             int64_t volume)
{
    const double time = time_of(points, point);
    return time * time * sum(points, point, value, LAT_GRADIENT_FLOW_Y, slices) / (double)volume;
}

double lat_gradient_flow_charge(const lat_gradient_flow_points *points, int64_t point, const double *value,
                                int64_t slices)
{
    return sum(points, point, value, LAT_GRADIENT_FLOW_Q, slices);
}

double lat_gradient_flow_points_t0(const lat_gradient_flow_points *points, const double *value, int64_t slices,
                                   int64_t volume, double level)
{
    double *time = lat_alloc(2 * points->count, sizeof *time), *energy = time + points->count;
    for (int64_t i = 0; i < points->count; i++) {
        time[i] = time_of(points, i);
        energy[i] = sum(points, i, value, LAT_GRADIENT_FLOW_Y, slices) / (double)volume;
    }
    const double t0 = lat_gradient_flow_t0(points->count, time, energy, level);
    free(time);
    return t0;
}
