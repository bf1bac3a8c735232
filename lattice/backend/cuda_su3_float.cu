/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_su3_float.cu: the kernels for SU(3) in single precision on a GPU.
 */
#define NAME(x) lat_cuda_su3_float_##x
#define REAL_FLOAT
#define GROUP_HEADER "lattice/group/su3.h"
#include "lattice/backend/cuda_kernels.h"

const lat_kernels lat_cuda_su3_float = KERNEL_TABLE;
