/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * no_cuda.c: in place of the kernels for GPUs where programs are built without them.  Nobody gets to call these.
 */
#include "flows/kernels/blocking_kernels.h"
#include "flows/kernels/coupling_kernels.h"
#include "flows/kernels/flow_kernels.h"
#include "flows/kernels/masked_stout_kernels.h"
#include "flows/kernels/stout_kernels.h"

const flow_kernels flow_cuda_double = {0}, flow_cuda_float = {0};
const flow_coupling_kernels flow_coupling_cuda_u1_double = {0}, flow_coupling_cuda_u1_float = {0};
const flow_blocking_kernels flow_blocking_cuda_u1_double = {0}, flow_blocking_cuda_u1_float = {0},
                            flow_blocking_cuda_su2_double = {0}, flow_blocking_cuda_su2_float = {0},
                            flow_blocking_cuda_su3_double = {0}, flow_blocking_cuda_su3_float = {0};
const flow_stout_kernels flow_stout_cuda_su2_double = {0}, flow_stout_cuda_su2_float = {0},
                         flow_stout_cuda_su3_double = {0}, flow_stout_cuda_su3_float = {0};
const flow_masked_stout_kernels flow_masked_stout_cuda_u1_double = {0}, flow_masked_stout_cuda_u1_float = {0},
                                flow_masked_stout_cuda_su2_double = {0}, flow_masked_stout_cuda_su2_float = {0},
                                flow_masked_stout_cuda_su3_double = {0}, flow_masked_stout_cuda_su3_float = {0};
