/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_headers.h: the headers of C that kernels need, for nvcc.
 */
#ifdef __cplusplus
#define OMPI_SKIP_MPICXX
#define MPICH_SKIP_MPICXX
#define _Noreturn __attribute__((noreturn)) /* C's word in lattice.h */

#include <Random123/philox.h>
#include <mpi.h>

extern "C" {
#include "backend.h"
}
#else
#include "backend.h"
#endif
