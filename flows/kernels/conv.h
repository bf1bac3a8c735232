/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv.h: kernels of convolutional networks, for batches in lanes: weights are scalars, values are vectors of lanes,
 * and a block of sums stays in registers while the taps and channels that feed it pass by.  Definitions: see
 * flow_kernels.h.
 */
#ifndef CONV_H
#define CONV_H

#include "lattice/kernels/kernel.h"
#include "flows/kernels/flow_kernels.h"

#include <stddef.h>

REAL_INLINE real conv_leaky(real z) { return real_select(real_less(z, real_of(0)), (scalar)0.01 * z, z); }

/* value = act(z) for the activations that need an exponential, slope = act'(z) for silu */
REAL_INLINE real conv_smooth(flow_activation activation, real z, real *slope)
{
    real share = 1 / (1 + real_exp(activation == FLOW_TANH ? -2 * z : -z));
    if (activation == FLOW_TANH) return 2 * share - 1;
    *slope = share * (1 + z * (1 - share));
    return z * share;
}

/* act' from what the forward pass keeps: the value, for silu the slope itself */
REAL_INLINE real conv_slope(flow_activation activation, real kept)
{
    real one = real_of(1);
    if (activation == FLOW_LEAKY) return real_select(real_less(kept, real_of(0)), real_of((scalar)0.01), one);
    if (activation == FLOW_TANH) return 1 - kept * kept;
    return activation == FLOW_SILU ? kept : one;
}

/* For costs: the multiply-adds of a site, and the operations of an activation and of its derivative. */
REAL_INLINE double conv_flops(const flow_stencil *s) { return 2.0 * s->kept * s->inputs * s->outputs; }
REAL_INLINE int activation_flops(flow_activation activation, bool slope)
{
    if (activation == FLOW_SILU) return slope ? 8 : 4;
    return activation != FLOW_NONE;
}
REAL_INLINE int slope_flops(flow_activation activation) { return activation == FLOW_TANH ? 3 : activation != FLOW_NONE; }

/* Sums held at once: CONV_SITES sites times at most CONV_BLOCK output channels.  A number known to the compiler, with
 * its loops unrolled, keeps them in registers; beside them fit the inputs of the sites and a weight.  Two sites share
 * each weight that is read, without which the loads would be as many as the multiply-adds.  Gradients of weights hold
 * CONV_ROWS inputs times FLOW_CONV_TILE outputs. */
#if defined(__AVX512F__) || defined(REAL_DEVICE)
enum { CONV_BLOCK = 12, CONV_ROWS = 4 };
#define CONV_COUNTS(X, name)                                                                                           \
    X(name, 1) X(name, 2) X(name, 3) X(name, 4) X(name, 5) X(name, 6)                                                  \
    X(name, 7) X(name, 8) X(name, 9) X(name, 10) X(name, 11) X(name, 12)
#else
enum { CONV_BLOCK = 6, CONV_ROWS = 2 };
#define CONV_COUNTS(X, name) X(name, 1) X(name, 2) X(name, 3) X(name, 4) X(name, 5) X(name, 6)
#endif
#ifdef __CUDACC__
#define CONV_FOR(i, count) _Pragma("unroll") for (int i = 0; i < (count); i++)
#else
#define CONV_FOR(i, count) _Pragma("GCC unroll 12") for (int i = 0; i < (count); i++)
#endif
#ifdef REAL_DEVICE
#define CONV_CORE static __device__
enum { CONV_SITES = 1 };
#else
#define CONV_CORE static __attribute__((noinline))
enum { CONV_SITES = 2 };
#endif

/* Where tanh is no call it is taken of the sums while they are in registers. */
#if defined(REAL_FLOAT) && !defined(REAL_DEVICE)
enum { CONV_CALLS = 0 };
#else
enum { CONV_CALLS = 1 };
#endif

/* The compiler has 16 integer registers and makes up for more with vector registers, whose contents come back only
 * behind the multiply-adds that are under way.  Three ways to keep it from that, and from loading values twice:
 *   CONV_HOLD(x)   keeps a value in its register: it would rather load it again for each use
 *   CONV_FIX(p)    ends what it knows of a pointer, which it would split into the parts that several have in common
 *   CONV_FORGET    has what lies in memory read again */
