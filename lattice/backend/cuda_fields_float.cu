/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_fields_float.cu: the kernels on plain numbers in single precision on a GPU.
 */
#define NAME(x) lat_cuda_fields_float_##x
#define REAL_FLOAT
#include "lattice/backend/cuda_headers.h"

#include "lattice/backend/cpu_field_kernels.h"

const lat_field_kernels lat_cuda_fields_float = FIELD_KERNEL_TABLE;
