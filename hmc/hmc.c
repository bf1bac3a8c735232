/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hmc.c: Hybrid Monte Carlo of the action of the chain.  It checks itself: <exp(-dH)> = 1, and on a random share of the steps
 * a trajectory forth and back ends where it began.
 */
#include "hmc.h"

#include <math.h>
#include <stdlib.h>

static const double audited_share = 1.0 / 64, tolerance = 1e-6;
enum { MOST_LOST_IN_A_ROW = 10 };

/* What is kept in the state.  LOST: trajectories with dH = NaN; the rest is what its name says. */
enum { TRAJECTORIES, ACCEPTED, EXP_SUM, EXP_SQUARES, LOST, ALL_LOST_IN_A_ROW, AUDITS, REVERSIBILITY, STATES };

typedef struct {
    mc_update base;
    mc_trajectory trajectory;
    double *dh;
    bool *accepted;
} hmc;

static void release(mc_update *update)
{
    hmc *h = (hmc *)update;
    mc_trajectory_free(&h->trajectory);
    free(h->base.state);
    free(h->dh);
    free(h->accepted);
    free(h);
}

static mc_update *create(lat_settings *settings, mc_chain *chain, int index, lat_error *error)
{
    hmc *h = lat_alloc(1, sizeof *h);
    h->base = (mc_update){.table = &mc_update_hmc, .chain = chain, .index = index, .state_count = STATES};
    h->base.state = lat_alloc(STATES, sizeof *h->base.state);
    h->dh = lat_alloc(chain->replicas, sizeof *h->dh);
    h->accepted = lat_alloc(chain->replicas, sizeof *h->accepted);
    if (mc_trajectory_create(settings, chain->geometry, chain->group, &h->trajectory, error) == LAT_DONE) return &h->base;
    release(&h->base);
    return NULL;
}

/* The first step is audited too, so that no run goes without. */
static bool audited(const mc_chain *chain, int index)
{
    double uniform[4];
    lat_random random = mc_random(chain, LAT_RANDOM_AUDIT, index);
    lat_uniform4(&random, 0, 0, 0, 0, uniform);
    return chain->step == 0 || uniform[0] < audited_share;
}

static lat_status audit(hmc *h, lat_error *error)
{
    mc_chain *chain = h->base.chain;
    lat_random random = mc_random(chain, LAT_RANDOM_AUDIT, h->base.index);
    double difference = mc_trajectory_reversibility(&h->trajectory, chain->action, chain->group, chain->links, &random);
    h->base.state[AUDITS]++;
    h->base.state[REVERSIBILITY] = fmax(h->base.state[REVERSIBILITY], difference);
    if (difference <= tolerance) return LAT_DONE;
    return lat_fail(error, LAT_NUMERICAL,
                    "updates.[%d]: step %llu: links differ by %.3g after a trajectory forth and back: give hmc more steps", h->base.index,
                    (unsigned long long)chain->step, difference);
}

static void count(hmc *h)
{
    double *state = h->base.state;
    for (int m = 0; m < h->base.chain->replicas; m++) {
        double weight = exp(-h->dh[m]);
        state[TRAJECTORIES]++;
        state[ACCEPTED] += h->accepted[m];
        state[LOST] += isnan(weight);
        if (isnan(weight)) continue;
        state[EXP_SUM] += weight;
        state[EXP_SQUARES] += weight * weight;
    }
}

static lat_status step(mc_update *update, lat_error *error)
{
    hmc *h = (hmc *)update;
    mc_chain *chain = update->chain;
    if (audited(chain, update->index) && audit(h, error)) return error->status;
    lat_random momenta = mc_random(chain, LAT_RANDOM_MOMENTA, update->index), acceptance = mc_random(chain, LAT_RANDOM_ACCEPT, update->index);
    mc_trajectory_run(&h->trajectory, chain->action, chain->group, chain->links, &momenta, &acceptance, h->dh, h->accepted);
    chain->links_id++;
    if (mc_chain_counts(chain)) count(h);

    bool all_lost = true;
    for (int m = 0; m < chain->replicas; m++) all_lost = all_lost && isnan(h->dh[m]);
    update->state[ALL_LOST_IN_A_ROW] = all_lost ? update->state[ALL_LOST_IN_A_ROW] + 1 : 0;
    if (update->state[ALL_LOST_IN_A_ROW] < MOST_LOST_IN_A_ROW) return LAT_DONE;
    return lat_fail(error, LAT_NUMERICAL, "updates.[%d]: step %llu: dH is NaN in %d trajectories in a row: give hmc more steps",
                    update->index, (unsigned long long)chain->step, MOST_LOST_IN_A_ROW);
}

static void report(const mc_update *update, json_t *object)
{
    const hmc *h = (const hmc *)update;
    const double *state = update->state;
    double n = state[TRAJECTORIES], kept = n - state[LOST];
    double mean = state[EXP_SUM] / kept, variance = state[EXP_SQUARES] / kept - mean * mean;
    int64_t forces = mc_integrator_forces(h->trajectory.integrator, h->trajectory.steps) * (int64_t)n;
    json_object_set_new(object, "trajectories", json_integer((int64_t)n));
    mc_report_real(object, "acceptance", state[ACCEPTED] / n);
    mc_report_real(object, "exp_minus_dh", mean);
    mc_report_real(object, "exp_minus_dh_error", sqrt(fmax(0, variance) / (kept - 1)));
    json_object_set_new(object, "force_evaluations", json_integer(forces));
    json_object_set_new(object, "not_finite", json_integer((int64_t)state[LOST]));
    json_object_set_new(object, "audits", json_integer((int64_t)state[AUDITS]));
    mc_report_real(object, "reversibility", state[REVERSIBILITY]);
}

const mc_update_table mc_update_hmc = {"hmc", create, step, report, release};
