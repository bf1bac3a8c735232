/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bridge.c: configurations of Bridge++, which are only read: the matrices alone in the order of ILDG, as doubles, big-endian, or as text, one
 * number a line (Gaugefields.jl writes such, too).  Nothing in them tells what they are: the format is named, the extents are told, the length
 * or the number of numbers tells the group.
 */
#include "lattice/io/io.h"

#include <stdio.h>
#include <string.h>

enum { DIM = 4, SU2_SITE = DIM * 8, SU3_SITE = DIM * 18 };

/* Doubles of a matrix begin with a byte that no text of numbers has: sign and exponent. */
static bool is_text(int descriptor, int64_t file_bytes)
{
    char head[64];
    const int64_t size = file_bytes < (int64_t)sizeof head ? file_bytes : (int64_t)sizeof head;
    if (lat_read_at(descriptor, head, size, 0) != size) return false;
    for (int64_t i = 0; i < size; i++)
        if (!lat_text_has(head[i])) return false;
    return size > 0;
}

/* Extents that are out of range have a volume of 0: those who know more refuse them. */
static void parse_text(const char *path, int descriptor, int64_t file_bytes, int64_t volume,
                       const lat_config_options *options, lat_matrices *m, lat_error *error)
{
    const int64_t numbers = lat_text_count(path, descriptor, file_bytes, error);
    m->text = file_bytes;
    m->bytes = numbers * (int64_t)sizeof(double);
    m->big = false;
    snprintf(m->detail, sizeof m->detail, "text");
    if (error->status || volume == 0) return;
    if (options->endian)
        lat_fail(error, LAT_CONFIG, "%s: is text, which has no byte order: leave it out", path);
    else if (numbers != volume * SU2_SITE && numbers != volume * SU3_SITE)
        lat_fail(error, LAT_FORMAT,
                 "%s: holds %lld numbers and should hold %lld, or %lld for su2: it is cut off or damaged, or of other "
                 "extents",
                 path, (long long)numbers, (long long)(volume * SU3_SITE), (long long)(volume * SU2_SITE));
}

static void parse(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options,
                  lat_matrices *m, lat_bytes *pairs, lat_error *error)
{
    const lat_matrix_format sites = {.unit_links = DIM};
    int64_t volume;
    (void)pairs;
    if (options->size[0] == 0) {
        lat_fail(error, LAT_CONFIG, "%s: files of Bridge++ do not hold their extents: give them (flowconv --dims)",
                 path);
        return;
    }
    memcpy(m->size, options->size, sizeof m->size);
    if (!lat_unit_count(&sites, m, &volume)) volume = 0;
    m->bits = 64;
    m->big = true;
    m->bytes = file_bytes;
    snprintf(m->detail, sizeof m->detail, "binary, 64 bits, big-endian");
    if (is_text(descriptor, file_bytes)) parse_text(path, descriptor, file_bytes, volume, options, m, error);
    if (volume > 0 && m->bytes == volume * SU2_SITE * (int64_t)sizeof(double)) {
        m->group = LAT_SU2;
        m->rows = 2;
    }
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

const lat_config_format lat_config_bridge = {"bridge",          &bridge, NULL, lat_matrices_shape,
                                             lat_matrices_read, NULL,    NULL};
