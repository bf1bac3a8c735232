/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo_move.h: numbers on their way between block, halo and buffers of messages.
 */
#ifndef LAT_GRID_HALO_MOVE_H
#define LAT_GRID_HALO_MOVE_H

#include "lattice/grid/halo_plan.h"
#include "lattice/kernels/range.h"

/* What of a region is moved. */
typedef struct {
    const int64_t *halo; /* its sites; NULL: those from first_halo on */
    const int64_t *block;
    int64_t first_halo, sites;
    int runs, components; /* components: of all runs */
    lat_run run[LAT_MAX_DIM];
    const lat_halo_pair *pair; /* [components of the field], where kernels find it; NULL: none */
} halo_cut;

halo_cut lat_halo_cut_all(const lat_field *field, const halo_plan *plan, const halo_region *region);

/* Memory for a message, and where the messages are those of the host, there. */
typedef struct {
    char *memory, *staged;
} halo_buffer;
halo_buffer lat_halo_buffer(const lat_geometry *geometry, int64_t bytes);
void lat_halo_buffer_free(const lat_geometry *geometry, halo_buffer *buffer);
void lat_halo_check_size(int64_t bytes); /* ends the run with one line if they are too many for a message */
char *lat_halo_message(const halo_buffer *buffer); /* the memory that MPI is given */

size_t lat_halo_real_bytes(const lat_field *field);
int64_t lat_halo_part_bytes(const lat_field *field, const halo_part *part, const halo_cut *cut);
/* Component `first` at a site. */
char *lat_halo_row(const lat_field *field, int first, int64_t site);

/* From sites and lanes of the field to the halo of a region. */
void lat_halo_copy(lat_field *field, const halo_cut *cut, const int64_t *source, const int *lane, lat_stream stream);
/* Between a buffer and the block, or the halo, of a part. */
void lat_halo_pack_block(const lat_field *field, const halo_part *part, const halo_cut *cut, char *to);
void lat_halo_unpack(lat_field *field, const halo_part *part, const halo_cut *cut, const char *from);
void lat_halo_pack_halo(const lat_field *field, const halo_part *part, const halo_cut *cut, char *to);
/* Adds the halo of a part, or what is in a buffer, to the block. */
void lat_halo_add(const lat_field *field, const halo_part *part, const halo_cut *cut, const char *buffer);

#endif
