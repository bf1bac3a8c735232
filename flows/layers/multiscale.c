/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * multiscale.c: a flow on a lattice of half the extent in one direction, and couplings that refine it.  Multiscale flows:
 * R. Abbott et al., arXiv:2404.10819.
 *
 * The coarse links are V_nu = U_nu(x) U_nu(x + nu) and V_mu = U_mu(x), at the sites x with x_nu even.  The layer maps V by
 * the flow of the coarse lattice, which is this layer again, one level less, and takes U_nu(x) to V_nu U_nu(x + nu)^+, so
 * that the Jacobian is that of the coarse flow and gauge covariance is inherited.  Then each link U_mu(x + nu) that cuts a
 * coarse region in two is drawn anew: a plaquette coupling or a stout layer, `split`, changes all links at odd x_nu at once, given the loops
 * around the whole regions.  Further layers of this scale may follow.
 *
 * Levels take turns in nu.  A level whose direction has an odd extent is left out: what is coarser is laid out on this
 * lattice as it is; so the same model runs on small and on large lattices.  Where the blocks of ranks and lanes cannot be
 * halved the rest is computed on the whole lattice, on every rank alike.
 */
#include "lattice/grid/kernels.h"
#include "flows/layout.h"
#include "flows/stack.h"

#include <stdlib.h>

typedef struct {
    flow_layer base;
    int level, nu;
    flow_stack coarse;        /* the next level, or nothing */
    flow_stack split, layers; /* parameters: coarse, split, layers */
} multiscale;

typedef struct {
    flow_step base;
    flow_steps *split, *layers; /* NULL: the level is left out, or is done on the whole lattice */
    bool whole;
    lat_geometry *geometry; /* the coarse lattice, or the whole one on every rank */
    flow_map *map;
    flow_step *inner; /* the next level on the coarse lattice, or this one on the whole; NULL: there is none */
    lat_field *u, *cotangent, *density;
    int64_t *fine, *ahead;
} multiscale_step;

/* ------------------------------------------------------------------------------------------------ hyper-parameters */

static void free_layer(flow_layer *layer)
{
    multiscale *m = (multiscale *)layer;
    flow_stack_free(&m->coarse);
    flow_stack_free(&m->split);
    flow_stack_free(&m->layers);
    free(m);
}

/* The links that cut coarse regions: all directions but nu, at odd coordinates. */
static void add_splits(multiscale *m, lat_settings *settings, const flow_context *context, lat_error *error)
{
    lat_settings *split = lat_settings_group(settings, "split", error);
    const flow_layer_table *kind = &flow_layer_plaquette_coupling;
    if (!error->status && lat_settings_has(split, "kind")) kind = flow_kind_read(split, context, error);
    if (error->status) return;
    if (!kind->create_split) {
        lat_settings_fail(split, "kind", error, "layers of kind \"%s\" cannot refine a lattice: use \"plaquette_coupling\" or \"stout\"", kind->name);
        return;
    }
    for (int mu = 0; mu < context->dim && !error->status; mu++)
        if (mu != m->nu) flow_stack_add(&m->split, kind->create_split(split, context, mu, m->nu, error));
}

static flow_layer *create_level(lat_settings *settings, const flow_context *context, int level, lat_error *error)
{
    if (level == 0) return NULL;
    multiscale *m = lat_alloc(1, sizeof *m);
    m->base = (flow_layer){.table = &flow_layer_multiscale, .period = 1, .halo = 1};
    m->level = level;
    m->nu = (level - 1) % context->dim;
    flow_stack_add(&m->coarse, create_level(settings, context, level - 1, error));
    if (!error->status) add_splits(m, settings, context, error);
    if (!error->status) flow_stack_read(&m->layers, settings, "layers", context, error);
    if (error->status) {
        free_layer(&m->base);
        return NULL;
    }
    const flow_stack *stacks[] = {&m->coarse, &m->split, &m->layers};
    for (int i = 0; i < 3; i++) {
        if (stacks[i]->halo > m->base.halo) m->base.halo = stacks[i]->halo;
        if (!m->base.without_push) m->base.without_push = stacks[i]->without_push;
    }
    return &m->base;
}

