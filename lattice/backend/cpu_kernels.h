/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_kernels.h: the kernels of one group and precision, on the CPU and, by way of cuda_kernels.h, on a GPU.  Included after NAME(x), GROUP_HEADER, and REAL_FLOAT
 * or not, are defined.  KERNEL_TABLE is the table that they fill.
 */
#include "backend.h"

#include "../kernels/kernel.h"
#include "../kernels/uniform.h"

#include GROUP_HEADER

#include "../kernels/gauge.h"
#include "../kernels/gradient_flow.h"
#include "../kernels/linear.h"
#include "../kernels/weighted.h"
#include "../kernels/flow_density.h"
#include "../kernels/rectangle.h"
#include "../kernels/smearing.h"
#ifdef U1_H
#include "../kernels/u1_updates.h"
#else
#include "../kernels/sun_updates.h"
#endif

#ifdef REAL_DEVICE
#include "../kernels/device.h"
#define KERNEL_LANES 32 /* threads that run together read lanes side by side */
#else
#define KERNEL_LANES REAL_LANES
#endif

#define KERNEL_ENTRY(name) .name = NAME(name),
#ifdef U1_H
#define U1_ENTRIES LAT_U1_KERNELS(KERNEL_ENTRY)
#else
#define U1_ENTRIES
#endif
#ifdef REAL_DEVICE
#define DEVICE_ENTRIES LAT_DEVICE_KERNELS(KERNEL_ENTRY)
#else
#define DEVICE_ENTRIES
#endif
#define KERNEL_TABLE                                                                                                   \
    {.lanes = KERNEL_LANES, LAT_KERNELS(KERNEL_ENTRY) LAT_UPDATE_KERNELS(KERNEL_ENTRY) U1_ENTRIES DEVICE_ENTRIES}
