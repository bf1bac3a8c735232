/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * wilson.c: the Wilson plaquette action, S = beta sum_{x, m<n} (1 - Re tr P_mn(x) / N).
 */
#include "lattice/gauge/action/action.h"

#include "lattice/grid/kernels.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    lat_action base;
    double beta;
} wilson;

double lat_colours(lat_group group) { return group == LAT_U1 ? 1 : group == LAT_SU2 ? 2 : 3; }

static void sum_plaquettes(const lat_action *action, double beta, const lat_field *links, lat_field *density,
                           const lat_range *range)
{
    const lat_kernels *kernels = lat_kernels_of(links, action->group);
    const double *couplings = lat_couplings_of(action);
    lat_tables tables = lat_tables_of(links->geometry);
    plaquette_sum_args args = {tables, links->data, density->data, beta, -beta};
    weighted_plaquette_sum_args weighted = {tables, links->data, couplings, density->data, beta, -beta};
    if (couplings)
        kernels->weighted_plaquette_sum(&weighted, range);
    else
        kernels->plaquette_sum(&args, range);
}

void lat_plaquette_value(const lat_action *action, double beta, lat_field *links, lat_field *density)
{
    lat_range inner = lat_range_of(links->geometry, &links->geometry->inner);
    lat_range outer = lat_range_of(links->geometry, &links->geometry->outer);
    lat_halo_start_staples(links);
    sum_plaquettes(action, beta, links, density, &inner);
    lat_halo_finish_staples(links);
    sum_plaquettes(action, beta, links, density, &outer);
}

static void add_forces(const lat_action *action, const lat_tables *tables, double weight, const lat_field *links,
                       lat_field *force, const lat_range *range)
{
    const lat_kernels *kernels = lat_kernels_of(links, action->group);
    const double *couplings = lat_couplings_of(action);
    plaquette_force_args args = {*tables, links->data, force->data, weight};
    weighted_plaquette_force_args weighted = {*tables, links->data, couplings, force->data, weight};
    if (couplings)
        kernels->weighted_plaquette_force(&weighted, range);
    else
        kernels->plaquette_force(&args, range);
}

void lat_plaquette_force(const lat_action *action, double beta, lat_field *links, double scale, lat_field *force)
{
    double weight = -scale * beta / lat_colours(action->group);
    lat_range inner = lat_range_of(links->geometry, &links->geometry->inner);
    lat_range outer = lat_range_of(links->geometry, &links->geometry->outer);
    lat_tables tables = lat_tables_with_paths(links, action->group);
    lat_halo_start_staples(links);
    add_forces(action, &tables, weight, links, force, &inner);
    lat_halo_finish_staples(links);
    add_forces(action, &tables, weight, links, force, &outer);
}

static void value(lat_action *action, lat_field *links, lat_field *density)
{
    lat_plaquette_value(action, ((wilson *)action)->beta, links, density);
}

static void force(lat_action *action, lat_field *links, double scale, lat_field *force)
{
    lat_plaquette_force(action, ((wilson *)action)->beta, links, scale, force);
}

static void release(lat_action *action) { free(action); }

const lat_action_table lat_action_table_wilson = {"wilson", value, force, NULL, release};

lat_action *lat_action_wilson(lat_group group, double beta)
{
    wilson *w = lat_alloc(1, sizeof *w);
    *w = (wilson){{.table = &lat_action_table_wilson, .group = group}, beta};
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
