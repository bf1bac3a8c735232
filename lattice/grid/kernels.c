/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels.c: what all files need to call kernels.
 */
#include "lattice/grid/kernels.h"

#include <stdlib.h>

lat_tables lat_tables_of(const lat_geometry *g) { return *g->tables; }

lat_range lat_block(const lat_geometry *g) { return (lat_range){.count = g->sites, .lanes = g->lanes}; }

lat_range lat_range_of(const lat_geometry *g, const lat_sites *sites)
{
    return (lat_range){.count = sites->count, .site = sites->shared, .lanes = g->lanes};
}

/* ----------------------------------------------------------------------------------------- arrays that kernels read */

void *lat_share(const lat_geometry *g, const void *host, int64_t bytes)
{
    if (g->backend->on_host || !host) return (void *)host; /* kernels only read what is shared */
    void *shared = g->backend->allocate(bytes);
    g->backend->upload(shared, host, bytes, LAT_OF_ARRAY);
    return shared;
}

void lat_unshare(const lat_geometry *g, void *shared)
{
    if (!g->backend->on_host) g->backend->release(shared);
}

void *lat_hand_over(const lat_geometry *g, void *host, int64_t bytes)
{
    void *shared = lat_share(g, host, bytes);
    if (shared != host) free(host);
    return shared;
}

void lat_sites_share(const lat_geometry *g, lat_sites *sites)
{
    sites->shared = lat_share(g, sites->site, sites->count * (int64_t)sizeof *sites->site);
}

void lat_sites_free(const lat_geometry *g, lat_sites *sites)
{
    lat_unshare(g, sites->shared);
    free(sites->site);
    *sites = (lat_sites){0};
}

/* --------------------------------------------------------------------------------------------------------- kernels */

const lat_field_kernels *lat_field_kernels_of(const lat_field *field) { return field->geometry->backend->fields[field->precision]; }
