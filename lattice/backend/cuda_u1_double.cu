/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_u1_double.cu: the kernels for U(1) in double precision on a GPU.
 */
#define NAME(x) lat_cuda_u1_double_##x
#define GROUP_HEADER "lattice/group/u1.h"
#include "lattice/backend/cuda_kernels.h"

const lat_kernels lat_cuda_u1_double = KERNEL_TABLE;
