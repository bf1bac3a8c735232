/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.c: configurations.  The text is scanned first (size, nesting, comments, numbers, no @include), then parsed
 * by libconfig, then copied to a tree of our own, which remembers in which order its keys were asked for and which
 * defaults were taken.  The scan is there because libconfig 1.5 reads 99999999999 as 1215752191, nests without limit
 * and opens files that the text names.
 *
 * Edit distance: R. A. Wagner and M. J. Fischer, J. ACM 21 (1974) 168, with the exchanges of F. J. Damerau, Commun. ACM
 * 7 (1964) 171.
 */
#include "lattice/base/base.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <libconfig.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 20, MAX_DEPTH = 32, MAX_VALUES = 10000, MAX_PATH_TEXT = 160, LINE_OF_OVERRIDE = -1 };

typedef enum { ABSENT, INTEGER, REAL, BOOLEAN, STRING, LIST, GROUP } kind;

static const char *const kind_text[] = {"nothing",  "a whole number", "a real number", "true or false",
                                        "a string", "a list",         "a group"};

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

/* ----------------------------------------------------------------------------------------------------- the tree */

static lat_settings *append(lat_settings *parent, kind kind, const char *name)
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

static void clear(lat_settings *node)
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
    clear(node);
    lat_settings_free(node->substitute);
    free(node->name);
    free(node->source);
    free(node);
}

static lat_settings *find(const lat_settings *group, const char *key)
{
    lat_settings *node = group->child;
    while (node && strcmp(node->name, key) != 0) node = node->next;
    return node;
}

static lat_settings *element(const lat_settings *list, int64_t index)
{
    lat_settings *node = list->child;
    while (node && index-- > 0) node = node->next;
    return node;
}

static int length(const lat_settings *list)
{
    int count = 0;
    for (const lat_settings *node = list->child; node; node = node->next) count++;
    return count;
}

static void mark_read(lat_settings *node)
{
    if (node->order == 0) node->order = ++node->parent->reads;
}

/* The value of a key, which is known from now on. */
static lat_settings *declare(lat_settings *group, const char *key)
{
    lat_settings *node = find(group, key);
    if (!node) node = append(group, ABSENT, key);
    mark_read(node);
    return node;
}

/* ----------------------------------------------------------------------------------------------------- messages */

/* "updates.[0].steps" */
static void write_path(const lat_settings *node, char *path, size_t size)
{
    path[0] = '\0';
    if (!node->parent) return;
    write_path(node->parent, path, size);
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
    write_path(node, path, sizeof path);
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

__attribute__((format(printf, 3, 4))) static lat_status fail_at(const lat_settings *node, lat_error *error,
                                                                const char *format, ...)
{
    va_list list;
    va_start(list, format);
    lat_status status = fail_list(node, NULL, error, format, list);
    va_end(list);
    return status;
}

lat_status lat_settings_fail(lat_settings *group, const char *key, lat_error *error, const char *format, ...)
{
    const lat_settings *node = find(group, key);
    va_list list;
    va_start(list, format);
    lat_status status = node ? fail_list(node, NULL, error, format, list) : fail_list(group, key, error, format, list);
    va_end(list);
    return status;
}

/* Insertions, deletions, replacements and exchanges of neighbours that turn one word into the other, capitals aside. */
static int edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    int distance[LONGEST + 1][LONGEST + 1];
    int m = (int)strnlen(a, LONGEST), n = (int)strnlen(b, LONGEST);
    for (int i = 0; i <= m; i++) {
        for (int j = 0; j <= n; j++) {
            int best = i + j;
            if (i > 0 && j > 0) {
                int p = tolower((unsigned char)a[i - 1]), q = tolower((unsigned char)b[j - 1]);
                int remove = distance[i - 1][j] + 1, insert = distance[i][j - 1] + 1;
                best = distance[i - 1][j - 1] + (p != q);
                if (remove < best) best = remove;
                if (insert < best) best = insert;
                bool exchanged =
                    i > 1 && j > 1 && p == tolower((unsigned char)b[j - 2]) && tolower((unsigned char)a[i - 2]) == q;
                if (exchanged && distance[i - 2][j - 2] + 1 < best) best = distance[i - 2][j - 2] + 1;
            }
            distance[i][j] = best;
        }
    }
    return distance[m][n];
}

const char *lat_nearest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    int least = 0;
    for (; *names; names++) {
        int distance = edit_distance(word, *names);
        if (nearest && distance >= least) continue;
        nearest = *names;
        least = distance;
    }
    return nearest;
}

/* The key of the group nearest to word, among those that were read or those that were not; NULL if there is none or
 * none within limit edits. */
