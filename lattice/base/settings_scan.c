/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings_scan.c: size, nesting, comments and numbers of a configuration, before libconfig reads it.  libconfig 1.5 reads
 * 99999999999 as 1215752191, nests without limit and opens files that the text names.
 */
#include "lattice/base/settings_scan.h"

#include "lattice/base/settings_tree.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 20, MAX_VALUES = 10000 };

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

char *lat_settings_scan(const char *text, const char *source, lat_error *error)
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
