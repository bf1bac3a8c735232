/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nersc.c: the archive format of the Gauge Connection: lines `KEY = value` between BEGIN_HEADER and END_HEADER, then
 * the matrices, or all but their last rows, with x running fastest.  Written is what every reader takes: `KEY = value`
 * with single blanks, and 64 bits as IEEE64BIG, the one name that MILC and QIO know for them.
 */
#include "lattice/io/io.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_LIMIT = 1 << 16, DIM = 4 };

static bool probe(const uint8_t *head, int64_t head_size, int64_t file_size)
{
    static const char first[] = "BEGIN_HEADER";
    (void)file_size;
    return head_size >= (int64_t)sizeof first && memcmp(head, first, sizeof first - 1) == 0;
}

/* ------------------------------------------------------------------------------------------------------- the header */

/* Byte order and precision by name; a bare name does not tell the order: programs differ. */
static const struct {
    const char *name;
    int bits;
    bool big, guess;
} numbers[] = {
    {"IEEE64BIG", 64, true, false},     {"IEEE32BIG", 32, true, false},    {"IEEE64LITTLE", 64, false, false},
    {"IEEE32LITTLE", 32, false, false}, {"IEEE64SMALL", 64, false, false}, {"IEEE32SMALL", 32, false, false},
    {"IEEE64", 64, true, true},         {"IEEE32", 32, true, true},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

typedef struct {
    const char *path;
    char *text; /* between the first line and END_HEADER */
    lat_error *error;
} header;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* The key of a line, its value and the lengths of both; false for a line that is not of this form. */
static bool split(const char *line, size_t length, size_t *key, const char **value, size_t *value_length)
{
    const char *equals = memchr(line, '=', length), *end = line + length;
    if (!equals) return false;
    for (*key = (size_t)(equals - line); *key > 0 && is_blank(line[*key - 1]);) --*key;
    for (*value = equals + 1; *value < end && is_blank(**value);) ++*value;
    while (end > *value && is_blank(end[-1])) end--;
    *value_length = (size_t)(end - *value);
    return *key > 0;
}

/* The value of the first line with this key, copied; false if there is none, or it is too long. */
static bool find(const header *h, const char *name, char *out, size_t size)
{
    for (const char *line = h->text; *line;) {
        size_t length = strcspn(line, "\n"), key, n;
        const char *value;
        if (split(line, length, &key, &value, &n) && key == strlen(name) && memcmp(line, name, key) == 0 && n < size) {
            memcpy(out, value, n);
            out[n] = 0;
            return true;
        }
        line += length + (line[length] == '\n');
    }
    return false;
}

static void need(const header *h, const char *name, char *out, size_t size)
{
    out[0] = 0;
    if (!find(h, name, out, size))
        lat_fail(h->error, LAT_FORMAT, "%s: its header has no line '%s = ...': it is damaged, take another copy",
                 h->path, name);
}

static void refuse(const header *h, const char *name, const char *value)
{
    lat_fail(h->error, LAT_FORMAT,
             "%s: its header says '%s = %.60s', which is not understood: it is damaged, or another program is "
             "needed",
             h->path, name, value);
}

static int64_t get_extent(const header *h, const char *name)
{
    char text[32], *end;
    need(h, name, text, sizeof text);
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*end || end == text || errno || value < 1) refuse(h, name, text);
    return value;
}

/* What one in the last digit of a number is worth: "0.4205" 1e-4, "4.2e-01" 1e-2. */
static double last_digit(const char *text)
{
    const char *point = strchr(text, '.'), *exponent = strchr(text, 'E');
    double decimals = point ? (double)strspn(point + 1, "0123456789") : 0;
    return pow(10, (exponent ? strtod(exponent + 1, NULL) : 0) - decimals);
}

