/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_float.cu: the kernels of the flows on a GPU, in single precision.
 */
#define NAME(x) flow_cuda_float_##x
#define REAL_FLOAT
#include "lattice/backend/cuda_headers.h"
#include "flows/kernels/cuda_tables.h"

#include "flows/kernels/conv.h"
#include "flows/kernels/optimiser.h"

const flow_kernels flow_cuda_float = {FLOW_KERNELS(KERNEL_ENTRY)};
