/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * geometry.c: how a lattice is cut into the parts of the ranks, these into the blocks of the lanes, and which site of
 * the table is whose neighbour.
 */
#include "lattice/grid/geometry.h"

#include "lattice/grid/kernels.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- how the lattice is divided */

/* The rank grid: of all factorisations of the number of ranks that divide the extents and leave room for the halo, the one with the smallest
 * surface per rank; ties are split in the last direction first. */
typedef struct {
    const lat_shape *shape;
    int halo, grid[LAT_MAX_DIM], best[LAT_MAX_DIM];
    double surface;
} rank_search;

/* For the halo, where the direction is split over ranks or lanes. */
static bool leaves_room(const rank_search *search, int direction, int parts)
{
    int lanes = search->shape->lane_grid[direction] > 1 ? search->shape->lane_grid[direction] : 1;
    return parts * lanes == 1 || search->shape->size[direction] / ((int64_t)parts * lanes) >= search->halo;
}

static void try_rank_grids(rank_search *search, int direction, int ranks)
{
    const lat_shape *shape = search->shape;
    if (direction < 0) {
        if (ranks > 1) return;
        double volume = 1, surface = 0;
        for (int mu = 0; mu < shape->dim; mu++) volume *= (double)(shape->size[mu] / search->grid[mu]);
        for (int mu = 0; mu < shape->dim; mu++)
            if (search->grid[mu] > 1) surface += volume * search->grid[mu] / (double)shape->size[mu];
        if (search->surface < 0 || surface < search->surface) {
            search->surface = surface;
            memcpy(search->best, search->grid, sizeof search->best);
        }
        return;
    }
    for (int parts = ranks; parts >= 1; parts--) {
        if (ranks % parts || shape->size[direction] % parts || !leaves_room(search, direction, parts)) continue;
        search->grid[direction] = parts;
        try_rank_grids(search, direction - 1, ranks / parts);
    }
}

static lat_status choose_ranks(lat_geometry *g, const lat_shape *shape, lat_error *error)
{
    int64_t product = 1;
    for (int mu = 0; mu < g->dim; mu++) product *= shape->ranks[mu];
    if (product == 0) {
        rank_search search = {.shape = shape, .halo = g->halo, .grid = {1, 1, 1, 1}, .surface = -1};
        try_rank_grids(&search, g->dim - 1, g->rank_count);
        if (search.surface < 0)
            return lat_fail(error, LAT_CONFIG, "lattice.size: no way to split the extents evenly over %d ranks with "
                            "a halo of %d: use a number of ranks whose factors divide the extents", g->rank_count, g->halo);
        memcpy(g->ranks, search.best, sizeof g->ranks);
        return LAT_DONE;
    }
    if (product != g->rank_count)
        return lat_fail(error, LAT_CONFIG, "lattice.ranks: the rank grid has %lld ranks, the run has %d: make them equal",
                        (long long)product, g->rank_count);
    for (int mu = 0; mu < g->dim; mu++) {
        if (shape->size[mu] % shape->ranks[mu])
            return lat_fail(error, LAT_CONFIG, "lattice.size: extent %lld of direction %d does not divide over %d ranks: "
                            "change lattice.size or lattice.ranks", (long long)shape->size[mu], mu, shape->ranks[mu]);
        g->ranks[mu] = shape->ranks[mu];
    }
    return LAT_DONE;
}

/* Longer; or as long, and not split over ranks: messages are made of all lanes then. */
static bool better_for_lanes(const lat_geometry *g, int mu, int than)
{
    int64_t extent = g->local[mu] / g->lane_grid[mu], other = g->local[than] / g->lane_grid[than];
    return extent > other || (extent == other && (g->ranks[mu] == 1 || g->ranks[than] > 1));
}

/* Lanes left empty by the members are filled with blocks of the lattice: the longest even extent is halved as often as
 * lanes and the period of the masks allow. */
static void choose_lanes(lat_geometry *g, int period, int vector)
{
    int blocks = 1;
    while (g->members * blocks * 2 <= vector) {
        int longest = -1;
        for (int mu = 0; mu < g->dim; mu++) {
            int64_t extent = g->local[mu] / g->lane_grid[mu];
            if (extent % (2 * period) == 0 && extent / 2 >= g->halo && (longest < 0 || better_for_lanes(g, mu, longest))) longest = mu;
        }
        if (longest < 0) break;
        g->lane_grid[longest] *= 2;
        blocks *= 2;
    }
}

