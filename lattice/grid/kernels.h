/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels.h: how code of the host hands fields and arrays to kernels.
 */
#ifndef LAT_GRID_KERNELS_H
#define LAT_GRID_KERNELS_H

#include "lattice/backend/backend.h"
#include "lattice/grid/grid.h"

/* An array of the host for kernels to read: itself, or a copy in the memory of the backend.  NULL gives NULL. */
void *lat_share(const lat_geometry *geometry, const void *host, int64_t bytes);
void lat_unshare(const lat_geometry *geometry, void *shared);
/* The same for an array that the host needs no more: it is freed if it was copied.  To be released by the backend. */
void *lat_hand_over(const lat_geometry *geometry, void *host, int64_t bytes);
/* The same for a list of sites that is complete. */
void lat_sites_share(const lat_geometry *geometry, lat_sites *sites);
void lat_sites_free(const lat_geometry *geometry, lat_sites *sites);

/* Calls run(arguments), which asks for what follows from these bytes alone, and from what is in the memory they lead to: on one
 * rank a device records it the second time, and replays it from the third on (repeat.c).  No state of the host may decide
 * what is asked for; and nothing that is needed later may be allocated the second time and not the first. */
typedef struct lat_repeats lat_repeats;
lat_repeats *lat_repeats_create(const lat_geometry *geometry);
void lat_repeats_free(lat_repeats *repeats);
void lat_repeat(lat_repeats *repeats, void (*run)(const void *arguments), const void *arguments, size_t bytes);

lat_tables lat_tables_of(const lat_geometry *geometry);
/* All sites of the block, or a list of them. */
lat_range lat_block(const lat_geometry *geometry);
lat_range lat_range_of(const lat_geometry *geometry, const lat_sites *sites);
const lat_field_kernels *lat_field_kernels_of(const lat_field *field);

/* lat_sum in the memory of a device (device_sum.c); false: some values are no integers of its units, and out is not filled in. */
bool lat_device_sum(const lat_field *field, double *out);

#endif