static flow_layer *create(lat_settings *settings, const flow_context *context, int index, lat_error *error)
{
    enum { MOST_LEVELS = 64 };
    (void)index;
    int levels = (int)lat_settings_int(settings, "levels", 0, 1, MOST_LEVELS, error);
    if (!error->status && levels == 0)
        lat_settings_fail(settings, "levels", error, "is missing: 8 levels go from 1x1 to 16x16");
    return error->status ? NULL : create_level(settings, context, levels, error);
}

static int64_t parameters(const flow_layer *layer)
{
    const multiscale *m = (const multiscale *)layer;
    return m->coarse.parameter_count + m->split.parameter_count + m->layers.parameter_count;
}

/* Steps of random numbers that no other layer uses: models have less than 4096 layers. */
static void initialise(const flow_layer *layer, const lat_random *random, double *parameters)
{
    enum { APART = 4096, FIRST_LAYER = 16 };
    const multiscale *m = (const multiscale *)layer;
    lat_random own = *random;
    own.update++;
    flow_stack_initialise(&m->coarse, &own, 1, parameters);
    own.step += APART;
    flow_stack_initialise(&m->split, &own, APART, parameters + m->coarse.parameter_count);
    own.step += FIRST_LAYER * APART;
    flow_stack_initialise(&m->layers, &own, APART, parameters + m->coarse.parameter_count + m->split.parameter_count);
}

/* ---------------------------------------------------------------------------------------------------------- layout */

/* Do the masks of the further layers fit the extents?  Where they do not, these layers are left out. */
static bool suits(const flow_stack *layers, const lat_geometry *g)
{
    for (int mu = 0; mu < g->dim; mu++)
        if (g->size[mu] % layers->period) return false;
    return true;
}

/* Can every rank and lane keep its part of this level and of the coarse lattice? */
static bool halves(const multiscale *m, const lat_geometry *g)
{
    for (int mu = 0; mu < g->dim; mu++) {
        if (!g->split[mu]) continue;
        if (mu == m->nu && (g->block[mu] % 2 || g->block[mu] / 2 < g->halo)) return false;
        if (suits(&m->layers, g) && g->block[mu] % m->layers.period) return false;
    }
    return true;
}

static void make_fields(multiscale_step *s)
{
    const flow_map *map = s->base.map;
    lat_group group = map->model->group;
    s->u = lat_field_create(s->geometry, s->geometry->dim * lat_link_reals(group), map->precision);
    s->cotangent = lat_field_algebra(s->geometry, group, map->precision);
    s->density = lat_field_create(s->geometry, 1, LAT_DOUBLE);
}

static void lay_out_whole(multiscale_step *s, lat_error *error)
{
    const flow_layer *layer = s->base.layer;
    s->whole = true;
    if (flow_whole_geometry(s->base.map, &s->geometry, error)) return;
    s->map = flow_map_within(s->base.map, s->geometry);
    make_fields(s);
    s->inner = layer->table->layout(layer, s->map, error);
    s->base.map->memory = s->map->memory;
}

static lat_shape coarse_shape(const flow_map *map, int nu)
{
    const lat_geometry *g = map->geometry;
    lat_shape shape = {.dim = g->dim, .members = g->members, .period = 1, .halo = g->halo, .corners = g->corners, .precision = map->precision,
                       .backend = g->backend};
    for (int mu = 0; mu < g->dim; mu++) {
        shape.size[mu] = mu == nu ? g->size[mu] / 2 : g->size[mu];
        shape.ranks[mu] = g->ranks[mu];
        shape.lane_grid[mu] = g->lane_grid[mu];
    }
    return shape;
}

static void list_fine_sites(multiscale_step *s, int nu)
{
    const lat_geometry *fine = s->base.map->geometry, *g = s->geometry;
    s->fine = lat_alloc(g->sites, sizeof *s->fine);
    s->ahead = lat_alloc(g->sites, sizeof *s->ahead);
    for (int64_t site = 0; site < g->sites; site++) {
        int64_t c[LAT_MAX_DIM];
        lat_coordinates(g, site, c);
        c[nu] *= 2;
        s->fine[site] = lat_site(fine, c);
        s->ahead[site] = fine->up[nu][s->fine[site]];
    }
    s->fine = lat_hand_over(g, s->fine, g->sites * (int64_t)sizeof *s->fine);
    s->ahead = lat_hand_over(g, s->ahead, g->sites * (int64_t)sizeof *s->ahead);
}

