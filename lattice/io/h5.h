/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5.h: the HDF5 files of this program.
 */
#ifndef LAT_IO_H5_H
#define LAT_IO_H5_H

#include "lattice/gauge/gauge.h"

/* HDF5 files of this program begin with a user block of 512 bytes in plain text: "flowhmc KIND", format version, number
 * of bytes and CRC-32 of all that follows.  It is verified before the HDF5 library sees the file, so a truncated or
 * damaged file is LAT_FORMAT and nothing worse.  h5py and h5dump read the files as they are.  Files are written to
 * PATH.tmp, synced, re-read, verified and renamed; the bytes are a function of the contents (no time stamps). */
typedef struct lat_h5 lat_h5;

/* Collective over comm, as are all functions of a lat_h5.  The first failure is kept inside: later calls do nothing,
 * and lat_h5_finish reports it.  To open, comm may be MPI_COMM_NULL: this process alone, without MPI.  kind: "model", "configuration", "history", "checkpoint". */
lat_h5 *lat_h5_create(MPI_Comm comm, const char *path, const char *kind);
/* The same for a file that takes the place of no other: where there is one now or by the time it is complete, LAT_CONFIG. */
lat_h5 *lat_h5_create_new(MPI_Comm comm, const char *path, const char *kind);
lat_h5 *lat_h5_open(MPI_Comm comm, const char *path, const char *kind);
/* Closes; a created file gets its final name only here.  Returns the first failure of all calls since opening. */
lat_status lat_h5_finish(lat_h5 *file, lat_error *error);
/* The failure so far, to leave loops early. */
lat_status lat_h5_status(const lat_h5 *file);
/* Records a failure of the contents (LAT_FORMAT, "PATH: ..."). */
void lat_h5_refuse(lat_h5 *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

void lat_h5_put_text(lat_h5 *file, const char *name, const char *text);
void lat_h5_put_int(lat_h5 *file, const char *name, int64_t value);
void lat_h5_put_real(lat_h5 *file, const char *name, double value);
/* Replicated array: rank 0 writes its values.  A name of two parts, GROUP/NAME, makes the group. */
void lat_h5_put_reals(lat_h5 *file, const char *name, int rank, const int64_t *extent, const double *values);
/* One member (or all: member < 0) of a gauge field; each rank writes its part: [member]([t][z])[y][x][component]. */
void lat_h5_put_field(lat_h5 *file, const char *name, const lat_field *field, int member);

/* Reading: absent, of another type, or out of range is a refusal.  Texts at most limit bytes; free() them. */
char *lat_h5_get_text(lat_h5 *file, const char *name, int64_t limit);
int64_t lat_h5_get_int(lat_h5 *file, const char *name, int64_t low, int64_t high);
/* The group that the text `group` names; LAT_GROUPS on refusal. */
lat_group lat_h5_get_group(lat_h5 *file);
double lat_h5_get_real(lat_h5 *file, const char *name);
bool lat_h5_has(lat_h5 *file, const char *name);
/* Extent must have `rank` dimensions, each at most limit; fills extent and returns new memory, NULL on refusal. */
double *lat_h5_get_reals(lat_h5 *file, const char *name, int rank, int64_t *extent, int64_t limit);
/* Extents and components must match the field; values must be finite. */
void lat_h5_get_field(lat_h5 *file, const char *name, lat_field *field, int member);

#endif
