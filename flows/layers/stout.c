/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stout.c: gauge-equivariant layer of SU(2) and SU(3): stout steps with exact Jacobian.
 *
 * The links U_mu(x) with x_nu = shift modulo 2 are active.  Each lies in two plaquettes of the plane (mu, nu), P and Q = P C^+, the halves
 * of the loop C around both, which has no active link.  Each step multiplies P, and the link with it, by exp(-TA[M]), M a sum of words in
 * P and Q whose coefficients are polynomials of Re tr C: flows/kernels/stout_step.h, doc/su_n_flows.md.  In two dimensions the conditional
 * distribution of P depends on C alone, so that steps enough take Haar measure to it.  Layers take turns in mu, nu and the shift.
 */
#include "lattice/grid/kernels.h"
#include "flows/layout.h"

#include <stdlib.h>

enum { PERIOD = 2, SLOT_PARAMETERS = -4, SLOT_STAPLES = -5 };

typedef struct {
    flow_layer base;
    int mu, nu, shift;
    int steps, degree, parameters;
} stout;

typedef struct {
    flow_step base;
    const lat_sites *active, *frozen;
    lat_field *before, *parameter_cotangent, *staple_cotangent; /* before: NULL where there is no memory to keep it */
    flow_constants constants;
    int64_t *unsolved;
} stout_step;

/* ------------------------------------------------------------------------------------------------ hyper-parameters */

static flow_layer *create_for(lat_settings *settings, const flow_context *context, const stout *which, lat_error *error)
{
    const int words = flow_stout_words(context->group);
    if (words == 0)
        lat_settings_fail(settings, "kind", error, "stout is for su2 and su3, the lattice is %s",
                          lat_group_names[context->group]);
    stout *s = lat_alloc(1, sizeof *s);
    *s = *which;
    s->base = (flow_layer){.table = &flow_layer_stout, .period = PERIOD, .halo = 1};
    s->steps = (int)lat_settings_int(settings, "steps", 6, 1, STOUT_MAX_STEPS, error);
    s->degree = (int)lat_settings_int(settings, "degree", 1, 0, STOUT_MAX_DEGREE, error);
    s->parameters = s->steps * words * (s->degree + 1);
    if (!error->status) return &s->base;
    free(s);
    return NULL;
}

static flow_layer *create(lat_settings *settings, const flow_context *context, int index, lat_error *error)
{
    int dim = context->dim, pairs = dim * (dim - 1), pair = index % pairs, mu = pair % dim;
    stout which = {.mu = mu, .nu = (mu + 1 + pair / dim) % dim, .shift = index / pairs % PERIOD};
    return create_for(settings, context, &which, error);
}

static flow_layer *create_split(lat_settings *settings, const flow_context *context, int mu, int nu, lat_error *error)
{
    return create_for(settings, context, &(stout){.mu = mu, .nu = nu, .shift = 1}, error);
}

static void release(flow_layer *layer) { free(layer); }

static int64_t parameters(const flow_layer *layer) { return ((const stout *)layer)->parameters; }

/* Steps must not be alike, or they would stay so. */
static void initialise(const flow_layer *layer, const lat_random *random, double *parameters)
{
    const double nearly_identity = 1e-3;
    for (int i = 0; i < ((const stout *)layer)->parameters; i++) {
        double u[4];
        lat_uniform4(random, (uint64_t)i, 0, 0, 0, u);
        parameters[i] = nearly_identity * (2 * u[0] - 1);
    }
}

/* ---------------------------------------------------------------------------------------------------------- layout */

static const stout *layer_of(const stout_step *s) { return (const stout *)s->base.layer; }

static lat_field *keep_links(flow_map *map)
{
    const int reals = lat_link_reals(map->model->group);
    const int64_t bytes = map->geometry->volume * map->geometry->members * reals *
                          (int64_t)(map->precision == LAT_FLOAT ? sizeof(float) : sizeof(double));
    if (bytes > map->memory) return NULL;
    map->memory -= bytes;
    return lat_field_create(map->geometry, reals, map->precision);
}

static flow_step *layout(const flow_layer *layer, flow_map *map, lat_error *error)
{
    (void)error;
    const stout *l = (const stout *)layer;
    stout_step *s = lat_alloc(1, sizeof *s);
    s->base = (flow_step){layer, map};
    const lat_sites *stripes = flow_sites_of(map, flow_stripes_along(l->nu, PERIOD));
    s->active = &stripes[l->shift];
    s->frozen = &stripes[1 - l->shift];
    s->before = keep_links(map);
    s->parameter_cotangent = flow_scratch(map, SLOT_PARAMETERS, l->parameters, map->precision);
    s->staple_cotangent = flow_scratch(map, SLOT_STAPLES, 2 * lat_algebra_reals(map->model->group), map->precision);
    s->constants = flow_constants_create(map, l->parameters);
    s->unsolved = flow_unsolved(map);
    return &s->base;
}

