/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_masked_stout_su3_float.c: the kernels of masked stout smearing of SU(3) on the CPU, in single precision.
 */
#define NAME(x) flow_masked_stout_cpu_su3_float_##x
#define REAL_FLOAT
#include "lattice/kernels/kernel.h"
#include "lattice/group/su3.h"
#include "flows/kernels/masked_stout.h"

const flow_masked_stout_kernels flow_masked_stout_cpu_su3_float = {FLOW_MASKED_STOUT_KERNELS(KERNEL_ENTRY)};
