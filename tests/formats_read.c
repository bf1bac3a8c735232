/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 * # ranks: 1 2 4
 *
 * formats_read.c: formats that are only read, from files made here: links and plaquette, and damage of every kind.
 */
#include "tests/tap.h"

#include "tests/golden.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static lat_geometry *lattice; /* 4 x 2 x 6 x 10 on all ranks */
static char *path;

/* A field, as it is gathered, and its file. */
typedef struct {
    lat_group group;
    bool quaternions;
    double plaquette, *values;
    lat_bytes file;
} sample;

/* Reads the bytes as a file on the lattice: the status that is wanted, the field of the sample to the bit, the warning
 * (NULL: none). */
static void expect_bytes(const sample *s, const lat_bytes *bytes, const lat_config_options *options, lat_status status,
                         const char *warning, const char *what)
{
    lat_error error = {0};
    lat_config_report report = {0};
    lat_gauge *gauge = lat_gauge_create(lattice, s->group, LAT_DOUBLE);
    const int64_t count = GOLDEN_SITES * 4 * lat_link_reals(s->group);
    double *found = lat_alloc(count, sizeof *found);
    if (tap.rank == 0) {
        int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (descriptor < 0 || lat_write_at(descriptor, bytes->data, bytes->size, 0) != bytes->size)
            lat_abort(LAT_FILE, "%s: %s", path, strerror(errno));
        close(descriptor);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    bool good = lat_config_read_as(path, gauge, options, &report, &error) == status;
    if (status == LAT_DONE) {
        lat_field_gather(gauge->links, 0, found);
        good = good && memcmp(found, s->values, (size_t)count * sizeof *found) == 0 &&
               fabs(report.plaquette - s->plaquette) < 1e-13 &&
               (warning ? strstr(report.warning, warning) != NULL : !report.warning[0]);
    } else {
        good = good && strstr(error.text, path) && !strchr(error.text, '\n');
    }
    ok_all(good, "%s%s%s", what, error.text[0] ? ": " : "", error.text[0] ? strrchr(error.text, '/') : "");
    lat_config_report_free(&report);
    lat_gauge_free(gauge);
    free(found);
}

static void expect_changed(const sample *s, int64_t at, const void *bytes, int64_t count, const char *what)
{
    lat_bytes copy = {0};
    lat_bytes_add(&copy, s->file.data, s->file.size);
    memcpy(copy.data + at, bytes, (size_t)count);
    expect_bytes(s, &copy, NULL, LAT_FORMAT, NULL, what);
    free(copy.data);
}

/* ------------------------------------------------------------------------------------------------------- the fields */

static sample golden_sample(void)
{
    sample s = {.group = LAT_SU3, .plaquette = -1.0 / 135, .values = lat_alloc(GOLDEN_REALS, sizeof *s.values)};
    golden_field(s.values);
    return s;
}

static sample su2_sample(bool quaternions)
{
    sample s = {
        .group = LAT_SU2, .quaternions = quaternions, .values = lat_alloc(GOLDEN_SITES * 4 * 4, sizeof *s.values)};
    lat_gauge *gauge = lat_gauge_create(lattice, LAT_SU2, LAT_DOUBLE);
    lat_gauge_haar(gauge, &(lat_random){.seed = 7, .purpose = LAT_RANDOM_TEST});
    lat_field_gather(gauge->links, 0, s.values);
    lat_broadcast(MPI_COMM_WORLD, s.values, GOLDEN_SITES * 4 * 4 * (int64_t)sizeof *s.values);
    s.plaquette = lat_links_summarise(gauge, 0, true).plaquette;
    lat_gauge_free(gauge);
    return s;
}

static void add_big(lat_bytes *out, const double *numbers, int count)
{
    for (int i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, &numbers[i], sizeof word);
        word = __builtin_bswap64(word);
        lat_bytes_add(out, &word, sizeof word);
    }
}

