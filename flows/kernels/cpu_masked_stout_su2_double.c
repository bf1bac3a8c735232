/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_masked_stout_su2_double.c: the kernels of masked stout smearing of SU(2) on the CPU, in double precision.
 */
#define NAME(x) flow_masked_stout_cpu_su2_double_##x
#include "lattice/kernels/kernel.h"
#include "lattice/group/su2.h"
#include "flows/kernels/masked_stout.h"

const flow_masked_stout_kernels flow_masked_stout_cpu_su2_double = {FLOW_MASKED_STOUT_KERNELS(KERNEL_ENTRY)};
