/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5_file.c: failures of a file that is open, and what it has written.
 */
#include "lattice/io/h5_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    CHUNK_BYTES = 1 << 20, /* of one read for the comparison */
    SPARE_BYTES = 1 << 18, /* more than HDF5 adds to a value of ours */
};

bool lat_h5_settled(lat_h5 *file) { return lat_agree(file->comm, &file->error) == LAT_DONE; }

lat_status lat_h5_status(const lat_h5 *file) { return file->error.status; }

void lat_h5_refuse(lat_h5 *file, const char *format, ...)
{
    char text[sizeof file->error.text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    /* What was read while the disk failed tells nothing. */
    lat_h5_check_disk(file);
    lat_fail(&file->error, LAT_FORMAT, "%s: %s", file->path, text);
}

void lat_h5_cannot_write(lat_h5 *file, int code)
{
    if (code)
        lat_cannot_write(file->path, code, &file->error);
    else
        lat_fail(&file->error, LAT_FILE, "%s: cannot be written: HDF5 failed: check the room on the disk", file->path);
}

void lat_h5_cannot_read(lat_h5 *file, int code)
{
    lat_fail(&file->error, LAT_FILE, "%s: cannot be read: %s: check the path and its permissions", file->path,
             code ? strerror(code) : "it ended early");
}

void lat_h5_check_disk(lat_h5 *file)
{
    if (file->disk.failure == 0) return;
    if (file->temporary)
        lat_h5_cannot_write(file, file->disk.failure);
    else
        lat_h5_cannot_read(file, file->disk.failure);
}

bool lat_h5_claim(lat_h5 *file, int64_t bytes)
{
    int64_t wanted = SPARE_BYTES + file->disk.end;
    int code = __builtin_add_overflow(wanted, bytes, &wanted) ? EFBIG : 0;
    if (code == 0 && wanted > file->claimed) {
        code = lat_claim(file->descriptor, file->claimed, wanted);
        if (code == 0) file->claimed = wanted;
    }
    if (code) lat_h5_cannot_write(file, code);
    return code == 0;
}

static void record_add(lat_h5 *file, lat_h5_record written)
{
    lat_h5_record *more = lat_alloc(file->record_count + 1, sizeof *more);
    if (file->record_count) memcpy(more, file->records, (size_t)file->record_count * sizeof *more);
    free(file->records);
    file->records = more;
    more[file->record_count++] = written;
}

void lat_h5_write(lat_h5 *file, const void *bytes, int64_t size, int64_t offset)
{
    if (size == 0 || file->error.status != LAT_DONE) return;
    if (lat_write_at(file->descriptor, bytes, size, offset) != size) {
        lat_h5_cannot_write(file, errno);
        return;
    }
    uint32_t crc = (uint32_t)crc32_z(0, (const Bytef *)bytes, (size_t)size);
    lat_h5_record *last = file->record_count ? &file->records[file->record_count - 1] : NULL;
    if (last && last->offset + last->bytes == offset) {
        last->crc = (uint32_t)crc32_combine(last->crc, crc, size);
        last->bytes += size;
    } else {
        record_add(file, (lat_h5_record){offset, size, crc});
    }
}

static bool same(lat_h5 *file, const lat_h5_record *written, char *chunk)
{
    uLong crc = crc32(0, NULL, 0);
    for (int64_t done = 0; done < written->bytes; done += CHUNK_BYTES) {
        int64_t n = written->bytes - done < CHUNK_BYTES ? written->bytes - done : CHUNK_BYTES;
        if (lat_read_at(file->descriptor, chunk, n, written->offset + done) != n) {
            lat_h5_cannot_read(file, errno);
            return false;
        }
        crc = crc32_z(crc, (const Bytef *)chunk, (size_t)n);
    }
    return (uint32_t)crc == written->crc;
}

void lat_h5_compare(lat_h5 *file)
{
    char *chunk = lat_alloc(CHUNK_BYTES, 1);
    for (int i = 0; i < file->record_count && file->error.status == LAT_DONE; i++)
        if (!same(file, &file->records[i], chunk))
            lat_fail(&file->error, LAT_FILE, "%s: reads back other than it was written: check the disk", file->path);
    free(chunk);
}
