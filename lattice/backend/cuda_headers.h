/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_headers.h: the headers of C that kernels need, for nvcc.
 */
#ifdef __cplusplus
#define OMPI_SKIP_MPICXX
#define MPICH_SKIP_MPICXX
#define _Noreturn __attribute__((noreturn)) /* C's word in lattice.h */

/* Random123 can print its numbers.  It is given the streams' types without the streams, which would be all that programs need
 * of the library of C++. */
#include <istream>
#define _GLIBCXX_IOSTREAM 1
#include <Random123/philox.h>
#include <mpi.h>

extern "C" {
#include "lattice/backend/backend.h"
#include "lattice/backend/gauge_kernels.h"
}
#else
#endif
