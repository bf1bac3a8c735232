/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * accumulator.c: sums that do not depend on the order of their terms.
 *
 * A double is an integer of 53 bits times a power of two between 2^-1074 and 2^971.  The accumulator holds the exact sum
 * as a number in base 2^32, one digit per 64-bit integer, so that carries can wait for 2^31 additions (Kulisch's long
 * accumulator).  Adding digits is exact, so ranks are combined by an integer sum.
 */
#include "lattice/base/sum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 32, LOWEST_BIT = -1074 };

void lat_accumulator_add(lat_accumulator *sum, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7ff);
    uint64_t mantissa = bits & 0xfffffffffffffull;
    if (exponent == 0x7ff) {
        sum->not_finite++;
        return;
    }
    int shift = exponent ? exponent - 1 : 0; /* value = mantissa 2^(shift - 1074) */
    if (exponent) mantissa |= 1ull << 52;
    int digit = shift / DIGIT_BITS;
    unsigned __int128 wide = (unsigned __int128)mantissa << shift % DIGIT_BITS;
    int64_t part[3] = {(int64_t)(uint32_t)wide, (int64_t)(uint32_t)(wide >> 32), (int64_t)(uint32_t)(wide >> 64)};
    int64_t sign = bits >> 63 ? -1 : 0;
    for (int i = 0; i < 3; i++) sum->digit[digit + i] += (part[i] ^ sign) - sign;
}

/* In two numbers, that none of the 63 bits is lost. */
void lat_accumulator_add_integer(lat_accumulator *sum, int64_t integer, double unit)
{
    int64_t low = integer & 0xffffffff;
    lat_accumulator_add(sum, (double)low * unit);
    lat_accumulator_add(sum, (double)(integer - low) * unit);
}

/* Moves carries upwards; every digit but the last ends in [0, 2^32), and the last carries the sign. */
static void normalise(lat_accumulator *sum)
{
    for (int i = 0; i < LAT_ACCUMULATOR_DIGITS - 1; i++) {
        int64_t low = sum->digit[i] & 0xffffffff;
        sum->digit[i + 1] += (sum->digit[i] - low) >> DIGIT_BITS;
        sum->digit[i] = low;
    }
}

/* The normalised, non-negative number, rounded to the nearest double: the leading 64 bits, with a sticky last bit for
 * all that follows, lose at most their last bits in one rounding. */
static double round_digits(const int64_t *digit)
{
    int top = LAT_ACCUMULATOR_DIGITS - 1;
    while (top >= 0 && digit[top] == 0) top--;
    if (top < 0) return 0;
    unsigned __int128 lead = 0;
    for (int i = 0; i < 3; i++) lead = lead << DIGIT_BITS | (uint64_t)(top - i >= 0 ? digit[top - i] : 0);
    int exponent = LOWEST_BIT + DIGIT_BITS * (top - 2);
    bool rest = false;
    for (int i = top - 3; i >= 0; i--) rest = rest || digit[i] != 0;
    while (lead >> 62) {
        rest = rest || (lead & 1);
        lead >>= 1;
        exponent++;
    }
    uint64_t bits = (uint64_t)lead;
    int drop = 63 - __builtin_clzll(bits) - 52; /* bits beyond the 53 of a double */
    int subnormal = LOWEST_BIT - exponent;      /* bits below the smallest double */
    if (drop < subnormal) drop = subnormal;
    if (drop <= 0) return ldexp((double)bits, exponent);
    uint64_t half = 1ull << (drop - 1), low = bits & (2 * half - 1);
    bits >>= drop;
    if (low > half || (low == half && (rest || (bits & 1)))) bits++;
    return ldexp((double)bits, exponent + drop);
}

double lat_accumulator_value(const lat_accumulator *sum)
{
    if (sum->not_finite) return NAN;
    lat_accumulator copy = *sum;
    normalise(&copy);
    bool negative = copy.digit[LAT_ACCUMULATOR_DIGITS - 1] < 0;
    if (negative) {
        for (int i = 0; i < LAT_ACCUMULATOR_DIGITS; i++) copy.digit[i] = -copy.digit[i];
        normalise(&copy);
    }
    double value = round_digits(copy.digit);
    return negative ? -value : value;
}

void lat_accumulator_reduce(MPI_Comm comm, lat_accumulator *sums, int count)
{
    for (int i = 0; i < count; i++) normalise(&sums[i]);
    MPI_Allreduce(MPI_IN_PLACE, sums, count * (LAT_ACCUMULATOR_DIGITS + 1), MPI_INT64_T, MPI_SUM, comm);
}