static lat_status divide_lanes(lat_geometry *g, const lat_shape *shape, lat_error *error)
{
    int period = shape->period > 0 ? shape->period : 2, vector = lat_backend_lanes(g->backend, shape->precision);
    bool given = true;
    for (int mu = 0; mu < g->dim; mu++) given = given && shape->lane_grid[mu] > 0;
    if (!given) {
        choose_lanes(g, period, vector);
    } else {
        for (int mu = 0; mu < g->dim; mu++) {
            int parts = shape->lane_grid[mu];
            if (parts > 1 && g->local[mu] % ((int64_t)parts * period))
                return lat_fail(error, LAT_CONFIG, "lattice.lanes: extent %lld of direction %d on a rank is not %d blocks of a "
                                "multiple of %d: use fewer lanes or ranks in this direction", (long long)g->local[mu], mu, parts, period);
            g->lane_grid[mu] = parts;
        }
    }
    g->blocks = 1;
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        g->block[mu] = g->local[mu] / g->lane_grid[mu];
        g->blocks *= g->lane_grid[mu];
        g->split[mu] = g->ranks[mu] * g->lane_grid[mu] > 1;
    }
    g->lanes = (g->members * g->blocks + vector - 1) / vector * vector;
    return LAT_DONE;
}

static lat_status check_shape(const lat_shape *shape, lat_error *error)
{
    if (shape->dim < 2 || shape->dim > LAT_MAX_DIM)
        return lat_fail(error, LAT_CONFIG, "lattice.size: %d directions: use 2, 3 or 4", shape->dim);
    int64_t volume = 1;
    for (int mu = 0; mu < shape->dim; mu++)
        if (shape->size[mu] < 1 || __builtin_mul_overflow(volume, shape->size[mu], &volume) || volume > INT64_MAX / 1024)
            return lat_fail(error, LAT_CONFIG, "lattice.size: extent %lld of direction %d is out of range: use positive extents",
                            (long long)shape->size[mu], mu);
    if (shape->members < 0 || shape->members > 1 << 20)
        return lat_fail(error, LAT_CONFIG, "%d lattices side by side: use 1 to %d", shape->members, 1 << 20);
    return LAT_DONE;
}

/* ------------------------------------------------------------------------------------------------- the site table */

void lat_region_offset(int region, int offset[LAT_MAX_DIM])
{
    for (int mu = 0; mu < LAT_MAX_DIM; region /= 3, mu++) offset[mu] = region % 3 - 1;
}

/* Sites of a region in one direction. */
static int64_t extent_of(const lat_geometry *g, int offset, int mu)
{
    return offset == 0 ? g->block[mu] : g->split[mu] ? g->halo : 0;
}

/* First the block, then the halo, region by region. */
static void number_sites(lat_geometry *g)
{
    g->region[LAT_BLOCK] = (lat_region){0, g->sites};
    g->all_sites = g->sites;
    for (int i = 0; i < LAT_REGIONS; i++) {
        int offset[LAT_MAX_DIM], outside = 0;
        int64_t count = 1;
        lat_region_offset(i, offset);
        for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
            count *= extent_of(g, offset[mu], mu);
            outside += offset[mu] != 0;
        }
        if (i == LAT_BLOCK) continue;
        g->region[i] = (lat_region){g->all_sites, outside <= g->corners ? count : 0};
        g->all_sites += g->region[i].count;
    }
}

int64_t lat_site(const lat_geometry *g, const int64_t *coordinate)
{
    int region = 0;
    int64_t index = 0;
    for (int mu = LAT_MAX_DIM - 1; mu >= 0; mu--) {
        int64_t block = g->block[mu], c = mu < g->dim ? coordinate[mu] : 0;
        if (!g->split[mu]) c = (c % block + block) % block;
        if (c < -g->halo || c >= block + g->halo) return -1;
        int offset = c < 0 ? -1 : c >= block ? 1 : 0;
        region = 3 * region + offset + 1;
        index = index * extent_of(g, offset, mu) + (offset < 0 ? c + g->halo : offset > 0 ? c - block : c);
    }
    return g->region[region].count > 0 ? g->region[region].first + index : -1;
}

