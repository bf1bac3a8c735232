/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * file.c: whole small files, read once and given to all ranks, written so that their name always stands for a complete
 * file: temporary name, fsync, comparison with what was meant, rename, fsync of the directory.
 */
#define _GNU_SOURCE
#include "lattice/base/collective.h"
#include "lattice/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t lat_read_at(int descriptor, void *bytes, int64_t size, int64_t offset)
{
    int64_t done = 0;
    errno = 0;
    while (done < size) {
        ssize_t n = pread(descriptor, (char *)bytes + done, (size_t)(size - done), offset + done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += n;
    }
    return done;
}

int64_t lat_write_at(int descriptor, const void *bytes, int64_t size, int64_t offset)
{
    int64_t done = 0;
    errno = 0;
    while (done < size) {
        ssize_t n = pwrite(descriptor, (const char *)bytes + done, (size_t)(size - done), offset + done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += n;
    }
    return done;
}

/* Some file systems cannot sync a directory (EINVAL): they keep their own order. */
static bool sync_directory_of(const char *path)
{
    char *directory = lat_text("%s", path);
    char *slash = strrchr(directory, '/');
    if (slash) slash[slash == directory] = 0;
    int descriptor = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = descriptor >= 0 && (fsync(descriptor) == 0 || errno == EINVAL);
    int reason = errno;
    if (descriptor >= 0) close(descriptor);
    free(directory);
    errno = reason;
    return good;
}

lat_status lat_file_commit(const char *temporary, const char *path, lat_error *error)
{
    if (rename(temporary, path) != 0)
        return lat_fail(error, LAT_FILE, "%s: cannot take its name: %s: check the path and its permissions", path,
                        strerror(errno));
    if (!sync_directory_of(path))
        return lat_fail(error, LAT_FILE, "%s: its directory cannot be synced: %s: check the disk", path,
                        strerror(errno));
    return LAT_DONE;
}

/* Twice the room, and one byte for the terminating zero. */
static void grow(char **bytes, int64_t *room, int64_t limit)
{
    int64_t next = *room ? 2 * *room : 1 << 16;
    if (next > limit + 1) next = limit + 1;
    char *more = lat_alloc(next + 1, 1);
    if (*room) memcpy(more, *bytes, (size_t)*room);
    free(*bytes);
    *bytes = more;
    *room = next;
}

/* By read() alone, so that pipes are files too.  One byte beyond the limit tells that there is more. */
static void read_whole(const char *path, int64_t limit, char **bytes, int64_t *size, lat_error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = descriptor < 0 ? -1 : 1;
    for (int64_t room = 0; n > 0 && *size <= limit;) {
        if (*size == room) grow(bytes, &room, limit);
        do n = read(descriptor, *bytes + *size, (size_t)(room - *size));
        while (n < 0 && errno == EINTR);
        if (n > 0) *size += n;
    }
    if (n < 0)
        lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the path and its permissions", path, strerror(errno));
    else if (*size > limit)
        lat_fail(error, LAT_FILE, "%s: has more than %lld bytes: is it the file you mean?", path, (long long)limit);
    else
        (*bytes)[*size] = 0;
    if (descriptor >= 0) close(descriptor);
}

lat_status lat_file_read(MPI_Comm comm, const char *path, int64_t limit, char **bytes, int64_t *size, lat_error *error)
{
    int rank = lat_rank(comm);
    *bytes = NULL;
    *size = 0;
    if (rank == 0) read_whole(path, limit, bytes, size, error);
    if (lat_agree(comm, error) != LAT_DONE) {
        free(*bytes);
        *bytes = NULL;
        *size = 0;
        return error->status;
    }
    lat_broadcast(comm, size, sizeof *size);
    if (rank > 0) *bytes = lat_alloc(*size + 1, 1);
    lat_broadcast(comm, *bytes, *size);
    return LAT_DONE;
}

static bool same_bytes(int descriptor, const char *bytes, int64_t size)
{
    enum { CHUNK = 1 << 16 };
    char copy[CHUNK];
    for (int64_t done = 0; done < size; done += CHUNK) {
        int64_t n = size - done < CHUNK ? size - done : CHUNK;
        if (lat_read_at(descriptor, copy, n, done) != n || memcmp(copy, bytes + done, (size_t)n) != 0) return false;
    }
    return true;
}

static void write_whole(const char *path, const void *bytes, int64_t size, lat_error *error)
{
    char *temporary = lat_text("%s.tmp", path);
    int descriptor = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0 || lat_write_at(descriptor, bytes, size, 0) != size || fsync(descriptor) != 0)
        lat_fail(error, LAT_FILE, "%s: cannot be written: %s: check the path, its permissions and the room on the disk",
                 path, strerror(errno));
    else if (!same_bytes(descriptor, bytes, size))
        lat_fail(error, LAT_FILE, "%s: reads back other than it was written: check the disk", path);
    if (descriptor >= 0) {
        close(descriptor);
        if (error->status == LAT_DONE) lat_file_commit(temporary, path, error);
        if (error->status != LAT_DONE) unlink(temporary);
    }
    free(temporary);
}

lat_status lat_file_write(MPI_Comm comm, const char *path, const void *bytes, int64_t size, lat_error *error)
{
    if (lat_rank(comm) == 0 && error->status == LAT_DONE) write_whole(path, bytes, size, error);
    return lat_agree(comm, error);
}
