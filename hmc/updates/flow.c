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

static const double audited_share = 1.0 / 256; /* of the chunks; the first is always */

/* Memory: counters and sums, the audit's figures, then the log weight of each replica, true while the links of the chain have
 * the number LINKS. */
enum { PROPOSALS, ACCEPTED, LOST, TOP, SUM, SQUARES, CUBES, FOURTHS, LINKS, AUDIT, WEIGHTS = AUDIT + MC_AUDIT_STATES };

typedef struct {
    mc_update base;
    const char *model;
    mc_proposals proposals;
    mc_auditor auditor;
    uint64_t steps;    /* of the chain that a batch serves */
    uint64_t next;     /* batch number after the one at hand: 0 if there is none yet */
    int chunks;        /* of a batch; chunk c belongs to group c modulo groups */
    lat_gauge **drawn; /* [chunks]: the proposals of this group's chunks, NULL for the others */
    double *weight;    /* [chunks][members]: of the whole batch, on all ranks */
    int *taken;        /* [replicas]: what becomes of them in a step */
    lat_gauge *v;
} flow;

static void release(mc_update *update)
{
    flow *f = (flow *)update;
    for (int c = 0; c < f->chunks; c++) lat_gauge_free(f->drawn[c]);
    free(f->drawn);
    free(f->weight);
    free(f->taken);
    lat_gauge_free(f->v);
    mc_auditor_free(&f->auditor);
    mc_proposals_free(&f->proposals);
    free(f->base.memory);
    free(f);
}

static void make_batch(flow *f, const mc_state *state, int64_t batch)
{
    mc_proposals *p = &f->proposals;
    int64_t replicas = mc_replicas(state), members = p->geometry->members;
    f->steps = (uint64_t)(batch > replicas ? batch / replicas : 1);
    f->base.period = f->steps;
    f->chunks = (int)(((int64_t)f->steps * replicas + members - 1) / members);
    f->drawn = lat_alloc(f->chunks, sizeof(lat_gauge *));
    for (int c = p->group; c < f->chunks; c += p->groups) f->drawn[c] = lat_gauge_create(p->geometry, state->gauge->group, p->map->precision);
    f->weight = lat_alloc(f->chunks * members, sizeof *f->weight);
    f->taken = lat_alloc(replicas, sizeof *f->taken);
    f->v = lat_gauge_create(p->geometry, state->gauge->group, p->map->precision);
}

static mc_update *create(lat_settings *settings, const mc_context *context, int index, lat_error *error)
{
    const mc_state *state = context->state;
    const char *model = lat_settings_string(settings, "model", NULL, error);
    int64_t batch = lat_settings_int(settings, "batch", 64, 1, 1 << 20, error), ranks[LAT_MAX_DIM] = {1, 1, 1, 1};
    int count = lat_settings_ints(settings, "ranks", ranks, mc_lattice(state)->dim, LAT_MAX_DIM, 1, 1 << 20, error);
    if (!error->status && count != mc_lattice(state)->dim)
        lat_settings_fail(settings, "ranks", error, "%d numbers for %d directions: give one for each", count, mc_lattice(state)->dim);
    if (state->action->auxiliary)
        lat_settings_fail(settings, "kind", error, "flow knows actions without auxiliary fields alone: use hmc or fthmc");
    if (error->status) return NULL;
    flow *f = lat_alloc(1, sizeof *f);
    f->base = (mc_update){.table = &mc_update_flow, .index = index, .memory_count = WEIGHTS + mc_replicas(state)};
    f->base.memory = lat_alloc(f->base.memory_count, sizeof *f->base.memory);
    f->base.memory[LINKS] = -1;
    f->model = model;
    int grid[LAT_MAX_DIM];
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) grid[mu] = (int)ranks[mu];
    if (mc_proposals_create(context, model, grid, &f->proposals, error) == LAT_DONE &&
        mc_auditor_create(f->proposals.map, &f->auditor, error) == LAT_DONE) {
        make_batch(f, state, batch);
        return &f->base;
    }
    release(&f->base);
    return NULL;
}

