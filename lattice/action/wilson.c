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

static void value(lat_action *action, lat_field *links, lat_field *density)
{
    double beta = ((wilson *)action)->beta;
    const lat_kernels *kernels = lat_kernels_of(links, action->group);
    plaquette_sum_args args = {lat_tables_of(links->geometry), links->data, density->data, beta, -beta};
    lat_range inner = lat_range_of(links->geometry, &links->geometry->inner);
    lat_range outer = lat_range_of(links->geometry, &links->geometry->outer);
    lat_halo_start_staples(links);
    kernels->plaquette_sum(&args, &inner);
    lat_halo_finish_staples(links);
    kernels->plaquette_sum(&args, &outer);
}

static void force(lat_action *action, lat_field *links, double scale, lat_field *force)
{
    wilson *w = (wilson *)action;
    const lat_kernels *kernels = lat_kernels_of(links, action->group);
    double weight = -scale * w->beta / colours(action->group);
    plaquette_force_args args = {lat_tables_of(links->geometry), links->data, force->data, weight};
    lat_range inner = lat_range_of(links->geometry, &links->geometry->inner);
    lat_range outer = lat_range_of(links->geometry, &links->geometry->outer);
    lat_halo_start_staples(links);
    kernels->plaquette_force(&args, &inner);
    lat_halo_finish_staples(links);
    kernels->plaquette_force(&args, &outer);
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
