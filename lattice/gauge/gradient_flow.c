/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow.c: the gradient flow of gauge fields, energy and charge on it, and the scales t0 and w0 (S. Borsanyi et
 * al., JHEP 09 (2012) 010 [arXiv:1203.4469]).
 */
#include "lattice/gauge/gradient_flow.h"
#include "lattice/gauge/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const lat_gradient_flow_names[] = {"wilson", "zeuthen", NULL};

struct lat_gradient_flow {
    const lat_geometry *geometry;
    lat_group group;
    lat_gradient_flow_kind kind;
    const lat_kernels *kernels;
    lat_field *algebra;         /* A of the stages */
    lat_field *z;               /* Zeuthen: the derivative before it is smoothed */
    lat_gauge *start;           /* adaptive steps: where the step began, */
    lat_field *compare, *distance; /* the second-order method; made when needed */
};

/* A = old A + fresh Z(U), U = exp(length A) U, A and Z per unit of time */
typedef struct {
    double old, fresh, length;
} stage;

enum { STAGES = 3 };
static const stage stages[STAGES] = {{0, 1, 1.0 / 4}, {-17.0 / 36, 8.0 / 9, 1}, {-1, 3.0 / 4, 1}};

lat_status lat_gradient_flow_create(const lat_gauge *gauge, lat_gradient_flow_kind kind, lat_gradient_flow **flow, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    const lat_precision precision = gauge->links->precision;
    bool split = false;
    for (int mu = 0; mu < g->dim; mu++) split = split || g->split[mu];
    if (kind == LAT_GRADIENT_FLOW_ZEUTHEN && !lat_gauge_is_periodic(gauge))
        return lat_fail(error, LAT_CONFIG, "zeuthen flow: the lattice has an open boundary or a defect: use the wilson flow");
    if (kind == LAT_GRADIENT_FLOW_ZEUTHEN && split && g->halo < 2)
        return lat_fail(error, LAT_CONFIG, "zeuthen flow: the halo is one site wide: two are needed");
    lat_gradient_flow *f = lat_alloc(1, sizeof *f);
    *f = (lat_gradient_flow){.geometry = g, .group = gauge->group, .kind = kind};
    f->algebra = lat_field_algebra(g, gauge->group, precision);
    f->kernels = lat_kernels_of(f->algebra, gauge->group);
    if (kind == LAT_GRADIENT_FLOW_ZEUTHEN) f->z = lat_field_algebra(g, gauge->group, precision);
    *flow = f;
    return LAT_DONE;
}

void lat_gradient_flow_free(lat_gradient_flow *flow)
{
    if (!flow) return;
    lat_field_free(flow->algebra);
    lat_field_free(flow->z);
    lat_gauge_free(flow->start);
    lat_field_free(flow->compare);
    lat_field_free(flow->distance);
    free(flow);
}

static void wilson_force(lat_gradient_flow *flow, lat_field *links, const gradient_flow_force_args *args)
{
    const lat_geometry *g = flow->geometry;
    lat_range all = lat_block(g), inner = lat_range_of(g, &g->inner), outer = lat_range_of(g, &g->outer);
    if (g->rank_count == 1) { /* waits for nobody: sites in order read every link less often */
        lat_halo_finish(lat_halo_start(links, lat_halo_staples()));
        flow->kernels->gradient_flow_force(args, &all);
        return;
    }
    lat_exchange *exchange = lat_halo_start(links, lat_halo_staples());
    flow->kernels->gradient_flow_force(args, &inner);
    lat_halo_finish(exchange);
    flow->kernels->gradient_flow_force(args, &outer);
}

/* The action of Luescher and Weisz, plaquettes with 5/3 and rectangles with -1/12. */
static void zeuthen_force(lat_gradient_flow *flow, lat_field *links, const gradient_flow_force_args *args)
{
    lat_range all = lat_block(flow->geometry);
    gradient_flow_improved_args improved = {args->t, links->data, flow->z->data, 5.0 / 3, -1.0 / 12};
    gradient_flow_smooth_args smooth = {args->t, *args, flow->z->data};
    lat_halo_exchange(links);
    flow->kernels->gradient_flow_improved(&improved, &all);
    lat_halo_exchange(flow->z);
    flow->kernels->gradient_flow_smooth(&smooth, &all);
}

