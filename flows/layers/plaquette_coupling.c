/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plaquette_coupling.c: gauge-equivariant coupling layer of U(1), arXiv:2003.06413 and 2101.08176.
 *
 * The links U_mu(x) with x_nu = shift modulo the period, 4 or 2, are active.  Each lies in one active plaquette, P = P_{mu nu}(x), and is
 * changed so that P goes to h(P): U' = h(P) P^+ U, with h a map of the circle whose parameters a network makes from loops
 * that contain no active link.  All active links are independent given the others, so the Jacobian is triangular and
 * log det = sum over active plaquettes of log h'(P).  Layers take turns in mu, nu and the shift.
 *
 * Where every second link is active, the active plaquette is one half of the loop around it and the plaquette before it.  An
 * even spline acts on what it deviates from half of that loop's angle L, P - L / 2, by an odd map that depends on |L|: the
 * conditional distribution of a half given the whole is the same for both halves, and for opposite charges.  (At L = +-pi,
 * where half the angle jumps by pi, P - L / 2 does as well, and its distribution, by that symmetry, is continuous.)
 */
#include "lattice/grid/kernels.h"
#include "flows/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_LOOPS = FLOW_NET_SLOTS };

static const char *const transform_names[] = {"spline", "tangents", "even_spline", NULL};
static const char *const activation_names[] = {"none", "leaky", "tanh", "silu", NULL};

/* Which links are active: U_mu(x) with x_nu = shift modulo period. */
typedef struct {
    int mu, nu, shift, period;
} turn;

typedef struct {
    flow_layer base;
    turn turn;
    int plane; /* which loop is the plaquette in the plane of mu and nu */
    flow_transform transform;
    int knots, outputs;
    int loops;
    flow_loop loop[FLOW_MAX_LOOPS];
    loop_channels channels; /* of the network's input */
    flow_net net;
} coupling;

typedef struct {
    flow_step base;
    flow_net_layout *net;
    const lat_sites *active;
    const lat_sites *phase[FLOW_MAX_PERIOD];
    uint32_t open[FLOW_MAX_PERIOD]; /* loops without active links, by the phase of the site they are kept at */
    lat_field *loop_cotangent;
    lat_field *plaquette; /* the active plaquettes before the map, kept by record; NULL: there is no memory to keep anything */
} coupling_step;

/* ------------------------------------------------------------------------------------------------ hyper-parameters */

/* "RxT" in every plane of the lattice; in planes where R and T differ both ways round have to be named. */
static void add_loops(coupling *c, int dim, const char *shape, lat_settings *settings, lat_error *error)
{
    int r, t, end = 0;
    if (sscanf(shape, "%2dx%2d%n", &r, &t, &end) != 2 || shape[end] || r < 1 || t < 1 || r > 8 || t > 8) {
        lat_settings_fail(settings, "loops", error, "\"%s\" is no loop: write RxT with R and T from 1 to 8", shape);
        return;
    }
    for (int a = 0; a < dim; a++)
        for (int b = a + 1; b < dim; b++) {
            if (c->loops == FLOW_MAX_LOOPS) {
                lat_settings_fail(settings, "loops", error, "more than %d loops over all planes: name fewer", FLOW_MAX_LOOPS);
                return;
            }
            c->loop[c->loops++] = (flow_loop){a, b, r, t};
            int extent = r > t ? r : t;
            if (extent > c->base.halo) c->base.halo = extent;
        }
}

static void read_loops(coupling *c, int dim, lat_settings *settings, lat_error *error)
{
    const char *shape[FLOW_MAX_LOOPS] = {"1x1", "1x2", "2x1"};
    int shapes = lat_settings_strings(settings, "loops", shape, c->turn.period == 2 ? 3 : 1, FLOW_MAX_LOOPS, error);
    if (error->status) return;
    if (shapes == 0 || strcmp(shape[0], "1x1") != 0) {
        lat_settings_fail(settings, "loops", error, "the first loop is not \"1x1\": the plaquette has to come first");
        return;
    }
    for (int i = 0; i < shapes && !error->status; i++) add_loops(c, dim, shape[i], settings, error);
}

