/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sum.c: an action as the sum of the terms that a configuration names.
 */
#include "lattice/gauge/action.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_SHIFT = 16, MOST_KINDS = 64 };

typedef struct {
    lat_action *action;
    int level; /* of its own level 0 */
} term;

typedef struct {
    lat_action base;
    int terms;
    term term[];
} sum;

/* What the functions of a term left in it, where the caller of the sum finds it. */
static void collect(sum *s, const term *t)
{
    lat_action_failed(t->action, &s->base.error);
}

static void value(lat_action *action, lat_gauge *gauge, lat_field *density)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) {
        lat_action *a = s->term[i].action;
        if (a->table->value) a->table->value(a, gauge, density);
        collect(s, &s->term[i]);
    }
}

static void total(lat_action *action, lat_gauge *gauge, double *out)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) {
        lat_action *a = s->term[i].action;
        if (a->table->total) a->table->total(a, gauge, out);
        collect(s, &s->term[i]);
    }
}

static void force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) {
        lat_action *a = s->term[i].action;
        int own = level - s->term[i].level;
        if (own >= 0 && own < a->levels) a->table->force(a, own, gauge, scale, force);
        collect(s, &s->term[i]);
    }
}

static void refresh(lat_action *action, lat_gauge *gauge, const lat_random *random)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) {
        lat_random own = *random;
        own.update += (uint32_t)i << STREAM_SHIFT;
        lat_action_refresh(s->term[i].action, gauge, &own);
        collect(s, &s->term[i]);
    }
}

static void coupled(lat_action *action, lat_gauge *gauge, const lat_sites *sites, lat_field *density)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) {
        lat_action *a = s->term[i].action;
        if (a->table->coupled) a->table->coupled(a, gauge, sites, density);
        collect(s, &s->term[i]);
    }
}

static void solves(lat_action *action, const lat_geometry *geometry, lat_solves *out)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) {
        lat_action *a = s->term[i].action;
        lat_action_solves(a, geometry, out);
        for (int r = 0; r < a->solving * geometry->members; r++) (out++)->term = i;
    }
}

static void needs(const lat_action *action, const lat_geometry *geometry, lat_needs *needs)
{
    const sum *s = (const sum *)action;
    for (int i = 0; i < s->terms; i++) {
        const lat_action *a = s->term[i].action;
        if (a->table->needs) a->table->needs(a, geometry, needs);
    }
}

static void release(lat_action *action)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) lat_action_free(s->term[i].action);
    free(s);
}

static const lat_action_table table = {"sum", value, total, force, refresh, release, coupled, solves, needs};

/* -------------------------------------------------------------------------------------------------------- settings */

static term read_term(lat_settings *root, int index, const lat_action_context *context, const lat_action_kind *const *kinds, lat_error *error)
{
    const char *names[MOST_KINDS + 1] = {0};
    for (int i = 0; i < MOST_KINDS && kinds[i]; i++) names[i] = kinds[i]->name;
    term term = {0};
    lat_settings *settings = lat_settings_item(root, "action", index, error);
    int kind = lat_settings_choice(settings, "kind", NULL, names, error);
    int level = (int)lat_settings_int(settings, "level", -1, 0, LAT_MAX_LEVELS - 1, error);
    term.level = level < 0 ? 0 : level;
    if (!error->status) term.action = kinds[kind]->create(settings, context, error);
    return term;
}

/* The number of levels; all below the highest must have terms. */
static int count_levels(lat_settings *root, const term *term, int terms, lat_error *error)
{
    int levels = 0;
    bool filled[LAT_MAX_LEVELS] = {false};
    for (int i = 0; i < terms; i++)
        for (int level = term[i].level; level < term[i].level + term[i].action->levels; level++) {
            if (level >= LAT_MAX_LEVELS) {
                lat_settings_fail(root, "action", error, "more than %d levels: use fewer", LAT_MAX_LEVELS);
                return 0;
            }
            filled[level] = true;
            if (level >= levels) levels = level + 1;
        }
    for (int level = 0; level < levels; level++)
        if (!filled[level])
            lat_settings_fail(root, "action", error, "no term has level %d: number the levels from 0, the innermost",
                              level);
    return levels;
}

/* What the sum is, as far as its terms tell. */
static void describe(sum *s, lat_settings *root, lat_error *error)
{
    for (int i = 0; i < s->terms; i++) {
        const lat_action *a = s->term[i].action;
        if (a->halo > s->base.halo) s->base.halo = a->halo;
        if (a->corners > s->base.corners) s->base.corners = a->corners;
        s->base.auxiliary = s->base.auxiliary || a->auxiliary;
        s->base.quarks = s->base.quarks || a->quarks;
        s->base.solving += a->solving;
    }
    s->base.levels = count_levels(root, s->term, s->terms, error);
}

lat_action *lat_action_create(lat_settings *root, const lat_action_context *context, const lat_action_kind *const *kinds, lat_error *error)
{
    int terms = lat_settings_list(root, "action", error);
    if (error->status) return NULL;
    if (terms == 0) {
        lat_settings_fail(root, "action", error,
                          "no term of an action: write action = ( { kind = \"wilson\"; beta = 6.0; } );");
        return NULL;
    }
    sum *s = lat_alloc(1, sizeof *s + (size_t)terms * sizeof *s->term);
    s->base = (lat_action){.table = &table, .group = context->group};
    s->terms = terms;
    for (int i = 0; i < terms; i++) s->term[i] = read_term(root, i, context, kinds, error);
    if (!error->status) describe(s, root, error);
    if (error->status || terms > 1) {
        if (!error->status) return &s->base;
        release(&s->base);
        return NULL;
    }
    lat_action *only = s->term[0].action; /* a sum of one term is that term */
    free(s);
    return only;
}
