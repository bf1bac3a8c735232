/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dynamics.c: molecular dynamics that checks itself: <exp(-dH)> = 1, and on a random share of the steps a trajectory forth and
 * back ends where it began.
 */
#include "hmc/updates/dynamics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double audited_share = 1.0 / 128, tolerance = 1e-6;
enum { MOST_LOST_IN_A_ROW = 10, LEAST_FALLEN = 10 };

/* What is told of each term that solves equations; in the memory of the update sums over trajectories and members, or the largest. */
enum { SOLVES, ITERATIONS, MOST, RESIDUE, RESIDUE_FORCE, OF_TERM };
static const char *const of_term[OF_TERM] = {"solves", "iterations", "most_iterations", "residue", "residue_force"};

static void name_figures(mc_dynamics *dynamics, int members)
{
    const mc_trajectory *t = &dynamics->trajectory;
    const int figures = 2 + t->levels + t->solving * OF_TERM;
    char **name = dynamics->name = lat_alloc(figures + 1, sizeof *name), **part = dynamics->part = lat_alloc(t->solving + 1, sizeof *part);
    dynamics->figure = lat_alloc((int64_t)figures * members, sizeof *dynamics->figure);
    dynamics->part_seconds = lat_alloc(t->solving, sizeof *dynamics->part_seconds);
    dynamics->part_step_seconds = lat_alloc(t->solving, sizeof *dynamics->part_step_seconds);
    *name++ = lat_text("dh");
    *name++ = lat_text("accepted");
    for (int level = 0; level < t->levels; level++) *name++ = lat_text("force_level%d", level);
    for (int i = 0; i < t->solving; i++) {
        const int term = t->solves[i * members].term;
        for (int k = 0; k < OF_TERM; k++) *name++ = lat_text("%s_term%d", of_term[k], term);
        part[i] = lat_text("term%d", term);
    }
}

lat_status mc_dynamics_create(lat_settings *settings, const lat_geometry *geometry, lat_action *action, mc_dynamics *dynamics,
                              lat_error *error)
{
    if (mc_trajectory_create(settings, geometry, action, &dynamics->trajectory, error)) return error->status;
    dynamics->dh = lat_alloc(geometry->members, sizeof *dynamics->dh);
    dynamics->accepted = lat_alloc(geometry->members, sizeof *dynamics->accepted);
    name_figures(dynamics, geometry->members);
    return LAT_DONE;
}

/* The memory of the update ends with what solvers did. */
void mc_dynamics_show(mc_dynamics *dynamics, mc_update *update)
{
    const int64_t before = update->memory_count, more = dynamics->trajectory.solving * OF_TERM;
    update->figure_name = (const char *const *)dynamics->name;
    update->figure = dynamics->figure;
    if (more == 0) return;
    double *memory = lat_alloc(before + more, sizeof *memory);
    memcpy(memory, update->memory, (size_t)before * sizeof *memory);
    free(update->memory);
    update->memory = memory;
    update->memory_count = before + more;
    dynamics->solved = before;
    update->part_name = (const char *const *)dynamics->part;
    update->part_seconds = dynamics->part_seconds;
    update->part_step_seconds = dynamics->part_step_seconds;
}

static void free_names(char **name)
{
    for (int i = 0; name && name[i]; i++) free(name[i]);
    free(name);
}

void mc_dynamics_free(mc_dynamics *dynamics)
{
    mc_trajectory_free(&dynamics->trajectory);
    free(dynamics->dh);
    free(dynamics->accepted);
    free(dynamics->figure);
    free_names(dynamics->name);
    free_names(dynamics->part);
    free(dynamics->part_seconds);
    free(dynamics->part_step_seconds);
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

static void count_solves(double *sum, const lat_solves *s)
{
    sum[SOLVES] += s->solves;
    sum[ITERATIONS] += s->iterations;
    sum[MOST] = fmax(sum[MOST], s->most);
    sum[RESIDUE] = fmax(sum[RESIDUE], s->residue);
    sum[RESIDUE_FORCE] = fmax(sum[RESIDUE_FORCE], s->residue_force);
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
        for (int i = 0; i < dynamics->trajectory.solving; i++)
            count_solves(memory + dynamics->solved + i * OF_TERM, &dynamics->trajectory.solves[i * members + m]);
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
        for (int i = 0; i < t->solving; i++) {
            const lat_solves *s = &t->solves[i * members + m];
            const double told[OF_TERM] = {s->solves, s->iterations / s->solves, s->most, s->residue, s->residue_force};
            memcpy(figure, told, sizeof told);
            figure += OF_TERM;
        }
    }
    for (int i = 0; i < t->solving; i++) dynamics->part_step_seconds[i] = t->solves[i * members].seconds;
}

lat_status mc_dynamics_step(mc_update *update, mc_dynamics *dynamics, const mc_state *state, lat_action *action, lat_gauge *gauge,
                            lat_error *error)
{
    if (mc_dynamics_audited(state, update->index) && audit(update, dynamics, state, action, gauge, error)) return error->status;
    lat_random momenta = mc_random(state, LAT_RANDOM_MOMENTA, update->index);
    lat_random acceptance = mc_random(state, LAT_RANDOM_ACCEPT, update->index);
    lat_error failure = {0};
    if (mc_trajectory_run(&dynamics->trajectory, action, gauge, &momenta, &acceptance, dynamics->dh, dynamics->accepted, &failure))
        return lat_fail(error, failure.status, "updates.[%d]: step %llu: %s", update->index, (unsigned long long)state->step, failure.text);
    if (state->counts) count(update, dynamics, mc_members(state));
    fill_figures(dynamics, mc_members(state));

    bool all_lost = true;
    for (int m = 0; m < mc_members(state); m++) all_lost = all_lost && isnan(dynamics->dh[m]);
    update->memory[MC_ALL_LOST_IN_A_ROW] = all_lost ? update->memory[MC_ALL_LOST_IN_A_ROW] + 1 : 0;
    if (update->memory[MC_ALL_LOST_IN_A_ROW] < MOST_LOST_IN_A_ROW) return LAT_DONE;
    return lat_fail(error, LAT_NUMERICAL, "updates.[%d]: step %llu: dH is NaN in %d trajectories in a row: take more steps",
                    update->index, (unsigned long long)state->step, MOST_LOST_IN_A_ROW);
}

static json_t *solves_array(const double *memory, const mc_dynamics *dynamics)
{
    const mc_trajectory *t = &dynamics->trajectory;
    const int members = t->momenta->geometry->members;
    json_t *all = json_array();
    for (int i = 0; i < t->solving; i++) {
        const double *sum = memory + dynamics->solved + i * OF_TERM;
        json_t *one = json_object();
        json_object_set_new(one, "term", json_integer(t->solves[i * members].term));
        json_object_set_new(one, of_term[SOLVES], json_integer((int64_t)sum[SOLVES]));
        mc_report_real(one, of_term[ITERATIONS], sum[ITERATIONS] / sum[SOLVES]);
        json_object_set_new(one, of_term[MOST], json_integer((int64_t)sum[MOST]));
        mc_report_real(one, of_term[RESIDUE], sum[RESIDUE]);
        mc_report_real(one, of_term[RESIDUE_FORCE], sum[RESIDUE_FORCE]);
        mc_report_real(one, "seconds", dynamics->part_seconds[i]);
        json_array_append_new(all, one);
    }
    return all;
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
    if (t->solving > 0) json_object_set_new(object, "solves", solves_array(memory, dynamics));
}