/* --------------------------------------------------------------------------------------------------------- batches */

static lat_random audit_stream(const flow *f, uint64_t seed, uint64_t batch)
{
    return (lat_random){.seed = seed, .purpose = LAT_RANDOM_AUDIT, .update = (uint32_t)f->base.index, .step = batch};
}

static bool audited(const flow *f, uint64_t seed, uint64_t batch, int chunk)
{
    double uniform[4];
    lat_random random = audit_stream(f, seed, batch);
    lat_uniform4(&random, 0, 0, (uint64_t)chunk, 0, uniform);
    return (batch == 0 && chunk == 0) || uniform[0] < audited_share;
}

/* Of a chunk that was just drawn: the links are still those of the proposals. */
static void audit(flow *f, uint64_t seed, uint64_t batch, int chunk, bool all_layers, mc_deviation *worst, lat_error *error)
{
    mc_proposals *p = &f->proposals;
    const double *weight = f->weight + chunk * p->geometry->members;
    double *log_det = lat_alloc(p->geometry->members, sizeof *log_det);
    lat_random random = audit_stream(f, seed, batch);
    random.member = (uint64_t)chunk * (uint64_t)p->geometry->members;
    mc_proposals_log_det(p, weight, log_det);
    mc_audit(&f->auditor, &random, all_layers, f->v, p->u, log_det, worst, error);
    free(log_det);
}

static void share_findings(mc_deviation *worst, MPI_Comm comm)
{
    MPI_Allreduce(MPI_IN_PLACE, worst, MC_CHECKS * (int)(sizeof *worst / sizeof(double)), MPI_DOUBLE, MPI_MAX, comm);
}

/* What the groups have found of a batch, on all ranks.  What is found in a batch counts once, and what is found only because a run was
 * resumed does not count: a run that was not resumed reports the same. */
static lat_status conclude(flow *f, const mc_state *state, uint64_t batch, mc_deviation *worst, mc_deviation *resumed, lat_error *error)
{
    int audits = 0;
    MPI_Comm comm = mc_lattice(state)->comm;
    if (lat_agree(comm, error)) return error->status;
    share_findings(worst, comm);
    share_findings(resumed, comm);
    for (int c = 0; c < f->chunks; c++) audits += audited(f, state->seed, batch, c);
    if (state->step == batch * f->steps) mc_audit_record(worst, audits, f->base.memory + AUDIT);
    if (mc_audit_verdict(worst, error)) return error->status;
    return mc_audit_verdict(resumed, error);
}

static void share_weights(flow *f, MPI_Comm comm)
{
    mc_proposals *p = &f->proposals;
    int members = p->geometry->members, rank_in_group;
    MPI_Comm_rank(p->group_comm, &rank_in_group);
    for (int c = 0; c < f->chunks; c++)
        if (c % p->groups != p->group || rank_in_group > 0) memset(f->weight + c * members, 0, (size_t)members * sizeof *f->weight);
    lat_join(comm, f->weight, (int64_t)f->chunks * members);
}

static lat_status draw_batch(flow *f, const mc_state *state, uint64_t batch, lat_error *error)
{
    mc_proposals *p = &f->proposals;
    uint64_t members = (uint64_t)p->geometry->members, first = batch * f->steps * (uint64_t)mc_replicas(state);
    mc_deviation worst[MC_CHECKS] = {{0}}, resumed[MC_CHECKS] = {{0}};
    for (int c = p->group; c < f->chunks; c += p->groups) {
        const bool check = audited(f, state->seed, batch, c), first_of_process = f->next == 0 && c == 0, begin = batch == 0 && c == 0;
        if (mc_proposals_draw(p, state->seed, f->base.index, first + (uint64_t)c * members, f->weight + (uint64_t)c * members,
                              check || first_of_process ? f->v : NULL, error))
            break;
        if (check) audit(f, state->seed, batch, c, begin, worst, error);
        if (first_of_process && !begin) audit(f, state->seed, batch, c, true, resumed, error);
        lat_gauge *drawn = p->u;
        p->u = f->drawn[c];
        f->drawn[c] = drawn;
    }
    if (conclude(f, state, batch, worst, resumed, error)) return error->status;
    share_weights(f, mc_lattice(state)->comm);
    f->next = batch + 1;
    return LAT_DONE;
}