/* As the action has it: every plaquette with its weight. */
static void weighted_force(lat_gradient_flow *flow, lat_gauge *gauge, const stage *s)
{
    lat_field *links = gauge->links;
    lat_range all = lat_block(flow->geometry);
    const double weight = flow->group == LAT_U1 ? 1 : 2;
    weighted_plaquette_force_args args = {lat_tables_of(flow->geometry), links->data, lat_gauge_couplings(gauge), flow->algebra->data,
                                          s->fresh * weight};
    lat_halo_exchange(links);
    lat_field_axpy(flow->algebra, s->old - 1, flow->algebra);
    flow->kernels->weighted_plaquette_force(&args, &all);
}

static void run_stage(lat_gradient_flow *flow, lat_gauge *gauge, int i, double step)
{
    lat_field *links = gauge->links;
    gradient_flow_force_args args = {lat_tables_with_paths(links, flow->group), links->data, flow->algebra->data, stages[i].old,
                            stages[i].fresh};
    if (gauge->couplings)
        weighted_force(flow, gauge, &stages[i]);
    else if (flow->kind == LAT_GRADIENT_FLOW_WILSON)
        wilson_force(flow, links, &args);
    else
        zeuthen_force(flow, links, &args);
    lat_gauge_exp_update(gauge, stages[i].length * step, flow->algebra);
}

void lat_gradient_flow_step(lat_gradient_flow *flow, lat_gauge *gauge, double step)
{
    for (int i = 0; i < STAGES; i++) run_stage(flow, gauge, i, step);
}

/* ---------------------------------------------------------------------------------------------------- adaptive steps */

static double largest(const lat_field *field)
{
    const lat_geometry *g = field->geometry;
    const double *value = lat_field_map(field, LAT_READ);
    double most = 0;
    for (int64_t i = 0; i < g->sites; i++)
        for (int lane = 0; lane < g->blocks * g->members; lane++) {
            double here = value[i * g->lanes + lane];
            if (!(here <= most)) most = isnan(here) ? INFINITY : here;
        }
    lat_field_unmap(field, (void *)value, LAT_READ);
    MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, g->comm);
    return most;
}

/* The second-order method ends at exp(step (2 Z1 - Z0)) U; of A after the second stage, A1 = 8/9 Z1 - 17/36 Z0, that is
 * exp(step (Z0 + 36 A1) / 16) U. */
static double try_step(lat_gradient_flow *flow, lat_gauge *gauge, double step)
{
    lat_range all = lat_block(flow->geometry);
    run_stage(flow, gauge, 0, step);
    lat_field_copy(flow->compare, flow->algebra);
    run_stage(flow, gauge, 1, step);
    lat_field_axpy(flow->compare, 36, flow->algebra);
    run_stage(flow, gauge, 2, step);
    gradient_flow_distance_args args = {lat_tables_of(flow->geometry), gauge->links->data,   flow->start->links->data,
                               flow->compare->data,           flow->distance->data, step / 16};
    flow->kernels->gradient_flow_distance(&args, &all);
    return largest(flow->distance);
}

