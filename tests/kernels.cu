/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels.cu: every kernel header, compiled as CUDA in double precision; those of gauge fields for every group.  Nothing
 * runs: this keeps the kernels in the form that both compilers take.  make cuda-compile-check.
 */
#define OMPI_SKIP_MPICXX
#define MPICH_SKIP_MPICXX
#define _Noreturn __attribute__((noreturn)) /* C's word in lattice.h */

#include "../lattice/backend/backend.h"

#include "../lattice/kernels/kernel.h"
#include "../lattice/kernels/uniform.h"

/* The groups have the same names for different things. */
#define NAME(x) lat_cuda_u1_double_##x
#include "../lattice/kernels/linear.h"
#include "../flows/kernels/conv.h"
#include "../flows/kernels/coupling_kernels.h"
#include "../flows/kernels/spline.h"
#include "../flows/kernels/tangents.h"
namespace u1 {
#include "../lattice/group/u1.h"
#include "../lattice/kernels/gauge.h"
#include "../lattice/kernels/weighted.h"
#include "../lattice/kernels/rectangle.h"
#include "../lattice/kernels/gradient_flow.h"
#include "../lattice/kernels/smearing.h"
#include "../lattice/kernels/u1_updates.h"
#include "../flows/kernels/u1_coupling.h"
#include "../flows/kernels/blocking.h"
}

#undef NAME
#define NAME(x) lat_cuda_su2_double_##x
namespace su2 {
#include "../lattice/group/su2.h"
#include "../lattice/kernels/gauge.h"
#include "../lattice/kernels/weighted.h"
#include "../lattice/kernels/rectangle.h"
#include "../lattice/kernels/gradient_flow.h"
#include "../lattice/kernels/smearing.h"
}

#undef NAME
#define NAME(x) lat_cuda_su3_double_##x
namespace su3 {
#include "../lattice/group/su3.h"
#include "../lattice/kernels/gauge.h"
#include "../lattice/kernels/weighted.h"
#include "../lattice/kernels/rectangle.h"
#include "../lattice/kernels/gradient_flow.h"
#include "../lattice/kernels/smearing.h"
}
