/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_fields_double.c: the kernels on plain numbers in double precision on the CPU.
 */
#define NAME(x) lat_cpu_fields_double_##x
#include "lattice/backend/cpu_field_kernels.h"

const lat_field_kernels lat_cpu_fields_double = FIELD_KERNEL_TABLE;
