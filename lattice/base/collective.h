/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * collective.h: arrays of any size over ranks.
 */
#ifndef LAT_BASE_COLLECTIVE_H
#define LAT_BASE_COLLECTIVE_H

#include "lattice/base/error.h"

/* MPI_Bcast from rank 0, of any size; nothing where the communicator is MPI_COMM_NULL. */
void lat_broadcast(MPI_Comm comm, void *bytes, int64_t size);

/* Numbers of 8 bytes, each of which one rank has, or several alike, and the others have as zero: all ranks get all of them, and no bit of
 * them changes. */
void lat_join(MPI_Comm comm, void *numbers, int64_t count);

#endif
