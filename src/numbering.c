/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * numbering.c: which configuration of which chain a file holds.
 */
#include "src/numbering.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char advice[] = "say which it is with --number 'REGEX'";

enum { MOST_RUNS = 128, MOST_DIGITS = 18 };

/* Digits in a name. */
typedef struct {
    const char *start;
    int length;
} run;

/* A name without the endings of formats, and its digits. */
typedef struct {
    const char *name;
    int length, count;
    run run[MOST_RUNS];
} anatomy;

static bool is_digit(char c) { return isdigit((unsigned char)c) != 0; }
static bool is_letter(char c) { return isalpha((unsigned char)c) != 0; }

static const char *base_name(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

/* An ending without digits, or one of those with digits that programs use. */
static bool stands_for_format(const char *ending, int length)
{
    static const char *const known[] = {"h5",           "hdf5",   "jld2",   "IEEE64BIG", "IEEE32BIG", "IEEE64LITTLE",
                                        "IEEE32LITTLE", "IEEE64", "IEEE32", "f32",       "f64",       "float32",
                                        "float64",      "ildg32", "ildg64", "nersc32",   "nersc64",   NULL};
    bool letters = length > 0;
    for (int i = 0; i < length; i++) letters = letters && !is_digit(ending[i]);
    for (int i = 0; known[i] && !letters; i++)
        letters = (int)strlen(known[i]) == length && strncasecmp(known[i], ending, (size_t)length) == 0;
    return letters;
}

/* Grid writes the format before the number, too: ckpoint_lat.IEEE64BIG.10. */
static bool in_format(const char *name, const char *at)
{
    const char *start = at, *end = at;
    while (start > name && start[-1] != '.' && start[-1] != '_' && start[-1] != '-') start--;
    while (*end && !strchr("._-", *end)) end++;
    return is_letter(*start) && stands_for_format(start, (int)(end - start));
}

/* 16x32: extents, not a number. */
static bool in_extents(const char *name, const char *start, const char *end)
{
    bool after = (*end == 'x' || *end == 'X') && is_digit(end[1]);
    return after || (start >= name + 2 && (start[-1] == 'x' || start[-1] == 'X') && is_digit(start[-2]));
}

static anatomy dissect(const char *path)
{
    anatomy a = {.name = base_name(path)};
    a.length = (int)strlen(a.name);
    for (int i = a.length - 1; i > 0; i--)
        if (a.name[i] == '.') {
            if (!stands_for_format(a.name + i + 1, a.length - i - 1)) break;
            a.length = i;
        }
    for (const char *c = a.name; c < a.name + a.length && a.count < MOST_RUNS;) {
        const char *end = c;
        while (end < a.name + a.length && is_digit(*end)) end++;
        if (end > c && !in_extents(a.name, c, end) && !in_format(a.name, c))
            a.run[a.count++] = (run){c, (int)(end - c)};
        c = end > c ? end : c + 1;
    }
    return a;
}

/* Do the letters before the digits, with at most one of . _ - between, end with the word? */
static bool follows(const anatomy *a, int i, const char *word, bool whole)
{
    const char *end = a->run[i].start;
    size_t length = strlen(word);
    if (end > a->name && strchr("._-", end[-1])) end--;
    if (end - a->name < (ptrdiff_t)length || strncasecmp(end - length, word, length) != 0) return false;
    return !whole || end - length == a->name || !is_letter(end[-(ptrdiff_t)length - 1]);
}

/* What stands behind a word that announces a number; -1 if nothing does. */
static int announced(const anatomy *a)
{
    static const char *const words[] = {"cfg", "conf", "config", "traj", "trajectory", "ckpoint_lat", "ckpoint", NULL};
    int found = -1;
    for (int i = 0; i < a->count; i++)
        for (int w = 0; words[w]; w++)
            if (follows(a, i, words[w], true)) found = i;
    return found;
}

static int64_t value_of(run r) { return strtoll(r.start, NULL, 10); }

/* r1n10 of openQCD, and r002_n0010; step-N and replica-R of flowhmc.  Where the number stands; -1: no such name. */
static int by_family(const anatomy *a, int *replica)
{
    int number = -1;
    *replica = -1;
    for (int i = 0; i < a->count; i++) {
        const char *end = a->run[i].start + a->run[i].length;
        bool beside = i + 1 < a->count && a->run[i + 1].start - end <= 2 && follows(a, i + 1, "n", false);
        if (beside && follows(a, i, "r", false)) {
            *replica = i;
            return i + 1;
        }
        if (follows(a, i, "step", true)) number = i;
        if (follows(a, i, "replica", true) || follows(a, i, "rep", true) || follows(a, i, "stream", true)) *replica = i;
    }
    return number;
}

static bool counts_from_zero(const anatomy *a, int replica) { return follows(a, replica, "replica", true); }

/* Where number and replica stand in a name. */
static lat_status find(const char *path, const anatomy *a, int *number, int *replica, lat_error *error)
{
    *number = by_family(a, replica);
    if (*number >= 0) return LAT_DONE;
    int last = a->count - 1, told = announced(a);
    if (last >= 0 && last == *replica) last--;
    if (last < 0) return lat_fail(error, LAT_CONFIG, "%s: has no number in its name: %s", path, advice);
    *number = last;
    if (told >= 0 && told != last && told != *replica)
        return lat_fail(error, LAT_CONFIG, "%s: is its number %.*s or %.*s? %s", path, a->run[told].length,
                        a->run[told].start, a->run[last].length, a->run[last].start, advice);
    return LAT_DONE;
}

lat_status numbering_of_name(numbered_file *file, lat_error *error)
{
    anatomy a = dissect(file->path);
    int number, replica;
    if (find(file->path, &a, &number, &replica, error)) return error->status;
    if (a.run[number].length > MOST_DIGITS || (replica >= 0 && a.run[replica].length > MOST_DIGITS))
        return lat_fail(error, LAT_CONFIG, "%s: its number has more than %d digits: %s", file->path, (int)MOST_DIGITS,
                        advice);
    file->number = value_of(a.run[number]);
    file->replica = replica < 0 ? 1 : value_of(a.run[replica]) + counts_from_zero(&a, replica);
    return LAT_DONE;
}

/* --------------------------------------------------------------------------------------------------- other sources */

static lat_status by_pattern(numbered_file *file, const regex_t *regex, const char *pattern, lat_error *error)
{
    regmatch_t match[2];
    const char *text = base_name(file->path);
    if (regexec(regex, text, 2, match, 0) != 0) {
        text = file->path;
        if (regexec(regex, text, 2, match, 0) != 0)
            return lat_fail(error, LAT_CONFIG, "%s: does not match --number '%.100s'", file->path, pattern);
    }
    int length = (int)(match[1].rm_eo - match[1].rm_so);
    const char *start = text + match[1].rm_so;
    bool good = match[1].rm_so >= 0 && length > 0 && length <= MOST_DIGITS;
    for (int i = 0; i < length && good; i++) good = is_digit(start[i]);
    if (!good)
        return lat_fail(error, LAT_CONFIG,
                        "%s: the first group of --number '%.100s' matches no number of at most %d digits in it",
                        file->path, pattern, (int)MOST_DIGITS);
    file->number = value_of((run){start, length});
    return LAT_DONE;
}

static bool whole_number(const char *text, int64_t *value)
{
    size_t length = text ? strspn(text, "0123456789") : 0;
    if (length == 0 || length > MOST_DIGITS || text[length]) return false;
    *value = strtoll(text, NULL, 10);
    return true;
}

/* Only flowhmc names the replica, so that `step` is a step. */
static bool by_provenance(numbered_file *file, const char *step, const char *replica)
{
    if (!whole_number(step, &file->number) || !whole_number(replica, &file->replica)) return false;
    file->replica++;
    return true;
}

/* Names that are alike but for their digits may differ in number and replica alone: anything else is a guess. */
static lat_status compare(const char *one, const char *other, lat_error *error)
{
    anatomy a = dissect(one), b = dissect(other);
    int number, replica, second, ignored;
    lat_error none = {0};
    if (a.count != b.count || find(one, &a, &number, &replica, &none) || find(other, &b, &second, &ignored, &none))
        return LAT_DONE;
    const char *p = a.name, *q = b.name;
    for (int i = 0; i < a.count; i++) {
        if (a.run[i].start - p != b.run[i].start - q || memcmp(p, q, (size_t)(a.run[i].start - p)) != 0)
            return LAT_DONE;
        p = a.run[i].start + a.run[i].length;
        q = b.run[i].start + b.run[i].length;
    }
    for (int i = 0; i < a.count; i++)
        if (i != number && i != replica &&
            (a.run[i].length != b.run[i].length ||
             memcmp(a.run[i].start, b.run[i].start, (size_t)a.run[i].length) != 0))
            return lat_fail(error, LAT_CONFIG, "%s, %s: differ in other digits than their numbers %.*s and %.*s: %s",
                            one, base_name(other), a.run[number].length, a.run[number].start, b.run[second].length,
                            b.run[second].start, advice);
    return LAT_DONE;
}

static int ascending(const void *left, const void *right)
{
    const numbered_file *a = left, *b = right;
    if (a->replica != b->replica) return a->replica < b->replica ? -1 : 1;
    if (a->number != b->number) return a->number < b->number ? -1 : 1;
    return a->place - b->place;
}

static void number_one(numbered_file *file, int count, const regex_t *regex, const char *pattern, const char *step,
                       const char *replica, lat_error *error)
{
    lat_error found = {0};
    bool stated = by_provenance(file, step, replica);
    if (!stated && numbering_of_name(file, &found)) {
        anatomy a = dissect(file->path);
        file->replica = 1;
        file->number = 1;
        if (!regex && (count > 1 || a.count > 0)) lat_fail(error, found.status, "%s", found.text);
    }
    if (regex && !error->status) by_pattern(file, regex, pattern, error);
}

lat_status numbering_order(numbered_file *files, int count, const char *pattern, const char *const *step,
                           const char *const *replica, lat_error *error)
{
    regex_t regex;
    if (pattern && regcomp(&regex, pattern, REG_EXTENDED) != 0)
        return lat_fail(error, LAT_USAGE, "--number '%.100s': is no regular expression: see regex(7)", pattern);
    if (pattern && regex.re_nsub < 1)
        lat_fail(error, LAT_USAGE,
                 "--number '%.100s': has no group: put the digits in brackets, as in 'conf\\.([0-9]+)'", pattern);
    for (int i = 0; i < count && !error->status; i++)
        number_one(&files[i], count, pattern ? &regex : NULL, pattern, step[i], replica[i], error);
    for (int i = 1; i < count && !error->status && !pattern; i++)
        if (!replica[i] && !replica[i - 1]) compare(files[i - 1].path, files[i].path, error);
    if (pattern) regfree(&regex);
    if (error->status) return error->status;
    qsort(files, (size_t)count, sizeof *files, ascending);
    for (int i = 1; i < count && !error->status; i++)
        if (files[i].number == files[i - 1].number && files[i].replica == files[i - 1].replica)
            lat_fail(error, LAT_CONFIG, "%s, %s: are both number %lld of replica %lld: give each once, or %s",
                     files[i - 1].path, files[i].path, (long long)files[i].number, (long long)files[i].replica, advice);
    return error->status;
}
