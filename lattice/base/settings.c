/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.c: the values of a configuration, with their defaults and ranges.
 */
#include "lattice/base/settings_tree.h"

#include "lattice/base/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A default outside the allowed range means "not set": it is returned, but not recorded, since it could not be read
 * back. */
int64_t lat_settings_int(lat_settings *group, const char *key, int64_t standard, int64_t low, int64_t high,
                         lat_error *error)
{
    lat_settings *node = lat_node_declare(group, key);
    if (node->kind == ABSENT) {
        if (standard < low || standard > high) return standard;
        node->kind = INTEGER;
        node->value.integer = standard;
    }
    if (!lat_node_has_kind(node, INTEGER, lat_node_kinds[INTEGER], error) || !lat_node_in_range(node, low, high, error)) return standard;
    return node->value.integer;
}

/* Whole numbers are numbers. */
static bool make_real(lat_settings *node, lat_error *error)
{
    if (node->kind == INTEGER) {
        node->kind = REAL;
        node->value.real = (double)node->value.integer;
    }
    return lat_node_has_kind(node, REAL, "a number", error);
}

double lat_settings_real(lat_settings *group, const char *key, double standard, double low, double high,
                         lat_error *error)
{
    lat_settings *node = lat_node_declare(group, key);
    if (node->kind == ABSENT) {
        if (isnan(standard)) lat_node_fail_missing(group, key, error);
        if (!(isfinite(standard) && standard >= low && standard <= high)) return standard;
        node->kind = REAL;
        node->value.real = standard;
    }
    if (!make_real(node, error)) return standard;
    return lat_node_real_in_range(node, low, high, error) ? node->value.real : standard;
}

bool lat_settings_bool(lat_settings *group, const char *key, bool standard, lat_error *error)
{
    lat_settings *node = lat_node_declare(group, key);
    if (node->kind == ABSENT) {
        node->kind = BOOLEAN;
        node->value.boolean = standard;
    }
    return lat_node_has_kind(node, BOOLEAN, lat_node_kinds[BOOLEAN], error) ? node->value.boolean : standard;
}

const char *lat_settings_string(lat_settings *group, const char *key, const char *standard, lat_error *error)
{
    lat_settings *node = lat_node_declare(group, key);
    if (node->kind == ABSENT) {
        if (!standard) {
            lat_node_fail_missing(group, key, error);
            return "";
        }
        node->kind = STRING;
        node->value.string = lat_text("%s", standard);
    }
    if (lat_node_has_kind(node, STRING, lat_node_kinds[STRING], error)) return node->value.string;
    return standard ? standard : "";
}

static int place_in(const char *word, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(word, names[i]) == 0) return i;
    return -1;
}

int lat_settings_choice(lat_settings *group, const char *key, const char *standard, const char *const *names,
                        lat_error *error)
{
    int fallback = standard ? place_in(standard, names) : 0;
    if (fallback < 0 && !lat_settings_has(group, key)) {
        lat_node_declare(group, key);
        return fallback;
    }
    lat_error own = {0};
    const char *word = lat_settings_string(group, key, standard, &own);
    if (own.status != LAT_DONE) {
        lat_fail(error, own.status, "%s", own.text);
        return fallback;
    }
    int index = place_in(word, names);
    if (index >= 0) return index;
    char known[200] = "";
    for (int i = 0; names[i]; i++) lat_add_word(known, sizeof known, names[i]);
    const char *nearest = lat_nearest(word, names);
    lat_node_fail(lat_node_find(group, key), error, "'%.60s' is not known: is '%s' meant? (known: %s)", word, nearest ? nearest : "",
            known);
    return fallback;
}

/* The node of a list if its length is right, else NULL. */
static lat_settings *list_of(lat_settings *group, const char *key, const char *wanted, int max, lat_error *error)
{
    lat_settings *list = lat_node_find(group, key);
    if (!lat_node_has_kind(list, LIST, wanted, error)) return NULL;
    if (lat_node_length(list) <= max) return list;
    lat_node_fail(list, error, "has %d elements: at most %d are allowed", lat_node_length(list), max);
    return NULL;
}

/* True if the key is absent; then its default is to be recorded in the list that is now there. */
static bool absent_list(lat_settings *group, const char *key, int standard_count, lat_error *error)
{
    lat_settings *list = lat_node_declare(group, key);
    if (list->kind != ABSENT) return false;
    if (standard_count < 0)
        lat_node_fail_missing(group, key, error);
    else
        list->kind = LIST;
    return true;
}

