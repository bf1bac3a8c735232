/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * append_file.h: a file that grows record by record, of which every record is whole or not there.  Local: for one rank.
 */
#ifndef APPEND_FILE_H
#define APPEND_FILE_H

#include "lattice/lattice.h"

typedef struct {
    char *path;
    int descriptor;
    int64_t size; /* bytes of what is whole */
} append_file;

/* Opens a file, which is made if it is not there, keeps other processes out of it until it is closed, and returns
 * its bytes in new memory, one zero after them.  LAT_FILE, and nothing to close, if it cannot be had or another
 * process is at work on it. */
lat_status append_file_open(const char *path, append_file *file, char **bytes, lat_error *error);
/* Drops what follows the first `size` bytes, saying so on stderr: the rest of a record that was being written when
 * a run ended. */
void append_file_cut(append_file *file, int64_t size, lat_error *error);
/* Writes and syncs; where that fails, the file ends where it ended before, and the error is LAT_FILE. */
void append_file_add(append_file *file, const char *bytes, int64_t size, lat_error *error);
void append_file_close(append_file *file); /* of zeros: nothing happens */

#endif
