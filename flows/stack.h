/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stack.h: layers one after another: how they are read, laid out and applied.  A model is a stack, and so are the layers
 * inside a layer.
 */
#ifndef STACK_H
#define STACK_H

#include "flows/flows.h"

/* The copies of a layer of one kind take turns: through the pairs of directions first, then through the shifts of stripes of
 * period 4. */
flow_turn flow_turn_at(int dim, int index);

/* Appends the layers of the list `key` of a group; none where there is no such list. */
void flow_stack_read(flow_stack *stack, lat_settings *group, const char *key, lat_group links, int dim, lat_error *error);
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
void flow_steps_backward(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *cotangent, const double *weight,
                         double *gradient);
void flow_steps_push(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density);

#endif
