/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * objective.c: what training minimises, and the gradients.
 *
 * Samples are U = F(V) with V from the prior; delta = d log q / dU is made by pushing a cotangent of zero forward, as
 * the prior is flat.  A gradient is one backward sweep from a cotangent at U and a weight of log det:
 *
 *     reparametrise   dS + 0       -1   mean of S + log q, S + log q = S(F(V)) - log det
 *     path            dS + delta    0   the same without the term of mean zero whose variance does not vanish at the
 *                                       optimum: L. Vaitl, K. A. Nicoli, S. Nakajima, P. Kessel, arXiv:2206.09016,
 *                                       2207.08219
 *     reinforce       -w delta     -w   the same without dS; w = S + log q minus its mean over the other samples:
 *                                       P. Bialas, P. Korcyl, T. Stebel, arXiv:2202.01314
 *     forward         delta        +1   mean of -log q over samples U that are given
 *     variance        -delta       -1   for each sample by itself: its score, the derivative of log q at fixed U.  Of the batch follows
 *                                       the step that makes the variance of S + log q least: natural_gradient.h
 */
#include "flows/objective.h"
#include "flows/trainer.h"

#include "lattice/grid/kernels.h"

static void add_force(flow_chunk *chunk)
{
    flow_sampler *s = chunk->sampler;
    lat_action_force(s->action, s->u, chunk->factor, s->cotangent);
}

static void backward(flow_chunk *chunk, double weight, double *gradient)
{
    flow_sampler *s = chunk->sampler;
    for (int lane = 0; lane < s->map->geometry->lanes; lane++) chunk->weight[lane] = weight;
    flow_backward(s->map, s->u, s->cotangent, chunk->weight, gradient);
}

static void multiply_action(flow_chunk *chunk)
{
    for (int m = 0; m < chunk->sampler->map->geometry->members; m++) chunk->action[m] *= chunk->factor;
}

static void draw(flow_chunk *chunk)
{
    flow_sample_record(chunk->sampler, &chunk->random, chunk->log_q, chunk->action);
    multiply_action(chunk);
}

/* With delta in sampler->cotangent. */
static void draw_push(flow_chunk *chunk)
{
    flow_sample_push(chunk->sampler, &chunk->random, chunk->log_q, chunk->action);
    multiply_action(chunk);
}

static void reparametrise(flow_chunk *chunk, const double *advantage, double *gradient)
{
    (void)advantage;
    lat_field_zero(chunk->sampler->cotangent);
    add_force(chunk);
    backward(chunk, -1, gradient);
}

static void path(flow_chunk *chunk, const double *advantage, double *gradient)
{
    (void)advantage;
    add_force(chunk);
    backward(chunk, 0, gradient);
}

static void multiply_lanes(lat_field *field, const double *factor)
{
    const lat_geometry *g = field->geometry;
    double *shared = lat_share(g, factor, g->lanes * (int64_t)sizeof *factor);
    scale_lanes_args args = {lat_tables_of(g), field->data, shared, field->components};
    lat_range range = lat_block(g);
    lat_field_kernels_of(field)->scale_lanes(&args, &range);
    lat_unshare(g, shared);
}

static void reinforce(flow_chunk *chunk, const double *advantage, double *gradient)
{
    flow_sampler *s = chunk->sampler;
    const lat_geometry *g = s->map->geometry;
    draw_push(chunk);
    for (int lane = 0; lane < g->lanes; lane++)
        chunk->weight[lane] = g->lane_member[lane] < g->members ? -advantage[g->lane_member[lane]] : 0;
    multiply_lanes(s->cotangent, chunk->weight);
    flow_backward(s->map, s->u, s->cotangent, chunk->weight, gradient);
}

/* Members are drawn from the ensemble with replacement. */
static void draw_stored(flow_chunk *chunk)
{
    flow_sampler *s = chunk->sampler;
    const flow_ensemble *e = chunk->ensemble;
    int members = s->map->geometry->members;
    for (int m = 0; m < members; m++) {
        double uniform[4];
        lat_uniform4(&chunk->random, 0, 0, (uint64_t)m, 0, uniform);
        int64_t chosen = (int64_t)(uniform[0] * (double)e->count);
        lat_field_scatter(s->u->links, m, e->values + (chosen < e->count ? chosen : e->count - 1) * e->reals);
    }
    lat_field_zero(s->density);
    flow_inverse(s->map, s->u, s->density);
    lat_sum(s->density, chunk->log_q);
    for (int m = 0; m < members; m++) chunk->log_q[m] = -chunk->log_q[m];
    lat_field_zero(s->cotangent);
    flow_push(s->map, s->u, s->cotangent, s->density);
}

static void forward(flow_chunk *chunk, const double *advantage, double *gradient)
{
    (void)advantage;
    backward(chunk, 1, gradient);
}

static void variance(flow_chunk *chunk, const double *advantage, double *rows)
{
    (void)advantage;
    flow_sampler *s = chunk->sampler;
    for (int lane = 0; lane < s->map->geometry->lanes; lane++) chunk->weight[lane] = -1;
    multiply_lanes(s->cotangent, chunk->weight);
    flow_backward_rows(s->map, s->u, s->cotangent, chunk->weight, rows);
}

static const flow_objective objectives[] = {
    {.name = "reparametrise", .draw = draw, .gradient = reparametrise},
    {.name = "path", .push = true, .draw = draw_push, .gradient = path},
    {.name = "reinforce", .push = true, .baseline = true, .draw = draw, .gradient = reinforce},
    {.name = "forward", .push = true, .stored = true, .draw = draw_stored, .gradient = forward},
    {.name = "variance", .push = true, .scores = true, .draw = draw_push, .gradient = variance},
};
const char *const flow_objective_names[] = {"reparametrise", "path", "reinforce", "forward", "variance", NULL};

const flow_objective *flow_objective_at(int index) { return &objectives[index]; }
