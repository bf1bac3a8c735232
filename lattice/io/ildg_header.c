/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ildg_header.c: which record of a LIME file holds the gauge field, and which others say what it is: ildg-format or the
 * private records of SciDAC, and scidac-checksum.  Records belong together by their message; records that are a message
 * of their own belong to the data they stand beside, and so do all records of files that mark no messages.
 */
#include "lattice/io/ildg.h"

#include "lattice/io/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = ILDG_DIM, MOST_RECORDS = 10000, XML_LIMIT = 1 << 16, PROVENANCE_LIMIT = 1 << 22, MATRICES_OF_SITE = 4 };

typedef enum { OTHER, DATA, FORMAT, CHECKSUM, NAME, PROVENANCE, ILDG_DATA, SCIDAC_FILE, SCIDAC_RECORD, SCIDAC_DATA } kind;

static const char *const types[] = {
    [FORMAT] = "ildg-format",
    [CHECKSUM] = "scidac-checksum",
    [NAME] = "ildg-data-lfn",
    [PROVENANCE] = ILDG_PROVENANCE,
    [ILDG_DATA] = "ildg-binary-data",
    [SCIDAC_FILE] = "scidac-private-file-xml",
    [SCIDAC_RECORD] = "scidac-private-record-xml",
    [SCIDAC_DATA] = "scidac-binary-data",
};
enum { TYPES = sizeof types / sizeof *types };

typedef struct {
    kind kind;
    int message;
    bool alone; /* the message is this record */
    int64_t offset, bytes;
} entry;

typedef struct {
    const char *path;
    int descriptor;
    const lat_config_options *options;
    lat_matrices *m;
    lat_bytes *pairs;
    lat_error *error;
    entry *list;
    int count;
} reader;

/* ------------------------------------------------------------------------------------------------------ the records */

static kind kind_of(const lime_record *record)
{
    for (int i = 0; i < TYPES; i++)
        if (types[i] && strcmp(record->type, types[i]) == 0) return (kind)i;
    /* Whatever it is: what stands behind it does not belong to the data before. */
    return strstr(record->type, "binary") || record->bytes > XML_LIMIT ? DATA : OTHER;
}

static bool is_data(kind k) { return k == DATA || k == ILDG_DATA || k == SCIDAC_DATA; }

/* A last record that is not the end of its message, though there are such marks, tells that something is missing. */
static void check_end(reader *r, const lime_record *last, bool marked)
{
    if (r->count < 2) return;
    if (!marked)
        lat_matrices_warn(r->m, "its records are not marked as messages, so one that is missing at the end is not noticed");
    else if (!last->ends && r->options->lenient)
        lat_matrices_warn(r->m, "its last record (%.40s) is not marked as the end: something may be missing", last->type);
    else if (!last->ends)
        lat_fail(r->error, LAT_FORMAT,
                 "%s: its last record (%.40s) is not marked as the end: it is cut off: take another copy, or read it with --force",
                 r->path, last->type);
}

static void list_records(reader *r, int64_t file_bytes)
{
    lime_record record = {.ends = true};
    int64_t at = 0;
    int message = 0, room = 0;
    bool marked = false;
    while (lime_next(r->path, r->descriptor, file_bytes, &at, &record, r->error)) {
        if (r->count == MOST_RECORDS) {
            lat_fail(r->error, LAT_FORMAT, "%s: has more than %d records: it is no configuration", r->path,
                     (int)MOST_RECORDS);
            return;
        }
        if (r->count == room) {
            entry *more = lat_alloc(2 * room + 16, sizeof *more);
            if (room) memcpy(more, r->list, (size_t)room * sizeof *more);
            free(r->list);
            r->list = more;
            room = 2 * room + 16;
        }
        if (record.begins) message++;
        marked = marked || record.begins || record.ends;
        r->list[r->count++] =
            (entry){kind_of(&record), message, record.begins && record.ends, record.offset, record.bytes};
    }
    if (r->error->status) return;
    if (at < file_bytes)
        lat_matrices_warn(r->m, "%lld bytes of padding follow its last record", (long long)(file_bytes - at));
    check_end(r, &record, marked);
}

/* The record of a kind that belongs to data, beside it in one direction; -1: none. */
static int beside(const reader *r, int data, kind wanted, int step)
{
    for (int i = data + step; i >= 0 && i < r->count; i += step) {
        const entry *e = &r->list[i];
        if (is_data(e->kind) || (e->message != r->list[data].message && !e->alone)) return -1;
        if (e->kind == wanted) return i;
    }
    return -1;
}

/* A checksum follows its data; one that comes before belongs to other data if there are any before it. */
static int checksum_of(const reader *r, int data)
{
    int found = beside(r, data, CHECKSUM, 1);
    if (found >= 0) return found;
    found = beside(r, data, CHECKSUM, -1);
    if (found < 0 || r->list[found].message != r->list[data].message) return -1;
    for (int i = found; i >= 0; i--)
        if (r->list[i].message == r->list[data].message && is_data(r->list[i].kind)) return -1;
    return found;
}

