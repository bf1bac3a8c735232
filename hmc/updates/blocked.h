/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * blocked.h: the mean of a series as it grows, with an error that sees correlations, in a fixed number of numbers.
 */
#ifndef BLOCKED_H
#define BLOCKED_H

/* The number of FULL blocks; STEPS in the one at hand, of LENGTH when it is full; the sum of the SQUARES of all
 * numbers; then the sum and the count of the numbers of each block.  When all are full, of two becomes one. */
enum {
    MC_BLOCKS = 32,
    MC_BLOCKED_FULL = 0,
    MC_BLOCKED_STEPS,
    MC_BLOCKED_LENGTH,
    MC_BLOCKED_SQUARES,
    MC_BLOCKED_SUMS,
    MC_BLOCKED_COUNTS = MC_BLOCKED_SUMS + MC_BLOCKS,
    MC_BLOCKED_STATES = MC_BLOCKED_COUNTS + MC_BLOCKS
};

/* state: zeros in the beginning.  A step, then any amount of numbers that belong to it. */
void mc_blocked_step(double *state);
void mc_blocked_add(double *state, double number);
double mc_blocked_mean(const double *state);
/* The larger error of the mean: of independent numbers, or, from eight full blocks on, of independent blocks. */
double mc_blocked_error(const double *state);

/* Of mean 0 where Metropolis decides by `change`, and the way back is as likely: exp(-change) - 1, made of numbers below e.  Changes back
 * have the density P(-change) = exp(-change) P(change), so that those below -1, few of great weight, add to the mean what those above 1
 * have of all. */
double mc_excess(double change);

#endif
