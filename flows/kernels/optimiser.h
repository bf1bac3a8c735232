/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * optimiser.h: kernels of the optimiser, one parameter each; everything is double, whatever the precision of the layers.
 *
 * Parts of a gradient are added as integers, in a unit that follows from the largest of all, so that neither their order
 * nor who adds them matters.  So are the squares of the sums, for the norm.
 */
#ifndef OPTIMISER_H
#define OPTIMISER_H

#include "lattice/kernels/kernel.h"
#include "flows/kernels/flow_kernels.h"

/* Numbers that are not negative are in the order of their bits, and those which are none come last. */
REAL_INLINE int64_t bits_of(double value)
{
    union {
        double value;
        int64_t bits;
    } both = {fabs(value)};
    return both.bits;
}

REAL_INLINE void raise_to(int64_t *largest, int64_t value)
{
#ifdef __CUDACC__
    atomicMax((unsigned long long *)largest, (unsigned long long)value);
#else
    if (value > *largest) *largest = value;
#endif
}

/* largest = bits of the largest |row| */
KERNEL(gradient_largest)
{
    (void)lane;
    int64_t largest = 0;
    for (int64_t r = 0; r < k->rows; r++) {
        int64_t bits = bits_of(k->row[r * k->count + site]);
        largest = bits > largest ? bits : largest;
    }
    raise_to(k->largest, largest);
}
COST(gradient_largest, k->rows, 0, k->rows)

/* digits = sum of the rows in units of 1 / factor */
KERNEL(gradient_digits)
{
    (void)lane;
    int64_t sum = 0;
    for (int64_t r = 0; r < k->rows; r++) sum += (int64_t)rint(k->row[r * k->count + site] * k->factor);
    k->digits[site] = sum;
}
COST(gradient_digits, 3 * k->rows, 0, k->rows + 1)

/* gradient = sum of the rows / batch; squares += (sum reduction)^2 in units of 1 / square_unit */
KERNEL(gradient_mean)
{
    (void)lane;
    double sum = (double)k->digits[site] * k->unit, reduced = sum * k->reduction;
    k->gradient[site] = sum / k->batch;
    add_to_sum(k->squares, (int64_t)rint(reduced * reduced * k->square_unit));
}
COST(gradient_mean, 7, 0, 2)

/* A step of Adam (D. P. Kingma, J. Ba, arXiv:1412.6980) */
KERNEL(adam)
{
    (void)lane;
    const double keep_first = FLOW_ADAM_FIRST, keep_second = FLOW_ADAM_SECOND, epsilon = 1e-8;
    double gradient = k->gradient[site] * k->factor;
    double first = keep_first * k->first[site] + (1 - keep_first) * gradient;
    double second = keep_second * k->second[site] + (1 - keep_second) * gradient * gradient;
    k->first[site] = first;
    k->second[site] = second;
    k->parameters[site] -= k->learning_rate * (first / k->first_bias) / (sqrt(second / k->second_bias) + epsilon);
}
COST(adam, 15, 0, 7)

#endif