#ifdef REAL_DEVICE
#define CONV_HOLD(x) (void)(x)
#define CONV_FIX(p) (void)(p)
#define CONV_FORGET (void)0
#else
#ifdef __x86_64__
#define CONV_HOLD(x) __asm__("" : "+v"(x))
#else
#define CONV_HOLD(x) (void)(x)
#endif
#define CONV_FIX(p) __asm__("" : "+r"(p))
#define CONV_FORGET __asm__ volatile("" : : : "memory")
#endif

/* Sums over taps and channels c of in[site + tap][c] weight[tap][c][j], in and weight being the first that are wanted.
 * A site without a neighbour reads one zero over and over. */
typedef struct {
    const flow_stencil *s;
    const scalar *in, *weight, *zero;
    int64_t from, to, lanes, stride, plane; /* channels, and steps from site to site and from tap to tap */
} conv_operand;

REAL_INLINE conv_operand conv_operand_of(const flow_stencil *s, const void *in, const scalar *weight, int from, int to,
                                         int lanes)
{
    return (conv_operand){.s = s, .in = (const scalar *)in, .weight = weight, .from = from, .to = to, .lanes = lanes,
                          .stride = (int64_t)from * lanes, .plane = (int64_t)from * to};
}

REAL_INLINE conv_operand conv_operand_at(conv_operand all, int64_t lane, int64_t first, const scalar *zero)
{
    all.in += lane;
    all.weight += first;
    all.zero = zero;
    return all;
}

typedef real conv_sums[CONV_SITES][CONV_BLOCK];

/* Adds the sums for j = 0 ... n-1 to sum[p][j]. */
REAL_INLINE void conv_add(const conv_operand *k, const int64_t *site, conv_sums sum, const int n)
{
    for (int i = 0; i < k->s->kept; i++) {
        CONV_FORGET;
        const int64_t tap = k->s->keep ? k->s->keep[i] : i, to = k->to;
        const scalar *value[CONV_SITES], *row = k->weight + tap * k->plane;
        int64_t step[CONV_SITES];
        CONV_FOR(p, CONV_SITES) {
            const int64_t x = k->s->neighbour[site[p] * k->s->taps + tap];
            value[p] = x < 0 ? k->zero : k->in + x * k->stride;
            step[p] = x < 0 ? 0 : k->lanes;
        }
        for (int64_t c = k->from; c > 0; c--, row += to) {
            real v[CONV_SITES];
            CONV_FOR(p, CONV_SITES) {
                v[p] = real_load(value[p]);
                CONV_HOLD(v[p]);
                value[p] += step[p];
            }
            CONV_FOR(j, n) CONV_FOR(p, CONV_SITES) sum[p][j] = sum[p][j] + v[p] * row[j];
        }
    }
}

/* A kernel NAME works on CONV_SITES sites and a block of channels at once: NAME_sums(k, operand, site, lane, first, n),
 * compiled once for each n, as in line they would take each other's registers.  Channels are dealt with in as few
 * blocks as possible, of about the same size; an odd last site is its own partner. */
#define CONV_FUNCTION(name, n)                                                                                         \
    CONV_CORE void name##_##n(const name##_args *k, const conv_operand *operand, const int64_t *site, int64_t lane,    \
                              int64_t first)                                                                           \
    {                                                                                                                  \
        name##_sums(k, operand, site, lane, first, n);                                                                 \
    }
#define CONV_CASE(name, n)                                                                                             \
    case n: name##_##n(k, operand, site, lane, first); break;
#define CONV_BLOCK_KERNEL(name)                                                                                        \
    CONV_COUNTS(CONV_FUNCTION, name)                                                                                   \
    REAL_INLINE void name##_block(const name##_args *k, const conv_operand *operand, const int64_t *site,              \
                                  int64_t lane, int64_t first, int64_t n)                                              \
    {                                                                                                                  \
        switch (n) {                                                                                                   \
            CONV_COUNTS(CONV_CASE, name)                                                                               \
        }                                                                                                              \
    }

