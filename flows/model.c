/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model.c: a model as a configuration describes it: its layers and where their parameters lie.
 */
#include "flows/model.h"

#include <stdlib.h>

static const char *const prior_names[] = {"haar", NULL};

lat_status flow_model_create(lat_settings *flow, const flow_layer_table *const *kinds, lat_group group, int dim, uint64_t seed,
                             flow_model **model, lat_error *error)
{
    const flow_context context = {group, dim, kinds};
    flow_model *m = lat_alloc(1, sizeof *m);
    m->group = group;
    m->dim = dim;
    *model = NULL;
    lat_settings_choice(flow, "prior", "haar", prior_names, error);
    flow_stack_read(&m->stack, flow, "layers", &context, error);
    if (!error->status && m->stack.layers == 0)
        lat_settings_fail(flow, "layers", error, "no layer: write layers = ( { kind = \"plaquette_coupling\"; repeat = 16; } );");
    if (error->status) {
        flow_model_free(m);
        return error->status;
    }
    lat_random random = {.seed = seed, .purpose = LAT_RANDOM_PARAMETERS};
    m->parameters = lat_alloc(m->stack.parameter_count, sizeof *m->parameters);
    flow_stack_initialise(&m->stack, &random, 1, m->parameters);
    m->description = lat_settings_print(flow);
    m->action = lat_text("%s", "");
    *model = m;
    return LAT_DONE;
}

void flow_model_free(flow_model *model)
{
    if (!model) return;
    flow_stack_free(&model->stack);
    free(model->parameters);
    free(model->description);
    free(model->action);
    free(model);
}
