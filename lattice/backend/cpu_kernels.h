/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_kernels.h: the kernels of one group and precision on the CPU.  Included after NAME(x), GROUP_HEADER, and REAL_FLOAT
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
#include "../kernels/rectangle.h"
#include "../kernels/smearing.h"
#ifdef U1_H
#include "../kernels/u1_updates.h"
#else
#include "../kernels/sun_updates.h"
#endif

#define KERNEL_ENTRY(name) .name = NAME(name),
#ifdef U1_H
#define KERNEL_TABLE {.lanes = REAL_LANES, LAT_KERNELS(KERNEL_ENTRY) LAT_UPDATE_KERNELS(KERNEL_ENTRY) LAT_U1_KERNELS(KERNEL_ENTRY)}
#else
#define KERNEL_TABLE {.lanes = REAL_LANES, LAT_KERNELS(KERNEL_ENTRY) LAT_UPDATE_KERNELS(KERNEL_ENTRY)}
#endif
