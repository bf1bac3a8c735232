/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_fields_double.cu: the kernels on plain numbers in double precision on a GPU.
 */
#define NAME(x) lat_cuda_fields_double_##x
#include "lattice/backend/cuda_headers.h"

#include "lattice/backend/cpu_field_kernels.h"

const lat_field_kernels lat_cuda_fields_double = FIELD_KERNEL_TABLE;
