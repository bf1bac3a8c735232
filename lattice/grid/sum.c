/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sum.c: exact sums of fields, by integers where those can hold all values, else by accumulators.
 */
#include "lattice/grid/kernels.h"
#include "lattice/kernels/vector.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 32 };

/* A value is high 2^-24 + low 2^-76 with integers that leave room for ROWS of their like, unless it is too large, too small, or
 * not finite.  Adding 1.5 2^52 rounds to an integer, which is then in the last bits of the sum. */
enum { ROWS = 1024 };
typedef struct {
    lat_integers high, low;
    bool exact;
} part_sum;

/* A part of a field: up to ROWS rows, and LAT_VECTOR lanes of them, or as many as there are. */
typedef struct {
    const double *data;
    int64_t rows, lanes;
    int first, count;
} part;

static inline __attribute__((always_inline)) lat_doubles load(const double *data, int count)
{
    lat_doubles value = {0};
    if (count == LAT_VECTOR)
        memcpy(&value, data, sizeof value);
    else
        for (int i = 0; i < count; i++) value[i] = data[i];
    return value;
}

static inline __attribute__((always_inline)) part_sum sum_lanes(const part *p, int count)
{
    const lat_doubles shift = 0x1.8p52 - (lat_doubles){0};
    lat_integers high = {0}, low = {0}, inexact = {0};
    for (int64_t row = 0; row < p->rows; row++) {
        lat_doubles value = load(p->data + row * p->lanes, count);
        lat_integers fits = (value < 0x1p26) & (value > -0x1p26);
        lat_doubles taken = (lat_doubles)((lat_integers)value & fits);
        lat_doubles up = taken * 0x1p24 + shift, rest = (taken - (up - shift) * 0x1p-24) * 0x1p76, down = rest + shift;
        high += (lat_integers)up - (lat_integers)shift;
        low += (lat_integers)down - (lat_integers)shift;
        inexact |= ~fits | (down - shift != rest);
    }
    part_sum sum = {high, low, true};
    for (int i = 0; i < count; i++) sum.exact = sum.exact && inexact[i] == 0;
    return sum;
}

static part_sum sum_part(const part *p) { return p->count == LAT_VECTOR ? sum_lanes(p, LAT_VECTOR) : sum_lanes(p, p->count); }

/* The part at this row and lane.  Idle lanes come last. */
static part part_at(const lat_field *field, int64_t row, int lane)
{
    const lat_geometry *g = field->geometry;
    int64_t rest = g->sites * field->components - row;
    int used = g->members * g->blocks - lane;
    return (part){(const double *)field->data + row * g->lanes + lane, rest < ROWS ? rest : ROWS, g->lanes, lane, used < LAT_VECTOR ? used : LAT_VECTOR};
}

/* Any field: lane by lane as integers, and only where that is not exact one by one. */
static void sum_any(const lat_field *field, double *out)
{
    const lat_geometry *g = field->geometry;
    lat_accumulator *sums = lat_alloc(g->members, sizeof *sums);
    for (int lane = 0; lane < g->members * g->blocks; lane += LAT_VECTOR)
        for (int64_t row = 0; row < g->sites * field->components; row += ROWS) {
            part p = part_at(field, row, lane);
            part_sum sum = sum_part(&p);
            for (int i = 0; i < p.count; i++) {
                lat_accumulator *to = &sums[g->lane_member[lane + i]];
                if (sum.exact) {
                    lat_accumulator_add_integer(to, sum.high[i], 0x1p-24);
                    lat_accumulator_add_integer(to, sum.low[i], 0x1p-76);
                }
                for (int64_t r = 0; !sum.exact && r < p.rows; r++) lat_accumulator_add(to, p.data[r * g->lanes + i]);
            }
        }
    if (g->rank_count > 1) lat_accumulator_reduce(g->comm, sums, g->members);
    for (int m = 0; m < g->members; m++) out[m] = lat_accumulator_value(&sums[m]);
    free(sums);
}

