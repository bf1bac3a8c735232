/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * choice.h: which backend runs the kernels, in which precision, and what it copies.
 */
#ifndef LAT_BACKEND_CHOICE_H
#define LAT_BACKEND_CHOICE_H

#include "lattice/base/base.h"

struct lat_backend;

typedef enum { LAT_DOUBLE, LAT_FLOAT, LAT_PRECISIONS } lat_precision;
extern const char *const lat_precision_names[]; /* "double", "float", NULL */

/* The key `backend` of a configuration: "auto" (the GPUs, if every rank has one, else the CPU), "cpu" or "cuda".  The ranks of a
 * machine take turns with its GPUs.  why: a few words where "auto" did not get a GPU; empty if it did, or if the program is
 * built without.  Collective. */
enum { LAT_BACKEND_TEXT = 256 };
lat_status lat_backend_read(MPI_Comm comm, lat_settings *root, const struct lat_backend **backend, char why[LAT_BACKEND_TEXT],
                            lat_error *error);
const char *lat_backend_name(const struct lat_backend *backend);

/* Lanes of one vector on the host: the smallest number of members that leaves none idle there. */
int lat_vector_lanes(lat_precision precision);
/* The same for a backend; NULL: the host. */
int lat_backend_lanes(const struct lat_backend *backend, lat_precision precision);

/* What has been copied between the memory of a geometry's backend and that of the host, in both directions: fields by
 * lat_field_map, small arrays and sums, and messages; and how often kernels were asked for all at once. */
typedef struct {
    int64_t fields, field_bytes, arrays, array_bytes, messages, message_bytes;
    int64_t replays; /* of recorded sequences of kernels */
} lat_copies;

#endif
