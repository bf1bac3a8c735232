/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hdf5.c: gauge configurations in the files of this program (h5.c): one data set `links`, and attributes that say what
 * it is and where it comes from.  Any group in any number of dimensions.
 */
#include "lattice/io/io.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool probe(const uint8_t *head, int64_t head_size, int64_t file_size)
{
    static const char ours[] = "flowhmc ", hdf5[] = "\211HDF";
    (void)file_size;
    return (head_size >= 8 && memcmp(head, ours, 8) == 0) || (head_size >= 4 && memcmp(head, hdf5, 4) == 0);
}

static lat_status writable(const char *path, lat_group group, const lat_shape *shape, const lat_config_options *options,
                           lat_error *error)
{
    (void)group;
    (void)shape;
    if (options->bits == 32 || options->two_rows)
        return lat_fail(error, LAT_CONFIG,
                        "%s: .h5 files hold all numbers in 64 bits: leave precision and two rows out", path);
    return LAT_DONE;
}

static lat_status write_links(const char *path, lat_gauge *gauge, int member,
                              const lat_config_options *options, const lat_provenance *provenance, int count,
                              lat_error *error)
{
    (void)options;
    lat_h5 *file = lat_h5_create(gauge->links->geometry->comm, path, "configuration");
    lat_h5_put_text(file, "group", lat_group_names[gauge->group]);
    lat_h5_put_int(file, "dimension", gauge->links->geometry->dim);
    for (int i = 0; i < count; i++) lat_h5_put_text(file, provenance[i].key, provenance[i].value);
    lat_h5_put_field(file, "links", gauge->links, member);
    return lat_h5_finish(file, error);
}

lat_group lat_h5_get_group(lat_h5 *file)
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

static void check_boundary(lat_h5 *file, const char *text, int dim, const int64_t *size)
{
    lat_error error = {0};
    lat_boundary boundary;
    if (lat_provenance_boundary(text, dim, size, &boundary, &error)) lat_h5_refuse(file, "'boundary' is not understood: %s", error.text);
}

/* What the programs write; other attributes are left alone. */
static void read_provenance(lat_h5 *file, int dim, const int64_t *size, lat_config_report *report)
{
    enum { LONGEST = 1 << 20 };
    static const char *const known[] = {"program",      "seed", "step", "replica",     "configuration",
                                        "model_sha256", "beta", "lfn",  "ensemble_id", "ensemble_label",
                                        "boundary",     "log_weight"};
    lat_bytes pairs = {0};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char *text = lat_h5_has(file, known[i]) ? lat_h5_get_text(file, known[i], LONGEST) : NULL;
        if (text && strcmp(known[i], "boundary") == 0) check_boundary(file, text, dim, size);
        if (text) lat_bytes_add_pair(&pairs, known[i], text, (int64_t)strlen(text));
        free(text);
    }
    lat_report_pairs(report, &pairs);
}

/* Member 0 to the others. */
static void spread(lat_field *links)
{
    const lat_geometry *g = links->geometry;
    int64_t sites = 1;
    for (int mu = 0; mu < g->dim; mu++) sites *= g->local[mu];
    if (g->members == 1) return;
    double *values = lat_alloc(sites * links->components, sizeof *values);
    lat_field_get_local(links, 0, values);
    for (int member = 1; member < g->members; member++) lat_field_set_local(links, member, values);
    free(values);
}

static void fill_report(lat_config_report *report, const lat_gauge *gauge,
                        const lat_links_summary *summary)
{
    report->group = gauge->group;
    report->dim = gauge->links->geometry->dim;
    memcpy(report->size, gauge->links->geometry->size, sizeof report->size);
    report->links = true;
    report->plaquette = summary->plaquette;
    report->trace = summary->trace;
    report->violation = summary->violation;
    report->stored_plaquette = report->stored_trace = NAN;
    report->has_checksums = true; /* of the whole file, and verified when it was opened */
}

static lat_status read_links(const lat_config_format *format, const char *path, lat_gauge *gauge, const lat_config_options *options,
                             lat_config_report *report, lat_error *error)
{
    (void)format;
    (void)options;
    lat_h5 *file = lat_h5_open(gauge->links->geometry->comm, path, "configuration");
    lat_group found = lat_h5_get_group(file);
    if (found < LAT_GROUPS && found != gauge->group)
        lat_h5_refuse(file, "is a configuration of %s, the lattice is one of %s: choose another file or group",
                      lat_group_names[found], lat_group_names[gauge->group]);
    lat_h5_get_field(file, "links", gauge->links, 0);
    if (lat_h5_status(file) == LAT_DONE) {
        read_provenance(file, gauge->links->geometry->dim, gauge->links->geometry->size, report);
        lat_links_summary summary = lat_links_summarise(gauge, 0, report->wanted);
        fill_report(report, gauge, &summary);
        if (summary.bad)
            lat_h5_refuse(file, "'links' holds %lld matrices that are not in %s", (long long)summary.bad,
                          lat_group_names[gauge->group]);
        spread(gauge->links);
    }
    return lat_h5_finish(file, error);
}

static lat_status shape_of(const lat_config_format *format, MPI_Comm comm, const char *path, const lat_config_options *options,
                           lat_group *group, lat_shape *shape, lat_config_report *report, lat_error *error)
{
    (void)format;
    (void)options;
    int64_t extent[LAT_H5_MAX_RANK];
    lat_h5 *file = lat_h5_open(comm, path, "configuration");
    *group = lat_h5_get_group(file);
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
    if (lat_h5_status(file) == LAT_DONE) read_provenance(file, dim, shape->size, report);
    return lat_h5_finish(file, error);
}

const lat_config_format lat_config_hdf5 = {"h5", NULL, probe, shape_of, read_links, writable, write_links};
