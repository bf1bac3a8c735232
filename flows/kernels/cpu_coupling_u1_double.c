/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_coupling_u1_double.c: the kernels of flows on links of U(1) on the CPU, in double precision.
 */
#define NAME(x) flow_coupling_cpu_u1_double_##x

#include "flows/kernels/u1_coupling.h"

#include "flows/kernels/blocking.h"

const flow_coupling_kernels flow_coupling_cpu_u1_double = {FLOW_COUPLING_KERNELS(KERNEL_ENTRY)};
const flow_blocking_kernels flow_blocking_cpu_u1_double = {FLOW_BLOCKING_KERNELS(KERNEL_ENTRY)};
