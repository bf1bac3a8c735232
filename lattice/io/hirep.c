/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hirep.c: configurations of HiRep (write_gauge_field there), which are only read: big-endian, the number of colours,
 * four extents, time first, the mean of Re tr P / N, then for every site, z running fastest and time slowest, the links
 * in t, x, y, z.  There is no mark at the beginning and no checksum: what can be verified is the length, the plaquette,
 * and that the matrices are in the group.
 */
#include "lattice/io/io.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_BYTES = 28, DIM = 4, MOST_EXTENT = 1 << 15 };

/* x, y, z, t from the order of the file */
static const int direction_of[DIM] = {3, 0, 1, 2};

typedef struct {
    uint32_t colours, size[DIM]; /* t, x, y, z */
    double plaquette;
} header;

static header header_of(const uint8_t *bytes)
{
    uint32_t word[1 + DIM];
    uint64_t number;
    header h;
    memcpy(word, bytes, sizeof word);
    memcpy(&number, bytes + sizeof word, sizeof number);
    h.colours = __builtin_bswap32(word[0]);
    for (int i = 0; i < DIM; i++) h.size[i] = __builtin_bswap32(word[1 + i]);
    number = __builtin_bswap64(number);
    memcpy(&h.plaquette, &number, sizeof h.plaquette);
    return h;
}

/* Colours, extents and a plaquette that can be. */
static bool probe(const uint8_t *head, int64_t head_size, int64_t file_size)
{
    const double most = 1.0001;
    (void)file_size;
    if (head_size < HEADER_BYTES) return false;
    header h = header_of(head);
    for (int i = 0; i < DIM; i++)
        if (h.size[i] < 1 || h.size[i] > MOST_EXTENT) return false;
    return (h.colours == 2 || h.colours == 3) && fabs(h.plaquette) <= most;
}

/* Under the same header are matrices or, of SU(2) from most builds, quaternions, and with four-fermion interactions two
 * numbers more a site: the length alone tells. */
static void tell_by_length(const char *path, lat_matrices *m, lat_error *error)
{
    const lat_matrix_format sites = {.unit_links = DIM};
    const int64_t auxiliary = 2 * 8;
    int64_t volume;
    if (!lat_unit_count(&sites, m, &volume)) return;
    if (m->group == LAT_SU2 && m->bytes < volume * lat_unit_bytes(&sites, m)) {
        m->quaternions = true;
        m->rows = 1;
    }
    if (m->bytes == volume * (lat_unit_bytes(&sites, m) + auxiliary))
        lat_fail(error, LAT_FORMAT,
                 "%s: holds the auxiliary fields of four-fermion interactions too: let HiRep write the links alone",
                 path);
}

static void parse(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options,
                  lat_matrices *m, lat_bytes *pairs, lat_error *error)
{
    (void)options;
    (void)pairs;
    uint8_t bytes[HEADER_BYTES];
    lat_matrices_head(path, descriptor, file_bytes, "HiRep", bytes, HEADER_BYTES, error);
    if (error->status) return;
    header h = header_of(bytes);
    if (h.colours != 2 && h.colours != 3) {
        lat_fail(error, LAT_FORMAT, "%s: has %u colours and should have 2 or 3: it is damaged, or of another program",
                 path, h.colours);
        return;
    }
    for (int i = 0; i < DIM; i++) m->size[direction_of[i]] = h.size[i];
    m->group = h.colours == 2 ? LAT_SU2 : LAT_SU3;
    m->rows = (int)h.colours;
    m->bits = 64;
    m->big = true;
    m->offset = HEADER_BYTES;
    m->bytes = file_bytes - HEADER_BYTES;
    m->has_plaquette = true;
    m->plaquette = h.plaquette;
    m->plaquette_tolerance = 1e-10;
    tell_by_length(path, m, error);
    snprintf(m->detail, sizeof m->detail, "%s, 64 bits, big-endian", m->quaternions ? "quaternions" : "matrices");
}

static void locate(const int64_t size[LAT_MAX_DIM], int64_t unit, lat_place place[LAT_MOST_UNIT])
{
    int64_t c[LAT_MAX_DIM];
    for (int i = DIM - 1; i >= 0; i--) {
        c[direction_of[i]] = unit % size[direction_of[i]];
        unit /= size[direction_of[i]];
    }
    for (int i = 0; i < DIM; i++) {
        memcpy(place[i].coordinate, c, sizeof c);
        place[i].direction = direction_of[i];
    }
}

static const lat_matrix_format hirep = {
    .name = "hirep",
    .unit_links = DIM,
    .any_colours = true,
    .parse = parse,
    .locate = locate,
};

const lat_config_format lat_config_hirep = {"hirep", &hirep, probe, lat_matrices_shape, lat_matrices_read, NULL, NULL};
