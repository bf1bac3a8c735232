/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_tables.h: the tables of kernels for a GPU, as C knows them.
 */
#ifdef __cplusplus
extern "C" {
#endif
#include "flows/kernels/blocking_kernels.h"
#include "flows/kernels/coupling_kernels.h"
#include "flows/kernels/flow_kernels.h"
#include "flows/kernels/masked_stout_kernels.h"
#include "flows/kernels/stout_kernels.h"
#ifdef __cplusplus
}
#endif
