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

/* The rank grid: of all factorisations of the number of ranks that divide the extents, the one with the smallest
 * surface per rank; ties are split in the last direction first. */
typedef struct {
    const lat_shape *shape;
    int grid[LAT_MAX_DIM], best[LAT_MAX_DIM];
    double surface;
} rank_search;

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
        if (ranks % parts || shape->size[direction] % parts) continue;
        search->grid[direction] = parts;
        try_rank_grids(search, direction - 1, ranks / parts);
    }
}

static lat_status choose_ranks(lat_geometry *g, const lat_shape *shape, lat_error *error)
{
    int64_t product = 1;
    for (int mu = 0; mu < g->dim; mu++) product *= shape->ranks[mu];
    if (product == 0) {
        rank_search search = {.shape = shape, .grid = {1, 1, 1, 1}, .surface = -1};
        try_rank_grids(&search, g->dim - 1, g->rank_count);
        if (search.surface < 0)
            return lat_fail(error, LAT_CONFIG, "lattice.size: no way to split the extents evenly over %d ranks: "
                            "use a number of ranks whose factors divide the extents", g->rank_count);
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

static void count_box(const lat_geometry *g, int64_t low[LAT_MAX_DIM], int64_t extent[LAT_MAX_DIM])
{
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        low[mu] = g->split[mu] ? -g->halo : 0;
        extent[mu] = g->block[mu] - 2 * low[mu];
    }
}

int64_t lat_site(const lat_geometry *g, const int64_t *coordinate)
{
    int64_t index = 0;
    for (int mu = LAT_MAX_DIM - 1; mu >= 0; mu--) {
        int64_t c = mu < g->dim ? coordinate[mu] : 0, low = g->split[mu] ? -g->halo : 0, extent = g->block[mu] - 2 * low;
        if (!g->split[mu]) c = (c % extent + extent) % extent;
        if (c < low || c >= low + extent) return -1;
        index = index * extent + (c - low);
    }
    return g->box_site[index];
}

/* Which of 3^4 regions a point of the box lies in, as a number; `outside`: in how many directions not in the block. */
enum { REGIONS = 81, BLOCK_REGION = REGIONS / 2 };
static int region_of(const lat_geometry *g, const int32_t c[LAT_MAX_DIM], int *outside)
{
    int region = 0;
    *outside = 0;
    for (int mu = LAT_MAX_DIM - 1; mu >= 0; mu--) {
        int side = c[mu] < 0 ? -1 : c[mu] >= g->block[mu] ? 1 : 0;
        region = 3 * region + side + 1;
        *outside += side != 0;
    }
    return region;
}

/* Numbers the box of block and halo: first the block, then the halo, region by region, x fastest in each. */
static void number_sites(lat_geometry *g)
{
    int64_t low[LAT_MAX_DIM], extent[LAT_MAX_DIM], box = 1, next[REGIONS] = {0}, first = g->sites;
    count_box(g, low, extent);
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) box *= extent[mu];
    g->box_site = lat_alloc(box, sizeof *g->box_site);
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < box; i++) {
            int outside;
            int32_t c[LAT_MAX_DIM];
            for (int64_t mu = 0, rest = i; mu < LAT_MAX_DIM; rest /= extent[mu], mu++)
                c[mu] = (int32_t)(rest % extent[mu] + low[mu]);
            int region = region_of(g, c, &outside);
            g->box_site[i] = outside <= g->corners ? next[region]++ : -1;
            if (pass == 1 && g->box_site[i] >= 0)
                memcpy(g->coordinate + g->box_site[i] * g->dim, c, (size_t)g->dim * sizeof *c);
        }
        if (pass == 1) break;
        next[BLOCK_REGION] = 0;
        for (int region = 0; region < REGIONS; region++) {
            int64_t count = next[region];
            if (region == BLOCK_REGION) continue;
            next[region] = first;
            first += count;
        }
        g->coordinate = lat_alloc(first * g->dim, sizeof *g->coordinate);
    }
    g->all_sites = first;
}

