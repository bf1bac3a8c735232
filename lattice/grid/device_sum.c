/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * device_sum.c: the exact sum of a field that is in the memory of a device.  Integers come back, a few for each
 * lane.
 */
#include "lattice/kernels/sum.h"
#include "lattice/grid/kernels.h"

#include <stdlib.h>

static void add_parts(lat_accumulator *sum, const int64_t *part)
{
    lat_accumulator_add_integer(sum, part[SUM_HIGH], 0x1p-24);
    lat_accumulator_add_integer(sum, part[SUM_HIGH + 1], 0x1p8);
    lat_accumulator_add_integer(sum, part[SUM_LOW], 0x1p-76);
    lat_accumulator_add_integer(sum, part[SUM_LOW + 1], 0x1p-44);
}

static int64_t *sum_rows(const lat_field *field)
{
    const lat_geometry *g = field->geometry;
    int64_t rows = g->sites * field->components, bytes = (int64_t)sizeof(int64_t) * SUM_PARTS * g->lanes;
    int64_t *part = lat_alloc(bytes, 1), *sums = g->backend->allocate(bytes);
    sum_rows_args args = {lat_tables_of(g), field->data, rows, sums};
    lat_range range = {.count = (rows + SUM_ROWS - 1) / SUM_ROWS, .lanes = g->lanes};
    lat_field_kernels_of(field)->sum_rows(&args, &range);
    g->backend->download(part, sums, bytes, LAT_OF_ARRAY);
    g->backend->release(sums);
    return part;
}

static void add_lanes(const lat_geometry *g, const int64_t *part, double *out)
{
    lat_accumulator *sum = lat_alloc(g->members, sizeof *sum);
    for (int lane = 0; lane < g->members * g->blocks; lane++) add_parts(&sum[g->lane_member[lane]], part + lane * SUM_PARTS);
    if (g->rank_count > 1) lat_accumulator_reduce(g->comm, sum, g->members);
    for (int m = 0; m < g->members; m++) out[m] = lat_accumulator_value(&sum[m]);
    free(sum);
}

bool lat_device_sum(const lat_field *field, double *out)
{
    const lat_geometry *g = field->geometry;
    int64_t *part = sum_rows(field), inexact = 0;
    for (int lane = 0; lane < g->members * g->blocks; lane++) inexact += part[lane * SUM_PARTS + SUM_INEXACT];
    if (g->rank_count > 1) MPI_Allreduce(MPI_IN_PLACE, &inexact, 1, MPI_INT64_T, MPI_SUM, g->comm);
    if (!inexact) add_lanes(g, part, out);
    free(part);
    return !inexact;
}
