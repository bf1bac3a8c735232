/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flow_kernels.h: the table of the kernels of the flows and their arguments.
 *
 * Convolutions.  out[x][o] = act(bias[o] + sum_{tap, i} weight[tap][i][o] in[x + tap][i]).  Fields are laid out as a
 * lat_field, data[(site * components + component) * lanes + lane], in the precision of the table.  Where x + tap lies
 * is told by a table neighbour[x * taps + tap], made by the caller: box, dilation, halo and periodic wrap are its
 * business.
 *
 * Parameters of one convolution, in this order (double, as in a model): weight[taps][inputs][outputs], bias[outputs].
 * Gradients have the same order, one sum per lane: gradient[parameter * lanes + lane].  Kernels read the parameters
 * from a packed copy in their own precision, made by conv_pack.
 *
 * Sites of one class (where the same taps read inputs that are known to vanish) are run together with the list `keep`
 * of the taps that remain.  Every sum runs over the list in its order: outputs do not depend on how sites are split
 * into calls.
 */
#ifndef FLOW_KERNELS_H
#define FLOW_KERNELS_H

#include "lattice/kernels/range.h"

enum {
    FLOW_MAX_KNOTS = 32, /* of a spline, and most components of a mixture of tangents */
    FLOW_CONV_TILE = 4,  /* conv_backward_weights handles this many inputs times as many outputs at once */
};

/* Leaky: slope 0.01 below zero.  Silu: z / (1 + exp(-z)). */
typedef enum { FLOW_NONE, FLOW_LEAKY, FLOW_TANH, FLOW_SILU, FLOW_ACTIVATIONS } flow_activation;

typedef struct {
    int taps, inputs, outputs; /* of the whole convolution */
    const int64_t *neighbour;  /* [site][taps]: the sites to be read */
    int kept;                  /* length of the list keep */
    const int32_t *keep;       /* [kept]: taps that take part; NULL: the taps 0 ... kept-1 */
} flow_stencil;

/* Number of parameters, and of reals in the packed copy: weight[taps][inputs][outputs], bias[outputs], and once more
 * weight[taps][outputs][inputs] for conv_backward_input. */
static inline int64_t flow_conv_parameters(const flow_stencil *s)
{
    return (int64_t)s->taps * s->inputs * s->outputs + s->outputs;
}
static inline int64_t flow_conv_packed(const flow_stencil *s)
{
    return 2 * (int64_t)s->taps * s->inputs * s->outputs + s->outputs;
}

/* Range: parameters (count = flow_conv_parameters, site = NULL), lanes = 1. */
typedef struct {
    int taps, inputs, outputs;
    const double *parameters;
    void *packed;
} conv_pack_args;

/* Range: the sites where the output is wanted.  The output holds activated values.  For FLOW_SILU alone slope, unless
 * NULL, receives the derivative of the activation, which cannot be told from its value. */
typedef struct {
    lat_tables t; /* lanes is used */
    flow_stencil s;
    const void *packed;
    const void *in; /* inputs components */
    void *out;      /* outputs components */
    void *slope;    /* outputs components, or NULL */
    flow_activation activation;
} conv_forward_args;

/* Range: the sites of the input where its cotangent is wanted.  in_cotangent[y][i] = act'(y, i) sum_{tap, o}
 * weight[tap][i][o] cotangent[neighbour(y, tap)][o].  Here s.neighbour is the reverse table: the output site that reads
 * y through this tap, -1 if there is none.  cotangent is that of bias + sum, before this layer's activation.  act'
 * belongs to the previous layer, whose output was this layer's input; it is computed from `previous`: that layer's
 * output (leaky, tanh) or its slope (silu).  FLOW_NONE: act' = 1, previous is not read. */
typedef struct {
    lat_tables t;
    flow_stencil s;
    const void *packed;
    const void *cotangent; /* outputs components */
    const void *previous;  /* inputs components */
    void *in_cotangent;    /* inputs components */
    flow_activation activation;
} conv_backward_input_args;

/* gradient += sum over the list of sites of cotangent[x][o] in[neighbour(x, tap)][i], per lane.  Range: tiles (count =
 * flow_conv_tiles, site = NULL).  Biases are left to conv_backward_bias.  Every tile reads all the sites: where their
 * fields exceed the cache, lists of about 32 sites one after another are up to a quarter faster than one long list. */
typedef struct {
    lat_tables t;
    flow_stencil s; /* of the forward convolution */
    const void *in;
    const void *cotangent; /* before the activation, as above */
    const int64_t *site;   /* [sites]; NULL: 0 ... sites-1 */
    int64_t sites;
    void *gradient; /* [flow_conv_parameters][lanes] */
} conv_backward_weights_args;

static inline int64_t flow_conv_tiles(const flow_stencil *s)
{
    int64_t in = (s->inputs + FLOW_CONV_TILE - 1) / FLOW_CONV_TILE;
    int64_t out = (s->outputs + FLOW_CONV_TILE - 1) / FLOW_CONV_TILE;
    return s->kept * in * out;
}

/* The same for the biases.  Same arguments; range: outputs (count = outputs, site = NULL). */
typedef conv_backward_weights_args conv_backward_bias_args;

/* sum[i] += sum over the first `used` lanes of partial[i * lanes + lane], in double, in the order of the lanes.
 * Range: i, lanes = 1. */
typedef struct {
    const void *partial;
    double *sum;
    int lanes, used;
} lane_sum_args;

/* row[lane * count + i] += partial[i * lanes + lane] for the first `used` lanes.  Range: i, lanes = 1. */
typedef struct {
    const void *partial;
    double *row;
    int64_t count;
    int lanes, used;
} lane_rows_args;

/* The optimiser (optimiser.h).  Range: parameters, lanes = 1.  row[rows][count]: parts of the gradient. */
typedef struct {
    const double *row;
    int64_t rows, count;
    int64_t *largest; /* one number */
} gradient_largest_args;

typedef struct {
    const double *row;
    int64_t rows, count;
    double factor;
    int64_t *digits; /* [count] */
} gradient_digits_args;

typedef struct {
    const int64_t *digits;
    double unit, batch;            /* of the digits; of the gradient: one over this */
    double *gradient;              /* [count] */
    double reduction, square_unit; /* of the squares */
    int64_t *squares;              /* one number */
} gradient_mean_args;

/* What the moments of Adam keep of themselves in a step */
#define FLOW_ADAM_FIRST 0.9
#define FLOW_ADAM_SECOND 0.999
typedef struct {
    double *parameters, *first, *second;
    const double *gradient;
    double factor, learning_rate, first_bias, second_bias;
} adam_args;

/* Every kernel of the flows, once; X(name). */
#define FLOW_KERNELS(X)                                                                                                \
    X(conv_pack) X(conv_forward) X(conv_backward_input) X(conv_backward_weights) X(conv_backward_bias) X(lane_sum)      \
    X(lane_rows) X(gradient_largest) X(gradient_digits) X(gradient_mean) X(adam)

typedef struct {
    FLOW_KERNELS(LAT_KERNEL_POINTER)
} flow_kernels;

extern const flow_kernels flow_cpu_double, flow_cpu_float, flow_cuda_double, flow_cuda_float;

#endif
