/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_su3_float.cu: the kernels of flows on links of SU(3) on a GPU, in single precision.
 */
#define NAME(x) flow_cuda_su3_float_##x
#define REAL_FLOAT
#include "lattice/backend/cuda_headers.h"
#include "flows/kernels/cuda_tables.h"

#include "lattice/kernels/kernel.h"
#include "flows/kernels/su3_stout.h"
#include "flows/kernels/stout.h"

#include "flows/kernels/blocking.h"

const flow_stout_kernels flow_stout_cuda_su3_float = {FLOW_STOUT_KERNELS(KERNEL_ENTRY).words = STOUT_WORDS};
const flow_blocking_kernels flow_blocking_cuda_su3_float = {FLOW_BLOCKING_KERNELS(KERNEL_ENTRY)};
