/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_float.c: the kernels of the flows on the CPU, in single precision.
 */
#define REAL_FLOAT
#define NAME(x) flow_cpu_float_##x

#include "flows/kernels/conv.h"
#include "flows/kernels/optimiser.h"

const flow_kernels flow_cpu_float = {FLOW_KERNELS(KERNEL_ENTRY)};
