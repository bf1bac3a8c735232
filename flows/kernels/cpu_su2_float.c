/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_su2_float.c: the kernels of flows on links of SU(2) on the CPU, in float precision.
 */
#define NAME(x) flow_cpu_su2_float_##x
#define REAL_FLOAT
#include "lattice/kernels/kernel.h"
#include "flows/kernels/su2_stout.h"
#include "flows/kernels/stout.h"

#include "flows/kernels/blocking.h"

const flow_stout_kernels flow_stout_cpu_su2_float = {FLOW_STOUT_KERNELS(KERNEL_ENTRY).words = STOUT_WORDS};
const flow_blocking_kernels flow_blocking_cpu_su2_float = {FLOW_BLOCKING_KERNELS(KERNEL_ENTRY)};
