/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * direct.c: independence Metropolis with the exact-density sampler of two-dimensional U(1) that has no parameter.
 * All V plaquettes of a torus but one are drawn from the weight of a single plaquette, exp(beta cos P), and the last
 * one follows: together they are 1.  A proposal is accepted with min(1, exp(beta cos P' - beta cos P)) of the last
 * plaquette, whatever the others are; ESS = I_0(beta)^2 / I_0(2 beta) at any volume.
 *
 * V + 1 links, which hold the gauge and the two holonomies, have Haar measure: U_0(x, y) for x < Lx - 1, U_0(Lx - 1,
 * 0) and U_1(0, y).  The others follow from the plaquettes one by one, with Jacobian 1.
 *
 * Angles are whole numbers in units of 2 pi / 2^64.  So their sums are exact modulo 2 pi, and the same in any order.
 */
#include "lattice/grid/kernels.h"
#include "hmc/update.h"

#include <math.h>
#include <stdlib.h>

/* Memory: counters and sums of weights, then the log weight of each replica, true while the links of the chain have the
 * number LINKS. */
enum { PROPOSALS, ACCEPTED, SUM, SQUARES, LINKS, WEIGHTS };

/* What random numbers are for: "direction" in their keys. */
enum { FIRST_TRY, LATER_TRIES, HAAR };

/* A box that covers the weight of a plaquette between two angles; in turns of 2 pi. */
typedef struct {
    double left, width, height;
    double sure; /* this part of the height is below the weight everywhere */
} strip;

typedef struct {
    mc_update base;
    double beta;
    int64_t strips;
    strip *strip;
    int64_t first, count; /* sites whose plaquettes this rank draws */
    uint64_t *plaquette;  /* [replicas][volume] */
    uint64_t *last;       /* [replicas]: the plaquette that follows from the others */
    uint64_t *angle[2];   /* [volume]: links of a proposal */
    double *links;        /* [volume][2] */
} direct;

/* ---------------------------------------------------------------------------------------- the weight of a plaquette */

static const double two_pi = 2 * 3.14159265358979323846;

static double weight_at(double beta, double turns) { return exp(beta * (cos(two_pi * turns) - 1)); }

/* Covers the weight from 0 to half a turn, where it falls, by boxes of equal area, the last of them as high as that
 * takes. Returns their number; box NULL: only counts. */
static int64_t cover(double beta, double area, strip *box)
{
    int64_t n = 0;
    for (double left = 0; left < 0.5; n++) {
        double height = weight_at(beta, left), right = left + area / height;
        if (right >= 0.5) {
            right = 0.5;
            height = area / (right - left);
        }
        if (box) box[n] = (strip){left, right - left, height, weight_at(beta, right) / height};
        left = right;
    }
    return n;
}

/* J. H. Ahrens, Computing 54 (1995) 127: a box is chosen, all being equally likely, and a point in it, which is mostly
 * below the curve for sure. */
static void make_strips(direct *d)
{
    enum { STRIPS = 512, POINTS = 1 << 14 };
    double area = 0;
    for (int i = 0; i < POINTS; i++) area += weight_at(d->beta, (i + 0.5) / (2 * POINTS)) / (2.0 * POINTS * STRIPS);
    d->strips = cover(d->beta, area, NULL);
    d->strip = lat_alloc(d->strips, sizeof *d->strip);
    cover(d->beta, area, d->strip);
}

static uint64_t angle_of_turns(double turns) { return 4 * (uint64_t)(int64_t)(turns * 0x1p62); }
static double radians(uint64_t angle) { return (double)(int64_t)angle * (two_pi * 0x1p-64); }

/* One try with two uniform deviates. */
static bool try_plaquette(const direct *d, const double uniform[2], uint64_t *angle)
{
    double place = uniform[0] * 2 * (double)d->strips;
    int64_t number = (int64_t)place;
    if (number >= 2 * d->strips) return false; /* a deviate may be rounded to 1 */
    const strip *box = &d->strip[number / 2];
    double turns = box->left + (place - (double)number) * box->width;
    uint64_t negative = -(uint64_t)(number % 2); /* a branch would be taken at random */
    *angle = (angle_of_turns(turns) ^ negative) - negative;
    return uniform[1] < box->sure || uniform[1] * box->height < weight_at(d->beta, turns);
}

static uint64_t draw_plaquette(const direct *d, const random_key *key, uint64_t site, uint64_t replica,
                               const double *uniform)
{
    uint64_t angle;
    double again[4];
    for (uint64_t tries = 0; !try_plaquette(d, uniform, &angle); tries++) {
        random_four(key, site, LATER_TRIES, replica, tries, again);
        uniform = again;
    }
    return angle;
}

/* -------------------------------------------------------------------------------------------------------- proposals */

static random_key stream(const direct *d, const mc_state *state)
{
    lat_random random = mc_random(state, LAT_RANDOM_PRIOR, d->base.index);
    return lat_random_key(&random);
}

/* This rank's plaquettes of one replica: returns their sum. */
static uint64_t draw_share(direct *d, int64_t volume, const random_key *key, uint64_t replica)
{
    int64_t end = d->first + d->count;
    uint64_t *plaquette = d->plaquette + (int64_t)replica * volume, sum = 0;
    double uniform[4];
    for (int64_t site = d->first; site < end && site < volume - 1; site++) {
        if (site == d->first || site % 2 == 0) random_four(key, (uint64_t)site / 2, FIRST_TRY, replica, 0, uniform);
        plaquette[site] = draw_plaquette(d, key, (uint64_t)site, replica, uniform + 2 * (site % 2));
        sum += plaquette[site];
    }
    return sum;
}

static void draw(direct *d, const mc_state *state)
{
    random_key key = stream(d, state);
    for (int r = 0; r < mc_replicas(state); r++) d->last[r] = -draw_share(d, mc_lattice(state)->volume, &key, (uint64_t)r);
    if (mc_lattice(state)->rank_count > 1)
        MPI_Allreduce(MPI_IN_PLACE, d->last, mc_replicas(state), MPI_UINT64_T, MPI_SUM, mc_lattice(state)->comm);
}

/* U_0 everywhere and U_1(0, y); those of them that follow from others are overwritten later. */
static void draw_haar(direct *d, const int64_t *size, const random_key *key, uint64_t replica)
{
    const int64_t volume = size[0] * size[1];
    for (int64_t i = 0; i < volume + size[1]; i += 4) {
        double uniform[4];
        random_four(key, (uint64_t)i, HAAR, replica, 0, uniform);
        for (int64_t j = i; j < i + 4 && j < volume + size[1]; j++)
            *(j < volume ? &d->angle[0][j] : &d->angle[1][(j - volume) * size[0]]) = angle_of_turns(uniform[j - i]);
    }
}

/* The links of a proposal from its plaquettes, on every rank: P(x, y) = U_0(x, y) + U_1(x+1, y) - U_0(x, y+1) - U_1(x,
 * y). */
static void build(direct *d, mc_state *state, int replica)
{
    const lat_geometry *g = mc_lattice(state);
    int64_t columns = g->size[0], rows = g->size[1];
    uint64_t *p = d->plaquette + replica * g->volume, *u = d->angle[0], *v = d->angle[1];
    random_key key = stream(d, state);
    if (g->rank_count > 1) MPI_Allgather(MPI_IN_PLACE, 0, MPI_UINT64_T, p, (int)d->count, MPI_UINT64_T, g->comm);
    draw_haar(d, g->size, &key, (uint64_t)replica);
    for (int64_t y = 0; y < rows; y++) {
        int64_t row = y * columns, next = (y + 1) % rows * columns, end = columns - 1;
        for (int64_t x = 0; x < end; x++) v[row + x + 1] = v[row + x] + p[row + x] - u[row + x] + u[next + x];
        if (next) u[next + end] = u[row + end] + v[row] - v[row + end] - p[row + end];
    }
    for (int64_t site = 0; site < g->volume; site++)
        for (int mu = 0; mu < 2; mu++) d->links[2 * site + mu] = radians(d->angle[mu][site]);
    lat_field_scatter(state->gauge->links, replica, d->links);
    lat_gauge_changed(state->gauge);
}

/* ------------------------------------------------------------------------------------------------------- Metropolis */

/* Log weights of the configurations of the chain, where another update has changed them: the last site's share of the
 * action. */
static void weigh_chain(direct *d, mc_state *state)
{
    const lat_geometry *g = mc_lattice(state);
    double *weight = d->base.memory + WEIGHTS;
    for (int r = 0; r < mc_replicas(state); r++) weight[r] = 0;
    lat_field_zero(state->density);
    state->action->table->value(state->action, state->gauge, state->density);
    const double *density = lat_field_map(state->density, LAT_READ);
    for (int64_t i = 0; i < g->sites * g->lanes; i++)
        if (lat_global_site(g, i / g->lanes, (int)(i % g->lanes)) == g->volume - 1 && g->lane_member[i % g->lanes] < g->members)
            weight[g->lane_member[i % g->lanes]] = -density[i];
    lat_field_unmap(state->density, (void *)density, LAT_READ);
    MPI_Allreduce(MPI_IN_PLACE, weight, g->members, MPI_DOUBLE, MPI_SUM, g->comm); /* one term is not zero */
}

static void decide(direct *d, mc_state *state, int replica)
{
    double *memory = d->base.memory, uniform[4], weight = d->beta * (cos(radians(d->last[replica])) - 1);
    lat_random random = mc_random(state, LAT_RANDOM_ACCEPT, d->base.index);
    lat_uniform4(&random, 0, 0, (uint64_t)replica, 0, uniform);
    bool accepted = !(log(uniform[0]) >= weight - memory[WEIGHTS + replica]);
    if (state->counts) {
        memory[PROPOSALS]++;
        memory[ACCEPTED] += accepted;
        memory[SUM] += exp(weight);
        memory[SQUARES] += exp(2 * weight);
    }
    if (!accepted) return;
    memory[WEIGHTS + replica] = weight;
    build(d, state, replica);
}

static lat_status step(mc_update *update, mc_state *state, lat_error *error)
{
    (void)error;
    direct *d = (direct *)update;
    if (update->memory[LINKS] != (double)state->gauge->version) weigh_chain(d, state);
    draw(d, state);
    for (int r = 0; r < mc_replicas(state); r++) decide(d, state, r);
    update->memory[LINKS] = (double)state->gauge->version;
    return LAT_DONE;
}

static void report(const mc_update *update, json_t *object)
{
    const double *state = update->memory, n = state[PROPOSALS];
    json_object_set_new(object, "proposals", json_integer((int64_t)n));
    mc_report_real(object, "acceptance", state[ACCEPTED] / n);
    mc_report_real(object, "ess", state[SUM] * state[SUM] / (n * state[SQUARES]));
}

static void release(mc_update *update)
{
    direct *d = (direct *)update;
    free(d->base.memory);
    free(d->strip);
    free(d->plaquette);
    free(d->last);
    free(d->angle[0]);
    free(d->angle[1]);
    free(d->links);
    free(d);
}

static mc_update *create(lat_settings *settings, const mc_context *context, int index, lat_error *error)
{
    const mc_state *state = context->state;
    const lat_geometry *g = mc_lattice(state);
    if (state->gauge->group != LAT_U1 || g->dim != 2)
        lat_settings_fail(settings, "kind", error, "direct knows u1 in two dimensions alone: use hmc or heatbath");
    else if (isnan(lat_action_beta(state->action)))
        lat_settings_fail(settings, "kind", error, "direct knows the Wilson action alone: use hmc for others");
    else if (state->gauge->couplings)
        lat_settings_fail(settings, "kind", error, "direct knows periodic lattices alone: use hmc or heatbath");
    if (error->status) return NULL;
    direct *d = lat_alloc(1, sizeof *d);
    d->base = (mc_update){
        .table = &mc_update_direct, .index = index, .memory_count = WEIGHTS + mc_replicas(state)};
    d->base.memory = lat_alloc(d->base.memory_count, sizeof *d->base.memory);
    d->base.memory[LINKS] = -1;
    d->beta = lat_action_beta(state->action);
    make_strips(d);
    d->count = g->volume / g->rank_count;
    d->first = g->rank * d->count;
    d->plaquette = lat_alloc(g->members * g->volume, sizeof *d->plaquette);
    d->last = lat_alloc(g->members, sizeof *d->last);
    for (int mu = 0; mu < 2; mu++) d->angle[mu] = lat_alloc(g->volume, sizeof *d->angle[mu]);
    d->links = lat_alloc(2 * g->volume, sizeof *d->links);
    return &d->base;
}

const mc_update_table mc_update_direct = {"direct", create, step, report, release};
