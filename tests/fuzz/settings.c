/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.c: fuzz target of the configuration reader.  Lines at the head that begin with '!' are overrides; the rest
 * is parsed and read with keys of all kinds, printed, parsed and read again, and printed: both prints must be the same.
 */
#include "lattice/lattice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"wilson", "hmc", "flow", "leapfrog", "omf2", NULL};

static void read_scalars(lat_settings *group, lat_error *error)
{
    lat_settings_choice(group, "kind", "hmc", kinds, error);
    lat_settings_real(group, "beta", 1.5, 0.0, 1e9, error);
    lat_settings_real(group, "trajectory", INFINITY, -1e300, 1e300, error);
    lat_settings_int(group, "steps", 10, 1, 1000, error);
    lat_settings_int(group, "seed", 1, INT64_MIN, INT64_MAX, error);
    lat_settings_int(group, "batch", 0, 1, 64, error);
    lat_settings_bool(group, "audit", true, error);
    lat_settings_string(group, "model", "", error);
    if (lat_settings_has(group, "start")) lat_settings_string(group, "start", NULL, error);
}

static void read_lists(lat_settings *group, lat_error *error)
{
    int64_t values[4] = {1, 1L << 40};
    lat_settings_ints(group, "size", values, 2, 4, INT64_MIN, INT64_MAX, error);
    double reals[4] = {0.5, 1e-300};
    lat_settings_reals(group, "times", reals, 2, 4, -1e300, 1e300, error);
    const char *words[4] = {"plaquette", "\"\\\n\x01\x80"};
    lat_settings_strings(group, "observables", words, 2, 4, error);
    lat_settings_fail(lat_settings_group(group, "empty", error), "x", &(lat_error){0}, "%s", "nothing");
}

static void read_all(lat_settings *root, lat_error *error)
{
    read_scalars(root, error);
    read_lists(root, error);
    read_scalars(lat_settings_group(root, "chain", error), error);
    int count = lat_settings_list(root, "updates", error);
    for (int i = 0; i < count && i < 100; i++) {
        lat_settings *item = lat_settings_item(root, "updates", i, error);
        read_scalars(item, error);
        read_lists(item, error);
        for (int j = 0; j < lat_settings_list(item, "layers", error) && j < 10; j++)
            read_scalars(lat_settings_item(item, "layers", j, error), error);
    }
}

static lat_settings *parse_printed(const char *text)
{
    lat_error error = {0};
    lat_settings *root;
    if (lat_settings_parse(text, "printed", &root, &error) == LAT_DONE) return root;
    fprintf(stderr, "%s\n%s\n", error.text, text);
    abort();
}

static void must_equal(char *first, char *second)
{
    if (strcmp(first, second) != 0) {
        fprintf(stderr, "%s----\n%s", first, second);
        abort();
    }
    free(first);
    free(second);
}

/* What is printed before anything was read keeps every key. */
static void print_unread(const lat_settings *root)
{
    char *first = lat_settings_print(root);
    lat_settings *again = parse_printed(first);
    must_equal(first, lat_settings_print(again));
    lat_settings_free(again);
}

static void print_read(lat_settings *root)
{
    lat_error error = {0}, finished = {0};
    read_all(root, &error);
    lat_settings_finish(root, &finished);
    if (error.status != LAT_DONE) return;
    char *first = lat_settings_print(root);
    lat_settings *again = parse_printed(first);
    read_all(again, &error);
    if (error.status != LAT_DONE) {
        fprintf(stderr, "%s\n%s\n", error.text, first);
        abort();
    }
    must_equal(first, lat_settings_print(again));
    lat_settings_free(again);
}

/* Applies one line at the head of the text; returns what follows it. */
static char * override(lat_settings *root, char *text, lat_error *error)
{
    char *end = text + strcspn(text, "\n");
    bool more = *end != '\0';
    *end = '\0';
    lat_settings_override(root, text + 1, error);
    return more ? end + 1 : end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = lat_alloc((int64_t)size + 1, 1), *body = text;
    memcpy(text, data, size);
    while (*body == '!') {
        char *end = strchr(body, '\n');
        body = end ? end + 1 : body + strlen(body);
    }
    lat_error error = {0};
    lat_settings *root;
    if (lat_settings_parse(body, "fuzz", &root, &error) == LAT_DONE) {
        for (char *line = text; line < body && error.status == LAT_DONE;) line = override(root, line, &error);
        if (error.status == LAT_DONE) {
            print_unread(root);
            print_read(root);
        }
        lat_settings_free(root);
    }
    free(text);
    return 0;
}
