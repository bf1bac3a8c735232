/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * quarks.c: a term of the action that is an action of its own on each geometry.
 *
 * Either may be freed first, the term or a geometry: what is made for both hangs on both.
 */
#include "lattice/dirac/action.h"

#include <stdlib.h>
#include <string.h>

typedef struct place place;

typedef struct {
    lat_action base;
    lat_operator description;
    const lat_quarks_table *kind;
    void *parameters;
    place *first;
} quarks;

struct place {
    place *next_of_term, *next_of_geometry;
    quarks *term; /* NULL: it has gone, and the action with it */
    const lat_geometry *geometry;
    lat_action *action;
};

/* ------------------------------------------------------------------------------------------------------------- places */

static void leave_term(place *p)
{
    place **link = &p->term->first;
    while (*link != p) link = &(*link)->next_of_term;
    *link = p->next_of_term;
    lat_action_free(p->action);
}

static void release_places(const lat_geometry *geometry, void *object)
{
    (void)geometry;
    place **first = object;
    for (place *p = *first, *next; p; p = next) {
        next = p->next_of_geometry;
        if (p->term) leave_term(p);
        free(p);
    }
    free(first);
}

/* The operator is there before the room is, and goes after it: what a geometry keeps last it frees first. */
static lat_action *make_on(quarks *q, const lat_geometry *geometry)
{
    lat_dirac *dirac = lat_operator_on(&q->description, geometry, &q->base.error);
    lat_action *action = dirac ? q->kind->make(dirac, q->parameters, &q->base.error) : NULL;
    if (!action) return NULL;
    place **first = lat_geometry_room(geometry, release_places, sizeof *first), *p = lat_alloc(1, sizeof *p);
    *p = (place){
        .next_of_term = q->first, .next_of_geometry = *first, .term = q, .geometry = geometry, .action = action};
    return (q->first = *first = p)->action;
}

/* NULL: none was made yet. */
static lat_action *made_on(const quarks *q, const lat_geometry *geometry)
{
    for (const place *p = q->first; p; p = p->next_of_term)
        if (p->geometry == geometry) return p->action;
    return NULL;
}

static lat_action *action_on(quarks *q, const lat_gauge *gauge)
{
    lat_action *made = made_on(q, gauge->links->geometry);
    return made ? made : make_on(q, gauge->links->geometry);
}

/* --------------------------------------------------------------------------------------------------------- the term */

static void value(lat_action *action, lat_gauge *gauge, lat_field *density)
{
    lat_action *here = action_on((quarks *)action, gauge);
    if (!here) return;
    if (here->table->value) here->table->value(here, gauge, density);
    lat_action_failed(here, &action->error);
}

static void total(lat_action *action, lat_gauge *gauge, double *out)
{
    lat_action *here = action_on((quarks *)action, gauge);
    if (!here) return;
    if (here->table->total) here->table->total(here, gauge, out);
    lat_action_failed(here, &action->error);
}

static void force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    lat_action *here = action_on((quarks *)action, gauge);
    if (!here) return;
    here->table->force(here, level, gauge, scale, force);
    lat_action_failed(here, &action->error);
}

static void refresh(lat_action *action, lat_gauge *gauge, const lat_random *random)
{
    lat_action *here = action_on((quarks *)action, gauge);
    if (!here) return;
    lat_action_refresh(here, gauge, random);
    lat_action_failed(here, &action->error);
}

static void solves(lat_action *action, const lat_geometry *geometry, lat_solves *out)
{
    lat_action *here = made_on((quarks *)action, geometry);
    memset(out, 0, (size_t)(action->solving * geometry->members) * sizeof *out);
    if (here) lat_action_solves(here, geometry, out);
}

static void needs(const lat_action *action, const lat_geometry *geometry, lat_needs *needs)
{
    const quarks *q = (const quarks *)action;
    q->kind->needs(&q->description, q->parameters, geometry, q->base.group, needs);
    for (int i = 0; i < needs->operators; i++)
        if (lat_operator_same(needs->of_operator[i], &q->description)) return;
    if (needs->operators < LAT_MOST_OPERATORS) needs->of_operator[needs->operators++] = &q->description;
    lat_dirac_needs(q->description.table, &q->description.parameters, geometry, q->base.group, needs);
}

static void release(lat_action *action)
{
    quarks *q = (quarks *)action;
    for (place *p = q->first, *next; p; p = next) {
        next = p->next_of_term;
        lat_action_free(p->action);
        p->term = NULL;
    }
    free(q->parameters);
    free(q);
}

static const lat_action_table table = {"quarks", value, total, force, refresh, release, NULL, solves, needs};

lat_action *lat_action_quarks(const lat_operator *description, const lat_quarks_table *kind, const void *parameters,
                              int levels)
{
    quarks *q = lat_alloc(1, sizeof *q);
    q->base = (lat_action){.table = &table,
                           .group = description->group,
                           .halo = description->table->halo,
                           .corners = lat_dirac_corners(description->table, &description->parameters),
                           .levels = levels,
                           .auxiliary = kind->auxiliary,
                           .quarks = true,
                           .solving = kind->solving};
    q->description = *description;
    q->kind = kind;
    q->parameters = lat_alloc(1, kind->bytes);
    memcpy(q->parameters, parameters, kind->bytes);
    return &q->base;
}
