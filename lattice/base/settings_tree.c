/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings_tree.c: the tree of values that a configuration is.  It remembers in which order its keys were asked for and which
 * defaults were taken.
 */
#include "lattice/base/settings_tree.h"

#include <stdlib.h>
#include <string.h>

lat_settings *lat_node_append(lat_settings *parent, kind kind, const char *name)
{
    lat_settings *node = lat_alloc(1, sizeof *node);
    node->kind = kind;
    node->parent = parent;
    if (name) node->name = lat_text("%s", name);
    if (parent->last)
        parent->last->next = node;
    else
        parent->child = node;
    return parent->last = node;
}

void lat_node_clear(lat_settings *node)
{
    for (lat_settings *child = node->child, *next; child; child = next) {
        next = child->next;
        lat_settings_free(child);
    }
    if (node->kind == STRING) free(node->value.string);
    node->child = node->last = NULL;
    node->kind = ABSENT;
}

void lat_settings_free(lat_settings *node)
{
    if (!node) return;
    lat_node_clear(node);
    lat_settings_free(node->substitute);
    free(node->name);
    free(node->source);
    free(node);
}

lat_settings *lat_node_find(const lat_settings *group, const char *key)
{
    lat_settings *node = group->child;
    while (node && strcmp(node->name, key) != 0) node = node->next;
    return node;
}

lat_settings *lat_node_element(const lat_settings *list, int64_t index)
{
    lat_settings *node = list->child;
    while (node && index-- > 0) node = node->next;
    return node;
}

int lat_node_length(const lat_settings *list)
{
    int count = 0;
    for (const lat_settings *node = list->child; node; node = node->next) count++;
    return count;
}

void lat_node_mark_read(lat_settings *node)
{
    if (node->order == 0) node->order = ++node->parent->reads;
}

lat_settings *lat_node_declare(lat_settings *group, const char *key)
{
    lat_settings *node = lat_node_find(group, key);
    if (!node) node = lat_node_append(group, ABSENT, key);
    lat_node_mark_read(node);
    return node;
}

bool lat_settings_has(const lat_settings *group, const char *key)
{
    const lat_settings *node = lat_node_find(group, key);
    return node && node->kind != ABSENT;
}
