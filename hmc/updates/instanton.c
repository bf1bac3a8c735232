/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * instanton.c: proposes to add or remove one unit of topological charge, spread over the whole of a two-dimensional
 * U(1) lattice, and accepts with min(1, exp(-dS)) (D. Albandea, P. Hernandez, A. Ramos and F. Romero-Lopez, Eur. Phys.
 * J. C 81 (2021) 873 [arXiv:2106.14234]).  Both signs are equally likely, and one undoes the other, so detailed balance
 * holds.  By itself it reaches few configurations: combine it with hmc or heatbath.
 */
#include "lattice/grid/kernels.h"
#include "hmc/hmc.h"

#include <math.h>
#include <stdlib.h>

enum { PROPOSED, ACCEPTED, STATES };

typedef struct {
    mc_update base;
    int hits;
    lat_field *start;
    double *before, *after, *charge; /* charge: [lanes] */
    bool *rejected;
} instanton;

static void release(mc_update *update)
{
    instanton *w = (instanton *)update;
    lat_field_free(w->start);
    free(w->base.state);
    free(w->before);
    free(w->after);
    free(w->charge);
    free(w->rejected);
    free(w);
}

static mc_update *create(lat_settings *settings, mc_chain *chain, int index, lat_error *error)
{
    int hits = (int)lat_settings_int(settings, "hits", 1, 1, 1 << 20, error);
    if (chain->group != LAT_U1 || chain->geometry->dim != 2)
        lat_settings_fail(settings, "kind", error, "instanton knows u1 in two dimensions alone: leave it out");
    if (error->status) return NULL;
    instanton *w = lat_alloc(1, sizeof *w);
    w->base = (mc_update){.table = &mc_update_instanton, .chain = chain, .index = index, .state_count = STATES};
    w->base.state = lat_alloc(STATES, sizeof *w->base.state);
    w->hits = hits;
    w->start = lat_field_gauge(chain->geometry, chain->group, LAT_DOUBLE);
    w->before = lat_alloc(chain->replicas, sizeof *w->before);
    w->after = lat_alloc(chain->replicas, sizeof *w->after);
    w->charge = lat_alloc(chain->geometry->lanes, sizeof *w->charge);
    w->rejected = lat_alloc(chain->replicas, sizeof *w->rejected);
    return &w->base;
}

/* Deviate 0 chooses the sign, deviate 1 decides. */
static void draw(const instanton *w, int hit, int member, double uniform[4])
{
    lat_random random = mc_random(w->base.chain, LAT_RANDOM_INSTANTON, w->base.index);
    lat_uniform4(&random, 0, 0, (uint64_t)member, (uint64_t)hit, uniform);
}

static void propose(instanton *w, int hit)
{
    mc_chain *chain = w->base.chain;
    const lat_geometry *g = chain->geometry;
    for (int lane = 0; lane < g->lanes; lane++) {
        double uniform[4];
        draw(w, hit, (int)g->lane_member[lane], uniform);
        w->charge[lane] = uniform[0] < 0.5 ? -1 : 1;
    }
    double *charge = lat_share(g, w->charge, g->lanes * (int64_t)sizeof *charge);
    instanton_args args = {lat_tables_of(g), chain->links->data, charge};
    lat_range range = lat_block(g);
    lat_kernels_of(chain->links, chain->group)->instanton(&args, &range);
    lat_unshare(g, charge);
}

static void decide(instanton *w, int hit)
{
    mc_chain *chain = w->base.chain;
    for (int m = 0; m < chain->replicas; m++) {
        double uniform[4];
        draw(w, hit, m, uniform);
        w->rejected[m] = !(uniform[1] < exp(w->before[m] - w->after[m]));
        if (!w->rejected[m]) w->before[m] = w->after[m];
        if (!mc_chain_counts(chain)) continue;
        w->base.state[PROPOSED]++;
        w->base.state[ACCEPTED] += !w->rejected[m];
    }
    lat_field_copy_members(chain->links, w->start, w->rejected);
}

static lat_status step(mc_update *update, lat_error *error)
{
    (void)error;
    instanton *w = (instanton *)update;
    mc_chain *chain = update->chain;
    lat_action_total(chain->action, chain->links, w->before);
    for (int hit = 0; hit < w->hits; hit++) {
        lat_field_copy(w->start, chain->links);
        propose(w, hit);
        lat_action_total(chain->action, chain->links, w->after);
        decide(w, hit);
    }
    chain->links_id++;
    return LAT_DONE;
}

static void report(const mc_update *update, json_t *object)
{
    json_object_set_new(object, "proposals", json_integer((int64_t)update->state[PROPOSED]));
    mc_report_real(object, "acceptance", update->state[ACCEPTED] / update->state[PROPOSED]);
}

const mc_update_table mc_update_instanton = {"instanton", create, step, report, release};
