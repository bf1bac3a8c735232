/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * config.c: no file whatsoever makes the reader of gauge configurations do more than refuse it; see h5.h.
 */
#include "tests/fuzz/h5.h"

#include <math.h>

enum { EXTENT = 4, NUMBERS = EXTENT * EXTENT * 2 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_start(argc, argv);
    return 0;
}

static void write_config(const char *path, const uint8_t *data, size_t size)
{
    double angles[NUMBERS];
    for (int i = 0; i < NUMBERS; i++) angles[i] = i / 11.0;
    const fuzz_item items[] = {
        {.name = "group", .kind = FUZZ_TEXT, .text = "u1"},
        {.name = "dimension", .kind = FUZZ_INT, .integer = 2},
        {.name = "model", .kind = FUZZ_TEXT, .text = "none"},
        {.name = "links", .kind = FUZZ_REALS, .rank = 3, .extent = {EXTENT, EXTENT, 2}, .reals = angles},
    };
    fuzz_write(path, "configuration", data, size, items, sizeof items / sizeof *items);
}

static void check_shape(const char *path)
{
    lat_error error = {0};
    lat_group group;
    lat_shape shape;
    lat_status status = lat_config_shape(MPI_COMM_SELF, path, &group, &shape, &error);
    if (status != LAT_DONE && (status != LAT_FORMAT || error.status != status)) abort();
    if (status == LAT_DONE && (shape.dim < 2 || shape.dim > LAT_MAX_DIM || group >= LAT_GROUPS)) abort();
    for (int mu = 0; status == LAT_DONE && mu < shape.dim; mu++)
        if (shape.size[mu] < 1) abort();
}

static void check_links(const char *path)
{
    lat_error error = {0};
    lat_geometry *geometry;
    lat_shape shape = {.dim = 2, .size = {EXTENT, EXTENT}, .members = 2};
    double values[NUMBERS];
    if (lat_geometry_create(MPI_COMM_SELF, &shape, &geometry, &error) != LAT_DONE) abort();
    lat_gauge *gauge = lat_gauge_create(geometry, LAT_U1, LAT_DOUBLE);
    lat_status status = lat_config_read(path, gauge, &error);
    if (status != LAT_DONE && (status != LAT_FORMAT || error.status != status)) abort();
    lat_field_gather(gauge->links, 1, values);
    for (int i = 0; status == LAT_DONE && i < NUMBERS; i++)
        if (!(fabs(values[i]) < 3.15)) abort();
    lat_gauge_free(gauge);
    lat_geometry_free(geometry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/flowhmc-fuzz-%d.h5", (int)getpid());
    write_config(path, data, size);
    check_shape(path);
    check_links(path);
    unlink(path);
    return 0;
}
