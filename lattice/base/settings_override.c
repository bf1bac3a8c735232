/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings_override.c: values that are set by "path.to.key=value" before any is read.
 */
#include "lattice/base/settings_tree.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_name(const char *word)
{
    if (!isalpha((unsigned char)word[0]) && word[0] != '*') return false;
    while (isalnum((unsigned char)*word) || strchr("-_*", *word ? *word : '.')) word++;
    return !*word;
}

/* One step along a path; NULL (and a failure) if it leads nowhere.  Absent groups on the way are created. */
static lat_settings *walk(lat_settings *node, const char *part, const char *assignment, lat_error *error)
{
    char path[MAX_PATH_TEXT], extra;
    long long index;
    bool by_index = sscanf(part, "[%10lld]%c", &index, &extra) == 1 && part[strlen(part) - 1] == ']';
    lat_node_path(node, path, sizeof path);
    if (!by_index && !is_name(part)) {
        lat_fail(error, LAT_USAGE, "--set %.100s: '%.40s' is no key: write path.to.key=value or list.[0].key=value",
                 assignment, part);
        return NULL;
    }
    if (node->kind == ABSENT && !by_index) node->kind = GROUP;
    if (node->kind != (by_index ? LIST : GROUP)) {
        lat_fail(error, LAT_USAGE, "--set %.100s: '%s' is %s and cannot hold '%.40s': see --print-config", assignment,
                 path, lat_node_kinds[node->kind], part);
        return NULL;
    }
    if (by_index) {
        lat_settings *item = index >= 0 ? lat_node_element(node, index) : NULL;
        if (!item)
            lat_fail(error, LAT_USAGE, "--set %.100s: '%s' has %d elements, counted from 0: give one of them",
                     assignment, path, lat_node_length(node));
        return item;
    }
    lat_settings *child = lat_node_find(node, part);
    if (!child) child = lat_node_append(node, ABSENT, part);
    if (child->line == 0) child->line = LINE_OF_OVERRIDE;
    return child;
}

static void mark_override(lat_settings *node)
{
    node->line = LINE_OF_OVERRIDE;
    for (lat_settings *child = node->child; child; child = child->next) mark_override(child);
}

/* Moves the contents of one node to another. */
static void move_value(lat_settings *from, lat_settings *to)
{
    lat_node_clear(to);
    to->kind = from->kind;
    to->value = from->value;
    to->child = from->child;
    to->last = from->last;
    for (lat_settings *child = to->child; child; child = child->next) child->parent = to;
    from->child = from->last = NULL;
    from->kind = ABSENT;
    mark_override(to);
}

static bool is_word(const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c <= ' ' || strchr("\"{}()[];,=", *c)) return false;
    return *value != '\0';
}

static void set_value(lat_settings *node, const char *value, const char *assignment, lat_error *error)
{
    lat_error parse_error = {0};
    lat_settings *parsed;
    char *text = lat_text("value = %s\n;", value);
    lat_settings_parse(text, "value", &parsed, &parse_error);
    free(text);
    if (parsed && lat_node_length(parsed) == 1) {
        move_value(parsed->child, node);
    } else if (!parsed && is_word(value)) {
        lat_node_clear(node);
        node->kind = STRING;
        node->value.string = lat_text("%s", value);
        node->line = LINE_OF_OVERRIDE;
    } else {
        lat_fail(error, LAT_USAGE, "--set %.100s: not a value: write 1, 0.5, true, word, '\"two words\"' or '[1, 2]'",
                 assignment);
    }
    lat_settings_free(parsed);
}

/* Brackets around the innermost value of a node. */
static int brackets(const lat_settings *node)
{
    int inner = 0;
    for (const lat_settings *child = node->child; child; child = child->next) {
        int depth = brackets(child);
        if (depth > inner) inner = depth;
    }
    return inner + (node->parent && (node->kind == GROUP || node->kind == LIST));
}

lat_status lat_settings_override(lat_settings *root, const char *assignment, lat_error *error)
{
    lat_error own = {0};
    char *path = lat_text("%s", assignment);
    char *value = strchr(path, '=');
    if (value) {
        *value++ = '\0';
        value += strspn(value, " \t");
        for (size_t end = strlen(path); end > 0 && (path[end - 1] == ' ' || path[end - 1] == '\t');) path[--end] = '\0';
        lat_settings *node = root;
        for (char *part = path, *next; part && node; part = next) {
            next = strchr(part, '.');
            if (next) *next++ = '\0';
            node = walk(node, part, assignment, &own);
        }
        if (node) {
            set_value(node, value, assignment, &own);
            if (brackets(root) > MAX_DEPTH)
                lat_fail(&own, LAT_USAGE, "--set %.100s: brackets are nested too deeply: use fewer", assignment);
        }
    } else {
        lat_fail(&own, LAT_USAGE, "--set %.100s: there is no '=' in it: write path.to.key=value", assignment);
    }
    free(path);
    return own.status == LAT_DONE ? LAT_DONE : lat_fail(error, own.status, "%s", own.text);
}
