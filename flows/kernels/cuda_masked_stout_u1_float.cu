/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_masked_stout_u1_float.cu: the kernels of masked stout smearing of U(1) on a GPU, in single precision.
 */
#define NAME(x) flow_masked_stout_cuda_u1_float_##x
#define REAL_FLOAT
#include "lattice/backend/cuda_headers.h"
#include "flows/kernels/cuda_tables.h"

#include "lattice/kernels/kernel.h"
#include "lattice/group/u1.h"
#include "flows/kernels/masked_stout.h"

const flow_masked_stout_kernels flow_masked_stout_cuda_u1_float = {FLOW_MASKED_STOUT_KERNELS(KERNEL_ENTRY)};
