/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * workspace.c: see workspace.h: scratch fields and tables of stencils.
 */
#include "flows/workspace.h"

#include <stdlib.h>

struct flow_scratch_field {
    flow_scratch_field *next;
    int slot;
    lat_field *field;
};

lat_field *flow_scratch(flow_map *map, int slot, int components, lat_precision precision)
{
    for (flow_scratch_field *s = map->work->fields; s; s = s->next)
        if (s->slot == slot && s->field->components == components && s->field->precision == precision) return s->field;
    flow_scratch_field *s = lat_alloc(1, sizeof *s);
    *s = (flow_scratch_field){map->work->fields, slot, lat_field_create(map->geometry, components, precision)};
    map->work->fields = s;
    return s->field;
}

static void fill_box(const lat_geometry *g, flow_box *box)
{
    int radius = box->kernel / 2;
    box->offset = lat_alloc((int64_t)box->taps * g->dim, sizeof *box->offset);
    box->ahead = lat_alloc(g->sites * box->taps, sizeof *box->ahead);
    box->behind = lat_alloc(g->sites * box->taps, sizeof *box->behind);
    for (int tap = 0; tap < box->taps; tap++)
        for (int mu = 0, rest = tap; mu < g->dim; rest /= box->kernel, mu++)
            box->offset[tap * g->dim + mu] = (rest % box->kernel - radius) * box->dilation;
    for (int64_t site = 0; site < g->sites; site++) {
        int64_t c[LAT_MAX_DIM], ahead[LAT_MAX_DIM] = {0}, behind[LAT_MAX_DIM] = {0};
        lat_coordinates(g, site, c);
        for (int tap = 0; tap < box->taps; tap++) {
            for (int mu = 0; mu < g->dim; mu++) {
                ahead[mu] = c[mu] + box->offset[tap * g->dim + mu];
                behind[mu] = c[mu] - box->offset[tap * g->dim + mu];
            }
            box->ahead[site * box->taps + tap] = lat_site(g, ahead);
            box->behind[site * box->taps + tap] = lat_site(g, behind);
        }
    }
    int64_t bytes = g->sites * box->taps * (int64_t)sizeof *box->ahead;
    box->ahead = lat_hand_over(g, box->ahead, bytes);
    box->behind = lat_hand_over(g, box->behind, bytes);
}

const flow_box *flow_box_of(flow_map *map, int kernel, int dilation)
{
    for (flow_box *box = map->work->boxes; box; box = box->next)
        if (box->kernel == kernel && box->dilation == dilation) return box;
    flow_box *box = lat_alloc(1, sizeof *box);
    *box = (flow_box){.next = map->work->boxes, .kernel = kernel, .dilation = dilation, .taps = 1};
    for (int mu = 0; mu < map->geometry->dim; mu++) box->taps *= kernel;
    fill_box(map->geometry, box);
    map->work->boxes = box;
    return box;
}

struct flow_workspace *flow_workspace_create(const lat_geometry *geometry)
{
    struct flow_workspace *work = lat_alloc(1, sizeof *work);
    work->repeats = lat_repeats_create(geometry);
    return work;
}

void flow_workspace_free(const lat_geometry *g, struct flow_workspace *work)
{
    for (flow_scratch_field *s = work->fields, *next; s; s = next) {
        next = s->next;
        lat_field_free(s->field);
        free(s);
    }
    for (flow_box *box = work->boxes, *next; box; box = next) {
        next = box->next;
        free(box->offset);
        g->backend->release(box->ahead);
        g->backend->release(box->behind);
        free(box);
    }
    flow_masks_free(g, work->masks);
    lat_repeats_free(work->repeats);
    g->backend->release(work->unsolved);
    g->backend->release(work->weights);
    free(work->last_weights);
    free(work);
}
