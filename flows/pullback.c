/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pullback.c: the action that a flow makes of an action, S_F(V) = S(F(V)) - log |det dF/dV|.
 */
#include "flows/flows.h"


#include <stdlib.h>

typedef struct {
    lat_action base;
    flow_map *map;
    lat_action *action;
    lat_field *u, *log_det, *cotangent;
    double *weight; /* [lanes]: of log det in the force */
} pullback;

/* For a force the map is recorded, since the reverse sweep follows. */
static void map_links(pullback *p, const lat_field *links, void (*map)(flow_map *, lat_field *, lat_field *))
{
    lat_field_copy(p->u, links);
    lat_field_zero(p->log_det);
    map(p->map, p->u, p->log_det);
}

static void value(lat_action *action, lat_field *links, lat_field *density)
{
    pullback *p = (pullback *)action;
    map_links(p, links, flow_forward);
    lat_field_axpy(density, -1, p->log_det);
    p->action->table->value(p->action, p->u, density);
}

static void force(lat_action *action, lat_field *links, double scale, lat_field *force)
{
    pullback *p = (pullback *)action;
    map_links(p, links, flow_record);
    lat_field_zero(p->cotangent);
    p->action->table->force(p->action, p->u, 1, p->cotangent);
    flow_backward(p->map, p->u, p->cotangent, p->weight, NULL);
    lat_field_axpy(force, scale, p->cotangent);
}

static void release(lat_action *action)
{
    pullback *p = (pullback *)action;
    lat_field_free(p->u);
    lat_field_free(p->log_det);
    lat_field_free(p->cotangent);
    free(p->weight);
    free(p);
}

static const lat_action_table table = {"pullback", value, force, NULL, release};

lat_action *flow_pullback(flow_map *map, lat_action *action)
{
    pullback *p = lat_alloc(1, sizeof *p);
    const lat_geometry *g = map->geometry;
    *p = (pullback){.base = {.table = &table, .group = action->group}, .map = map, .action = action};
    p->u = lat_field_gauge(g, action->group, map->precision);
    p->log_det = lat_field_create(g, 1, LAT_DOUBLE);
    p->cotangent = lat_field_algebra(g, action->group, map->precision);
    p->weight = lat_alloc(g->lanes, sizeof *p->weight);
    for (int lane = 0; lane < g->lanes; lane++) p->weight[lane] = -1;
    return &p->base;
}
