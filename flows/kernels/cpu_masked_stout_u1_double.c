/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_masked_stout_u1_double.c: the kernels of masked stout smearing of U(1) on the CPU, in double precision.
 */
#define NAME(x) flow_masked_stout_cpu_u1_double_##x
#include "lattice/kernels/kernel.h"
#include "lattice/group/u1.h"
#include "flows/kernels/masked_stout.h"

const flow_masked_stout_kernels flow_masked_stout_cpu_u1_double = {FLOW_MASKED_STOUT_KERNELS(KERNEL_ENTRY)};
