/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * integrator.h: integrators of molecular dynamics.
 */
#ifndef HMC_INTEGRATOR_H
#define HMC_INTEGRATOR_H

#include "lattice/lattice.h"

typedef enum { MC_LEAPFROG, MC_OMF2, MC_OMF4, MC_INTEGRATORS } mc_integrator;
extern const char *const mc_integrator_names[]; /* "leapfrog", "omf2", "omf4", NULL */

/* The forces of the last kicks, which all levels have at the links where an integration ends. */
typedef struct {
    lat_field *before;                 /* scratch, of the kind of the momenta */
    lat_field *square[LAT_MAX_LEVELS]; /* [level]: sum_{mu,a} (F^a_mu(x))^2, one double component */
} mc_last_forces;

/* Integrates dU/dt = pi U, dpi/dt = -dS/dU over `length` in steps[0] steps.  An action of several levels is integrated
 * on nested time scales, steps[] having one number per level, the outermost first: a drift of one level is an
 * integration of the next one over that time, in as many steps.  Fills in `last`, if it is not NULL; links and momenta are the same to
 * the bit with and without. */
void mc_integrate(mc_integrator integrator, lat_action *action, lat_gauge *gauge, lat_field *momenta, double length,
                  const int *steps, const mc_last_forces *last);
/* Number of forces that one call of mc_integrate computes, those of different levels counted alike. */
int64_t mc_integrator_forces(mc_integrator integrator, int levels, const int *steps);

#endif
