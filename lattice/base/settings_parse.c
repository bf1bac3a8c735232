/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings_parse.c: from the text of a configuration to the tree of its values: scanned, parsed by libconfig, copied.
 */
#include "lattice/base/settings_scan.h"
#include "lattice/base/settings_tree.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

static void copy_children(const config_setting_t *from, lat_settings *to);

static void copy_value(config_setting_t *from, lat_settings *to)
{
    to->line = (int)config_setting_source_line(from);
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        to->kind = INTEGER;
        to->value.integer = config_setting_get_int64(from);
        break;
    case CONFIG_TYPE_FLOAT:
        to->kind = REAL;
        to->value.real = config_setting_get_float(from);
        break;
    case CONFIG_TYPE_BOOL:
        to->kind = BOOLEAN;
        to->value.boolean = config_setting_get_bool(from);
        break;
    case CONFIG_TYPE_STRING: {
        const char *string = config_setting_get_string(from);
        to->kind = STRING;
        to->value.string = lat_text("%s", string ? string : "");
        break;
    }
    case CONFIG_TYPE_GROUP:
        to->kind = GROUP;
        copy_children(from, to);
        break;
    default: to->kind = LIST; copy_children(from, to);
    }
}

static void copy_children(const config_setting_t *from, lat_settings *to)
{
    int count = config_setting_length(from);
    for (int i = 0; i < count; i++) {
        config_setting_t *child = config_setting_get_elem(from, (unsigned)i);
        copy_value(child, lat_node_append(to, ABSENT, config_setting_name(child)));
    }
}

static const char *explain(const char *message)
{
    if (strstr(message, "duplicate")) return "the same key is set twice: remove one of them";
    if (strstr(message, "mismatched")) return "the elements of [ ] are not of one type: write all of them alike";
    return "syntax error: look for a missing quote, bracket, '=' or ';' here and just above";
}

lat_status lat_settings_parse(const char *text, const char *name, lat_settings **root, lat_error *error)
{
    *root = NULL;
    char *clean = lat_settings_scan(text, name, error);
    if (!clean) return error->status;
    config_t config;
    config_init(&config);
    if (config_read_string(&config, clean) == CONFIG_TRUE) {
        *root = lat_alloc(1, sizeof **root);
        (*root)->kind = GROUP;
        (*root)->source = lat_text("%s", name);
        copy_children(config_root_setting(&config), *root);
    } else {
        const char *message = config_error_text(&config);
        lat_fail(error, LAT_CONFIG, "%.140s:%d: %s", name, config_error_line(&config), explain(message ? message : ""));
    }
    config_destroy(&config);
    free(clean);
    return *root ? LAT_DONE : error->status;
}