int lat_settings_ints(lat_settings *group, const char *key, int64_t *values, int standard_count, int max, int64_t low,
                      int64_t high, lat_error *error)
{
    int fallback = standard_count < 0 ? 0 : standard_count;
    if (absent_list(group, key, standard_count, error)) {
        for (int i = 0; i < fallback; i++) lat_node_append(lat_node_find(group, key), INTEGER, NULL)->value.integer = values[i];
        return fallback;
    }
    lat_settings *list = list_of(group, key, "a list of whole numbers, [1, 2],", max, error);
    if (!list) return fallback;
    for (const lat_settings *node = list->child; node; node = node->next)
        if (!lat_node_has_kind(node, INTEGER, lat_node_kinds[INTEGER], error) || !lat_node_in_range(node, low, high, error)) return fallback;
    int count = 0;
    for (const lat_settings *node = list->child; node; node = node->next) values[count++] = node->value.integer;
    return count;
}

int lat_settings_reals(lat_settings *group, const char *key, double *values, int standard_count, int max, double low,
                       double high, lat_error *error)
{
    int fallback = standard_count < 0 ? 0 : standard_count;
    if (absent_list(group, key, standard_count, error)) {
        for (int i = 0; i < fallback; i++) lat_node_append(lat_node_find(group, key), REAL, NULL)->value.real = values[i];
        return fallback;
    }
    lat_settings *list = list_of(group, key, "a list of numbers, [0.5, 1.0],", max, error);
    if (!list) return fallback;
    for (lat_settings *node = list->child; node; node = node->next)
        if (!make_real(node, error) || !lat_node_real_in_range(node, low, high, error)) return fallback;
    int count = 0;
    for (const lat_settings *node = list->child; node; node = node->next) values[count++] = node->value.real;
    return count;
}

int lat_settings_strings(lat_settings *group, const char *key, const char **values, int standard_count, int max,
                         lat_error *error)
{
    int fallback = standard_count < 0 ? 0 : standard_count;
    if (absent_list(group, key, standard_count, error)) {
        for (int i = 0; i < fallback; i++)
            lat_node_append(lat_node_find(group, key), STRING, NULL)->value.string = lat_text("%s", values[i]);
        return fallback;
    }
    lat_settings *list = list_of(group, key, "a list of strings, [\"a\", \"b\"],", max, error);
    if (!list) return fallback;
    for (const lat_settings *node = list->child; node; node = node->next)
        if (!lat_node_has_kind(node, STRING, lat_node_kinds[STRING], error)) return fallback;
    int count = 0;
    for (const lat_settings *node = list->child; node; node = node->next) values[count++] = node->value.string;
    return count;
}

static lat_settings *substitute_for(lat_settings *node)
{
    if (!node->substitute) {
        node->substitute = lat_alloc(1, sizeof *node);
        node->substitute->kind = GROUP;
        node->substitute->parent = node;
    }
    return node->substitute;
}

lat_settings *lat_settings_group(lat_settings *group, const char *key, lat_error *error)
{
    lat_settings *node = lat_node_declare(group, key);
    if (node->kind == ABSENT) node->kind = GROUP;
    return lat_node_has_kind(node, GROUP, "a group, { ... },", error) ? node : substitute_for(node);
}

int lat_settings_list(lat_settings *group, const char *key, lat_error *error)
{
    lat_settings *node = lat_node_declare(group, key);
    if (node->kind == ABSENT) node->kind = LIST;
    return lat_node_has_kind(node, LIST, "a list of groups, ( { ... }, { ... } ),", error) ? lat_node_length(node) : 0;
}

lat_settings *lat_settings_item(lat_settings *group, const char *key, int index, lat_error *error)
{
    lat_settings *list = lat_node_declare(group, key);
    if (!lat_node_has_kind(list, LIST, "a list of groups, ( { ... }, { ... } ),", error)) return substitute_for(list);
    lat_settings *node = index >= 0 ? lat_node_element(list, index) : NULL;
    if (!node) {
        lat_node_fail(list, error, "has no element %d", index);
        return substitute_for(list);
    }
    lat_node_mark_read(node);
    return lat_node_has_kind(node, GROUP, "a group, { ... },", error) ? node : substitute_for(node);
}
