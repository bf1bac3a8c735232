/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tempering.c: parallel tempering in the boundary condition (M. Hasenbusch, Phys. Rev. D 96 (2017) 054504 [arXiv:1706.04443]; C. Bonanno,
 * C. Bonati and M. D'Elia, JHEP 03 (2021) 111 [arXiv:2012.14000]).
 *
 * The members of a replica are on the rungs of a ladder (hmc/ladder.h): the links of a defect have a coupling c there, from 1, the lattice
 * that is wanted, to 0 or near it, where charge enters and leaves through the defect.  All other updates act on all members, each with the
 * couplings of its rung; this one lets neighbours change rungs, so that what came in through the defect climbs to c = 1.
 *
 * Swap of members a and b on neighbouring rungs: accepted with min(1, exp(-Delta)), Delta the change of S_a + S_b.  S is s0 + s1 c + s2 c^2
 * exactly, and s1, s2 follow from the action where the defects have the couplings 1, -1 and 0: from its density near them, site by site, so
 * that all but the loops through the defect drops out before anything is summed, and then by exact sums.  So Delta is the same on any number
 * of ranks.  Terms with quarks do not depend on the couplings.  Pairs (0,1), (2,3), ... and (1,2), (3,4), ... take turns; which go first is drawn.
 *
 * Translations: where c = 1 the action does not know where the defect is, so a place for it is drawn there, evenly over the lattice, which
 * is the same as to move the links, and costs nothing.
 *
 * Schedule: with `adapt`, the couplings between the first and the last are set again and again while nothing counts, after twice as many
 * steps each time, to where acceptances are equal (schedule.h); from thermalisation on they stay.  That is so by itself on a ladder whose
 * couplings are to be found, and then mc_tempering_plan says how many rungs there should be.
 *
 * What it tells of each step, for each member: coupling, s1 and s2, so that any other ladder can be judged afterwards.
 */
#include "hmc/updates/tempering.h"

#include "hmc/updates/blocked.h"
#include "hmc/updates/schedule.h"
#include "lattice/grid/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Memory: then sums of X = dS/dc and of X^2 at each rung, accepted swaps of each rung with the next, and for each member which end of its
 * ladder it was at last.  SETS: of sums, since they began; COUNTS: they are of steps that count. */
enum { SETS, COUNTS, ROUND_TRIPS, FALLEN, EXP_MINUS_DELTA, SUMS = EXP_MINUS_DELTA + MC_BLOCKED_STATES };
enum { NOWHERE, FIRST, LAST }; /* ends of a ladder */
enum { COUPLING, S1, S2, FIGURES };
static const char *const figure_names[FIGURES + 1] = {"coupling", "s1", "s2", NULL};

typedef struct {
    mc_update base;
    const mc_ladder *ladder;
    bool adapt;
    mc_coupled *coupled;                 /* [members] */
    lat_field *density[3];               /* of the action, where the coupling of the defect is 1, -1, 0 */
    double *sum;                         /* [members] */
    double *x, *square, *accepted, *end; /* in memory: [rungs], [rungs], [rungs - 1], [members] */
} tempering;

static void release(mc_update *update)
{
    tempering *w = (tempering *)update;
    for (int i = 0; i < 3; i++) lat_field_free(w->density[i]);
    free(w->base.memory);
    free(w->base.figure);
    free(w->coupled);
    free(w->sum);
    free(w);
}

static void divide_memory(tempering *w)
{
    const int rungs = w->ladder->rungs;
    w->base.memory_count = SUMS + 3 * rungs - 1 + w->ladder->members;
    w->base.memory = lat_alloc(w->base.memory_count, sizeof *w->base.memory);
    w->x = w->base.memory + SUMS;
    w->square = w->x + rungs;
    w->accepted = w->square + rungs;
    w->end = w->accepted + rungs - 1;
}

static mc_update *create(lat_settings *settings, const mc_context *context, int index, lat_error *error)
{
    const mc_state *state = context->state;
    const bool finding = state->ladder && state->ladder->acceptance > 0;
    const bool adapt = lat_settings_bool(settings, "adapt", finding, error);
    if (!state->ladder)
        lat_settings_fail(settings, "kind", error, "tempering needs a ladder: give lattice.defect a list of couplings");
    else if (!state->action->table->coupled)
        lat_settings_fail(
            settings, "kind", error,
            "tempering needs an action that depends on the couplings of links: add a term with plaquettes");
    else if (finding && !adapt)
        lat_settings_fail(settings, "adapt", error,
                          "a ladder with couplings = \"auto\" adapts itself: leave the key out");
    if (error->status) return NULL;
    tempering *w = lat_alloc(1, sizeof *w);
    w->base = (mc_update){.table = &mc_update_tempering, .index = index, .figure_name = figure_names};
    w->ladder = state->ladder;
    w->adapt = adapt;
    divide_memory(w);
    w->base.figure = lat_alloc((int64_t)mc_members(state) * FIGURES, sizeof *w->base.figure);
    w->coupled = lat_alloc(mc_members(state), sizeof *w->coupled);
    w->sum = lat_alloc(mc_members(state), sizeof *w->sum);
    for (int i = 0; i < 3; i++) w->density[i] = lat_field_create(mc_lattice(state), 1, LAT_DOUBLE);
    return &w->base;
}

/* ------------------------------------------------------------------------------------- what depends on the couplings */

/* With densities p, m, z for couplings 1, -1, 0: s1 = (p - m) / 2, s2 = (p + m) / 2 - z. */
static void measure(tempering *w, mc_state *state)
{
    static const double coupling[3] = {1, -1, 0};
    const int reach = state->action->halo > 1 ? state->action->halo : 1;
    lat_sites sites = mc_ladder_sites(state->ladder, mc_lattice(state), reach);
    for (int i = 0; i < 3; i++) {
        lat_field_zero(w->density[i]);
        mc_ladder_couple_alike(state->ladder, state->gauge, coupling[i]);
        state->action->table->coupled(state->action, state->gauge, &sites, w->density[i]);
    }
    lat_sites_free(mc_lattice(state), &sites);
    lat_field_axpy(w->density[0], -1, w->density[1]); /* p - m */
    lat_sum(w->density[0], w->sum);
    for (int m = 0; m < mc_members(state); m++) w->coupled[m].s1 = w->sum[m] / 2;
    lat_field_axpy(w->density[0], 2, w->density[1]); /* p + m */
    lat_field_axpy(w->density[0], -2, w->density[2]);
    lat_sum(w->density[0], w->sum);
    for (int m = 0; m < mc_members(state); m++) w->coupled[m].s2 = w->sum[m] / 2;
}

/* ------------------------------------------------------------------------------------------------------------ swaps */

/* What random numbers are for: "direction" in their keys. */
enum { ORDER, ACCEPT, PLACE };

static void draw(const tempering *w, const mc_state *state, uint32_t what, int replica, int rung, double uniform[4])
{
    const lat_random random = mc_random(state, LAT_RANDOM_TEMPERING, w->base.index);
    lat_uniform4(&random, (uint64_t)rung, what, (uint64_t)replica, 0, uniform);
}

static void swap(tempering *w, mc_state *state, int replica, int rung)
{
    mc_ladder *ladder = state->ladder;
    const int a = mc_ladder_member(ladder, replica, rung), b = mc_ladder_member(ladder, replica, rung + 1);
    const double change =
        mc_swap_change(ladder->coupling[rung], ladder->coupling[rung + 1], &w->coupled[a], &w->coupled[b]);
    double uniform[4];
    draw(w, state, ACCEPT, replica, rung, uniform);
    const bool accepted = uniform[0] < exp(-change);
    w->accepted[rung] += accepted;
    w->base.memory[FALLEN] += change <= 0;
    mc_blocked_add(w->base.memory + EXP_MINUS_DELTA, mc_excess(change));
    if (!accepted) return;
    ladder->rung[a] = rung + 1;
    ladder->rung[b] = rung;
}

static void swap_all(tempering *w, mc_state *state, int replica)
{
    double uniform[4];
    draw(w, state, ORDER, replica, 0, uniform);
    const int first = uniform[0] < 0.5;
    for (int turn = 0; turn < 2; turn++)
        for (int rung = (first + turn) % 2; rung + 1 < w->ladder->rungs; rung += 2) swap(w, state, replica, rung);
}

/* The defect of the member on the first rung is anywhere. */
static void place_defect(const tempering *w, mc_state *state, int replica)
{
    const lat_geometry *g = mc_lattice(state);
    int64_t *origin = state->ladder->origin[mc_ladder_member(w->ladder, replica, 0)];
    double uniform[4];
    draw(w, state, PLACE, replica, 0, uniform);
    for (int mu = 0; mu < g->dim; mu++) {
        if (w->ladder->boundary.open[mu]) continue;
        origin[mu] = (int64_t)(uniform[mu] * (double)g->size[mu]);
        if (origin[mu] == g->size[mu]) origin[mu] = 0; /* a deviate may be rounded to 1 */
    }
}

/* ------------------------------------------------------------------------------------------------------- statistics */

/* Adds X of the members on their rungs. */
static void add_sums(tempering *w)
{
    const mc_ladder *ladder = w->ladder;
    for (int m = 0; m < ladder->members; m++) {
        const int rung = ladder->rung[m];
        const double x = w->coupled[m].s1 + 2 * ladder->coupling[rung] * w->coupled[m].s2;
        w->x[rung] += x;
        w->square[rung] += x * x;
    }
    w->base.memory[SETS] += ladder->members / ladder->rungs;
}

/* sqrt(Var X) at a rung. */
static double sigma(const tempering *w, int rung)
{
    const double n = w->base.memory[SETS], mean = w->x[rung] / n;
    return sqrt(fmax(w->square[rung] / n - mean * mean, 0));
}

/* Of all rungs; free() it. */
static double *sigmas(const tempering *w)
{
    double *at = lat_alloc(w->ladder->rungs, sizeof *at);
    for (int i = 0; i < w->ladder->rungs; i++) at[i] = sigma(w, i);
    return at;
}

/* From the first rung to the last and back: a round trip. */
static void follow(tempering *w, bool counts)
{
    for (int m = 0; m < w->ladder->members; m++) {
        if (w->ladder->rung[m] == 0) {
            w->base.memory[ROUND_TRIPS] += counts && w->end[m] == LAST;
            w->end[m] = FIRST;
        } else if (w->ladder->rung[m] == w->ladder->rungs - 1 && w->end[m] == FIRST) {
            w->end[m] = LAST;
        }
    }
}

int mc_tempering_plan(const mc_update *update, lat_rungs *rungs)
{
    const tempering *w = (const tempering *)update;
    const mc_ladder *ladder = w->ladder;
    double *at = sigmas(w);
    const double length = mc_ladder_length(ladder->coupling, at, ladder->rungs),
                 count = mc_ladder_rungs(length, ladder->acceptance);
    *rungs = (lat_rungs){.rungs = count > LAT_MOST_RUNGS ? LAT_MOST_RUNGS + 1 : (int)count,
                         .acceptance = ladder->acceptance};
    if (rungs->rungs <= LAT_MOST_RUNGS)
        mc_ladder_divide(ladder->coupling, at, ladder->rungs, rungs->coupling, rungs->rungs);
    free(at);
    return rungs->rungs;
}

static void forget(tempering *w)
{
    memset(w->base.memory, 0, (size_t)(w->end - w->base.memory) * sizeof *w->base.memory);
}

static void adapt(tempering *w, mc_state *state)
{
    double *at = sigmas(w);
    mc_ladder_even_out(state->ladder->coupling, at, w->ladder->rungs);
    free(at);
    forget(w);
}

static void show(tempering *w)
{
    for (int m = 0; m < w->ladder->members; m++) {
        double *figure = w->base.figure + m * FIGURES;
        figure[COUPLING] = w->ladder->coupling[w->ladder->rung[m]];
        figure[S1] = w->coupled[m].s1;
        figure[S2] = w->coupled[m].s2;
    }
}

static lat_status step(mc_update *update, mc_state *state, lat_error *error)
{
    tempering *w = (tempering *)update;
    if (state->counts && !update->memory[COUNTS]) forget(w);
    update->memory[COUNTS] = state->counts;
    for (int replica = 0; replica < mc_replicas(state); replica++) place_defect(w, state, replica);
    measure(w, state);
    add_sums(w);
    mc_blocked_step(update->memory + EXP_MINUS_DELTA);
    for (int replica = 0; replica < mc_replicas(state); replica++) swap_all(w, state, replica);
    follow(w, state->counts);
    if (w->adapt && !state->counts && mc_schedule_due(state->step)) adapt(w, state);
    mc_ladder_couple(state->ladder, state->gauge);
    show(w);
    return lat_action_failed(state->action, error);
}

/* ------------------------------------------------------------------------------------------------------------ report */

static void report(const mc_update *update, json_t *object)
{
    const tempering *w = (const tempering *)update;
    const mc_ladder *ladder = w->ladder;
    const double *memory = update->memory, sets = memory[SETS], error = mc_blocked_error(memory + EXP_MINUS_DELTA);
    const int pairs = ladder->rungs - 1;
    enum { LEAST_FALLEN = 10 };
    double all = 0, least = INFINITY, length = 0;
    json_t *couplings = json_array(), *sigmas = json_array(), *acceptances = json_array(), *predicted = json_array();
    for (int i = 0; i < ladder->rungs; i++) {
        json_array_append_new(couplings, json_real(ladder->coupling[i]));
        json_array_append_new(sigmas, sets > 0 ? json_real(sigma(w, i)) : json_null());
    }
    for (int i = 0; i < pairs && sets > 0; i++) {
        const double apart = mc_ladder_step(ladder->coupling[i], ladder->coupling[i + 1], sigma(w, i), sigma(w, i + 1));
        json_array_append_new(acceptances, json_real(w->accepted[i] / sets));
        json_array_append_new(predicted, json_real(mc_swap_acceptance(apart)));
        all += w->accepted[i];
        least = fmin(least, w->accepted[i] / sets);
        length += apart;
    }
    json_object_set_new(object, "swaps", json_integer((int64_t)sets * pairs));
    mc_report_real(object, "acceptance", all / (sets * pairs));
    mc_report_real(object, "least_acceptance", least);
    json_object_set_new(object, "round_trips", json_integer((int64_t)memory[ROUND_TRIPS]));
    mc_report_real(object, "exp_minus_delta", 1 + mc_blocked_mean(memory + EXP_MINUS_DELTA));
    mc_report_real(object, "exp_minus_delta_error", memory[FALLEN] < LEAST_FALLEN ? NAN : error);
    mc_report_real(object, "length", sets > 0 ? length : NAN);
    json_object_set_new(object, "couplings", couplings);
    json_object_set_new(object, "sigmas", sigmas);
    json_object_set_new(object, "acceptances", acceptances);
    json_object_set_new(object, "predicted_acceptances", predicted);
}

const mc_update_table mc_update_tempering = {"tempering", create, step, report, release};
