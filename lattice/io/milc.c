/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * milc.c: version 5 files of MILC (include/io_lat.h there), which are only read: a magic number that tells the byte
 * order, four extents, a time stamp, the order of the sites, two checksums, then the matrices in 32 bits, x running
 * fastest.
 */
#include "lattice/io/io.h"

#include <stdio.h>
#include <string.h>

enum { DIM = 4, MAGIC = 20103, STAMP_BYTES = 64, HEADER_WORDS = 8, HEADER_BYTES = 4 * HEADER_WORDS + STAMP_BYTES };

static uint32_t word_at(const uint8_t *bytes, bool big)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return big ? __builtin_bswap32(word) : word;
}

static bool probe(const uint8_t *head, int64_t head_size, int64_t file_size)
{
    (void)file_size;
    return head_size >= 4 && (word_at(head, false) == MAGIC || word_at(head, true) == MAGIC);
}

static void parse(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options,
                  lat_matrices *m, lat_bytes *pairs, lat_error *error)
{
    (void)options;
    (void)pairs;
    uint8_t bytes[HEADER_BYTES];
    lat_matrices_head(path, descriptor, file_bytes, "MILC", bytes, HEADER_BYTES, error);
    if (error->status) return;
    const uint8_t *behind_stamp = bytes + 4 * (1 + DIM) + STAMP_BYTES;
    m->big = word_at(bytes, true) == MAGIC;
    if (word_at(bytes, m->big) != MAGIC)
        lat_fail(error, LAT_FORMAT, "%s: does not begin with the number %d of MILC files: take another copy", path,
                 (int)MAGIC);
    if (word_at(behind_stamp, m->big) != 0)
        lat_fail(error, LAT_FORMAT, "%s: has its sites in an order of its own (%u): let MILC write it in natural order",
                 path, word_at(behind_stamp, m->big));
    for (int mu = 0; mu < DIM; mu++) m->size[mu] = (int32_t)word_at(bytes + 4 * (1 + mu), m->big);
    m->bits = 32;
    m->offset = HEADER_BYTES;
    m->bytes = file_bytes - HEADER_BYTES;
    m->has_checksum = true;
    for (int i = 0; i < 2; i++) m->checksum[i] = word_at(behind_stamp + 4 * (1 + i), m->big);
    snprintf(m->detail, sizeof m->detail, "version 5, 32 bits, %s-endian", m->big ? "big" : "little");
}

/* Each word, rotated left by its place in the file mod 29 and mod 31. */
static void rotate_words(const lat_matrices *m, const uint8_t *bytes, int64_t first, int64_t units, uint32_t sum[2])
{
    const int64_t words = units * DIM * 18;
    unsigned a = (unsigned)(first * DIM * 18 % 29), b = (unsigned)(first * DIM * 18 % 31);
    for (int64_t i = 0; i < words; i++) {
        uint32_t word = word_at(bytes + 4 * i, m->big);
        sum[0] ^= word << a | word >> (31 & -a);
        sum[1] ^= word << b | word >> (31 & -b);
        if (++a == 29) a = 0;
        if (++b == 31) b = 0;
    }
}

/* There are files of MILC whose own sums are others than these of their words, and nothing is wrong with them.  A word that
 * was changed changes each sum by the same bits, rotated by some number of places; such a difference is damage, and so is
 * one of a single sum. */
static bool sums_are_foreign(const uint32_t sum[2], const uint32_t stored[2])
{
    uint32_t a = sum[0] ^ stored[0], b = sum[1] ^ stored[1];
    bool foreign = a != 0 && b != 0;
    for (int places = 0; places < 32; places++) foreign = foreign && (a << places | a >> (31 & -places)) != b;
    return foreign;
}

static const lat_matrix_format milc = {
    .name = "milc",
    .unit_links = DIM,
    .site_units = true,
    .parse = parse,
    .locate = lat_locate_site,
    .checksums = 2,
    .checksum_name = {"sum29", "sum31"},
    .checksum = rotate_words,
    .sums_are_foreign = sums_are_foreign,
};

const lat_config_format lat_config_milc = {"milc", &milc, probe, lat_matrices_shape, lat_matrices_read, NULL, NULL};
