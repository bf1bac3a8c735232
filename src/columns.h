/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * columns.h: columns of numbers in a text file.  Local.
 *
 * Numbers are separated by blanks and tabs; lines end with LF, CR LF or CR; what follows a # is comment; blank lines and a
 * byte-order mark mean nothing.  Exponents may be those of Fortran (1.5D-03, 1.5-103).  The first line names the columns if
 * none of its fields looks like a number: neither damaged ones (0,5 or 1.2.3) nor what stands for a missing one (NA, nan,
 * -, *****) does for a name, so no row of numbers is taken for names.  The same line of names may come again, as where files
 * were put together.
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include "lattice/lattice.h"

typedef struct {
    int columns;
    int64_t rows;
    char **name;    /* [columns]; column1, column2, ... if the file does not name them */
    double **value; /* [columns]: [rows], all finite */
} columns_table;

/* Shows how far it is where stdout is a terminal.  LAT_FILE; LAT_FORMAT, with file and line, for a line that is not of as
 * many finite numbers as there are columns; LAT_CONFIG if the machine has not the memory.  A file without numbers is a table
 * of no rows.  Free the table in any case. */
lat_status columns_read(const char *path, columns_table *table, lat_error *error);
void columns_free(columns_table *table);

#endif