static const lat_settings *nearest_key(const lat_settings *group, const char *word, bool read, int limit)
{
    const lat_settings *nearest = NULL;
    for (const lat_settings *node = group->child; node; node = node->next) {
        if ((node->order > 0) != read) continue;
        int distance = edit_distance(word, node->name);
        if (distance > limit) continue;
        limit = distance - 1;
        nearest = node;
    }
    return nearest;
}

/* Adds a word to a list separated by commas, as long as there is room. */
static void add_word(char *list, size_t size, const char *word)
{
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", word);
}

static void fail_missing(lat_settings *group, const char *key, lat_error *error)
{
    const lat_settings *meant = nearest_key(group, key, false, 2);
    if (meant)
        lat_settings_fail(group, key, error, "this key is required and missing: is it meant by '%.60s'?", meant->name);
    else
        lat_settings_fail(group, key, error, "this key is required and missing: add it");
}

static bool has_kind(const lat_settings *node, kind kind, const char *wanted, lat_error *error)
{
    if (node->kind == kind) return true;
    fail_at(node, error, "is %s, but %s is asked for", kind_text[node->kind], wanted);
    return false;
}

static bool in_range(const lat_settings *node, int64_t low, int64_t high, lat_error *error)
{
    if (node->value.integer >= low && node->value.integer <= high) return true;
    bool small = node->value.integer < low;
    fail_at(node, error, "%" PRId64 " is too %s: the %s value is %" PRId64, node->value.integer,
            small ? "small" : "large", small ? "smallest" : "largest", small ? low : high);
    return false;
}

/* ----------------------------------------------------------------------------------------------------- scanning */

typedef struct {
    const char *at, *source;
    char *out; /* the text as libconfig will see it: no comments, integers written out with 64 bits */
    int line, depth, values;
    lat_error *error;
} scanner;

static bool scan_failed(scanner *s, const char *message)
{
    lat_fail(s->error, LAT_CONFIG, "%.140s:%d: %s", s->source, s->line, message);
    return false;
}

static void copy_to(scanner *s, const char *end)
{
    for (; s->at < end; s->at++) {
        s->line += *s->at == '\n';
        *s->out++ = *s->at;
    }
}

/* Comments become their line breaks. */
static void skip_to(scanner *s, const char *end)
{
    *s->out++ = ' ';
    for (; s->at < end; s->at++) {
        if (*s->at != '\n') continue;
        s->line++;
        *s->out++ = '\n';
    }
}

static bool scan_string(scanner *s)
{
    const char *end = s->at + 1;
    while (*end && *end != '"') {
        if (end[0] == '\\' && (end[1] == 'x' || end[1] == 'X') && end[2] == '0' && end[3] == '0')
            return scan_failed(s, "\\x00 in a string: remove it");
        end += end[0] == '\\' && (end[1] == '\\' || end[1] == '"') ? 2 : 1;
    }
    if (!*end) return scan_failed(s, "this string does not end: add the closing quote");
    copy_to(s, end + 1);
    return true;
}

static bool scan_comment(scanner *s)
{
    if (s->at[1] != '*') {
        skip_to(s, s->at + strcspn(s->at, "\n"));
        return true;
    }
    const char *end = strstr(s->at + 2, "*/");
    if (!end) return scan_failed(s, "this comment does not end: add */");
    skip_to(s, end + 2);
    return true;
}

