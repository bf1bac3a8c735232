/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * masks.c: lists of the sites that a layer treats alike.
 */
#include "flows/workspace.h"

#include <stdlib.h>
#include <string.h>

struct flow_mask {
    flow_mask *next;
    flow_classes classes;
    lat_sites *list; /* [period] */
};

flow_classes flow_stripes_along(int direction, int period)
{
    flow_classes stripes = {.period = period};
    stripes.step[direction] = 1;
    return stripes;
}

static lat_sites *list_sites(const lat_geometry *g, const flow_classes *classes)
{
    lat_sites *list = lat_alloc(classes->period, sizeof *list);
    for (int c = 0; c < classes->period; c++) list[c].site = lat_alloc(g->sites, sizeof(int64_t));
    for (int64_t site = 0; site < g->sites; site++) {
        int64_t sum = 0, x[LAT_MAX_DIM];
        lat_coordinates(g, site, x);
        for (int mu = 0; mu < g->dim; mu++) sum += classes->step[mu] * (g->origin[mu] + x[mu]);
        lat_sites *own = &list[sum % classes->period];
        own->site[own->count++] = site;
    }
    for (int c = 0; c < classes->period; c++) lat_sites_share(g, &list[c]);
    return list;
}

const lat_sites *flow_sites_of(flow_map *map, flow_classes classes)
{
    for (flow_mask *mask = map->work->masks; mask; mask = mask->next)
        if (memcmp(&mask->classes, &classes, sizeof classes) == 0) return mask->list;
    flow_mask *mask = lat_alloc(1, sizeof *mask);
    *mask = (flow_mask){map->work->masks, classes, list_sites(map->geometry, &classes)};
    map->work->masks = mask;
    return mask->list;
}

void flow_masks_free(const lat_geometry *g, flow_mask *masks)
{
    for (flow_mask *mask = masks, *next; mask; mask = next) {
        next = mask->next;
        for (int c = 0; c < mask->classes.period; c++) lat_sites_free(g, &mask->list[c]);
        free(mask->list);
        free(mask);
    }
}
