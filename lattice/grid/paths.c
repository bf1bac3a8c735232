/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * paths.c: room for products of links that a kernel leaves for sites which it visits later.  A slot in direction nu
 * serves all sites of a line in that direction, one after the other; as many directions are served, x first, as fit into the
 * second-level cache beside the links: what has to be fetched from further off is computed again in less time.
 */
#include "lattice/grid/kernels.h"
#include "lattice/grid/geometry.h"

#include <stdlib.h>

enum { CACHED_BYTES = 5 << 17, PAGE = 1 << 21, LEAST_SLOT_BYTES = 64 };

void lat_paths_free(lat_geometry *g)
{
    if (!g->paths) return;
    free(g->paths->path[0]);
    free(g->paths->site[0]);
    free(g->paths);
}

static struct lat_paths *room(const lat_geometry *g)
{
    struct lat_paths *paths = lat_alloc(1, sizeof *paths);
    paths->sites = g->sites;
    paths->path[0] = lat_alloc(PAGE, 1);
    paths->site[0] = lat_alloc(CACHED_BYTES / LEAST_SLOT_BYTES, sizeof *paths->site[0]);
    return paths;
}

lat_tables lat_tables_with_paths(const lat_field *links, lat_group group)
{
    lat_geometry *g = (lat_geometry *)links->geometry; /* the room is no part of the geometry's value */
    lat_tables tables = lat_tables_of(g);
    if (g->backend != &lat_backend_cpu || group == LAT_U1) return tables;
    if (!g->paths) g->paths = room(g);
    int64_t real_bytes = links->precision == LAT_FLOAT ? sizeof(float) : sizeof(double);
    int64_t vectors = g->lanes / lat_kernels_of(links, group)->lanes;
    int64_t slot_bytes = (g->dim - 1) * lat_link_reals(group) * g->lanes * real_bytes, used = 0, stride = 1;
    for (int nu = 0; nu < g->dim; stride *= g->block[nu++]) {
        bool fits = (used + stride) * slot_bytes <= CACHED_BYTES;
        g->paths->slots[nu] = fits ? stride : 0;
        if (!fits) continue;
        g->paths->path[nu] = (char *)g->paths->path[0] + used * slot_bytes;
        g->paths->site[nu] = g->paths->site[0] + used * vectors;
        for (int64_t i = 0; i < stride * vectors; i++) g->paths->site[nu][i] = -1;
        used += stride;
    }
    tables.paths = g->paths;
    return tables;
}
