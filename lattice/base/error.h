/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * error.h: how failures are described, agreed on and printed; memory; text.
 */
#ifndef LAT_BASE_ERROR_H
#define LAT_BASE_ERROR_H

#include <mpi.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values are the exit codes of the programs. */
typedef enum {
    LAT_DONE = 0,
    LAT_USAGE = 2,     /* command line */
    LAT_CONFIG = 3,    /* configuration file, or a request that cannot be met */
    LAT_FILE = 4,      /* file system */
    LAT_FORMAT = 5,    /* checksum or format of a file */
    LAT_NUMERICAL = 6, /* NaN, failed audit */
    LAT_STOPPED = 7,   /* signal, stop file or wall-clock limit, with a good checkpoint */
} lat_status;

/* One line: what, where, what to do.  Start from lat_error e = {0}. */
typedef struct {
    lat_status status;
    char text[512];
} lat_error;

/* Records a failure and returns its status.  The first failure is kept, later ones are ignored. */
lat_status lat_fail(lat_error *error, lat_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Where a function takes MPI_COMM_NULL it works for this process alone, and MPI need not have been started. */

/* The rank in comm; 0 in MPI_COMM_NULL. */
int lat_rank(MPI_Comm comm);

/* Collective; takes MPI_COMM_NULL.  All ranks leave with the status and text of the lowest rank that failed (LAT_DONE if none did). */
lat_status lat_agree(MPI_Comm comm, lat_error *error);

/* Prints "flowhmc: text" once on stderr and ends the run on all ranks.  For failures that no caller can handle. */
_Noreturn void lat_abort(lat_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* MPI_Init with an error handler that ends the run with one line; MPI calls need no further check. */
void lat_start(int *argc, char ***argv);

/* Zeroed, 64-byte aligned host memory for count elements; ends the run with one line, naming the bytes, if there is
 * none.  Release with free(). */
void *lat_alloc(int64_t count, size_t element_size);
/* The bytes that it takes where so many are asked for. */
size_t lat_alloc_bytes(size_t bytes);

/* printf into new memory, to be released with free(). */
char *lat_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *lat_text_list(const char *format, va_list list) __attribute__((format(printf, 1, 0)));

#endif
