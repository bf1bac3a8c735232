/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * schedule.h: how often swaps of neighbours on a ladder are accepted, and the couplings where all of them are alike.  Local.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* The action is s0 + s1 c + s2 c^2 of the coupling c of the defect, exactly: no plaquette and no rectangle has more than two links of it. */
typedef struct {
    double s1, s2;
} mc_coupled;

/* S_b(U_a) + S_a(U_b) - S_a(U_a) - S_b(U_b) for couplings a, b and sums of U_a, U_b. */
double mc_swap_change(double coupling_a, double coupling_b, const mc_coupled *a, const mc_coupled *b);

/* Whether couplings are set again after this step: after 16, 32, 64, ... steps. */
bool mc_schedule_due(uint64_t step);

/* Thermodynamic length between neighbours, from sigma = sqrt(Var(dS/dc)) at both, which is taken for linear in between. */
double mc_ladder_step(double coupling_a, double coupling_b, double sigma_a, double sigma_b);
/* The whole length of a ladder; sigma[rungs]. */
double mc_ladder_length(const double *coupling, const double *sigma, int rungs);
/* erfc(step / 2): the acceptance of swaps of neighbours, where the sums are Gaussian. */
double mc_swap_acceptance(double step);
/* The fewest rungs whose swaps are accepted as often, at equal steps of this length: 1 + length / (2 erfc^-1(acceptance)), rounded up; at
 * least 2. */
double mc_ladder_rungs(double length, double acceptance);
/* coupling[count], from the first to the last of old[rungs]: those that cut the whole length, which is above 0, in equal steps. */
void mc_ladder_divide(const double *old, const double *sigma, int rungs, double *coupling, int count);
/* The same in place, with as many rungs; where there is no length, they stay. */
void mc_ladder_even_out(double *coupling, const double *sigma, int rungs);

#endif
