/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * paths.c: room for products of links that a kernel leaves for sites which it visits later.  A slot in direction nu
 * serves all sites of a line in that direction, one after the other; as many directions are served, x first, as fit into the
 * second-level cache beside the links: what has to be fetched from further off is computed again in less time.
 */
#include "lattice/gauge/kernels.h"

#include <stdlib.h>

enum { CACHED_BYTES = 5 << 17, PAGE = 1 << 21, LEAST_SLOT_BYTES = 64 };

static void release(const lat_geometry *g, void *object)
{
    lat_paths *paths = object;
    (void)g;
    free(paths->path[0]);
    free(paths->site[0]);
    free(paths);
}

static lat_paths *room_of(const lat_geometry *g)
{
    lat_paths *paths = lat_geometry_kept(g, release);
    if (paths) return paths;
    paths = lat_alloc(1, sizeof *paths);
    paths->sites = g->sites;
    paths->path[0] = lat_alloc(PAGE, 1);
    paths->site[0] = lat_alloc(CACHED_BYTES / LEAST_SLOT_BYTES, sizeof *paths->site[0]);
    lat_geometry_keep(g, release, paths);
    return paths;
}

lat_tables lat_tables_with_paths(const lat_field *links, lat_group group)
{
    const lat_geometry *g = links->geometry;
    lat_tables tables = lat_tables_of(g);
    if (g->backend != &lat_backend_cpu || group == LAT_U1) return tables;
    lat_paths *paths = room_of(g);
    int64_t real_bytes = links->precision == LAT_FLOAT ? sizeof(float) : sizeof(double);
    int64_t vectors = g->lanes / lat_field_kernels_of(links)->lanes;
    int64_t slot_bytes = (g->dim - 1) * lat_link_reals(group) * g->lanes * real_bytes, used = 0, stride = 1;
    for (int nu = 0; nu < g->dim; stride *= g->block[nu++]) {
        bool fits = (used + stride) * slot_bytes <= CACHED_BYTES;
        paths->slots[nu] = fits ? stride : 0;
        if (!fits) continue;
        paths->path[nu] = (char *)paths->path[0] + used * slot_bytes;
        paths->site[nu] = paths->site[0] + used * vectors;
        for (int64_t i = 0; i < stride * vectors; i++) paths->site[nu][i] = -1;
        used += stride;
    }
    tables.paths = paths;
    return tables;
}
