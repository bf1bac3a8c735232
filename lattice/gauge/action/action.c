/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * action.c: an action as the sum of the terms that a configuration names.
 */
#include "lattice/gauge/action/action.h"

#include <stdlib.h>

static const char *const names[] = {"wilson", "improved", "luescher_weisz", "iwasaki", "dbw2", NULL};
static lat_action *(*const readers[])(lat_settings *, lat_group, lat_error *) = {
    lat_action_read_wilson, lat_action_read_improved, lat_action_read_luescher_weisz, lat_action_read_iwasaki,
    lat_action_read_dbw2};

typedef struct {
    lat_action *action;
    int level;
} term;

typedef struct {
    lat_action base;
    int terms, levels;
    term term[];
} sum;

static void value(lat_action *action, lat_field *links, lat_field *density)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) s->term[i].action->table->value(s->term[i].action, links, density);
}

static void force(lat_action *action, lat_field *links, double scale, lat_field *force)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) s->term[i].action->table->force(s->term[i].action, links, scale, force);
}

static void refresh(lat_action *action, lat_field *links, const lat_random *random)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) {
        lat_action *part = s->term[i].action;
        if (part->table->refresh) part->table->refresh(part, links, random);
    }
}

static void release(lat_action *action)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) lat_action_free(s->term[i].action);
    free(s);
}

static const lat_action_table table_sum = {"sum", value, force, refresh, release};

static term read_term(lat_settings *root, int index, lat_group group, lat_error *error)
{
    term term = {0};
    lat_settings *settings = lat_settings_item(root, "action", index, error);
    int kind = lat_settings_choice(settings, "kind", NULL, names, error);
    int level = (int)lat_settings_int(settings, "level", -1, 0, LAT_MAX_LEVELS - 1, error);
    term.level = level < 0 ? 0 : level;
    if (!error->status) term.action = readers[kind](settings, group, error);
    return term;
}

/* The number of levels; all below the highest must have terms. */
static int count_levels(lat_settings *root, const term *term, int terms, lat_error *error)
{
    int levels = 0;
    bool filled[LAT_MAX_LEVELS] = {false};
    for (int i = 0; i < terms; i++) {
        filled[term[i].level] = true;
        if (term[i].level >= levels) levels = term[i].level + 1;
    }
    for (int level = 0; level < levels; level++)
        if (!filled[level])
            lat_settings_fail(root, "action", error, "no term has level %d: number the levels from 0, the innermost",
                              level);
    return levels;
}

lat_action *lat_action_create(lat_settings *root, lat_group group, lat_error *error)
{
    int terms = lat_settings_list(root, "action", error);
    if (error->status) return NULL;
    if (terms == 0) {
        lat_settings_fail(root, "action", error,
                          "no term of an action: write action = ( { kind = \"wilson\"; beta = 6.0; } );");
        return NULL;
    }
    if (terms == 1) {
        term only = read_term(root, 0, group, error);
        if (!error->status) count_levels(root, &only, 1, error);
        if (!error->status) return only.action;
        lat_action_free(only.action);
        return NULL;
    }
    sum *s = lat_alloc(1, sizeof *s + (size_t)terms * sizeof *s->term);
    s->base = (lat_action){.table = &table_sum, .group = group};
    s->terms = terms;
    for (int i = 0; i < terms; i++) s->term[i] = read_term(root, i, group, error);
    if (!error->status) s->levels = count_levels(root, s->term, terms, error);
    for (int i = 0; i < terms && !error->status; i++)
        if (s->term[i].action->halo > s->base.halo) s->base.halo = s->term[i].action->halo;
    if (!error->status) return &s->base;
    release(&s->base);
    return NULL;
}

void lat_action_free(lat_action *action)
{
    if (action) action->table->free(action);
}

void lat_action_couple(lat_action *action, const lat_field *couplings)
{
    sum *s = (sum *)action;
    action->couplings = couplings;
    for (int i = 0; action->table == &table_sum && i < s->terms; i++) s->term[i].action->couplings = couplings;
}

const double *lat_couplings_of(const lat_action *action) { return action->couplings ? action->couplings->data : NULL; }

int lat_action_levels(const lat_action *action)
{
    return action->table == &table_sum ? ((const sum *)action)->levels : 1;
}

void lat_action_force(lat_action *action, int level, lat_field *links, double scale, lat_field *force)
{
    sum *s = (sum *)action;
    if (lat_action_levels(action) == 1) {
        action->table->force(action, links, scale, force);
        return;
    }
    for (int i = 0; i < s->terms; i++)
        if (s->term[i].level == level) s->term[i].action->table->force(s->term[i].action, links, scale, force);
}

void lat_action_total(lat_action *action, lat_field *links, double *out)
{
    lat_field *density = lat_field_create(links->geometry, 1, LAT_DOUBLE);
    action->table->value(action, links, density);
    lat_sum(density, out);
    lat_field_free(density);
}