void lat_coordinates(const lat_geometry *g, int64_t site, int64_t coordinate[LAT_MAX_DIM])
{
    int region = LAT_BLOCK, offset[LAT_MAX_DIM] = {0};
    if (site >= g->sites) {
        for (region = 0; region == LAT_BLOCK || site >= g->region[region].first + g->region[region].count;) region++;
        lat_region_offset(region, offset);
    }
    int64_t rest = site - g->region[region].first;
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        int64_t extent = extent_of(g, offset[mu], mu);
        coordinate[mu] = (extent > 1 ? rest % extent : 0) + (offset[mu] < 0 ? -g->halo : offset[mu] > 0 ? g->block[mu] : 0);
        if (extent > 1) rest /= extent;
    }
}

static void link_neighbours(lat_geometry *g)
{
    int64_t *room = lat_alloc(2 * g->dim * g->all_sites, sizeof *room); /* at once: large pieces are rounded up to whole pages */
    for (int mu = 0; mu < g->dim; mu++, room += 2 * g->all_sites) {
        g->up[mu] = room;
        g->down[mu] = room + g->all_sites;
    }
    for (int64_t site = 0; site < g->all_sites; site++) {
        int64_t c[LAT_MAX_DIM];
        lat_coordinates(g, site, c);
        for (int mu = 0; mu < g->dim; mu++) {
            c[mu]++;
            g->up[mu][site] = lat_site(g, c);
            c[mu] -= 2;
            g->down[mu][site] = lat_site(g, c);
            c[mu]++;
        }
    }
}

/* ------------------------------------------------------------------------------------------------ lanes and lists */

static void place_lanes(lat_geometry *g)
{
    g->origin = lat_alloc((int64_t)g->lanes * g->dim, sizeof *g->origin);
    g->lane_member = lat_alloc(g->lanes, sizeof *g->lane_member);
    for (int lane = 0; lane < g->lanes; lane++) {
        int block = lane / g->members, used = block < g->blocks;
        g->lane_member[lane] = used ? lane % g->members : g->members + lane - g->blocks * g->members;
        for (int mu = 0, rest = used ? block : 0; mu < g->dim; rest /= g->lane_grid[mu], mu++)
            g->origin[lane * g->dim + mu] = g->position[mu] * g->local[mu] + rest % g->lane_grid[mu] * g->block[mu];
    }
}

static int64_t index_in(const lat_geometry *g, const int64_t size[LAT_MAX_DIM], const int64_t coordinate[LAT_MAX_DIM])
{
    int64_t index = 0;
    for (int mu = g->dim - 1; mu >= 0; mu--) index = index * size[mu] + coordinate[mu];
    return index;
}

int64_t lat_lane_place(const lat_geometry *g, int lane)
{
    int64_t c[LAT_MAX_DIM] = {0};
    for (int mu = 0; mu < g->dim; mu++) c[mu] = g->origin[lane * g->dim + mu] - g->position[mu] * g->local[mu];
    return index_in(g, g->local, c);
}

int64_t lat_site_place(const lat_geometry *g, int64_t site)
{
    int64_t c[LAT_MAX_DIM];
    lat_coordinates(g, site, c);
    return index_in(g, g->local, c);
}

static void index_sites(lat_geometry *g)
{
    g->lane_index = lat_alloc(g->lanes, sizeof *g->lane_index);
    g->site_index = lat_alloc(g->sites, sizeof *g->site_index);
    for (int lane = 0; lane < g->lanes; lane++) g->lane_index[lane] = index_in(g, g->size, g->origin + lane * g->dim);
    for (int64_t site = 0; site < g->sites; site++) {
        int64_t c[LAT_MAX_DIM];
        lat_coordinates(g, site, c);
        g->site_index[site] = index_in(g, g->size, c);
    }
}

lat_sites lat_sites_where(const lat_geometry *g, bool (*choose)(const lat_geometry *g, int64_t site, int value), int value)
{
    lat_sites list = {0};
    for (int64_t site = 0; site < g->sites; site++) list.count += choose(g, site, value);
    list.site = lat_alloc(list.count, sizeof *list.site);
    list.count = 0;
    for (int64_t site = 0; site < g->sites; site++)
        if (choose(g, site, value)) list.site[list.count++] = site;
    lat_sites_share(g, &list);
    return list;
}

