/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nonequilibrium.c: evolutions out of equilibrium (C. Jarzynski, Phys. Rev. Lett. 78 (1997) 2690 [cond-mat/9610209]; on the lattice M. Caselle
 * et al., Phys. Rev. D 94 (2016) 034503 [arXiv:1604.05544], in the boundary condition C. Bonanno, A. Nada and D. Vadacchino, JHEP 04 (2024)
 * 126 [arXiv:2402.06561]).
 *
 * The chain is of the lattice that the configuration describes, with action S_0.  From its links, of all members side by side, an evolution
 * starts in each step that goes on to S_n by way of S_1, S_2, ...: for k = 1 ... n
 *
 *     W += S_k(U) - S_{k-1}(U);   then updates of its own that leave exp(-S_k) as it is.
 *
 * With the weight exp(-W) what comes out is of the distribution exp(-S_n), and <exp(-W)> = Z_n / Z_0 = exp(-Delta F).  S_k has the coupling
 * of the defect, or beta, or both, at lambda_k between 0, of the chain, and 1, of the end.  W is a sum of differences of densities, site by
 * site, exactly summed.  Terms that do not depend on the couplings drop out.
 *
 * Protocol: lambda_k = k / n.  Where the links follow the action closely, the dissipated work <W> - Delta F is the sum over k of
 * (lambda_k - lambda_{k-1})^2 tau sigma^2, with sigma^2 the variance of dS / d lambda and tau its autocorrelation time in updates, at least 1/2
 * (G. E. Crooks, Phys. Rev. Lett. 99 (2007) 100602 [arXiv:0706.0559]): smallest for equal steps of the length int sigma d lambda, Lambda^2 tau / n.
 * With `adapt` the lambda_k are set to that while nothing counts, after twice as many steps each time, as the couplings of a ladder are.
 */
#include "hmc/update.h"
#include "hmc/updates/blocked.h"
#include "hmc/updates/schedule.h"
#include "lattice/grid/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Memory: then lambda of all points, and sums of the differences of S, divided by those of lambda, and of their squares, between points; then
 * the memories of the updates.  SETS: of sums, since they began; COUNTS: they are of steps that count; weights are exp(REFERENCE - W). */
enum {
    SETS,
    COUNTS,
    EVOLUTIONS,
    REFERENCE,
    WEIGHT,
    WORK = WEIGHT + MC_BLOCKED_STATES,
    SUMS = WORK + MC_BLOCKED_STATES
};
static const char *const figure_names[] = {"work", NULL};
/* What may go on in an evolution. */
static const mc_update_table *const kinds[] = {&mc_update_hmc, &mc_update_heatbath, &mc_update_overrelax, NULL};

typedef struct {
    mc_update base;
    mc_weighted weighted; /* what is at the end */
    int steps;
    bool adapt, heats;           /* lambda is set; beta changes */
    double coupling[2], beta[2]; /* at the beginning and the end */
    mc_ladder *defect;           /* of which the coupling changes; NULL: it does not */
    lat_sites sites;             /* near it */
    mc_update **update;          /* of an evolution */
    int updates;
    lat_field *before, *after;               /* densities */
    double *difference, *work;               /* [members] */
    double *lambda, *sum, *squares, *inside; /* in memory: [steps + 1], [steps], [steps], what the updates have */
} nonequilibrium;

static void release(mc_update *update)
{
    nonequilibrium *w = (nonequilibrium *)update;
    if (w->weighted.gauge) lat_sites_free(w->weighted.gauge->links->geometry, &w->sites);
    mc_ladder_free(w->defect);
    mc_updates_free(w->update, w->updates);
    lat_gauge_free(w->weighted.gauge);
    lat_field_free(w->before);
    lat_field_free(w->after);
    free(w->weighted.log_weight);
    free(w->base.memory);
    free(w->base.figure);
    free(w->difference);
    free(w);
}

/* --------------------------------------------------------------------------------------------------------- settings */