REAL_INLINE int64_t conv_blocks(const conv_operand *k) { return (k->to + CONV_BLOCK - 1) / CONV_BLOCK; }
REAL_INLINE int64_t conv_block_start(const conv_operand *k, int64_t block) { return block * k->to / conv_blocks(k); }

#ifdef REAL_DEVICE
#define CONV_KERNEL(name)                                                                                              \
    CONV_BLOCK_KERNEL(name)                                                                                            \
    KERNEL(name)                                                                                                       \
    {                                                                                                                  \
        const scalar zero = 0;                                                                                         \
        const conv_operand all = name##_operand(k);                                                                    \
        for (int64_t block = 0; block < conv_blocks(&all); block++) {                                                  \
            const int64_t first = conv_block_start(&all, block), n = conv_block_start(&all, block + 1) - first;        \
            const conv_operand operand = conv_operand_at(all, lane, first, &zero);                                     \
            name##_block(k, &operand, &site, lane, first, n);                                                          \
        }                                                                                                              \
    }
#else
/* CONV_SITES sites from the i-th on: in the list itself, or put together in `pair`. */
REAL_INLINE const int64_t *conv_sites(const lat_range *range, int64_t i, int64_t *pair)
{
    if (range->site && i + CONV_SITES <= range->count) return range->site + i;
    for (int p = 0; p < CONV_SITES; p++) {
        int64_t n = i + p < range->count ? i + p : i;
        pair[p] = range->site ? range->site[n] : n;
    }
    return pair;
}

