/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * instanton.c: proposes to add or remove one unit of topological charge, spread over the whole of a two-dimensional
 * U(1) lattice, and accepts with min(1, exp(-dS)) (D. Albandea, P. Hernandez, A. Ramos and F. Romero-Lopez, Eur. Phys.
 * J. C 81 (2021) 873 [arXiv:2106.14234]).  Both signs are equally likely, and one undoes the other, so detailed balance
 * holds.  By itself it reaches few configurations: combine it with hmc or heatbath.
 */
#include "lattice/gauge/kernels.h"
#include "hmc/update.h"

#include <math.h>
#include <stdlib.h>

enum { PROPOSED, ACCEPTED, STATES };

typedef struct {
    mc_update base;
    int hits;
    lat_gauge *start;
    double *before, *after, *charge; /* charge: [lanes] */
    bool *rejected;
} instanton;

static void release(mc_update *update)
{
    instanton *w = (instanton *)update;
    lat_gauge_free(w->start);
    free(w->base.memory);
    free(w->before);
    free(w->after);
    free(w->charge);
    free(w->rejected);
    free(w);
}

static mc_update *create(lat_settings *settings, const mc_context *context, int index, lat_error *error)
{
    const mc_state *state = context->state;
    int hits = (int)lat_settings_int(settings, "hits", 1, 1, 1 << 20, error);
    if (state->gauge->group != LAT_U1 || mc_lattice(state)->dim != 2)
        lat_settings_fail(settings, "kind", error, "instanton knows u1 in two dimensions alone: leave it out");
    if (state->action->auxiliary)
        lat_settings_fail(settings, "kind", error, "instanton knows actions without auxiliary fields alone: leave it out");
    if (error->status) return NULL;
    instanton *w = lat_alloc(1, sizeof *w);
    w->base = (mc_update){.table = &mc_update_instanton, .index = index, .memory_count = STATES};
    w->base.memory = lat_alloc(STATES, sizeof *w->base.memory);
    w->hits = hits;
    w->start = lat_gauge_create(mc_lattice(state), state->gauge->group, LAT_DOUBLE);
    w->before = lat_alloc(mc_members(state), sizeof *w->before);
    w->after = lat_alloc(mc_members(state), sizeof *w->after);
    w->charge = lat_alloc(mc_lattice(state)->lanes, sizeof *w->charge);
    w->rejected = lat_alloc(mc_members(state), sizeof *w->rejected);
    return &w->base;
}

/* Deviate 0 chooses the sign, deviate 1 decides. */
static void draw(const mc_state *state, int index, int hit, int member, double uniform[4])
{
    lat_random random = mc_random(state, LAT_RANDOM_INSTANTON, index);
    lat_uniform4(&random, 0, 0, (uint64_t)member, (uint64_t)hit, uniform);
}

static void propose(instanton *w, mc_state *state, int hit)
{
    const lat_geometry *g = mc_lattice(state);
    for (int lane = 0; lane < g->lanes; lane++) {
        double uniform[4];
        draw(state, w->base.index, hit, (int)g->lane_member[lane], uniform);
        w->charge[lane] = uniform[0] < 0.5 ? -1 : 1;
    }
    double *charge = lat_share(g, w->charge, g->lanes * (int64_t)sizeof *charge);
    instanton_args args = {lat_tables_of(g), state->gauge->links->data, charge};
    lat_range range = lat_block(g);
    lat_kernels_of(state->gauge->links, state->gauge->group)->instanton(&args, &range);
    lat_unshare(g, charge);
    lat_gauge_changed(state->gauge);
}

static void decide(instanton *w, mc_state *state, int hit)
{
    for (int m = 0; m < mc_members(state); m++) {
        double uniform[4];
        draw(state, w->base.index, hit, m, uniform);
        w->rejected[m] = !(uniform[1] < exp(w->before[m] - w->after[m]));
        if (!w->rejected[m]) w->before[m] = w->after[m];
        if (!state->counts) continue;
        w->base.memory[PROPOSED]++;
        w->base.memory[ACCEPTED] += !w->rejected[m];
    }
    lat_gauge_copy_members(state->gauge, w->start, w->rejected);
}

static lat_status step(mc_update *update, mc_state *state, lat_error *error)
{
    instanton *w = (instanton *)update;
    lat_action_total(state->action, state->gauge, w->before);
    for (int hit = 0; hit < w->hits; hit++) {
        lat_gauge_copy(w->start, state->gauge);
        propose(w, state, hit);
        lat_action_total(state->action, state->gauge, w->after);
        decide(w, state, hit);
    }
    return lat_action_failed(state->action, error);
}

static void report(const mc_update *update, json_t *object)
{
    json_object_set_new(object, "proposals", json_integer((int64_t)update->memory[PROPOSED]));
    mc_report_real(object, "acceptance", update->memory[ACCEPTED] / update->memory[PROPOSED]);
}

const mc_update_table mc_update_instanton = {"instanton", create, step, report, release};
