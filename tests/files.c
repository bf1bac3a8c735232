/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 * # ranks: 1 2 4
 *
 * files.c: files come back as they were written, have the same bytes on any number of ranks, and are refused with the
 * right status, leaving nothing behind, when they are damaged, of another kind, or cannot be written.
 */
#define _GNU_SOURCE
#include "tests/tap.h"

#include "lattice/io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[256];

/* A path in the directory of this test; released by nobody, as there are few. */
static char *in_directory(const char *name) { return lat_text("%s/%s", directory, name); }

static void make_directory(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/flowhmc-files-XXXXXX", base ? base : "/tmp");
    if (tap.rank == 0 && !mkdtemp(directory)) lat_abort(LAT_FILE, "%s: %s", directory, strerror(errno));
    MPI_Bcast(directory, sizeof directory, MPI_BYTE, 0, MPI_COMM_WORLD);
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

/* What the disk holds, for rank 0. */
static char *slurp(const char *path, int64_t *size)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0 || fstat(descriptor, &status) != 0) lat_abort(LAT_FILE, "%s: %s", path, strerror(errno));
    *size = status.st_size;
    char *bytes = lat_alloc(*size + 1, 1);
    if (lat_read_at(descriptor, bytes, *size, 0) != *size) lat_abort(LAT_FILE, "%s: short", path);
    close(descriptor);
    return bytes;
}

