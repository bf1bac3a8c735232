/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_kernels.h: the kernels of one group and precision for a GPU; as cpu_kernels.h.  nvcc takes this for C++, the compiler
 * of the tests' stand-in for C.
 */
#include "lattice/backend/cuda_headers.h"

#include "lattice/backend/cpu_kernels.h"