lat_sites lat_sites_common(const lat_geometry *g, const lat_sites *a, const lat_sites *b)
{
    lat_sites both = {.site = lat_alloc(a->count, sizeof *both.site)};
    for (int64_t i = 0, j = 0; i < a->count; i++) {
        while (j < b->count && b->site[j] < a->site[i]) j++;
        if (j < b->count && b->site[j] == a->site[i]) both.site[both.count++] = a->site[i];
    }
    lat_sites_share(g, &both);
    return both;
}

int64_t lat_box_sites(const lat_geometry *g, int64_t lane, const int64_t *first, const int64_t *extent, int64_t *site)
{
    int64_t volume = 1, count = 0;
    for (int mu = 0; mu < g->dim; mu++) volume *= extent[mu];
    for (int64_t i = 0; i < volume; i++) {
        int64_t x[LAT_MAX_DIM] = {0};
        bool here = true;
        for (int64_t mu = 0, rest = i; mu < g->dim; rest /= extent[mu++]) {
            x[mu] = (first[mu] + rest % extent[mu]) % g->size[mu] - g->origin[lane * g->dim + mu];
            here = here && x[mu] >= 0 && x[mu] < g->block[mu];
        }
        if (here) site[count++] = lat_site(g, x);
    }
    return count;
}

static bool has_parity(const lat_geometry *g, int64_t site, int parity)
{
    int64_t sum = 0, c[LAT_MAX_DIM];
    lat_coordinates(g, site, c);
    for (int mu = 0; mu < g->dim; mu++) sum += g->origin[mu] + c[mu];
    return sum % 2 == parity;
}

/* As far as the halo reaches, all neighbours are on this rank, in whatever lane. */
static bool is_inner(const lat_geometry *g, int64_t site, int inner)
{
    bool all = true;
    int64_t c[LAT_MAX_DIM];
    lat_coordinates(g, site, c);
    for (int mu = 0; mu < g->dim; mu++) all = all && (g->ranks[mu] == 1 || (c[mu] >= g->halo && c[mu] < g->block[mu] - g->halo));
    return all == inner;
}

/* ------------------------------------------------------------------------------------------------- for the kernels */

static void share_places(lat_geometry *g)
{
    int64_t *site_place = lat_alloc(g->sites, sizeof *site_place), *lane_place = lat_alloc(g->lanes, sizeof *lane_place);
    for (int64_t site = 0; site < g->sites; site++) site_place[site] = lat_site_place(g, site);
    for (int lane = 0; lane < g->lanes; lane++) lane_place[lane] = lat_lane_place(g, lane);
    g->tables->site_place = lat_hand_over(g, site_place, g->sites * (int64_t)sizeof *site_place);
    g->tables->lane_place = lat_hand_over(g, lane_place, g->lanes * (int64_t)sizeof *lane_place);
}

static void share_tables(lat_geometry *g)
{
    const int64_t size = sizeof(int64_t);
    g->tables = lat_alloc(1, sizeof *g->tables);
    *g->tables = (lat_tables){.dim = g->dim, .lanes = g->lanes, .sites = g->sites};
    g->tables->site_index = lat_share(g, g->site_index, g->sites * size);
    g->tables->lane_index = lat_share(g, g->lane_index, g->lanes * size);
    g->tables->lane_member = lat_share(g, g->lane_member, g->lanes * size);
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        g->tables->up[mu] = lat_share(g, g->up[mu], g->all_sites * size);
        g->tables->down[mu] = lat_share(g, g->down[mu], g->all_sites * size);
        g->tables->size[mu] = g->size[mu];
    }
    if (!g->backend->on_host) share_places(g);
}

static void unshare_tables(lat_geometry *g)
{
    if (!g->tables) return;
    lat_unshare(g, (void *)g->tables->site_index);
    lat_unshare(g, (void *)g->tables->lane_index);
    lat_unshare(g, (void *)g->tables->lane_member);
    lat_unshare(g, (void *)g->tables->site_place);
    lat_unshare(g, (void *)g->tables->lane_place);
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        lat_unshare(g, (void *)g->tables->up[mu]);
        lat_unshare(g, (void *)g->tables->down[mu]);
    }
    free(g->tables);
}

/* ---------------------------------------------------------------------------------------------- what others keep here */

typedef struct lat_kept {
    struct lat_kept *next;
    lat_release *release;
    void *object;
} kept;

