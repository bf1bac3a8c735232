/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cpu.c: the backend that runs kernels on the host, at once, in the memory of the host.
 */
#include "lattice/backend/backend.h"
#include "lattice/backend/gauge_kernels.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(int64_t bytes) { return lat_alloc(bytes, 1); }
static void zero(void *to, int64_t bytes) { memset(to, 0, (size_t)bytes); }
static void copy(void *to, const void *from, int64_t bytes) { memcpy(to, from, (size_t)bytes); }
static void copy_between(void *to, const void *from, int64_t bytes, lat_copied what)
{
    (void)what;
    memcpy(to, from, (size_t)bytes);
}
static void copy_for_halo(void *to, const void *from, int64_t bytes, lat_stream stream)
{
    (void)stream;
    memcpy(to, from, (size_t)bytes);
}
static void follow(lat_stream stream, lat_stream before)
{
    (void)stream;
    (void)before;
}
static void wait_for(lat_stream stream) { (void)stream; }

const lat_backend lat_backend_cpu = {
    .name = "cpu",
    .on_host = true,
    .messages = true,
    .fields = {[LAT_DOUBLE] = &lat_cpu_fields_double, [LAT_FLOAT] = &lat_cpu_fields_float},
    .kernels = {[LAT_U1] = {[LAT_DOUBLE] = &lat_cpu_u1_double, [LAT_FLOAT] = &lat_cpu_u1_float},
                [LAT_SU2] = {[LAT_DOUBLE] = &lat_cpu_su2_double, [LAT_FLOAT] = &lat_cpu_su2_float},
                [LAT_SU3] = {[LAT_DOUBLE] = &lat_cpu_su3_double, [LAT_FLOAT] = &lat_cpu_su3_float}},
    .allocate = allocate,
    .release = free,
    .zero = zero,
    .copy = copy,
    .upload = copy_between,
    .download = copy_between,
    .allocate_staging = allocate,
    .release_staging = free,
    .send_staging = copy_for_halo,
    .receive_staging = copy_for_halo,
    .follow = follow,
    .wait = wait_for,
};
