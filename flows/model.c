/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model.c: a model as a configuration describes it: its layers and where their parameters lie.
 */
#include "flows.h"

#include <stdlib.h>
#include <string.h>

static const flow_layer_table *const kinds[] = {&flow_layer_plaquette_coupling};
static const char *const kind_names[] = {"plaquette_coupling", NULL};
static const char *const prior_names[] = {"haar", NULL};

enum { MAX_REPEAT = 1024, MAX_LAYERS = 4096, MAX_PARAMETERS = 1 << 26 };

static void add_layer(flow_model *model, flow_layer *layer)
{
    model->layer = realloc(model->layer, (size_t)(model->layers + 1) * sizeof(flow_layer *));
    if (!model->layer) lat_abort(LAT_CONFIG, "memory: no room for %d layers", model->layers + 1);
    model->layer[model->layers++] = layer;
    if (layer->period > model->period) model->period = layer->period;
    if (layer->halo > model->halo) model->halo = layer->halo;
}

static void read_layers(lat_settings *flow, flow_model *model, lat_error *error)
{
    int entries = lat_settings_list(flow, "layers", error);
    if (!error->status && entries == 0)
        lat_settings_fail(flow, "layers", error, "no layer: write layers = ( { kind = \"plaquette_coupling\"; repeat = 16; } );");
    for (int i = 0; i < entries && !error->status; i++) {
        lat_settings *entry = lat_settings_item(flow, "layers", i, error);
        int kind = lat_settings_choice(entry, "kind", NULL, kind_names, error);
        int64_t repeat = lat_settings_int(entry, "repeat", 1, 1, MAX_REPEAT, error);
        if (!error->status && model->layers + repeat > MAX_LAYERS)
            lat_settings_fail(entry, "repeat", error, "more than %d layers in all: use fewer", MAX_LAYERS);
        for (int index = 0; index < repeat && !error->status; index++) {
            flow_layer *layer = kinds[kind]->create(entry, model->group, model->dim, index, error);
            if (layer) add_layer(model, layer);
            if (layer && (model->parameter_count += layer->table->parameters(layer)) > MAX_PARAMETERS)
                lat_settings_fail(entry, "repeat", error, "the model has more than %d parameters: use fewer or smaller layers", MAX_PARAMETERS);
        }
    }
}

static void initialise(flow_model *model, uint64_t seed)
{
    model->first = lat_alloc(model->layers + 1, sizeof *model->first);
    for (int i = 0; i < model->layers; i++)
        model->first[i + 1] = model->first[i] + model->layer[i]->table->parameters(model->layer[i]);
    model->parameters = lat_alloc(model->parameter_count, sizeof *model->parameters);
    for (int i = 0; i < model->layers; i++) {
        lat_random random = {.seed = seed, .purpose = LAT_RANDOM_PARAMETERS, .step = (uint64_t)i};
        model->layer[i]->table->initialise(model->layer[i], &random, model->parameters + model->first[i]);
    }
}

lat_status flow_model_create(lat_settings *flow, lat_group group, int dim, uint64_t seed, flow_model **model, lat_error *error)
{
    flow_model *m = lat_alloc(1, sizeof *m);
    m->group = group;
    m->dim = dim;
    m->period = m->halo = 1;
    *model = NULL;
    lat_settings_choice(flow, "prior", "haar", prior_names, error);
    read_layers(flow, m, error);
    if (error->status) {
        flow_model_free(m);
        return error->status;
    }
    initialise(m, seed);
    m->description = lat_settings_print(flow);
    m->action = lat_text("%s", "");
    *model = m;
    return LAT_DONE;
}

void flow_model_free(flow_model *model)
{
    if (!model) return;
    for (int i = 0; i < model->layers; i++) model->layer[i]->table->free(model->layer[i]);
    free(model->layer);
    free(model->first);
    free(model->parameters);
    free(model->description);
    free(model->action);
    free(model);
}