/* Rank 0 puts bytes on the disk; nobody goes on before.  Truncating a file that exists makes ext4 flush it. */
static void spill(const char *path, const char *bytes, int64_t size)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0) {
        unlink(path);
        int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (descriptor < 0 || lat_write_at(descriptor, bytes, size, 0) != size)
            lat_abort(LAT_FILE, "%s: %s", path, strerror(errno));
        close(descriptor);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

static void say(const lat_error *error)
{
    if (tap.rank == 0) printf("# %s\n", error->text);
}

/* ------------------------------------------------------------------------------------------------------ plain files */

static void test_plain(void)
{
    enum { SIZE = 200000 };
    char *path = in_directory("plain"), *text = lat_alloc(SIZE + 1, 1), *back = NULL;
    int64_t size = -1;
    for (int i = 0; i < SIZE; i++) text[i] = (char)(i * 31 + i / 251);
    spill(in_directory("plain.tmp"), "left over", 9);
    lat_error error = {0};
    ok_all(lat_file_write(MPI_COMM_WORLD, path, text, SIZE, &error) == LAT_DONE, "a plain file is written");
    ok_all(lat_file_read(MPI_COMM_WORLD, path, SIZE, &back, &size, &error) == LAT_DONE && size == SIZE && !back[SIZE] &&
               memcmp(back, text, SIZE) == 0,
           "and comes back");
    ok(!exists(in_directory("plain.tmp")), "a temporary file that was left over is gone");
    free(back);
    ok_all(lat_file_read(MPI_COMM_WORLD, path, SIZE - 1, &back, &size, &error) == LAT_FILE && !back,
           "too large: refused");
    say(&error);
    error = (lat_error){0};
    ok_all(lat_file_write(MPI_COMM_WORLD, path, "", 0, &error) == LAT_DONE &&
               lat_file_read(MPI_COMM_WORLD, path, 0, &back, &size, &error) == LAT_DONE && size == 0 && back[0] == 0,
           "a file of no bytes");
    free(back);
    ok_all(lat_file_read(MPI_COMM_WORLD, in_directory("none"), 9, &back, &size, &error) == LAT_FILE,
           "missing: LAT_FILE");
    say(&error);
    error = (lat_error){0};
    ok_all(lat_file_read(MPI_COMM_WORLD, directory, 9, &back, &size, &error) == LAT_FILE, "a directory: LAT_FILE");
    say(&error);
    error = (lat_error){0};
    ok_all(lat_file_write(MPI_COMM_WORLD, in_directory("plain/x"), text, 9, &error) == LAT_FILE,
           "parent is a file: LAT_FILE");
    say(&error);
    error = (lat_error){0};
    ok_all(lat_file_write(MPI_COMM_WORLD, directory, text, 9, &error) == LAT_FILE, "path is a directory: LAT_FILE");
    say(&error);
    ok(!exists(lat_text("%s.tmp", directory)), "and no temporary file is left");
    free(text);
}

/* Rank 0 makes something that is no regular file. */
static void make_node(const char *path, const char *target)
{
    if (tap.rank == 0 && (target ? symlink(target, path) : mkfifo(path, 0666)) != 0)
        lat_abort(LAT_FILE, "%s: %s", path, strerror(errno));
    MPI_Barrier(MPI_COMM_WORLD);
}

/* Writers: names that are taken by links to other files, and pipes that nobody reads. */
static lat_status write_plain(const char *path, lat_error *error)
{
    return lat_file_write(MPI_COMM_WORLD, path, "text", 4, error);
}
static lat_status write_h5(const char *path, lat_error *error)
{
    lat_h5 *file = lat_h5_create(MPI_COMM_WORLD, path, "history");
    lat_h5_put_int(file, "x", 1);
    return lat_h5_finish(file, error);
}

static void test_nodes(void)
{
    static lat_status (*const writer[])(const char *path, lat_error *error) = {write_plain, write_h5};
    int64_t size;
    char *back;
    lat_error error = {0};
    spill(in_directory("other"), "of somebody else", 16);
    for (int i = 0; i < 2; i++) {
        char *path = lat_text("%s/node%d", directory, i), *temporary = lat_text("%s.tmp", path);
        make_node(temporary, in_directory("other"));
        error = (lat_error){0};
        ok_all(writer[i](path, &error) == LAT_DONE, "a temporary name that is a link");
        back = slurp(in_directory("other"), &size);
        ok(size == 16 && strcmp(back, "of somebody else") == 0, "is not followed");
        make_node(temporary, NULL);
        ok_all(writer[i](path, &error) == LAT_DONE, "a temporary name that is a pipe is replaced");
        say(&error);
        free(back);
        free(path);
        free(temporary);
    }
    make_node(in_directory("pipe"), NULL);
    error = (lat_error){0};
    ok_all(lat_file_read(MPI_COMM_WORLD, in_directory("pipe"), 9, &back, &size, &error) == LAT_FILE,
           "a pipe that nobody writes into is not waited for");
    say(&error);
    int keep = tap.rank == 0 ? open(in_directory("pipe"), O_RDWR | O_NONBLOCK) : -1;
    if (tap.rank == 0 && write(keep, "text", 4) != 4) lat_abort(LAT_FILE, "a pipe: %s", strerror(errno));
    error = (lat_error){0};
    ok_all(lat_file_read(MPI_COMM_WORLD, in_directory("pipe"), 3, &back, &size, &error) == LAT_FILE &&
               strstr(error.text, "more than 3 bytes"),
           "one that somebody writes into is read");
    say(&error);
    if (keep >= 0) close(keep);
    error = (lat_error){0};
    lat_h5 *file = lat_h5_open(MPI_COMM_WORLD, in_directory("pipe"), "history");
    ok_all(lat_h5_finish(file, &error) == LAT_FILE, "nor is a pipe a history");
    say(&error);
}

/* --------------------------------------------------------------------------------------------------- values, arrays */

static void put_values(lat_h5 *file, const char *text, const double *values)
{
    lat_h5_put_text(file, "text", text);
    lat_h5_put_text(file, "empty", "");
    lat_h5_put_int(file, "int", INT64_MIN);
    lat_h5_put_real(file, "real", -1.0 / 3);
    lat_h5_put_reals(file, "matrix", 2, (int64_t[]){3, 5}, values);
    lat_h5_put_reals(file, "nothing", 2, (int64_t[]){0, 5}, NULL);
}

static void test_values(void)
{
    enum { LONG = 300000 };
    char *path = in_directory("values.h5"), *text = lat_alloc(LONG + 1, 1);
    double values[15];
    int64_t extent[2] = {0};
    lat_error error = {0};
    memset(text, 'x', LONG);
    for (int i = 0; i < 15; i++) values[i] = i == 7 ? NAN : i / 7.0;
    lat_h5 *file = lat_h5_create(MPI_COMM_WORLD, path, "history");
    put_values(file, text, values);
    ok(!exists(path), "a file has no name before it is finished");
    ok_all(lat_h5_finish(file, &error) == LAT_DONE && exists(path), "values are written");
    say(&error);

    file = lat_h5_open(MPI_COMM_WORLD, path, "history");
    char *back = lat_h5_get_text(file, "text", LONG), *empty = lat_h5_get_text(file, "empty", 0);
    ok_all(back && strcmp(back, text) == 0 && empty && !*empty, "texts come back");
    ok_all(lat_h5_get_int(file, "int", INT64_MIN, INT64_MAX) == INT64_MIN, "an integer comes back");
    ok_all(lat_h5_get_real(file, "real") == -1.0 / 3, "a real comes back");
    double *matrix = lat_h5_get_reals(file, "matrix", 2, extent, 5);
    ok_all(matrix && extent[0] == 3 && extent[1] == 5 && memcmp(matrix, values, sizeof values) == 0,
           "an array comes back, NaN included");
    double *nothing = lat_h5_get_reals(file, "nothing", 2, extent, 5);
    ok_all(nothing && extent[0] == 0 && extent[1] == 5, "an array without numbers comes back");
    ok_all(lat_h5_has(file, "int") && lat_h5_has(file, "matrix") && !lat_h5_has(file, "none"), "has");
    ok_all(lat_h5_status(file) == LAT_DONE && lat_h5_finish(file, &error) == LAT_DONE, "read without complaint");
    free(back);
    free(empty);
    free(matrix);
    free(nothing);
    free(text);
}

enum {
    ASK_TEXT,
    ASK_TEXT_LIMIT,
    ASK_INT,
    ASK_RANGE,
    ASK_REAL,
    ASK_RANK,
    ASK_LIMIT,
    ASK_ABSENT,
    ASK_ARRAY,
    ASK_SET,
    ASKS
};

static void ask(lat_h5 *file, int what)
{
    int64_t extent[2];
    switch (what) {
    case ASK_TEXT: free(lat_h5_get_text(file, "int", 99)); break;
    case ASK_TEXT_LIMIT: free(lat_h5_get_text(file, "text", 99)); break;
    case ASK_INT: lat_h5_get_int(file, "real", 0, 9); break;
    case ASK_RANGE: lat_h5_get_int(file, "int", 0, 9); break;
    case ASK_REAL: lat_h5_get_real(file, "text"); break;
    case ASK_RANK: free(lat_h5_get_reals(file, "matrix", 1, extent, 99)); break;
    case ASK_LIMIT: free(lat_h5_get_reals(file, "matrix", 2, extent, 4)); break;
    case ASK_ABSENT: lat_h5_get_int(file, "none", 0, 9); break;
    case ASK_ARRAY: free(lat_h5_get_reals(file, "none", 1, extent, 9)); break;
    case ASK_SET: free(lat_h5_get_text(file, "matrix", 9)); break;
    }
}

static void test_refusals(void)
{
    for (int what = 0; what < ASKS; what++) {
        lat_error error = {0};
        lat_h5 *file = lat_h5_open(MPI_COMM_WORLD, in_directory("values.h5"), "history");
        ask(file, what);
        lat_status early = lat_h5_status(file);
        lat_h5_get_real(file, "real");
        ok_all(early == LAT_FORMAT && lat_h5_finish(file, &error) == LAT_FORMAT && strstr(error.text, directory),
               "refused: %s", strrchr(error.text, '/') + 1);
    }
    lat_error error = {0};
    lat_h5 *file = lat_h5_create(MPI_COMM_WORLD, in_directory("nan.h5"), "history");
    lat_h5_put_real(file, "real", NAN);
    ok_all(lat_h5_finish(file, &error) == LAT_NUMERICAL && !exists(in_directory("nan.h5")), "NaN is not written");
    say(&error);
}

/* ----------------------------------------------------------------------------------------------------------- fields */

static lat_geometry *geometry(MPI_Comm comm, int dim, const int64_t *size, int members)
{
    lat_error error = {0};
    lat_geometry *g = NULL;
    lat_shape shape = {.dim = dim, .members = members, .precision = LAT_FLOAT};
    memcpy(shape.size, size, (size_t)dim * sizeof *size);
    if (lat_geometry_create(comm, &shape, &g, &error) != LAT_DONE) lat_abort(error.status, "%s", error.text);
    return g;
}

/* Numbers that differ everywhere, in [-pi, pi]. */
static void fill(lat_field *field)
{
    int64_t count = field->geometry->volume * field->components;
    double *values = lat_alloc(count, sizeof *values);
    for (int m = 0; m < field->geometry->members; m++) {
        for (int64_t i = 0; i < count; i++) values[i] = remainder((double)(i + 1) * (m + 1), 2 * M_PI);
        lat_field_scatter(field, m, values);
    }
    free(values);
}

static bool same_fields(const lat_field *a, const lat_field *b)
{
    int64_t count = a->geometry->volume * a->components;
    double *x = lat_alloc(2 * count, sizeof *x);
    bool same = true;
    for (int m = 0; m < a->geometry->members; m++) {
        lat_field_gather(a, m, x);
        lat_field_gather(b, m, x + count);
        same = same && memcmp(x, x + count, (size_t)count * sizeof *x) == 0;
    }
    free(x);
    return same;
}

static lat_status write_field(MPI_Comm comm, const char *path, const lat_field *field, int member, lat_error *error)
{
    lat_h5 *file = lat_h5_create(comm, path, "checkpoint");
    lat_h5_put_int(file, "before", 1);
    lat_h5_put_field(file, "field", field, member);
    lat_h5_put_text(file, "after", "2");
    return lat_h5_finish(file, error);
}

static lat_status read_field(const char *path, lat_field *field, int member, lat_error *error)
{
    lat_h5 *file = lat_h5_open(field->geometry->comm, path, "checkpoint");
    lat_h5_get_field(file, "field", field, member);
    return lat_h5_finish(file, error);
}

/* Rank 0 writes the same on its own. */
static bool same_bytes_alone(const char *path, int dim, const int64_t *size, int components, int members,
                             lat_precision precision, int member)
{
    int same = 1;
    if (tap.rank == 0) {
        lat_error error = {0};
        int64_t n[2];
        lat_geometry *g = geometry(MPI_COMM_SELF, dim, size, members);
        lat_field *field = lat_field_create(g, components, precision);
        char *alone = in_directory("alone.h5");
        fill(field);
        same = write_field(MPI_COMM_SELF, alone, field, member, &error) == LAT_DONE;
        char *a = slurp(path, &n[0]), *b = slurp(alone, &n[1]);
        same = same && n[0] == n[1] && memcmp(a, b, (size_t)n[0]) == 0;
        free(a);
        free(b);
        lat_field_free(field);
        lat_geometry_free(g);
    }
    MPI_Bcast(&same, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return same;
}

static void test_field(int dim, const int64_t *size, int components, int members, lat_precision precision)
{
    lat_error error = {0};
    lat_geometry *g = geometry(MPI_COMM_WORLD, dim, size, members);
    lat_field *field = lat_field_create(g, components, precision), *back = lat_field_create(g, components, precision);
    char *path = in_directory("field.h5");
    const char *name =
        lat_text("%d dimensions, %d numbers, %d members, %s", dim, components, members, lat_precision_names[precision]);
    fill(field);
    ok_all(write_field(MPI_COMM_WORLD, path, field, -1, &error) == LAT_DONE &&
               read_field(path, back, -1, &error) == LAT_DONE,
           "%s", name);
    say(&error);
    ok_all(same_fields(field, back), "come back to the bit");
    ok_all(same_bytes_alone(path, dim, size, components, members, precision, -1),
           "the same bytes as written by one rank");
    if (members == 1) {
        lat_field_zero(back);
        ok_all(write_field(MPI_COMM_WORLD, path, field, 0, &error) == LAT_DONE &&
                   read_field(path, back, 0, &error) == LAT_DONE && same_fields(field, back),
               "one member alone comes back");
        ok_all(read_field(path, back, -1, &error) == LAT_FORMAT, "but not as all members");
        say(&error);
    }
    lat_field_free(field);
    lat_field_free(back);
    lat_geometry_free(g);
}

static void test_fields(void)
{
    test_field(2, (int64_t[]){8, 12}, 2, 1, LAT_DOUBLE);
    test_field(2, (int64_t[]){16, 4}, 2, 3, LAT_DOUBLE);
    test_field(3, (int64_t[]){4, 8, 6}, 12, 2, LAT_FLOAT);
    test_field(4, (int64_t[]){4, 4, 8, 8}, 72, 1, LAT_DOUBLE);
    test_field(4, (int64_t[]){8, 4, 4, 4}, 4, 5, LAT_DOUBLE);
}

/* --------------------------------------------------------------------------------------------------- configurations */

static void test_config(void)
{
    const int64_t size[] = {8, 4}, other[] = {4, 8};
    const lat_provenance provenance[] = {{"model", "abc"}, {"step", "12"}};
    char *path = in_directory("config.h5");
    lat_error error = {0};
    lat_geometry *g = geometry(MPI_COMM_WORLD, 2, size, 2), *wrong = geometry(MPI_COMM_WORLD, 2, other, 1);
    lat_gauge *gauge = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
    lat_gauge *back = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
    fill(gauge->links);
    ok_all(lat_config_write(path, gauge, 1, provenance, 2, &error) == LAT_DONE, "a configuration is written");
    say(&error);
    bool first[] = {true, false};
    ok_all(lat_config_read(path, back, &error) == LAT_DONE, "and read");
    lat_gauge_copy_members(gauge, back, first);
    ok_all(same_fields(gauge->links, back->links), "into every member");
    lat_group group;
    lat_shape shape;
    ok_all(lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, &error) == LAT_DONE && group == LAT_U1 &&
               shape.dim == 2 && shape.size[0] == 8 && shape.size[1] == 4 && shape.members == 0,
           "its shape");
    lat_gauge *other_links = lat_gauge_create(wrong, LAT_U1, LAT_DOUBLE);
    ok_all(lat_config_read(path, other_links, &error) == LAT_FORMAT && strstr(error.text, "4 x 8 x 2"),
           "other extents: LAT_FORMAT");
    say(&error);
    error = (lat_error){0};
    lat_gauge *other_group = lat_gauge_create(gauge->links->geometry, LAT_SU2, LAT_DOUBLE);
    ok_all(lat_config_read(path, other_group, &error) == LAT_FORMAT && strstr(error.text, "su2"),
           "other group: LAT_FORMAT");
    lat_gauge_free(other_group);
    say(&error);
    lat_gauge_free(gauge);
    lat_gauge_free(back);
    lat_gauge_free(other_links);
    lat_geometry_free(g);
    lat_geometry_free(wrong);
}

/* Links that are no links: NaN is not written, and numbers far from the group are not read. */
static void test_bad_links(void)
{
    const int64_t size[] = {4, 4};
    char *path = in_directory("bad.h5");
    lat_error error = {0};
    lat_geometry *g = geometry(MPI_COMM_WORLD, 2, size, 1);
    lat_gauge *gauge = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
    double values[32] = {0};
    values[31] = 4;
    lat_field_scatter(gauge->links, 0, values);
    ok_all(lat_config_write(path, gauge, 0, NULL, 0, &error) == LAT_DONE &&
               lat_config_read(path, gauge, &error) == LAT_FORMAT,
           "angle 4: LAT_FORMAT");
    say(&error);
    error = (lat_error){0};
    values[31] = NAN;
    lat_field_scatter(gauge->links, 0, values);
    ok_all(lat_config_write(path, gauge, 0, NULL, 0, &error) == LAT_NUMERICAL && !exists(in_directory("bad.h5.tmp")),
           "NaN: LAT_NUMERICAL");
    say(&error);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* ----------------------------------------------------------------------------------------------------------- damage */

static lat_status read_config(const char *path, lat_error *error)
{
    lat_group group;
    lat_shape shape;
    *error = (lat_error){0};
    return lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, error);
}

/* Every length and every byte on one rank, a sample on more. */
static void test_damage(void)
{
    char *path = in_directory("config.h5"), *copy = in_directory("damaged.h5");
    lat_error error;
    int64_t size, refused = 0, tried = 0, stride = tap.ranks == 1 ? 1 : 41;
    char *bytes = slurp(path, &size);
    for (int64_t length = 0; length < size; length += stride, tried++) {
        spill(copy, bytes, length);
        refused += read_config(copy, &error) == LAT_FORMAT;
    }
    ok_all(refused == tried, "%lld truncated files are LAT_FORMAT", (long long)tried);
    say(&error);
    refused = tried = 0;
    for (int64_t i = 0; i < size; i += stride, tried++) {
        bytes[i] ^= (char)(1 << i % 8);
        spill(copy, bytes, size);
        refused += read_config(copy, &error) == LAT_FORMAT;
        bytes[i] ^= (char)(1 << i % 8);
    }
    ok_all(refused == tried, "%lld files with one bit flipped are LAT_FORMAT", (long long)tried);
    say(&error);
    spill(copy, bytes, size + 1);
    ok_all(read_config(copy, &error) == LAT_FORMAT, "a byte too many: LAT_FORMAT");
    say(&error);
    spill(copy, bytes, size);
    ok_all(read_config(copy, &error) == LAT_DONE, "the file itself is good");
    free(bytes);
}

static void test_wrong_files(void)
{
    lat_error error;
    ok_all(read_config(in_directory("none.h5"), &error) == LAT_FILE, "missing: LAT_FILE");
    say(&error);
    ok_all(read_config(directory, &error) == LAT_FILE, "a directory: LAT_FILE");
    say(&error);
    ok_all(read_config(in_directory("config.h5/x"), &error) == LAT_FILE, "parent is a file: LAT_FILE");
    say(&error);
    ok_all(read_config(in_directory("values.h5"), &error) == LAT_FORMAT, "another kind: LAT_FORMAT");
    say(&error);
    spill(in_directory("text.h5"), lat_text("%01000d", 1), 1000);
    ok_all(read_config(in_directory("text.h5"), &error) == LAT_FORMAT, "another format: LAT_FORMAT");
    say(&error);
}

/* ----------------------------------------------------------------------------------------------- where nothing fits */

static void limit_size(rlim_t size)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* Files may have at most so many bytes, as on a disk that becomes full: what cannot be written is refused and leaves
 * nothing behind, and under the final name there is a whole file at any time. */
static void test_full_disk(void)
{
    enum { MOST = 350000 };
    const int64_t extent[] = {32, 32};
    char *path = in_directory("full.h5"), *temporary = in_directory("full.h5.tmp"), text[3000];
    lat_error error = {0}, last = {0};
    int refused = 0, written = 0, wrong = 0;
    lat_geometry *g = geometry(MPI_COMM_WORLD, 2, extent, 1);
    lat_gauge *gauge = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    const lat_provenance provenance = {"text", text};
    lat_config_write(path, gauge, 0, &provenance, 1, &error);
    fill(gauge->links);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t size = 0; size < MOST; size += tap.ranks == 1 ? 1013 : 10013) {
        error = (lat_error){0};
        limit_size(size);
        lat_status status = lat_config_write(path, gauge, 0, &provenance, 1, &error);
        limit_size(RLIM_INFINITY);
        refused += status == LAT_FILE;
        written += status == LAT_DONE;
        if (status == LAT_FILE) last = error;
        wrong +=
            (status != LAT_FILE && status != LAT_DONE) || exists(temporary) || read_config(path, &error) != LAT_DONE;
        MPI_Barrier(MPI_COMM_WORLD);
    }
    ok_all(wrong == 0 && refused > 0 && written > 0,
           "a disk full after 0 to %d bytes: LAT_FILE, and nothing is lost or left", (int)MOST);
    if (tap.rank == 0) printf("# refused %d times, written %d times\n", refused, written);
    say(&last);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

static void test_unwritable(void)
{
    lat_error error = {0};
    const int64_t extent[] = {4, 4};
    lat_geometry *g = geometry(MPI_COMM_WORLD, 2, extent, 1);
    lat_gauge *gauge = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
    ok_all(lat_config_write(in_directory("config.h5/x.h5"), gauge, 0, NULL, 0, &error) == LAT_FILE,
           "parent is a file: LAT_FILE");
    say(&error);
    error = (lat_error){0};
    ok_all(lat_config_write(in_directory("none/x.h5"), gauge, 0, NULL, 0, &error) == LAT_FILE,
           "no such directory: LAT_FILE");
    say(&error);
    error = (lat_error){0};
    char *folder = in_directory("folder.h5");
    if (tap.rank == 0 && mkdir(folder, 0777) != 0) lat_abort(LAT_FILE, "%s: %s", folder, strerror(errno));
    ok_all(lat_config_write(folder, gauge, 0, NULL, 0, &error) == LAT_FILE, "path is a directory: LAT_FILE");
    say(&error);
    ok(!exists(lat_text("%s.tmp", folder)), "and no temporary file is left");
    error = (lat_error){0};
    ok_all(lat_config_write(in_directory("config.h6"), gauge, 0, NULL, 0, &error) == LAT_CONFIG,
           "an ending that names no format: LAT_CONFIG");
    say(&error);
    spill(in_directory("again.h5.tmp"), "left by a run that was killed", 29);
    error = (lat_error){0};
    ok_all(lat_config_write(in_directory("again.h5"), gauge, 0, NULL, 0, &error) == LAT_DONE &&
               read_config(in_directory("again.h5"), &error) == LAT_DONE && !exists(in_directory("again.h5.tmp")),
           "a temporary file left by a killed run is replaced");
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* Somebody else has the temporary file in their hands, for so long. */
static pid_t hold(const char *temporary, int microseconds)
{
    int pipes[2];
    char byte;
    if (tap.rank > 0) return 0;
    if (pipe(pipes) != 0) lat_abort(LAT_FILE, "%s: %s", temporary, strerror(errno));
    const pid_t child = fork();
    if (child == 0) {
        if (lat_open_temporary(temporary) < 0 || write(pipes[1], "x", 1) != 1) _exit(1);
        usleep((useconds_t)microseconds);
        unlink(temporary);
        _exit(0);
    }
    if (read(pipes[0], &byte, 1) != 1) printf("# nobody holds it\n");
    close(pipes[0]);
    close(pipes[1]);
    return child;
}

static void test_held(void)
{
    char *path = in_directory("held.h5"), *temporary = in_directory("held.h5.tmp");
    lat_error error = {0};
    pid_t child = hold(temporary, 50000);
    MPI_Barrier(MPI_COMM_WORLD);
    ok_all(lat_h5_finish(lat_h5_create(MPI_COMM_WORLD, path, "history"), &error) == LAT_DONE,
           "a writer waits for one that is gone in a moment %s", error.text);
    if (child > 0) waitpid(child, NULL, 0);
    child = hold(temporary, 30000000);
    MPI_Barrier(MPI_COMM_WORLD);
    ok_all(lat_h5_finish(lat_h5_create(MPI_COMM_WORLD, path, "history"), &error) == LAT_FILE,
           "and not for one that stays: %s", error.text);
    if (child > 0) kill(child, SIGKILL), waitpid(child, NULL, 0);
    error = (lat_error){0};
    lat_h5 *late = lat_h5_create_new(MPI_COMM_WORLD, path, "history");
    ok_all(lat_h5_status(late) == LAT_CONFIG && lat_h5_finish(late, &error) == LAT_CONFIG && !exists(temporary),
           "who comes late to a name knows at once: %s", error.text);
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
    test_plain();
    test_nodes();
    test_values();
    test_refusals();
    test_fields();
    test_config();
    test_bad_links();
    test_damage();
    test_wrong_files();
    test_full_disk();
    test_unwritable();
    test_held();
    remove_directory();
    return tap_end();
}