/* Fortran writes exponents with a D. */
static bool get_real(const header *h, const char *name, double *value, double *digit)
{
    char text[64], *end;
    if (!find(h, name, text, sizeof text)) return false;
    for (char *c = text; *c; c++)
        if (*c == 'D' || *c == 'd' || *c == 'e') *c = 'E';
    *value = strtod(text, &end);
    if (*end || end == text || !isfinite(*value)) refuse(h, name, text);
    *digit = last_digit(text);
    return true;
}

static bool get_checksum(const header *h, uint32_t *value)
{
    char text[32], *end;
    if (!find(h, "CHECKSUM", text, sizeof text)) return false;
    unsigned long long number = strtoull(text, &end, 16);
    if (*end || end == text || number > UINT32_MAX) refuse(h, "CHECKSUM", text);
    *value = (uint32_t)number;
    return true;
}

/* 4D_SU3_GAUGE: all rows but the last; 4D_SU3_GAUGE_3x3: all. */
static void get_type(const header *h, lat_matrices *m)
{
    char text[32];
    need(h, "DATATYPE", text, sizeof text);
    for (int n = 2; n <= 3; n++) {
        char all[32], fewer[32];
        snprintf(all, sizeof all, "4D_SU%d_GAUGE_%dx%d", n, n, n);
        snprintf(fewer, sizeof fewer, "4D_SU%d_GAUGE", n);
        if (strcmp(text, all) != 0 && strcmp(text, fewer) != 0) continue;
        m->group = n == 2 ? LAT_SU2 : LAT_SU3;
        m->rows = strcmp(text, all) != 0 ? n - 1 : n;
        return;
    }
    refuse(h, "DATATYPE", text);
}

/* Files that do not say: the length tells the precision, the first matrix the byte order. */
static void guess_numbers(lat_matrices *m)
{
    const lat_matrix_format sites = {.unit_links = DIM};
    int64_t units;
    m->bits = 64;
    m->big = m->guess = true;
    if (lat_unit_count(&sites, m, &units) && m->bytes < units * lat_unit_bytes(&sites, m)) m->bits = 32;
    lat_matrices_warn(m, "its header has no FLOATING_POINT: the length and the first matrix tell");
}

static void get_numbers(const header *h, lat_matrices *m)
{
    char text[32];
    if (!find(h, "FLOATING_POINT", text, sizeof text)) {
        guess_numbers(m);
        return;
    }
    int i = 0;
    while (i < NUMBERS && strcmp(text, numbers[i].name) != 0) i++;
    if (i == NUMBERS) {
        refuse(h, "FLOATING_POINT", text);
        return;
    }
    m->bits = numbers[i].bits;
    m->big = numbers[i].big;
    m->guess = numbers[i].guess;
}

/* What is not needed to read the file, but to know where it comes from. */
static void keep_provenance(const header *h, lat_bytes *pairs)
{
    static const char *const known[][2] = {{"CREATOR", "program"},
                                           {"SEQUENCE_NUMBER", "step"},
                                           {"ENSEMBLE_ID", "ensemble_id"},
                                           {"ENSEMBLE_LABEL", "ensemble_label"}};
    static const char ours[] = "FLOWHMC_";
    for (const char *line = h->text; *line;) {
        size_t length = strcspn(line, "\n"), key, n;
        const char *value;
        if (split(line, length, &key, &value, &n)) {
            for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (key == strlen(known[i][0]) && memcmp(line, known[i][0], key) == 0)
                    lat_bytes_add_pair(pairs, known[i][1], value, (int64_t)n);
            if (key > sizeof ours - 1 && key < 64 && memcmp(line, ours, sizeof ours - 1) == 0) {
                char name[64] = "";
                for (size_t i = sizeof ours - 1; i < key; i++)
                    name[i - (sizeof ours - 1)] = (char)(line[i] >= 'A' && line[i] <= 'Z' ? line[i] + 32 : line[i]);
                lat_bytes_add_pair(pairs, name, value, (int64_t)n);
            }
        }
        line += length + (line[length] == '\n');
    }
}

