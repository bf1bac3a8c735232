/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dynamics.c: molecular dynamics that checks itself: <exp(-dH)> = 1, and on a random share of the steps a trajectory forth and
 * back ends where it began.
 */
#include "hmc/updates/dynamics.h"

#include <math.h>
#include <stdlib.h>

static const double audited_share = 1.0 / 128, tolerance = 1e-6;
enum { MOST_LOST_IN_A_ROW = 10, LEAST_FALLEN = 10 };

lat_status mc_dynamics_create(lat_settings *settings, const lat_geometry *geometry, const lat_action *action, mc_dynamics *dynamics,
                              lat_error *error)
{
    if (mc_trajectory_create(settings, geometry, action, &dynamics->trajectory, error)) return error->status;
    dynamics->dh = lat_alloc(geometry->members, sizeof *dynamics->dh);
    dynamics->accepted = lat_alloc(geometry->members, sizeof *dynamics->accepted);
    dynamics->figure = lat_alloc(MC_DYNAMICS_FIGURES * (int64_t)geometry->members, sizeof *dynamics->figure);
    return LAT_DONE;
}

void mc_dynamics_show(mc_dynamics *dynamics, mc_update *update)
{
    static const char *const names[MC_DYNAMICS_FIGURES] = {"dh",           "accepted",     "force_level0", "force_level1", "force_level2",
                                                           "force_level3", "force_level4", "force_level5", "force_level6", "force_level7"};
    for (int i = 0; i < 2 + dynamics->trajectory.levels; i++) dynamics->name[i] = names[i];
    update->figure_name = dynamics->name;
    update->figure = dynamics->figure;
}

void mc_dynamics_free(mc_dynamics *dynamics)
{
    mc_trajectory_free(&dynamics->trajectory);
    free(dynamics->dh);
    free(dynamics->accepted);
    free(dynamics->figure);
}

bool mc_dynamics_audited(const mc_state *state, int index)
{
    double uniform[4];
    lat_random random = mc_random(state, LAT_RANDOM_AUDIT, index);
    lat_uniform4(&random, 0, 0, 0, 0, uniform);
    return state->step == 0 || uniform[0] < audited_share;
}

static lat_status audit(mc_update *update, mc_dynamics *dynamics, const mc_state *state, lat_action *action, lat_gauge *gauge,
                        lat_error *error)
{
    lat_random random = mc_random(state, LAT_RANDOM_AUDIT, update->index);
    double difference = mc_trajectory_reversibility(&dynamics->trajectory, action, gauge, &random);
    update->memory[MC_AUDITS]++;
    update->memory[MC_REVERSIBILITY] = fmax(update->memory[MC_REVERSIBILITY], difference);
    if (difference <= tolerance) return LAT_DONE;
    return lat_fail(error, LAT_NUMERICAL,
                    "updates.[%d]: step %llu: links differ by %.3g after a trajectory forth and back: take more steps",
                    update->index, (unsigned long long)state->step, difference);
}

static void count(mc_update *update, const mc_dynamics *dynamics, int members)
{
    double *memory = update->memory;
    mc_blocked_step(memory + MC_EXP_MINUS_DH);
    for (int m = 0; m < members; m++) {
        const double dh = dynamics->dh[m];
        memory[MC_TRAJECTORIES]++;
        memory[MC_ACCEPTED] += dynamics->accepted[m];
        memory[MC_LOST] += isnan(dh);
        memory[MC_FALLEN] += dh <= 0;
        if (!isnan(dh)) mc_blocked_add(memory + MC_EXP_MINUS_DH, mc_excess(dh));
    }
}

/* Of NaNs one alone, so that files are the same. */
static double same_nan(double value) { return isnan(value) ? NAN : value; }

static void fill_figures(mc_dynamics *dynamics, int members)
{
    const mc_trajectory *t = &dynamics->trajectory;
    double *figure = dynamics->figure;
    for (int m = 0; m < members; m++) {
        *figure++ = same_nan(dynamics->dh[m]);
        *figure++ = dynamics->accepted[m];
        for (int level = 0; level < t->levels; level++) *figure++ = same_nan(t->force[level * members + m]);
    }
}

lat_status mc_dynamics_step(mc_update *update, mc_dynamics *dynamics, const mc_state *state, lat_action *action, lat_gauge *gauge,
                            lat_error *error)
{
    if (mc_dynamics_audited(state, update->index) && audit(update, dynamics, state, action, gauge, error)) return error->status;
    lat_random momenta = mc_random(state, LAT_RANDOM_MOMENTA, update->index);
    lat_random acceptance = mc_random(state, LAT_RANDOM_ACCEPT, update->index);
    if (mc_trajectory_run(&dynamics->trajectory, action, gauge, &momenta, &acceptance, dynamics->dh, dynamics->accepted, error))
        return error->status;
    if (state->counts) count(update, dynamics, mc_members(state));
    fill_figures(dynamics, mc_members(state));

    bool all_lost = true;
    for (int m = 0; m < mc_members(state); m++) all_lost = all_lost && isnan(dynamics->dh[m]);
    update->memory[MC_ALL_LOST_IN_A_ROW] = all_lost ? update->memory[MC_ALL_LOST_IN_A_ROW] + 1 : 0;
    if (update->memory[MC_ALL_LOST_IN_A_ROW] < MOST_LOST_IN_A_ROW) return LAT_DONE;
    return lat_fail(error, LAT_NUMERICAL, "updates.[%d]: step %llu: dH is NaN in %d trajectories in a row: take more steps",
                    update->index, (unsigned long long)state->step, MOST_LOST_IN_A_ROW);
}

void mc_dynamics_report(const mc_update *update, const mc_dynamics *dynamics, json_t *object)
{
    const double *memory = update->memory;
    double n = memory[MC_TRAJECTORIES], error = mc_blocked_error(memory + MC_EXP_MINUS_DH);
    const mc_trajectory *t = &dynamics->trajectory;
    int64_t forces = mc_integrator_forces(t->integrator, t->levels, t->steps) * (int64_t)n;
    json_object_set_new(object, "trajectories", json_integer((int64_t)n));
    mc_report_real(object, "acceptance", memory[MC_ACCEPTED] / n);
    mc_report_real(object, "exp_minus_dh", 1 + mc_blocked_mean(memory + MC_EXP_MINUS_DH));
    mc_report_real(object, "exp_minus_dh_error", memory[MC_FALLEN] < LEAST_FALLEN ? NAN : error);
    json_object_set_new(object, "force_evaluations", json_integer(forces));
    json_object_set_new(object, "not_finite", json_integer((int64_t)memory[MC_LOST]));
    json_object_set_new(object, "audits", json_integer((int64_t)memory[MC_AUDITS]));
    mc_report_real(object, "reversibility", memory[MC_REVERSIBILITY]);
}