/* Is there an active link on the loop that is kept at a site of this phase?  Only its sides along mu can be active, and all
 * links of a side have the same phase. */
static bool contains_active(const coupling *c, flow_loop loop, int phase)
{
    if (loop.a != c->turn.mu && loop.b != c->turn.mu) return false;
    int other = loop.a == c->turn.mu ? loop.b : loop.a, distance = loop.a == c->turn.mu ? loop.t : loop.r, period = c->turn.period;
    if (other != c->turn.nu) return phase == 0;
    int near = ((phase - distance / 2) % period + period) % period;
    return near == 0 || (near + distance) % period == 0;
}

/* The loop whose half an even spline starts from; -1: none. */
static int halved_loop(const coupling *c, lat_settings *settings, lat_error *error)
{
    if (c->transform != FLOW_EVEN_SPLINE) return -1;
    bool ascending = c->turn.mu < c->turn.nu;
    int a = ascending ? c->turn.mu : c->turn.nu, b = ascending ? c->turn.nu : c->turn.mu;
    for (int l = 0; l < c->loops && c->turn.period == 2; l++) {
        flow_loop loop = c->loop[l];
        if (loop.a == a && loop.b == b && loop.r == (ascending ? 1 : 2) && loop.t == (ascending ? 2 : 1)) return l;
    }
    lat_settings_fail(settings, "transform", error, "\"even_spline\" is for the split of a multiscale layer with the loops \"1x2\" and \"2x1\"");
    return -1;
}

/* Loops that contain active links wherever they lie tell the network nothing. */
static void read_channels(coupling *c, lat_settings *settings, lat_error *error)
{
    enum { MOST_HARMONICS = 16 };
    c->channels.loops = c->loops;
    c->channels.harmonics = (int)lat_settings_int(settings, "harmonics", 1, 1, MOST_HARMONICS, error);
    for (int l = 0; l < c->loops; l++)
        for (int phase = 0; phase < c->turn.period; phase++)
            if (!contains_active(c, c->loop[l], phase)) c->channels.live |= 1u << l;
    c->channels.halved = halved_loop(c, settings, error);
    for (int l = 0; l < c->loops; l++)
        if (c->channels.live >> l & 1) c->channels.channels += (l == c->channels.halved ? 1 : 2) * c->channels.harmonics;
    if (!error->status && c->channels.live == 0)
        lat_settings_fail(settings, "loops", error, "every loop contains active links: name larger ones, \"1x2\" and \"2x1\"");
}

static void read_net(coupling *c, int dim, lat_settings *settings, lat_error *error)
{
    enum { HIDDEN = FLOW_MAX_CONVS - 1 };
    int64_t hidden[HIDDEN] = {8, 8}, dilation[FLOW_MAX_CONVS];
    flow_net *net = &c->net;
    net->dim = dim;
    net->kernel = (int)lat_settings_int(settings, "kernel", c->turn.period == 2 ? 1 : 3, 1, 7, error);
    if (net->kernel % 2 == 0) lat_settings_fail(settings, "kernel", error, "%d is even: use 1, 3, 5 or 7", net->kernel);
    int layers = lat_settings_ints(settings, "hidden", hidden, 2, HIDDEN, 1, FLOW_MAX_CHANNELS, error);
    net->convs = layers + 1;
    for (int i = 0; i < net->convs; i++) dilation[i] = 1;
    int dilations = lat_settings_ints(settings, "dilation", dilation, net->convs, FLOW_MAX_CONVS, 1, 8, error);
    if (!error->status && dilations != net->convs)
        lat_settings_fail(settings, "dilation", error, "%d numbers for %d convolutions: give one each", dilations, net->convs);
    net->activation = (flow_activation)lat_settings_choice(settings, "activation", "leaky", activation_names, error);
    net->channel[0] = c->channels.channels;
    for (int i = 0; i < layers; i++) net->channel[i + 1] = (int)hidden[i];
    net->channel[net->convs] = c->outputs;
    for (int i = 0; i < net->convs; i++) net->dilation[i] = (int)dilation[i];
    int halo = flow_net_halo(net);
    if (halo > c->base.halo) c->base.halo = halo;
}

