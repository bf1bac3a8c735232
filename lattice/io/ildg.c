/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ildg.c: gauge fields of the International Lattice Data Grid: LIME records ildg-format (XML: extents and precision),
 * ildg-binary-data (big-endian matrices, x running fastest) and scidac-checksum (the CRC-32 of each site, rotated by
 * its number and combined by exclusive or, as QIO does).  Records may come in any order and others among them; only the
 * matrices are needed.  An extra record keeps the provenance of files of this program.
 */
#include "lattice/io/lime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { DIM = 4, MOST_RECORDS = 10000, XML_LIMIT = 1 << 16, PROVENANCE_LIMIT = 1 << 22 };

static const char provenance_type[] = "flowhmc-provenance";

static bool probe(const uint8_t *head, int64_t head_size, int64_t file_size)
{
    (void)file_size;
    return head_size >= 4 && head[0] == 0x45 && head[1] == 0x67 && head[2] == 0x89 && head[3] == 0xAB;
}

/* ------------------------------------------------------------------------------------------------------- the header */

typedef struct {
    const char *path;
    int descriptor;
    const lat_config_options *options;
    lat_matrices *m;
    lat_bytes *pairs;
    lat_error *error;
    int formats, fields;
} reader;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* What stands between <tag ...> and the next tag, without blanks around it; false if it is not there or too long. */
static bool element(const char *xml, const char *tag, char *out, size_t size)
{
    const size_t n = strlen(tag);
    for (const char *at = strchr(xml, '<'); at; at = strchr(at + 1, '<')) {
        const char *text;
        if (strncmp(at + 1, tag, n) != 0 || !(at[1 + n] == '>' || is_blank(at[1 + n])) || !(text = strchr(at, '>')))
            continue;
        for (text++; is_blank(*text);) text++;
        size_t length = strcspn(text, "<");
        while (length > 0 && is_blank(text[length - 1])) length--;
        if (length >= size) return false;
        memcpy(out, text, length);
        out[length] = 0;
        return true;
    }
    return false;
}

static int64_t xml_number(reader *r, const char *xml, const char *tag)
{
    char text[32] = "", *end = text;
    long long value = element(xml, tag, text, sizeof text) ? strtoll(text, &end, 10) : 0;
    if (*end || end == text || value < 1)
        lat_fail(r->error, LAT_FORMAT,
                 "%s: its record ildg-format has no number <%s> that is understood ('%.20s'): it is damaged, take "
                 "another copy",
                 r->path, tag, text);
    return value;
}

static void take_format(reader *r, const char *xml)
{
    static const char *const extent[DIM] = {"lx", "ly", "lz", "lt"};
    char field[32] = "";
    lat_matrices *m = r->m;
    r->formats++;
    int64_t bits = xml_number(r, xml, "precision");
    for (int mu = 0; mu < DIM; mu++) m->size[mu] = xml_number(r, xml, extent[mu]);
    element(xml, "field", field, sizeof field);
    if (strcmp(field, "su3gauge") != 0 && strcmp(field, "su2gauge") != 0)
        lat_fail(r->error, LAT_FORMAT, "%s: its field is '%.20s': only su3gauge and su2gauge are read", r->path, field);
    m->group = field[2] == '2' ? LAT_SU2 : LAT_SU3;
    m->rows = m->group == LAT_SU2 ? 2 : 3;
    m->bits = bits == 32 ? 32 : 64;
    if (m->bits != bits)
        lat_fail(r->error, LAT_FORMAT, "%s: its numbers have %lld bits: only 32 and 64 are read", r->path, (long long)bits);
}

static bool xml_checksum(const char *xml, const char *tag, uint32_t *out)
{
    char text[32], *end;
    if (!element(xml, tag, text, sizeof text)) return false;
    unsigned long long value = strtoull(text, &end, 16);
    if (*end || end == text || value > UINT32_MAX) return false;
    *out = (uint32_t)value;
    return true;
}

static void take_checksum(reader *r, const char *xml)
{
    r->m->has_checksum = xml_checksum(xml, "suma", &r->m->checksum[0]) && xml_checksum(xml, "sumb", &r->m->checksum[1]);
    if (!r->m->has_checksum)
        lat_fail(r->error, LAT_FORMAT,
                 "%s: its record scidac-checksum is not understood: it is damaged, take another copy", r->path);
}

