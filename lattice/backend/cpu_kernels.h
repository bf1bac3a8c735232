/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu_kernels.h: the kernels of one precision on the CPU.  Included after NAME(x), and REAL_FLOAT or not, are defined.
 */
#include "backend.h"

#include "../kernels/kernel.h"
#include "../kernels/uniform.h"

#include "../group/u1.h"

#include "../kernels/gauge.h"
#include "../kernels/linear.h"
#include "../kernels/u1_updates.h"

#define KERNEL_ENTRY(name) .name = NAME(name),
