/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ildg.c: gauge fields of the International Lattice Data Grid: LIME records ildg-format (XML: extents and precision),
 * ildg-binary-data (big-endian matrices, x running fastest) and scidac-checksum (the CRC-32 of each site, rotated by
 * its number and combined by exclusive or, as QIO does).  Records may come in any order and others among them; only the
 * matrices are needed (ildg_header.c).  An extra record keeps the provenance of files of this program.
 */
#include "lattice/io/ildg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { DIM = ILDG_DIM };

static bool probe(const uint8_t *head, int64_t head_size, int64_t file_size)
{
    (void)file_size;
    return head_size >= 4 && head[0] == 0x45 && head[1] == 0x67 && head[2] == 0x89 && head[3] == 0xAB;
}

/* ------------------------------------------------------------------------------------------------- sums and writing */

static uint32_t rotated(uint32_t word, unsigned bits) { return word << bits | word >> (31 & -bits); }

static void add_sites(const lat_matrices *m, const uint8_t *bytes, int64_t first, int64_t units, uint32_t sum[2])
{
    int64_t size = DIM * 2 * m->rows * (m->group == LAT_SU2 ? 2 : 3) * (m->bits / 8);
    for (int64_t i = 0; i < units; i++) {
        uint32_t crc = (uint32_t)crc32(0, bytes + i * size, (uInt)size);
        sum[0] ^= rotated(crc, (unsigned)((first + i) % 29));
        sum[1] ^= rotated(crc, (unsigned)((first + i) % 31));
    }
}

/* One line per key; line ends and backslashes in values become \n and \\. */
static char *provenance_text(const lat_provenance *provenance, int count)
{
    lat_bytes out = {0};
    lat_bytes_add(&out, "", 0);
    for (int i = 0; i < count; i++) {
        if (strcmp(provenance[i].key, "lfn") == 0) continue;
        lat_bytes_print(&out, "%s = ", provenance[i].key);
        for (const char *c = provenance[i].value; *c; c++)
            if (*c == '\n' || *c == '\\')
                lat_bytes_add(&out, *c == '\n' ? "\\n" : "\\\\", 2);
            else
                lat_bytes_add(&out, c, 1);
        lat_bytes_add(&out, "\n", 1);
    }
    return out.data;
}

static void frame(const char *path, const lat_matrices *m, const lat_provenance *provenance, int count,
                  lat_bytes *before, lat_bytes *after)
{
    const char *lfn = lat_provenance_find(provenance, count, "lfn"), *name = strrchr(path, '/');
    char *format = lat_text(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<ildgFormat xmlns=\"http://www.lqcd.org/ildg\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
        "xsi:schemaLocation=\"http://www.lqcd.org/ildg filefmt.xsd\">"
        "<version>1.0</version><field>%s</field><precision>%d</precision><lx>%" PRId64 "</lx><ly>%" PRId64
        "</ly><lz>%" PRId64 "</lz><lt>%" PRId64 "</lt></ildgFormat>",
        m->group == LAT_SU2 ? "su2gauge" : "su3gauge", m->bits, m->size[0], m->size[1], m->size[2], m->size[3]);
    char *checksum = lat_text("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                              "<scidacChecksum><version>1.0</version><suma>%x</suma><sumb>%x</sumb></scidacChecksum>",
                              m->checksum[0], m->checksum[1]);
    char *local = lat_text("lfn://local/%s", name ? name + 1 : path), *origin = provenance_text(provenance, count);
    int64_t units = 0, bytes;
    lat_unit_count(&(lat_matrix_format){.unit_links = DIM}, m, &units);
    bytes = units * DIM * 2 * m->rows * (m->group == LAT_SU2 ? 2 : 3) * (m->bits / 8);
    lime_put_text(before, "ildg-format", format, true, false);
    lime_put_text(before, "ildg-data-lfn", lfn && *lfn ? lfn : local, false, false);
    lime_put_text(before, ILDG_PROVENANCE, origin, false, false);
    lime_put_header(before, "ildg-binary-data", bytes, false, false);
    lat_bytes_add(after, "\0\0\0\0\0\0\0", lime_padding(bytes));
    lime_put_text(after, "scidac-checksum", checksum, false, true);
    free(format);
    free(checksum);
    free(local);
    free(origin);
}

/* ------------------------------------------------------------------------------------------------------- the tables */

static const lat_matrix_format ildg = {
    .name = "ildg",
    .unit_links = DIM,
    .any_colours = true,
    .site_units = true,
    .parse = ildg_parse,
    .locate = lat_locate_site,
    .checksums = 2,
    .checksum_name = {"suma", "sumb"},
    .checksum = add_sites,
    .frame = frame,
};

static lat_status writable(const char *path, lat_group group, const lat_shape *shape, const lat_config_options *options,
                           lat_error *error)
{
    if (options->two_rows)
        return lat_fail(error, LAT_CONFIG, "%s: ildg files hold all rows of a matrix: leave two rows out", path);
    return lat_matrices_writable(&ildg, path, group, shape, error);
}

static lat_status write_links(const char *path, lat_gauge *gauge, int member,
                              const lat_config_options *options, const lat_provenance *provenance, int count,
                              lat_error *error)
{
    lat_matrices m = {.bits = options->bits ? options->bits : 64, .big = true, .rows = 3};
    return lat_matrices_write(&ildg, path, gauge, member, &m, provenance, count, error);
}

const lat_config_format lat_config_ildg = {"ildg", &ildg, probe, lat_matrices_shape, lat_matrices_read, writable, write_links};