static void read_coupling(lat_settings *settings, const mc_state *state, nonequilibrium *w, lat_error *error)
{
    const lat_boundary *boundary = state->gauge->boundary;
    if (!lat_settings_has(settings, "coupling")) return;
    w->coupling[0] = boundary->coupling;
    w->coupling[1] = lat_settings_real(settings, "coupling", NAN, 0, 1, error);
    if (!boundary->defect)
        lat_settings_fail(settings, "coupling", error,
                          "there is no defect to change it at: give lattice.defect, with the coupling to begin with");
    else if (!state->action->table->coupled)
        lat_settings_fail(settings, "coupling", error, "the action does not depend on it: add a term with plaquettes");
    else if (w->coupling[1] == w->coupling[0])
        lat_settings_fail(settings, "coupling", error, "is that of lattice.defect: nothing would change");
    if (!error->status)
        w->defect =
            mc_ladder_create(boundary, &(lat_rungs){.rungs = 1, .coupling = {boundary->coupling}}, mc_members(state));
}

static void read_beta(lat_settings *settings, const mc_state *state, nonequilibrium *w, lat_error *error)
{
    w->beta[0] = w->beta[1] = lat_action_beta(state->action);
    if (!lat_settings_has(settings, "beta")) return;
    w->beta[1] = lat_settings_real(settings, "beta", NAN, 0, 1e6, error);
    w->heats = w->beta[1] != w->beta[0];
    if (isnan(w->beta[0]))
        lat_settings_fail(settings, "beta", error,
                          "evolutions know the Wilson action alone at other beta: leave it out, or take a coupling");
}

/* ---------------------------------------------------------------------------------------------------------- creation */

static void divide_memory(nonequilibrium *w)
{
    int64_t inside = 0;
    for (int i = 0; i < w->updates; i++) inside += w->update[i]->memory_count;
    w->base.memory_count = SUMS + 3 * (int64_t)w->steps + 1 + inside;
    w->base.memory = lat_alloc(w->base.memory_count, sizeof *w->base.memory);
    w->lambda = w->base.memory + SUMS;
    w->sum = w->lambda + w->steps + 1;
    w->squares = w->sum + w->steps;
    w->inside = w->squares + w->steps;
    for (int k = 0; k <= w->steps; k++) w->lambda[k] = (double)k / w->steps;
}

/* The links of the evolution have the couplings of its end, so that observables know what they will be asked of. */
static void make_fields(nonequilibrium *w, const mc_state *state)
{
    const lat_geometry *g = mc_lattice(state);
    const int members = mc_members(state);
    w->weighted = (mc_weighted){lat_gauge_create(g, state->gauge->group, LAT_DOUBLE),
                                lat_alloc(members, sizeof(double)), w->beta[1]};
    lat_gauge_couple_members(w->weighted.gauge, state->gauge->boundary);
    if (w->defect) {
        w->sites = mc_ladder_sites(w->defect, g, state->action->halo > 1 ? state->action->halo : 1);
        mc_ladder_couple_alike(w->defect, w->weighted.gauge, w->coupling[1]);
    }
    w->base.weighted = &w->weighted;
    w->base.figure = w->work = lat_alloc(members, sizeof *w->work);
    w->difference = lat_alloc(members, sizeof *w->difference);
    w->before = lat_field_create(g, 1, LAT_DOUBLE);
    w->after = lat_field_create(g, 1, LAT_DOUBLE);
}

static mc_update *create(lat_settings *settings, const mc_context *context, int index, lat_error *error)
{
    enum { MOST_STEPS = 1 << 20 };
    const mc_state *state = context->state;
    nonequilibrium *w = lat_alloc(1, sizeof *w);
    w->base = (mc_update){.table = &mc_update_nonequilibrium, .index = index, .figure_name = figure_names};
    w->steps = (int)lat_settings_int(settings, "steps", 10, 1, MOST_STEPS, error);
    w->adapt = lat_settings_bool(settings, "adapt", false, error);
    if (state->ladder)
        lat_settings_fail(settings, "kind", error,
                          "evolutions start from one lattice: give lattice.defect a coupling, no list");
    read_coupling(settings, state, w, error);
    read_beta(settings, state, w, error);
    if (!error->status && !w->defect && !w->heats)
        lat_settings_fail(settings, "kind", error,
                          "nothing changes in the evolution: give it a coupling or a beta to go to");
    if (!error->status) mc_updates_create(settings, kinds, context, &w->update, &w->updates, error);
    if (error->status) {
        release(&w->base);
        return NULL;
    }
    divide_memory(w);
    make_fields(w, state);
    return &w->base;
}

/* --------------------------------------------------------------------------------------------------------- evolutions */

