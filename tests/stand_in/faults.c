/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * faults.c: stands in for a disk that fails: preloaded (LD_PRELOAD), it lets one call of one rank fail, or interrupts
 * calls, or ends the process there.
 *
 *     FAULT_CALL    open, pread, pwrite, fsync, ftruncate, rename, fallocate, mkdir, link, dprintf, fflush
 *     FAULT_NUMBER  which of these calls, from 1, among those on paths that hold
 *     FAULT_PATH    this text
 *     FAULT_RANK    of MPI_COMM_WORLD, as Open MPI tells it to its processes
 *     FAULT_KIND    fail: with ENOSPC where room is needed, else EIO; interrupt: every second call, from that number on,
 *                   with EINTR; kill: SIGKILL
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

/* The path of an open descriptor. */
static const char *path_of(int descriptor, char path[512])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(link, path, 511);
    path[n > 0 ? n : 0] = '\0';
    return path;
}

/* The error number with which this call fails; 0: it does not. */
static int fault(const char *call, const char *path, int failure)
{
    static int count;
    const char *rank = getenv("OMPI_COMM_WORLD_RANK"), *kind = setting("FAULT_KIND");
    if (strcmp(call, setting("FAULT_CALL")) != 0 || !strstr(path, setting("FAULT_PATH"))) return 0;
    if (strcmp(rank ? rank : "0", setting("FAULT_RANK")) != 0) return 0;
    const int behind = ++count - atoi(setting("FAULT_NUMBER"));
    if (behind >= 0 && behind % 2 == 0 && strcmp(kind, "interrupt") == 0) return EINTR;
    if (behind != 0) return 0;
    if (strcmp(kind, "kill") == 0) raise(SIGKILL);
    return strcmp(kind, "fail") == 0 ? failure : 0;
}

/* Fails by errno. */
static bool fails(const char *call, const char *path, int failure)
{
    int kept = errno, code = fault(call, path, failure);
    errno = code ? code : kept;
    return code != 0;
}

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static int open_as(const char *name, const char *path, int flags, mode_t mode)
{
    if (fails("open", path, EIO)) return -1;
    return ((int (*)(const char *, int, ...))real(name))(path, flags, mode);
}

#define OPEN(NAME)                                                                                                       \
    int NAME(const char *path, int flags, ...)                                                                           \
    {                                                                                                                    \
        va_list list;                                                                                                    \
        va_start(list, flags);                                                                                           \
        mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;                                                        \
        va_end(list);                                                                                                    \
        return open_as(#NAME, path, flags, mode);                                                                        \
    }
OPEN(open)
OPEN(open64)

FILE *fopen(const char *path, const char *mode)
{
    if (fails("open", path, EIO)) return NULL;
    return ((FILE * (*)(const char *, const char *)) real("fopen"))(path, mode);
}

#define PREAD(NAME)                                                                                                      \
    ssize_t NAME(int descriptor, void *bytes, size_t size, off_t offset)                                                 \
    {                                                                                                                    \
        char path[512];                                                                                                  \
        if (fails("pread", path_of(descriptor, path), EIO)) return -1;                                                   \
        return ((ssize_t(*)(int, void *, size_t, off_t))real(#NAME))(descriptor, bytes, size, offset);                   \
    }
PREAD(pread)
PREAD(pread64)

#define PWRITE(NAME)                                                                                                     \
    ssize_t NAME(int descriptor, const void *bytes, size_t size, off_t offset)                                           \
    {                                                                                                                    \
        char path[512];                                                                                                  \
        if (fails("pwrite", path_of(descriptor, path), ENOSPC)) return -1;                                               \
        return ((ssize_t(*)(int, const void *, size_t, off_t))real(#NAME))(descriptor, bytes, size, offset);             \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define FTRUNCATE(NAME)                                                                                                  \
    int NAME(int descriptor, off_t size)                                                                                 \
    {                                                                                                                    \
        char path[512];                                                                                                  \
        if (fails("ftruncate", path_of(descriptor, path), EIO)) return -1;                                               \
        return ((int (*)(int, off_t))real(#NAME))(descriptor, size);                                                     \
    }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

/* Returns its error number. */
#define FALLOCATE(NAME)                                                                                                  \
    int NAME(int descriptor, off_t offset, off_t size)                                                                   \
    {                                                                                                                    \
        char path[512];                                                                                                  \
        int code = fault("fallocate", path_of(descriptor, path), ENOSPC);                                                \
        return code ? code : ((int (*)(int, off_t, off_t))real(#NAME))(descriptor, offset, size);                        \
    }
FALLOCATE(posix_fallocate)
FALLOCATE(posix_fallocate64)

int fsync(int descriptor)
{
    char path[512];
    if (fails("fsync", path_of(descriptor, path), EIO)) return -1;
    return ((int (*)(int))real("fsync"))(descriptor);
}

int rename(const char *from, const char *to)
{
    if (fails("rename", to, EIO)) return -1;
    return ((int (*)(const char *, const char *))real("rename"))(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    if (fails("mkdir", path, ENOSPC)) return -1;
    return ((int (*)(const char *, mode_t))real("mkdir"))(path, mode);
}

int link(const char *from, const char *to)
{
    if (fails("link", to, ENOSPC)) return -1;
    return ((int (*)(const char *, const char *))real("link"))(from, to);
}

int dprintf(int descriptor, const char *format, ...)
{
    char path[512];
    va_list list;
    if (fails("dprintf", path_of(descriptor, path), ENOSPC)) return -1;
    va_start(list, format);
    int size = vdprintf(descriptor, format, list);
    va_end(list);
    return size;
}

int fflush(FILE *file)
{
    char path[512];
    if (file && fails("fflush", path_of(fileno(file), path), ENOSPC)) return EOF;
    return ((int (*)(FILE *))real("fflush"))(file);
}
