/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * wilson.c: the Wilson plaquette action, S = beta sum_{x, m<n} (1 - Re tr P_mn(x) / N).
 */
#include "action.h"

#include "../backend/backend.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    lat_action base;
    double beta;
} wilson;

static double colours(lat_group group) { return group == LAT_U1 ? 1 : group == LAT_SU2 ? 2 : 3; }

/* Sites that do not wait for other ranks, then the others.  A rank by itself waits for nobody and takes the sites in
 * order, which reads every link less often. */
typedef struct {
    lat_range now, later;
} order_of_sites;

static order_of_sites order_sites(lat_field *links)
{
    const lat_geometry *g = links->geometry;
    if (g->rank_count == 1) {
        lat_halo_exchange(links);
        return (order_of_sites){lat_block(g), {.lanes = g->lanes}};
    }
    lat_halo_start(links);
    return (order_of_sites){lat_range_of(g, &g->inner), lat_range_of(g, &g->outer)};
}

static void value(lat_action *action, lat_field *links, lat_field *density)
{
    double beta = ((wilson *)action)->beta;
    const lat_kernels *kernels = lat_kernels_of(links, action->group);
    plaquette_sum_args args = {lat_tables_of(links->geometry), links->data, density->data, beta, -beta};
    order_of_sites order = order_sites(links);
    kernels->plaquette_sum(&args, &order.now);
    if (order.later.count == 0) return;
    lat_halo_finish(links);
    kernels->plaquette_sum(&args, &order.later);
}

static void force(lat_action *action, lat_field *links, double scale, lat_field *force)
{
    wilson *w = (wilson *)action;
    const lat_kernels *kernels = lat_kernels_of(links, action->group);
    double weight = -scale * w->beta / colours(action->group);
    plaquette_force_args args = {lat_tables_of(links->geometry), links->data, force->data, weight};
    order_of_sites order = order_sites(links);
    kernels->plaquette_force(&args, &order.now);
    if (order.later.count == 0) return;
    lat_halo_finish(links);
    kernels->plaquette_force(&args, &order.later);
}

static void release(lat_action *action) { free(action); }

const lat_action_table lat_action_table_wilson = {"wilson", value, force, NULL, release};

lat_action *lat_action_wilson(lat_group group, double beta)
{
    wilson *w = lat_alloc(1, sizeof *w);
    *w = (wilson){{&lat_action_table_wilson, group}, beta};
    return &w->base;
}

lat_action *lat_action_read_wilson(lat_settings *settings, lat_group group, lat_error *error)
{
    return lat_action_wilson(group, lat_settings_real(settings, "beta", NAN, 0, 1e6, error));
}

double lat_action_beta(const lat_action *action)
{
    return action->table == &lat_action_table_wilson ? ((const wilson *)action)->beta : NAN;
}