static void lay_out_level(multiscale_step *s, lat_error *error)
{
    static const flow_stack nothing = {0};
    const multiscale *m = (const multiscale *)s->base.layer;
    flow_map *map = s->base.map;
    lat_shape shape = coarse_shape(map, m->nu);
    if (lat_geometry_create(map->geometry->comm, &shape, &s->geometry, error)) return;
    s->map = flow_map_within(map, s->geometry);
    make_fields(s);
    list_fine_sites(s, m->nu);
    if (m->coarse.layers) s->inner = m->coarse.layer[0]->table->layout(m->coarse.layer[0], s->map, error);
    map->memory = s->map->memory;
    s->split = flow_steps_create(&m->split, map, error);
    s->layers = flow_steps_create(suits(&m->layers, map->geometry) ? &m->layers : &nothing, map, error);
}

static flow_step *layout(const flow_layer *layer, flow_map *map, lat_error *error)
{
    const multiscale *m = (const multiscale *)layer;
    const lat_geometry *g = map->geometry;
    multiscale_step *s = lat_alloc(1, sizeof *s);
    s->base = (flow_step){layer, map};
    if (!halves(m, g)) {
        lay_out_whole(s, error);
    } else if (g->size[m->nu] % 2 == 0) {
        lay_out_level(s, error);
    } else if (m->coarse.layers) {
        free(s);
        return m->coarse.layer[0]->table->layout(m->coarse.layer[0], map, error);
    }
    return &s->base;
}

static void free_step(flow_step *step)
{
    multiscale_step *s = (multiscale_step *)step;
    if (s->inner) s->inner->layer->table->free_step(s->inner);
    flow_steps_free(s->split);
    flow_steps_free(s->layers);
    lat_field_free(s->u);
    lat_field_free(s->cotangent);
    lat_field_free(s->density);
    flow_map_free(s->map);
    if (s->geometry) {
        s->geometry->backend->release(s->fine);
        s->geometry->backend->release(s->ahead);
    }
    lat_geometry_free(s->geometry);
    free(s);
}

/* ------------------------------------------------------------------------------------- from one lattice to the other */

static void run(const multiscale_step *s, void (*kernel)(const block_args *args, const lat_range *range), lat_field *u, lat_field *v,
                const lat_field *links)
{
    const multiscale *m = (const multiscale *)s->base.layer;
    block_args args = {lat_tables_of(s->geometry), u->data, v->data, links->data, s->fine, s->ahead, m->nu};
    lat_range block = lat_block(s->geometry);
    kernel(&args, &block);
}

static const flow_blocking_kernels *kernels_of(const multiscale_step *s) { return flow_blocking_kernels_of(s->base.map); }

/* Takes the links, and unless NULL their cotangents, to the lattice of the inner step. */
static void descend(multiscale_step *s, lat_field *u, lat_field *cotangent)
{
    lat_field_zero(s->density);
    if (s->whole) {
        flow_copy_members(u, s->u);
        if (cotangent) flow_copy_members(cotangent, s->cotangent);
        return;
    }
    run(s, kernels_of(s)->block_links, u, s->u, u);
    if (cotangent) run(s, kernels_of(s)->block_cotangents, cotangent, s->cotangent, u);
}

/* And back; density, unless NULL, receives what the inner step has found. */
static void ascend(multiscale_step *s, lat_field *u, lat_field *cotangent, lat_field *density)
{
    enum { SLOT_DENSITY = -1 };
    if (s->whole) {
        flow_copy_members(s->u, u);
        if (cotangent) flow_copy_members(s->cotangent, cotangent);
        if (!density) return;
        lat_field *share = flow_scratch(s->base.map, SLOT_DENSITY, 1, LAT_DOUBLE);
        flow_copy_members(s->density, share);
        lat_field_axpy(density, 1, share);
        return;
    }
    run(s, kernels_of(s)->unblock_links, u, s->u, u);
    if (cotangent) run(s, kernels_of(s)->unblock_cotangents, cotangent, s->cotangent, u);
    if (!density) return;
    lift_density_args args = {lat_tables_of(s->geometry), density->data, s->density->data, s->fine};
    lat_range block = lat_block(s->geometry);
    kernels_of(s)->lift_density(&args, &block);
}

/* ----------------------------------------------------------------------------------------------------- application */