/* Over the ranks; false: one of them was not exact. */
static bool reduce(const lat_geometry *g, __int128 *sums, bool exact)
{
    enum { DIGITS = 4 };
    if (g->rank_count == 1) return exact;
    int64_t *digit = lat_alloc(g->members * DIGITS + 1, sizeof *digit);
    for (int m = 0; m < g->members; m++) {
        for (int d = 0; d < DIGITS - 1; d++) digit[m * DIGITS + d] = (int64_t)(uint32_t)(sums[m] >> d * DIGIT_BITS);
        digit[m * DIGITS + DIGITS - 1] = (int64_t)(sums[m] >> (DIGITS - 1) * DIGIT_BITS);
    }
    digit[g->members * DIGITS] = !exact;
    MPI_Allreduce(MPI_IN_PLACE, digit, g->members * DIGITS + 1, MPI_INT64_T, MPI_SUM, g->comm);
    exact = digit[g->members * DIGITS] == 0;
    for (int m = 0; m < g->members; m++) {
        sums[m] = digit[m * DIGITS + DIGITS - 1];
        for (int d = DIGITS - 2; d >= 0; d--) sums[m] = sums[m] * ((__int128)1 << DIGIT_BITS) + digit[m * DIGITS + d];
    }
    free(digit);
    return exact;
}

/* Fields whose values are all of moderate size, in units of 2^-76; false: they are not. */
static bool sum_moderate(const lat_field *field, double *out)
{
    enum { MOST = 1 << 24 }; /* of values below 2^26 = 2^102 units */
    const lat_geometry *g = field->geometry;
    if (g->volume > MOST / field->components) return false;
    __int128 *sums = lat_alloc(g->members, sizeof *sums);
    bool exact = true;
    for (int lane = 0; exact && lane < g->members * g->blocks; lane += LAT_VECTOR)
        for (int64_t row = 0; row < g->sites * field->components; row += ROWS) {
            part p = part_at(field, row, lane);
            part_sum sum = sum_part(&p);
            exact = exact && sum.exact;
            for (int i = 0; i < p.count; i++) sums[g->lane_member[lane + i]] += (__int128)sum.high[i] * ((__int128)1 << 52) + sum.low[i];
        }
    exact = reduce(g, sums, exact);
    for (int m = 0; exact && m < g->members; m++) out[m] = (double)sums[m] * 0x1p-76; /* the conversion rounds correctly */
    free(sums);
    return exact;
}

void lat_sum(const lat_field *field, double *out)
{
    if (!field->geometry->backend->on_host && lat_device_sum(field, out)) return;
    lat_field host = *field;
    host.data = lat_field_map(field, LAT_READ);
    if (!sum_moderate(&host, out)) sum_any(&host, out);
    lat_field_unmap(field, host.data, LAT_READ);
}

/* ------------------------------------------------------------------------------------------------------------ slices */

/* sums[member][component][slice] += field */
static void add_slices(const lat_field *field, lat_accumulator *sums)
{
    const lat_geometry *g = field->geometry;
    const int components = field->components;
    int64_t slices = g->size[g->dim - 1], slice_volume = g->volume / slices;
    double *value = lat_field_map(field, LAT_READ);
    for (int64_t i = 0; i < g->sites; i++)
        for (int lane = 0; lane < g->blocks * g->members; lane++) {
            int64_t slice = lat_global_site(g, i, lane) / slice_volume;
            for (int c = 0; c < components; c++)
                lat_accumulator_add(&sums[(g->lane_member[lane] * components + c) * slices + slice],
                                    value[(i * components + c) * g->lanes + lane]);
        }
    lat_field_unmap(field, value, LAT_READ);
}

void lat_sum_slices(const lat_field *field, double *out)
{
    const lat_geometry *g = field->geometry;
    int64_t count = g->members * field->components * g->size[g->dim - 1];
    lat_accumulator *sums = lat_alloc(count, sizeof *sums);
    add_slices(field, sums);
    if (g->rank_count > 1) lat_accumulator_reduce(g->comm, sums, (int)count);
    for (int64_t i = 0; i < count; i++) out[i] = lat_accumulator_value(&sums[i]);
    free(sums);
}
