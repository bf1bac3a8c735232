/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * backend.c: the backends, and what all files need to call their kernels.
 */
#include "backend.h"

const lat_backend lat_backend_cpu = {
    .name = "cpu",
    .kernels = {[LAT_U1] = {[LAT_DOUBLE] = &lat_cpu_u1_double, [LAT_FLOAT] = &lat_cpu_u1_float},
                [LAT_SU2] = {[LAT_DOUBLE] = &lat_cpu_su2_double, [LAT_FLOAT] = &lat_cpu_su2_float},
                [LAT_SU3] = {[LAT_DOUBLE] = &lat_cpu_su3_double, [LAT_FLOAT] = &lat_cpu_su3_float}},
};

int lat_vector_lanes(lat_precision precision)
{
    return lat_backend_cpu.kernels[LAT_U1][precision]->lanes; /* alike for all groups */
}

lat_tables lat_tables_of(const lat_geometry *g)
{
    lat_tables tables = {.global_site = g->global_site, .lane_member = g->lane_member, .dim = g->dim, .lanes = g->lanes};
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        tables.up[mu] = g->up[mu];
        tables.down[mu] = g->down[mu];
        tables.size[mu] = g->size[mu];
    }
    return tables;
}

lat_range lat_block(const lat_geometry *g) { return (lat_range){.count = g->sites, .lanes = g->lanes}; }

lat_range lat_range_of(const lat_geometry *g, const lat_sites *sites)
{
    return (lat_range){.count = sites->count, .site = sites->site, .lanes = g->lanes};
}

const lat_kernels *lat_kernels_of(const lat_field *field, lat_group group)
{
    return field->geometry->backend->kernels[group][field->precision];
}

random_key lat_random_key(const lat_random *random)
{
    return (random_key){.key = {random->seed, (uint64_t)random->purpose + ((uint64_t)random->update << 16)},
                        .step = random->step, .member = random->member};
}
