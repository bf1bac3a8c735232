/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * wilson.c: the Wilson plaquette action, S = beta sum_{x, m<n} c_P (1 - Re tr P_mn(x) / N).
 */
#include "lattice/gauge/action/plaquette.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    lat_action base;
    double beta;
} wilson;

static void value(lat_action *action, lat_gauge *gauge, lat_field *density)
{
    lat_plaquette_value(((wilson *)action)->beta, gauge, density);
}

static void coupled(lat_action *action, lat_gauge *gauge, const lat_sites *sites, lat_field *density)
{
    lat_plaquette_value_at(((wilson *)action)->beta, gauge, sites, density);
}

static void force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    (void)level;
    lat_plaquette_force(((wilson *)action)->beta, gauge, scale, force);
}

static void release(lat_action *action) { free(action); }

static const lat_action_table table = {.name = "wilson", .value = value, .force = force, .free = release, .coupled = coupled};

lat_action *lat_action_wilson(lat_group group, double beta)
{
    wilson *w = lat_alloc(1, sizeof *w);
    *w = (wilson){{.table = &table, .group = group, .levels = 1}, beta};
    return &w->base;
}

double lat_action_beta(const lat_action *action) { return action->table == &table ? ((const wilson *)action)->beta : NAN; }

static lat_action *create(lat_settings *term, const lat_action_context *context, lat_error *error)
{
    return lat_action_wilson(context->group, lat_settings_real(term, "beta", NAN, 0, 1e6, error));
}

const lat_action_kind lat_action_kind_wilson = {"wilson", create};
