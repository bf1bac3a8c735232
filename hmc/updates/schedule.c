/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * schedule.c: where the rungs of a ladder are.
 *
 * X = dS/dc has variance sigma^2(c).  For neighbours a small dc apart the change of a swap is dc (X_a - X_b), with mean dc^2 sigma^2 and
 * twice that as variance, so that, Gaussian, it is accepted with erfc(dc sigma / 2): equal acceptance is equal steps of
 * Lambda = int sigma dc, and rungs = 1 + Lambda / (2 erfc^-1(acceptance)).  (Parallel tempering in general: D. A. Kofke, J. Chem.
 * Phys. 117 (2002) 6911; the length: G. E. Crooks, Phys. Rev. Lett. 99 (2007) 100602 [arXiv:0706.0559].)
 */
#include "hmc/updates/schedule.h"

#include "lattice/lattice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double mc_swap_change(double coupling_a, double coupling_b, const mc_coupled *a, const mc_coupled *b)
{
    return (coupling_b - coupling_a) * (a->s1 - b->s1 + (coupling_b + coupling_a) * (a->s2 - b->s2));
}

bool mc_schedule_due(uint64_t step) { return step >= 16 && (step & (step - 1)) == 0; }

double mc_ladder_step(double coupling_a, double coupling_b, double sigma_a, double sigma_b)
{
    return fabs(coupling_b - coupling_a) * (sigma_a + sigma_b) / 2;
}

double mc_swap_acceptance(double step) { return erfc(step / 2); }

/* How far between two rungs, from 0 to 1, this part of the length is reached: sigma_a x + (sigma_b - sigma_a) x^2 / 2 = part. */
static double place(double part, double sigma_a, double sigma_b)
{
    return 2 * part / (sigma_a + sqrt(fmax(sigma_a * sigma_a + 2 * (sigma_b - sigma_a) * part, 0)));
}

double mc_ladder_length(const double *coupling, const double *sigma, int rungs)
{
    double length = 0;
    for (int i = 0; i + 1 < rungs; i++) length += mc_ladder_step(coupling[i], coupling[i + 1], sigma[i], sigma[i + 1]);
    return length;
}

/* Halves of an interval, as often as a double can be halved. */
double mc_ladder_rungs(double length, double acceptance)
{
    double low = 0, high = 60;
    for (int i = 0; i < 64; i++) {
        const double middle = (low + high) / 2;
        if (mc_swap_acceptance(middle) > acceptance)
            low = middle;
        else
            high = middle;
    }
    return 1 + fmax(ceil(length / low), 1);
}

void mc_ladder_divide(const double *old, const double *sigma, int rungs, double *coupling, int count)
{
    const double length = mc_ladder_length(old, sigma, rungs);
    double done = 0;
    for (int i = 1, at = 0; i + 1 < count; i++) {
        const double wanted = length * i / (count - 1);
        double step;
        while (done + (step = mc_ladder_step(old[at], old[at + 1], sigma[at], sigma[at + 1])) < wanted &&
               at + 2 < rungs) {
            done += step;
            at++;
        }
        const double apart = old[at + 1] - old[at];
        coupling[i] = old[at] + apart * place((wanted - done) / fabs(apart), sigma[at], sigma[at + 1]);
    }
    coupling[0] = old[0];
    coupling[count - 1] = old[rungs - 1];
}

void mc_ladder_even_out(double *coupling, const double *sigma, int rungs)
{
    if (!(mc_ladder_length(coupling, sigma, rungs) > 0)) return;
    double *old = lat_alloc(rungs, sizeof *old);
    memcpy(old, coupling, (size_t)rungs * sizeof *old);
    mc_ladder_divide(old, sigma, rungs, coupling, rungs);
    free(old);
}