/* Cuts the text at END_HEADER; the offset of what follows that line, 0 if it is not there. */
static int64_t cut(char *text)
{
    static const char last[] = "\nEND_HEADER";
    char *end = strstr(text, last), *line;
    while (end && end[sizeof last - 1] != '\n' && !is_blank(end[sizeof last - 1])) end = strstr(end + 1, last);
    if (!end || !(line = strchr(end + 1, '\n'))) return 0;
    int64_t offset = line + 1 - text;
    end[1] = 0;
    return offset;
}

static void parse(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options,
                  lat_matrices *m, lat_bytes *pairs, lat_error *error)
{
    (void)options;
    char *text = lat_alloc(HEADER_LIMIT + 1, 1), numbers_name[32] = "", type[32] = "";
    int64_t size = file_bytes < HEADER_LIMIT ? file_bytes : HEADER_LIMIT;
    header h = {path, text, error};
    if (lat_read_at(descriptor, text, size, 0) != size)
        lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the disk", path,
                 errno ? strerror(errno) : "it ended early");
    m->offset = cut(text);
    if (!error->status && m->offset == 0)
        lat_fail(error, LAT_FORMAT,
                 "%s: has no line END_HEADER in its first %d bytes: it is cut off or damaged, take another copy", path,
                 (int)HEADER_LIMIT);
    if (!error->status) {
        m->bytes = file_bytes - m->offset;
        get_type(&h, m);
        for (int mu = 0; mu < DIM; mu++)
            m->size[mu] =
                get_extent(&h, (const char *[]){"DIMENSION_1", "DIMENSION_2", "DIMENSION_3", "DIMENSION_4"}[mu]);
        get_numbers(&h, m);
        m->has_plaquette = get_real(&h, "PLAQUETTE", &m->plaquette, &m->plaquette_digit);
        m->has_trace = get_real(&h, "LINK_TRACE", &m->trace, &m->trace_digit);
        m->has_checksum = get_checksum(&h, &m->checksum[0]);
        find(&h, "FLOATING_POINT", numbers_name, sizeof numbers_name);
        find(&h, "DATATYPE", type, sizeof type);
        snprintf(m->detail, sizeof m->detail, "%s %s", type, numbers_name);
        keep_provenance(&h, pairs);
    }
    free(text);
}

/* ------------------------------------------------------------------------------------------------- sums and writing */

/* The sum of all words of 32 bits, in the byte order of the file; the halves of a number of 64 bits commute. */
static void add_words(const lat_matrices *m, const uint8_t *bytes, int64_t first, int64_t units, uint32_t sum[2])
{
    (void)first;
    int64_t words = units * DIM * 2 * m->rows * (m->group == LAT_SU2 ? 2 : 3) * (m->bits / 32);
    uint32_t total = 0;
    for (int64_t i = 0; i < words; i++) {
        uint32_t word;
        memcpy(&word, bytes + 4 * i, sizeof word);
        total += m->big ? __builtin_bswap32(word) : word;
    }
    sum[0] += total;
}

/* A value that a reader with short lines can take. */
static const char *one_line(const lat_provenance *provenance, int count, const char *key, const char *standard)
{
    enum { LONGEST = 200 };
    const char *value = lat_provenance_find(provenance, count, key);
    return value && *value && strlen(value) <= LONGEST && !strpbrk(value, "\n\r") ? value : standard;
}

/* Provenance that the format has no key for. */
static void print_own(const lat_provenance *provenance, int count, lat_bytes *out)
{
    static const char *const named[] = {"program", "step", "ensemble_id", "ensemble_label", NULL};
    for (int i = 0; i < count; i++) {
        char key[32] = "";
        const char *value = one_line(&provenance[i], 1, provenance[i].key, NULL);
        bool other = value && strlen(provenance[i].key) < sizeof key;
        for (int k = 0; named[k]; k++) other = other && strcmp(named[k], provenance[i].key) != 0;
        for (size_t k = 0; other && provenance[i].key[k]; k++)
            key[k] = (char)(provenance[i].key[k] >= 'a' && provenance[i].key[k] <= 'z' ? provenance[i].key[k] - 32
                                                                                       : provenance[i].key[k]);
        if (other) lat_bytes_print(out, "FLOWHMC_%s = %s\n", key, value);
    }
}

