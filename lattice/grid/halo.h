/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo.h: filling the halo of a field, and the adjoint operation.
 */
#ifndef LAT_GRID_HALO_H
#define LAT_GRID_HALO_H

#include "lattice/grid/field.h"
#include "lattice/kernels/range.h"

/* A run of components of a field. */
typedef struct {
    int first, count;
} lat_run;

/* What travels in an exchange; {0}: all that the halo holds.
 * runs: the components that the sites of a region of the halo get, by its offset in {-1, 0, 1}^4 from the block; fills in up to LAT_MAX_DIM
 *     runs in ascending order and returns their number, 0 where the region is left alone.  A function of its arguments alone.  Where
 *     half of what a region holds travels, so may the rest.  NULL: all.
 * pair: what a component is added to before it travels, so that the halo has sums of two (as the halves of spinors that are projected are);
 *     a function like runs.  NULL: nothing.
 * one_parity: only sites with this parity of the sum of coordinates, where they have it on all ranks and in all lanes: where
 *     blocks are even. */
typedef struct {
    int (*runs)(const lat_field *field, const int offset[LAT_MAX_DIM], int argument, lat_run run[LAT_MAX_DIM]);
    lat_halo_pair (*pair)(const lat_field *field, const int offset[LAT_MAX_DIM], int argument, int component);
    int argument;
    bool one_parity;
    int parity;
} lat_halo_choice;

/* Fills the halo of a field from the owners of its sites.  Collective.  Between the two halves the halo of the inner sites
 * is filled already (what comes from lanes of the same rank), so that work on them overlaps with the messages; the
 * outer sites must not change.  Any number of exchanges may be under way, if they were started in the same order on all ranks; the
 * caller finishes each once.  NULL is an exchange of a lattice without a halo. */
typedef struct lat_exchange lat_exchange;
lat_exchange *lat_halo_start(lat_field *field, lat_halo_choice choice);
void lat_halo_finish(lat_exchange *exchange);
void lat_halo_exchange(lat_field *field); /* both, of all */

/* Bytes that this rank sends in such an exchange. */
int64_t lat_halo_bytes(const lat_field *field, lat_halo_choice choice);

/* Memory of the buffers that an exchange keeps, at most: of all that the halo holds of so many components, or of its faces alone.  The geometry
 * need only be planned. */
double lat_halo_memory(const lat_geometry *geometry, int components, lat_precision precision, bool faces);

/* The adjoint: adds every halo value to the site it is a copy of and zeroes the halo.  Collective. */
void lat_halo_adjoint(lat_field *field);

/* Fields that hold the same number of components for every direction, as links do: */
lat_halo_choice lat_halo_links(int mu, int parity); /* of direction mu, where staples need them, at sites of one parity */
lat_halo_choice lat_halo_staples(void);             /* of all directions, where staples and plaquettes need them */

#endif
