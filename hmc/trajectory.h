/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trajectory.h: trajectories of molecular dynamics.
 */
#ifndef HMC_TRAJECTORY_H
#define HMC_TRAJECTORY_H

#include "hmc/integrator.h"

/* A molecular-dynamics trajectory with Metropolis at its end, as used by hmc and fthmc. */
typedef struct {
    mc_integrator integrator;
    double length, randomise; /* lengths are drawn evenly from length (1 - randomise) to length (1 + randomise) */
    int levels, steps[LAT_MAX_LEVELS]; /* of the action; steps of each level, the outermost first */
    lat_gauge *start;
    lat_field *momenta, *density;
    mc_last_forces last; /* of the last integration */
    /* [level][member]: sqrt(sum_{x,mu,a} (F^a_mu(x))^2 / (dim volume)) at the end of the last trajectory. */
    double *force;
    int solving;        /* terms of the action that solve equations */
    lat_solves *solves; /* [solving][member]: what was done in the last trajectory */
    struct lat_repeats *repeats; /* of the integration */
} mc_trajectory;

/* Reads trajectory, randomise, steps (one number, or one per level of the action), integrator from the settings. */
lat_status mc_trajectory_create(lat_settings *settings, const lat_geometry *geometry, lat_action *action, mc_trajectory *trajectory,
                                lat_error *error);
void mc_trajectory_free(mc_trajectory *trajectory);
/* One trajectory of all members.  dh[members]: H(end) - H(start); accepted[members].  Rejected members get their links
 * back.  momenta, and length and acceptance, are drawn from the two streams.  A failure of the action is returned, and the links are
 * those of the start.  Collective. */
lat_status mc_trajectory_run(mc_trajectory *trajectory, lat_action *action, lat_gauge *gauge, const lat_random *momenta,
                       const lat_random *acceptance, double *dh, bool *accepted, lat_error *error);
/* Largest |a - b| over the members of two gauge fields, the angles of U(1) compared on the circle; infinite if one
 * is not a number.  Collective. */
double mc_largest_difference(const lat_gauge *a, const lat_gauge *b);
/* The same for each member. */
void mc_largest_differences(const lat_gauge *a, const lat_gauge *b, double *largest);
/* Largest |difference| of the links after a trajectory forth and back (no Metropolis), infinite if one is not a
 * number; links are unchanged.  Collective. */
double mc_trajectory_reversibility(mc_trajectory *trajectory, lat_action *action, lat_gauge *gauge, const lat_random *momenta);

#endif