/* Words of a lattice whose boundary is open in some directions; what else is known of it is in FLOWHMC_BOUNDARY. */
static void print_boundary(const lat_matrices *m, const lat_provenance *provenance, int count, lat_bytes *out)
{
    lat_error error = {0};
    lat_boundary boundary = {.open = {false}};
    const char *value = lat_provenance_find(provenance, count, "boundary");
    if (value) lat_provenance_boundary(value, DIM, m->size, &boundary, &error);
    for (int mu = 0; mu < DIM; mu++)
        lat_bytes_print(out, "BOUNDARY_%d = %s\n", mu + 1, boundary.open[mu] ? "OPEN" : "PERIODIC");
}

static void frame(const char *path, const lat_matrices *m, const lat_provenance *provenance, int count,
                  lat_bytes *before, lat_bytes *after)
{
    (void)path;
    (void)after;
    const int n = m->group == LAT_SU2 ? 2 : 3;
    lat_bytes_print(before, "BEGIN_HEADER\nHDR_VERSION = 1.0\nDATATYPE = 4D_SU%d_GAUGE", n);
    if (m->rows == n) lat_bytes_print(before, "_%dx%d", n, n);
    lat_bytes_print(before, "\nSTORAGE_FORMAT = 1.0\n");
    for (int mu = 0; mu < DIM; mu++) lat_bytes_print(before, "DIMENSION_%d = %" PRId64 "\n", mu + 1, m->size[mu]);
    lat_bytes_print(before, "LINK_TRACE = %+.15f\nPLAQUETTE = %+.15f\n", m->trace, m->plaquette);
    print_boundary(m, provenance, count, before);
    lat_bytes_print(before, "CHECKSUM = %08" PRIx32 "\n", m->checksum[0]);
    lat_bytes_print(before, "ENSEMBLE_ID = %s\n", one_line(provenance, count, "ensemble_id", "flowhmc"));
    lat_bytes_print(before, "ENSEMBLE_LABEL = %s\n", one_line(provenance, count, "ensemble_label", "none"));
    lat_bytes_print(before, "SEQUENCE_NUMBER = %s\n", one_line(provenance, count, "step", "0"));
    lat_bytes_print(before, "CREATOR = %s\n", one_line(provenance, count, "program", "flowhmc"));
    lat_bytes_print(before, "CREATOR_HARDWARE = unknown\nCREATION_DATE = unknown\nARCHIVE_DATE = unknown\n");
    print_own(provenance, count, before);
    lat_bytes_print(before, "FLOATING_POINT = IEEE%dBIG\nEND_HEADER\n", m->bits);
}

/* ------------------------------------------------------------------------------------------------------- the tables */

static const lat_matrix_format nersc = {
    .name = "nersc",
    .unit_links = DIM,
    .any_colours = true,
    .site_units = true,
    .parse = parse,
    .locate = lat_locate_site,
    .checksums = 1,
    .checksum_name = {"checksum"},
    .add = true,
    .checksum = add_words,
    .with_plaquette = true,
    .frame = frame,
};

static lat_status writable(const char *path, lat_group group, const lat_shape *shape, const lat_config_options *options,
                           lat_error *error)
{
    (void)options;
    return lat_matrices_writable(&nersc, path, group, shape, error);
}

static lat_status write_links(const char *path, lat_gauge *gauge, int member,
                              const lat_config_options *options, const lat_provenance *provenance, int count,
                              lat_error *error)
{
    lat_matrices m = {.bits = options->bits ? options->bits : 64, .big = true, .rows = options->two_rows ? 2 : 3};
    return lat_matrices_write(&nersc, path, gauge, member, &m, provenance, count, error);
}

const lat_config_format lat_config_nersc = {"nersc", &nersc, probe, lat_matrices_shape, lat_matrices_read, writable, write_links};
