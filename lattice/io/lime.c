/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lime.c: LIME, the container of ILDG and SciDAC files: records of a header of 144 bytes, data, and NULs up to a
 * multiple of eight bytes.  The header, big-endian: magic number, version 1, flags (message begins, message ends),
 * length, type. Records are found by walking from header to header, never by looking for the magic number in data.
 */
#include "lattice/io/lime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIME_VERSION = 1, FLAG_BEGINS = 0x80, FLAG_ENDS = 0x40, FLAGS_AT = 6, LENGTH_AT = 8, TYPE_AT = 16 };

static uint64_t big_endian(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++) value = value << 8 | bytes[i];
    return value;
}

bool lime_next(const char *path, int descriptor, int64_t file_bytes, int64_t *at, lime_record *record, lat_error *error)
{
    uint8_t header[LIME_HEADER_BYTES];
    if (error->status != LAT_DONE || lat_only_padding(descriptor, *at, file_bytes)) return false;
    if (file_bytes - *at < LIME_HEADER_BYTES) {
        lat_fail(error, LAT_FORMAT, "%s: ends within the header of a record: it is cut off, take another copy", path);
        return false;
    }
    if (lat_read_at(descriptor, header, LIME_HEADER_BYTES, *at) != LIME_HEADER_BYTES) {
        lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the disk", path,
                 errno ? strerror(errno) : "it ended early");
        return false;
    }
    uint64_t length = big_endian(header + LENGTH_AT, 8);
    int64_t left = file_bytes - *at - LIME_HEADER_BYTES;
    memcpy(record->type, header + TYPE_AT, LIME_TYPE_BYTES);
    if (big_endian(header, 4) != LIME_MAGIC || big_endian(header + 4, 2) != LIME_VERSION ||
        !memchr(record->type, 0, LIME_TYPE_BYTES))
        lat_fail(error, LAT_FORMAT, "%s: there is no LIME record at byte %lld: it is damaged, take another copy", path,
                 (long long)*at);
    else if (length > (uint64_t)left)
        lat_fail(error, LAT_FORMAT,
                 "%s: a record of %llu bytes is announced where %lld are left: it is cut off or damaged, take another "
                 "copy",
                 path, (unsigned long long)length, (long long)left);
    if (error->status) return false;
    record->offset = *at + LIME_HEADER_BYTES;
    record->bytes = (int64_t)length;
    record->begins = header[FLAGS_AT] & FLAG_BEGINS;
    record->ends = header[FLAGS_AT] & FLAG_ENDS;
    *at = record->offset + record->bytes; /* some leave out the last padding */
    *at = lime_padding(record->bytes) > file_bytes - *at ? file_bytes : *at + lime_padding(record->bytes);
    return true;
}

char *lime_text(const char *path, int descriptor, const lime_record *record, int64_t limit, lat_error *error)
{
    if (record->bytes > limit) {
        lat_fail(error, LAT_FORMAT,
                 "%s: its record %s has %lld bytes, the most is %lld: it is damaged, take another copy", path,
                 record->type, (long long)record->bytes, (long long)limit);
        return NULL;
    }
    char *text = lat_alloc(record->bytes + 1, 1);
    if (lat_read_at(descriptor, text, record->bytes, record->offset) == record->bytes) return text;
    lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the disk", path,
             errno ? strerror(errno) : "it ended early");
    free(text);
    return NULL;
}

void lime_put_header(lat_bytes *out, const char *type, int64_t bytes, bool begins, bool ends)
{
    uint8_t header[LIME_HEADER_BYTES] = {
        LIME_MAGIC >> 24 & 0xff, LIME_MAGIC >> 16 & 0xff, LIME_MAGIC >> 8 & 0xff, LIME_MAGIC & 0xff, 0, LIME_VERSION};
    header[FLAGS_AT] = (uint8_t)((begins ? FLAG_BEGINS : 0) | (ends ? FLAG_ENDS : 0));
    for (int i = 0; i < 8; i++) header[LENGTH_AT + i] = (uint8_t)(bytes >> (56 - 8 * i));
    for (int i = 0; i < LIME_TYPE_BYTES - 1 && type[i]; i++) header[TYPE_AT + i] = (uint8_t)type[i];
    lat_bytes_add(out, header, sizeof header);
}

void lime_put_text(lat_bytes *out, const char *type, const char *text, bool begins, bool ends)
{
    int64_t size = (int64_t)strlen(text);
    lime_put_header(out, type, size, begins, ends);
    lat_bytes_add(out, text, size);
    lat_bytes_add(out, "\0\0\0\0\0\0\0", lime_padding(size));
}
