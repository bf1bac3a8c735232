/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv.h: kernels of convolutional networks, for batches in lanes: weights are scalars, values are vectors of lanes,
 * and a block of sums stays in registers while the taps and channels that feed it pass by.  Definitions: see
 * flow_kernels.h.
 */
#ifndef CONV_H
#define CONV_H

#include "../../lattice/kernels/kernel.h"
#include "flow_kernels.h"

#include <stddef.h>

REAL_INLINE real conv_leaky(real z) { return real_select(real_less(z, real_of(0)), (scalar)0.01 * z, z); }

/* value = act(z), slope = act'(z) for the activations that need an exponential */
REAL_INLINE real conv_smooth(flow_activation activation, real z, real *slope)
{
    real share = 1 / (1 + real_exp(activation == FLOW_TANH ? -2 * z : -z));
    if (activation == FLOW_TANH) {
        real value = 2 * share - 1;
        *slope = 1 - value * value;
        return value;
    }
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

/* Sums held at once: CONV_SITES sites times at most CONV_BLOCK output channels.  A number known to the compiler, with
 * its loops unrolled, keeps them in registers; beside them fit the inputs of the sites and a weight.  Two sites share
 * each weight that is read, without which the loads would be as many as the multiply-adds.  Gradients of weights hold
 * CONV_ROWS inputs times FLOW_CONV_TILE outputs. */
#if defined(__AVX512F__) || defined(__CUDACC__)
enum { CONV_BLOCK = 12, CONV_ROWS = 4 };
#define CONV_COUNTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#else
enum { CONV_BLOCK = 6, CONV_ROWS = 2 };
#define CONV_COUNTS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif
#ifdef __CUDACC__
#define CONV_UNROLL _Pragma("unroll")
#define CONV_CORE static __device__
enum { CONV_SITES = 1 };
#else
#define CONV_UNROLL _Pragma("GCC unroll 12")
#define CONV_CORE static __attribute__((noinline))
enum { CONV_SITES = 2 };
#endif

/* Keeps a value in its register: the compiler would rather load it again for each use, and loads are the bottleneck. */
#if defined(__x86_64__) && !defined(__CUDACC__)
#define CONV_HOLD(x) __asm__("" : "+v"(x))
#else
#define CONV_HOLD(x) (void)(x)
#endif

/* What a sum runs over, made once for a pair of sites: where each tap reads, and its weights.  A site without a
 * neighbour has step 0 and reads one zero over and over. */
typedef struct {
    const scalar *value[CONV_SITES], *row;
    int64_t step[CONV_SITES];
} conv_read;
typedef struct {
    int count, from, to, lanes;
    conv_read read[FLOW_MAX_TAPS];
} conv_list;

REAL_INLINE void conv_collect(conv_list *list, const flow_stencil *s, const scalar *in, int from, const scalar *weight,
                              int to, int lanes, const int64_t *site, const scalar *zero)
{
    const int64_t stride = (int64_t)from * lanes, plane = (int64_t)from * to;
    list->count = 0;
    list->from = from;
    list->to = to;
    list->lanes = lanes;
    for (int i = 0; i < s->kept; i++) {
        const int tap = s->keep ? s->keep[i] : i;
        conv_read *read = &list->read[list->count];
        int found = 0;
        for (int p = 0; p < CONV_SITES; p++) {
            const int64_t x = s->neighbour[site[p] * s->taps + tap];
            read->value[p] = x < 0 ? zero : in + x * stride;
            read->step[p] = x < 0 ? 0 : lanes;
            found |= x >= 0;
        }
        read->row = weight + tap * plane;
        list->count += found;
    }
}

/* sum[p][j] = start[j] + sum over the list and its input channels c of value[p][c] row[c][first + j], j = 0 ... n-1;
 * start NULL: zero */
REAL_INLINE void conv_sums(const conv_list *list, int first, int lane, const scalar *start, real (*sum)[CONV_BLOCK],
                           const int n)
{
    const int64_t to = list->to;
    real part[CONV_SITES][CONV_BLOCK];
    CONV_UNROLL
    for (int j = 0; j < n; j++) {
        CONV_UNROLL
        for (int p = 0; p < CONV_SITES; p++) part[p][j] = real_of(start ? start[first + j] : 0);
    }
    for (int i = 0; i < list->count; i++) {
        const conv_read *read = &list->read[i];
        const scalar *value[CONV_SITES], *row = read->row + first;
        CONV_UNROLL
        for (int p = 0; p < CONV_SITES; p++) value[p] = read->value[p] + (read->step[p] > 0 ? lane : 0);
        for (int c = list->from; c > 0; c--, row += to) {
            real v[CONV_SITES];
            CONV_UNROLL
            for (int p = 0; p < CONV_SITES; p++) {
                v[p] = real_load(value[p]);
                CONV_HOLD(v[p]);
                value[p] += read->step[p];
            }
            CONV_UNROLL
            for (int j = 0; j < n; j++) {
                CONV_UNROLL
                for (int p = 0; p < CONV_SITES; p++) part[p][j] = part[p][j] + v[p] * row[j];
            }
        }
    }
    CONV_UNROLL
    for (int p = 0; p < CONV_SITES; p++) {
        CONV_UNROLL
        for (int j = 0; j < n; j++) sum[p][j] = part[p][j];
    }
}

/* One function for each number of sums: in line they would take each other's registers. */
#define CONV_SUMS(n)                                                                                                   \
    CONV_CORE void conv_sums_##n(const conv_list *list, int first, int lane, const scalar *start,                      \
                                 real(*sum)[CONV_BLOCK])                                                               \
    {                                                                                                                  \
        conv_sums(list, first, lane, start, sum, n);                                                                   \
    }