static void link_neighbours(lat_geometry *g)
{
    for (int mu = 0; mu < g->dim; mu++) {
        g->up[mu] = lat_alloc(g->all_sites, sizeof(int64_t));
        g->down[mu] = lat_alloc(g->all_sites, sizeof(int64_t));
        for (int64_t site = 0; site < g->all_sites; site++) {
            int64_t c[LAT_MAX_DIM];
            for (int nu = 0; nu < g->dim; nu++) c[nu] = g->coordinate[site * g->dim + nu];
            c[mu]++;
            g->up[mu][site] = lat_site(g, c);
            c[mu] -= 2;
            g->down[mu][site] = lat_site(g, c);
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
    g->global_site = lat_alloc(g->sites * g->lanes, sizeof *g->global_site);
    for (int64_t site = 0; site < g->sites; site++)
        for (int lane = 0; lane < g->lanes; lane++) {
            int64_t index = 0;
            for (int mu = g->dim - 1; mu >= 0; mu--)
                index = index * g->size[mu] + g->origin[lane * g->dim + mu] + g->coordinate[site * g->dim + mu];
            g->global_site[site * g->lanes + lane] = index;
        }
}

lat_sites lat_sites_where(const lat_geometry *g, bool (*choose)(const lat_geometry *g, int64_t site, int value), int value)
{
    lat_sites list = {.site = lat_alloc(g->sites, sizeof *list.site)};
    for (int64_t site = 0; site < g->sites; site++)
        if (choose(g, site, value)) list.site[list.count++] = site;
    lat_sites_share(g, &list);
    return list;
}

static bool has_parity(const lat_geometry *g, int64_t site, int parity)
{
    int64_t sum = 0;
    for (int mu = 0; mu < g->dim; mu++) sum += g->origin[mu] + g->coordinate[site * g->dim + mu];
    return sum % 2 == parity;
}

/* As far as the halo reaches, all neighbours are on this rank, in whatever lane. */
static bool is_inner(const lat_geometry *g, int64_t site, int inner)
{
    bool all = true;
    for (int mu = 0; mu < g->dim; mu++) {
        int64_t c = g->coordinate[site * g->dim + mu];
        all = all && (g->ranks[mu] == 1 || (c >= g->halo && c < g->block[mu] - g->halo));
    }
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
    *g->tables = (lat_tables){.dim = g->dim, .lanes = g->lanes};
    g->tables->global_site = lat_share(g, g->global_site, g->sites * g->lanes * size);
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
    lat_unshare(g, (void *)g->tables->global_site);
    lat_unshare(g, (void *)g->tables->lane_member);
    lat_unshare(g, (void *)g->tables->site_place);
    lat_unshare(g, (void *)g->tables->lane_place);
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        lat_unshare(g, (void *)g->tables->up[mu]);
        lat_unshare(g, (void *)g->tables->down[mu]);
    }
    free(g->tables);
}

/* -------------------------------------------------------------------------------------------------------- the whole */

lat_status lat_geometry_create(MPI_Comm comm, const lat_shape *shape, lat_geometry **geometry, lat_error *error)
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
    link_neighbours(g);
    place_lanes(g);
    share_tables(g);
    g->parity[0] = lat_sites_where(g, has_parity, 0);
    g->parity[1] = lat_sites_where(g, has_parity, 1);
    g->inner = lat_sites_where(g, is_inner, 1);
    g->outer = lat_sites_where(g, is_inner, 0);
    *geometry = g;
    return LAT_DONE;
refused:
    lat_geometry_free(g);
    return error->status;
}

bool lat_geometry_serves(const lat_geometry *g, lat_precision precision)
{
    return g->lanes % lat_backend_lanes(g->backend, precision) == 0;
}

void lat_geometry_free(lat_geometry *g)
{
    if (!g) return;
    lat_halos_free(g);
    unshare_tables(g);
    lat_paths_free(g);
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        free(g->up[mu]);
        free(g->down[mu]);
    }
    free(g->coordinate);
    free(g->box_site);
    free(g->origin);
    free(g->global_site);
    free(g->lane_member);
    lat_sites_free(g, &g->parity[0]);
    lat_sites_free(g, &g->parity[1]);
    lat_sites_free(g, &g->inner);
    lat_sites_free(g, &g->outer);
    MPI_Comm_free(&g->comm);
    free(g);
}