static int plane_of(const coupling *c, int dim)
{
    int plane = 0;
    for (int l = 0; l < dim * (dim - 1) / 2; l++)
        if (c->loop[l].a + c->loop[l].b == c->turn.mu + c->turn.nu && (c->loop[l].a == c->turn.mu || c->loop[l].a == c->turn.nu)) plane = l;
    return plane;
}

static flow_layer *create_for(lat_settings *settings, const flow_context *context, turn turn, lat_error *error)
{
    const int dim = context->dim;
    coupling *c = lat_alloc(1, sizeof *c);
    c->base = (flow_layer){.table = &flow_layer_plaquette_coupling, .period = turn.period, .halo = 1};
    c->turn = turn;
    if (!flow_coupling_of_group(context->group))
        lat_settings_fail(settings, "kind", error, "plaquette_coupling is for u1, the lattice is %s", lat_group_names[context->group]);
    c->transform = (flow_transform)lat_settings_choice(settings, "transform", "spline", transform_names, error);
    c->knots = (int)lat_settings_int(settings, "knots", 9, 1, FLOW_MAX_KNOTS, error);
    if (c->transform != FLOW_TANGENTS && c->knots < 2) lat_settings_fail(settings, "knots", error, "a spline has at least 2 knots");
    c->outputs = c->transform == FLOW_TANGENTS ? c->knots + 1 : 3 * c->knots + 1;
    read_loops(c, dim, settings, error);
    read_channels(c, settings, error);
    read_net(c, dim, settings, error);
    if (error->status) {
        free(c);
        return NULL;
    }
    c->plane = plane_of(c, dim);
    return &c->base;
}

/* The copies go through the pairs of directions first, then through the shifts of stripes of period 4. */
static flow_layer *create(lat_settings *settings, const flow_context *context, int index, lat_error *error)
{
    enum { PERIOD = 4 };
    int dim = context->dim, pairs = dim * (dim - 1), pair = index % pairs, mu = pair % dim;
    turn turn = {.mu = mu, .nu = (mu + 1 + pair / dim) % dim, .shift = index / pairs % PERIOD, .period = PERIOD};
    return create_for(settings, context, turn, error);
}

static flow_layer *create_split(lat_settings *settings, const flow_context *context, int mu, int nu, lat_error *error)
{
    return create_for(settings, context, (turn){.mu = mu, .nu = nu, .shift = 1, .period = 2}, error);
}

static void release(flow_layer *layer) { free(layer); }

static int64_t parameters(const flow_layer *layer) { return flow_net_parameters(&((const coupling *)layer)->net); }

static void initialise(const flow_layer *layer, const lat_random *random, double *parameters)
{
    const double nearly_identity = 0.01;
    flow_net_initialise(&((const coupling *)layer)->net, random, nearly_identity, parameters);
}

/* ---------------------------------------------------------------------------------------------------------- layout */

static flow_step *layout(const flow_layer *layer, flow_map *map, lat_error *error)
{
    (void)error;
    const coupling *c = (const coupling *)layer;
    coupling_step *s = lat_alloc(1, sizeof *s);
    s->base = (flow_step){layer, map};
    flow_stripes stripes = {.direction = c->turn.nu, .period = c->turn.period, .shift = c->turn.shift, .wanted = {true}};
    const lat_sites *phases = flow_sites_of(map, flow_stripes_along(c->turn.nu, c->turn.period));
    for (int phase = 0; phase < c->turn.period; phase++) {
        s->phase[phase] = &phases[(phase + c->turn.shift) % c->turn.period];
        for (int l = 0; l < c->loops; l++)
            if (!contains_active(c, c->loop[l], phase)) s->open[phase] |= 1u << l;
        stripes.open[phase] = s->open[phase] != 0;
    }
    s->active = s->phase[0];
    s->net = flow_net_lay_out(&c->net, map, &stripes, 0);
    s->loop_cotangent = flow_scratch(map, SLOT_LOOPS, c->loops, map->precision);
    if (flow_net_keep(s->net)) s->plaquette = lat_field_create(map->geometry, 1, map->precision);
    return &s->base;
}

