/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flow.c: independence Metropolis with proposals from a flow, arXiv:1904.12072: U' = F(V), V from the prior, is accepted with
 * min(1, e^{w' - w}), w = -S - log q.
 *
 * Proposal number step * replicas + replica is made for this step and replica, whatever became of the others.  A batch is
 * drawn ahead, chunk by chunk, by all groups of ranks; then the steps consume it one after another.  A resumed run draws
 * its batch again.
 */
#include "hmc/updates/audit.h"
#include "hmc/updates/proposals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double audited_share = 1.0 / 64; /* of the batches */

/* State: counters and sums, the audit's figures, then the log weight of each replica, true while the links of the chain have
 * the number LINKS. */
enum { PROPOSALS, ACCEPTED, LOST, TOP, SUM, SQUARES, CUBES, FOURTHS, LINKS, AUDIT, WEIGHTS = AUDIT + MC_AUDIT_STATES };

typedef struct {
    mc_update base;
    const char *model;
    mc_proposals proposals;
    uint64_t steps;    /* of the chain that a batch serves */
    uint64_t next;     /* batch number after the one at hand: 0 if there is none yet */
    int chunks;        /* of a batch; chunk c belongs to group c modulo groups */
    lat_field **links; /* [chunks]: the proposals of this group's chunks, NULL for the others */
    double *weight;    /* [chunks][members]: of the whole batch, on all ranks */
    int *taken;        /* [replicas]: what becomes of them in a step */
    lat_field *v;
} flow;

static void release(mc_update *update)
{
    flow *f = (flow *)update;
    for (int c = 0; c < f->chunks; c++) lat_field_free(f->links[c]);
    free(f->links);
    free(f->weight);
    free(f->taken);
    lat_field_free(f->v);
    mc_proposals_free(&f->proposals);
    free(f->base.state);
    free(f);
}

static void make_batch(flow *f, int64_t batch)
{
    mc_proposals *p = &f->proposals;
    int64_t replicas = f->base.chain->replicas, members = p->geometry->members;
    f->steps = (uint64_t)(batch > replicas ? batch / replicas : 1);
    f->base.period = f->steps;
    f->chunks = (int)(((int64_t)f->steps * replicas + members - 1) / members);
    f->links = lat_alloc(f->chunks, sizeof(lat_field *));
    for (int c = p->group; c < f->chunks; c += p->groups) f->links[c] = lat_field_gauge(p->geometry, f->base.chain->group, p->map->precision);
    f->weight = lat_alloc(f->chunks * members, sizeof *f->weight);
    f->taken = lat_alloc(replicas, sizeof *f->taken);
    f->v = lat_field_gauge(p->geometry, f->base.chain->group, p->map->precision);
}

static mc_update *create(lat_settings *settings, mc_chain *chain, int index, lat_error *error)
{
    const char *model = lat_settings_string(settings, "model", NULL, error);
    int64_t batch = lat_settings_int(settings, "batch", 64, 1, 1 << 20, error), ranks[LAT_MAX_DIM] = {1, 1, 1, 1};
    int count = lat_settings_ints(settings, "ranks", ranks, chain->geometry->dim, LAT_MAX_DIM, 1, 1 << 20, error);
    if (!error->status && count != chain->geometry->dim)
        lat_settings_fail(settings, "ranks", error, "%d numbers for %d directions: give one for each", count, chain->geometry->dim);
    if (error->status) return NULL;
    flow *f = lat_alloc(1, sizeof *f);
    f->base = (mc_update){.table = &mc_update_flow, .chain = chain, .index = index, .state_count = WEIGHTS + chain->replicas};
    f->base.state = lat_alloc(f->base.state_count, sizeof *f->base.state);
    f->base.state[LINKS] = -1;
    f->model = model;
    int grid[LAT_MAX_DIM];
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) grid[mu] = (int)ranks[mu];
    if (mc_proposals_create(chain, model, grid, chain->precision, &f->proposals, error) == LAT_DONE) {
        make_batch(f, batch);
        return &f->base;
    }
    release(&f->base);
    return NULL;
}

/* --------------------------------------------------------------------------------------------------------- batches */

/* The first batch is audited always, so that no run goes without. */
static bool audited(const flow *f, uint64_t batch)
{
    double uniform[4];
    lat_random random = {.seed = f->base.chain->seed, .purpose = LAT_RANDOM_AUDIT, .update = (uint32_t)f->base.index, .step = batch};
    lat_uniform4(&random, 0, 0, 0, 0, uniform);
    return batch == 0 || uniform[0] < audited_share;
}

/* Audits chunk 0, which group 0 has just drawn, and tells all ranks. */
static lat_status audit(flow *f, uint64_t batch, lat_error *error)
{
    mc_proposals *p = &f->proposals;
    double worst[MC_AUDIT_STATES] = {0};
    lat_random random = {.seed = f->base.chain->seed, .purpose = LAT_RANDOM_AUDIT, .update = (uint32_t)f->base.index, .step = batch};
    if (p->group == 0) mc_audit(p, &random, f->v, f->weight, worst);
    MPI_Bcast(worst, MC_AUDIT_STATES, MPI_DOUBLE, 0, f->base.chain->geometry->comm);
    double *kept = f->base.state + AUDIT;
    kept[MC_AUDIT_COUNT]++;
    for (int i = MC_AUDIT_INVERSE; i < MC_AUDIT_STATES; i++) kept[i] = fmax(kept[i], worst[i]);
    return mc_audit_verdict(worst, p->map->precision, error);
}

static void share_weights(flow *f)
{
    mc_proposals *p = &f->proposals;
    int members = p->geometry->members, rank_in_group;
    MPI_Comm_rank(p->group_comm, &rank_in_group);
    for (int c = 0; c < f->chunks; c++)
        if (c % p->groups != p->group || rank_in_group > 0) memset(f->weight + c * members, 0, (size_t)members * sizeof *f->weight);
    /* every number has one owner and is zero elsewhere; as integers, so that no bit changes */
    MPI_Allreduce(MPI_IN_PLACE, f->weight, f->chunks * members, MPI_INT64_T, MPI_BOR, f->base.chain->geometry->comm);
}

static lat_status draw_batch(flow *f, uint64_t batch, lat_error *error)
{
    mc_proposals *p = &f->proposals;
    uint64_t members = (uint64_t)p->geometry->members, first = batch * f->steps * (uint64_t)f->base.chain->replicas;
    bool check = audited(f, batch);
    /* chunk 0 last, so that v still holds its prior draw */
    for (int c = f->chunks - 1; c >= 0; c--) {
        if (c % p->groups != p->group) continue;
        mc_proposals_draw(p, f->base.index, first + (uint64_t)c * members, f->weight + (uint64_t)c * members, check && c == 0 ? f->v : NULL);
        lat_field *drawn = p->u;
        p->u = f->links[c];
        f->links[c] = drawn;
    }
    if (check && audit(f, batch, error)) return error->status;
    share_weights(f);
    f->next = batch + 1;
    return LAT_DONE;
}

/* ------------------------------------------------------------------------------------------------------- Metropolis */

/* Log weights of the configurations of the chain, where another update has changed them. */
static void weigh_chain(flow *f)
{
    mc_chain *chain = f->base.chain;
    mc_proposals *p = &f->proposals;
    int members = p->geometry->members;
    double *weight = lat_alloc(members, sizeof *weight);
    for (int first = 0; first < chain->replicas; first += members) {
        for (int m = 0; m < members; m++) {
            int replica = first + m < chain->replicas ? first + m : first;
            mc_proposals_from_chain(p, replica, m);
        }
        mc_proposals_weigh(p, weight, NULL);
        for (int m = 0; m < members && first + m < chain->replicas; m++) f->base.state[WEIGHTS + first + m] = weight[m];
    }
    free(weight);
}

/* Sums of e^w to e^4w over all proposals, relative to the largest w so far. */
static void count_weight(double *state, double weight)
{
    if (!isfinite(weight)) {
        state[LOST]++;
        return;
    }
    if (state[PROPOSALS] - state[LOST] == 1 || weight > state[TOP]) {
        double fall = state[SUM] > 0 ? exp(state[TOP] - weight) : 0, power = fall;
        for (int i = SUM; i <= FOURTHS; i++, power *= fall) state[i] *= power;
        state[TOP] = weight;
    }
    double share = exp(weight - state[TOP]), power = share;
    for (int i = SUM; i <= FOURTHS; i++, power *= share) state[i] += power;
}

static bool decide(flow *f, int replica, uint64_t number)
{
    mc_chain *chain = f->base.chain;
    double *state = f->base.state, uniform[4], weight = f->weight[number];
    lat_random random = mc_random(chain, LAT_RANDOM_ACCEPT, f->base.index);
    lat_uniform4(&random, 0, 0, (uint64_t)replica, 0, uniform);
    /* A random start may be where the flow hardly ever goes, and hold the chain for long: then the first proposal is the
     * start.  So would a current weight that is not a number. */
    bool start = chain->step == 0 && strcmp(chain->start, "hot") == 0;
    bool accepted = isfinite(weight) && (start || !(log(uniform[0]) >= weight - state[WEIGHTS + replica]));
    if (mc_chain_counts(chain)) {
        state[PROPOSALS]++;
        state[ACCEPTED] += accepted;
        count_weight(state, weight);
    }
    if (accepted) state[WEIGHTS + replica] = weight;
    return accepted;
}

/* Replica r is offered the proposal first + r of the batch.  Chunk by chunk, those that are accepted move to the chain. */
static void offer(flow *f, int64_t first)
{
    mc_proposals *p = &f->proposals;
    int64_t replicas = f->base.chain->replicas, members = p->geometry->members;
    for (int64_t chunk = first / members; chunk * members < first + replicas; chunk++) {
        bool any = false;
        for (int64_t r = 0; r < replicas; r++) {
            int64_t member = first + r - chunk * members;
            bool here = member >= 0 && member < members;
            f->taken[r] = here && decide(f, (int)r, (uint64_t)(first + r)) ? (int)member : -1;
            any = any || f->taken[r] >= 0;
        }
        if (any) mc_proposals_to_chain(p, (int)(chunk % p->groups), f->links[chunk], f->taken);
    }
}

static lat_status step(mc_update *update, lat_error *error)
{
    flow *f = (flow *)update;
    mc_chain *chain = update->chain;
    uint64_t batch = chain->step / f->steps, place = chain->step % f->steps;
    if (f->next != batch + 1 && draw_batch(f, batch, error)) return error->status;
    if (update->state[LINKS] != (double)chain->links_id) weigh_chain(f);
    offer(f, (int64_t)place * chain->replicas);
    chain->links_id++;
    update->state[LINKS] = (double)chain->links_id;
    return LAT_DONE;
}

/* Error of the ESS A^2 / B, A and B the means of e^w and e^2w, from the spread of 2 e^w / A - e^2w / B. */
static double ess_error(const double *state)
{
    double n = state[PROPOSALS] - state[LOST], a = state[SUM] / n, b = state[SQUARES] / n;
    double spread = 4 * b / (a * a) - 4 * state[CUBES] / n / (a * b) + state[FOURTHS] / n / (b * b) - 1;
    return a * a / b * sqrt(fmax(spread, 0) / n);
}

static void report(const mc_update *update, json_t *object)
{
    const flow *f = (const flow *)update;
    const double *state = update->state;
    double n = state[PROPOSALS], kept = n - state[LOST], ess = state[SUM] * state[SUM] / (n * state[SQUARES]);
    json_object_set_new(object, "proposals", json_integer((int64_t)n));
    mc_report_real(object, "acceptance", state[ACCEPTED] / n);
    mc_report_real(object, "ess", ess);
    mc_report_real(object, "ess_error", ess_error(state));
    mc_report_real(object, "log_z", state[TOP] + log(state[SUM] / kept));
    mc_report_real(object, "log_z_error", sqrt((1 / ess - 1) / n));
    json_object_set_new(object, "not_finite", json_integer((int64_t)state[LOST]));
    mc_audit_report(state + AUDIT, object);
    mc_model_report(f->proposals.model, f->model, object);
}

const mc_update_table mc_update_flow = {"flow", create, step, report, release};