static int format_of(const reader *r, int data)
{
    int found = beside(r, data, FORMAT, -1);
    return found >= 0 ? found : beside(r, data, FORMAT, 1);
}

/* The values of an XML record; false, and a failure, if it is not understood. */
static bool read_values(reader *r, int record, xml_value *values, int count)
{
    const entry *e = &r->list[record];
    const lime_record where = {.offset = e->offset, .bytes = e->bytes};
    char *text = lime_text(r->path, r->descriptor, &where, XML_LIMIT, r->error);
    if (!text) return false;
    const char *why = xml_read(text, values, count);
    free(text);
    if (why)
        lat_fail(r->error, LAT_FORMAT, "%s: its record %s is not understood (%s): it is damaged, take another copy",
                 r->path, types[e->kind], why);
    return !why;
}

/* ------------------------------------------------------------------------------------------------------- ILDG format */

static int64_t number(reader *r, const xml_value *value)
{
    char *end;
    long long n = strtoll(value->text, &end, 10);
    if (*end || end == value->text || n < 1)
        lat_fail(r->error, LAT_FORMAT,
                 "%s: its record ildg-format has no number <%s> that is understood ('%.20s'): it is damaged, take "
                 "another copy",
                 r->path, value->name, value->text);
    return n;
}

static void take_format(reader *r, int record)
{
    xml_value value[] = {{.name = "lx"}, {.name = "ly"}, {.name = "lz"}, {.name = "lt"}, {.name = "precision"}, {.name = "field"}};
    lat_matrices *m = r->m;
    if (!read_values(r, record, value, 6)) return;
    for (int mu = 0; mu < DIM; mu++) m->size[mu] = number(r, &value[mu]);
    int64_t bits = number(r, &value[4]);
    const char *field = value[5].text;
    if (strcmp(field, "su3gauge") != 0 && strcmp(field, "su2gauge") != 0)
        lat_fail(r->error, LAT_FORMAT, "%s: its field is '%.20s': only su3gauge and su2gauge are read", r->path, field);
    m->group = field[2] == '2' ? LAT_SU2 : LAT_SU3;
    m->bits = bits == 32 ? 32 : 64;
    if (m->bits != bits)
        lat_fail(r->error, LAT_FORMAT, "%s: its numbers have %lld bits: only 32 and 64 are read", r->path, (long long)bits);
}

/* A field without format: the length tells group and precision. */
static void guess_numbers(reader *r, bool su2, bool su3)
{
    lat_matrices *m = r->m;
    for (int i = 0; i < 4; i++) {
        int64_t units;
        lat_matrices tried = *m;
        tried.group = i < 2 ? LAT_SU3 : LAT_SU2;
        tried.rows = i < 2 ? 3 : 2;
        tried.bits = i % 2 ? 32 : 64;
        const lat_matrix_format sites = {.unit_links = DIM};
        if (!(i < 2 ? su3 : su2) || !lat_unit_count(&sites, &tried, &units)) continue;
        if (i > 0 && units * lat_unit_bytes(&sites, &tried) != m->bytes) continue;
        *m = tried;
        if (units * lat_unit_bytes(&sites, &tried) == m->bytes) return;
    }
}

/* -------------------------------------------------------------------------------------------------- SciDAC's records */

/* Extents "4 4 4 6" of the file; false if it does not say them. */
static bool take_dims(reader *r)
{
    xml_value value[] = {{.name = "dims"}, {.name = "volfmt"}};
    int file = -1;
    for (int i = 0; i < r->count; i++)
        if (r->list[i].kind == SCIDAC_FILE) file = i;
    if (file < 0 || !read_values(r, file, value, 2)) return false;
    if (value[1].found && strcmp(value[1].text, "0") != 0)
        lat_fail(r->error, LAT_FORMAT, "%s: is one part of a SciDAC file in many parts: join them into a single file", r->path);
    int mu = 0;
    for (char *at = value[0].text, *end; mu <= DIM; at = end) {
        long long n = strtoll(at, &end, 10);
        if (end == at) break;
        if (mu < DIM) r->m->size[mu] = n;
        mu++;
    }
    if (mu != DIM)
        lat_fail(r->error, LAT_FORMAT, "%s: its extents are '%.40s': only fields in four dimensions are read", r->path,
                 value[0].text);
    return true;
}

