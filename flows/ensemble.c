/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ensemble.c: stored configurations as samples to train on.
 */
#include "flows/ensemble.h"

#include <stdlib.h>

/* Each rank reads all files, for each needs samples from everywhere. */
static void read_files(flow_ensemble *ensemble, const lat_shape *shape, lat_group group, const char *const *files,
                       lat_error *error)
{
    lat_shape alone = {.dim = shape->dim, .lane_grid = {1, 1, 1, 1}, .members = 1, .precision = LAT_DOUBLE};
    for (int mu = 0; mu < shape->dim; mu++) alone.size[mu] = shape->size[mu];
    lat_geometry *geometry;
    if (lat_geometry_create(MPI_COMM_SELF, &alone, &geometry, error)) return;
    lat_gauge *gauge = lat_gauge_create(geometry, group, LAT_DOUBLE);
    ensemble->reals = geometry->volume * gauge->links->components;
    ensemble->values = lat_alloc(ensemble->count * ensemble->reals, sizeof *ensemble->values);
    for (int64_t i = 0; i < ensemble->count; i++) {
        if (lat_config_read(files[i], gauge, error)) break;
        lat_field_gather(gauge->links, 0, ensemble->values + i * ensemble->reals);
    }
    lat_gauge_free(gauge);
    lat_geometry_free(geometry);
}

lat_status flow_ensemble_read(MPI_Comm comm, const lat_shape *shape, lat_group group, const char *const *files,
                              int64_t count, flow_ensemble **ensemble, lat_error *error)
{
    *ensemble = lat_alloc(1, sizeof **ensemble);
    (*ensemble)->count = count;
    read_files(*ensemble, shape, group, files, error);
    if (lat_agree(comm, error)) {
        flow_ensemble_free(*ensemble);
        *ensemble = NULL;
    }
    return error->status;
}

void flow_ensemble_free(flow_ensemble *ensemble)
{
    if (!ensemble) return;
    free(ensemble->values);
    free(ensemble);
}
