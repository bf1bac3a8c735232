/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_double.cu: the kernels of the flows on a GPU, in double precision.
 */
#define NAME(x) flow_cuda_double_##x
#include "lattice/backend/cuda_headers.h"
#include "flows/kernels/cuda_tables.h"

#include "flows/kernels/conv.h"
#include "flows/kernels/optimiser.h"

const flow_kernels flow_cuda_double = {FLOW_KERNELS(KERNEL_ENTRY)};
