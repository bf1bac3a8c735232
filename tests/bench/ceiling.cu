/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ceiling.cu: chains of multiply-adds on a GPU, one for each thread: `count` threads, `components` rounds of 2 * CHAINS
 * operations.
 */
#define NAME(x) bench_##x
#include "lattice/backend/cuda_headers.h"

#include "lattice/backend/backend.h"
#include "lattice/kernels/kernel.h"

typedef axpy_args multiply_add_args;

KERNEL(multiply_add)
{
    enum { CHAINS = 8 };
    real sum[CHAINS], factor = (scalar)k->a;
    scalar *y = (scalar *)k->y + site * k->t.lanes + lane;
    for (int j = 0; j < CHAINS; j++) sum[j] = (scalar)j + *y;
    for (int i = 0; i < k->components; i++) {
        REAL_UNROLL
        for (int j = 0; j < CHAINS; j++) sum[j] = sum[j] * factor + factor;
    }
    for (int j = 0; j < CHAINS; j++) *y += sum[j];
}
