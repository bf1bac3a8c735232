/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * masked_stout.c: stout smearing of some links at a time, a gauge-equivariant layer of any group with an exact
 * Jacobian.  Smearing: C. Morningstar and M. Peardon, Phys. Rev. D 69 (2004) 054501 [hep-lat/0311018]; as the map of
 * field-transformation HMC: arXiv:2502.05452.
 *
 * The links U_mu(x) at the sites of one class are active: U' = exp(-P(U A)) U, where A, the sum of the open loops at
 * the link with a coefficient for each kind, contains no active link.  With plaquettes classes are parities; with
 * rectangles, which reach two sites far, they are 2 x_mu + sum of the other coordinates, modulo 4.  Coefficients are
 * bounded so that the map is one to one, whatever the parameters (stout_kernels.h, doc/masked_stout.md).  Layers take
 * turns in the class, then in mu.
 */
#include "lattice/grid/kernels.h"
#include "flows/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const loop_names[FLOW_MASKED_STOUT_LOOPS] = {
    [FLOW_MASKED_STOUT_PLAQUETTE] = "plaquette", [FLOW_MASKED_STOUT_RECTANGLE] = "rectangle"};

enum { SLOT_INSERTION, SLOT_OPEN, SLOT_SLOPE }; /* and one for each further kind of loop */

typedef struct {
    flow_layer base;
    int mu, class;
    masked_stout_loops loops;
    flow_classes classes;
    double start[FLOW_MASKED_STOUT_LOOPS]; /* initial parameters */
} stout;

typedef struct {
    flow_step base;
    const lat_sites *classes; /* [period] */
    lat_field *kept;          /* active links before the map, of one link; NULL: there is no memory to keep them */
} stout_of_map;

/* ------------------------------------------------------------------------------------------------ hyper-parameters */

static void read_loops(masked_stout_loops *l, int dim, lat_settings *settings, lat_error *error)
{
    const char *name[FLOW_MASKED_STOUT_LOOPS] = {loop_names[FLOW_MASKED_STOUT_PLAQUETTE]};
    bool taken[FLOW_MASKED_STOUT_LOOPS] = {false};
    l->kinds = lat_settings_strings(settings, "loops", name, 1, FLOW_MASKED_STOUT_LOOPS, error);
    if (error->status) return;
    if (l->kinds == 0)
        lat_settings_fail(settings, "loops", error, "is empty: name \"plaquette\", \"rectangle\" or both");
    for (int i = 0; i < l->kinds && !error->status; i++) {
        int kind = 0;
        while (kind < FLOW_MASKED_STOUT_LOOPS && strcmp(name[i], loop_names[kind]) != 0) kind++;
        if (kind == FLOW_MASKED_STOUT_LOOPS || taken[kind]) {
            lat_settings_fail(settings, "loops", error, "\"%s\" is %s: name \"plaquette\", \"rectangle\" or both",
                              name[i], kind == FLOW_MASKED_STOUT_LOOPS ? "no kind of loop" : "named twice");
            return;
        }
        taken[kind] = true;
        l->kind[i] = (flow_masked_stout_loop)kind;
        l->count[i] = flow_masked_stout_count(l->kind[i], dim);
    }
}

/* The parameters of the coefficients rho: with v_i = rho_i count_i / 0.9, p = v / sqrt(1 - kinds |v|^2). */
static void read_start(stout *s, int dim, lat_settings *settings, lat_error *error)
{
    double rho[FLOW_MASKED_STOUT_LOOPS] = {0}, room = 1;
    int given = lat_settings_reals(settings, "rho", rho, s->loops.kinds, FLOW_MASKED_STOUT_LOOPS, -1, 1, error);
    if (error->status) return;
    if (given != s->loops.kinds) {
        lat_settings_fail(settings, "rho", error, "%d numbers for %d kinds of loops: give one each", given,
                          s->loops.kinds);
        return;
    }
    for (int i = 0; i < s->loops.kinds; i++) {
        s->start[i] = rho[i] * s->loops.count[i] / FLOW_MASKED_STOUT_BOUND;
        room -= s->loops.kinds * s->start[i] * s->start[i];
    }
    if (room <= 0) {
        lat_settings_fail(
            settings, "rho", error,
            "is too large for a map that is one to one: %g of plaquettes alone is the most in %d dimensions",
            FLOW_MASKED_STOUT_BOUND /
                (flow_masked_stout_count(FLOW_MASKED_STOUT_PLAQUETTE, dim) * sqrt(s->loops.kinds)),
            dim);
        return;
    }
    for (int i = 0; i < s->loops.kinds; i++) s->start[i] /= sqrt(room);
}

