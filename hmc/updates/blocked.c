/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * blocked.c: see blocked.h.
 */
#include "hmc/updates/blocked.h"

#include <math.h>

enum { LEAST_BLOCKS = 8 };

static void merge(double *state)
{
    for (int part = MC_BLOCKED_SUMS; part <= MC_BLOCKED_COUNTS; part += MC_BLOCKS)
        for (int i = 0; i < MC_BLOCKS; i++) {
            double *block = state + part;
            block[i] = i < MC_BLOCKS / 2 ? block[2 * i] + block[2 * i + 1] : 0;
        }
    state[MC_BLOCKED_FULL] = MC_BLOCKS / 2;
    state[MC_BLOCKED_LENGTH] *= 2;
}

void mc_blocked_step(double *state)
{
    if (state[MC_BLOCKED_LENGTH] == 0) state[MC_BLOCKED_LENGTH] = 1;
    if (state[MC_BLOCKED_STEPS] == state[MC_BLOCKED_LENGTH]) {
        state[MC_BLOCKED_FULL]++;
        state[MC_BLOCKED_STEPS] = 0;
    }
    if (state[MC_BLOCKED_FULL] == MC_BLOCKS) merge(state);
    state[MC_BLOCKED_STEPS]++;
}

void mc_blocked_add(double *state, double number)
{
    const int block = (int)state[MC_BLOCKED_FULL];
    state[MC_BLOCKED_SUMS + block] += number;
    state[MC_BLOCKED_COUNTS + block]++;
    state[MC_BLOCKED_SQUARES] += number * number;
}

static double total(const double *blocks)
{
    double sum = 0;
    for (int i = 0; i < MC_BLOCKS; i++) sum += blocks[i];
    return sum;
}

double mc_blocked_mean(const double *state)
{
    return total(state + MC_BLOCKED_SUMS) / total(state + MC_BLOCKED_COUNTS);
}

/* Of a ratio of sums: from what blocks differ by from count * mean */
double mc_blocked_error(const double *state)
{
    const double n = total(state + MC_BLOCKED_COUNTS), mean = mc_blocked_mean(state),
                 spread = state[MC_BLOCKED_SQUARES] / n - mean * mean;
    const int full = (int)state[MC_BLOCKED_FULL];
    double alone = sqrt(fmax(spread, 0) / (n - 1)), counts = 0, squares = 0;
    if (full < LEAST_BLOCKS) return alone;
    for (int i = 0; i < full; i++) {
        double off = state[MC_BLOCKED_SUMS + i] - mean * state[MC_BLOCKED_COUNTS + i];
        counts += state[MC_BLOCKED_COUNTS + i];
        squares += off * off;
    }
    return fmax(alone, sqrt(squares * full / (full - 1)) / counts);
}

double mc_excess(double change)
{
    const double least_fall = -1;
    if (change < least_fall) return -1;
    return exp(-change) - 1 + (change > -least_fall);
}
