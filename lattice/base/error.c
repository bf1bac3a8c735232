/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * error.c: how failures are recorded, agreed on by all ranks, and printed once.
 */
#define _GNU_SOURCE
#include "lattice/base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

lat_status lat_fail(lat_error *error, lat_status status, const char *format, ...)
{
    if (error->status != LAT_DONE) return error->status;
    error->status = status;
    va_list list;
    va_start(list, format);
    vsnprintf(error->text, sizeof error->text, format, list);
    va_end(list);
    for (char *c = error->text; *c; c++)
        if ((unsigned char)*c < ' ') *c = ' ';
    return status;
}

int lat_rank(MPI_Comm comm)
{
    int rank = 0;
    if (comm != MPI_COMM_NULL) MPI_Comm_rank(comm, &rank);
    return rank;
}

lat_status lat_agree(MPI_Comm comm, lat_error *error)
{
    int rank, size;
    if (comm == MPI_COMM_NULL) return error->status;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    int first = error->status != LAT_DONE ? rank : size;
    MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm);
    if (first < size) MPI_Bcast(error, sizeof *error, MPI_BYTE, first, comm);
    return error->status;
}

_Noreturn void lat_abort(lat_status status, const char *format, ...)
{
    char text[sizeof((lat_error *)0)->text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    fprintf(stderr, "flowhmc: %s\n", text);
    fflush(stderr);
    int running = 0, ranks = 1;
    MPI_Initialized(&running);
    if (running) MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    /* Alone, there is nobody to be ended, and MPI_Abort would add a paragraph to the line. */
    if (ranks == 1) _exit(status);
    MPI_Abort(MPI_COMM_WORLD, status);
    exit(status);
}

static void mpi_failed(MPI_Comm *comm, int *code, ...)
{
    (void)comm;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(*code, text, &length);
    lat_abort(LAT_FILE, "MPI: %s: the run ends here; resume it from its last checkpoint", text);
}

void lat_start(int *argc, char ***argv)
{
    if (MPI_Init(argc, argv) != MPI_SUCCESS) {
        fprintf(stderr, "flowhmc: MPI_Init failed: check the MPI installation\n");
        exit(LAT_FILE);
    }
    MPI_Errhandler handler;
    MPI_Comm_create_errhandler(mpi_failed, &handler);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, handler);
    MPI_Errhandler_free(&handler);
}

/* Much is taken in large pages, and aligned to them. */
enum { ALIGNMENT = 64, PAGE = 1 << 21, MANY_BYTES = PAGE };

static size_t alignment_of(size_t bytes) { return bytes >= MANY_BYTES ? PAGE : ALIGNMENT; }

size_t lat_alloc_bytes(size_t bytes)
{
    const size_t alignment = alignment_of(bytes);
    return bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
}

void *lat_alloc(int64_t count, size_t element_size)
{
    size_t bytes;
    if (count < 0 || __builtin_mul_overflow((size_t)count, element_size, &bytes) || bytes > SIZE_MAX - PAGE)
        lat_abort(LAT_CONFIG, "memory: %lld elements of %zu bytes asked for: ask for a smaller lattice or batch",
                  (long long)count, element_size);
    const size_t alignment = alignment_of(bytes);
    bytes = lat_alloc_bytes(bytes);
    void *memory = aligned_alloc(alignment, bytes);
    if (!memory) lat_abort(LAT_CONFIG, "memory: no %zu bytes left: use more ranks or a smaller lattice or batch", bytes);
#ifdef MADV_HUGEPAGE
    /* Fields are read at strides of some KiB in four directions: in small pages each step would look up another one. */
    if (alignment == PAGE) (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return memset(memory, 0, bytes);
}

char *lat_text_list(const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = lat_alloc(length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, list);
    return text;
}

char *lat_text(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = lat_text_list(format, list);
    va_end(list);
    return text;
}
