/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_double.c: the kernels of the flows on the CPU, in double precision.
 */
#define NAME(x) flow_cpu_double_##x

#include "flows/kernels/conv.h"
#include "flows/kernels/optimiser.h"

const flow_kernels flow_cpu_double = {FLOW_KERNELS(KERNEL_ENTRY)};
