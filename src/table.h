/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * table.h: a table of results as text: the first column to the left, all others to the right.  Columns for which a line of 80
 * characters has no room come below, beside the first one again.  Local.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdio.h>

typedef struct table table;

/* headings: one per column. */
table *table_create(int columns, const char *const *headings);
/* Adds one cell; rows fill one after another.  table_cell copies the text. */
void table_cell(table *table, const char *text);
void table_number(table *table, double value);              /* "0.92553", "-" for NaN */
void table_value(table *table, double value, double error); /* "0.92553(12)" */
char *table_text(const table *table);                       /* new memory */
void table_print(const table *table, FILE *out);
void table_comment(const table *table); /* on the standard output, behind "# " */
void table_free(table *table);

/* Value with error of two digits: 0.92553(12), 1234(56), 12.3(4.5), 1.234(56)e-07.  Without an error (0 or NaN) six
 * digits of the value.  New memory. */
char *table_format(double value, double error);

#endif
