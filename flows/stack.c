/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stack.c: layers one after another; see stack.h.
 */
#include "flows/stack.h"

#include <stdlib.h>

enum { MAX_KINDS = 64, MAX_REPEAT = 1024, MAX_LAYERS = 4096, MAX_PARAMETERS = 1 << 26 };

/* ---------------------------------------------------------------------------------------------------------- layers */

static void *grow(void *array, int64_t count, size_t size)
{
    void *grown = realloc(array, (size_t)count * size);
    if (!grown) lat_abort(LAT_CONFIG, "memory: no room for %lld layers", (long long)count);
    return grown;
}

void flow_stack_add(flow_stack *stack, flow_layer *layer)
{
    if (!layer) return;
    stack->layer = grow(stack->layer, stack->layers + 1, sizeof *stack->layer);
    stack->first = grow(stack->first, stack->layers + 2, sizeof *stack->first);
    stack->layer[stack->layers] = layer;
    stack->first[stack->layers++] = stack->parameter_count;
    stack->parameter_count += layer->table->parameters(layer);
    stack->first[stack->layers] = stack->parameter_count;
    if (layer->period > stack->period) stack->period = layer->period;
    if (layer->halo > stack->halo) stack->halo = layer->halo;
    if (!stack->without_push) stack->without_push = layer->table->push ? layer->without_push : layer->table->name;
}

const flow_layer_table *flow_kind_read(lat_settings *settings, const flow_context *context, lat_error *error)
{
    const char *names[MAX_KINDS + 1] = {NULL};
    for (int i = 0; i < MAX_KINDS && context->kinds[i]; i++) names[i] = context->kinds[i]->name;
    int kind = lat_settings_choice(settings, "kind", NULL, names, error);
    return error->status ? NULL : context->kinds[kind];
}

void flow_stack_read(flow_stack *stack, lat_settings *group, const char *key, const flow_context *context, lat_error *error)
{
    if (stack->period == 0) stack->period = stack->halo = 1;
    int entries = lat_settings_list(group, key, error);
    for (int i = 0; i < entries && !error->status; i++) {
        lat_settings *entry = lat_settings_item(group, key, i, error);
        const flow_layer_table *kind = flow_kind_read(entry, context, error);
        int64_t repeat = lat_settings_int(entry, "repeat", 1, 1, MAX_REPEAT, error);
        if (!error->status && stack->layers + repeat > MAX_LAYERS)
            lat_settings_fail(entry, "repeat", error, "more than %d layers in all: use fewer", MAX_LAYERS);
        for (int index = 0; index < repeat && !error->status; index++) {
            flow_stack_add(stack, kind->create(entry, context, index, error));
            if (!error->status && stack->parameter_count > MAX_PARAMETERS)
                lat_settings_fail(entry, "repeat", error, "the model has more than %d parameters: use fewer or smaller layers", MAX_PARAMETERS);
        }
    }
}

void flow_stack_free(flow_stack *stack)
{
    for (int i = 0; i < stack->layers; i++) stack->layer[i]->table->free(stack->layer[i]);
    free(stack->layer);
    free(stack->first);
    *stack = (flow_stack){0};
}

void flow_stack_initialise(const flow_stack *stack, const lat_random *random, uint64_t apart, double *parameters)
{
    for (int i = 0; i < stack->layers; i++) {
        lat_random own = *random;
        own.step += (uint64_t)i * apart;
        stack->layer[i]->table->initialise(stack->layer[i], &own, parameters + stack->first[i]);
    }
}

/* ----------------------------------------------------------------------------------------------------------- steps */

flow_steps *flow_steps_create(const flow_stack *stack, flow_map *map, lat_error *error)
{
    flow_steps *steps = lat_alloc(1, sizeof *steps);
    *steps = (flow_steps){stack, lat_alloc(stack->layers, sizeof *steps->step)};
    for (int i = 0; i < stack->layers && !error->status; i++) steps->step[i] = stack->layer[i]->table->layout(stack->layer[i], map, error);
    return steps;
}

void flow_steps_free(flow_steps *steps)
{
    if (!steps) return;
    for (int i = 0; i < steps->stack->layers; i++)
        if (steps->step[i]) steps->step[i]->layer->table->free_step(steps->step[i]);
    free(steps->step);
    free(steps);
}

void flow_steps_forward(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *density)
{
    for (int i = 0; i < steps->stack->layers; i++)
        steps->step[i]->layer->table->forward(steps->step[i], parameters + steps->stack->first[i], u, density);
}

void flow_steps_record(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *density)
{
    for (int i = 0; i < steps->stack->layers; i++) {
        const flow_layer_table *table = steps->step[i]->layer->table;
        (table->record ? table->record : table->forward)(steps->step[i], parameters + steps->stack->first[i], u, density);
    }
}

void flow_steps_inverse(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *density)
{
    for (int i = steps->stack->layers - 1; i >= 0; i--)
        steps->step[i]->layer->table->inverse(steps->step[i], parameters + steps->stack->first[i], u, density);
}

void flow_step_walk(flow_step *step, const double *parameters, lat_field *u, lat_field *density, flow_visitor *visitor, bool back)
{
    if (step->layer->table->walk)
        step->layer->table->walk(step, parameters, u, density, visitor, back);
    else
        visitor->visit(visitor, step, parameters, u, density);
}

void flow_steps_walk(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *density, flow_visitor *visitor, bool back)
{
    const int last = steps->stack->layers - 1;
    for (int done = 0; done <= last; done++) {
        int i = back ? last - done : done;
        flow_step_walk(steps->step[i], parameters + steps->stack->first[i], u, density, visitor, back);
    }
}

void flow_steps_backward(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *cotangent, const double *weight,
                         double *gradient)
{
    for (int i = steps->stack->layers - 1; i >= 0; i--)
        steps->step[i]->layer->table->backward(steps->step[i], parameters + steps->stack->first[i], u, cotangent, weight,
                                               gradient ? gradient + steps->stack->first[i] : NULL);
}

void flow_steps_push(const flow_steps *steps, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density)
{
    for (int i = 0; i < steps->stack->layers; i++)
        steps->step[i]->layer->table->push(steps->step[i], parameters + steps->stack->first[i], u, cotangent, density);
}
