/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matrices.h: what the fuzz targets of the formats of other programs share.  The first byte of the input chooses the
 * options, the rest is the file.  Whatever it holds, it is refused, or read as links of the group on a lattice of 2^4;
 * differences of checksums, which no fuzzer finds the way through, are only warnings if the options say so.
 */
#ifndef FUZZ_MATRICES_H
#define FUZZ_MATRICES_H

#include "lattice/lattice.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FUZZ_EXTENT = 2, FUZZ_SITES = 16, FUZZ_MOST_REALS = FUZZ_SITES * 4 * 18 };
enum { FUZZ_LENIENT = 1, FUZZ_PROBE = 2, FUZZ_SU2 = 4, FUZZ_DIMS = 8, FUZZ_LITTLE = 16, FUZZ_BIG = 32 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lat_geometry *fuzz_geometry;

/* Open MPI must leave signals to the fuzzer, or crashes are seen but the inputs are not kept. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    lat_error error = {0};
    lat_shape shape = {.dim = 4, .size = {FUZZ_EXTENT, FUZZ_EXTENT, FUZZ_EXTENT, FUZZ_EXTENT}};
    setenv("OMPI_MCA_opal_signal", "", 1);
    lat_start(argc, argv);
    if (lat_geometry_create(MPI_COMM_SELF, &shape, &fuzz_geometry, &error) != LAT_DONE) abort();
    return 0;
}

static inline void fuzz_check_status(lat_status status, const lat_error *error, bool told)
{
    bool allowed = status == LAT_DONE || status == LAT_FORMAT || (told && status == LAT_CONFIG);
    if (!allowed || error->status != status || (status != LAT_DONE && (!error->text[0] || strchr(error->text, '\n'))))
        abort();
}

static inline void fuzz_check_shape(const char *path, const lat_config_options *options)
{
    lat_error error = {0};
    lat_group group;
    lat_shape shape;
    lat_status status = lat_config_shape_as(MPI_COMM_SELF, path, options, &group, &shape, &error);
    fuzz_check_status(status, &error, options->size[0] > 0);
    if (status == LAT_DONE && (shape.dim != 4 || (group != LAT_SU2 && group != LAT_SU3))) abort();
    for (int mu = 0; status == LAT_DONE && mu < shape.dim; mu++)
        if (shape.size[mu] < 1) abort();
}

static inline void fuzz_check_links(const char *path, const lat_config_options *options, lat_group group)
{
    lat_error error = {0};
    lat_config_report report = {0};
    double values[FUZZ_MOST_REALS];
    lat_gauge *gauge = lat_gauge_create(fuzz_geometry, group, LAT_DOUBLE);
    lat_status status = lat_config_read_as(path, gauge, options, &report, &error);
    fuzz_check_status(status, &error, options->size[0] > 0);
    lat_field_gather(gauge->links, 0, values);
    for (int i = 0; status == LAT_DONE && i < FUZZ_SITES * 4 * lat_link_reals(group); i++)
        if (!(fabs(values[i]) < 1.001)) abort();
    if (status == LAT_DONE &&
        !(report.violation < 1e-3 && fabs(report.plaquette) < 1.001 && fabs(report.trace) < 1.001))
        abort();
    for (int i = 0; i < report.provenance_count; i++)
        if (strlen(report.provenance[i].key) > 4096 || strlen(report.provenance[i].value) > 1 << 20) abort();
    lat_config_report_free(&report);
    lat_gauge_free(gauge);
}

static inline int fuzz_matrices(const char *format, const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    char path[64];
    const uint8_t choice = data[0];
    lat_config_options options = {.lenient = choice & FUZZ_LENIENT, .format = choice & FUZZ_PROBE ? NULL : format};
    if (choice & FUZZ_LITTLE) options.endian = "little";
    if (choice & FUZZ_BIG) options.endian = "big";
    for (int mu = 0; mu < 4 && choice & FUZZ_DIMS; mu++) options.size[mu] = FUZZ_EXTENT;
    /* What begins otherwise may be a file of another kind, for other targets. */
    if (!options.format && size > 8 && (!memcmp(data + 1, "flowhmc", 7) || !memcmp(data + 1, "\211HDF", 4))) return 0;
    snprintf(path, sizeof path, "/dev/shm/flowhmc-fuzz-%d.%s", (int)getpid(), format);
    unlink(path);
    int descriptor = open(path, O_WRONLY | O_CREAT, 0666);
    if (descriptor < 0 || write(descriptor, data + 1, size - 1) != (ssize_t)(size - 1)) abort();
    close(descriptor);
    fuzz_check_shape(path, &options);
    fuzz_check_links(path, &options, choice & FUZZ_SU2 ? LAT_SU2 : LAT_SU3);
    unlink(path);
    return 0;
}

#endif
