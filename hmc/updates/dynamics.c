/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dynamics.c: molecular dynamics that checks itself: <exp(-dH)> = 1, and on a random share of the steps a trajectory forth and
 * back ends where it began.
 */
#include "hmc/updates/dynamics.h"

#include <math.h>
#include <stdlib.h>

static const double audited_share = 1.0 / 64, tolerance = 1e-6;
enum { MOST_LOST_IN_A_ROW = 10 };

lat_status mc_dynamics_create(lat_settings *settings, const lat_geometry *geometry, lat_group group, int levels,
                              mc_dynamics *dynamics, lat_error *error)
{
    if (mc_trajectory_create(settings, geometry, group, levels, &dynamics->trajectory, error)) return error->status;
    dynamics->dh = lat_alloc(geometry->members, sizeof *dynamics->dh);
    dynamics->accepted = lat_alloc(geometry->members, sizeof *dynamics->accepted);
    return LAT_DONE;
}

void mc_dynamics_free(mc_dynamics *dynamics)
{
    mc_trajectory_free(&dynamics->trajectory);
    free(dynamics->dh);
    free(dynamics->accepted);
}

/* The first step is audited too, so that no run goes without. */
static bool audited(const mc_chain *chain, int index)
{
    double uniform[4];
    lat_random random = mc_random(chain, LAT_RANDOM_AUDIT, index);
    lat_uniform4(&random, 0, 0, 0, 0, uniform);
    return chain->step == 0 || uniform[0] < audited_share;
}

static lat_status audit(mc_update *update, mc_dynamics *dynamics, lat_action *action, lat_field *links, lat_error *error)
{
    const mc_chain *chain = update->chain;
    lat_random random = mc_random(chain, LAT_RANDOM_AUDIT, update->index);
    double difference = mc_trajectory_reversibility(&dynamics->trajectory, action, chain->group, links, &random);
    update->state[MC_AUDITS]++;
    update->state[MC_REVERSIBILITY] = fmax(update->state[MC_REVERSIBILITY], difference);
    if (difference <= tolerance) return LAT_DONE;
    return lat_fail(error, LAT_NUMERICAL,
                    "updates.[%d]: step %llu: links differ by %.3g after a trajectory forth and back: take more steps",
                    update->index, (unsigned long long)chain->step, difference);
}

static void count(mc_update *update, const mc_dynamics *dynamics)
{
    double *state = update->state;
    for (int m = 0; m < update->chain->replicas; m++) {
        double weight = exp(-dynamics->dh[m]);
        state[MC_TRAJECTORIES]++;
        state[MC_ACCEPTED] += dynamics->accepted[m];
        state[MC_LOST] += isnan(weight);
        if (isnan(weight)) continue;
        state[MC_EXP_SUM] += weight;
        state[MC_EXP_SQUARES] += weight * weight;
    }
}

lat_status mc_dynamics_step(mc_update *update, mc_dynamics *dynamics, lat_action *action, lat_field *links, lat_error *error)
{
    mc_chain *chain = update->chain;
    if (audited(chain, update->index) && audit(update, dynamics, action, links, error)) return error->status;
    lat_random momenta = mc_random(chain, LAT_RANDOM_MOMENTA, update->index);
    lat_random acceptance = mc_random(chain, LAT_RANDOM_ACCEPT, update->index);
    mc_trajectory_run(&dynamics->trajectory, action, chain->group, links, &momenta, &acceptance, dynamics->dh, dynamics->accepted);
    if (mc_chain_counts(chain)) count(update, dynamics);

    bool all_lost = true;
    for (int m = 0; m < chain->replicas; m++) all_lost = all_lost && isnan(dynamics->dh[m]);
    update->state[MC_ALL_LOST_IN_A_ROW] = all_lost ? update->state[MC_ALL_LOST_IN_A_ROW] + 1 : 0;
    if (update->state[MC_ALL_LOST_IN_A_ROW] < MOST_LOST_IN_A_ROW) return LAT_DONE;
    return lat_fail(error, LAT_NUMERICAL, "updates.[%d]: step %llu: dH is NaN in %d trajectories in a row: take more steps",
                    update->index, (unsigned long long)chain->step, MOST_LOST_IN_A_ROW);
}

void mc_dynamics_report(const mc_update *update, const mc_dynamics *dynamics, json_t *object)
{
    const double *state = update->state;
    double n = state[MC_TRAJECTORIES], kept = n - state[MC_LOST];
    double mean = state[MC_EXP_SUM] / kept, variance = state[MC_EXP_SQUARES] / kept - mean * mean;
    const mc_trajectory *t = &dynamics->trajectory;
    int64_t forces = mc_integrator_forces(t->integrator, t->levels, t->steps) * (int64_t)n;
    json_object_set_new(object, "trajectories", json_integer((int64_t)n));
    mc_report_real(object, "acceptance", state[MC_ACCEPTED] / n);
    mc_report_real(object, "exp_minus_dh", mean);
    mc_report_real(object, "exp_minus_dh_error", sqrt(fmax(0, variance) / (kept - 1)));
    json_object_set_new(object, "force_evaluations", json_integer(forces));
    json_object_set_new(object, "not_finite", json_integer((int64_t)state[MC_LOST]));
    json_object_set_new(object, "audits", json_integer((int64_t)state[MC_AUDITS]));
    mc_report_real(object, "reversibility", state[MC_REVERSIBILITY]);
}
