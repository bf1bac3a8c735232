/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pseudofermions.c: actions of pseudofermions as terms of a configuration.
 */
#include "lattice/dirac/pseudofermions.h"

#include <math.h>

static void read_goals(lat_settings *term, lat_solver_goal *action, lat_solver_goal *force, lat_error *error)
{
    int64_t most = lat_settings_int(term, "iterations", 100000, 1, 1000000000, error);
    *action = (lat_solver_goal){lat_settings_real(term, "residue", 1e-12, 1e-14, 1e-3, error), most};
    *force = (lat_solver_goal){lat_settings_real(term, "residue_force", 1e-9, 1e-14, 1e-3, error), most};
}

/* ----------------------------------------------------------------------------------------------------- two flavours */

static lat_action *make_two_flavours(lat_dirac *dirac, const void *parameters, lat_error *error)
{
    return lat_action_two_flavours(dirac, parameters, error);
}

static void needs_of_two(const lat_operator *description, const void *parameters, const lat_geometry *geometry,
                         lat_group group, lat_needs *needs)
{
    lat_two_flavours_needs(&description->parameters, parameters, geometry, group, needs);
}

static const lat_quarks_table two_flavours = {.make = make_two_flavours,
                                              .needs = needs_of_two,
                                              .bytes = sizeof(lat_two_flavours),
                                              .auxiliary = true,
                                              .solving = 1};

static void read_masses(lat_settings *term, lat_two_flavours *p, lat_error *error)
{
    int64_t level[LAT_MOST_MASSES] = {0};
    p->masses = lat_settings_reals(term, "masses", p->mass, 1, LAT_MOST_MASSES, 0, 100, error);
    int levels = lat_settings_ints(term, "levels", level, p->masses, LAT_MOST_MASSES, 0, LAT_MAX_LEVELS - 1, error);
    if (levels != p->masses && !error->status)
        lat_settings_fail(term, "levels", error, "%d numbers for %d masses: give one for each", levels, p->masses);
    bool filled[LAT_MAX_LEVELS] = {false};
    for (int i = 0; i < p->masses; i++) filled[level[i]] = true;
    for (int i = 0; i < p->masses; i++)
        for (int below = 0; below < level[i]; below++)
            if (!filled[below]) lat_settings_fail(term, "levels", error, "no mass has level %d: leave no gap", below);
    for (int i = 0; i < p->masses; i++) {
        p->level[i] = (int)level[i];
        if (i == 0 ? p->mass[i] != 0 : p->mass[i] <= p->mass[i - 1])
            lat_settings_fail(term, "masses", error, "masses begin with 0 and ascend: give them as [0.0, 0.1, 0.5]");
    }
}

static lat_action *create_two_flavours(lat_settings *term, const lat_action_context *context, lat_error *error)
{
    lat_operator quark;
    lat_two_flavours p = {.masses = 1};
    int levels = 1;
    lat_operator_read(term, context, &quark, error);
    read_masses(term, &p, error);
    read_goals(term, &p.action, &p.force, error);
    if (error->status) return NULL;
    for (int i = 0; i < p.masses; i++) levels = p.level[i] >= levels ? p.level[i] + 1 : levels;
    return lat_action_quarks(&quark, &two_flavours, &p, levels);
}

/* ------------------------------------------------------------------------------------------------------- one flavour */

static lat_action *make_rational(lat_dirac *dirac, const void *parameters, lat_error *error)
{
    return lat_action_rational(dirac, parameters, error);
}

static void needs_of_one(const lat_operator *description, const void *parameters, const lat_geometry *geometry,
                         lat_group group, lat_needs *needs)
{
    (void)description;
    lat_one_flavour_needs(parameters, geometry, group, needs);
}

static const lat_quarks_table one_flavour = {
    .make = make_rational, .needs = needs_of_one, .bytes = sizeof(lat_one_flavour), .auxiliary = true, .solving = 1};

static lat_action *create_rational(lat_settings *term, const lat_action_context *context, lat_error *error)
{
    lat_operator quark;
    lat_one_flavour p = {0};
    lat_operator_read(term, context, &quark, error);
    int ends = lat_settings_reals(term, "range", p.range, -1, 2, 1e-6, 1000, error);
    if ((ends != 2 || p.range[0] >= p.range[1]) && !error->status)
        lat_settings_fail(term, "range", error, "give the least and the largest eigenvalue, as [0.02, 7.0]");
    p.error[0] = lat_settings_real(term, "error", 1e-13, 1e-15, 1e-3, error);
    p.error[1] = lat_settings_real(term, "error_force", 1e-7, 1e-15, 1e-3, error);
    read_goals(term, &p.action, &p.force, error);
    if (quark.parameters.mu != 0)
        lat_settings_fail(term, "operator", error, "the operator has a twisted mass: use two_flavours");
    return error->status ? NULL : lat_action_quarks(&quark, &one_flavour, &p, 1);
}

const lat_action_kind lat_action_kind_two_flavours = {"two_flavours", create_two_flavours},
                      lat_action_kind_rational = {"rational", create_rational};