/* Lines `key = value`; the text is ours. */
static void take_provenance(reader *r, char *text)
{
    for (char *line = text, *next; line && *line; line = next) {
        char *equals = strstr(line, " = ");
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        if (!equals || (next && equals >= next)) continue;
        *equals = 0;
        char *value = equals + 3;
        int64_t length = 0; /* \n and \\ become what they stand for */
        for (char *in = value; *in; in++) {
            if (*in == '\\' && in[1])
                in++;
            else {
                value[length++] = *in;
                continue;
            }
            value[length++] = (char)(*in == 'n' ? '\n' : *in);
        }
        lat_bytes_add_pair(r->pairs, line, value, length);
    }
}

static void take_record(reader *r, const lime_record *record)
{
    const bool format = !strcmp(record->type, "ildg-format"), checksum = !strcmp(record->type, "scidac-checksum"),
               provenance = !strcmp(record->type, provenance_type), name = !strcmp(record->type, "ildg-data-lfn");
    if (!strcmp(record->type, "ildg-binary-data")) {
        r->fields++;
        r->m->offset = record->offset;
        r->m->bytes = record->bytes;
    }
    if (!format && !checksum && !provenance && !name) return;
    char *text = lime_text(r->path, r->descriptor, record, provenance ? PROVENANCE_LIMIT : XML_LIMIT, r->error);
    if (!text) return;
    if (format) take_format(r, text);
    if (checksum) take_checksum(r, text);
    if (provenance) take_provenance(r, text);
    if (name && *text) lat_bytes_add_pair(r->pairs, "lfn", text, (int64_t)strcspn(text, "\r\n"));
    free(text);
}

/* A file of nothing but matrices: what is known of them must be told, and their number tells the precision. */
static void without_format(reader *r)
{
    int64_t units;
    lat_matrices *m = r->m;
    if (r->options->size[0] < 1) {
        lat_fail(r->error, LAT_FORMAT,
                 "%s: has no record ildg-format, so its extents are not known: give them (flowconv --dims)", r->path);
        return;
    }
    memcpy(m->size, r->options->size, sizeof m->size);
    m->bits = 64;
    if (lat_unit_count(&(lat_matrix_format){.unit_links = DIM}, m, &units) && units * DIM * 18 * 4 == m->bytes)
        m->bits = 32;
}

static void parse(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options,
                  lat_matrices *m, lat_bytes *pairs, lat_error *error)
{
    reader r = {path, descriptor, options, m, pairs, error, 0, 0};
    lime_record record = {.ends = true};
    int64_t at = 0;
    int records = 0;
    while (lime_next(path, descriptor, file_bytes, &at, &record, error)) {
        take_record(&r, &record);
        if (++records > MOST_RECORDS)
            lat_fail(error, LAT_FORMAT, "%s: has more than %d records: it is no configuration", path,
                     (int)MOST_RECORDS);
    }
    if (error->status) return;
    if (r.fields != 1)
        lat_fail(error, LAT_FORMAT, "%s: has %d records ildg-binary-data and should have one: it is no configuration",
                 path, r.fields);
    else if (!record.ends && r.formats > 0)
        lat_fail(error, LAT_FORMAT,
                 "%s: its last record (%s) is not marked as the end: it is cut off, take another copy", path,
                 record.type);
    else if (r.formats == 0)
        without_format(&r);
    m->big = true;
    snprintf(m->detail, sizeof m->detail, "%s, %d bits", m->group == LAT_SU2 ? "su2gauge" : "su3gauge", m->bits);
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
    lime_put_text(before, provenance_type, origin, false, false);
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
    .parse = parse,
    .locate = lat_locate_site,
    .checksums = 2,
    .checksum_name = {"suma", "sumb"},
    .checksum = add_sites,
    .frame = frame,
};

static lat_status shape_of(MPI_Comm comm, const char *path, const lat_config_options *options, lat_group *group,
                           lat_shape *shape, lat_error *error)
{
    return lat_matrices_shape(&ildg, comm, path, options, group, shape, error);
}

static lat_status read_links(const char *path, lat_gauge *gauge, const lat_config_options *options,
                             lat_config_report *report, lat_error *error)
{
    return lat_matrices_read(&ildg, path, gauge, options, report, error);
}

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

const lat_config_format lat_config_ildg = {"ildg", probe, shape_of, read_links, writable, write_links};