static void free_step(flow_step *step)
{
    stout_step *s = (stout_step *)step;
    lat_field_free(s->before);
    flow_constants_free(step->map, &s->constants);
    free(s);
}

static bool active(const flow_step *step, int64_t site, int mu)
{
    const stout *l = (const stout *)step->layer;
    const lat_geometry *g = step->map->geometry;
    int64_t x[LAT_MAX_DIM];
    lat_coordinates(g, site, x);
    return mu == l->mu && (g->origin[l->nu] + x[l->nu]) % PERIOD == l->shift;
}

/* ----------------------------------------------------------------------------------------------------- application */

static stout_args arguments(const stout_step *s, const double *parameters, lat_field *u)
{
    const stout *l = layer_of(s);
    lat_halo_exchange(u);
    return (stout_args){.t = lat_tables_of(s->base.map->geometry),
                        .u = u->data,
                        .mu = l->mu,
                        .nu = l->nu,
                        .steps = l->steps,
                        .degree = l->degree,
                        .parameters = parameters,
                        .unsolved = s->unsolved,
                        .members = s->base.map->geometry->members};
}

static void map_links(stout_step *s, const double *parameters, lat_field *u, lat_field *density, bool keep)
{
    stout_args args = arguments(s, parameters, u);
    lat_range range = flow_range(s->base.map, s->active);
    args.density = density->data;
    args.before = keep && s->before ? s->before->data : NULL;
    flow_stout_kernels_of(s->base.map)->stout_forward(&args, &range);
}

static void forward(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    map_links((stout_step *)step, parameters, u, density, false);
}

static void record(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    map_links((stout_step *)step, parameters, u, density, true);
}

static void inverse(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    stout_step *s = (stout_step *)step;
    stout_args args = arguments(s, parameters, u);
    lat_range range = flow_range(step->map, s->active);
    args.density = density->data;
    flow_stout_kernels_of(step->map)->stout_inverse(&args, &range);
}

/* Passes what the staples have been left on to their links. */
static void pull_to_links(stout_step *s, const lat_field *u, lat_field *cotangent, double scale)
{
    const stout *l = layer_of(s);
    const flow_stout_kernels *kernels = flow_stout_kernels_of(s->base.map);
    lat_range here = flow_range(s->base.map, s->active), others = flow_range(s->base.map, s->frozen);
    gather_staples_args args = {
        lat_tables_of(s->base.map->geometry), u->data, s->staple_cotangent->data, cotangent->data, l->mu, l->nu, scale};
    lat_halo_exchange(s->staple_cotangent);
    kernels->gather_active(&args, &here);
    kernels->gather_frozen(&args, &others);
}

static void backward(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent,
                     const double *weight, double *gradient)
{
    stout_step *s = (stout_step *)step;
    const stout *l = layer_of(s);
    stout_args args = arguments(s, parameters, u);
    lat_range range = flow_range(step->map, s->active);
    args.cotangent = cotangent->data;
    args.weight = weight;
    args.parameter_cotangent = s->parameter_cotangent->data;
    args.staple_cotangent = s->staple_cotangent->data;
    args.before = step->map->recorded && s->before ? s->before->data : NULL;
    flow_stout_kernels_of(step->map)->stout_backward(&args, &range);
    pull_to_links(s, u, cotangent, 1);
    if (gradient)
        flow_constants_add(&s->constants, step->map, s->parameter_cotangent, flow_stripes_along(l->nu, PERIOD),
                           l->shift, gradient);
}

static void push(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density)
{
    stout_step *s = (stout_step *)step;
    stout_args args = arguments(s, parameters, u);
    lat_range range = flow_range(step->map, s->active);
    args.density = density->data;
    args.cotangent = cotangent->data;
    args.staple_cotangent = s->staple_cotangent->data;
    args.before = s->before ? s->before->data : NULL;
    flow_stout_kernels_of(step->map)->stout_push(&args, &range);
    pull_to_links(s, u, cotangent, -1);
}

const flow_layer_table flow_layer_stout = {
    .name = "stout",
    .create = create,
    .create_split = create_split,
    .free = release,
    .parameters = parameters,
    .initialise = initialise,
    .layout = layout,
    .free_step = free_step,
    .forward = forward,
    .record = record,
    .inverse = inverse,
    .backward = backward,
    .push = push,
    .active = active,
};