/* Four matrices of a site, in colour alone?  Sets the group. */
static bool is_gauge_field(reader *r, int data)
{
    xml_value value[] = {{.name = "datatype"}, {.name = "colors"}, {.name = "datacount"}};
    int record = beside(r, data, SCIDAC_RECORD, -1);
    if (record < 0 || !read_values(r, record, value, 3)) return false;
    const int colours = atoi(value[1].text);
    if (!strstr(value[0].text, "ColorMatrix") || atoi(value[2].text) != MATRICES_OF_SITE || colours < 2 || colours > 3)
        return false;
    r->m->group = colours == 2 ? LAT_SU2 : LAT_SU3;
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- the rest */

static void take_checksum(reader *r, int record)
{
    xml_value value[] = {{.name = "suma"}, {.name = "sumb"}};
    if (!read_values(r, record, value, 2)) return;
    for (int i = 0; i < 2; i++) {
        char *end;
        unsigned long long n = strtoull(value[i].text, &end, 16);
        if (*end || end == value[i].text || n > UINT32_MAX || value[i].text[0] == '-')
            lat_fail(r->error, LAT_FORMAT,
                     "%s: its record scidac-checksum has no <%s> that is understood ('%.20s'): it is damaged, take another "
                     "copy",
                     r->path, value[i].name, value[i].text);
        r->m->checksum[i] = (uint32_t)n;
    }
    r->m->has_checksum = true;
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

static void take_texts(reader *r)
{
    for (int i = 0; i < r->count && !r->error->status; i++) {
        const entry *e = &r->list[i];
        if (e->kind != NAME && e->kind != PROVENANCE) continue;
        const lime_record record = {.offset = e->offset, .bytes = e->bytes};
        char *text = lime_text(r->path, r->descriptor, &record, e->kind == NAME ? XML_LIMIT : PROVENANCE_LIMIT, r->error);
        if (!text) return;
        if (e->kind == PROVENANCE)
            take_provenance(r, text);
        else if (*text)
            lat_bytes_add_pair(r->pairs, "lfn", text, (int64_t)strcspn(text, "\r\n"));
        free(text);
    }
}

/* The only one of a kind; *count: how many there are, of those that are gauge fields. */
static int only(reader *r, kind wanted, int *count)
{
    int found = -1;
    *count = 0;
    for (int i = 0; i < r->count && !r->error->status; i++)
        if (r->list[i].kind == wanted && (wanted == ILDG_DATA || is_gauge_field(r, i))) {
            found = i;
            ++*count;
        }
    return found;
}

static int find_field(reader *r)
{
    int count, scidac, field = only(r, ILDG_DATA, &count);
    if (count == 1 || r->error->status) return field;
    if (count == 0) {
        field = only(r, SCIDAC_DATA, &scidac);
        if (scidac == 1 || r->error->status) return field;
        lat_fail(r->error, LAT_FORMAT,
                 "%s: has no record ildg-binary-data, and %d of scidac-binary-data with four matrices of SU(3) or SU(2) a "
                 "site, where there should be one: it is no configuration",
                 r->path, scidac);
    }
    lat_fail(r->error, LAT_FORMAT, "%s: has %d records ildg-binary-data and should have one: it is no configuration",
             r->path, count);
    return -1;
}

/* What is known of the field, by the best that the file has. */
static void describe_field(reader *r, int field)
{
    lat_matrices *m = r->m;
    const int format = r->list[field].kind == ILDG_DATA ? format_of(r, field) : -1;
    const bool scidac = r->list[field].kind == SCIDAC_DATA, told = r->options->size[0] > 0;
    const bool su2 = scidac && m->group == LAT_SU2;
    m->offset = r->list[field].offset;
    m->bytes = r->list[field].bytes;
    if (format >= 0)
        take_format(r, format);
    else if (take_dims(r) && !r->error->status)
        guess_numbers(r, su2 || !scidac, !su2);
    else if (!r->error->status && told) {
        memcpy(m->size, r->options->size, sizeof m->size);
        guess_numbers(r, su2 || !scidac, !su2);
    } else {
        lat_fail(r->error, LAT_FORMAT,
                 "%s: has no record ildg-format, so its extents are not known: give them (flowconv --dims)", r->path);
    }
    m->rows = m->group == LAT_SU2 ? 2 : 3;
    m->big = true;
    snprintf(m->detail, sizeof m->detail, "%s, %d bits%s", m->group == LAT_SU2 ? "su2gauge" : "su3gauge", m->bits,
             scidac ? ", SciDAC" : "");
}

void ildg_parse(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options, lat_matrices *m,
                lat_bytes *pairs, lat_error *error)
{
    reader r = {path, descriptor, options, m, pairs, error, NULL, 0};
    list_records(&r, file_bytes);
    int field = error->status ? -1 : find_field(&r);
    if (!error->status) {
        int checksum = checksum_of(&r, field);
        describe_field(&r, field);
        if (checksum >= 0 && !error->status) take_checksum(&r, checksum);
        take_texts(&r);
    }
    free(r.list);
}