static double between(const double end[2], double lambda) { return (1 - lambda) * end[0] + lambda * end[1]; }

/* The action at a point of the way; let it go. */
static lat_action *action_at(const nonequilibrium *w, const mc_state *state, double lambda)
{
    return w->heats ? lat_action_wilson(state->gauge->group, between(w->beta, lambda)) : state->action;
}

static void let_go(const nonequilibrium *w, lat_action *action)
{
    if (w->heats) lat_action_free(action);
}

static void couple(const nonequilibrium *w, double lambda)
{
    if (w->defect) mc_ladder_couple_alike(w->defect, w->weighted.gauge, between(w->coupling, lambda));
}

/* All of S, or what depends on the coupling of the defect. */
static void measure(const nonequilibrium *w, lat_action *action, lat_field *density)
{
    lat_field_zero(density);
    if (w->heats)
        action->table->value(action, w->weighted.gauge, density);
    else
        action->table->coupled(action, w->weighted.gauge, &w->sites, density);
}

/* From point k - 1 to point k with the links as they are. */
static lat_action *change(nonequilibrium *w, const mc_state *state, lat_action *from, int k)
{
    const double apart = w->lambda[k] - w->lambda[k - 1];
    lat_action *to = action_at(w, state, w->lambda[k]);
    measure(w, from, w->before);
    couple(w, w->lambda[k]);
    measure(w, to, w->after);
    lat_field_axpy(w->after, -1, w->before);
    lat_sum(w->after, w->difference);
    for (int m = 0; m < mc_members(state); m++) {
        const double x = w->difference[m] / apart;
        w->work[m] += w->difference[m];
        w->sum[k - 1] += x;
        w->squares[k - 1] += x * x;
    }
    let_go(w, from);
    return to;
}

/* Random numbers are those of a chain with a seed of its own, in which an evolution takes steps + 1 steps. */
static mc_state begin(const nonequilibrium *w, const mc_state *state)
{
    const lat_random random = {.seed = state->seed, .purpose = LAT_RANDOM_EVOLUTION, .update = (uint32_t)w->base.index};
    const double half = 4294967296.0;
    double uniform[4];
    lat_uniform4(&random, 0, 0, 0, 0, uniform);
    const uint64_t seed = (uint64_t)(uniform[0] * half) << 32 ^ (uint64_t)(uniform[1] * half);
    return (mc_state){.gauge = w->weighted.gauge, .density = w->before, .seed = seed, .counts = state->counts};
}

static lat_status update_links(nonequilibrium *w, mc_state *inner, lat_error *error)
{
    lat_error failure = {0};
    for (int i = 0; i < w->updates && !failure.status; i++) w->update[i]->table->step(w->update[i], inner, &failure);
    if (!failure.status) return LAT_DONE;
    return lat_fail(error, failure.status, "updates.[%d], in an evolution: %s", w->base.index, failure.text);
}

static lat_status evolve(nonequilibrium *w, const mc_state *state, lat_error *error)
{
    mc_state inner = begin(w, state);
    for (int m = 0; m < mc_members(state); m++) w->work[m] = 0;
    lat_gauge_copy(inner.gauge, state->gauge);
    couple(w, 0);
    inner.action = action_at(w, state, 0);
    for (int k = 1; k <= w->steps && !error->status; k++) {
        inner.action = change(w, state, inner.action, k);
        inner.step = state->step * (uint64_t)(w->steps + 1) + (uint64_t)k;
        if (lat_action_failed(inner.action, error) == LAT_DONE) update_links(w, &inner, error);
    }
    let_go(w, inner.action);
    w->base.memory[SETS] += mc_members(state);
    for (int m = 0; m < mc_members(state); m++) w->weighted.log_weight[m] = -w->work[m];
    return error->status;
}

/* The memories of the updates are part of that which checkpoints keep. */
static void exchange_memory(nonequilibrium *w, bool restore)
{
    double *here = w->inside;
    for (int i = 0; i < w->updates; here += w->update[i++]->memory_count) {
        const size_t bytes = (size_t)w->update[i]->memory_count * sizeof *here;
        if (bytes) memcpy(restore ? w->update[i]->memory : here, restore ? here : w->update[i]->memory, bytes);
    }
}

/* --------------------------------------------------------------------------------------------------------- statistics */

