/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * append_file.c: files that grow record by record.
 */
#include "src/append_file.h"

#include "src/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

lat_status append_file_open(const char *path, append_file *file, char **bytes, lat_error *error)
{
    struct stat status = {0};
    *file = (append_file){0};
    int descriptor = lat_open(path, O_RDWR | O_CREAT);
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        lat_cannot_write(path, errno, error);
    else if (!S_ISREG(status.st_mode))
        lat_fail(error, LAT_FILE, "%.300s: is no regular file: check the path", path);
    else if (!lock_file(descriptor))
        lat_fail(error, LAT_FILE, "%.300s: another flowmeas is at work on it: wait for its end or name another output",
                 path);
    else if (fstat(descriptor, &status) != 0) /* its size, now that nobody else writes */
        lat_cannot_write(path, errno, error);
    else if (!lat_still_named(descriptor, path))
        lat_fail(error, LAT_FILE, "%.300s: was removed a moment ago: start again", path);
    if (!error->status) {
        *bytes = lat_alloc(status.st_size + 1, 1);
        if (lat_read_at(descriptor, *bytes, status.st_size, 0) != status.st_size)
            lat_fail(error, LAT_FILE, "%.300s: cannot be read: %s: check the disk", path,
                     errno ? strerror(errno) : "it ended early");
        if (error->status) free(*bytes);
    }
    if (error->status) {
        if (descriptor >= 0) close(descriptor);
        return error->status;
    }
    *file = (append_file){.path = lat_text("%s", path), .descriptor = descriptor, .size = status.st_size};
    return LAT_DONE;
}

/* 0, or an error number. */
static int truncate_to(const append_file *file, int64_t size)
{
    int code = lat_truncate(file->descriptor, size);
    return code ? code : lat_sync(file->descriptor);
}

void append_file_cut(append_file *file, int64_t size, lat_error *error)
{
    if (size == file->size || error->status) return;
    fprintf(
        stderr,
        "flowmeas: warning: %s: ends within a record, that of a run which was stopped: cut from %lld to %lld bytes\n",
        file->path, (long long)file->size, (long long)size);
    int code = truncate_to(file, size);
    if (code)
        lat_cannot_write(file->path, code, error);
    else
        file->size = size;
}

void append_file_add(append_file *file, const char *bytes, int64_t size, lat_error *error)
{
    if (error->status) return;
    int code = lat_write_at(file->descriptor, bytes, size, file->size) == size ? lat_sync(file->descriptor) : errno;
    if (code == 0) {
        file->size += size;
        return;
    }
    lat_cannot_write(file->path, code, error);
    truncate_to(file, file->size); /* should that fail too, the next run does it */
}

void append_file_close(append_file *file)
{
    if (!file->path) return;
    close(file->descriptor);
    free(file->path);
    *file = (append_file){0};
}
