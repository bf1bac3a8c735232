/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_masked_stout_su3_double.cu: the kernels of masked stout smearing of SU(3) on a GPU, in double precision.
 */
#define NAME(x) flow_masked_stout_cuda_su3_double_##x
#include "lattice/backend/cuda_headers.h"
#include "flows/kernels/cuda_tables.h"

#include "lattice/kernels/kernel.h"
#include "lattice/group/su3.h"
#include "flows/kernels/masked_stout.h"

const flow_masked_stout_kernels flow_masked_stout_cuda_su3_double = {FLOW_MASKED_STOUT_KERNELS(KERNEL_ENTRY)};