static void forget(nonequilibrium *w)
{
    w->base.memory[SETS] = 0;
    memset(w->sum, 0, 2 * (size_t)w->steps * sizeof *w->sum);
}

static double apart(const nonequilibrium *w, int k) { return w->lambda[k + 1] - w->lambda[k]; }

/* sqrt(Var(dS / d lambda)) between point k and the next. */
static double sigma(const nonequilibrium *w, int k)
{
    const double n = w->base.memory[SETS], mean = w->sum[k] / n;
    return sqrt(fmax(w->squares[k] / n - mean * mean, 0));
}

static double length(const nonequilibrium *w)
{
    double sum = 0;
    for (int k = 0; k < w->steps; k++) sum += apart(w, k) * sigma(w, k);
    return sum;
}

/* That of updates after which dS / d lambda is another. */
static double predicted_dissipation(const nonequilibrium *w)
{
    double sum = 0;
    for (int k = 0; k < w->steps; k++) sum += 0.5 * pow(apart(w, k) * sigma(w, k), 2);
    return sum;
}

/* A few evolutions know deviations badly: none counts as less than a tenth of the mean. */
static void adapt(nonequilibrium *w)
{
    const double least = 0.1 * length(w);
    double *at = lat_alloc(w->steps + 1, sizeof *at);
    for (int k = 0; k < w->steps; k++) {
        const double half = fmax(sigma(w, k), least) / 2;
        at[k] += k > 0 ? half : 2 * half;
        at[k + 1] += k + 1 < w->steps ? half : 2 * half;
    }
    mc_ladder_even_out(w->lambda, at, w->steps + 1);
    free(at);
    forget(w);
}

static void count(nonequilibrium *w, int members)
{
    double *memory = w->base.memory;
    if (memory[EVOLUTIONS] == 0) memory[REFERENCE] = w->work[0];
    mc_blocked_step(memory + WEIGHT);
    mc_blocked_step(memory + WORK);
    for (int m = 0; m < members; m++) {
        memory[EVOLUTIONS]++;
        mc_blocked_add(memory + WEIGHT, exp(memory[REFERENCE] - w->work[m]));
        mc_blocked_add(memory + WORK, w->work[m]);
    }
}

static lat_status step(mc_update *update, mc_state *state, lat_error *error)
{
    nonequilibrium *w = (nonequilibrium *)update;
    if (!state->counts && !w->adapt) return LAT_DONE;
    if (state->counts && !update->memory[COUNTS]) forget(w);
    update->memory[COUNTS] = state->counts;
    exchange_memory(w, true);
    evolve(w, state, error);
    exchange_memory(w, false);
    if (state->counts) count(w, mc_members(state));
    if (w->adapt && !state->counts && mc_schedule_due(state->step)) adapt(w);
    return error->status;
}

/* ------------------------------------------------------------------------------------------------------------- report */

static void report(const mc_update *update, json_t *object)
{
    const nonequilibrium *w = (const nonequilibrium *)update;
    const double *memory = update->memory, *weight = memory + WEIGHT, n = memory[EVOLUTIONS];
    const double mean = mc_blocked_mean(weight), free_energy = memory[REFERENCE] - log(mean),
                 work = mc_blocked_mean(memory + WORK);
    const bool known = n > 1; /* errors */
    json_object_set_new(object, "evolutions", json_integer((int64_t)n));
    mc_report_real(object, "ess", mean * mean * n / weight[MC_BLOCKED_SQUARES]);
    mc_report_real(object, "delta_f", free_energy);
    mc_report_real(object, "delta_f_error", known ? mc_blocked_error(weight) / mean : NAN);
    mc_report_real(object, "work", work);
    mc_report_real(object, "work_error", known ? mc_blocked_error(memory + WORK) : NAN);
    mc_report_real(object, "dissipated_work", work - free_energy);
    mc_report_real(object, "predicted_dissipated_work", memory[SETS] > 0 ? predicted_dissipation(w) : NAN);
    mc_report_real(object, "length", memory[SETS] > 0 ? length(w) : NAN);
    json_t *protocol = json_array();
    for (int k = 0; k <= w->steps; k++) json_array_append_new(protocol, json_real(w->lambda[k]));
    json_object_set_new(object, "protocol", protocol);
}

const mc_update_table mc_update_nonequilibrium = {"nonequilibrium", create, step, report, release};