#define CONV_KERNEL(name)                                                                                              \
    CONV_BLOCK_KERNEL(name)                                                                                            \
    void NAME(name)(const name##_args *k, const lat_range *range)                                                      \
    {                                                                                                                  \
        const scalar zero[REAL_LANES] __attribute__((aligned(sizeof(real)))) = {0};                                    \
        const conv_operand all = name##_operand(k);                                                                    \
        for (int lane = 0; lane < range->lanes; lane += REAL_LANES)                                                    \
            for (int64_t block = 0; block < conv_blocks(&all); block++) {                                              \
                const int64_t first = conv_block_start(&all, block), n = conv_block_start(&all, block + 1) - first;    \
                const conv_operand operand = conv_operand_at(all, lane, first, zero);                                  \
                for (int64_t i = 0; i < range->count; i += CONV_SITES) {                                               \
                    int64_t pair[CONV_SITES];                                                                          \
                    name##_block(k, &operand, conv_sites(range, i, pair), lane, first, n);                             \
                }                                                                                                      \
            }                                                                                                          \
    }
#endif

CONV_CORE void conv_activate(const conv_forward_args *k, int64_t site, int64_t lane, int64_t first, int n)
{
    for (int64_t j = first; j < first + n; j++) {
        real slope = real_of(0), value = conv_smooth(k->activation, GET(k->out, k->s.outputs, j), &slope);
        PUT(k->out, k->s.outputs, j, value);
        if (k->activation == FLOW_SILU && k->slope) PUT(k->slope, k->s.outputs, j, slope);
    }
}

REAL_INLINE conv_operand conv_forward_operand(const conv_forward_args *k)
{
    return conv_operand_of(&k->s, k->in, (const scalar *)k->packed, k->s.inputs, k->s.outputs, k->t.lanes);
}

REAL_INLINE void conv_forward_sums(const conv_forward_args *k, const conv_operand *operand, const int64_t *site,
                                   int64_t lane, int64_t first, const int n)
{
    const scalar *bias = (const scalar *)k->packed + k->s.taps * operand->plane + first;
    conv_sums sum;
    CONV_FOR(j, n) CONV_FOR(p, CONV_SITES) sum[p][j] = real_of(bias[j]);
    conv_add(operand, site, sum, n);
    if (k->activation == FLOW_LEAKY) CONV_FOR(p, CONV_SITES) CONV_FOR(j, n) sum[p][j] = conv_leaky(sum[p][j]);
    if (!CONV_CALLS && k->activation == FLOW_TANH) CONV_FOR(p, CONV_SITES) CONV_FOR(j, n) sum[p][j] = real_tanh(sum[p][j]);
    CONV_FOR(p, CONV_SITES) {
        scalar *out = AT((scalar *)k->out, k->s.outputs, site[p], first);
        CONV_FOR(j, n) real_store(out + j * operand->lanes, sum[p][j]);
        if (k->activation == FLOW_SILU || (CONV_CALLS && k->activation == FLOW_TANH)) conv_activate(k, site[p], lane, first, n);
    }
}

CONV_KERNEL(conv_forward)
COST(conv_forward, conv_flops(&k->s) + k->s.outputs * activation_flops(k->activation, k->slope != NULL), k->s.inputs + (k->slope ? 2 : 1) * k->s.outputs, 0)

REAL_INLINE conv_operand conv_backward_input_operand(const conv_backward_input_args *k)
{
    const scalar *packed = (const scalar *)k->packed;
    const scalar *transposed = packed + (int64_t)k->s.taps * k->s.inputs * k->s.outputs + k->s.outputs;
    return conv_operand_of(&k->s, k->cotangent, transposed, k->s.outputs, k->s.inputs, k->t.lanes);
}

REAL_INLINE void conv_backward_input_sums(const conv_backward_input_args *k, const conv_operand *operand,
                                          const int64_t *site, int64_t lane, int64_t first, const int n)
{
    conv_sums sum;
    CONV_FOR(j, n) CONV_FOR(p, CONV_SITES) sum[p][j] = real_of(0);
    conv_add(operand, site, sum, n);
    CONV_FOR(p, CONV_SITES) {
        const scalar *previous = AT((const scalar *)k->previous, k->s.inputs, site[p], first);
        scalar *out = AT((scalar *)k->in_cotangent, k->s.inputs, site[p], first);
        if (k->activation != FLOW_NONE)
            CONV_FOR(j, n) sum[p][j] = sum[p][j] * conv_slope(k->activation, real_load(previous + j * operand->lanes));
        CONV_FOR(j, n) real_store(out + j * operand->lanes, sum[p][j]);
    }
}

CONV_KERNEL(conv_backward_input)
COST(conv_backward_input, conv_flops(&k->s) + k->s.inputs * slope_flops(k->activation), k->s.outputs + (k->activation == FLOW_NONE ? 1 : 2) * k->s.inputs, 0)

/* One tile of the outer product of inputs and cotangents, summed over the sites: rows i, i + 1, ..., columns o, ... */
REAL_INLINE void conv_tile(const conv_backward_weights_args *k, int64_t tap, int64_t i, int64_t o, int64_t lane,
                           const int rows, const int columns)
{
    const int64_t lanes = k->t.lanes, taps = k->s.taps;
    const int64_t stride_in = k->s.inputs * lanes, stride_out = k->s.outputs * lanes;
    const int64_t *neighbour = k->s.neighbour + tap, *list = k->site;
    const scalar *in = (const scalar *)k->in + i * lanes + lane;
    const scalar *cotangent = (const scalar *)k->cotangent + o * lanes + lane;
    scalar *gradient = (scalar *)k->gradient + (tap * k->s.inputs + i) * stride_out + o * lanes + lane;
    real sum[FLOW_CONV_TILE][FLOW_CONV_TILE];
    CONV_FOR(a, rows) CONV_FOR(b, columns) sum[a][b] = real_load(gradient + a * stride_out + b * lanes);
    CONV_FIX(neighbour);
    CONV_FIX(in);
    CONV_FIX(cotangent);
    CONV_FIX(gradient);
    for (int64_t n = 0; n < k->sites; n++) {
        const int64_t site = list ? list[n] : n;
        const scalar *p = in + neighbour[site * taps] * stride_in, *q = cotangent + site * stride_out;
        real value[FLOW_CONV_TILE], bar[FLOW_CONV_TILE];
        CONV_FOR(a, rows) {
            value[a] = real_load(p + a * lanes);
            CONV_HOLD(value[a]);
        }
        CONV_FOR(b, columns) {
            bar[b] = real_load(q + b * lanes);
            CONV_HOLD(bar[b]);
        }
        CONV_FOR(a, rows) CONV_FOR(b, columns) sum[a][b] = sum[a][b] + value[a] * bar[b];
    }
    CONV_FOR(a, rows) CONV_FOR(b, columns) real_store(gradient + a * stride_out + b * lanes, sum[a][b]);
}

#define CONV_TILE(rows, columns)                                                                                       \
    CONV_CORE void conv_tile_##rows##_##columns(const conv_backward_weights_args *k, int64_t tap, int64_t i, int64_t o,\
                                                int64_t lane)                                                          \
    {                                                                                                                  \
        conv_tile(k, tap, i, o, lane, rows, columns);                                                                  \
    }
