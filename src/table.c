/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * table.c: tables of results, and values with their errors.
 */
#include "src/table.h"

#include "lattice/lattice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_WIDTH = 80 };

struct table {
    int columns;
    int64_t cells, room;
    char **cell;
};

table *table_create(int columns, const char *const *headings)
{
    table *table = lat_alloc(1, sizeof *table);
    table->columns = columns;
    for (int i = 0; i < columns; i++) table_cell(table, headings[i]);
    return table;
}

static void add(table *table, char *text)
{
    if (table->cells == table->room) {
        int64_t room = 2 * table->room + table->columns;
        char **cell = lat_alloc(room, sizeof *cell);
        if (table->cells > 0) memcpy(cell, table->cell, (size_t)table->cells * sizeof *cell);
        free(table->cell);
        table->cell = cell;
        table->room = room;
    }
    table->cell[table->cells++] = text;
}

void table_cell(table *table, const char *text) { add(table, lat_text("%s", text)); }

void table_number(table *table, double value) { add(table, table_format(value, 0.0)); }

void table_value(table *table, double value, double error) { add(table, table_format(value, error)); }

/* Characters, not bytes, of a UTF-8 string. */
static int width(const char *text)
{
    int count = 0;
    for (; *text; text++) count += (*text & 0xC0) != 0x80;
    return count;
}

/* The first column, and columns [from, to). */
static void print_line(const table *table, int64_t row, const int *widths, int from, int to, FILE *out)
{
    const char *const *cell = (const char *const *)table->cell + row * table->columns;
    fprintf(out, "%s%*s", cell[0], to > from ? widths[0] - width(cell[0]) : 0, "");
    for (int i = from; i < to; i++) fprintf(out, "  %*s%s", widths[i] - width(cell[i]), "", cell[i]);
    fputc('\n', out);
}

static void print_part(const table *table, const int *widths, int from, int to, FILE *out)
{
    int total = widths[0];
    for (int i = from; i < to; i++) total += 2 + widths[i];
    print_line(table, 0, widths, from, to, out);
    for (int i = 0; i < total; i++) fputc('-', out);
    fputc('\n', out);
    for (int64_t row = 1; row * table->columns < table->cells; row++) print_line(table, row, widths, from, to, out);
}

/* The end of the part that begins with column `from`: as many columns as there is room for, at least one. */
static int part_end(const table *table, const int *widths, int from)
{
    int total = widths[0], to = from;
    while (to < table->columns && (to == from || total + 2 + widths[to] <= TABLE_WIDTH)) total += 2 + widths[to++];
    return to;
}

static void print_parts(const table *table, FILE *out)
{
    int *widths = lat_alloc(table->columns, sizeof *widths);
    for (int64_t i = 0; i < table->cells; i++) {
        int w = width(table->cell[i]), *widest = &widths[i % table->columns];
        if (w > *widest) *widest = w;
    }
    int from = 1;
    do {
        int to = part_end(table, widths, from);
        if (from > 1) fputc('\n', out);
        print_part(table, widths, from, to, out);
        from = to;
    } while (from < table->columns);
    free(widths);
}

char *table_text(const table *table)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out) print_parts(table, out);
    if (!out || fclose(out) != 0) lat_abort(LAT_CONFIG, "memory: none left to print a table");
    return text;
}

void table_print(const table *table, FILE *out)
{
    char *text = table_text(table);
    fputs(text, out);
    free(text);
}

void table_comment(const table *table)
{
    char *text = table_text(table);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) printf("# %s\n", line);
    free(text);
}

void table_free(table *table)
{
    if (!table) return;
    for (int64_t i = 0; i < table->cells; i++) free(table->cell[i]);
    free(table->cell);
    free(table);
}

/* Decimals with which an error shows two digits; one less where rounding carries it to three (0.0996 is 0.10). */
static int decimals_of(double error)
{
    int decimals = 1 - (int)floor(log10(error));
    return rint(error * pow(10.0, decimals)) >= 100.0 ? decimals - 1 : decimals;
}

/* A zero that rounding has made of a negative number has no sign. */
static char *without_sign_of_zero(char *text)
{
    size_t digits = text[0] == '-' ? strspn(text + 1, "0.") : 0;
    if (digits > 0 && (text[digits + 1] == 0 || text[digits + 1] == '(')) memmove(text, text + 1, strlen(text));
    return text;
}

static char *format(double value, double error)
{
    if (isnan(value)) return lat_text("-");
    if (!isfinite(value) || !isfinite(error) || !(error > 0)) return lat_text("%.6g", value);
    double scale = fmax(fabs(value), error);
    if (error < 1e-15 * scale || scale < 1e-280 || scale > 1e280) return lat_text("%.15g", value);
    if (scale < 1e-4 || scale >= 1e6) {
        int power = (int)floor(log10(scale));
        char *mantissa = format(value / pow(10.0, power), error / pow(10.0, power));
        char *text = lat_text("%se%+03d", mantissa, power);
        free(mantissa);
        return text;
    }
    int decimals = decimals_of(error);
    if (decimals <= 0) return lat_text("%.0f(%.0f)", value, error);
    if (error >= 1.0) return lat_text("%.*f(%.*f)", decimals, value, decimals, error);
    return lat_text("%.*f(%.0f)", decimals, value, rint(error * pow(10.0, decimals)));
}

char *table_format(double value, double error) { return without_sign_of_zero(format(value, error)); }
