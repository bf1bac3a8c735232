/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_coupling_u1_float.cu: the kernels of flows on links of U(1) on a GPU, in single precision.
 */
#define NAME(x) flow_coupling_cuda_u1_float_##x
#define REAL_FLOAT
#include "lattice/backend/cuda_headers.h"
#include "flows/kernels/cuda_tables.h"

#include "flows/kernels/u1_coupling.h"

#include "flows/kernels/blocking.h"

const flow_coupling_kernels flow_coupling_cuda_u1_float = {FLOW_COUPLING_KERNELS(KERNEL_ENTRY)};
const flow_blocking_kernels flow_blocking_cuda_u1_float = {FLOW_BLOCKING_KERNELS(KERNEL_ENTRY)};
