/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sum.h: exact sums of numbers.
 */
#ifndef LAT_BASE_SUM_H
#define LAT_BASE_SUM_H

#include "lattice/base/error.h"

/* Exact, order-independent sum of doubles: a fixed-point number that spans the whole range of double.  Start from
 * {0}; up to 2^31 additions in all, of which an integer is two. */
enum { LAT_ACCUMULATOR_DIGITS = 67 };
typedef struct {
    int64_t digit[LAT_ACCUMULATOR_DIGITS]; /* value = sum_i digit[i] 2^(32 i - 1074) */
    int64_t not_finite;                    /* number of infinities and NaNs added */
} lat_accumulator;

void lat_accumulator_add(lat_accumulator *sum, double value);
/* integer times unit, a power of two */
void lat_accumulator_add_integer(lat_accumulator *sum, int64_t integer, double unit);
double lat_accumulator_value(const lat_accumulator *sum); /* correctly rounded; NaN if a term was not finite */
void lat_accumulator_reduce(MPI_Comm comm, lat_accumulator *sums, int count); /* collective; all ranks get the sum */

#endif
