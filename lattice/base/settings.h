/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.h: configurations in the syntax of libconfig.
 */
#ifndef LAT_BASE_SETTINGS_H
#define LAT_BASE_SETTINGS_H

#include "lattice/base/error.h"

/* A group of a configuration (libconfig syntax) together with the record of what was asked of it.  Reading a key
 * declares it: keys that nobody asked for are reported by lat_settings_finish, and lat_settings_print writes the
 * complete configuration with every default that was taken.  All functions are local and deterministic. */
typedef struct lat_settings lat_settings;

/* Parses text; name is what error messages call it (a file name).  LAT_CONFIG with line number on a syntax error. */
lat_status lat_settings_parse(const char *text, const char *name, lat_settings **root, lat_error *error);
/* Sets one value of the root from "path.to.key=value" (list elements: "updates.[0].steps=20"); the value is in libconfig syntax,
 * an unquoted word is taken as a string.  Missing groups are created.  Call before any key is read.
 * LAT_USAGE if the path leads nowhere or the value is none. */
lat_status lat_settings_override(lat_settings *root, const char *assignment, lat_error *error);
void lat_settings_free(lat_settings *root);

/* Values with default and inclusive range.  On failure (type, range) the error names file, line and key, the default
 * is returned, and the error's status says so; callers may read many keys and look at error->status once.  A default
 * outside the range means "not set" and is not printed; the default NaN means that the key is required. */
int64_t lat_settings_int(lat_settings *group, const char *key, int64_t standard, int64_t low, int64_t high, lat_error *error);
double lat_settings_real(lat_settings *group, const char *key, double standard, double low, double high, lat_error *error);
bool lat_settings_bool(lat_settings *group, const char *key, bool standard, lat_error *error);
/* standard NULL: the key is required.  The string lives as long as the settings. */
const char *lat_settings_string(lat_settings *group, const char *key, const char *standard, lat_error *error);
/* Index into the NULL-terminated list of names; a word that is not in it is an error naming the nearest one.  standard NULL: the key
 * is required, and 0 is returned on failure; a standard that is not in the list means "not set": -1 is returned. */
int lat_settings_choice(lat_settings *group, const char *key, const char *standard, const char *const *names, lat_error *error);
/* Array or list of integers, of reals (whole numbers among them) or of strings: fills in up to max values, each in the inclusive range, and
 * returns their number.  Where the key is absent, and on failure, the values stay what they were: standard_count of them, which is
 * returned, are the default; standard_count < 0: the key is required, and 0 is returned. */
int lat_settings_ints(lat_settings *group, const char *key, int64_t *values, int standard_count, int max, int64_t low, int64_t high, lat_error *error);
int lat_settings_reals(lat_settings *group, const char *key, double *values, int standard_count, int max, double low, double high, lat_error *error);
int lat_settings_strings(lat_settings *group, const char *key, const char **values, int standard_count, int max, lat_error *error);
/* A subgroup; an absent one is created empty, so that its defaults are recorded. */
lat_settings *lat_settings_group(lat_settings *group, const char *key, lat_error *error);
/* A list of groups: its length (0 if absent), and its elements. */
int lat_settings_list(lat_settings *group, const char *key, lat_error *error);
lat_settings *lat_settings_item(lat_settings *group, const char *key, int index, lat_error *error);
bool lat_settings_has(const lat_settings *group, const char *key);
/* Fails with LAT_CONFIG on the first key nobody read, naming file, line and the nearest key that is known there. */
lat_status lat_settings_finish(lat_settings *root, lat_error *error);
/* A failure at this key: "FILE:LINE: key: " followed by the message.  Returns LAT_CONFIG. */
lat_status lat_settings_fail(lat_settings *group, const char *key, lat_error *error, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The group as text in libconfig syntax, complete with defaults, in a fixed order; free() it. */
char *lat_settings_print(const lat_settings *group);

#endif
