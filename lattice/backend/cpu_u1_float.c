/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_u1_float.c: the kernels for U(1) in single precision on the CPU.
 */
#define NAME(x) lat_cpu_u1_float_##x
#define REAL_FLOAT
#include "cpu_kernels.h"

const lat_kernels lat_cpu_u1_float = {.lanes = REAL_LANES, LAT_KERNELS(KERNEL_ENTRY)};
