/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bridge.c: binary configurations of Bridge++, which are only read: the matrices alone, big-endian, in the order of
 * ILDG.  Nothing in them tells what they are: the format is named, the extents are told, the length tells the group.
 */
#include "lattice/io/io.h"

#include <stdio.h>
#include <string.h>

enum { DIM = 4 };

static void parse(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options,
                  lat_matrices *m, lat_bytes *pairs, lat_error *error)
{
    const lat_matrix_format sites = {.unit_links = DIM};
    const int64_t su2_site = DIM * 4 * 16;
    int64_t volume;
    (void)descriptor;
    (void)pairs;
    if (options->size[0] == 0) {
        lat_fail(error, LAT_CONFIG, "%s: files of Bridge++ do not hold their extents: give them (flowconv --dims)",
                 path);
        return;
    }
    memcpy(m->size, options->size, sizeof m->size);
    m->bits = 64;
    m->big = true;
    m->bytes = file_bytes;
    if (lat_unit_count(&sites, m, &volume) && file_bytes == volume * su2_site) {
        m->group = LAT_SU2;
        m->rows = 2;
    }
    snprintf(m->detail, sizeof m->detail, "binary, 64 bits, big-endian");
    lat_matrices_warn(m, "it holds no checksum and no plaquette: only that its matrices are in the group is verified");
}

static const lat_matrix_format bridge = {
    .name = "bridge",
    .unit_links = DIM,
    .any_colours = true,
    .site_units = true,
    .parse = parse,
    .locate = lat_locate_site,
};

const lat_config_format lat_config_bridge = {"bridge", &bridge, NULL, lat_matrices_shape, lat_matrices_read, NULL, NULL};
