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
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
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
        if (n == 0) errno = EIO;
        if (n <= 0) break;
        done += n;
    }
    return done;
}

int lat_open(const char *path, int flags)
{
    int descriptor;
    do descriptor = open(path, flags | O_NONBLOCK | O_CLOEXEC, 0666);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

bool lat_still_named(int descriptor, const char *path)
{
    struct stat held, named;
    return fstat(descriptor, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

int lat_open_input(const char *path, int64_t *bytes, lat_error *error)
{
    struct stat status;
    int descriptor = lat_open(path, O_RDONLY);
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the path and its permissions", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        lat_fail(error, LAT_FILE, "%s: is no regular file: check the path", path);
    else {
        *bytes = status.st_size;
        return descriptor;
    }
    if (descriptor >= 0) close(descriptor);
    return -1;
}

/* Alone with an open file?  Its lock may come free when the file has lost its name.  Where nothing can be locked, yes. */
static bool alone(int descriptor, const char *path)
{
    return (flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && lat_still_named(descriptor, path);
}

/* What another process has left there, unless it is still at work, a link, or a file of somebody else.  0, or an error
 * number. */
static int remove_temporary(const char *path)
{
    int descriptor = lat_open(path, O_RDWR | O_NOFOLLOW);
    int code = descriptor < 0 ? errno : alone(descriptor, path) ? 0 : EBUSY;
    if (code == 0 || code == ELOOP || code == EACCES || code == ENXIO) code = unlink(path) == 0 ? 0 : errno;
    if (descriptor >= 0) close(descriptor);
    return code == ENOENT ? 0 : code;
}

static int open_temporary(const char *path)
{
    int code = remove_temporary(path);
    int descriptor = code ? -1 : lat_open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (!code && descriptor < 0) code = errno == EEXIST ? EBUSY : errno;
    if (!code && !alone(descriptor, path)) code = EBUSY;
    if (code && descriptor >= 0) close(descriptor);
    errno = code;
    return code ? -1 : descriptor;
}

/* Somebody who finds that the final name is taken lets go in a moment. */
int lat_open_temporary(const char *path)
{
    enum { TURNS = 20 };
    const struct timespec moment = {0, 10000000};
    int descriptor = open_temporary(path);
    for (int turn = 0; turn < TURNS && descriptor < 0 && errno == EBUSY; turn++) {
        nanosleep(&moment, NULL);
        descriptor = open_temporary(path);
    }
    return descriptor;
}

int lat_open_again(const char *path) { return lat_open(path, O_RDWR | O_NOFOLLOW); }

int lat_sync(int descriptor)
{
    int code;
    do code = fsync(descriptor) == 0 ? 0 : errno;
    while (code == EINTR);
    return code;
}

int lat_truncate(int descriptor, int64_t size)
{
    int code;
    do code = ftruncate(descriptor, size) == 0 ? 0 : errno;
    while (code == EINTR);
    return code;
}

/* In pieces: some file systems give back what an interrupted call has claimed, and would never come to the end. */
int lat_claim(int descriptor, int64_t begin, int64_t end)
{
    enum { PIECE = 1 << 28 };
    for (int64_t next; begin < end; begin = next) {
        int code;
        next = end - begin < PIECE ? end : begin + PIECE;
        do code = posix_fallocate(descriptor, begin, next - begin);
        while (code == EINTR);
        if (code == EOPNOTSUPP || code == ENOSYS) return 0;
        if (code) return code;
    }
    return 0;
}

/* Some file systems cannot sync a directory (EINVAL): they keep their own order. */
static bool sync_directory_of(const char *path)
{
    char *directory = lat_text("%s", path);
    char *slash = strrchr(directory, '/');
    if (slash) slash[slash == directory] = 0;
    int descriptor = lat_open(slash ? directory : ".", O_RDONLY | O_DIRECTORY);
    int code = descriptor < 0 ? errno : lat_sync(descriptor);
    if (descriptor >= 0) close(descriptor);
    free(directory);
    errno = code;
    return code == 0 || code == EINVAL;
}

lat_status lat_cannot_write(const char *path, int code, lat_error *error)
{
    if (code == EBUSY)
        return lat_fail(error, LAT_FILE,
                        "%.300s: another process is writing it: wait for its end, or give another name", path);
    return lat_fail(error, LAT_FILE,
                    "%.300s: cannot be written: %s: check the path, its permissions and the room on the disk", path,
                    strerror(code));
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

/* Bytes read, 0 at the end, -1 on failure.  Whoever writes into a pipe may take a minute for each piece. */
static ssize_t read_some(int descriptor, char *bytes, int64_t size)
{
    enum { MINUTE = 60000 };
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    for (;;) {
        ssize_t n = read(descriptor, bytes, (size_t)size);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN)) return n;
        if (errno == EAGAIN && poll(&wait, 1, MINUTE) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

/* By read() alone, so that pipes are files too, but never one that nobody writes into.  One byte beyond the limit tells
 * that there is more. */
static void read_whole(const char *path, int64_t limit, char **bytes, int64_t *size, lat_error *error)
{
    struct stat status;
    int descriptor = lat_open(path, O_RDONLY);
    ssize_t n = descriptor < 0 || fstat(descriptor, &status) != 0 ? -1 : 1;
    for (int64_t room = 0; n > 0 && *size <= limit;) {
        if (*size == room) grow(bytes, &room, limit);
        n = read_some(descriptor, *bytes + *size, room - *size);
        if (n > 0) *size += n;
    }
    if (n < 0)
        lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the path and its permissions", path, strerror(errno));
    else if (*size == 0 && S_ISFIFO(status.st_mode))
        lat_fail(error, LAT_FILE, "%s: is a pipe that nothing comes from: check the path", path);
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
    int descriptor = lat_open_temporary(temporary);
    int code = descriptor < 0 || lat_write_at(descriptor, bytes, size, 0) != size ? errno : lat_sync(descriptor);
    if (code)
        lat_cannot_write(path, code, error);
    else if (!same_bytes(descriptor, bytes, size))
        lat_fail(error, LAT_FILE, "%s: reads back other than it was written: check the disk", path);
    if (descriptor >= 0) {
        if (error->status == LAT_DONE) lat_file_commit(temporary, path, error);
        if (error->status != LAT_DONE) unlink(temporary);
        close(descriptor);
    }
    free(temporary);
}

lat_status lat_file_write(MPI_Comm comm, const char *path, const void *bytes, int64_t size, lat_error *error)
{
    if (lat_rank(comm) == 0 && error->status == LAT_DONE) write_whole(path, bytes, size, error);
    return lat_agree(comm, error);
}