static void free_step(flow_step *step)
{
    coupling_step *s = (coupling_step *)step;
    flow_net_layout_free(s->net);
    lat_field_free(s->plaquette);
    free(s);
}

/* ----------------------------------------------------------------------------------------------------- application */

static const coupling *layer_of(const coupling_step *s) { return (const coupling *)s->base.layer; }

/* For the network's input; which loops are open is left to the caller. */
static loop_features_args features_of(const coupling_step *s, const lat_field *u, void *feature)
{
    const coupling *c = layer_of(s);
    loop_features_args args = {.t = lat_tables_of(s->base.map->geometry), .u = u->data, .feature = feature, .c = c->channels};
    memcpy(args.loop, c->loop, sizeof args.loop);
    return args;
}

/* Runs the network on the loops that the layer leaves alone: the same before and after the map. */
static void run_network(coupling_step *s, const double *parameters, lat_field *u)
{
    const coupling *c = layer_of(s);
    flow_map *map = s->base.map;
    loop_features_args args = features_of(s, u, flow_net_input(s->net)->data);
    lat_halo_exchange(u);
    for (int phase = 0; phase < c->turn.period; phase++) {
        if (s->open[phase] == 0) continue;
        lat_range range = flow_range(map, s->phase[phase]);
        args.open = s->open[phase];
        flow_coupling_kernels_of(map)->loop_features(&args, &range);
    }
    flow_net_forward(s->net, parameters);
}

static coupling_args arguments(coupling_step *s, lat_field *u)
{
    const coupling *c = layer_of(s);
    return (coupling_args){.t = lat_tables_of(s->base.map->geometry), .u = u->data, .parameter = flow_net_output(s->net)->data,
                           .mu = c->turn.mu, .nu = c->turn.nu, .outputs = c->outputs, .knots = c->knots, .transform = c->transform,
                           .parameter_cotangent = flow_net_output_cotangent(s->net)->data, .loop_cotangent = s->loop_cotangent->data,
                           .loops = c->loops, .plane = c->plane, .halved = c->channels.halved};
}

/* Sites that are open and active, of a network without neighbours: it needs no others. */
static void apply_to_portion(coupling_step *s, const double *parameters, lat_field *u, const lat_sites *sites, coupling_args *args,
                             void (*kernel)(const coupling_args *args, const lat_range *range))
{
    lat_range range = flow_range(s->base.map, sites);
    loop_features_args features = features_of(s, u, flow_net_portion_input(s->net, sites));
    features.open = s->open[0];
    flow_coupling_kernels_of(s->base.map)->loop_features(&features, &range);
    flow_net_forward_portion(s->net, parameters, sites);
    args->parameter = flow_net_portion_output(s->net, sites);
    kernel(args, &range);
}

/* Runs the network and one of the kernels on active links, in the fields that all layers share or in those that are kept. */
static void apply(coupling_step *s, const double *parameters, lat_field *u, lat_field *density, bool keep,
                  void (*kernel)(const coupling_args *args, const lat_range *range))
{
    flow_net_use_kept(s->net, keep);
    const int64_t portion = s->open[0] ? flow_net_portion(s->net) : 0;
    coupling_args args = arguments(s, u);
    args.density = density->data;
    args.plaquette = keep ? s->plaquette->data : NULL;
    if (portion == 0) {
        run_network(s, parameters, u);
        lat_range range = flow_range(s->base.map, s->active);
        kernel(&args, &range);
    } else {
        lat_halo_exchange(u);
        for (int64_t first = 0; first < s->active->count; first += portion) {
            int64_t rest = s->active->count - first;
            lat_sites sites = {rest < portion ? rest : portion, s->active->site + first, s->active->shared + first};
            apply_to_portion(s, parameters, u, &sites, &args, kernel);
        }
    }
    flow_net_use_kept(s->net, false);
}

