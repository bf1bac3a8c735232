/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings_messages.c: what is said of values of a configuration, and where they are.
 */
#include "lattice/base/settings_tree.h"

#include "lattice/base/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const lat_node_kinds[] = {"nothing",  "a whole number", "a real number", "true or false",
                                      "a string", "a list",         "a group"};

void lat_node_path(const lat_settings *node, char *path, size_t size)
{
    path[0] = '\0';
    if (!node->parent) return;
    lat_node_path(node->parent, path, size);
    size_t used = strlen(path);
    const char *dot = used > 0 ? "." : "";
    if (node->name) {
        snprintf(path + used, size - used, "%s%s", dot, node->name);
    } else if (node->parent->substitute != node) {
        int index = 0;
        for (const lat_settings *other = node->parent->child; other != node; other = other->next) index++;
        snprintf(path + used, size - used, "%s[%d]", dot, index);
    }
}

/* key: a member of node that need not exist, or NULL for the node itself. */
__attribute__((format(printf, 4, 0))) static lat_status fail_list(const lat_settings *node, const char *key,
                                                                  lat_error *error, const char *format, va_list list)
{
    char path[MAX_PATH_TEXT], place[MAX_PATH_TEXT], message[sizeof error->text];
    lat_node_path(node, path, sizeof path);
    const lat_settings *root = node;
    while (root->parent) root = root->parent;
    const lat_settings *line = node;
    while (line->line == 0 && line->parent) line = line->parent;
    if (line->line == LINE_OF_OVERRIDE)
        snprintf(place, sizeof place, "command line");
    else if (line->line > 0)
        snprintf(place, sizeof place, "%.140s:%d", root->source, line->line);
    else
        snprintf(place, sizeof place, "%.140s", root->source);
    vsnprintf(message, sizeof message, format, list);
    const char *dot = key && path[0] ? "." : "";
    return lat_fail(error, LAT_CONFIG, "%s: %s%s%.80s: %s", place, path, dot, key ? key : "", message);
}

lat_status lat_node_fail(const lat_settings *node, lat_error *error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    lat_status status = fail_list(node, NULL, error, format, list);
    va_end(list);
    return status;
}

lat_status lat_settings_fail(lat_settings *group, const char *key, lat_error *error, const char *format, ...)
{
    const lat_settings *node = lat_node_find(group, key);
    va_list list;
    va_start(list, format);
    lat_status status = node ? fail_list(node, NULL, error, format, list) : fail_list(group, key, error, format, list);
    va_end(list);
    return status;
}

const lat_settings *lat_node_nearest(const lat_settings *group, const char *word, bool read, int limit)
{
    const lat_settings *nearest = NULL;
    for (const lat_settings *node = group->child; node; node = node->next) {
        if ((node->order > 0) != read) continue;
        int distance = lat_edit_distance(word, node->name);
        if (distance > limit) continue;
        limit = distance - 1;
        nearest = node;
    }
    return nearest;
}

void lat_node_fail_missing(lat_settings *group, const char *key, lat_error *error)
{
    const lat_settings *meant = lat_node_nearest(group, key, false, 2);
    if (meant)
        lat_settings_fail(group, key, error, "this key is required and missing: is it meant by '%.60s'?", meant->name);
    else
        lat_settings_fail(group, key, error, "this key is required and missing: add it");
}

bool lat_node_has_kind(const lat_settings *node, kind kind, const char *wanted, lat_error *error)
{
    if (node->kind == kind) return true;
    lat_node_fail(node, error, "is %s, but %s is asked for", lat_node_kinds[node->kind], wanted);
    return false;
}

bool lat_node_in_range(const lat_settings *node, int64_t low, int64_t high, lat_error *error)
{
    if (node->value.integer >= low && node->value.integer <= high) return true;
    bool small = node->value.integer < low;
    lat_node_fail(node, error, "%" PRId64 " is too %s: the %s value is %" PRId64, node->value.integer,
            small ? "small" : "large", small ? "smallest" : "largest", small ? low : high);
    return false;
}

bool lat_node_real_in_range(const lat_settings *node, double low, double high, lat_error *error)
{
    if (node->value.real >= low && node->value.real <= high) return true;
    bool small = node->value.real < low;
    lat_node_fail(node, error, "%g is too %s: the %s value is %g", node->value.real, small ? "small" : "large",
                  small ? "smallest" : "largest", small ? low : high);
    return false;
}
