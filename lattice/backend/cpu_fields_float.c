/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_fields_float.c: the kernels on plain numbers in single precision on the CPU.
 */
#define NAME(x) lat_cpu_fields_float_##x
#define REAL_FLOAT
#include "lattice/backend/cpu_field_kernels.h"

const lat_field_kernels lat_cpu_fields_float = FIELD_KERNEL_TABLE;