static void forward(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    apply((coupling_step *)step, parameters, u, density, false, flow_coupling_kernels_of(step->map)->coupling_forward);
}

static void record(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    coupling_step *s = (coupling_step *)step;
    apply(s, parameters, u, density, s->plaquette, flow_coupling_kernels_of(step->map)->coupling_forward);
}

static void inverse(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    apply((coupling_step *)step, parameters, u, density, false, flow_coupling_kernels_of(step->map)->coupling_inverse);
}

static bool active(const flow_step *step, int64_t site, int mu)
{
    const coupling *c = (const coupling *)step->layer;
    const lat_geometry *g = step->map->geometry;
    int64_t x[LAT_MAX_DIM];
    lat_coordinates(g, site, x);
    return mu == c->turn.mu && (g->origin[c->turn.nu] + x[c->turn.nu]) % c->turn.period == c->turn.shift;
}

/* Passes the cotangents of the network's outputs and of the active plaquettes on to the links. */
static void pull_to_links(coupling_step *s, const lat_field *u, lat_field *cotangent, double scale, double *gradient)
{
    const coupling *c = layer_of(s);
    flow_map *map = s->base.map;
    flow_net_backward(s->net, gradient);
    loop_cotangents_args loops = {.t = lat_tables_of(map->geometry), .u = u->data, .feature = flow_net_input(s->net)->data,
                                  .feature_cotangent = flow_net_input_cotangent(s->net)->data,
                                  .loop_cotangent = s->loop_cotangent->data, .c = c->channels};
    memcpy(loops.loop, c->loop, sizeof loops.loop);
    for (int phase = 0; phase < c->turn.period; phase++) {
        lat_range range = flow_range(map, s->phase[phase]);
        loops.open = s->open[phase];
        loops.keep = phase == 0 ? c->plane : -1;
        flow_coupling_kernels_of(map)->loop_cotangents(&loops, &range);
    }
    lat_halo_exchange(s->loop_cotangent);
    gather_loops_args gather = {.t = lat_tables_of(map->geometry), .loop_cotangent = s->loop_cotangent->data,
                                .cotangent = cotangent->data, .loops = c->loops, .scale = scale};
    memcpy(gather.loop, c->loop, sizeof gather.loop);
    lat_range block = lat_block(map->geometry);
    flow_coupling_kernels_of(map)->gather_loops(&gather, &block);
}

static void backward(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, const double *weight, double *gradient)
{
    coupling_step *s = (coupling_step *)step;
    bool kept = step->map->recorded && s->plaquette;
    flow_net_use_kept(s->net, kept);
    if (!kept) run_network(s, parameters, u);
    coupling_args args = arguments(s, u);
    args.cotangent = cotangent->data;
    args.weight = weight;
    args.plaquette = kept ? s->plaquette->data : NULL;
    lat_range range = flow_range(step->map, s->active);
    lat_halo_exchange(u);
    flow_coupling_kernels_of(step->map)->coupling_backward(&args, &range);
    pull_to_links(s, u, cotangent, 1, gradient);
    flow_net_use_kept(s->net, false);
}

static void push(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density)
{
    coupling_step *s = (coupling_step *)step;
    flow_net_use_kept(s->net, s->plaquette);
    run_network(s, parameters, u);
    coupling_args args = arguments(s, u);
    args.cotangent = cotangent->data;
    args.density = density->data;
    args.plaquette = s->plaquette ? s->plaquette->data : NULL;
    lat_range range = flow_range(step->map, s->active);
    flow_coupling_kernels_of(step->map)->coupling_push(&args, &range);
    pull_to_links(s, u, cotangent, -1, NULL);
    flow_net_use_kept(s->net, false);
}

const flow_layer_table flow_layer_plaquette_coupling = {
    .name = "plaquette_coupling",
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
