/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * digest.c: what tests/golden-runs.sh cannot say in bash.
 *
 *   digest key                      what the last bits of floating-point numbers depend on: the width of vectors, the
 *                                   compiler, the library of elementary functions
 *   digest contents FILE [NAME...]  SHA-256 of what is in an HDF5 file of the project: kind and format, attributes,
 *                                   data sets, each with its name, type and extents; those named are left out, and of
 *                                   the data set `history` of a model the last column, which is time
 *   digest milc FILE                writes a field of SU(3) in MILC's format
 *
 * It calls the HDF5 library itself, so that it stays the same program whatever becomes of the project's own reader.
 */
#include "golden.h"

#include <gnu/libc-version.h>
#include <hdf5.h>
#include <sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { USER_BLOCK = 512, HASH_TEXT = 64 };

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(1);
}

static void print_key(void)
{
#if defined(__AVX512F__)
    const char *vectors = "avx512";
#elif defined(__AVX2__)
    const char *vectors = "avx2";
#elif defined(__SSE4_2__)
    const char *vectors = "sse";
#else
    const char *vectors = "other";
#endif
#if defined(__clang__)
    printf("%s-clang%d", vectors, __clang_major__);
#else
    printf("%s-gcc%d", vectors, __GNUC__);
#endif
    printf("-glibc%s", gnu_get_libc_version());
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("fma")) printf("-without-fma"); /* libm asks the processor */
#endif
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__)
    printf("-other-flags");
#endif
    printf("\n");
}

/* --------------------------------------------------------------------------------------------------------- contents */

typedef struct {
    SHA2_CTX hash;
    char **without;
    int count;
} digest;

static void add_line(digest *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_line(digest *d, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (length < 0 || length >= (int)sizeof text) fail("a line of %d bytes", length);
    SHA256Update(&d->hash, (const uint8_t *)text, (size_t)length + 1);
}

static bool left_out(const digest *d, const char *name)
{
    for (int i = 0; i < d->count; i++)
        if (strcmp(d->without[i], name) == 0) return true;
    return false;
}

/* Name, type and extents. */
static hsize_t add_head(digest *d, const char *name, hid_t type, hid_t space, hsize_t extent[H5S_MAX_RANK])
{
    int rank = H5Sget_simple_extent_dims(space, extent, NULL);
    if (rank < 0 || H5Tis_variable_str(type)) fail("%s: no simple data", name);
    add_line(d, "%s: type %d of %zu bytes, order %d", name, (int)H5Tget_class(type), H5Tget_size(type),
             (int)H5Tget_order(type));
    hsize_t count = 1;
    for (int i = 0; i < rank; i++) {
        add_line(d, "%llu", (unsigned long long)extent[i]);
        count *= extent[i];
    }
    return count;
}

static herr_t add_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    (void)info;
    digest *d = context;
    if (left_out(d, name)) return 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute),
          space = H5Aget_space(attribute);
    hsize_t extent[H5S_MAX_RANK], size = add_head(d, name, type, space, extent) * H5Tget_size(type);
    uint8_t *bytes = calloc(size + 1, 1);
    if (!bytes || H5Aread(attribute, type, bytes) < 0) fail("%s: cannot be read", name);
    SHA256Update(&d->hash, bytes, size);
    free(bytes);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return 0;
}

static herr_t add_data(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    (void)info;
    digest *d = context;
    if (left_out(d, name)) return 0;
    hid_t data = H5Dopen2(group, name, H5P_DEFAULT);
    if (data < 0) fail("%s: no data set", name);
    hid_t type = H5Dget_type(data), space = H5Dget_space(data);
    hsize_t extent[H5S_MAX_RANK], count = add_head(d, name, type, space, extent);
    size_t one = H5Tget_size(type);
    uint8_t *bytes = calloc(count * one + 1, 1);
    if (!bytes || (count && H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0))
        fail("%s: cannot be read", name);
    bool timed = strcmp(name, "history") == 0;
    for (hsize_t i = 0; i < count; i++)
        if (!timed || i % extent[1] + 1 < extent[1]) SHA256Update(&d->hash, bytes + i * one, one);
    free(bytes);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(data);
    return 0;
}

/* The first two lines of the user block: the others are the length of the file and a checksum. */
static void add_user_block(digest *d, const char *path)
{
    char kind[64], format[64];
    FILE *file = fopen(path, "rb");
    if (!file || fscanf(file, "%63[^\n]\n%63[^\n]\n", kind, format) != 2) fail("%s: cannot be read", path);
    fclose(file);
    add_line(d, "%s", kind);
    add_line(d, "%s", format);
}

static void print_contents(const char *path, char **without, int count)
{
    digest d = {.without = without, .count = count};
    char text[HASH_TEXT + 1];
    SHA256Init(&d.hash);
    add_user_block(&d, path);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) fail("%s: no HDF5 file", path);
    if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, NULL, add_attribute, &d) < 0 ||
        H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, add_data, &d) < 0)
        fail("%s: cannot be read", path);
    H5Fclose(file);
    SHA256End(&d.hash, text);
    printf("%s\n", text);
}

/* ------------------------------------------------------------------------------------------------------------- milc */

static void write_milc(const char *path)
{
    lat_bytes bytes = {0};
    golden_milc(&bytes, true);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes.data, 1, (size_t)bytes.size, file) != (size_t)bytes.size || fclose(file) != 0)
        fail("%s: cannot be written", path);
    free(bytes.data);
}

int main(int count, char **word)
{
    if (count == 2 && strcmp(word[1], "key") == 0)
        print_key();
    else if (count >= 3 && strcmp(word[1], "contents") == 0)
        print_contents(word[2], word + 3, count - 3);
    else if (count == 3 && strcmp(word[1], "milc") == 0)
        write_milc(word[2]);
    else
        fail("usage: digest key | contents FILE [NAME...] | milc FILE");
    return 0;
}
