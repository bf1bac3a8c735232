/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 * # ranks: 1 2 4
 *
 * formats.c: configurations in the formats of other programs: a field with known checksums in each of them, byte for
 * byte and in both directions, files of other programs, the variants and oddities that exist, and damage of every kind.
 */
#define _GNU_SOURCE
#include "tests/tap.h"

#include "tests/golden.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char directory[256];
static lat_geometry *golden;        /* 4 x 2 x 6 x 10 on all ranks */
static double values[GOLDEN_REALS]; /* of the golden field */
static const double plaquette = -1.0 / 135, trace = 7.0 / 5760;

static char *in_directory(const char *name) { return lat_text("%s/%s", directory, name); }
static bool exists(const char *path) { return access(path, F_OK) == 0; }

static void say(const lat_error *error)
{
    if (tap.rank == 0) printf("# %s\n", error->text);
}

/* Rank 0 puts bytes on the disk; nobody goes on before. */
static void spill(const char *path, const lat_bytes *bytes)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0) {
        unlink(path);
        int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (descriptor < 0 || lat_write_at(descriptor, bytes->data, bytes->size, 0) != bytes->size)
            lat_abort(LAT_FILE, "%s: %s", path, strerror(errno));
        close(descriptor);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

static lat_bytes slurp(const char *path)
{
    struct stat status;
    lat_bytes bytes = {0};
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0 || fstat(descriptor, &status) != 0) lat_abort(LAT_FILE, "%s: %s", path, strerror(errno));
    char *data = lat_alloc(status.st_size, 1);
    if (lat_read_at(descriptor, data, status.st_size, 0) != status.st_size) lat_abort(LAT_FILE, "%s: short", path);
    lat_bytes_add(&bytes, data, status.st_size);
    free(data);
    close(descriptor);
    return bytes;
}

static lat_geometry *lattice(MPI_Comm comm, lat_shape shape)
{
    lat_error error = {0};
    lat_geometry *g = NULL;
    if (lat_geometry_create(comm, &shape, &g, &error) != LAT_DONE) lat_abort(error.status, "%s", error.text);
    return g;
}

static lat_geometry *golden_geometry(MPI_Comm comm, int members)
{
    lat_shape shape = {.dim = 4, .members = members, .precision = LAT_FLOAT};
    memcpy(shape.size, golden_size, sizeof shape.size);
    return lattice(comm, shape);
}

static lat_gauge *golden_links(const lat_geometry *g)
{
    lat_gauge *gauge = lat_gauge_create(g, LAT_SU3, LAT_DOUBLE);
    for (int m = 0; m < g->members; m++) lat_field_scatter(gauge->links, m, values);
    return gauge;
}

/* Every bit, zeros included. */
static bool is_golden(const lat_gauge *gauge, int member)
{
    double *found = lat_alloc(GOLDEN_REALS, sizeof *found);
    lat_field_gather(gauge->links, member, found);
    bool same = memcmp(found, values, sizeof values) == 0;
    free(found);
    return same;
}

/* Reads a file on the golden lattice; *same: it holds the golden field. */
static lat_status read_as(const char *path, const lat_config_options *options, lat_config_report *report, bool *same,
                          lat_error *error)
{
    lat_gauge *gauge = lat_gauge_create(golden, LAT_SU3, LAT_DOUBLE);
    *error = (lat_error){0};
    lat_config_report_free(report);
    lat_status status = lat_config_read_as(path, gauge, options, report, error);
    *same = is_golden(gauge, 0);
    lat_gauge_free(gauge);
    return status;
}

static bool means_agree(const lat_config_report *report)
{
    return fabs(report->plaquette - plaquette) < 1e-15 && fabs(report->trace - trace) < 1e-15 && report->violation == 0;
}

/* ----------------------------------------------------------------------------------------------- the golden numbers */

typedef struct {
    const char *name;
    lat_config_options options;
    int rows, bits; /* 0 rows: the matrices are not in natural order */
    uint32_t checksum[2];
    const char *text[3]; /* what must be found in the file */
} variant;