/* The link as a matrix, row by row, or as q0 to q3 of (q0 + i q3, -q2 + i q1; q2 + i q1, q0 - i q3). */
static void add_link(lat_bytes *out, const sample *s, const int c[4], int mu)
{
    const double *u = s->values + (4 * (c[0] + 4 * (c[1] + 2 * (c[2] + 6 * c[3]))) + mu) * lat_link_reals(s->group);
    if (s->group == LAT_SU3)
        add_big(out, u, GOLDEN_LINK);
    else if (s->quaternions)
        add_big(out, (double[]){u[0], u[1], -u[2], u[3]}, 4);
    else
        add_big(out, (double[]){u[0], u[3], u[2], u[1], -u[2], u[1], u[0], -u[3]}, 8);
}

/* ------------------------------------------------------------------------------------------------------------ HiRep */

enum { HIREP_HEADER = 28 };

/* Time first and slowest, z fastest; the links in t, x, y, z. */
static void make_hirep(sample *s)
{
    const uint8_t header[] = {0, 0, 0, s->group == LAT_SU2 ? 2 : 3, 0, 0, 0, 10, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 6};
    lat_bytes_add(&s->file, header, sizeof header);
    add_big(&s->file, &s->plaquette, 1);
    for (int t = 0; t < 10; t++)
        for (int x = 0; x < 4; x++)
            for (int y = 0; y < 2; y++)
                for (int z = 0; z < 6; z++)
                    for (int i = 0; i < 4; i++) add_link(&s->file, s, (int[]){x, y, z, t}, (i + 3) % 4);
}

static void test_hirep(sample s, const char *name)
{
    lat_error error = {0};
    lat_group group = LAT_GROUPS;
    lat_shape shape;
    make_hirep(&s);
    expect_bytes(&s, &s.file, NULL, LAT_DONE, NULL, name);
    lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, &error);
    ok_all(error.status == LAT_DONE && group == s.group && memcmp(shape.size, golden_size, sizeof golden_size) == 0,
           "its group and extents");
    for (int64_t size = 0; size < s.file.size; size += size < 28 ? 7 : 60013) {
        char *what = lat_text("cut off at %lld", (long long)size);
        expect_bytes(&s, &(lat_bytes){.data = s.file.data, .size = size}, NULL, LAT_FORMAT, NULL, what);
        free(what);
    }
    expect_bytes(&s, &(lat_bytes){.data = s.file.data, .size = 20}, &(lat_config_options){.format = "hirep"},
                 LAT_FORMAT, NULL, "a header that is cut off");
    expect_changed(&s, 3, s.group == LAT_SU2 ? "\3" : "\2", 1, "colours of another group");
    expect_changed(&s, 3, "\4", 1, "four colours");
    expect_changed(&s, 0, "\377\377\377\377", 4, "2^32 - 1 colours");
    expect_changed(&s, 4, "\0\0\0\0", 4, "an extent of 0");
    expect_changed(&s, 4, "\377\377\377\377", 4, "an extent of -1");
    expect_changed(&s, 4, "\0\0\177\377\0\0\177\377\0\0\177\377\0\0\177\377", 16, "extents of 2^15 - 1");
    expect_changed(&s, 7, "\4\0\0\0\12", 5, "extents in another order than the lattice's");
    expect_changed(&s, 20, "\177\370\0\0\0\0\0\0", 8, "a plaquette that is no number");
    expect_changed(&s, 20, "\77\340\0\0\0\0\0\0", 8, "another plaquette");
    expect_changed(&s, 4, "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377", 16,
                   "extents of 2^32 - 1");
    expect_changed(&s, s.file.size / 2 / 8 * 8 + 4, "\177\370\0\0\0\0\0\0", 8, "a number that is none");
    expect_changed(&s, HIREP_HEADER, "\77\340\0\0\0\0\0\0", 8, "a matrix that is not in the group");
    free(s.file.data);
    free(s.values);
}

