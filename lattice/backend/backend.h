/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * backend.h: who runs the kernels of the field library, and in which memory.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "lattice/backend/choice.h"
#include "lattice/backend/field_kernels.h"
#include "lattice/group/group.h"
#include "lattice/kernels/range.h"

/* What is counted in lat_copies. */
typedef enum { LAT_OF_FIELD, LAT_OF_ARRAY } lat_copied;

/* Who runs kernels, in which memory.  Kernels and everything below but `download` and `wait` may return before they are
 * done: what is asked of one stream is done in that order, and of the main one where no stream is named. */
typedef struct lat_backend {
    const char *name;
    bool on_host;  /* its memory is that of the host, and what it is asked for is done at once */
    bool messages; /* MPI takes addresses in its memory */
    const lat_field_kernels *fields[LAT_PRECISIONS];
    const struct lat_kernels *kernels[LAT_GROUPS][LAT_PRECISIONS]; /* NULL: the group is not there */
    void *(*allocate)(int64_t bytes); /* zeroed; ends the run with one line if there is no room */
    void (*release)(void *memory);    /* NULL is allowed */
    void (*zero)(void *to, int64_t bytes);
    void (*copy)(void *to, const void *from, int64_t bytes);
    /* From the host, whose bytes may change once this returns; and to the host, which then has them. */
    void (*upload)(void *to, const void *from, int64_t bytes, lat_copied what);
    void (*download)(void *to, const void *from, int64_t bytes, lat_copied what);
    /* Memory of the host for messages.  The bytes are there, or may change, once the stream has been waited for. */
    void *(*allocate_staging)(int64_t bytes);
    void (*release_staging)(void *memory);
    void (*send_staging)(void *to, const void *from, int64_t bytes, lat_stream stream);
    void (*receive_staging)(void *to, const void *from, int64_t bytes, lat_stream stream);
    void (*follow)(lat_stream stream, lat_stream before); /* what comes in `stream` waits for what `before` holds now */
    void (*wait)(lat_stream stream);
    lat_copies (*copies)(void); /* NULL: none are ever made */
    /* What is asked for between record and end_record is not done but noted, and replay asks for all of it.  record: false if
     * that cannot be begun.  end_record: NULL if something was asked for that cannot be noted.  NULL on the host. */
    bool (*record)(void);
    bool (*recording)(void);
    void *(*end_record)(void);
    void (*replay)(void *recording);
    void (*forget)(void *recording);
} lat_backend;

/* The backend of the GPU of this process, shared with every n-th rank of the machine where there are n of them; NULL, and
 * a few words why, where there is none (cuda.c, no_cuda.c: no words). */
const lat_backend *lat_cuda_open(int local_rank, char why[LAT_BACKEND_TEXT]);

extern const lat_backend lat_backend_cpu;

#endif