static const variant variants[] = {
    {"golden.nersc",
     {0},
     3,
     64,
     {0x98000000},
     {"CHECKSUM = 98000000\n", "FLOATING_POINT = IEEE64BIG\n", "DATATYPE = 4D_SU3_GAUGE_3x3\n"}},
    {"golden-two-row.nersc",
     {.two_rows = true},
     2,
     64,
     {0x10000000},
     {"CHECKSUM = 10000000\n", "DATATYPE = 4D_SU3_GAUGE\n"}},
    {"golden-32.nersc", {.bits = 32}, 3, 32, {0xc0000000}, {"CHECKSUM = c0000000\n", "FLOATING_POINT = IEEE32BIG\n"}},
    {"golden-32-two-row.nersc", {.bits = 32, .two_rows = true}, 2, 32, {0x80000000}, {"CHECKSUM = 80000000\n"}},
    {"golden.ildg",
     {0},
     3,
     64,
     {0x3780fa07, 0xa0e7986f},
     {"<suma>3780fa07</suma><sumb>a0e7986f</sumb>", "lfn://local/golden.ildg", "<precision>64</precision>"}},
    {"golden-32.ildg",
     {.bits = 32},
     3,
     32,
     {0xc4cedffc, 0xd3024792},
     {"<suma>c4cedffc</suma><sumb>d3024792</sumb>", "<lt>10</lt>"}},
    {"golden.openqcd", {0}, 0, 64, {0}, {0}},
    {"golden.h5", {0}, 0, 64, {0}, {0}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* The matrices stand somewhere in the file, as the formula has them. */
static bool holds_matrices(const lat_bytes *file, const variant *v)
{
    lat_bytes matrices = {0};
    if (v->rows)
        golden_matrices(&matrices, v->rows, v->bits, true);
    else
        golden_openqcd(&matrices);
    bool good = memmem(file->data, (size_t)file->size, matrices.data, (size_t)matrices.size) != NULL;
    if (!v->rows) /* the plaquette may differ in its last bit */
        good = file->size == 276504 && crc32(0, (Bytef *)file->data + 24, (uInt)file->size - 24) == 0xd54fa1e8 &&
               memcmp(file->data, matrices.data, 16) == 0 &&
               memcmp(file->data + 24, matrices.data + 24, (size_t)file->size - 24) == 0;
    free(matrices.data);
    return good;
}

/* Rank 0. */
static bool file_is_golden(const char *path, const variant *v)
{
    lat_bytes file = slurp(path);
    bool good = strstr(v->name, ".h5") || holds_matrices(&file, v);
    for (int i = 0; i < 3 && v->text[i]; i++)
        good = good && memmem(file.data, (size_t)file.size, v->text[i], strlen(v->text[i]));
    free(file.data);
    return good;
}

/* Rank 0 writes the same on its own. */
static bool same_alone(const char *path, const variant *v)
{
    lat_error error = {0};
    lat_geometry *g = golden_geometry(MPI_COMM_SELF, 1);
    lat_gauge *gauge = golden_links(g);
    char *folder = in_directory("alone"), *alone = lat_text("%s/%s", folder, v->name);
    mkdir(folder, 0777);
    bool same = lat_config_write_as(alone, gauge, 0, &v->options, NULL, 0, &error) == LAT_DONE;
    if (same) {
        lat_bytes a = slurp(path), b = slurp(alone);
        same = a.size == b.size && memcmp(a.data, b.data, (size_t)a.size) == 0;
        free(a.data);
        free(b.data);
    }
    lat_gauge_free(gauge);
    lat_geometry_free(g);
    return same;
}

static void test_variant(const variant *v)
{
    lat_error error = {0};
    lat_config_report report = {0};
    lat_geometry *g = golden_geometry(MPI_COMM_WORLD, 3);
    lat_gauge *gauge = golden_links(g), *back = lat_gauge_create(g, LAT_SU3, LAT_FLOAT);
    char *path = in_directory(v->name);
    bool same;
    lat_group group;
    lat_shape shape;
    ok_all(lat_config_write_as(path, gauge, 2, &v->options, NULL, 0, &error) == LAT_DONE &&
               !exists(lat_text("%s.tmp", path)),
           "%s is written", v->name);
    say(&error);
    ok(tap.rank > 0 || file_is_golden(path, v), "byte for byte as the formula has it");
    ok(tap.rank > 0 || same_alone(path, v), "and as one rank writes it");
    ok_all(read_as(path, NULL, &report, &same, &error) == LAT_DONE && same && means_agree(&report),
           "it comes back to the bit");
    say(&error);
    ok_all(report.checksum[0] == v->checksum[0] && report.checksum[1] == v->checksum[1] &&
               report.has_checksums == (strstr(v->name, "openqcd") == NULL) && !report.warning[0],
           "with its checksums");
    ok_all(lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, &error) == LAT_DONE && group == LAT_SU3 &&
               shape.dim == 4 && memcmp(shape.size, golden_size, sizeof shape.size) == 0,
           "its shape");
    ok_all(lat_config_read(path, back, &error) == LAT_DONE && is_golden(back, 0) && is_golden(back, 1) &&
               is_golden(back, 2),
           "into every member of a field of floats");
    lat_config_report_free(&report);
    lat_gauge_free(gauge);
    lat_gauge_free(back);
    lat_geometry_free(g);
}

/* A file from bytes made here. */
static void expect(const lat_bytes *bytes, const lat_config_options *options, lat_status status, bool golden_field,
                   const char *in_warning, const char *what)
{
    lat_error error;
    lat_config_report report = {0};
    char *path = in_directory("made");
    bool same;
    spill(path, bytes);
    lat_status found = read_as(path, options, &report, &same, &error);
    bool warned = in_warning ? strstr(report.warning, in_warning) != NULL : !report.warning[0];
    ok_all(found == status && error.status == status && (status != LAT_DONE || (same == golden_field && warned)) &&
               (status != LAT_FORMAT || (strstr(error.text, path) && !strchr(error.text, '\n'))),
           "%s", what);
    if (found != LAT_DONE) say(&error);
    if (found == LAT_DONE && report.warning[0] && tap.rank == 0) printf("# warning: %s\n", report.warning);
    lat_config_report_free(&report);
    free(path);
}

static void expect_golden(const lat_bytes *bytes, const char *what) { expect(bytes, NULL, LAT_DONE, true, NULL, what); }
static void expect_refusal(const lat_bytes *bytes, const char *what)
{
    expect(bytes, NULL, LAT_FORMAT, false, NULL, what);
}

/* --------------------------------------------------------------------------------------------------- NERSC variants */

static const char sums64[] = "LINK_TRACE = 0.0012152777778\nPLAQUETTE = -0.0074074074074\nCHECKSUM = 98000000\n";
static const char sums32[] = "LINK_TRACE = 0.0012152777778\nPLAQUETTE = -0.0074074074074\nCHECKSUM = c0000000\n";

static lat_bytes nersc(const char *type, const char *numbers, const char *more, int rows, int bits, bool big)
{
    lat_bytes out = {0};
    golden_nersc(&out, type, numbers, more);
    golden_matrices(&out, rows, bits, big);
    return out;
}

static lat_bytes nersc64(const char *more) { return nersc("4D_SU3_GAUGE_3x3", "IEEE64BIG", more, 3, 64, true); }

static void expect_nersc(const char *more, lat_status status, const char *warning, const char *what)
{
    lat_bytes file = nersc64(more);
    expect(&file, NULL, status, true, warning, what);
    free(file.data);
}

static void test_orders(void)
{
    static const struct {
        const char *name;
        int bits;
        bool big;
    } orders[] = {{"IEEE64BIG", 64, true}, {"IEEE64LITTLE", 64, false}, {"IEEE64SMALL", 64, false},
                  {"IEEE32BIG", 32, true}, {"IEEE32LITTLE", 32, false}, {"IEEE32SMALL", 32, false},
                  {"IEEE32", 32, true},    {"IEEE32", 32, false},       {"IEEE64", 64, true},
                  {"IEEE64", 64, false}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        bool wide = orders[i].bits == 64;
        lat_bytes file =
            nersc("4D_SU3_GAUGE_3x3", orders[i].name, wide ? sums64 : sums32, 3, orders[i].bits, orders[i].big);
        char *what = lat_text("%s with %s-endian numbers", orders[i].name, orders[i].big ? "big" : "little");
        expect_golden(&file, what);
        free(what);
        free(file.data);
    }
    lat_bytes wrong = nersc("4D_SU3_GAUGE_3x3", "IEEE64BIG", sums64, 3, 64, false);
    expect_refusal(&wrong, "a byte order that is not the one named: refused");
    expect(&wrong, &(lat_config_options){.endian = "little"}, LAT_DONE, true, NULL, "but read when it is told");
    expect(&wrong, &(lat_config_options){.endian = "middle"}, LAT_CONFIG, false, NULL,
           "an order that does not exist: LAT_CONFIG");
    free(wrong.data);
}

static void test_nersc(void)
{
    lat_bytes two = nersc("4D_SU3_GAUGE", "IEEE32BIG", "CHECKSUM = 80000000\n", 2, 32, true);
    expect_golden(&two, "two rows of 32 bits: the checksum is that of the stored words");
    free(two.data);
    test_orders();
    expect_nersc("PLAQUETTE  =   -0.0074074074074\nLINK_TRACE=0.0012152777778\nCHECKSUM =98000000  \r\n", LAT_DONE,
                 NULL, "any blanks around = and behind values");
    expect_nersc(
        "MILC_INFO = \"a\nblock with = and\nwithout\nCHECKSUM 1\n\n = \n\"\nNEW_KEY = 7\nCHECKSUM = 98000000\n",
        LAT_DONE, NULL, "unknown keys and blocks are skipped");
    expect_nersc("CHECKSUM = 0x98000000\n", LAT_DONE, NULL, "a checksum with 0x");
    expect_nersc("PLAQUETTE = -0.00740740\n", LAT_DONE, "no checksum", "no checksum: a warning");
    expect_nersc("CHECKSUM = 98000001\n", LAT_FORMAT, NULL, "another checksum");
    expect_nersc("CHECKSUM = 98000000\nPLAQUETTE = -0.00738\n", LAT_FORMAT, NULL, "another plaquette");
    expect_nersc("CHECKSUM = 98000000\nPLAQUETTE = nan\n", LAT_FORMAT, NULL, "a plaquette that is no number");
    expect_nersc("CHECKSUM = 98000000\nLINK_TRACE = 0.001218\n", LAT_FORMAT, NULL, "another link trace");
    expect_nersc("CHECKSUM = nonsense\n", LAT_FORMAT, NULL, "a checksum that is no number");
    expect_nersc("CHECKSUM = 198000000\n", LAT_FORMAT, NULL, "a checksum of more than 32 bits");
    expect_nersc("CHECKSUM = 0\nPLAQUETTE = 0\nLINK_TRACE = 0.0\n", LAT_DONE,
                 "checksum is 0: not computed by its writer, so not verified; its plaquette is 0", "zeros: QDP++");
    expect_nersc("CHECKSUM = 98000000\nPLAQUETTE = -0.007\nLINK_TRACE = 1.2E-03\n", LAT_DONE, "plaquette is verified to the few",
                 "a plaquette of three digits");
    expect_nersc("CHECKSUM = 98000000\nPLAQUETTE = -0.005\n", LAT_FORMAT, NULL, "but not that of transposed matrices");
    expect_nersc("CHECKSUM = 98000000\nPLAQUETTE = -0.7407407407D-02\nLINK_TRACE = 1.2152777778d-3\n", LAT_DONE, NULL,
                 "exponents of Fortran");
    expect_nersc("CHECKSUM = 98000000\nPLAQUETTE = -0.8407407407D-02\n", LAT_FORMAT, NULL, "and what they say counts");
    for (int little = 0; little < 2; little++)
        for (int bits = 32; bits <= 64; bits += 32) {
            lat_bytes silent = nersc("4D_SU3_GAUGE_3x3", "", bits == 64 ? sums64 : sums32, 3, bits, !little);
            memcpy(strstr(silent.data, "FLOATING_POINT"), "POINT_FLOATING", 14);
            expect(&silent, NULL, LAT_DONE, true, "no FLOATING_POINT", "no FLOATING_POINT: length and first matrix tell");
            free(silent.data);
        }
    lat_bytes file = nersc64("CHECKSUM = 98000001\nPLAQUETTE = 0.5\nLINK_TRACE = 0.5\n");
    expect(&file, &(lat_config_options){.lenient = true}, LAT_DONE, true,
           "checksum is 98000000 and should be 98000001; plaquette is -0.0074",
           "differences are warnings when that is asked for");
    free(file.data);
}

/* ---------------------------------------------------------------------------------------------------- ILDG variants */

static const char xml64[] =
    "<?xml version=\"1.0\"?><ildgFormat xmlns=\"x\"><version> 1.0 </version><field> su3gauge </field>"
    "<precision> 64 </precision><lx> 4 </lx><ly>\n2\n</ly><lz>6</lz><lt>10</lt></ildgFormat>";
static const char sums[] =
    "<scidacChecksum><version>1.0</version><suma> 3780FA07 </suma><sumb>a0e7986f</sumb></scidacChecksum>";
enum { BEGINS = 0x80, ENDS = 0x40 };

/* Records by letter: f format, b binary, c checksum, n name, x something else; a file with one message of them. */
static lat_bytes ildg(const char *order, const char *xml, const char *checksum, int last_flags)
{
    lat_bytes out = {0}, matrices = {0};
    golden_matrices(&matrices, 3, 64, true);
    for (const char *c = order; *c; c++) {
        int flags = (c == order ? BEGINS : 0) | (c[1] ? 0 : last_flags);
        if (*c == 'f')
            golden_record(&out, flags, "ildg-format", xml, (int64_t)strlen(xml) + 1); /* with its NUL, as QIO does */
        if (*c == 'b') golden_record(&out, flags, "ildg-binary-data", matrices.data, matrices.size);
        if (*c == 'c') golden_record(&out, flags, "scidac-checksum", checksum, (int64_t)strlen(checksum));
        if (*c == 'n') golden_record(&out, flags, "ildg-data-lfn", "", 0);
        if (*c == 'x') golden_record(&out, flags, "xlf-info", "\x45\x67\x89\xab plaquette = 0.5", 20);
    }
    free(matrices.data);
    return out;
}

static void expect_ildg(const char *order, const char *xml, const char *checksum, int flags,
                        const lat_config_options *options, lat_status status, const char *warning, const char *what)
{
    lat_bytes file = ildg(order, xml, checksum, flags);
    expect(&file, options, status, true, warning, what);
    free(file.data);
}

static void test_ildg(void)
{
    const lat_config_options dims = {.size = {4, 2, 6, 10}}, wrong = {.size = {2, 4, 6, 10}},
                             large = {.size = {1 << 20, 1 << 20, 1 << 20, 1 << 20}};
    expect_ildg("xfbc", xml64, sums, ENDS, NULL, LAT_DONE, NULL, "xlf-info, format, matrices, checksum");
    expect_ildg("cxbnf", xml64, sums, ENDS, NULL, LAT_DONE, NULL, "records in any order, blanks in the XML");
    expect_ildg("fb", xml64, sums, ENDS, NULL, LAT_DONE, "no checksum", "no checksum: a warning");
    expect_ildg("fb", xml64, sums, 0, NULL, LAT_FORMAT, NULL, "a last record that does not say so: cut off");
    expect_ildg("fb", xml64, sums, 0, &(lat_config_options){.lenient = true}, LAT_DONE, "something may be missing", "which can be forced");
    expect_ildg("b", xml64, sums, 0, &dims, LAT_DONE, "no checksum", "matrices alone, when the extents are told");
    expect_ildg("b", xml64, sums, 0, NULL, LAT_FORMAT, NULL, "matrices alone");
    expect_ildg("bc", xml64, sums, ENDS, &dims, LAT_DONE, NULL, "without format, with checksum");
    expect_ildg("bc", xml64, sums, ENDS, &large, LAT_FORMAT, NULL, "extents far too large");
    expect_ildg("fbc", xml64, sums, ENDS, &wrong, LAT_CONFIG, NULL, "extents told against the file: LAT_CONFIG");
    expect_ildg("fc", xml64, sums, ENDS, NULL, LAT_FORMAT, NULL, "no matrices");
    expect_ildg("fbbc", xml64, sums, ENDS, NULL, LAT_FORMAT, NULL, "matrices twice");
    expect_ildg("fbc", xml64, "<suma>3780fa07</suma><sumb>a0e7986e</sumb>", ENDS, NULL, LAT_FORMAT, NULL,
                "another checksum");
    expect_ildg("fbc", xml64, "<suma>3780fa07</suma>", ENDS, NULL, LAT_FORMAT, NULL, "half a checksum");
    expect_ildg("fbc", xml64, "<suma>x</suma><sumb></sumb>", ENDS, NULL, LAT_FORMAT, NULL,
                "checksums that are no numbers");
}

/* Bytes at an offset replaced. */
static void expect_changed(const lat_bytes *file, int64_t at, const void *bytes, int64_t count, lat_status status,
                           const char *what)
{
    lat_bytes copy = {0};
    lat_bytes_add(&copy, file->data, file->size);
    memcpy(copy.data + at, bytes, (size_t)count);
    expect(&copy, NULL, status, true, NULL, what);
    free(copy.data);
}

/* ildg-format in the ways that XML allows. */
static void test_xml(void)
{
    static const char rest[] = "<field>su3gauge</field><precision>64</precision><ly>2</ly><lz>6</lz><lt>10</lt>";
    static const char *const good[] = {
        "<f><!-- was: <lx>6</lx> --><lx>4</lx>%s</f>",
        "<f><lx><!-- was: 6 -->4</lx>%s</f>",
        "<ildg:f xmlns:ildg='http://www.lqcd.org/ildg'><ildg:lx unit='&lt;lx>8'>4</ildg:lx>%s</ildg:f>",
        "<f><lx>&#52;</lx>%s</f>",
        "<f><lx><![CDATA[4]]></lx>%s</f>",
        "<!DOCTYPE f><f><history>&lt;lx&gt;</history><lxx>5</lxx><lx a=\"1\" >4</lx >%s</f>\n",
        "<?xml version='1.0' encoding='ISO-8859-1'?><f>\374<lx\n>4</lx>%s</f>"};
    static const char *const bad[] = {
        "<f><lx>4</lx><lx>4</lx>%s</f>",
        "<f><lx>4</lx>%s",
        "<f><lx>4</lx>%s</g>",
        "<f><lx>4 4</lx>%s</f>",
        "<f><lx>0x4</lx>%s</f>",
        "<f><lx>4</lx>%s</f><f/>",
        "<!DOCTYPE f [<!ENTITY a '4'>]><f><lx>&a;</lx>%s</f>",
        "<!DOCTYPE f [<!ENTITY a '4'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]><f><x>&c;</x><lx>4</lx>%s</f>",
        "<!DOCTYPE f SYSTEM 'file:///etc/passwd' [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><f>&a;<lx>4</lx>%s</f>",
        "<f><lx>44444444444444444444444444444444444444444444444444444444444444444444</lx>%s</f>"};
    for (size_t i = 0; i < sizeof good / sizeof *good + sizeof bad / sizeof *bad; i++) {
        const bool well = i < sizeof good / sizeof *good;
        const char *form = well ? good[i] : bad[i - sizeof good / sizeof *good];
        lat_bytes xml = {0};
        const char *mark = strstr(form, "%s");
        lat_bytes_add(&xml, form, mark - form);
        lat_bytes_print(&xml, "%s%s", rest, mark + 2);
        expect_ildg("fbc", xml.data, sums, ENDS, NULL, well ? LAT_DONE : LAT_FORMAT, NULL, well ? "XML that is read" : "XML that is not");
        free(xml.data);
    }
    lat_bytes deep = {0};
    for (int i = 0; i < 10000; i++) lat_bytes_print(&deep, "<a>");
    expect_ildg("fbc", deep.data, sums, ENDS, NULL, LAT_FORMAT, NULL, "XML that nests without end");
    free(deep.data);
}

/* Messages: flags and type of each record; a type '*' are the matrices of the field, '+' are other bytes. */
typedef struct {
    int flags;
    const char *type, *text;
} message_record;

static void expect_messages(const message_record *list, lat_status status, const char *warning, const char *what)
{
    lat_bytes out = {0}, matrices = {0};
    golden_matrices(&matrices, 3, 64, true);
    for (; list->type; list++) {
        bool field = list->type[0] == '*', other = list->type[0] == '+';
        const char *text = field ? matrices.data : other ? "random numbers" : list->text;
        golden_record(&out, list->flags, list->type + (field || other), text, field ? matrices.size : (int64_t)strlen(text));
    }
    free(matrices.data);
    expect(&out, NULL, status, true, warning, what);
    free(out.data);
}

static const char others_sums[] = "<scidacChecksum><suma>12ab</suma><sumb>34cd</sumb></scidacChecksum>";
enum { WHOLE = BEGINS | ENDS };

static void test_messages(void)
{
    const message_record after[] = {{BEGINS, "ildg-format", xml64}, {0, "*ildg-binary-data", ""}, {ENDS, "scidac-checksum", sums},
                                    {BEGINS, "scidac-record-xml", "<rng/>"}, {0, "+scidac-binary-data", ""},
                                    {ENDS, "scidac-checksum", others_sums}, {0, NULL, NULL}};
    const message_record none[] = {{BEGINS, "ildg-format", xml64}, {ENDS, "*ildg-binary-data", ""},
                                   {BEGINS, "+scidac-binary-data", ""}, {ENDS, "scidac-checksum", others_sums}, {0, NULL, NULL}};
    const message_record before[] = {{BEGINS, "+scidac-binary-data", ""}, {ENDS, "scidac-checksum", others_sums},
                                     {BEGINS, "ildg-format", xml64}, {ENDS, "*ildg-binary-data", ""}, {0, NULL, NULL}};
    const message_record apart[] = {{WHOLE, "ildg-format", xml64}, {WHOLE, "*ildg-binary-data", ""}, {WHOLE, "ildg-data-lfn", "x"},
                                    {WHOLE, "scidac-checksum", sums}, {WHOLE, "+rng-binary", ""},
                                    {WHOLE, "scidac-checksum", others_sums}, {0, NULL, NULL}};
    const message_record unmarked[] = {{0, "scidac-checksum", others_sums}, {0, "+rng-binary", ""}, {0, "ildg-format", xml64},
                                       {0, "*ildg-binary-data", ""}, {0, "scidac-checksum", sums}, {0, "ildg-data-lfn", ""},
                                       {0, NULL, NULL}};
    const message_record wrong[] = {{BEGINS, "ildg-format", xml64}, {0, "*ildg-binary-data", ""},
                                    {ENDS, "scidac-checksum", others_sums}, {0, NULL, NULL}};
    expect_messages(after, LAT_DONE, NULL, "the checksum of another message does not count, after the field");
    expect_messages(none, LAT_DONE, "no checksum", "nor when the field has none");
    expect_messages(before, LAT_DONE, "no checksum", "nor before it");
    expect_messages(apart, LAT_DONE, NULL, "messages of one record: SIMULATeQCD");
    expect_messages(unmarked, LAT_DONE, "not marked", "no marks of messages: OpenStaPLE");
    expect_messages(wrong, LAT_FORMAT, NULL, "its own checksum does");
}

static void test_scidac(void)
{
    static const char file[] = "<scidacFile><version>1.1</version><spacetime>4</spacetime><dims>4 2 6 10 </dims><volfmt>0</volfmt></scidacFile>",
                      parts[] = "<scidacFile><spacetime>4</spacetime><dims>4 2 6 10 </dims><volfmt>2</volfmt></scidacFile>",
                      flat[] = "<scidacFile><spacetime>3</spacetime><dims>4 2 60</dims><volfmt>0</volfmt></scidacFile>",
                      record[] = "<scidacRecord><datatype>QDP_D3_ColorMatrix</datatype><precision>D</precision><colors>3</colors>"
                                 "<typesize>144</typesize><datacount>4</datacount></scidacRecord>",
                      fermion[] = "<scidacRecord><datatype>QDP_D3_DiracFermion</datatype><colors>3</colors><datacount>1</datacount></scidacRecord>";
    message_record list[] = {{BEGINS, "scidac-private-file-xml", file}, {ENDS, "scidac-file-xml", "<x/>"},
                             {BEGINS, "scidac-private-record-xml", fermion}, {0, "+scidac-binary-data", ""}, {ENDS, "scidac-checksum", others_sums},
                             {BEGINS, "scidac-private-record-xml", record}, {0, "scidac-record-xml", ""},
                             {0, "*scidac-binary-data", ""}, {ENDS, "scidac-checksum", sums}, {0, NULL, NULL}};
    expect_messages(list, LAT_DONE, NULL, "a single file of SciDAC");
    list[0].text = parts;
    expect_messages(list, LAT_FORMAT, NULL, "one part of a file in parts");
    list[0].text = flat;
    expect_messages(list, LAT_FORMAT, NULL, "a field in three dimensions");
    list[0].text = file;
    list[5].text = fermion;
    expect_messages(list, LAT_FORMAT, NULL, "no gauge field among the records");
    list[2].text = list[5].text = record;
    expect_messages(list, LAT_FORMAT, NULL, "two gauge fields");
}

/* What is written of a lattice that is open in t. */
static void test_open_written(lat_gauge *gauge)
{
    static const char *const names[] = {"open.openqcd", "open.nersc", "open.ildg", "open.h5"};
    const lat_provenance open[] = {{"boundary", "boundary = [\"periodic\", \"periodic\", \"periodic\", \"open\"];"}};
    for (int i = 0; i < 4; i++) {
        lat_error error = {0};
        lat_config_report report = {0};
        char *path = in_directory(names[i]);
        lat_field_scatter(gauge->links, 0, values);
        lat_config_write_as(path, gauge, 0, NULL, open, 1, &error);
        bool kept = is_golden(gauge, 0);
        lat_config_read_as(path, gauge, NULL, &report, &error);
        const char *boundary = lat_provenance_find(report.provenance, report.provenance_count, "boundary");
        lat_bytes file = slurp(path);
        bool says = memmem(file.data, (size_t)file.size, "BOUNDARY_3 = PERIODIC\nBOUNDARY_4 = OPEN\n", 40) != NULL;
        int64_t zeros = 0;
        for (int64_t at = 24; i == 0 && at < file.size; at += 144)
            zeros += crc32(0, (Bytef *)file.data + at, 144) == crc32(0, (Bytef *)(char[144]){0}, 144);
        ok_all(error.status == LAT_DONE && kept && boundary && strcmp(boundary, open[0].value) == 0 && (i != 1 || says) &&
                   zeros == (i == 0 ? 48 : 0),
               "%s: an open boundary is written and read", names[i]);
        say(&error);
        free(file.data);
        lat_config_report_free(&report);
    }
    lat_error error = {0};
    lat_config_report report = {0};
    const lat_provenance garbage[] = {{"boundary", "boundary = [\"periodic\", \"opne\"];"}};
    lat_config_write_as(in_directory("garbage.h5"), gauge, 0, NULL, garbage, 1, &error);
    ok_all(lat_config_read_as(in_directory("garbage.h5"), gauge, NULL, &report, &error) == LAT_FORMAT,
           "a boundary that is none: refused");
    say(&error);
    lat_config_report_free(&report);
}

/* openQCD and what was made of it: the links in t that leave the last slice are zero. */
static void test_open_boundary(void)
{
    lat_error error = {0};
    lat_config_report report = {0};
    lat_gauge *gauge = lat_gauge_create(golden, LAT_SU3, LAT_DOUBLE);
    const lat_config_options lenient = {.lenient = true};
    lat_bytes file = nersc64("");
    const int64_t begin = file.size - (int64_t)sizeof values, slice = (int64_t)sizeof values / 10, link = 8 * GOLDEN_LINK;
    char *path = in_directory("made");
    double *found = lat_alloc(GOLDEN_REALS, sizeof *found);
    for (int64_t site = 0; site < 48; site++) memset(file.data + begin + 9 * slice + (4 * site + 3) * link, 0, (size_t)link);
    spill(path, &file);
    lat_config_read_as(path, gauge, NULL, &report, &error);
    lat_field_gather(gauge->links, 0, found);
    bool same = true;
    for (int64_t i = 0; i < GOLDEN_REALS; i++) {
        bool across = i / (48 * 4 * 18) == 9 && i / 18 % 4 == 3;
        same = same && found[i] == (across ? i % 18 % 8 == 0 : values[i]);
    }
    const char *boundary = lat_provenance_find(report.provenance, report.provenance_count, "boundary");
    ok_all(error.status == LAT_DONE && same && report.violation == 0 && strstr(report.detail, "open in t") && !strstr(report.warning, "open") && boundary &&
               strstr(boundary, "\"open\"]"),
           "an open boundary: zero links become 1, and the file says so");
    say(&error);
    memset(file.data + begin + 9 * slice, 0, (size_t)link);
    expect(&file, &lenient, LAT_FORMAT, false, NULL, "one zero link more: refused");
    memcpy(file.data + begin + 9 * slice, file.data + begin + 8 * slice, (size_t)link);
    memcpy(file.data + begin + 9 * slice + 3 * link, file.data + begin + 8 * slice, (size_t)link);
    expect(&file, &lenient, LAT_FORMAT, false, NULL, "one fewer: refused");
    lat_config_report_free(&report);
    test_open_written(gauge);
    lat_gauge_free(gauge);
    free(found);
    free(file.data);
}

static void test_hostile_ildg(void)
{
    static const char *const xml[] = {
        "<precision>64</precision>",
        "<ildgFormat><field>su3gauge</field><precision>64</precision><lx>4</lx><ly>2</ly><lz>6</lz>",
        "<field>su3gauge</field><precision>99</precision><lx>4</lx><ly>2</ly><lz>6</lz><lt>10</lt>",
        "<field>su3gauge</field><precision>4294967360</precision><lx>4</lx><ly>2</ly><lz>6</lz><lt>10</lt>",
        "<field>su5gauge</field><precision>64</precision><lx>4</lx><ly>2</ly><lz>6</lz><lt>10</lt>",
        "<field>su3gauge</field><precision>64</precision><lx>4</lx><ly>2</ly><lz>6</lz><lt>99999999999999999999</lt>",
        "<field>su3gauge</field><precision>64</precision><lx>4294967296</lx><ly>4294967296</ly><lz>4294967296</"
        "lz><lt>10</lt>",
        "<field>su3gauge</field><precision>64</precision><lx>-4</lx><ly>-2</ly><lz>6</lz><lt>10</lt>",
        "<field>su3gauge</field><precision>32</precision><lx>4</lx><ly>2</ly><lz>6</lz><lt>10</lt>",
        "<field>su3gauge</field><precision>64</precision><lx>4</lx><ly>2</ly><lz>6</lz><lt>11</lt>",
        "<<<lx",
        "<lx",
        ""};
    for (size_t i = 0; i < sizeof xml / sizeof *xml; i++) {
        char *what = lat_text("format '%s'", xml[i]);
        expect_ildg("fbc", xml[i], sums, ENDS, NULL, LAT_FORMAT, NULL, what);
        free(what);
    }
    char *longest = lat_alloc(70000, 1);
    memset(longest, ' ', 69999);
    expect_ildg("fbc", longest, sums, ENDS, NULL, LAT_FORMAT, NULL, "a format of 70000 bytes");
    free(longest);
    lat_bytes file = ildg("fbc", xml64, sums, ENDS);
    const int64_t second = 144 + ((int64_t)sizeof xml64 + 7) / 8 * 8;
    expect_changed(&file, second + 8, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8, LAT_FORMAT, "a record of 2^63 - 1 bytes");
    expect_changed(&file, second + 8, "\xff\xff\xff\xff\xff\xff\xff\xf8", 8, LAT_FORMAT, "a record of 2^64 - 8 bytes");
    expect_changed(&file, second, "\x45\x67\x89\xac", 4, LAT_FORMAT, "another magic number");
    expect_changed(&file, second + 5, "\2", 1, LAT_FORMAT, "another version");
    char type[128];
    memset(type, 'x', sizeof type);
    expect_changed(&file, second + 16, type, sizeof type, LAT_FORMAT, "a type without end");
    free(file.data);
}

static void test_hostile_nersc(void)
{
    static const char *const bad[] = {"DIMENSION_4 = 11",
                                      "DIMENSION_4 = 9999999999",
                                      "DIMENSION_4 = 99999999999999999999999",
                                      "DIMENSION_4 = -10",
                                      "DIMENSION_4 = 0",
                                      "DIMENSION_4 = ten",
                                      "DIMENSION_4 =",
                                      "DIMENSION_4",
                                      "DIMENSION_4 = 10 10",
                                      "DIMENSION_5 = 10"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lat_bytes file = {0};
        lat_bytes_print(
            &file,
            "BEGIN_HEADER\nDATATYPE = 4D_SU3_GAUGE_3x3\nDIMENSION_1 = 4\nDIMENSION_2 = 2\nDIMENSION_3 = 6\n%s\n"
            "FLOATING_POINT = IEEE64BIG\nEND_HEADER\n",
            bad[i]);
        golden_matrices(&file, 3, 64, true);
        expect_refusal(&file, bad[i]);
        free(file.data);
    }
    static const char *const pairs[][2] = {{"4D_SU3_GAUGE_3x3", "IEEE128"},   {"4D_SU4_GAUGE_4x4", "IEEE64BIG"},
                                           {"4D_SU3_GAUGE_2x2", "IEEE64BIG"}, {"", "IEEE64BIG"},
                                           {"4D_SU3_GAUGE_3x3", ""},          {"4D_SU3_GAUGE", "IEEE64BIG"},
                                           {"4D_SU3_GAUGE_3x3", "IEEE32BIG"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        lat_bytes file = nersc(pairs[i][0], pairs[i][1], "", 3, 64, true);
        char *what = lat_text("type '%s' of '%s'", pairs[i][0], pairs[i][1]);
        expect_refusal(&file, what);
        free(what);
        free(file.data);
    }
    lat_bytes swapped = nersc64("");
    char *x = strstr(swapped.data, "DIMENSION_1 = 4"), *y = strstr(swapped.data, "DIMENSION_2 = 2");
    x[14] = '2';
    y[14] = '4';
    expect_refusal(&swapped, "extents in another order than the lattice's");
    memcpy(strstr(swapped.data, "END_HEADER"), "end_header", 10);
    expect_refusal(&swapped, "no end of the header");
    free(swapped.data);
    lat_bytes endless = {0};
    lat_bytes_print(&endless, "BEGIN_HEADER\n");
    for (int i = 0; i < 20000; i++) lat_bytes_print(&endless, "KEY_%d = %d\n", i, i);
    expect_refusal(&endless, "a header without end");
    free(endless.data);
}

static void test_hostile_others(void)
{
    lat_bytes milc = {0}, milc_big = {0}, openqcd = {0};
    golden_milc(&milc, false);
    golden_milc(&milc_big, true);
    golden_openqcd(&openqcd);
    expect_golden(&milc, "MILC, little-endian");
    expect_golden(&milc_big, "MILC, big-endian");
    expect_golden(&openqcd, "openQCD");
    expect_changed(&milc, 4, "\377\377\377\177", 4, LAT_FORMAT, "MILC: an extent of 2^31 - 1");
    expect_changed(&milc, 4, "\377\377\377\377", 4, LAT_FORMAT, "MILC: an extent of -1");
    expect_changed(&milc, 4, "\2\0\0\0\4\0\0\0", 8, LAT_FORMAT, "MILC: extents in another order than the lattice's");
    expect_changed(&milc, 84, "\1", 1, LAT_FORMAT, "MILC: an order of its own");
    expect_changed(&milc, 88, "\0", 1, LAT_FORMAT, "MILC: another checksum");
    lat_bytes foreign = {0};
    golden_milc(&foreign, false);
    memcpy(foreign.data + 88, "\1\2\3\4\5\6\7\10", 8);
    expect(&foreign, NULL, LAT_DONE, true, "sum29 is 58a94366 and should be 4030201; sum31 is 831e0bb4 and should be 8070605",
           "MILC: sums of another kind are a warning");
    memset(foreign.data + 96, 0, 72); /* a matrix, with such sums */
    expect_refusal(&foreign, "MILC: sums of another kind, and a matrix that is not in the group");
    free(foreign.data);
    expect_changed(&openqcd, 0, "\377\377\377\177", 4, LAT_FORMAT, "openQCD: an extent of 2^31 - 1");
    expect_changed(&openqcd, 0, "\0\0\0\0", 4, LAT_FORMAT, "openQCD: an extent of 0");
    expect_changed(&openqcd, 0, "\7\0\0\0", 4, LAT_FORMAT, "openQCD: an odd extent");
    expect_changed(&openqcd, 0, "\377\177\0\0\377\177\0\0\377\177\0\0\377\177\0\0", 16, LAT_FORMAT,
                   "openQCD: extents of 2^15 - 1");
    expect_changed(&openqcd, 16, "\0\0\0\0\0\0\370\177", 8, LAT_FORMAT, "openQCD: a plaquette that is no number");
    expect_changed(&openqcd, 16, "\0\0\0\0\0\0\0\0", 8, LAT_FORMAT, "openQCD: another plaquette");
    expect(&milc, &(lat_config_options){.format = "openqcd"}, LAT_FORMAT, false, NULL, "MILC as openQCD");
    expect(&milc, &(lat_config_options){.format = "ildg"}, LAT_FORMAT, false, NULL, "MILC as ILDG");
    expect(&milc, &(lat_config_options){.format = "nersc"}, LAT_FORMAT, false, NULL, "MILC as NERSC");
    expect(&openqcd, &(lat_config_options){.format = "milc"}, LAT_FORMAT, false, NULL, "openQCD as MILC");
    lat_bytes none = {0};
    lat_bytes_add(&none, "", 0);
    expect_refusal(&none, "no bytes at all");
    free(none.data);
    free(milc.data);
    free(milc_big.data);
    free(openqcd.data);
}

/* ------------------------------------------------------------------------------------------------ truncation, flips */

static lat_status read_bytes(lat_bytes *bytes, int64_t size, lat_error *error)
{
    lat_config_report report = {0};
    bool same;
    char *path = in_directory("made");
    lat_bytes part = {bytes->data, size, 0};
    spill(path, &part);
    lat_status status = read_as(path, NULL, &report, &same, error);
    lat_config_report_free(&report);
    free(path);
    return status;
}

/* matrices: where they begin.  A format without checksum is only tried at bits that make a matrix another one. */
static void test_damage(const char *name, lat_bytes *file, int64_t matrices, bool checksum)
{
    lat_error error;
    int64_t tried = 0, refused = 0, step = tap.ranks == 1 ? 4099 : 40009;
    for (int64_t size = 0; size < file->size; size += size < 200 && tap.ranks == 1 ? 7 : step, tried++)
        refused += read_bytes(file, size, &error) == LAT_FORMAT;
    refused += read_bytes(file, file->size - 8, &error) == LAT_FORMAT; /* seven could be padding */
    ok_all(refused == tried + 1, "%s: %lld truncated files are LAT_FORMAT", name, (long long)tried + 1);
    say(&error);
    tried = refused = 0;
    for (int64_t at = matrices; at < file->size - 300; at += step, tried++) {
        int64_t place = checksum ? at : (at & ~7) + 7;
        char bit = (char)(checksum ? 1 << at % 8 : 0x40);
        file->data[place] ^= bit;
        refused += read_bytes(file, file->size, &error) == LAT_FORMAT;
        file->data[place] ^= bit;
    }
    ok_all(refused == tried, "%s: %lld files with one bit flipped are LAT_FORMAT", name, (long long)tried);
    say(&error);
}

static void test_all_damage(void)
{
    lat_bytes file[4] = {nersc64(sums64), ildg("fbc", xml64, sums, ENDS)};
    golden_milc(&file[2], false);
    golden_openqcd(&file[3]);
    test_damage("NERSC", &file[0], strstr(file[0].data, "END_HEADER") + 11 - file[0].data, true);
    test_damage("ILDG", &file[1], 2 * 144 + ((int64_t)sizeof xml64 + 7) / 8 * 8, true);
    test_damage("MILC", &file[2], 96, true);
    test_damage("openQCD", &file[3], 24, false);
    lat_bytes_add(&file[0], "", 1);
    expect(&file[0], NULL, LAT_DONE, true, "1 bytes of padding", "NERSC: a NUL too many is padding");
    for (int i = 0; i < 511; i++) lat_bytes_add(&file[i % 4], "\n\0", 2);
    for (int i = 0; i < 4; i++)
        expect(&file[i], NULL, LAT_DONE, true, "bytes of padding", "NULs and line ends to the end of a block are padding");
    for (int i = 0; i < 4; i++) {
        lat_bytes_add(&file[i], "x", 1);
        expect_refusal(&file[i], "a byte too many");
        if (i != 1) expect(&file[i], &(lat_config_options){.lenient = true}, LAT_DONE, true, "nobody knows", "which can be forced");
    }
    for (int i = 0; i < 4; i++) free(file[i].data);
}

/* A NERSC file of two rows, 32 bits, one of whose numbers is replaced, without sums that would tell. */
static void test_no_links(void)
{
    static const struct {
        float value;
        const char *name;
    } bad[] = {{NAN, "NaN"}, {INFINITY, "infinity"}, {0.5f, "0.5"}, {1e30f, "1e30"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lat_bytes file = nersc("4D_SU3_GAUGE", "IEEE32LITTLE", "", 2, 32, false);
        memcpy(file.data + file.size - 4, &bad[i].value, 4);
        char *what = lat_text("%s in a matrix: refused", bad[i].name);
        expect(&file, &(lat_config_options){.lenient = true}, LAT_FORMAT, false, NULL, what);
        free(what);
        free(file.data);
    }
    lat_bytes file = nersc64("");
    for (int i = 1; i <= GOLDEN_LINK; i++) file.data[file.size - 8 * i] ^= (char)0x80;
    expect(&file, &(lat_config_options){.lenient = true}, LAT_FORMAT, false, NULL,
           "a matrix of determinant -1: refused");
    free(file.data);
}

/* ------------------------------------------------------------------------------------------------------- provenance */

static void test_provenance(void)
{
    const lat_provenance given[] = {{"program", "flowhmc 1"}, {"step", "000300"},
                                    {"seed", "12"},           {"configuration", "a = 1;\nb = \"x\\n\";\n"},
                                    {"ensemble_id", "b6"},    {"lfn", "lfn://me/x"},
                                    {"model_sha256", ""}};
    const int count = sizeof given / sizeof *given;
    lat_gauge *gauge = golden_links(golden);
    const char *const names[] = {"p.h5", "p.ildg", "p.nersc"};
    for (int i = 0; i < 3; i++) {
        lat_error error = {0};
        lat_config_report report = {0};
        bool same;
        char *path = in_directory(names[i]);
        lat_config_write(path, gauge, 0, given, count, &error);
        read_as(path, NULL, &report, &same, &error);
        bool good = error.status == LAT_DONE;
        for (int k = 0; k < count; k++) {
            const char *value = lat_provenance_find(report.provenance, report.provenance_count, given[k].key);
            /* NERSC keeps what fits in a line */
            bool kept = i < 2 || (strcmp(given[k].key, "configuration") && *given[k].value);
            good = good && (kept ? value && strcmp(value, given[k].value) == 0 : !value);
        }
        ok_all(good, "%s: provenance comes back", names[i]);
        if (tap.rank == 0 && !good)
            for (int k = 0; k < report.provenance_count; k++)
                printf("# %s = %s\n", report.provenance[k].key, report.provenance[k].value);
        lat_config_report_free(&report);
    }
    lat_gauge_free(gauge);
}

/* ------------------------------------------------------------------------------------------------------------ SU(2) */

/* Matrices of SU(2) without a format record: LatticeQCD.jl. */
static void test_su2_alone(lat_gauge *gauge)
{
    for (int bits = 32; bits <= 64; bits += 32) {
        lat_error error = {0};
        lat_group group = LAT_GROUPS;
        lat_shape shape;
        lat_config_report report = {0};
        lat_config_options options = {.bits = bits, .size = {4, 2, 6, 10}};
        char *path = in_directory("su2-alone.ildg");
        lat_config_write_as(path, gauge, 0, &options, NULL, 0, &error);
        lat_bytes whole = slurp(path), alone = {0};
        const char *data = memmem(whole.data, (size_t)whole.size, "ildg-binary-data", 16);
        golden_record(&alone, WHOLE, "ildg-binary-data", data + 128, GOLDEN_SITES * 4 * bits);
        spill(path, &alone);
        options.bits = 0;
        lat_config_shape_as(MPI_COMM_WORLD, path, &options, &group, &shape, &error);
        lat_config_read_as(path, gauge, &options, &report, &error);
        ok_all(error.status == LAT_DONE && group == LAT_SU2 && strstr(report.warning, "no checksum"),
               "matrices of SU(2) alone, %d bits: the length tells", bits);
        say(&error);
        lat_config_report_free(&report);
        free(whole.data);
        free(alone.data);
    }
}

/* Random links through the formats that can say su2, and back. */
static void test_su2(void)
{
    static const struct {
        const char *name, *type;
        bool two_rows;
    } files[] = {{"su2.nersc", "4D_SU2_GAUGE_2x2\n", false},
                 {"su2-one-row.nersc", "4D_SU2_GAUGE\n", true},
                 {"su2.ildg", "su2gauge", false},
                 {"su2.h5", "su2", false}};
    lat_gauge *gauge = lat_gauge_create(golden, LAT_SU2, LAT_DOUBLE);
    lat_gauge *back = lat_gauge_create(golden, LAT_SU2, LAT_DOUBLE);
    const int64_t count = golden->volume * gauge->links->components;
    double *a = lat_alloc(2 * count, sizeof *a), *b = a + count;
    lat_gauge_haar(gauge, &(lat_random){.seed = 5, .purpose = LAT_RANDOM_TEST});
    lat_field_gather(gauge->links, 0, a);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        lat_error error = {0};
        lat_group group = LAT_GROUPS;
        lat_shape shape;
        char *path = in_directory(files[i].name);
        lat_config_write_as(path, gauge, 0, &(lat_config_options){.two_rows = files[i].two_rows}, NULL, 0,
                            &error);
        lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, &error);
        lat_config_read(path, back, &error);
        lat_field_gather(back->links, 0, b);
        lat_bytes file = slurp(path);
        ok_all(error.status == LAT_DONE && group == LAT_SU2 && memcmp(a, b, (size_t)count * sizeof *a) == 0 &&
                   memmem(file.data, (size_t)file.size, files[i].type, strlen(files[i].type)),
               "%s comes back->links to the bit", files[i].name);
        say(&error);
        free(file.data);
    }
    test_su2_alone(gauge);
    lat_error error = {0};
    lat_gauge *wrong = lat_gauge_create(golden, LAT_SU3, LAT_DOUBLE);
    ok_all(lat_config_read(in_directory("su2.ildg"), wrong, &error) == LAT_FORMAT, "su2 is not read as su3");
    say(&error);
    lat_gauge_free(wrong);
    lat_gauge_free(gauge);
    lat_gauge_free(back);
    free(a);
}

/* ------------------------------------------------------------------------------------------- what cannot be written */

static void expect_unwritten(const char *name, const lat_geometry *g, lat_group group,
                             const lat_config_options *options, double spoil, lat_status status)
{
    lat_error error = {0};
    lat_gauge *gauge = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field_zero(gauge->links);
    if (group == LAT_SU3 && g == golden) {
        double kept = values[GOLDEN_REALS - 1];
        values[GOLDEN_REALS - 1] += spoil;
        lat_field_scatter(gauge->links, 0, values);
        values[GOLDEN_REALS - 1] = kept;
    }
    char *path = in_directory(name);
    ok_all(lat_config_write_as(path, gauge, 0, options, NULL, 0, &error) == status &&
               !exists(lat_text("%s.tmp", path)),
           "%s is not written: %d", name, (int)status);
    say(&error);
    lat_gauge_free(gauge);
}

static void test_unwritable(void)
{
    lat_geometry *flat = lattice(MPI_COMM_WORLD, (lat_shape){.dim = 2, .size = {8, 8}});
    lat_geometry *odd = lattice(MPI_COMM_WORLD, (lat_shape){.dim = 4, .size = {3, 4, 4, 4}});
    const lat_config_options none = {0}, two = {.two_rows = true}, single = {.bits = 32}, half = {.bits = 16},
                             milc = {.format = "milc"}, other = {.format = "nercs"};
    expect_unwritten("x.nersc", flat, LAT_U1, &none, 0, LAT_CONFIG);
    expect_unwritten("x.ildg", flat, LAT_SU3, &none, 0, LAT_CONFIG);
    expect_unwritten("x.openqcd", golden, LAT_SU2, &none, 0, LAT_CONFIG);
    expect_unwritten("odd.openqcd", odd, LAT_SU3, &none, 0, LAT_CONFIG);
    expect_unwritten("two.ildg", golden, LAT_SU3, &two, 0, LAT_CONFIG);
    expect_unwritten("two.h5", golden, LAT_SU3, &two, 0, LAT_CONFIG);
    expect_unwritten("single.openqcd", golden, LAT_SU3, &single, 0, LAT_CONFIG);
    expect_unwritten("half.nersc", golden, LAT_SU3, &half, 0, LAT_CONFIG);
    expect_unwritten("x.nersc", golden, LAT_SU3, &milc, 0, LAT_CONFIG);
    expect_unwritten("x.nersc", golden, LAT_SU3, &other, 0, LAT_CONFIG);
    expect_unwritten("no-ending", golden, LAT_SU3, &none, 0, LAT_CONFIG);
    expect_unwritten("none/x.nersc", golden, LAT_SU3, &none, 0, LAT_FILE);
    expect_unwritten("golden.nersc/x.ildg", golden, LAT_SU3, &none, 0, LAT_FILE);
    expect_unwritten("nan.nersc", golden, LAT_SU3, &none, NAN, LAT_NUMERICAL);
    expect_unwritten("spoilt.openqcd", golden, LAT_SU3, &none, 0.01, LAT_NUMERICAL);
    lat_geometry_free(flat);
    lat_geometry_free(odd);
}

static void limit_size(rlim_t size)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* Files may have at most so many bytes, as on a disk that becomes full. */
static void test_full_disk(const char *name)
{
    char *path = in_directory(name), *temporary = lat_text("%s.tmp", path);
    lat_gauge *gauge = golden_links(golden);
    lat_error error = {0}, last = {0};
    lat_config_report report = {0};
    int refused = 0, written = 0, wrong = 0;
    bool same;
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t size = 0; size < 400000; size += 66667) {
        error = (lat_error){0};
        limit_size(size);
        lat_status status = lat_config_write(path, gauge, 0, NULL, 0, &error);
        limit_size(RLIM_INFINITY);
        refused += status == LAT_FILE;
        written += status == LAT_DONE;
        if (status == LAT_FILE) last = error;
        wrong += exists(temporary) || (written == 0) == exists(path);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    ok_all(wrong == 0 && refused == 5 && written == 1 && read_as(path, NULL, &report, &same, &error) == LAT_DONE &&
               same,
           "%s: on a full disk LAT_FILE, and nothing is left", name);
    say(&last);
    lat_config_report_free(&report);
    lat_gauge_free(gauge);
}

/* ------------------------------------------------------------------------------------------ files of other programs */

typedef struct {
    const char *name, *format;
    int64_t size[4];
    double plaquette, trace, tolerance;
    uint32_t checksum[2];
} sample;

static const sample samples[] = {
    {"nersc.l8t4b3360", "nersc", {8, 8, 8, 4}, 0.50386644695, 0.00540608386, 5e-12, {0xb379560a}},
    {"lat.sample.l4444.ildg", "ildg", {4, 4, 4, 4}, 0.594850158947, 0.646758737419, 5e-13, {0x37affb9c, 0x2fc07bbf}},
    {"t_dprec_ildg.lime", "ildg", {4, 4, 4, 4}, 0.0382422894096, 0.4630322100049, 5e-13, {0xe6ca40a6, 0x59cdeef1}},
    {"lat.sample.l4444", "milc", {4, 4, 4, 4}, 0.594850158947, 0.646758737419, 5e-13, {0x02352c05, 0xd137321d}},
    {"openqcd_8x8x8x8_b6.0_n6.openqcd", "openqcd", {8, 8, 8, 8}, 0.58988585462, 0, 5e-12, {0}},
};

/* Through each format that is written, and back: nothing but the rounding of what is left out may change. */
static void test_around(lat_gauge *gauge, const sample *s)
{
    static const char *const names[] = {"around.nersc", "around.ildg", "around.openqcd", "around.h5"};
    int64_t count = gauge->links->geometry->volume * gauge->links->components;
    double *before = lat_alloc(2 * count, sizeof *before), *after = before + count, worst = 0;
    lat_gauge *back = lat_gauge_create(gauge->links->geometry, LAT_SU3, LAT_DOUBLE);
    lat_config_report report = {0};
    lat_error error = {0};
    bool same = true;
    lat_field_gather(gauge->links, 0, before);
    for (int i = 0; i < 4; i++) {
        char *path = in_directory(names[i]);
        lat_config_write(path, gauge, 0, NULL, 0, &error);
        lat_config_read(path, back, &error);
        lat_field_gather(back->links, 0, after);
        same = same && memcmp(before, after, (size_t)count * sizeof *before) == 0;
    }
    ok_all(error.status == LAT_DONE && same, "%s: comes back to the bit from all formats", s->name);
    say(&error);
    char *path = in_directory("around-two-row.nersc");
    lat_config_write_as(path, gauge, 0, &(lat_config_options){.two_rows = true}, NULL, 0, &error);
    lat_config_read_as(path, back, NULL, &report, &error);
    lat_field_gather(back->links, 0, after);
    for (int64_t i = 0; i < count; i++) worst = fmax(worst, fabs(before[i] - after[i]));
    ok_all(error.status == LAT_DONE && worst < 1e-6 && fabs(report.plaquette - s->plaquette) < 1e-7,
           "%s: from two rows, but for %.1g", s->name, worst);
    say(&error);
    lat_config_report_free(&report);
    lat_gauge_free(back);
    free(before);
}

static void test_sample(const sample *s)
{
    char *path = lat_text("%s/../shared/configs/%s", FLOWHMC_SOURCEDIR, s->name);
    lat_error error = {0};
    lat_config_report report = {0};
    lat_group group;
    lat_shape shape;
    if (!exists(path)) {
        ok(true, "%s # SKIP it is not there", s->name);
        return;
    }
    lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, &error);
    ok_all(error.status == LAT_DONE && group == LAT_SU3 && memcmp(shape.size, s->size, sizeof s->size) == 0,
           "%s: its shape", s->name);
    lat_geometry *g = lattice(MPI_COMM_WORLD, shape);
    lat_gauge *gauge = lat_gauge_create(g, LAT_SU3, LAT_DOUBLE);
    ok_all(lat_config_read_as(path, gauge, NULL, &report, &error) == LAT_DONE &&
               strcmp(report.format, s->format) == 0,
           "is read");
    say(&error);
    ok_near(report.plaquette, s->plaquette, s->tolerance, "plaquette");
    if (s->trace != 0) ok_near(report.trace, s->trace, s->tolerance, "link trace");
    ok_all(report.checksum[0] == s->checksum[0] && report.checksum[1] == s->checksum[1], "checksums");
    test_around(gauge, s);
    lat_config_report_free(&report);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
    free(path);
}

static void make_directory(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/flowhmc-formats-XXXXXX", base ? base : "/tmp");
    if (tap.rank == 0 && !mkdtemp(directory)) lat_abort(LAT_FILE, "%s: %s", directory, strerror(errno));
    MPI_Bcast(directory, sizeof directory, MPI_BYTE, 0, MPI_COMM_WORLD);
}

static void remove_directory(void)
{
    char *command = lat_text("rm -r '%s'", directory);
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0 && system(command) != 0) printf("# %s is left\n", directory);
    free(command);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    make_directory();
    golden_field(values);
    golden = golden_geometry(MPI_COMM_WORLD, 1);
    for (int i = 0; i < VARIANTS; i++) test_variant(&variants[i]);
    test_nersc();
    test_ildg();
    test_xml();
    test_messages();
    test_scidac();
    test_open_boundary();
    test_hostile_nersc();
    test_hostile_ildg();
    test_hostile_others();
    test_all_damage();
    test_no_links();
    test_provenance();
    test_su2();
    test_unwritable();
    test_full_disk("full.nersc");
    test_full_disk("full.ildg");
    test_full_disk("full.openqcd");
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) test_sample(&samples[i]);
    lat_geometry_free(golden);
    remove_directory();
    return tap_end();
}