/* Decimal or hexadecimal, with or without the suffix of 64-bit integers. */
static bool read_integer(const char *word, int64_t *value, bool *fits)
{
    bool hexadecimal = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
    const char *digits = word + (hexadecimal ? 2 : word[0] == '+' || word[0] == '-');
    size_t count = strspn(digits, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789");
    const char *suffix = digits + count;
    if (count == 0 || (*suffix && strcmp(suffix, "L") != 0 && strcmp(suffix, "LL") != 0)) return false;
    errno = 0;
    *value = strtoll(word, NULL, hexadecimal ? 16 : 10);
    *fits = errno == 0;
    return true;
}

static bool scan_number(scanner *s)
{
    enum { LONGEST = 63 };
    static const char members[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.+-*";
    char word[LONGEST + 1], *end;
    size_t count = strspn(s->at, members);
    if (count > LONGEST) return scan_failed(s, "this number is too long");
    memcpy(word, s->at, count);
    word[count] = '\0';

    int64_t integer;
    bool fits = true;
    if (read_integer(word, &integer, &fits)) {
        if (!fits) return scan_failed(s, "this number does not fit into 64 bits");
        s->out += sprintf(s->out, "%" PRId64 "L", integer);
        s->at += count;
        return true;
    }
    bool digits_first = strspn(word, "0123456789.eE+-") == count && isdigit((unsigned char)word[strspn(word, "+-.")]);
    double real = strtod(word, &end);
    if (!digits_first || *end) return scan_failed(s, "this is not a number: put words between quotes");
    if (!isfinite(real)) return scan_failed(s, "this number is too large");
    copy_to(s, s->at + count);
    return true;
}

static bool scan_mark(scanner *s)
{
    char c = *s->at;
    if (c == '@') return scan_failed(s, "@include is not supported: write the settings into this file");
    if (c == '(' || c == '[' || c == '{') s->depth++;
    if (c == ')' || c == ']' || c == '}') s->depth--;
    if (c == '=' || c == ':' || c == ',') s->values++;
    if (s->depth > MAX_DEPTH) return scan_failed(s, "brackets are nested too deeply");
    if (s->values > MAX_VALUES) return scan_failed(s, "too many keys and values");
    copy_to(s, s->at + 1);
    return true;
}

static bool scan_token(scanner *s)
{
    unsigned char c = (unsigned char)*s->at;
    if (c == '"') return scan_string(s);
    if (c == '#' || (c == '/' && (s->at[1] == '/' || s->at[1] == '*'))) return scan_comment(s);
    if (isdigit(c) || c == '+' || c == '-' || c == '.') return scan_number(s);
    if (isalpha(c) || c == '*') {
        const char *end = s->at + 1;
        while (isalnum((unsigned char)*end) || strchr("-_*", *end ? *end : '.')) end++;
        copy_to(s, end);
        return true;
    }
    return scan_mark(s);
}

/* The text as libconfig shall see it; NULL on failure. */
static char *scan(const char *text, const char *source, lat_error *error)
{
    size_t bytes = strnlen(text, MAX_BYTES + 1);
    if (bytes > MAX_BYTES) {
        lat_fail(error, LAT_CONFIG, "%.140s: a configuration has at most %d bytes", source, MAX_BYTES);
        return NULL;
    }
    char *out = lat_alloc(2 * (int64_t)bytes + 1, 1);
    scanner s = {.at = text, .source = source, .out = out, .line = 1, .error = error};
    while (*s.at)
        if (!scan_token(&s)) {
            free(out);
            return NULL;
        }
    return out;
}

/* ------------------------------------------------------------------------------------------------------ parsing */

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
        copy_value(child, append(to, ABSENT, config_setting_name(child)));
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
    char *clean = scan(text, name, error);
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

/* ---------------------------------------------------------------------------------------------------- overriding */

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
    write_path(node, path, sizeof path);
    if (!by_index && !is_name(part)) {
        lat_fail(error, LAT_USAGE, "--set %.100s: '%.40s' is no key: write path.to.key=value or list.[0].key=value",
                 assignment, part);
        return NULL;
    }
    if (node->kind == ABSENT && !by_index) node->kind = GROUP;
    if (node->kind != (by_index ? LIST : GROUP)) {
        lat_fail(error, LAT_USAGE, "--set %.100s: '%s' is %s and cannot hold '%.40s': see --print-config", assignment,
                 path, kind_text[node->kind], part);
        return NULL;
    }
    if (by_index) {
        lat_settings *item = index >= 0 ? element(node, index) : NULL;
        if (!item)
            lat_fail(error, LAT_USAGE, "--set %.100s: '%s' has %d elements, counted from 0: give one of them",
                     assignment, path, length(node));
        return item;
    }
    lat_settings *child = find(node, part);
    if (!child) child = append(node, ABSENT, part);
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
    clear(to);
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
    if (parsed && length(parsed) == 1) {
        move_value(parsed->child, node);
    } else if (!parsed && is_word(value)) {
        clear(node);
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

/* ------------------------------------------------------------------------------------------------------- reading */

/* A default outside the allowed range means "not set": it is returned, but not recorded, since it could not be read
 * back. */
int64_t lat_settings_int(lat_settings *group, const char *key, int64_t standard, int64_t low, int64_t high,
                         lat_error *error)
{
    lat_settings *node = declare(group, key);
    if (node->kind == ABSENT) {
        if (standard < low || standard > high) return standard;
        node->kind = INTEGER;
        node->value.integer = standard;
    }
    if (!has_kind(node, INTEGER, kind_text[INTEGER], error) || !in_range(node, low, high, error)) return standard;
    return node->value.integer;
}

double lat_settings_real(lat_settings *group, const char *key, double standard, double low, double high,
                         lat_error *error)
{
    lat_settings *node = declare(group, key);
    if (node->kind == ABSENT) {
        if (isnan(standard)) fail_missing(group, key, error);
        if (!(isfinite(standard) && standard >= low && standard <= high)) return standard;
        node->kind = REAL;
        node->value.real = standard;
    }
    if (node->kind == INTEGER) {
        node->kind = REAL;
        node->value.real = (double)node->value.integer;
    }
    if (!has_kind(node, REAL, "a number", error)) return standard;
    if (node->value.real >= low && node->value.real <= high) return node->value.real;
    bool small = node->value.real < low;
    fail_at(node, error, "%g is too %s: the %s value is %g", node->value.real, small ? "small" : "large",
            small ? "smallest" : "largest", small ? low : high);
    return standard;
}

bool lat_settings_bool(lat_settings *group, const char *key, bool standard, lat_error *error)
{
    lat_settings *node = declare(group, key);
    if (node->kind == ABSENT) {
        node->kind = BOOLEAN;
        node->value.boolean = standard;
    }
    return has_kind(node, BOOLEAN, kind_text[BOOLEAN], error) ? node->value.boolean : standard;
}

const char *lat_settings_string(lat_settings *group, const char *key, const char *standard, lat_error *error)
{
    lat_settings *node = declare(group, key);
    if (node->kind == ABSENT) {
        if (!standard) {
            fail_missing(group, key, error);
            return "";
        }
        node->kind = STRING;
        node->value.string = lat_text("%s", standard);
    }
    if (has_kind(node, STRING, kind_text[STRING], error)) return node->value.string;
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
        declare(group, key);
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
    for (int i = 0; names[i]; i++) add_word(known, sizeof known, names[i]);
    const char *nearest = lat_nearest(word, names);
    fail_at(find(group, key), error, "'%.60s' is not known: is '%s' meant? (known: %s)", word, nearest ? nearest : "",
            known);
    return fallback;
}

/* The node of a list of scalars if its length and the kinds of its elements are right, else NULL. */
static lat_settings *scalars(lat_settings *group, const char *key, kind kind, int max, lat_error *error)
{
    lat_settings *list = find(group, key);
    const char *wanted = kind == INTEGER ? "a list of whole numbers, [1, 2]," : "a list of strings, [\"a\", \"b\"],";
    if (!has_kind(list, LIST, wanted, error)) return NULL;
    if (length(list) > max) {
        fail_at(list, error, "has %d elements: at most %d are allowed", length(list), max);
        return NULL;
    }
    for (const lat_settings *node = list->child; node; node = node->next)
        if (!has_kind(node, kind, kind_text[kind], error)) return NULL;
    return list;
}

/* True if the key is absent; then its default is to be recorded in the list that is now there. */
static bool absent_list(lat_settings *group, const char *key, int standard_count, lat_error *error)
{
    lat_settings *list = declare(group, key);
    if (list->kind != ABSENT) return false;
    if (standard_count < 0)
        fail_missing(group, key, error);
    else
        list->kind = LIST;
    return true;
}

int lat_settings_ints(lat_settings *group, const char *key, int64_t *values, int standard_count, int max, int64_t low,
                      int64_t high, lat_error *error)
{
    int fallback = standard_count < 0 ? 0 : standard_count;
    if (absent_list(group, key, standard_count, error)) {
        for (int i = 0; i < fallback; i++) append(find(group, key), INTEGER, NULL)->value.integer = values[i];
        return fallback;
    }
    lat_settings *list = scalars(group, key, INTEGER, max, error);
    if (!list) return fallback;
    for (const lat_settings *node = list->child; node; node = node->next)
        if (!in_range(node, low, high, error)) return fallback;
    int count = 0;
    for (const lat_settings *node = list->child; node; node = node->next) values[count++] = node->value.integer;
    return count;
}

int lat_settings_strings(lat_settings *group, const char *key, const char **values, int standard_count, int max,
                         lat_error *error)
{
    int fallback = standard_count < 0 ? 0 : standard_count;
    if (absent_list(group, key, standard_count, error)) {
        for (int i = 0; i < fallback; i++)
            append(find(group, key), STRING, NULL)->value.string = lat_text("%s", values[i]);
        return fallback;
    }
    lat_settings *list = scalars(group, key, STRING, max, error);
    if (!list) return fallback;
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
    lat_settings *node = declare(group, key);
    if (node->kind == ABSENT) node->kind = GROUP;
    return has_kind(node, GROUP, "a group, { ... },", error) ? node : substitute_for(node);
}

int lat_settings_list(lat_settings *group, const char *key, lat_error *error)
{
    lat_settings *node = declare(group, key);
    if (node->kind == ABSENT) node->kind = LIST;
    return has_kind(node, LIST, "a list of groups, ( { ... }, { ... } ),", error) ? length(node) : 0;
}

lat_settings *lat_settings_item(lat_settings *group, const char *key, int index, lat_error *error)
{
    lat_settings *list = declare(group, key);
    if (!has_kind(list, LIST, "a list of groups, ( { ... }, { ... } ),", error)) return substitute_for(list);
    lat_settings *node = index >= 0 ? element(list, index) : NULL;
    if (!node) {
        fail_at(list, error, "has no element %d", index);
        return substitute_for(list);
    }
    mark_read(node);
    return has_kind(node, GROUP, "a group, { ... },", error) ? node : substitute_for(node);
}

bool lat_settings_has(const lat_settings *group, const char *key)
{
    const lat_settings *node = find(group, key);
    return node && node->kind != ABSENT;
}

/* ----------------------------------------------------------------------------------------------- unknown keys */

static void fail_unknown(const lat_settings *node, lat_error *error)
{
    const lat_settings *nearest = node->name ? nearest_key(node->parent, node->name, true, INT_MAX) : NULL;
    char known[200] = "";
    for (const lat_settings *other = node->parent->child; other; other = other->next)
        if (other->order > 0 && other->name) add_word(known, sizeof known, other->name);
    if (nearest)
        fail_at(node, error, "unknown key: is '%.60s' meant? (known: %s)", nearest->name, known);
    else
        fail_at(node, error, "unknown key: remove it");
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

/* ------------------------------------------------------------------------------------------------------ printing */

enum { INDENT = 4 };

static void print_real(FILE *out, double value)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    fprintf(out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void print_string(FILE *out, const char *string)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c == '\n')
            fputs("\\n", out);
        else if (*c < ' ' || *c == 127)
            fprintf(out, "\\x%02X", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static bool is_long(int64_t value) { return value < INT32_MIN || value > INT32_MAX; }

static void print_members(FILE *out, const lat_settings *group, int indent);
static void print_list(FILE *out, const lat_settings *list, int indent);

static void print_value(FILE *out, const lat_settings *node, int indent)
{
    switch (node->kind) {
    case INTEGER: fprintf(out, "%" PRId64 "%s", node->value.integer, is_long(node->value.integer) ? "L" : ""); break;
    case REAL: print_real(out, node->value.real); break;
    case BOOLEAN: fputs(node->value.boolean ? "true" : "false", out); break;
    case STRING: print_string(out, node->value.string); break;
    case LIST: print_list(out, node, indent); break;
    case GROUP:
        fputs("{\n", out);
        print_members(out, node, indent + INDENT);
        fprintf(out, "%*s}", indent, "");
        break;
    case ABSENT: break;
    }
}

/* Equal scalars stand in [ ]; libconfig wants mixed ones in ( ).  Scalars stand on one line. */
static void print_list(FILE *out, const lat_settings *list, int indent)
{
    bool flat = true, alike = true;
    for (const lat_settings *node = list->child; node; node = node->next) {
        flat = flat && node->kind != GROUP && node->kind != LIST;
        alike = alike && node->kind == list->child->kind &&
                (node->kind != INTEGER || is_long(node->value.integer) == is_long(list->child->value.integer));
    }
    bool array = flat && alike;
    fputs(array ? "[" : "(", out);
    for (const lat_settings *node = list->child; node; node = node->next) {
        if (!flat) fprintf(out, "\n%*s", indent + INDENT, "");
        print_value(out, node, indent + INDENT);
        if (node->next) fputs(flat ? ", " : ",", out);
    }
    if (!flat) fprintf(out, "\n%*s", indent, "");
    fputs(array ? "]" : ")", out);
}

static void print_member(FILE *out, const lat_settings *node, int indent)
{
    if (node->kind == ABSENT) return;
    fprintf(out, "%*s%s = ", indent, "", node->name);
    print_value(out, node, indent);
    fputs(";\n", out);
}

/* Keys in the order in which they were read, then those that nobody read, in the order of the file. */
static void print_members(FILE *out, const lat_settings *group, int indent)
{
    for (int order = 1; order <= group->reads; order++)
        for (const lat_settings *node = group->child; node; node = node->next)
            if (node->order == order) print_member(out, node, indent);
    for (const lat_settings *node = group->child; node; node = node->next)
        if (node->order == 0) print_member(out, node, indent);
}

char *lat_settings_print(const lat_settings *group)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out) print_members(out, group, 0);
    if (!out || fclose(out) != 0) lat_abort(LAT_CONFIG, "memory: none left to print the configuration");
    return text;
}
