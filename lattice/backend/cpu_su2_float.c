/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_su2_float.c: the kernels for SU(2) in single precision on the CPU.
 */
#define NAME(x) lat_cpu_su2_float_##x
#define REAL_FLOAT
#define GROUP_HEADER "lattice/group/su2.h"
#include "lattice/backend/cpu_kernels.h"

const lat_kernels lat_cpu_su2_float = KERNEL_TABLE;