#define CONV_TILE_CASE(rows, columns)                                                                                  \
    case 4 * (rows) + (columns): conv_tile_##rows##_##columns(k, tap, first, o, lane); break;
#define CONV_TILES(X) CONV_TILE_ROW(X, 1) CONV_TILE_ROW(X, 2) CONV_TILE_ROW(X, 3) CONV_TILE_ROW(X, 4)
#define CONV_TILE_ROW(X, rows) X(rows, 1) X(rows, 2) X(rows, 3) X(rows, 4)
CONV_TILES(CONV_TILE)

/* `site` counts tiles */
KERNEL(conv_backward_weights)
{
    const int tiles_in = (k->s.inputs + FLOW_CONV_TILE - 1) / FLOW_CONV_TILE;
    const int tiles_out = (k->s.outputs + FLOW_CONV_TILE - 1) / FLOW_CONV_TILE;
    const int row = (int)(site / tiles_out % tiles_in), column = (int)(site % tiles_out);
    const int64_t entry = site / tiles_out / tiles_in, tap = k->s.keep ? k->s.keep[entry] : entry;
    const int i = row * k->s.inputs / tiles_in, i_next = (row + 1) * k->s.inputs / tiles_in;
    const int o = column * k->s.outputs / tiles_out, o_next = (column + 1) * k->s.outputs / tiles_out;
    for (int first = i, rows; first < i_next; first += rows) {
        rows = i_next - first < CONV_ROWS ? i_next - first : CONV_ROWS;
        switch (4 * rows + o_next - o) {
            CONV_TILES(CONV_TILE_CASE)
        }
    }
}
COST(conv_backward_weights, k->sites * conv_flops(&k->s) / (double)flow_conv_tiles(&k->s), (2.0 * k->s.kept * k->s.inputs * k->s.outputs + (double)k->sites * (k->s.inputs + k->s.outputs)) / (double)flow_conv_tiles(&k->s), 0)

/* `site` counts outputs */
KERNEL(conv_backward_bias)
{
    const int64_t first = (int64_t)k->s.taps * k->s.inputs * k->s.outputs;
    scalar *gradient = (scalar *)k->gradient + (first + site) * k->t.lanes + lane;
    real sum = real_load(gradient);
    for (int64_t n = 0; n < k->sites; n++)
        sum = sum + GET_AT(k->cotangent, k->s.outputs, k->site ? k->site[n] : n, site);
    real_store(gradient, sum);
}
COST(conv_backward_bias, k->sites, k->sites + 2, 0)

/* `site` counts parameters */
KERNEL(conv_pack)
{
    (void)lane;
    const int64_t weights = (int64_t)k->taps * k->inputs * k->outputs, plane = (int64_t)k->inputs * k->outputs;
    scalar *packed = (scalar *)k->packed, value = (scalar)k->parameters[site];
    packed[site] = value;
    if (site >= weights) return;
    int64_t tap = site / plane, i = site % plane / k->outputs, o = site % k->outputs;
    packed[weights + k->outputs + tap * plane + o * k->inputs + i] = value;
}
COST(conv_pack, 0, 2 - 1.0 / (k->taps * k->inputs + 1), 1)

/* `site` counts sums */
KERNEL(lane_sum)
{
    (void)lane;
    const scalar *partial = (const scalar *)k->partial + site * k->lanes;
    double sum = 0;
    for (int i = 0; i < k->used; i++) sum += (double)partial[i];
    k->sum[site] += sum;
}
COST(lane_sum, k->used, k->used, 2)

/* `site` counts parameters */
KERNEL(lane_rows)
{
    (void)lane;
    const scalar *partial = (const scalar *)k->partial + site * k->lanes;
    for (int i = 0; i < k->used; i++) k->row[i * k->count + site] += (double)partial[i];
}
COST(lane_rows, k->used, k->used, 2 * k->used)

#endif