static const double *split_parameters(const flow_step *step, const double *parameters)
{
    return parameters + ((const multiscale *)step->layer)->coarse.parameter_count;
}

static const double *layer_parameters(const flow_step *step, const double *parameters)
{
    return split_parameters(step, parameters) + ((const multiscale *)step->layer)->split.parameter_count;
}

static void apply(flow_step *step, const double *parameters, lat_field *u, lat_field *density, bool keep)
{
    multiscale_step *s = (multiscale_step *)step;
    void (*through)(const flow_steps *, const double *, lat_field *, lat_field *) = keep ? flow_steps_record : flow_steps_forward;
    if (s->inner) {
        const flow_layer_table *table = s->inner->layer->table;
        descend(s, u, NULL);
        (keep ? table->record : table->forward)(s->inner, parameters, s->u, s->density);
        ascend(s, u, NULL, density);
    }
    if (!s->split) return;
    through(s->split, split_parameters(step, parameters), u, density);
    through(s->layers, layer_parameters(step, parameters), u, density);
}

static void forward(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    apply(step, parameters, u, density, false);
}

static void record(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    apply(step, parameters, u, density, true);
}

static void inverse(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    multiscale_step *s = (multiscale_step *)step;
    if (s->split) {
        flow_steps_inverse(s->layers, layer_parameters(step, parameters), u, density);
        flow_steps_inverse(s->split, split_parameters(step, parameters), u, density);
    }
    if (!s->inner) return;
    descend(s, u, NULL);
    s->inner->layer->table->inverse(s->inner, parameters, s->u, s->density);
    flow_map_failed(s->map, &step->map->error);
    ascend(s, u, NULL, density);
}

/* On the whole lattice every rank finds the same derivatives: one of them counts. */
static void backward(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, const double *weight, double *gradient)
{
    multiscale_step *s = (multiscale_step *)step;
    if (s->split) {
        const double *split = split_parameters(step, parameters), *layers = layer_parameters(step, parameters);
        flow_steps_backward(s->layers, layers, u, cotangent, weight, gradient ? gradient + (layers - parameters) : NULL);
        flow_steps_backward(s->split, split, u, cotangent, weight, gradient ? gradient + (split - parameters) : NULL);
    }
    if (!s->inner) return;
    s->map->recorded = step->map->recorded;
    descend(s, u, cotangent);
    bool counts = !s->whole || step->map->geometry->rank == 0;
    s->inner->layer->table->backward(s->inner, parameters, s->u, s->cotangent, weight, counts ? gradient : NULL);
    ascend(s, u, cotangent, NULL);
}

static void push(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density)
{
    multiscale_step *s = (multiscale_step *)step;
    if (s->inner) {
        descend(s, u, cotangent);
        s->inner->layer->table->push(s->inner, parameters, s->u, s->cotangent, s->density);
        ascend(s, u, cotangent, density);
    }
    if (!s->split) return;
    flow_steps_push(s->split, split_parameters(step, parameters), u, cotangent, density);
    flow_steps_push(s->layers, layer_parameters(step, parameters), u, cotangent, density);
}

static void walk(flow_step *step, const double *parameters, lat_field *u, lat_field *density, flow_visitor *visitor, bool back)
{
    multiscale_step *s = (multiscale_step *)step;
    const double *split = split_parameters(step, parameters), *layers = layer_parameters(step, parameters);
    if (s->split && back) {
        flow_steps_walk(s->layers, layers, u, density, visitor, back);
        flow_steps_walk(s->split, split, u, density, visitor, back);
    }
    if (s->inner) {
        descend(s, u, NULL);
        flow_step_walk(s->inner, parameters, s->u, s->density, visitor, back);
        flow_map_failed(s->map, &step->map->error);
        ascend(s, u, NULL, density);
    }
    if (s->split && !back) {
        flow_steps_walk(s->split, split, u, density, visitor, back);
        flow_steps_walk(s->layers, layers, u, density, visitor, back);
    }
}

const flow_layer_table flow_layer_multiscale = {
    .name = "multiscale",
    .create = create,
    .free = free_layer,
    .parameters = parameters,
    .initialise = initialise,
    .layout = layout,
    .free_step = free_step,
    .forward = forward,
    .record = record,
    .inverse = inverse,
    .backward = backward,
    .push = push,
    .walk = walk,
};