static flow_layer *create(lat_settings *settings, const flow_context *context, int index, lat_error *error)
{
    stout *s = lat_alloc(1, sizeof *s);
    bool far = false;
    read_loops(&s->loops, context->dim, settings, error);
    if (!error->status) read_start(s, context->dim, settings, error);
    if (error->status) {
        free(s);
        return NULL;
    }
    for (int i = 0; i < s->loops.kinds; i++) far = far || s->loops.kind[i] != FLOW_MASKED_STOUT_PLAQUETTE;
    s->classes = (flow_classes){.period = far ? 4 : 2};
    s->class = index % s->classes.period;
    s->mu = index / s->classes.period % context->dim;
    for (int nu = 0; nu < context->dim; nu++) s->classes.step[nu] = far && nu == s->mu ? 2 : 1;
    s->base = (flow_layer){.table = &flow_layer_masked_stout, .period = s->classes.period, .halo = far ? 2 : 1};
    return &s->base;
}

static void release(flow_layer *layer) { free(layer); }

static int64_t parameters(const flow_layer *layer) { return ((const stout *)layer)->loops.kinds; }

/* The identity, if no other coefficients are asked for */
static void initialise(const flow_layer *layer, const lat_random *random, double *parameters)
{
    const stout *s = (const stout *)layer;
    (void)random;
    memcpy(parameters, s->start, (size_t)s->loops.kinds * sizeof *parameters);
}

/* ---------------------------------------------------------------------------------------------------------- layout */

static const stout *layer_of(const flow_step *step) { return (const stout *)step->layer; }

/* If what the map still may take has room for it; of the whole lattice, so that it does not depend on the ranks. */
static lat_field *keep(flow_map *map)
{
    const lat_geometry *g = map->geometry;
    const int reals = lat_link_reals(map->model->group);
    const int64_t bytes =
        g->volume * g->members * reals * (int64_t)(map->precision == LAT_FLOAT ? sizeof(float) : sizeof(double));
    if (bytes > map->memory) return NULL;
    map->memory -= bytes;
    return lat_field_create(g, reals, map->precision);
}

static flow_step *layout(const flow_layer *layer, flow_map *map, lat_error *error)
{
    (void)error;
    stout_of_map *s = lat_alloc(1, sizeof *s);
    s->base = (flow_step){layer, map};
    s->classes = flow_sites_of(map, layer_of(&s->base)->classes);
    s->kept = keep(map);
    return &s->base;
}

static void free_step(flow_step *step)
{
    lat_field_free(((stout_of_map *)step)->kept);
    free(step);
}

static bool active(const flow_step *step, int64_t site, int mu)
{
    const stout *s = layer_of(step);
    const lat_geometry *g = step->map->geometry;
    int64_t x[LAT_MAX_DIM], sum = 0;
    lat_coordinates(g, site, x);
    for (int nu = 0; nu < g->dim; nu++) sum += s->classes.step[nu] * (g->origin[nu] + x[nu]);
    return mu == s->mu && sum % s->classes.period == s->class;
}

/* ----------------------------------------------------------------------------------------------------- application */

static masked_stout_loops loops_of(const flow_step *step, const double *parameters)
{
    masked_stout_loops loops = layer_of(step)->loops;
    loops.parameters = parameters;
    return loops;
}

static masked_stout_args arguments(const flow_step *step, const double *parameters, lat_field *u)
{
    return (masked_stout_args){.t = lat_tables_of(step->map->geometry),
                               .l = loops_of(step, parameters),
                               .u = u->data,
                               .mu = layer_of(step)->mu};
}

/* What the halo holds for plaquettes, or where there are rectangles all. */
static void exchange(const flow_step *step, lat_field *u)
{
    const lat_halo_choice all = {0};
    lat_halo_finish(lat_halo_start(u, step->layer->halo > 1 ? all : lat_halo_staples()));
}

/* One of the kernels on active links, which read all others. */
static void run(const flow_step *step, lat_field *u, const masked_stout_args *args,
                void (*kernel)(const masked_stout_args *args, const lat_range *range))
{
    lat_range range = flow_range(step->map, &((const stout_of_map *)step)->classes[layer_of(step)->class]);
    exchange(step, u);
    kernel(args, &range);
}

static void apply(flow_step *step, const double *parameters, lat_field *u, lat_field *density, const lat_field *kept)
{
    masked_stout_args args = arguments(step, parameters, u);
    args.density = density->data;
    args.kept = kept ? kept->data : NULL;
    run(step, u, &args, flow_masked_stout_kernels_of(step->map)->masked_stout_forward);
}

static void forward(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    apply(step, parameters, u, density, NULL);
}

static void record(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    apply(step, parameters, u, density, ((stout_of_map *)step)->kept);
}

/* Where an iteration says whether it has converged; and the failure if some have not. */
static lat_field *open_links(flow_map *map)
{
    lat_field *open = flow_scratch(map, SLOT_OPEN, 1, LAT_DOUBLE);
    lat_field_zero(open);
    return open;
}

