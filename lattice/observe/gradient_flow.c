/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow.c: energy, topological charge and the scale t0 on the gradient flow, as observables.  The members that are measured are
 * copied to a lattice of their own, where they flow.
 */
#include "lattice/gauge/gradient_flow.h"
#include "lattice/observe/apart.h"
#include "lattice/observe/observable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TIMES = 32, MOST_STEPS = 1000000 };

/* The group of its name in `measure`. */
typedef struct {
    lat_gradient_flow_kind kind;
    double step, time[MOST_TIMES];
    int times;
    int64_t after[MOST_TIMES]; /* steps of the flow until these times */
    bool t0;
    int64_t interval; /* steps of the flow between the points from which t0 is interpolated; 0: it is not asked for */
} asked;

typedef struct {
    lat_observable base;
    bool charge, t0;
    int times;
    int64_t point[MOST_TIMES]; /* where the times are among the points */
    lat_gradient_flow_points points;
    lat_apart apart;
    lat_gradient_flow *flow;
    double *value; /* as lat_gradient_flow_integrate fills it */
} flowing;

/* ------------------------------------------------------------------------------------------------------------ measuring */

static void put_columns(const flowing *f, const double *value, double *out)
{
    const lat_geometry *g = f->apart.geometry;
    const int64_t slices = g->size[g->dim - 1];
    for (int i = 0; i < f->times; i++) {
        *out++ = lat_gradient_flow_t2e(&f->points, f->point[i], value, slices, g->volume);
        if (!f->charge) continue;
        const double charge = lat_gradient_flow_charge(&f->points, f->point[i], value, slices);
        *out++ = charge;
        *out++ = charge * charge;
    }
    if (!f->t0) return;
    const double t0 = lat_gradient_flow_points_t0(&f->points, value, slices, g->volume, 0.3);
    *out = isnan(t0) ? f->points.step * (double)f->points.after[f->points.count - 1] : t0;
}

static lat_status measure(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out, lat_error *error)
{
    (void)random;
    flowing *f = (flowing *)observable;
    const lat_geometry *g = f->apart.geometry;
    const int64_t values = LAT_GRADIENT_FLOW_QUANTITIES * f->points.count * g->size[g->dim - 1];
    lat_apart_take(&f->apart, gauge);
    if (lat_gradient_flow_integrate(f->flow, f->apart.gauge, &f->points, f->value, error)) return error->status;
    for (int m = 0; m < g->members; m++) put_columns(f, f->value + m * values, out + m * observable->columns);
    return LAT_DONE;
}

/* --------------------------------------------------------------------------------------------------------------- keys */

static void check_times(lat_settings *group, asked *a, lat_error *error)
{
    for (int i = 0; i < a->times && !error->status; i++) {
        const double steps = rint(a->time[i] / a->step);
        a->after[i] = steps <= MOST_STEPS ? (int64_t)steps : 0;
        if (steps > MOST_STEPS)
            lat_settings_fail(group, "times", error, "%.10g is more than %d steps of %.10g", a->time[i],
                              (int)MOST_STEPS, a->step);
        else if (steps < 1 || fabs(a->time[i] / a->step - steps) > 1e-6)
            lat_settings_fail(group, "times", error, "%.10g is no multiple of step, %.10g", a->time[i], a->step);
        else if (i > 0 && a->after[i] <= a->after[i - 1])
            lat_settings_fail(group, "times", error, "%.10g comes after %.10g: put them in ascending order", a->time[i],
                              a->time[i - 1]);
    }
}

static asked read_keys(lat_settings *group, lat_error *error)
{
    asked a = {
        .kind = (lat_gradient_flow_kind)lat_settings_choice(group, "kind", "wilson", lat_gradient_flow_names, error)};
    a.step = lat_settings_real(group, "step", 0.01, 1e-9, 1, error);
    a.times = lat_settings_reals(group, "times", a.time, -1, MOST_TIMES, 1e-6, 1e6, error);
    a.t0 = lat_settings_bool(group, "t0", false, error);
    if (a.t0) a.interval = lat_settings_int(group, "interval", 10, 1, MOST_STEPS, error);
    if (a.times < 1 && !error->status) lat_settings_fail(group, "times", error, "there is none: name at least one");
    check_times(group, &a, error);
    return a;
}

/* ----------------------------------------------------------------------------------------------------------- creating */

static void choose_points(flowing *f, const asked *a)
{
    lat_gradient_flow_points *p = &f->points;
    const int64_t last = a->after[a->times - 1];
    p->step = a->step;
    p->after = lat_alloc(last + 1, sizeof *p->after);
    for (int64_t n = 0; n <= last; n++) {
        const bool named = n == a->after[f->times], scale = a->t0 && n % a->interval == 0;
        if (named) f->point[f->times++] = p->count;
        if (named || scale) p->after[p->count++] = n;
    }
}

static void name_columns(flowing *f, const asked *a)
{
    lat_observable *o = &f->base;
    int column = 0;
    for (int i = 0; i < a->times; i++) {
        lat_observable_name(o, column++, "", "flow_t2e_%.10g", a->time[i]);
        if (!f->charge) continue;
        lat_observable_name(o, column++, "", "flow_charge_%.10g", a->time[i]);
        lat_observable_name(o, column++, "", "flow_charge_squared_%.10g", a->time[i]);
    }
    if (f->t0) lat_observable_name(o, column, "a^2", "flow_t0");
}

static void lay_out(flowing *f, const lat_gauge *gauge, const asked *a, lat_error *error)
{
    const lat_shape needs = {.halo = a->kind == LAT_GRADIENT_FLOW_ZEUTHEN ? 2 : 0};
    if (error->status || lat_apart_create(gauge, f->base.member, &needs, &f->apart, error)) return;
    const lat_geometry *g = f->apart.geometry;
    f->value = lat_alloc(g->members * LAT_GRADIENT_FLOW_QUANTITIES * f->points.count * g->size[g->dim - 1],
                         sizeof *f->value);
    lat_gradient_flow_create(f->apart.gauge, a->kind, &f->flow, error);
}

static void release(lat_observable *observable)
{
    flowing *f = (flowing *)observable;
    lat_gradient_flow_free(f->flow);
    lat_apart_free(&f->apart);
    free(f->points.after);
    free(f->value);
}

static lat_observable *create(const char *name, const lat_observe_context *context, lat_error *error)
{
    if (strcmp(name, "gradient_flow") != 0) return NULL;
    if (!context->measure) {
        lat_fail(error, LAT_CONFIG,
                 "measure.observables: gradient_flow is for runs: of stored configurations the group flow measures it");
        return NULL;
    }
    const lat_geometry *g = context->gauge->links->geometry;
    lat_settings *group = lat_settings_group(context->measure, name, error);
    asked a = read_keys(group, error);
    if (error->status) return NULL;
    const bool charge = g->dim == 4 || (g->dim == 2 && context->gauge->group == LAT_U1);
    const int columns = a.times * (charge ? 3 : 1) + a.t0;
    flowing *f = (flowing *)lat_observable_blank(&lat_observable_gradient_flow, sizeof *f, name, columns);
    lat_observable_read_when(&f->base, group, g->members, error);
    f->charge = charge;
    f->t0 = a.t0;
    choose_points(f, &a);
    name_columns(f, &a);
    lay_out(f, context->gauge, &a, error);
    if (!error->status) return &f->base;
    lat_observable_free(&f->base);
    return NULL;
}

const lat_observable_kind lat_observable_gradient_flow = {"gradient_flow", create, measure, release, NULL};
