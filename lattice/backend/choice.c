/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * choice.c: which backend a configuration asks for, and whether it is there.  All ranks use the same: their numbers agree to
 * the last bit only among themselves.
 */
#include "lattice/backend/backend.h"

#include <string.h>

enum { AUTO, CPU, CUDA };
static const char *const names[] = {"auto", "cpu", "cuda", NULL};

static const lat_backend *open_device(MPI_Comm comm, char why[LAT_BACKEND_TEXT])
{
    MPI_Comm machine;
    int local_rank;
    MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_rank(machine, &local_rank);
    MPI_Comm_free(&machine);
    why[0] = 0;
    return lat_cuda_open(local_rank, why);
}

lat_status lat_backend_read(MPI_Comm comm, lat_settings *root, const lat_backend **backend, char why[LAT_BACKEND_TEXT],
                            lat_error *error)
{
    int choice = lat_settings_choice(root, "backend", "auto", names, error);
    *backend = &lat_backend_cpu;
    why[0] = 0;
    if (error->status || choice == CPU) return error->status;
    const lat_backend *device = open_device(comm, why);
    if (choice == CUDA && !device)
        lat_settings_fail(root, "backend", error, "%s: use \"auto\" or \"cpu\"", why[0] ? why : "cuda is not built into this program");
    if (choice == CUDA && lat_agree(comm, error)) return error->status;
    int all = device != NULL;
    MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, comm);
    if (all) *backend = device;
    return LAT_DONE;
}
