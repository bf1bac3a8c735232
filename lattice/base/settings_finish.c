/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings_finish.c: keys that nobody asked for.
 */
#include "lattice/base/settings_tree.h"

#include "lattice/base/words.h"

#include <limits.h>

static void fail_unknown(const lat_settings *node, lat_error *error)
{
    const lat_settings *nearest = node->name ? lat_node_nearest(node->parent, node->name, true, INT_MAX) : NULL;
    char known[200] = "";
    for (const lat_settings *other = node->parent->child; other; other = other->next)
        if (other->order > 0 && other->name) lat_add_word(known, sizeof known, other->name);
    if (nearest)
        lat_node_fail(node, error, "unknown key: is '%.60s' meant? (known: %s)", nearest->name, known);
    else
        lat_node_fail(node, error, "unknown key: remove it");
}

static void finish_node(const lat_settings *node, lat_error *error)
{
    for (const lat_settings *child = node->child; child && error->status == LAT_DONE; child = child->next) {
        if (child->order == 0 && (child->name || child->kind == GROUP))
            fail_unknown(child, error);
        else if (child->kind == GROUP || child->kind == LIST)
            finish_node(child, error);
    }
}

lat_status lat_settings_finish(lat_settings *root, lat_error *error)
{
    finish_node(root, error);
    return error->status;
}
