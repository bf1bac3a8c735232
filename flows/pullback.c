/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pullback.c: the action that a flow makes of an action, S_F(V) = S(F(V)) - log |det dF/dV|.
 */
#include "flows/pullback.h"

#include <stdlib.h>

typedef struct {
    lat_action base;
    flow_map *map;
    lat_action *action;
    lat_gauge *u;
    lat_field *log_det, *cotangent;
    double *weight; /* [lanes]: of log det in the force */
} pullback;

/* For a force the map is recorded, since the reverse sweep follows. */
static void map_links(pullback *p, const lat_gauge *v, void (*map)(flow_map *, lat_gauge *, lat_field *))
{
    lat_gauge_copy(p->u, v);
    lat_field_zero(p->log_det);
    map(p->map, p->u, p->log_det);
}

/* What went wrong in the map or in the action is this action's. */
static void collect_failures(pullback *p)
{
    flow_map_failed(p->map, &p->base.error);
    lat_action_failed(p->action, &p->base.error);
}

static void value(lat_action *action, lat_gauge *v, lat_field *density)
{
    pullback *p = (pullback *)action;
    map_links(p, v, flow_forward);
    lat_field_axpy(density, -1, p->log_det);
    if (p->action->table->value) p->action->table->value(p->action, p->u, density);
    collect_failures(p);
}

static void total(lat_action *action, lat_gauge *v, double *out)
{
    pullback *p = (pullback *)action;
    if (!p->action->table->total) return;
    map_links(p, v, flow_forward);
    p->action->table->total(p->action, p->u, out);
    collect_failures(p);
}

/* log det belongs to the innermost level. */
static void force(lat_action *action, int level, lat_gauge *v, double scale, lat_field *force)
{
    pullback *p = (pullback *)action;
    map_links(p, v, flow_record);
    lat_field_zero(p->cotangent);
    p->action->table->force(p->action, level, p->u, 1, p->cotangent);
    collect_failures(p);
    for (int lane = 0; lane < p->map->geometry->lanes; lane++) p->weight[lane] = level == 0 ? -1 : 0;
    flow_backward(p->map, p->u, p->cotangent, p->weight, NULL);
    lat_field_axpy(force, scale, p->cotangent);
}

static void refresh(lat_action *action, lat_gauge *v, const lat_random *random)
{
    pullback *p = (pullback *)action;
    if (!p->action->table->refresh) return;
    map_links(p, v, flow_forward);
    lat_action_refresh(p->action, p->u, random);
    collect_failures(p);
}

static void solves(lat_action *action, const lat_geometry *geometry, lat_solves *out)
{
    lat_action_solves(((pullback *)action)->action, geometry, out);
}

static void needs(const lat_action *action, const lat_geometry *geometry, lat_needs *needs)
{
    const lat_action *pulled = ((const pullback *)action)->action;
    if (pulled->table->needs) pulled->table->needs(pulled, geometry, needs);
}

static void release(lat_action *action)
{
    pullback *p = (pullback *)action;
    lat_gauge_free(p->u);
    lat_field_free(p->log_det);
    lat_field_free(p->cotangent);
    free(p->weight);
    free(p);
}

static const lat_action_table table = {"pullback", value, total, force, refresh, release, NULL, solves, needs};

lat_action *flow_pullback(flow_map *map, lat_action *action)
{
    pullback *p = lat_alloc(1, sizeof *p);
    const lat_geometry *g = map->geometry;
    int halo = action->halo > map->model->stack.halo ? action->halo : map->model->stack.halo;
    *p = (pullback){.map = map, .action = action};
    p->base = (lat_action){.table = &table, .group = action->group, .halo = halo, .corners = action->corners,
                           .levels = action->levels, .auxiliary = action->auxiliary, .quarks = action->quarks,
                           .solving = action->solving};
    p->u = lat_gauge_create(g, action->group, map->precision);
    p->log_det = lat_field_create(g, 1, LAT_DOUBLE);
    p->cotangent = lat_field_algebra(g, action->group, map->precision);
    p->weight = lat_alloc(g->lanes, sizeof *p->weight);
    return &p->base;
}