/* ------------------------------------------------------------------------------------------------------- Metropolis */

/* Log weights of the configurations of the chain, where another update has changed them. */
static lat_status weigh_chain(flow *f, const mc_state *state, lat_error *error)
{
    mc_proposals *p = &f->proposals;
    int members = p->geometry->members;
    double *weight = lat_alloc(members, sizeof *weight);
    for (int first = 0; first < mc_replicas(state); first += members) {
        for (int m = 0; m < members; m++) {
            int replica = first + m < mc_replicas(state) ? first + m : first;
            mc_proposals_from_chain(p, state, replica, m);
        }
        mc_proposals_weigh(p, weight, NULL, error);
        for (int m = 0; m < members && first + m < mc_replicas(state); m++) f->base.memory[WEIGHTS + first + m] = weight[m];
    }
    free(weight);
    return error->status;
}

/* Sums of e^w to e^4w over all proposals, relative to the largest w so far. */
static void count_weight(double *memory, double weight)
{
    if (!isfinite(weight)) {
        memory[LOST]++;
        return;
    }
    if (memory[PROPOSALS] - memory[LOST] == 1 || weight > memory[TOP]) {
        double fall = memory[SUM] > 0 ? exp(memory[TOP] - weight) : 0, power = fall;
        for (int i = SUM; i <= FOURTHS; i++, power *= fall) memory[i] *= power;
        memory[TOP] = weight;
    }
    double share = exp(weight - memory[TOP]), power = share;
    for (int i = SUM; i <= FOURTHS; i++, power *= share) memory[i] += power;
}

static bool decide(flow *f, const mc_state *state, int replica, uint64_t number)
{
    double *memory = f->base.memory, uniform[4], weight = f->weight[number];
    lat_random random = mc_random(state, LAT_RANDOM_ACCEPT, f->base.index);
    lat_uniform4(&random, 0, 0, (uint64_t)replica, 0, uniform);
    /* A random start may be where the flow hardly ever goes, and hold the chain for long: then the first proposal is the
     * start.  So would a current weight that is not a number. */
    bool accepted = isfinite(weight) && (state->random || !(log(uniform[0]) >= weight - memory[WEIGHTS + replica]));
    if (state->counts) {
        memory[PROPOSALS]++;
        memory[ACCEPTED] += accepted;
        count_weight(memory, weight);
    }
    if (accepted) memory[WEIGHTS + replica] = weight;
    return accepted;
}

/* Replica r is offered the proposal first + r of the batch.  Chunk by chunk, those that are accepted move to the chain. */
static void offer(flow *f, mc_state *state, int64_t first)
{
    mc_proposals *p = &f->proposals;
    int64_t replicas = mc_replicas(state), members = p->geometry->members;
    for (int64_t chunk = first / members; chunk * members < first + replicas; chunk++) {
        bool any = false;
        for (int64_t r = 0; r < replicas; r++) {
            int64_t member = first + r - chunk * members;
            bool here = member >= 0 && member < members;
            f->taken[r] = here && decide(f, state, (int)r, (uint64_t)(first + r)) ? (int)member : -1;
            any = any || f->taken[r] >= 0;
        }
        if (any) mc_proposals_to_chain(p, state, (int)(chunk % p->groups), f->drawn[chunk], f->taken);
    }
}

static lat_status step(mc_update *update, mc_state *state, lat_error *error)
{
    flow *f = (flow *)update;
    uint64_t batch = state->step / f->steps, place = state->step % f->steps;
    if (f->next != batch + 1 && draw_batch(f, state, batch, error)) return error->status;
    if (update->memory[LINKS] != (double)state->gauge->version && weigh_chain(f, state, error)) return error->status;
    offer(f, state, (int64_t)place * mc_replicas(state));
    update->memory[LINKS] = (double)state->gauge->version;
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
    const double *state = update->memory;
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
