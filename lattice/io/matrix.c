/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matrix.c: one matrix of a file: how many bytes it has, how they stand for a link, and where it belongs.
 */
#include "lattice/io/io.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DIM = 4, MOST_REALS = 18 };

static int colours_of(lat_group group) { return group == LAT_SU2 ? 2 : 3; }

int64_t lat_unit_bytes(const lat_matrix_format *format, const lat_matrices *m)
{
    return (int64_t)format->unit_links * 2 * m->rows * colours_of(m->group) * (m->bits / 8);
}

bool lat_unit_count(const lat_matrix_format *format, const lat_matrices *m, int64_t *units)
{
    int64_t bytes;
    *units = 1;
    for (int mu = 0; mu < DIM; mu++)
        if (m->size[mu] < 1 || __builtin_mul_overflow(*units, m->size[mu], units)) return false;
    if (__builtin_mul_overflow(*units, DIM * 9 * 16, &bytes) || bytes > INT64_MAX / 2) return false;
    *units = *units * DIM / format->unit_links;
    return true;
}

void lat_locate_site(const int64_t size[LAT_MAX_DIM], int64_t unit, lat_place place[LAT_MOST_UNIT])
{
    int64_t c[LAT_MAX_DIM];
    for (int mu = 0; mu < DIM; mu++) {
        c[mu] = unit % size[mu];
        unit /= size[mu];
    }
    for (int mu = 0; mu < DIM; mu++) {
        memcpy(place[mu].coordinate, c, sizeof c);
        place[mu].direction = mu;
    }
}

/* ---------------------------------------------------------------------------------------------------------- headers */

void lat_append_warning(char *text, size_t size, const char *format, va_list list)
{
    size_t n = strlen(text);
    if (n) n += (size_t)snprintf(text + n, size - n, "; ");
    if (n < size) vsnprintf(text + n, size - n, format, list);
}

void lat_matrices_warn(lat_matrices *m, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    lat_append_warning(m->warning, sizeof m->warning, format, list);
    va_end(list);
}

void lat_matrices_head(const char *path, int descriptor, int64_t file_bytes, const char *program, uint8_t *head,
                       int64_t head_size, lat_error *error)
{
    if (file_bytes < head_size)
        lat_fail(error, LAT_FORMAT, "%s: has %lld bytes, fewer than a header of %s: it is cut off, take another copy",
                 path, (long long)file_bytes, program);
    else if (lat_read_at(descriptor, head, head_size, 0) != head_size)
        lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the disk", path,
                 errno ? strerror(errno) : "it ended early");
}

bool lat_only_padding(int descriptor, int64_t begin, int64_t end)
{
    enum { LONGEST = 1 << 24, CHUNK = 1 << 14 };
    uint8_t bytes[CHUNK];
    if (end - begin > LONGEST) return false;
    for (int64_t n; begin < end; begin += n) {
        n = end - begin < CHUNK ? end - begin : CHUNK;
        if (lat_read_at(descriptor, bytes, n, begin) != n) return false;
        for (int64_t i = 0; i < n; i++)
            if (bytes[i] && !isspace(bytes[i])) return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------ bytes and numbers */

/* The host is little-endian (h5.c asserts it).  The copies of bits and big tell the compiler that bytes are not they. */
static inline void numbers_of_bytes(const lat_matrices *m, const uint8_t *bytes, int count, double *out)
{
    const bool big = m->big, wide = m->bits == 64;
    for (int i = 0; wide && i < count; i++) {
        uint64_t word;
        memcpy(&word, bytes + 8 * i, sizeof word);
        if (big) word = __builtin_bswap64(word);
        memcpy(&out[i], &word, sizeof word);
    }
    for (int i = 0; !wide && i < count; i++) {
        uint32_t word;
        float value;
        memcpy(&word, bytes + 4 * i, sizeof word);
        if (big) word = __builtin_bswap32(word);
        memcpy(&value, &word, sizeof value);
        out[i] = value;
    }
}

static inline void bytes_of_numbers(const lat_matrices *m, const double *in, int count, uint8_t *bytes)
{
    const bool big = m->big, wide = m->bits == 64;
    for (int i = 0; wide && i < count; i++) {
        uint64_t word;
        memcpy(&word, &in[i], sizeof word);
        if (big) word = __builtin_bswap64(word);
        memcpy(bytes + 8 * i, &word, sizeof word);
    }
    for (int i = 0; !wide && i < count; i++) {
        float value = (float)in[i];
        uint32_t word;
        memcpy(&word, &value, sizeof word);
        if (big) word = __builtin_bswap32(word);
        memcpy(bytes + 4 * i, &word, sizeof word);
    }
}

/* c = conj(a x b), the third row of an SU(3) matrix. */
static void third_row(const double *a, const double *b, double *c)
{
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        c[2 * i] =
            a[2 * j] * b[2 * k] - a[2 * j + 1] * b[2 * k + 1] - a[2 * k] * b[2 * j] + a[2 * k + 1] * b[2 * j + 1];
        c[2 * i + 1] =
            a[2 * k] * b[2 * j + 1] + a[2 * k + 1] * b[2 * j] - a[2 * j] * b[2 * k + 1] - a[2 * j + 1] * b[2 * k];
    }
}

/* U = a0 + i a.sigma, so that the first row is (a0 + i a3, a2 + i a1) and the second (-a2 + i a1, a0 - i a3).  Numbers
 * that are no such matrix become NaN. */
static void su2_link(int rows, const double *m, double *link)
{
    const double tolerance = 1e-4, second[] = {-m[2], m[3], m[0], -m[1]};
    link[0] = m[0];
    link[1] = m[3];
    link[2] = m[2];
    link[3] = m[1];
    for (int i = 0; i < 4 && rows == 2; i++)
        if (!(fabs(m[4 + i] - second[i]) <= tolerance)) link[0] = NAN;
}

void lat_link_of_bytes(const lat_matrices *m, const uint8_t *bytes, double *link)
{
    double matrix[8] = {0};
    if (m->group == LAT_SU2) {
        numbers_of_bytes(m, bytes, 4 * m->rows, matrix);
        if (m->quaternions)
            memcpy(link, (double[]){matrix[0], matrix[1], -matrix[2], matrix[3]}, 4 * sizeof *link);
        else
            su2_link(m->rows, matrix, link);
        return;
    }
    numbers_of_bytes(m, bytes, 6 * m->rows, link);
    if (m->rows == 2) third_row(link, link + 6, link + 12);
}

void lat_bytes_of_link(const lat_matrices *m, const double *link, uint8_t *bytes)
{
    if (m->group == LAT_SU2) {
        const double all[] = {link[0], link[3], link[2], link[1], -link[2], link[1], link[0], -link[3]};
        bytes_of_numbers(m, all, 4 * m->rows, bytes);
    } else {
        bytes_of_numbers(m, link, 6 * m->rows, bytes);
    }
}

bool lat_matrix_is_link(const lat_matrices *m, const uint8_t *bytes)
{
    const double tolerance = 1e-3, norm = m->group == LAT_SU2 ? 1 : 3;
    double link[MOST_REALS] = {0}, sum = 0;
    lat_link_of_bytes(m, bytes, link);
    for (int i = 0; i < lat_link_reals(m->group); i++) sum += link[i] * link[i];
    return fabs(sum - norm) <= tolerance;
}
