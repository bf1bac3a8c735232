/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * config.c: gauge configurations in any of the formats: which one a file has, by how it begins, and which one a name
 * stands for, by its ending.
 */
#include "lattice/io/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* HiRep and openQCD have no mark at their beginning, so they are tried last, and the byte orders of their extents exclude each
 * other; Bridge++ has nothing at all, and must be named. */
static const lat_config_format *const formats[] = {&lat_config_hdf5, &lat_config_nersc, &lat_config_ildg,
                                                   &lat_config_milc, &lat_config_hirep, &lat_config_openqcd, &lat_config_bridge};
enum { FORMATS = sizeof formats / sizeof *formats };

static const lat_config_options no_options;

static const lat_config_format *named(const char *name, lat_error *error)
{
    const char *names[FORMATS + 1] = {0};
    for (int i = 0; i < FORMATS; i++) {
        if (strcmp(name, formats[i]->name) == 0) return formats[i];
        names[i] = formats[i]->name;
    }
    lat_fail(error, LAT_CONFIG, "format '%.40s' is not known: is %s meant? (h5, nersc, ildg, openqcd, milc, hirep, bridge)", name,
             lat_nearest(name, names));
    return NULL;
}

static lat_status check_options(const lat_config_options *options, lat_error *error)
{
    if (options->endian && strcmp(options->endian, "big") != 0 && strcmp(options->endian, "little") != 0)
        return lat_fail(error, LAT_CONFIG, "byte order '%.40s' is not known: use big or little", options->endian);
    if (options->bits != 0 && options->bits != 32 && options->bits != 64)
        return lat_fail(error, LAT_CONFIG, "precision of %d bits: use 32 or 64", options->bits);
    return LAT_DONE;
}

static bool begins_like(const lat_config_format *format, const uint8_t *head, int64_t head_size, int64_t file_size)
{
    return format->probe && format->probe(head, head_size, file_size);
}

/* Rank 0: index of the format, by the first bytes. */
static int look(const char *path, lat_error *error)
{
    enum { HEAD = 512 };
    uint8_t head[HEAD];
    int format = FORMATS;
    int64_t bytes, size = -1;
    int descriptor = lat_open_input(path, &bytes, error);
    if (descriptor >= 0) size = lat_read_at(descriptor, head, HEAD, 0);
    if (size >= 0 && size < HEAD && errno)
        lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the disk", path, strerror(errno));
    else if (size >= 0)
        for (format = 0; format < FORMATS && !begins_like(formats[format], head, size, bytes);) format++;
    if (descriptor >= 0) close(descriptor);
    if (error->status == LAT_DONE && format == FORMATS)
        lat_fail(error, LAT_FORMAT,
                 "%s: begins like no gauge configuration of flowhmc, NERSC, ILDG, MILC, openQCD or HiRep: check the path, "
                 "or take another copy",
                 path);
    return format;
}

static const lat_config_format *format_of_file(MPI_Comm comm, const char *path, const lat_config_options *options,
                                               lat_error *error)
{
    int rank, format = FORMATS;
    if (check_options(options, error)) return NULL;
    if (options->format) return named(options->format, error);
    MPI_Comm_rank(comm, &rank);
    if (rank == 0) format = look(path, error);
    if (lat_agree(comm, error)) return NULL;
    MPI_Bcast(&format, 1, MPI_INT, 0, comm);
    return formats[format];
}

static const lat_config_format *format_of_name(const char *path, const lat_config_options *options, lat_error *error)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    if (check_options(options, error)) return NULL;
    if (options->format) return named(options->format, error);
    for (int i = 0; i < FORMATS && dot; i++)
        if (strcmp(dot + 1, formats[i]->name) == 0) return formats[i];
    lat_fail(error, LAT_CONFIG,
             "%s: its ending names no format: use .h5, .nersc, .ildg or .openqcd, or name the format", path);
    return NULL;
}

lat_status lat_config_writable(const char *path, lat_group group, const lat_shape *shape,
                               const lat_config_options *options, lat_error *error)
{
    if (!options) options = &no_options;
    const lat_config_format *format = format_of_name(path, options, error);
    if (!format) return error->status;
    if (!format->write)
        return lat_fail(error, LAT_CONFIG,
                        "%s: files of the format %s are only read: write .h5, .nersc, .ildg or .openqcd", path,
                        format->name);
    return format->writable(path, group, shape, options, error);
}

lat_status lat_config_write_as(const char *path, lat_gauge *gauge, int member,
                               const lat_config_options *options, const lat_provenance *provenance, int count,
                               lat_error *error)
{
    lat_shape shape = {.dim = gauge->links->geometry->dim};
    memcpy(shape.size, gauge->links->geometry->size, sizeof shape.size);
    if (!options) options = &no_options;
    if (lat_config_writable(path, gauge->group, &shape, options, error)) return error->status;
    return format_of_name(path, options, error)->write(path, gauge, member, options, provenance, count, error);
}

lat_status lat_config_write(const char *path, lat_gauge *gauge, int member,
                            const lat_provenance *provenance, int count, lat_error *error)
{
    return lat_config_write_as(path, gauge, member, NULL, provenance, count, error);
}

static lat_status read_file(const char *path, lat_gauge *gauge, const lat_config_options *options,
                            lat_config_report *report, lat_error *error)
{
    const lat_config_format *format = format_of_file(gauge->links->geometry->comm, path, options, error);
    if (!format) return error->status;
    report->format = format->name;
    lat_gauge_changed(gauge);
    return format->read(format, path, gauge, options, report, error);
}

lat_status lat_config_read_as(const char *path, lat_gauge *gauge, const lat_config_options *options,
                              lat_config_report *report, lat_error *error)
{
    report->wanted = true;
    return read_file(path, gauge, options ? options : &no_options, report, error);
}

lat_status lat_config_read(const char *path, lat_gauge *gauge, lat_error *error)
{
    lat_config_report report = {0};
    read_file(path, gauge, &no_options, &report, error);
    if (gauge->links->geometry->rank == 0 && error->status == LAT_DONE) lat_config_report_warn(&report, path, gauge);
    lat_config_report_free(&report);
    return error->status;
}

lat_status lat_config_header(MPI_Comm comm, const char *path, const lat_config_options *options, lat_config_report *report,
                             lat_error *error)
{
    lat_shape shape;
    if (!options) options = &no_options;
    const lat_config_format *format = format_of_file(comm, path, options, error);
    if (!format || format->shape(format, comm, path, options, &report->group, &shape, report, error)) return error->status;
    report->format = format->name;
    report->dim = shape.dim;
    memcpy(report->size, shape.size, sizeof report->size);
    return LAT_DONE;
}

lat_status lat_config_shape_as(MPI_Comm comm, const char *path, const lat_config_options *options, lat_group *group,
                               lat_shape *shape, lat_error *error)
{
    lat_config_report report = {0};
    if (lat_config_header(comm, path, options, &report, error) == LAT_DONE) {
        *group = report.group;
        *shape = (lat_shape){.dim = report.dim};
        memcpy(shape->size, report.size, sizeof shape->size);
    }
    lat_config_report_free(&report);
    return error->status;
}

lat_status lat_config_shape(MPI_Comm comm, const char *path, lat_group *group, lat_shape *shape, lat_error *error)
{
    return lat_config_shape_as(comm, path, NULL, group, shape, error);
}
