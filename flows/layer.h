/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layer.h: the table of a kind of layer: a gauge-equivariant invertible map of gauge fields with known Jacobian.
 *
 * log det is log |du'/du| with respect to Haar measure.  Cotangents are algebra fields: the component (x, mu, a) of the
 * cotangent of a function L of the links is the left derivative d^a_{x,mu} L.
 */
#ifndef FLOWS_LAYER_H
#define FLOWS_LAYER_H

#include "lattice/lattice.h"

typedef struct flow_map flow_map;
typedef struct flow_layer flow_layer;
typedef struct flow_step flow_step;
typedef struct flow_visitor flow_visitor;
typedef struct flow_layer_table flow_layer_table;

/* What a layer is created for. */
typedef struct {
    lat_group group;
    int dim;
    const flow_layer_table *const *kinds; /* that a configuration can name, and NULL: for layers that hold layers */
} flow_context;

/* A flow_layer holds hyper-parameters only; a flow_step is a layer laid out on a geometry (masks, lists of sites) and shares the
 * workspace of its map.  parameters points to the layer's own block, where kernels find it.  All that take a step are collective over the
 * geometry. */
struct flow_layer_table {
    const char *name;
    /* Reads the hyper-parameters.  `repeat` copies are made, each told its index: kinds that change a part of the links take turns. */
    flow_layer *(*create)(lat_settings *settings, const flow_context *context, int index, lat_error *error);
    /* A layer that changes the links U_mu(x) with odd x_nu, all at once, given the others: it refines a lattice in the direction nu
     * (multiscale.c).  NULL: this kind has none. */
    flow_layer *(*create_split)(lat_settings *settings, const flow_context *context, int mu, int nu, lat_error *error);
    void (*free)(flow_layer *layer);
    int64_t (*parameters)(const flow_layer *layer);
    /* Initial values, near the identity, drawn from random. */
    void (*initialise)(const flow_layer *layer, const lat_random *random, double *parameters);

    /* On a lattice that its masks do not suit a layer says so in error, or lays out less. */
    flow_step *(*layout)(const flow_layer *layer, flow_map *map, lat_error *error);
    void (*free_step)(flow_step *step);
    /* u <- f(u); density(x) += this site's share of log |det df/du|. */
    void (*forward)(flow_step *step, const double *parameters, lat_field *u, lat_field *density);
    /* As forward, and keeps for backward what memory allows; NULL: there is nothing to keep. */
    void (*record)(flow_step *step, const double *parameters, lat_field *u, lat_field *density);
    /* u <- f^-1(u); density(x) += the same log |det df/du| (of the forward map), so that forward and inverse agree.  An iteration that
     * does not converge leaves a failure in step->map->error, the same on all ranks of the geometry. */
    void (*inverse)(flow_step *step, const double *parameters, lat_field *u, lat_field *density);
    /* Reverse sweep.  In: u = f(v) and the cotangent of u of L(u) + weight[lane] * log det.  Out: u = v and the cotangent
     * of v.  weight and gradient are where kernels find them.  To gradient, unless NULL: [parameters], the sum over all lanes and
     * sites of this rank of the derivative of L + weight * log det with respect to the parameters is added; or to a row for each member
     * (flow_gradient_row). */
    void (*backward)(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent,
                     const double *weight, double *gradient);
    /* As record, and cotangent <- J^-T (cotangent - d log det / du): if it was the gradient of log q at u, it is the
     * gradient of log q at f(u).  NULL: objectives that need it are refused. */
    void (*push)(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density);
    /* Whether the layer changes U_mu at this site of the block, in all lanes alike.  No such link depends on one of another site, and
     * the density at a site is log |det| of the block of the Jacobian that belongs to those of the site: audits rely on it, and
     * see where it fails.  NULL: the layer is made of others, and walk goes through them. */
    bool (*active)(const flow_step *step, int64_t site, int mu);
    /* As forward, or inverse if `back`, but each of the layers that this one is made of is left to the visitor. */
    void (*walk)(flow_step *step, const double *parameters, lat_field *u, lat_field *density, flow_visitor *visitor,
                 bool back);
};

struct flow_layer {
    const flow_layer_table *table;
    int period; /* extents of lattices, and of the blocks of lanes where split, must be multiples of this */
    int halo;   /* width that it needs where the lattice is split */
    const char *without_push; /* the kind of a layer inside this one that has no push; NULL: there is none */
};
struct flow_step {
    const flow_layer *layer;
    flow_map *map;
};

/* Takes the place of forward, or of inverse on the way back, of layers that are not made of others: is called for each where it
 * is due, with the lattice and the links it works on, and has to do what the layer does.  The first member of what it needs. */
struct flow_visitor {
    void (*visit)(flow_visitor *visitor, flow_step *step, const double *parameters, lat_field *u, lat_field *density);
};

extern const flow_layer_table flow_layer_plaquette_coupling, flow_layer_stout, flow_layer_multiscale,
    flow_layer_masked_stout;
extern const flow_layer_table *const flow_layer_kinds[]; /* all of these, and NULL */

#endif
