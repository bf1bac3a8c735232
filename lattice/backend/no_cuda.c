/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * no_cuda.c: in place of the backend for GPUs where programs are built without it.
 */
#include "lattice/backend/backend.h"

const lat_backend *lat_cuda_open(int local_rank, char why[LAT_BACKEND_TEXT])
{
    (void)local_rank;
    why[0] = 0;
    return NULL;
}
