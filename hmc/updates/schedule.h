/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * schedule.h: how often swaps of neighbours on a ladder are accepted, and the couplings where all of them are alike.  Local.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

/* The action is s0 + s1 c + s2 c^2 of the coupling c of the defect, exactly: no plaquette and no rectangle has more than two links of it. */
typedef struct {
    double s1, s2;
} mc_coupled;

/* S_b(U_a) + S_a(U_b) - S_a(U_a) - S_b(U_b) for couplings a, b and sums of U_a, U_b. */
double mc_swap_change(double coupling_a, double coupling_b, const mc_coupled *a, const mc_coupled *b);

/* Thermodynamic length between neighbours, from sigma = sqrt(Var(dS/dc)) at both, which is taken for linear in between. */
double mc_ladder_step(double coupling_a, double coupling_b, double sigma_a, double sigma_b);
/* erfc(step / 2): the acceptance of swaps of neighbours, where the sums are Gaussian. */
double mc_swap_acceptance(double step);
/* The couplings between the first and the last that cut the whole length in equal steps; sigma[rungs] is at the old ones. */
void mc_ladder_even_out(double *coupling, const double *sigma, int rungs);

#endif
