/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * geometry.h: how a lattice is cut into the parts of ranks and the blocks of lanes.
 */
#ifndef LAT_GRID_GEOMETRY_H
#define LAT_GRID_GEOMETRY_H

#include "lattice/backend/choice.h"

enum { LAT_MAX_DIM = 4 };


/* What is asked of a geometry.  Zero means: choose. */
typedef struct {
    int dim;
    int64_t size[LAT_MAX_DIM];  /* global extents */
    int ranks[LAT_MAX_DIM];     /* rank grid; its product is the size of the communicator (default: least surface, with room for the halo) */
    int lane_grid[LAT_MAX_DIM]; /* blocks of this rank's lattice held in lanes */
    int members;                /* independent lattices held side by side in lanes (at least 1) */
    int period;                 /* in directions split over lanes, a lane's block is a multiple of this (default 2) */
    int halo;                   /* width of the halo (default 1) */
    int corners;                /* a halo site lies outside in at most this many directions (default 2) */
    lat_precision precision;    /* of the fields to come: lanes are a multiple of its vector length; LAT_FLOAT serves both */
    const struct lat_backend *backend; /* who runs the kernels, and where fields are kept; NULL: the host */
} lat_shape;

/* A list of sites of a lane's block. */
typedef struct {
    int64_t count;
    int64_t *site;
    int64_t *shared; /* the same where kernels find it */
} lat_sites;

/* Block and halo are made of regions, which are named by their offset o in {-1, 0, 1}^4 from the block, as the number
 * sum_mu (o_mu + 1) 3^mu.  The sites of a region follow each other, x fastest. */
enum { LAT_REGIONS = 81, LAT_BLOCK = LAT_REGIONS / 2 };
typedef struct {
    int64_t first, count; /* sites */
} lat_region;

/* Every rank holds an equal part of the lattice; the part is cut in equal blocks, one per lane and member.  All lanes
 * share one table of sites: sites 0 ... sites-1 are the block (x fastest), sites ... all_sites-1 its halo (by regions).  Directions
 * that are split over neither ranks nor lanes have no halo: their neighbour table wraps around.
 * Lane = block * members + member; lanes beyond blocks * members are idle: they compute, and nobody looks.
 * Read-only for everybody but geometry.c. */
typedef struct lat_geometry {
    MPI_Comm comm;
    int rank, rank_count;
    int dim;
    int64_t size[LAT_MAX_DIM]; /* 1 in directions >= dim, as are all arrays below (positions: 0) */
    int64_t volume;            /* global number of sites */
    int ranks[LAT_MAX_DIM], position[LAT_MAX_DIM];
    int64_t local[LAT_MAX_DIM]; /* extents of this rank's part */
    int lane_grid[LAT_MAX_DIM];
    int64_t block[LAT_MAX_DIM]; /* extents of one lane's block */
    int members, blocks, lanes;
    int halo, corners;
    bool split[LAT_MAX_DIM]; /* over ranks or lanes: this direction has a halo */
    int64_t sites, all_sites;
    int64_t *up[LAT_MAX_DIM], *down[LAT_MAX_DIM]; /* [all_sites]; -1 where the neighbour is not stored */
    lat_region region[LAT_REGIONS];
    int64_t *origin;                  /* [lanes][dim]: global coordinates of the lane's block */
    int64_t *site_index, *lane_index; /* [sites], [lanes]: lat_global_site is their sum */
    int64_t *lane_member;             /* [lanes]; idle lanes carry members, members+1, ... */
    lat_sites parity[2];                          /* sites of the block with even, odd sum of global coordinates */
    lat_sites inner, outer;                       /* sites that need no halo from other ranks, and those that do */
    const struct lat_backend *backend;
    struct lat_tables *tables; /* what kernels read of all this, where they find it */
    struct lat_kept *kept;     /* lat_geometry_keep */
} lat_geometry;

/* Collective over comm, which is duplicated.  LAT_CONFIG if the shape cannot be met, alike on all ranks: the message says which extent
 * does not divide by what, or is less than the halo. */
lat_status lat_geometry_create(MPI_Comm comm, const lat_shape *shape, lat_geometry **geometry, lat_error *error);
/* The same without tables: extents, ranks, lanes, blocks and the number of sites, to foretell what a lattice takes.  Nothing can be
 * put on it. */
lat_status lat_geometry_plan(MPI_Comm comm, const lat_shape *shape, lat_geometry **geometry, lat_error *error);
void lat_geometry_free(lat_geometry *geometry); /* collective */

/* Whether fields of this precision may live on a geometry: its lanes are whole vectors of them.  A geometry that was laid out
 * for float holds doubles too, in two vectors of lanes for one; one that was laid out for double need not hold floats. */
bool lat_geometry_serves(const lat_geometry *geometry, lat_precision precision);

/* Site of the coordinates relative to the block of the lanes (negative in a lower halo); -1 if it is not stored. */
int64_t lat_site(const lat_geometry *geometry, const int64_t *coordinate);
/* The inverse.  0 in directions beyond dim. */
void lat_coordinates(const lat_geometry *geometry, int64_t site, int64_t coordinate[LAT_MAX_DIM]);
void lat_region_offset(int region, int offset[LAT_MAX_DIM]);

/* Lexicographic index, x fastest, in the whole lattice of a site of the block. */
static inline int64_t lat_global_site(const lat_geometry *geometry, int64_t site, int lane)
{
    return geometry->site_index[site] + geometry->lane_index[lane];
}

/* What others derive from a geometry and want to find again: one object for each release function, which is called when the
 * geometry is freed.  It is no part of the geometry's value.  lat_geometry_kept: NULL where nothing is kept;
 * lat_geometry_room: then as many bytes of zeros, from lat_alloc, kept from now on. */
typedef void lat_release(const lat_geometry *geometry, void *object);
void *lat_geometry_kept(const lat_geometry *geometry, lat_release *release);
void lat_geometry_keep(const lat_geometry *geometry, lat_release *release, void *object);
void *lat_geometry_room(const lat_geometry *geometry, lat_release *release, size_t bytes);

/* The sites of the block for which choose(geometry, site, value) holds, in order; lat_sites_free. */
lat_sites lat_sites_where(const lat_geometry *geometry, bool (*choose)(const lat_geometry *geometry, int64_t site, int value), int value);
/* Those that are in two lists, which are in ascending order; lat_sites_free. */
lat_sites lat_sites_common(const lat_geometry *geometry, const lat_sites *a, const lat_sites *b);

/* Sites of the block of a lane in a box of the lattice, extent[dim] from first[dim] on, which may wrap around: fills in up to as many as the
 * box has, and returns their number. */
int64_t lat_box_sites(const lat_geometry *geometry, int64_t lane, const int64_t *first, const int64_t *extent, int64_t *site);

/* Where a site and a lane lie in the rank's part, in site order: the place is the sum of both. */
int64_t lat_site_place(const lat_geometry *geometry, int64_t site);
int64_t lat_lane_place(const lat_geometry *geometry, int lane);

#endif
