/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * action.c: an action as the sum of the terms that a configuration names.
 */
#include "action.h"

#include <stdlib.h>

static const char *const names[] = {"wilson", NULL};
static lat_action *(*const readers[])(lat_settings *, lat_group, lat_error *) = {lat_action_read_wilson};

typedef struct {
    lat_action base;
    int terms;
    lat_action *term[];
} sum;

static void value(lat_action *action, lat_field *links, lat_field *density)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) s->term[i]->table->value(s->term[i], links, density);
}

static void force(lat_action *action, lat_field *links, double scale, lat_field *force)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) s->term[i]->table->force(s->term[i], links, scale, force);
}

static void refresh(lat_action *action, lat_field *links, const lat_random *random)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++)
        if (s->term[i]->table->refresh) s->term[i]->table->refresh(s->term[i], links, random);
}

static void release(lat_action *action)
{
    sum *s = (sum *)action;
    for (int i = 0; i < s->terms; i++) lat_action_free(s->term[i]);
    free(s);
}

static const lat_action_table table_sum = {"sum", value, force, refresh, release};

static lat_action *read_term(lat_settings *root, int index, lat_group group, lat_error *error)
{
    lat_settings *settings = lat_settings_item(root, "action", index, error);
    int kind = lat_settings_choice(settings, "kind", NULL, names, error);
    return error->status ? NULL : readers[kind](settings, group, error);
}

lat_action *lat_action_create(lat_settings *root, lat_group group, lat_error *error)
{
    int terms = lat_settings_list(root, "action", error);
    if (error->status) return NULL;
    if (terms == 0) {
        lat_settings_fail(root, "action", error, "no term of an action: write action = ( { kind = \"wilson\"; beta = 6.0; } );");
        return NULL;
    }
    if (terms == 1) {
        lat_action *only = read_term(root, 0, group, error);
        if (!error->status) return only;
        lat_action_free(only);
        return NULL;
    }
    sum *s = lat_alloc(1, sizeof *s + (size_t)terms * sizeof *s->term);
    s->base = (lat_action){&table_sum, group};
    s->terms = terms;
    for (int i = 0; i < terms; i++) s->term[i] = read_term(root, i, group, error);
    if (!error->status) return &s->base;
    release(&s->base);
    return NULL;
}

void lat_action_free(lat_action *action)
{
    if (action) action->table->free(action);
}

void lat_action_total(lat_action *action, lat_field *links, double *out)
{
    lat_field *density = lat_field_create(links->geometry, 1, LAT_DOUBLE);
    action->table->value(action, links, density);
    lat_sum(density, out);
    lat_field_free(density);
}