CONV_COUNTS(CONV_SUMS)

REAL_INLINE void conv_block(const conv_list *list, int first, int lane, const scalar *start, real (*sum)[CONV_BLOCK],
                            int n)
{
#define CONV_CASE(n)                                                                                                   \
    case n: conv_sums_##n(list, first, lane, start, sum); break;
    switch (n) {
        CONV_COUNTS(CONV_CASE)
    }
#undef CONV_CASE
}

/* Runs NAME(kernel##_pair)(k, sites, lanes) for CONV_SITES sites at a time; an odd last site is its own partner. */
#ifdef __CUDACC__
#define CONV_KERNEL(name)                                                                                              \
    KERNEL(name) { name##_pair(k, &site, lane, lane + 1); }
#else
#define CONV_KERNEL(name)                                                                                              \
    void NAME(name)(const name##_args *k, const lat_range *range)                                                      \
    {                                                                                                                  \
        for (int64_t i = 0; i < range->count; i += CONV_SITES) {                                                       \
            int64_t site[CONV_SITES];                                                                                  \
            for (int p = 0; p < CONV_SITES; p++) {                                                                     \
                int64_t n = i + p < range->count ? i + p : i;                                                          \
                site[p] = range->site ? range->site[n] : n;                                                            \
            }                                                                                                          \
            name##_pair(k, site, 0, range->lanes);                                                                     \
        }                                                                                                              \
    }
#endif

/* Channels are dealt with in as few blocks as possible, of about the same size. */
REAL_INLINE int conv_blocks(int channels) { return (channels + CONV_BLOCK - 1) / CONV_BLOCK; }

CONV_CORE void conv_forward_pair(const conv_forward_args *k, const int64_t *site, int lane, int lanes)
{
    const scalar *weight = (const scalar *)k->packed, *bias = weight + (int64_t)k->s.taps * k->s.inputs * k->s.outputs;
    const int smooth = k->activation == FLOW_TANH || k->activation == FLOW_SILU;
    const int slopes = k->activation == FLOW_SILU && k->slope;
    const scalar zero[REAL_LANES] __attribute__((aligned(sizeof(real)))) = {0};
    conv_list list;
    conv_collect(&list, &k->s, (const scalar *)k->in, k->s.inputs, weight, k->s.outputs, k->t.lanes, site, zero);
    const int blocks = conv_blocks(k->s.outputs);
    for (; lane < lanes; lane += REAL_LANES)
        for (int block = 0; block < blocks; block++) {
            const int first = block * k->s.outputs / blocks, n = (block + 1) * k->s.outputs / blocks - first;
            real sum[CONV_SITES][CONV_BLOCK];
            conv_block(&list, first, lane, bias, sum, n);
            for (int p = 0; p < CONV_SITES; p++) {
                scalar *out = AT((scalar *)k->out, k->s.outputs, site[p], first);
                for (int j = 0; j < n; j++, out += k->t.lanes) {
                    real value = sum[p][j], slope = value;
                    if (k->activation == FLOW_LEAKY)
                        value = conv_leaky(value);
                    else if (smooth)
                        value = conv_smooth(k->activation, value, &slope);
                    real_store(out, value);
                    if (slopes) real_store(AT((scalar *)k->slope, k->s.outputs, site[p], first + j), slope);
                }
            }
        }
}

CONV_KERNEL(conv_forward)

CONV_CORE void conv_backward_input_pair(const conv_backward_input_args *k, const int64_t *site, int lane, int lanes)
{
    const flow_stencil *s = &k->s;
    const scalar *transposed = (const scalar *)k->packed + (int64_t)s->taps * s->inputs * s->outputs + s->outputs;
    const scalar zero[REAL_LANES] __attribute__((aligned(sizeof(real)))) = {0};
    conv_list list;
    conv_collect(&list, s, (const scalar *)k->cotangent, s->outputs, transposed, s->inputs, k->t.lanes, site, zero);
    const int blocks = conv_blocks(s->inputs);
    for (; lane < lanes; lane += REAL_LANES)
        for (int block = 0; block < blocks; block++) {
            const int first = block * s->inputs / blocks, n = (block + 1) * s->inputs / blocks - first;
            real sum[CONV_SITES][CONV_BLOCK];
            conv_block(&list, first, lane, NULL, sum, n);
            for (int p = 0; p < CONV_SITES; p++)
                for (int j = 0; j < n; j++) {
                    real bar = sum[p][j];
                    if (k->activation != FLOW_NONE)
                        bar = bar * conv_slope(k->activation, GET_AT(k->previous, s->inputs, site[p], first + j));
                    real_store(AT((scalar *)k->in_cotangent, s->inputs, site[p], first + j), bar);
                }
        }
}

CONV_KERNEL(conv_backward_input)

/* One tile of the outer product of inputs and cotangents, summed over the sites */
REAL_INLINE void conv_tile(const conv_backward_weights_args *k, int64_t tap, int i, int o, int lane, const int rows,
                           const int columns)
{
    const int64_t lanes = k->t.lanes, taps = k->s.taps;
    const int64_t stride_in = k->s.inputs * lanes, stride_out = k->s.outputs * lanes;
    scalar *gradient = (scalar *)k->gradient + (tap * k->s.inputs + i) * stride_out + o * lanes + lane;
    const scalar *in = (const scalar *)k->in + i * lanes + lane;
    const scalar *cotangent = (const scalar *)k->cotangent + o * lanes + lane;
    const int64_t *neighbour = k->s.neighbour + tap;
    real sum[FLOW_CONV_TILE][FLOW_CONV_TILE];
    CONV_UNROLL
    for (int a = 0; a < rows; a++) {
        CONV_UNROLL
        for (int b = 0; b < columns; b++) sum[a][b] = real_load(gradient + a * stride_out + b * lanes);
    }
    for (int64_t n = 0; n < k->sites; n++) {
        int64_t site = k->site ? k->site[n] : n;
        const scalar *p = in + neighbour[site * taps] * stride_in, *q = cotangent + site * stride_out;
        real value[FLOW_CONV_TILE], bar[FLOW_CONV_TILE];
        CONV_UNROLL
        for (int a = 0; a < rows; a++) {
            value[a] = real_load(p + a * lanes);
            CONV_HOLD(value[a]);
        }
        CONV_UNROLL
        for (int b = 0; b < columns; b++) {
            bar[b] = real_load(q + b * lanes);
            CONV_HOLD(bar[b]);
        }
        CONV_UNROLL
        for (int a = 0; a < rows; a++) {
            CONV_UNROLL
            for (int b = 0; b < columns; b++) sum[a][b] = sum[a][b] + value[a] * bar[b];
        }
    }
    CONV_UNROLL
    for (int a = 0; a < rows; a++) {
        CONV_UNROLL
        for (int b = 0; b < columns; b++) real_store(gradient + a * stride_out + b * lanes, sum[a][b]);
    }
}

/* `site` counts tiles */
KERNEL(conv_backward_weights)
{
    const int tiles_in = (k->s.inputs + FLOW_CONV_TILE - 1) / FLOW_CONV_TILE;
    const int tiles_out = (k->s.outputs + FLOW_CONV_TILE - 1) / FLOW_CONV_TILE;
    const int row = (int)(site / tiles_out % tiles_in), column = (int)(site % tiles_out);
    const int64_t entry = site / tiles_out / tiles_in, tap = k->s.keep ? k->s.keep[entry] : entry;
    const int i = row * k->s.inputs / tiles_in, i_next = (row + 1) * k->s.inputs / tiles_in;
    const int o = column * k->s.outputs / tiles_out, o_next = (column + 1) * k->s.outputs / tiles_out;
#define TILE(rows, columns)                                                                                            \
    case 4 * (rows) + (columns):                                                                                       \
        conv_tile(k, tap, first, o, lane, rows, columns);                                                              \
        break;
#define TILES(rows) TILE(rows, 1) TILE(rows, 2) TILE(rows, 3) TILE(rows, 4)
    for (int first = i, rows; first < i_next; first += rows) {
        rows = i_next - first < CONV_ROWS ? i_next - first : CONV_ROWS;
        switch (4 * rows + o_next - o) {
            TILES(1)
            TILES(2)
            TILES(3)
            TILES(4)
        }
    }
#undef TILES
#undef TILE
}

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

/* `site` counts sums */
KERNEL(lane_sum)
{
    (void)lane;
    const scalar *partial = (const scalar *)k->partial + site * k->lanes;
    double sum = 0;
    for (int i = 0; i < k->used; i++) sum += (double)partial[i];
    k->sum[site] += sum;
}

#endif
