/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_su3_float.c: the kernels for SU(3) in single precision on the CPU.
 */
#define NAME(x) lat_cpu_su3_float_##x
#define REAL_FLOAT
#define GROUP_HEADER "lattice/group/su3.h"
#include "lattice/backend/cpu_kernels.h"

const lat_kernels lat_cpu_su3_float = KERNEL_TABLE;
