/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_u1_double.c: the kernels for U(1) in double precision on the CPU.
 */
#define NAME(x) lat_cpu_u1_double_##x
#define GROUP_HEADER "lattice/group/u1.h"
#include "lattice/backend/cpu_kernels.h"

const lat_kernels lat_cpu_u1_double = KERNEL_TABLE;
