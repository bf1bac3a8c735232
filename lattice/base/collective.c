/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * collective.c: arrays of any size over ranks.
 */
#include "lattice/base/collective.h"

void lat_broadcast(MPI_Comm comm, void *bytes, int64_t size)
{
    const int64_t most = 1 << 30;
    if (comm == MPI_COMM_NULL) return;
    for (int64_t done = 0; done < size; done += most) {
        int64_t n = size - done < most ? size - done : most;
        MPI_Bcast((char *)bytes + done, (int)n, MPI_BYTE, 0, comm);
    }
}

void lat_join(MPI_Comm comm, void *numbers, int64_t count)
{
    enum { SLICE = 1 << 20 };
    int ranks;
    MPI_Comm_size(comm, &ranks);
    if (ranks == 1) return;
    int64_t *words = numbers;
    for (int64_t i = 0; i < count; i += SLICE)
        MPI_Allreduce(MPI_IN_PLACE, words + i, (int)(count - i < SLICE ? count - i : SLICE), MPI_INT64_T, MPI_BOR, comm);
}