/* Other fields beside the links are refused by the length of the file, extents that are told by those it has. */
static void test_hirep_variants(bool quaternions)
{
    sample s = su2_sample(quaternions);
    make_hirep(&s);
    const int64_t links = s.file.size, half = HIREP_HEADER + (links - HIREP_HEADER) / 2;
    lat_error error = {0};
    lat_group group;
    lat_shape shape;
    expect_bytes(&s, &(lat_bytes){.data = s.file.data, .size = half}, NULL, LAT_FORMAT, NULL,
                 "half of the links: rows of matrices are no quaternions of theirs");
    for (int i = 0; i < GOLDEN_SITES; i++) lat_bytes_add(&s.file, "auxiliary fields", 16);
    expect_bytes(&s, &s.file, NULL, LAT_FORMAT, NULL, "fields beside the links");
    lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, &error);
    ok_all(strstr(error.text, "four-fermion") != NULL, "by name");
    s.file.size = links;
    expect_bytes(&s, &s.file, &(lat_config_options){.size = {10, 4, 2, 6}}, LAT_CONFIG, NULL,
                 "other extents than those told");
    lat_bytes_add(&s.file, "\0\0", 2);
    expect_bytes(&s, &s.file, NULL, LAT_DONE, "2 bytes of padding", "padding");
    free(s.file.data);
    free(s.values);
}

/* ---------------------------------------------------------------------------------------------------------- Bridge++ */

/* The matrices alone, x fastest; format and extents are told. */
static void test_bridge(sample s, const char *name)
{
    const lat_config_options told = {.format = "bridge", .size = {4, 2, 6, 10}};
    for (int n = 0; n < 4 * GOLDEN_SITES; n++) {
        const int site = n / 4;
        add_link(&s.file, &s, (int[]){site % 4, site / 4 % 2, site / 8 % 6, site / 48}, n % 4);
    }
    expect_bytes(&s, &s.file, &told, LAT_DONE, "no checksum and no plaquette", name);
    expect_bytes(&s, &s.file, NULL, LAT_FORMAT, NULL, "it is not recognised");
    expect_bytes(&s, &s.file, &(lat_config_options){.format = "bridge"}, LAT_CONFIG, NULL, "nor read without extents");
    expect_bytes(&s, &s.file, &(lat_config_options){.format = "bridge", .size = {4, 2, 6, 8}}, LAT_FORMAT, NULL,
                 "extents of another volume");
    expect_bytes(&s, &s.file,
                 &(lat_config_options){.format = "bridge", .size = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}},
                 LAT_FORMAT, NULL, "extents beyond all bounds");
    for (int64_t size = 0; size < s.file.size; size += 60013)
        expect_bytes(&s, &(lat_bytes){.data = s.file.data, .size = size}, &told, LAT_FORMAT, NULL, "cut off");
    memcpy(s.file.data + 8000, "\177\370\0\0\0\0\0\0", 8);
    expect_bytes(&s, &s.file, &told, LAT_FORMAT, NULL, "a number that is none");
    free(s.file.data);
    free(s.values);
}

/* The same numbers as text, in all the ways in which they may be written; the place where the last one begins. */
static int64_t print_numbers(const lat_bytes *binary, lat_bytes *text)
{
    static const char *const formats[] = {"%.17g\n", "%.17e\n", "%.60f\n", " %.17g\r\n", "%+.17g\t\n\n"};
    int64_t last = 0;
    for (int64_t i = 0; i < binary->size / 8; i++) {
        uint64_t word;
        double value;
        char line[128];
        memcpy(&word, binary->data + 8 * i, sizeof word);
        word = __builtin_bswap64(word);
        memcpy(&value, &word, sizeof value);
        last = text->size;
        lat_bytes_add(text, line, snprintf(line, sizeof line, formats[i % 5], value));
    }
    return last;
}

