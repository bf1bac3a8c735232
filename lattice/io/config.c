/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * config.c: gauge configurations: one data set `links`, and attributes that say what it is and where it comes from.
 */
#include "io.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

lat_status lat_config_write(const char *path, const lat_field *links, lat_group group, int member,
                            const lat_provenance *provenance, int count, lat_error *error)
{
    lat_h5 *file = lat_h5_create(links->geometry->comm, path, "configuration");
    lat_h5_put_text(file, "group", lat_group_names[group]);
    lat_h5_put_int(file, "dimension", links->geometry->dim);
    for (int i = 0; i < count; i++) lat_h5_put_text(file, provenance[i].key, provenance[i].value);
    lat_h5_put_field(file, "links", links, member);
    return lat_h5_finish(file, error);
}

/* Index of the file's group; LAT_GROUPS on refusal. */
static lat_group read_group(lat_h5 *file)
{
    enum { LONGEST = 31 };
    char *name = lat_h5_get_text(file, "group", LONGEST);
    lat_group group = 0;
    if (!name) return LAT_GROUPS;
    while (group < LAT_GROUPS && strcmp(name, lat_group_names[group]) != 0) group++;
    if (group == LAT_GROUPS) lat_h5_refuse(file, "has the unknown group '%s': use u1, su2 or su3", name);
    free(name);
    return group;
}

/* Angles in [-pi, pi], four numbers of norm 1, three rows of norm 1: far off, they are no links at all. */
static bool is_link(const double *link, lat_group group)
{
    const double tolerance = 1e-4, pi = 3.14159265358979323846, norm[] = {0, 1, 3};
    double sum = 0;
    if (group == LAT_U1) return fabs(link[0]) <= pi + tolerance;
    for (int i = 0; i < lat_link_reals(group); i++) sum += link[i] * link[i];
    return fabs(sum - norm[group]) <= tolerance;
}

/* Checks member 0 and copies it to the others. */
static void spread(lat_h5 *file, lat_field *links, lat_group group)
{
    const lat_geometry *g = links->geometry;
    int64_t sites = 1;
    for (int mu = 0; mu < g->dim; mu++) sites *= g->local[mu];
    double *values = lat_alloc(sites * links->components, sizeof *values);
    lat_field_get_local(links, 0, values);
    int64_t bad = 0;
    for (int64_t i = 0; i < sites * links->components; i += lat_link_reals(group)) bad += !is_link(&values[i], group);
    if (bad)
        lat_h5_refuse(file, "'links' holds %lld matrices that are not in %s", (long long)bad, lat_group_names[group]);
    for (int member = 1; member < g->members; member++) lat_field_set_local(links, member, values);
    free(values);
}

lat_status lat_config_read(const char *path, lat_field *links, lat_group group, lat_error *error)
{
    lat_h5 *file = lat_h5_open(links->geometry->comm, path, "configuration");
    lat_group found = read_group(file);
    if (found < LAT_GROUPS && found != group)
        lat_h5_refuse(file, "is a configuration of %s, the lattice is one of %s: choose another file or group",
                      lat_group_names[found], lat_group_names[group]);
    lat_h5_get_field(file, "links", links, 0);
    if (lat_h5_status(file) == LAT_DONE) spread(file, links, group);
    return lat_h5_finish(file, error);
}

lat_status lat_config_shape(MPI_Comm comm, const char *path, lat_group *group, lat_shape *shape, lat_error *error)
{
    int64_t extent[LAT_H5_MAX_RANK];
    lat_h5 *file = lat_h5_open(comm, path, "configuration");
    *group = read_group(file);
    int dim = (int)lat_h5_get_int(file, "dimension", 2, LAT_MAX_DIM);
    int rank = lat_h5_extent(file, "links", extent);
    *shape = (lat_shape){.dim = dim};
    if (lat_h5_status(file) == LAT_DONE) {
        if (rank != dim + 1 || extent[dim] != (int64_t)dim * lat_link_reals(*group))
            lat_h5_refuse(file, "'links' is no field of %s in %d dimensions", lat_group_names[*group], dim);
        for (int mu = 0; mu < dim; mu++) {
            shape->size[mu] = extent[dim - 1 - mu];
            if (shape->size[mu] < 1) lat_h5_refuse(file, "'links' has no sites");
        }
    }
    return lat_h5_finish(file, error);
}