void *lat_geometry_kept(const lat_geometry *g, lat_release *release)
{
    const kept *k = g->kept;
    while (k && k->release != release) k = k->next;
    return k ? k->object : NULL;
}

void lat_geometry_keep(const lat_geometry *geometry, lat_release *release, void *object)
{
    lat_geometry *g = (lat_geometry *)geometry; /* what is kept is no part of the geometry's value */
    kept *k = lat_alloc(1, sizeof *k);
    *k = (kept){g->kept, release, object};
    g->kept = k;
}

void *lat_geometry_room(const lat_geometry *g, lat_release *release, size_t bytes)
{
    void *object = lat_geometry_kept(g, release);
    if (object) return object;
    object = lat_alloc(1, bytes);
    lat_geometry_keep(g, release, object);
    return object;
}

static void release_kept(lat_geometry *g)
{
    for (kept *k = g->kept, *next; k; k = next) {
        next = k->next;
        k->release(g, k->object);
        free(k);
    }
    g->kept = NULL;
}

/* -------------------------------------------------------------------------------------------------------- the whole */

lat_status lat_geometry_plan(MPI_Comm comm, const lat_shape *shape, lat_geometry **geometry, lat_error *error)
{
    *geometry = NULL;
    if (check_shape(shape, error)) return error->status;
    lat_geometry *g = lat_alloc(1, sizeof *g);
    g->backend = shape->backend ? shape->backend : &lat_backend_cpu;
    g->dim = shape->dim;
    g->members = shape->members > 0 ? shape->members : 1;
    g->halo = shape->halo > 0 ? shape->halo : 1;
    g->corners = shape->corners > 0 ? shape->corners : 2;
    MPI_Comm_dup(comm, &g->comm);
    MPI_Comm_rank(comm, &g->rank);
    MPI_Comm_size(comm, &g->rank_count);
    g->volume = 1;
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        g->ranks[mu] = g->lane_grid[mu] = 1;
        g->size[mu] = mu < g->dim ? shape->size[mu] : 1;
        g->volume *= g->size[mu];
    }
    if (choose_ranks(g, shape, error)) goto refused;
    g->sites = 1;
    for (int mu = 0, rest = g->rank; mu < LAT_MAX_DIM; rest /= g->ranks[mu], mu++) {
        g->position[mu] = rest % g->ranks[mu];
        g->local[mu] = g->size[mu] / g->ranks[mu];
    }
    if (divide_lanes(g, shape, error)) goto refused;
    for (int mu = 0; mu < g->dim; mu++) {
        g->sites *= g->block[mu];
        if (g->split[mu] && g->block[mu] < g->halo) {
            lat_fail(error, LAT_CONFIG, "lattice.size: %lld sites of direction %d on a rank are fewer than the halo of %d needed here: use fewer "
                     "ranks in this direction", (long long)g->block[mu], mu, g->halo);
            goto refused;
        }
    }
    number_sites(g);
    *geometry = g;
    return LAT_DONE;
refused:
    lat_geometry_free(g);
    return error->status;
}

lat_status lat_geometry_create(MPI_Comm comm, const lat_shape *shape, lat_geometry **geometry, lat_error *error)
{
    if (lat_geometry_plan(comm, shape, geometry, error)) return error->status;
    lat_geometry *g = *geometry;
    link_neighbours(g);
    place_lanes(g);
    index_sites(g);
    share_tables(g);
    g->parity[0] = lat_sites_where(g, has_parity, 0);
    g->parity[1] = lat_sites_where(g, has_parity, 1);
    g->inner = lat_sites_where(g, is_inner, 1);
    g->outer = lat_sites_where(g, is_inner, 0);
    return LAT_DONE;
}

bool lat_geometry_serves(const lat_geometry *g, lat_precision precision)
{
    return g->lanes % lat_backend_lanes(g->backend, precision) == 0;
}

void lat_geometry_free(lat_geometry *g)
{
    if (!g) return;
    release_kept(g);
    unshare_tables(g);
    free(g->up[0]); /* and all other neighbours */
    free(g->origin);
    free(g->site_index);
    free(g->lane_index);
    free(g->lane_member);
    lat_sites_free(g, &g->parity[0]);
    lat_sites_free(g, &g->parity[1]);
    lat_sites_free(g, &g->inner);
    lat_sites_free(g, &g->outer);
    MPI_Comm_free(&g->comm);
    free(g);
}
