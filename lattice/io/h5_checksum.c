/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5_checksum.c: the user block at the beginning of a file, and the checksum of all that follows it: the CRC-32 of zlib,
 * of which each rank computes the part of a range of bytes.
 */
#include "lattice/io/h5_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

_Static_assert(sizeof(z_off_t) == 8, "crc32_combine with 64-bit lengths");

enum { CHUNK_BYTES = 1 << 20, FORMAT_VERSION = 1 };

/* CRC-32 of bytes [first, first + size) of the file. */
static uint32_t range_crc(lat_h5 *file, int64_t first, int64_t size)
{
    uLong crc = crc32(0, NULL, 0);
    char *chunk = lat_alloc(CHUNK_BYTES, 1);
    for (int64_t done = 0; done < size; done += CHUNK_BYTES) {
        int64_t n = size - done < CHUNK_BYTES ? size - done : CHUNK_BYTES;
        if (lat_read_at(file->descriptor, chunk, n, first + done) != n) {
            lat_h5_cannot_read(file, errno);
            break;
        }
        crc = crc32_z(crc, (const Bytef *)chunk, (size_t)n);
    }
    free(chunk);
    return (uint32_t)crc;
}

uint32_t lat_h5_whole_crc(lat_h5 *file)
{
    const int64_t size = file->bytes - LAT_H5_BLOCK_BYTES;
    int64_t share = (size + file->ranks - 1) / file->ranks;
    if (share < CHUNK_BYTES) share = CHUNK_BYTES;
    int64_t first = file->rank * share < size ? file->rank * share : size;
    int64_t mine = size - first < share ? size - first : share;
    uint32_t crc = range_crc(file, LAT_H5_BLOCK_BYTES + first, mine);
    if (file->ranks == 1) return crc;
    uint32_t *all = lat_alloc(file->ranks, sizeof *all);
    MPI_Allgather(&crc, 1, MPI_UINT32_T, all, 1, MPI_UINT32_T, file->comm);
    uLong sum = all[0];
    for (int rank = 1; rank < file->ranks && rank * share < size; rank++) {
        int64_t length = size - rank * share < share ? size - rank * share : share;
        sum = crc32_combine(sum, all[rank], length);
    }
    free(all);
    return (uint32_t)sum;
}

void lat_h5_block_print(char block[LAT_H5_BLOCK_BYTES + 1], const char *kind, int64_t bytes, uint32_t crc)
{
    int n = snprintf(block, LAT_H5_BLOCK_BYTES, "flowhmc %.31s\nformat %d\nbytes %" PRId64 "\ncrc32 %08" PRIx32 "\n", kind,
                     (int)FORMAT_VERSION, bytes, crc);
    memset(block + n, ' ', (size_t)(LAT_H5_BLOCK_BYTES - n));
    block[LAT_H5_BLOCK_BYTES - 1] = '\n';
    block[LAT_H5_BLOCK_BYTES] = 0;
}

/* The number behind a key of the user block; 0 if it is not there. */
static unsigned long long block_number(const char *block, const char *key, int base)
{
    const char *line = strstr(block, key);
    return line ? strtoull(line + strlen(key), NULL, base) : 0;
}

uint32_t lat_h5_block_parse(lat_h5 *file, const char block[LAT_H5_BLOCK_BYTES + 1])
{
    char kind[32] = "", copy[LAT_H5_BLOCK_BYTES + 1];
    unsigned long long version = block_number(block, "\nformat ", 10), bytes = block_number(block, "\nbytes ", 10);
    uint32_t crc = (uint32_t)block_number(block, "\ncrc32 ", 16);
    lat_h5_block_print(copy, file->kind, (int64_t)bytes, crc);
    if (sscanf(block, "flowhmc %31[a-z]\n", kind) != 1)
        lat_h5_refuse(file, "is not a %s file of this program", file->kind);
    else if (strcmp(kind, file->kind) != 0)
        lat_h5_refuse(file, "is a %s file, and a %s file is needed: check the path", kind, file->kind);
    else if (version != FORMAT_VERSION)
        lat_h5_refuse(file, "has format version %llu, this program reads version %d: use the program that wrote it",
                      version, (int)FORMAT_VERSION);
    else if (memcmp(block, copy, LAT_H5_BLOCK_BYTES) != 0)
        lat_h5_refuse(file, "is damaged in its first 512 bytes: take another copy");
    else if ((int64_t)bytes != file->bytes - LAT_H5_BLOCK_BYTES)
        lat_h5_refuse(file, "has %lld bytes and should have %llu: it is cut off or damaged, take another copy",
                      (long long)file->bytes, bytes + LAT_H5_BLOCK_BYTES);
    return crc;
}
