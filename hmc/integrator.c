/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * integrator.c: integrators of molecular dynamics as alternating kicks, pi -= a eps dS/dU, and drifts, U <- exp(b eps
 * pi) U.
 *
 * leapfrog; the minimum-norm scheme of second order with two forces a step (OMF2) and that of fourth order with five
 * (OMF4, 4MN5FV), I. P. Omelyan, I. M. Mryglod and R. Folk, Comput. Phys. Commun. 151 (2003) 272.  All are symmetric,
 * begin and end with a kick, and the last kick of a step is joined to the first of the next.
 *
 * Nested time scales, J. C. Sexton and D. H. Weingarten, Nucl. Phys. B 380 (1992) 665: a drift of one level is an
 * integration of the next level.  Only the innermost level moves the links, so the last kick of one such integration
 * is joined to the first of the next one too.
 */
#include "hmc/integrator.h"

#include "lattice/grid/kernels.h"

const char *const mc_integrator_names[] = {"leapfrog", "omf2", "omf4", NULL};

enum { MOST_STAGES = 11 };

#define LAMBDA 0.1931833275037836

#define THETA 0.08398315262876693
#define RHO 0.2539785108410595
#define LAMBDA4 0.6822365335719091
#define CHI -0.03230286765269967

/* Stages 0, 2, 4, ... are kicks, the others drifts, in units of the step. */
static const struct {
    int stages;
    double coefficient[MOST_STAGES];
} schemes[MC_INTEGRATORS] = {
    [MC_LEAPFROG] = {3, {0.5, 1, 0.5}},
    [MC_OMF2] = {5, {LAMBDA, 0.5, 1 - 2 * LAMBDA, 0.5, LAMBDA}},
    [MC_OMF4] = {11,
                 {THETA, RHO, LAMBDA4, CHI, 0.5 - THETA - LAMBDA4, 1 - 2 * (RHO + CHI), 0.5 - THETA - LAMBDA4, CHI,
                  LAMBDA4, RHO, THETA}},
};

int64_t mc_integrator_forces(mc_integrator integrator, int levels, const int *steps)
{
    int64_t drifts = 1, forces = 0;
    for (int i = 0; i < levels; i++) {
        drifts *= (int64_t)(schemes[integrator].stages / 2) * steps[i];
        forces += drifts + 1;
    }
    return forces;
}

typedef struct {
    mc_integrator integrator;
    lat_action *action;
    lat_gauge *gauge;
    lat_field *momenta;
    double owed[LAT_MAX_LEVELS]; /* time of the kick that each level still has to do */
} nest;

static void kick(nest *n, int level, double time)
{
    n->action->table->force(n->action, level, n->gauge, -(n->owed[level] + time), n->momenta);
    n->owed[level] = 0;
}

/* All but the last kick, which is owed. */
static void integrate(nest *n, int level, const int *steps, double length)
{
    const double *coefficient = schemes[n->integrator].coefficient;
    int last = schemes[n->integrator].stages - 1;
    double eps = length / *steps, next = coefficient[0];
    for (int step = 0; step < *steps; step++)
        for (int i = 1; i <= last; i += 2) {
            kick(n, level, next * eps);
            if (level > 0)
                integrate(n, level - 1, steps + 1, coefficient[i] * eps);
            else
                lat_gauge_exp_update(n->gauge, coefficient[i] * eps, n->momenta);
            next = i + 1 < last ? coefficient[i + 1] : coefficient[last] + coefficient[0];
        }
    n->owed[level] = coefficient[last] * eps;
}

/* The force is what the kick does to the momenta: asking the action for it by itself would cost a force more, and adding that to
 * the momenta would round differently.  The block comes first in a field, and its halo is not copied. */
static void last_kick(nest *n, int level, const mc_last_forces *last)
{
    const lat_field *p = n->momenta;
    change_square_args args = {lat_tables_of(p->geometry), p->data,      last->before->data, 1 / n->owed[level],
                               last->square[level]->data,  p->components};
    lat_range range = lat_block(p->geometry);
    p->geometry->backend->copy(last->before->data, p->data,
                               p->geometry->sites * p->components * p->geometry->lanes * (int64_t)sizeof(double));
    kick(n, level, 0);
    lat_field_zero(last->square[level]);
    lat_field_kernels_of(p)->change_square(&args, &range);
}

void mc_integrate(mc_integrator integrator, lat_action *action, lat_gauge *gauge, lat_field *momenta, double length,
                  const int *steps, const mc_last_forces *last)
{
    nest n = {.integrator = integrator, .action = action, .gauge = gauge, .momenta = momenta};
    integrate(&n, action->levels - 1, steps, length);
    for (int level = 0; level < action->levels; level++) {
        if (last)
            last_kick(&n, level, last);
        else
            kick(&n, level, 0);
    }
}