/* With this in place of as many bytes at that place, it is refused. */
static void expect_word(const sample *s, const lat_bytes *text, int64_t place, const char *word, const lat_config_options *told, const char *name)
{
    lat_bytes changed = {0};
    lat_bytes_add(&changed, text->data, text->size);
    memcpy(changed.data + place, word, strlen(word));
    expect_bytes(s, &changed, told, LAT_FORMAT, NULL, name);
    free(changed.data);
}

static void test_bridge_text(sample s, const char *name)
{
    const lat_config_options told = {.format = "bridge", .size = {4, 2, 6, 10}};
    for (int n = 0; n < 4 * GOLDEN_SITES; n++) {
        const int site = n / 4;
        add_link(&s.file, &s, (int[]){site % 4, site / 4 % 2, site / 8 % 6, site / 48}, n % 4);
    }
    lat_bytes text = {0};
    const int64_t last = print_numbers(&s.file, &text);
    expect_bytes(&s, &text, &told, LAT_DONE, "no checksum and no plaquette", name);
    expect_bytes(&s, &text, NULL, LAT_FORMAT, NULL, "it is not recognised");
    expect_bytes(&s, &text, &(lat_config_options){.format = "bridge", .size = {4, 2, 6, 8}}, LAT_FORMAT, NULL, "extents of another volume");
    expect_bytes(&s, &text, &(lat_config_options){.format = "bridge", .endian = "big", .size = {4, 2, 6, 10}}, LAT_CONFIG, NULL, "a byte order");
    expect_bytes(&s, &text, &(lat_config_options){.format = "bridge", .size = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}}, LAT_FORMAT, NULL,
                 "extents beyond all bounds");
    for (int64_t size = 0; size < last; size += 100003)
        expect_bytes(&s, &(lat_bytes){.data = text.data, .size = size}, &told, LAT_FORMAT, NULL, "cut off");
    const int64_t middle = (char *)memchr(text.data + text.size / 2, '\n', 1000) - text.data;
    expect_word(&s, &text, middle - 3, "nan", &told, "what is no number");
    expect_word(&s, &text, middle - 3, "1-2", &told, "what looks like one");
    expect_word(&s, &text, middle - 5, "5e999", &told, "one without bounds");
    expect_word(&s, &text, middle - 1, "\1", &told, "a control character");
    expect_word(&s, &text, middle, "1 1", &told, "one more");
    lat_bytes_add(&text, "0.5", 3);
    expect_bytes(&s, &text, &told, LAT_FORMAT, NULL, "one more at the end");
    text.size = last;
    for (int i = 0; i < 300; i++) lat_bytes_add(&text, "0", 1);
    expect_bytes(&s, &text, &told, LAT_FORMAT, NULL, "one of 300 digits");
    free(text.data);
    free(s.file.data);
    free(s.values);
}

int main(int argc, char **argv)
{
    lat_error error = {0};
    const char *folder = getenv("TMPDIR");
    tap_start(&argc, &argv);
    lat_shape shape = {.dim = 4};
    memcpy(shape.size, golden_size, sizeof golden_size);
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &lattice, &error) != LAT_DONE)
        lat_abort(error.status, "%s", error.text);
    int process = (int)getpid();
    MPI_Bcast(&process, 1, MPI_INT, 0, MPI_COMM_WORLD);
    path = lat_text("%s/flowhmc-formats-read-%d", folder ? folder : "/tmp", process);
    test_hirep(golden_sample(), "HiRep, SU(3)");
    for (int quaternions = 0; quaternions < 2; quaternions++) {
        test_hirep(su2_sample(quaternions), quaternions ? "HiRep, SU(2), quaternions" : "HiRep, SU(2), matrices");
        test_hirep_variants(quaternions);
    }
    test_bridge(golden_sample(), "Bridge++, SU(3)");
    test_bridge(su2_sample(false), "Bridge++, SU(2)");
    test_bridge_text(golden_sample(), "Bridge++, SU(3), text");
    test_bridge_text(su2_sample(false), "Bridge++, SU(2), text");
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0) unlink(path);
    free(path);
    lat_geometry_free(lattice);
    return tap_end();
}
