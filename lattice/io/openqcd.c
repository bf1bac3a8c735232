/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * openqcd.c: configurations as openQCD exports them (main/README.io there): little-endian, four extents, time first,
 * the sum over planes of Re tr P divided by 6 V, then for every odd site, z running fastest and time slowest, the eight
 * links that touch it: forward and backward in t, x, y, z.  There is no mark at the beginning and no checksum: what can
 * be verified is the length, the plaquette, and that the matrices are in SU(3).
 */
#include "lattice/io/io.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_BYTES = 24, DIM = 4, MOST_EXTENT = 1 << 15 };

/* x, y, z, t from the order of the file */
static const int direction_of[DIM] = {3, 0, 1, 2};

typedef struct {
    int32_t size[DIM]; /* t, x, y, z */
    double plaquette;
} header;

static header header_of(const uint8_t *bytes)
{
    header h;
    memcpy(h.size, bytes, sizeof h.size);
    memcpy(&h.plaquette, bytes + sizeof h.size, sizeof h.plaquette);
    return h;
}

/* Extents and a plaquette that can be. */
static bool probe(const uint8_t *head, int64_t head_size, int64_t file_size)
{
    const double most = 3.0001;
    (void)file_size;
    if (head_size < HEADER_BYTES) return false;
    header h = header_of(head);
    for (int i = 0; i < DIM; i++)
        if (h.size[i] < 1 || h.size[i] > MOST_EXTENT) return false;
    return fabs(h.plaquette) <= most;
}

static void parse(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options,
                  lat_matrices *m, lat_bytes *pairs, lat_error *error)
{
    (void)options;
    (void)pairs;
    uint8_t bytes[HEADER_BYTES];
    lat_matrices_head(path, descriptor, file_bytes, "openQCD", bytes, HEADER_BYTES, error);
    if (error->status) return;
    header h = header_of(bytes);
    for (int i = 0; i < DIM; i++) m->size[direction_of[i]] = h.size[i];
    m->bits = 64;
    m->offset = HEADER_BYTES;
    m->bytes = file_bytes - HEADER_BYTES;
    m->has_plaquette = true;
    m->plaquette = h.plaquette / 3;
    m->plaquette_tolerance = 1e-10;
    snprintf(m->detail, sizeof m->detail, "export, 64 bits, little-endian");
}

/* Of the two sites 2 unit and 2 unit + 1 in the order of the file, one is odd. */
static void locate(const int64_t size[LAT_MAX_DIM], int64_t unit, lat_place place[LAT_MOST_UNIT])
{
    int64_t c[DIM], half = size[2] / 2, rest = unit / half;
    c[1] = rest % size[1];
    rest /= size[1];
    c[0] = rest % size[0];
    c[3] = rest / size[0];
    c[2] = unit % half * 2 + (c[0] + c[1] + c[3] + 1) % 2;
    for (int i = 0; i < 2 * DIM; i++) {
        int mu = direction_of[i / 2];
        memcpy(place[i].coordinate, c, sizeof c);
        place[i].direction = mu;
        if (i % 2) place[i].coordinate[mu] = c[mu] > 0 ? c[mu] - 1 : size[mu] - 1;
    }
}

static void frame(const char *path, const lat_matrices *m, const lat_provenance *provenance, int count,
                  lat_bytes *before, lat_bytes *after)
{
    (void)path;
    (void)provenance;
    (void)count;
    (void)after;
    double plaquette = 3 * m->plaquette;
    for (int i = 0; i < DIM; i++) {
        int32_t extent = (int32_t)m->size[direction_of[i]];
        lat_bytes_add(before, &extent, sizeof extent);
    }
    lat_bytes_add(before, &plaquette, sizeof plaquette);
}

static const lat_matrix_format openqcd = {
    .name = "openqcd",
    .unit_links = 2 * DIM,
    .even = true,
    .cut = true,
    .parse = parse,
    .locate = locate,
    .with_plaquette = true,
    .frame = frame,
};

static lat_status writable(const char *path, lat_group group, const lat_shape *shape, const lat_config_options *options,
                           lat_error *error)
{
    if (options->bits == 32)
        return lat_fail(error, LAT_CONFIG, "%s: openqcd files hold numbers of 64 bits: leave the precision out", path);
    for (int mu = 0; mu < shape->dim; mu++)
        if (shape->size[mu] > MOST_EXTENT)
            return lat_fail(error, LAT_CONFIG, "%s: openqcd files have extents up to %d: write .h5", path,
                            (int)MOST_EXTENT);
    return lat_matrices_writable(&openqcd, path, group, shape, error);
}

static lat_status write_links(const char *path, lat_gauge *gauge, int member,
                              const lat_config_options *options, const lat_provenance *provenance, int count,
                              lat_error *error)
{
    (void)options;
    lat_matrices m = {.bits = 64, .rows = 3};
    return lat_matrices_write(&openqcd, path, gauge, member, &m, provenance, count, error);
}

const lat_config_format lat_config_openqcd = {"openqcd", &openqcd, probe, lat_matrices_shape, lat_matrices_read, writable, write_links};