static void check_convergence(flow_map *map, const lat_field *open)
{
    const int members = map->geometry->members;
    double *count = lat_alloc(members, sizeof *count);
    lat_sum(open, count);
    for (int m = 0; m < members; m++)
        if (count[m] != 0)
            lat_fail(&map->error, LAT_NUMERICAL,
                     "masked_stout: the inverse of %.0f links has not converged in %d iterations: links or parameters "
                     "are damaged",
                     count[m], FLOW_MASKED_STOUT_ITERATIONS);
    free(count);
}

static void inverse(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    lat_field *open = open_links(step->map);
    masked_stout_args args = arguments(step, parameters, u);
    args.density = density->data;
    args.open = open->data;
    run(step, u, &args, flow_masked_stout_kernels_of(step->map)->masked_stout_inverse);
    check_convergence(step->map, open);
}

/* ------------------------------------------------------------------------------------------------------ derivatives */

static lat_field *insertions(flow_map *map)
{
    const lat_group group = map->model->group;
    return flow_scratch(map, SLOT_INSERTION, group == LAT_U1 ? 2 : lat_link_reals(group), map->precision);
}

/* Passes what active links want of their staples on to the links of these. */
static void gather(const flow_step *step, const double *parameters, const lat_field *u, lat_field *insertion,
                   lat_field *cotangent, double scale)
{
    const stout *s = layer_of(step);
    masked_stout_gather_args args = {.t = lat_tables_of(step->map->geometry),
                                     .l = loops_of(step, parameters),
                                     .u = u->data,
                                     .insertion = insertion->data,
                                     .cotangent = cotangent->data,
                                     .scale = scale,
                                     .mu = s->mu,
                                     .period = s->classes.period};
    for (int nu = 0; nu < step->map->geometry->dim; nu++) args.step[nu] = s->classes.step[nu];
    lat_halo_exchange(insertion);
    for (args.phase = 0; args.phase < args.period; args.phase++) {
        lat_range range =
            flow_range(step->map, &((const stout_of_map *)step)->classes[(s->class + args.phase) % args.period]);
        flow_masked_stout_kernels_of(step->map)->masked_stout_gather(&args, &range);
    }
}

/* The sum over the lattice is exact, hence the same however it is cut; one rank counts it. */
static void add_to_gradient(const flow_map *map, const lat_field *slope, double *gradient)
{
    const lat_geometry *g = map->geometry;
    const int64_t row = flow_gradient_row(map);
    double *sum = lat_alloc(g->members, sizeof *sum), total;
    lat_sum(slope, sum);
    for (int m = 0; m < g->members && g->rank == 0; m++) {
        g->backend->download(&total, gradient + m * row, sizeof total, LAT_OF_ARRAY);
        total += sum[m];
        g->backend->upload(gradient + m * row, &total, sizeof total, LAT_OF_ARRAY);
    }
    free(sum);
}

static void backward(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent,
                     const double *weight, double *gradient)
{
    flow_map *map = step->map;
    const stout *s = layer_of(step);
    const lat_field *kept = map->recorded ? ((stout_of_map *)step)->kept : NULL;
    lat_field *insertion = insertions(map), *slope[FLOW_MASKED_STOUT_LOOPS] = {NULL},
              *open = kept ? NULL : open_links(map);
    masked_stout_args args = arguments(step, parameters, u);
    args.kept = kept ? kept->data : NULL;
    args.open = kept ? NULL : open->data;
    args.cotangent = cotangent->data;
    args.weight = weight;
    args.insertion = insertion->data;
    for (int i = 0; i < s->loops.kinds && gradient; i++) {
        slope[i] = flow_scratch(map, SLOT_SLOPE + i, 1, LAT_DOUBLE);
        lat_field_zero(slope[i]);
        args.slope[i] = slope[i]->data;
    }
    run(step, u, &args, flow_masked_stout_kernels_of(map)->masked_stout_backward);
    if (!kept) check_convergence(map, open);
    gather(step, parameters, u, insertion, cotangent, 1);
    for (int i = 0; i < s->loops.kinds && gradient; i++) add_to_gradient(map, slope[i], gradient + i);
}

static void push(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density)
{
    const lat_field *kept = ((stout_of_map *)step)->kept;
    lat_field *insertion = insertions(step->map);
    masked_stout_args args = arguments(step, parameters, u);
    args.density = density->data;
    args.kept = kept ? kept->data : NULL;
    args.cotangent = cotangent->data;
    args.insertion = insertion->data;
    run(step, u, &args, flow_masked_stout_kernels_of(step->map)->masked_stout_push);
    gather(step, parameters, u, insertion, cotangent, -1);
}

const flow_layer_table flow_layer_masked_stout = {
    .name = "masked_stout",
    .create = create,
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
