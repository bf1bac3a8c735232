/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_field_kernels.h: the kernels on plain numbers in one precision, on the CPU and, after cuda_headers.h, on a GPU.  Included after
 * NAME(x), and REAL_FLOAT or not, are defined.  FIELD_KERNEL_TABLE is the table that they fill.
 */
#include "lattice/backend/field_kernels.h"

#include "lattice/kernels/kernel.h"
#include "lattice/kernels/uniform.h"

#include "lattice/kernels/linear.h"
#include "lattice/kernels/solver.h"
#include "lattice/kernels/spinor.h"

#ifdef REAL_DEVICE
#include "lattice/kernels/device.h"
#define KERNEL_LANES 32 /* threads that run together read lanes side by side */
#define DEVICE_ENTRIES LAT_DEVICE_KERNELS(KERNEL_ENTRY)
#else
#define KERNEL_LANES REAL_LANES
#define DEVICE_ENTRIES
#endif
#define FIELD_KERNEL_TABLE {.lanes = KERNEL_LANES, LAT_FIELD_KERNELS(KERNEL_ENTRY) DEVICE_ENTRIES}
