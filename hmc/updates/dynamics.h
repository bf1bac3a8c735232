/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dynamics.h: an update by molecular dynamics that counts and checks itself, shared by hmc and fthmc.
 */
#ifndef DYNAMICS_H
#define DYNAMICS_H

#include "hmc/trajectory.h"
#include "hmc/update.h"
#include "hmc/updates/blocked.h"

/* What is kept in the memory of the update, from its beginning.  LOST: trajectories with dH = NaN; EXP_MINUS_DH: the
 * mean that mc_dynamics_report describes; the rest is what its name says. */
enum {
    MC_TRAJECTORIES,
    MC_ACCEPTED,
    MC_FALLEN, /* trajectories with dH <= 0 */
    MC_LOST,
    MC_ALL_LOST_IN_A_ROW,
    MC_AUDITS,
    MC_REVERSIBILITY,
    MC_EXP_MINUS_DH,
    MC_DYNAMICS_STATES = MC_EXP_MINUS_DH + MC_BLOCKED_STATES
};

typedef struct {
    mc_trajectory trajectory;
    double *dh;
    bool *accepted; /* [members] of the last trajectory */
    char **name;    /* NULL-terminated */
    double *figure; /* [members][names]: dH, acceptance, the force of each level, what solvers did for terms, as the update shows them */
    char **part;    /* NULL-terminated: the terms, as parts of the work with a clock of their own */
    double *part_seconds, *part_step_seconds;
    int64_t solved; /* where the memory of the update has what solvers did in the trajectories that count */
} mc_dynamics;

/* action: like the one that the steps will be given. */
lat_status mc_dynamics_create(lat_settings *settings, const lat_geometry *geometry, lat_action *action, mc_dynamics *dynamics,
                              lat_error *error);
/* Lets the update tell dH, acceptance and forces of its last trajectory; where the action has terms that solve equations, also what solvers
 * did, for which the memory of the update is made longer. */
void mc_dynamics_show(mc_dynamics *dynamics, mc_update *update);
void mc_dynamics_free(mc_dynamics *dynamics);
/* One trajectory of all members of the gauge field under the action, with the random streams of the state; on a random
 * share of the steps, a trajectory forth and back before it.  LAT_NUMERICAL if that does not end where it began, or if
 * dH is NaN again and again.  Collective. */
lat_status mc_dynamics_step(mc_update *update, mc_dynamics *dynamics, const mc_state *state, lat_action *action,
                            lat_gauge *gauge, lat_error *error);
/* Whether this step is one of the random share that is audited; the first is. */
bool mc_dynamics_audited(const mc_state *state, int index);
/* Of each term that solves equations, "solves": numbers of solves and mean iterations over all replicas, the most iterations, the largest
 * residues.  And <exp(-dH)>, which is 1 for trajectories from equilibrium, as the mean of mc_excess, with the larger error of independent
 * trajectories and of blocks of steps; there is none, and null is reported, where fewer than ten trajectories had dH <= 0. */
void mc_dynamics_report(const mc_update *update, const mc_dynamics *dynamics, json_t *object);

#endif