lat_status lat_gradient_flow_advance(lat_gradient_flow *flow, lat_gauge *gauge, double time, double tolerance, double *step,
                            int64_t *steps, lat_error *error)
{
    if (!flow->start) {
        flow->start = lat_gauge_create(flow->geometry, flow->group, gauge->links->precision);
        flow->compare = lat_field_algebra(flow->geometry, flow->group, gauge->links->precision);
        flow->distance = lat_field_create(flow->geometry, 1, LAT_DOUBLE);
    }
    enum { MOST_REJECTED = 30 }; /* in a row: each makes the step shorter by a factor of up to ten */
    double left = time;
    for (int rejected = 0; left > 0;) {
        double length = fmin(*step, left);
        lat_gauge_copy(flow->start, gauge);
        double distance = try_step(flow, gauge, length);
        bool good = distance <= tolerance;
        if (good) {
            left = length < left ? left - length : 0;
            ++*steps;
            rejected = 0;
        } else {
            lat_gauge_copy(gauge, flow->start);
            rejected++;
        }
        /* The distance grows like the third power of the step.  A step cut short by the end says little of longer ones. */
        double factor = 0.95 * cbrt(tolerance / fmax(distance, 1e-300));
        double wanted = length * fmin(fmax(factor, 0.1), 2);
        if (!good || length == *step || wanted > *step) *step = wanted;
        if (rejected > MOST_REJECTED || *step < 1e-12 * time)
            return lat_fail(error, LAT_NUMERICAL,
                            "gradient flow: no step is small enough for a tolerance of %g: raise it", tolerance);
    }
    return LAT_DONE;
}

/* ------------------------------------------------------------------------------------------------------ measurements */

enum { DENSITIES = 4 };

void lat_gradient_flow_slices(lat_gauge *gauge, double *out)
{
    lat_field *links = gauge->links;
    const lat_geometry *g = links->geometry;
    int64_t slices = g->size[g->dim - 1], count = slices * DENSITIES * g->members;
    lat_field *density = lat_field_create(g, DENSITIES, LAT_DOUBLE);
    const double *couplings = lat_gauge_couplings(gauge);
    double *sums = lat_alloc(count, sizeof *sums);
    gradient_flow_density_args args = {lat_tables_of(g), links->data, couplings, density->data};
    const lat_kernels *kernels = lat_kernels_of(links, gauge->group);
    lat_range range = lat_block(g);
    lat_halo_exchange(links);
    (couplings ? kernels->weighted_gradient_flow_density : kernels->gradient_flow_density)(&args, &range);
    lat_sum_slices(density, sums);
    for (int m = 0; m < g->members; m++) {
        const double *from = sums + (int64_t)m * DENSITIES * slices;
        double *to = out + (int64_t)m * LAT_GRADIENT_FLOW_QUANTITIES * slices;
        for (int64_t t = 0; t < slices; t++) {
            double after = from[slices + t], before = from[slices + (t + slices - 1) % slices];
            to[t] = from[t] + 0.5 * (after + before);
            to[slices + t] = from[2 * slices + t];
            to[2 * slices + t] = from[3 * slices + t];
        }
    }
    free(sums);
    lat_field_free(density);
}

/* ------------------------------------------------------------------------------------------------------------ scales */

/* Where a sequence of points (x, y) first reaches the level from below. */
typedef struct {
    double x, y;
    bool any;
} crossing;

/* True, and *at set, if the line from the last point to this one reaches the level. */
static bool reaches(crossing *last, double x, double y, double level, double *at)
{
    bool found = last->any && last->y < level && y >= level;
    if (found) *at = last->x + (x - last->x) * (level - last->y) / (y - last->y);
    *last = (crossing){x, y, true};
    return found;
}

double lat_gradient_flow_t0(int64_t count, const double *time, const double *energy, double level)
{
    crossing last = {0};
    double at = NAN;
    for (int64_t i = 0; i < count; i++)
        if (reaches(&last, time[i], time[i] * time[i] * energy[i], level, &at)) return at;
    return NAN;
}

/* The derivative of the parabola through three points at the middle one; end points have none. */
double lat_gradient_flow_w0_squared(int64_t count, const double *time, const double *energy, double level)
{
    crossing last = {0};
    double at = NAN;
    for (int64_t i = 1; i + 1 < count; i++) {
        double f[3];
        for (int j = 0; j < 3; j++) f[j] = time[i + j - 1] * time[i + j - 1] * energy[i + j - 1];
        double before = time[i] - time[i - 1], after = time[i + 1] - time[i];
        double slope = ((f[1] - f[0]) / before * after + (f[2] - f[1]) / after * before) / (before + after);
        if (reaches(&last, time[i], time[i] * slope, level, &at)) return at;
    }
    return NAN;
}
