/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * action.c: what can be asked of any action.
 */
#include "lattice/gauge/action.h"

#include <string.h>

void lat_action_free(lat_action *action)
{
    if (action) action->table->free(action);
}

/* Less than two corners are never asked for: observables need them. */
void lat_action_shape(const lat_action *action, lat_shape *shape)
{
    const int usual = 2, corners = shape->corners > usual ? shape->corners : usual;
    if (action->halo > shape->halo) shape->halo = action->halo;
    if (action->corners > corners) shape->corners = action->corners;
    if (action->quarks) shape->precision = LAT_FLOAT;
}

void lat_action_force(lat_action *action, lat_gauge *gauge, double scale, lat_field *force)
{
    for (int level = 0; level < action->levels; level++) action->table->force(action, level, gauge, scale, force);
}

void lat_action_sum(lat_action *action, lat_gauge *gauge, lat_field *density, double *out)
{
    if (action->table->value) action->table->value(action, gauge, density);
    lat_sum(density, out);
    if (action->table->total) action->table->total(action, gauge, out);
}

void lat_action_total(lat_action *action, lat_gauge *gauge, double *out)
{
    lat_field *density = lat_field_create(gauge->links->geometry, 1, LAT_DOUBLE);
    lat_action_sum(action, gauge, density, out);
    lat_field_free(density);
}

void lat_action_refresh(lat_action *action, lat_gauge *gauge, const lat_random *random)
{
    if (action->table->refresh) action->table->refresh(action, gauge, random);
}

double lat_action_memory(const lat_action *action, const lat_geometry *geometry)
{
    lat_needs needs = {0};
    if (action->table->needs) action->table->needs(action, geometry, &needs);
    return needs.kept + needs.passing;
}

void lat_action_solves(lat_action *action, const lat_geometry *geometry, lat_solves *out)
{
    if (action->solving > 0) action->table->solves(action, geometry, out);
}

void lat_solves_take(lat_solves *counted, int members, lat_solves *out)
{
    memcpy(out, counted, (size_t)members * sizeof *out);
    memset(counted, 0, (size_t)members * sizeof *out);
}

lat_status lat_action_failed(lat_action *action, lat_error *error)
{
    lat_error found = action->error;
    action->error = (lat_error){0};
    return found.status ? lat_fail(error, found.status, "%s", found.text) : LAT_DONE;
}
