/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_su2_double.cu: the kernels for SU(2) in double precision on a GPU.
 */
#define NAME(x) lat_cuda_su2_double_##x
#define GROUP_HEADER "lattice/group/su2.h"
#include "lattice/backend/cuda_kernels.h"

const lat_kernels lat_cuda_su2_double = KERNEL_TABLE;
