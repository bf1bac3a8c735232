/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * file.h: small files, and bytes that grow.
 */
#ifndef LAT_BASE_FILE_H
#define LAT_BASE_FILE_H

#include "lattice/base/error.h"

/* Whole small file, read by rank 0 and given to all; at most limit bytes.  bytes[size] = 0 is added; free() it.
 * A pipe is a file as long as somebody writes into it.
 * Collective; takes MPI_COMM_NULL, as does lat_file_write.  LAT_FILE if it cannot be read or is too large. */
lat_status lat_file_read(MPI_Comm comm, const char *path, int64_t limit, char **bytes, int64_t *size, lat_error *error);
/* Writes by rank 0 to a temporary name in the same directory, syncs, re-reads and compares, renames, syncs the
 * directory.  Collective.  LAT_FILE where that fails; nothing is written where rank 0 has failed before. */
lat_status lat_file_write(MPI_Comm comm, const char *path, const void *bytes, int64_t size, lat_error *error);

/* Reads or writes size bytes at offset, in as many calls as it takes.  Returns the bytes done: fewer at the end of the
 * file, or on an error, which errno then tells (0: end of file). */
int64_t lat_read_at(int descriptor, void *bytes, int64_t size, int64_t offset);
int64_t lat_write_at(int descriptor, const void *bytes, int64_t size, int64_t offset);

/* open() that signals do not end, and that waits for nobody (a pipe has no other end yet).  -1: errno tells. */
int lat_open(const char *path, int flags);
/* Has the path still the name of the open file? */
bool lat_still_named(int descriptor, const char *path);
/* A regular file, open for reading, and its length; -1, and LAT_FILE, if it is none or cannot be read.  Waits for nobody. */
int lat_open_input(const char *path, int64_t *bytes, lat_error *error);
/* A new file under this name, open for both; whatever had the name before is removed, not followed.  -1: errno tells; EBUSY:
 * another process has had it open by this function for 0.2 s, and keeps others out until it closes it. */
int lat_open_temporary(const char *path);
/* The same file for another rank, after that.  -1: errno tells. */
int lat_open_again(const char *path);

/* fsync, ftruncate, and the claim of room on the disk up to `end` where `begin` is claimed already; signals do not end
 * them.  0, or an error number.  Where the file system cannot claim room, that is no failure. */
int lat_sync(int descriptor);
int lat_truncate(int descriptor, int64_t size);
int lat_claim(int descriptor, int64_t begin, int64_t end);

/* LAT_FILE, for an error number of what is above. */
lat_status lat_cannot_write(const char *path, int code, lat_error *error);

/* Gives a complete and synced file, which is still open, its final name, and syncs the directory that holds it.  Local. */
lat_status lat_file_commit(const char *temporary, const char *path, lat_error *error);

/* Bytes that grow. */
typedef struct {
    char *data; /* data[size] = 0; free() it */
    int64_t size, room;
} lat_bytes;
void lat_bytes_add(lat_bytes *bytes, const void *data, int64_t size);
void lat_bytes_print(lat_bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
