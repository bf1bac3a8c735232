/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_kernels.h: the kernels of one group and precision, on the CPU and, by way of cuda_kernels.h, on a GPU.  Included after NAME(x), GROUP_HEADER, and REAL_FLOAT
 * or not, are defined.  KERNEL_TABLE is the table that they fill.
 */
#include "lattice/backend/gauge_kernels.h"

#include "lattice/kernels/kernel.h"
#include "lattice/kernels/uniform.h"

#include GROUP_HEADER

#include "lattice/kernels/links.h"
#include "lattice/kernels/gauge.h"
#include "lattice/kernels/gradient_flow.h"
#include "lattice/kernels/weighted.h"
#include "lattice/kernels/gradient_flow_density.h"
#include "lattice/kernels/rectangle.h"
#include "lattice/kernels/smearing.h"
#include "lattice/kernels/spin.h"
#include "lattice/kernels/dirac.h"
#include "lattice/kernels/clover.h"
#include "lattice/kernels/exponential.h"
#include "lattice/kernels/stout.h"
#include "lattice/kernels/orbits.h"
#ifdef U1_H
#include "lattice/kernels/u1_updates.h"
#else
#include "lattice/kernels/sun_updates.h"
#endif

#ifdef U1_H
#define U1_ENTRIES LAT_U1_KERNELS(KERNEL_ENTRY)
#else
#define U1_ENTRIES
#endif
#define KERNEL_TABLE {LAT_KERNELS(KERNEL_ENTRY) LAT_DIRAC_KERNELS(KERNEL_ENTRY) LAT_UPDATE_KERNELS(KERNEL_ENTRY) U1_ENTRIES}
