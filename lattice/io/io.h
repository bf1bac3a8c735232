/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * io.h: what the files of this folder share.
 */
#ifndef IO_H
#define IO_H

#include "../lattice.h"

/* Reads or writes size bytes at offset, in as many calls as it takes.  Returns the bytes done: fewer at the end of the
 * file, or on an error, which errno then tells (0: end of file). */
int64_t lat_read_at(int descriptor, void *bytes, int64_t size, int64_t offset);
int64_t lat_write_at(int descriptor, const void *bytes, int64_t size, int64_t offset);

/* Gives a complete and synced file its final name, and syncs the directory that holds it. */
lat_status lat_file_commit(const char *temporary, const char *path, lat_error *error);

/* MPI_Bcast from rank 0, of any size. */
void lat_broadcast(MPI_Comm comm, void *bytes, int64_t size);

/* Number of dimensions of a data set and its extents; 0 on refusal.  Collective. */
enum { LAT_H5_MAX_RANK = LAT_MAX_DIM + 2 };
int lat_h5_extent(lat_h5 *file, const char *name, int64_t extent[LAT_H5_MAX_RANK]);

#endif
