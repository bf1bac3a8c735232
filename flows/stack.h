/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stack.h: layers one after another: how they are read, laid out and applied.  A model is a stack, and so are the layers
 * inside a layer.
 */
#ifndef FLOWS_STACK_H
#define FLOWS_STACK_H

#include "flows/layer.h"

/* Layers one after another, and where the parameters of each begin. */
typedef struct {
    int layers;
    flow_layer **layer;
    int64_t *first; /* [layers + 1] */
    int64_t parameter_count;
    int period, halo;         /* the largest of the layers' */
    const char *without_push; /* the kind of the first layer that has no push; NULL: all have */
} flow_stack;

/* The kind that the key `kind` names, among those of the context; a failure is left in error. */
const flow_layer_table *flow_kind_read(lat_settings *settings, const flow_context *context, lat_error *error);
/* Appends the layers of the list `key` of a group; none where there is no such list. */
void flow_stack_read(flow_stack *stack, lat_settings *group, const char *key, const flow_context *context, lat_error *error);
/* Appends a layer, which is owned from then on; NULL is ignored. */
void flow_stack_add(flow_stack *stack, flow_layer *layer);
void flow_stack_free(flow_stack *stack);
/* Layer i draws with the step random->step + i * apart. */
void flow_stack_initialise(const flow_stack *stack, const lat_random *random, uint64_t apart, double *parameters);

/* A stack laid out on the geometry of a map. */
typedef struct flow_steps {
    const flow_stack *stack;
    flow_step **step; /* [layers] */
} flow_steps;

/* LAT_CONFIG where a layer does not suit the lattice. */
flow_steps *flow_steps_create(const flow_stack *stack, flow_map *map, lat_error *error);
void flow_steps_free(flow_steps *steps);

/* As in the table of a layer, through all of them; parameters and gradient are those of the stack. */
void flow_steps_forward(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *density);
void flow_steps_record(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *density);
void flow_steps_inverse(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *density);
void flow_steps_walk(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *density, flow_visitor *visitor, bool back);
void flow_steps_backward(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *cotangent, const double *weight,
                         double *gradient);
void flow_steps_push(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density);

/* A layer that is made of others is gone through, any other is visited. */
void flow_step_walk(flow_step *step, const double *parameters, lat_field *u, lat_field *density, flow_visitor *visitor, bool back);

#endif
