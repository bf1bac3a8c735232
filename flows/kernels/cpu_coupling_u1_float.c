/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_coupling_u1_float.c: the kernels of flows on links of U(1) on the CPU, in float precision.
 */
#define NAME(x) flow_coupling_cpu_u1_float_##x
#define REAL_FLOAT
#include "flows/kernels/u1_coupling.h"

#include "flows/kernels/blocking.h"

const flow_coupling_kernels flow_coupling_cpu_u1_float = {FLOW_COUPLING_KERNELS(KERNEL_ENTRY)};
const flow_blocking_kernels flow_blocking_cpu_u1_float = {FLOW_BLOCKING_KERNELS(KERNEL_ENTRY)};
