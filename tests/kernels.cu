/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels.cu: every kernel header, compiled as CUDA for U(1) in double precision.  Nothing runs: this keeps the kernels in
 * the form that both compilers take.  make cuda-compile-check.
 */
#define OMPI_SKIP_MPICXX
#define MPICH_SKIP_MPICXX
#define _Noreturn __attribute__((noreturn)) /* C's word in lattice.h */

#define NAME(x) lat_cuda_u1_double_##x
#include "../lattice/backend/cpu_kernels.h"

#include "../flows/kernels/conv.h"
#include "../flows/kernels/u1_coupling.h"
#include "../flows/kernels/blocking.h"
