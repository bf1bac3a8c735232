/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings_print.c: a configuration as text.
 */
#include "lattice/base/settings_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
