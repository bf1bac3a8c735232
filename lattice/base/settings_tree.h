/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings_tree.h: the tree of values that a configuration is, and messages about them.
 */
#ifndef LAT_BASE_SETTINGS_TREE_H
#define LAT_BASE_SETTINGS_TREE_H

#include "lattice/base/settings.h"

enum { MAX_DEPTH = 32, MAX_PATH_TEXT = 160, LINE_OF_OVERRIDE = -1 };

typedef enum { ABSENT, INTEGER, REAL, BOOLEAN, STRING, LIST, GROUP } kind;
extern const char *const lat_node_kinds[]; /* "nothing", "a whole number", ... */

/* A value of any kind.  Users see groups only. */
struct lat_settings {
    kind kind;  /* ABSENT: the key was asked for, and it has neither a value nor a default that can be written */
    char *name; /* NULL in a list */
    int line;   /* 0: a default */
    int order;  /* place among the siblings in the order of reading, from 1; 0: never read */
    int reads;  /* number of children that were read */
    union {
        int64_t integer;
        double real;
        bool boolean;
        char *string;
    } value;
    lat_settings *parent, *child, *last, *next; /* children in the order of the file */
    lat_settings *substitute;                   /* empty group handed out where this value should have been one */
    char *source;                               /* root: what messages call the text */
};

/* ------------------------------------------------------------------------------------------------- settings_tree.c */

lat_settings *lat_node_append(lat_settings *parent, kind kind, const char *name);
void lat_node_clear(lat_settings *node); /* to ABSENT */
lat_settings *lat_node_find(const lat_settings *group, const char *key);
lat_settings *lat_node_element(const lat_settings *list, int64_t index);
int lat_node_length(const lat_settings *list);
void lat_node_mark_read(lat_settings *node);
/* The value of a key, which is known from now on. */
lat_settings *lat_node_declare(lat_settings *group, const char *key);

/* --------------------------------------------------------------------------------------------- settings_messages.c */

void lat_node_path(const lat_settings *node, char *path, size_t size); /* "updates.[0].steps" */
/* "FILE:LINE: path: " and the message */
lat_status lat_node_fail(const lat_settings *node, lat_error *error, const char *format, ...) __attribute__((format(printf, 3, 4)));
void lat_node_fail_missing(lat_settings *group, const char *key, lat_error *error);
/* These fail where they return false. */
bool lat_node_has_kind(const lat_settings *node, kind kind, const char *wanted, lat_error *error);
bool lat_node_in_range(const lat_settings *node, int64_t low, int64_t high, lat_error *error);
bool lat_node_real_in_range(const lat_settings *node, double low, double high, lat_error *error);
/* The key of the group nearest to word, among those that were read or those that were not; NULL if there is none or
 * none within limit edits. */
const lat_settings *lat_node_nearest(const lat_settings *group, const char *word, bool read, int limit);

#endif
