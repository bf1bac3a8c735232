/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rates of the kernels of the flows on one core, beside the ceilings measured in the same run:
 * networks and couplings on an 8x8 lattice, with 3x3 taps.  The best of several repetitions is printed.  Operations and bytes are those
 * that the kernels declare (COST), each with its share of the ceiling; what stays in the caches may have more than 100 %.
 */
#include "flows/kernels/coupling_kernels.h"
#include "flows/kernels/flow_kernels.h"
#include "lattice/kernels/real.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXTENT = 8, SITES = EXTENT * EXTENT, TAPS = 9, REPEATS = 7 };

static void *memory(int64_t bytes)
{
    void *p = aligned_alloc(64, (size_t)((bytes + 63) / 64 * 64));
    if (!p) {
        fprintf(stderr, "flow_kernels: no memory for %lld bytes\n", (long long)bytes);
        exit(1);
    }
    return p;
}

/* Numbers in (-1, 1) */
static void fill(void *p, int64_t count, int bytes)
{
    static uint64_t state = 1;
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double value = (double)(int64_t)state * 0x1p-63;
        if (bytes == 8)
            ((double *)p)[i] = value;
        else
            ((float *)p)[i] = (float)value;
    }
}

typedef struct {
    const flow_kernels *kernels;
    int bytes, lanes, inputs, outputs;
    int64_t neighbour[SITES * TAPS], reverse[SITES * TAPS];
    void *packed, *in, *out, *cotangent, *in_cotangent, *gradient;
} layer;

static void layer_start(layer *l, const flow_kernels *kernels, int bytes, int lanes, int inputs, int outputs)
{
    int64_t weights = (int64_t)TAPS * inputs * outputs;
    *l = (layer){.kernels = kernels, .bytes = bytes, .lanes = lanes, .inputs = inputs, .outputs = outputs};
    for (int x = 0; x < SITES; x++)
        for (int tap = 0; tap < TAPS; tap++) {
            int column = (x % EXTENT + tap % 3 + EXTENT - 1) % EXTENT,
                row = (x / EXTENT + tap / 3 + EXTENT - 1) % EXTENT;
            l->neighbour[x * TAPS + tap] = row * EXTENT + column;
            l->reverse[(row * EXTENT + column) * TAPS + tap] = x;
        }
    struct {
        void **p;
        int64_t count;
    } arrays[] = {
        {&l->packed, 2 * weights + outputs},
        {&l->in, (int64_t)SITES * inputs * lanes},
        {&l->out, (int64_t)SITES * outputs * lanes},
        {&l->cotangent, (int64_t)SITES * outputs * lanes},
        {&l->in_cotangent, (int64_t)SITES * inputs * lanes},
        {&l->gradient, (weights + outputs) * lanes},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        *arrays[i].p = memory(arrays[i].count * bytes);
        fill(*arrays[i].p, arrays[i].count, bytes);
    }
}

static void layer_end(layer *l)
{
    free(l->packed);
    free(l->in);
    free(l->out);
    free(l->cotangent);
    free(l->in_cotangent);
    free(l->gradient);
}

static flow_stencil stencil(const layer *l, const int64_t *table)
{
    return (flow_stencil){TAPS, l->inputs, l->outputs, table, TAPS, NULL};
}

static conv_forward_args forward_args(const layer *l, flow_activation activation)
{
    return (conv_forward_args){.t.lanes = l->lanes,
                               .s = stencil(l, l->neighbour),
                               .packed = l->packed,
                               .in = l->in,
                               .out = l->out,
                               .activation = activation};
}

static lat_cost times(double factor, lat_cost cost) { return (lat_cost){factor * cost.flops, factor * cost.bytes}; }

/* Runs a kernel on `count` sites; gives the cost of all of them and of their lanes. */
#define CALL(table, kernel, args, sites, width)                                                                        \
    ((table)->kernel(&(args), &(lat_range){.count = (sites), .lanes = (width)}),                                       \
     times((double)(sites) * (width), (table)->kernel##_cost(&(args))))

static lat_cost forward(const layer *l, flow_activation activation)
{
    conv_forward_args k = forward_args(l, activation);
    return CALL(l->kernels, conv_forward, k, SITES, l->lanes);
}

static lat_cost forward_leaky(const layer *l) { return forward(l, FLOW_LEAKY); }

static lat_cost forward_tanh(const layer *l) { return forward(l, FLOW_TANH); }

static lat_cost forward_silu(const layer *l) { return forward(l, FLOW_SILU); }

static lat_cost backward_input(const layer *l)
{
    conv_backward_input_args k = {.t.lanes = l->lanes,
                                  .s = stencil(l, l->reverse),
                                  .packed = l->packed,
                                  .cotangent = l->cotangent,
                                  .previous = l->in,
                                  .in_cotangent = l->in_cotangent,
                                  .activation = FLOW_LEAKY};
    return CALL(l->kernels, conv_backward_input, k, SITES, l->lanes);
}

static lat_cost backward_weights(const layer *l)
{
    conv_backward_weights_args k = {.t.lanes = l->lanes,
                                    .s = stencil(l, l->neighbour),
                                    .in = l->in,
                                    .cotangent = l->cotangent,
                                    .sites = SITES,
                                    .gradient = l->gradient};
    lat_cost weights = CALL(l->kernels, conv_backward_weights, k, flow_conv_tiles(&k.s), l->lanes);
    lat_cost biases = CALL(l->kernels, conv_backward_bias, k, l->outputs, l->lanes);
    return (lat_cost){weights.flops + biases.flops, weights.bytes + biases.bytes};
}

static bench_times times_of_calls(const bench *b, lat_cost (*call)(const layer *), const layer *l)
{
    const int calls = 1 + (int)(2e7 / ((double)SITES * TAPS * l->inputs * l->outputs * l->lanes));
    bench_times all = {.repeats = REPEATS, .calls = calls};
    while (bench_again(b, &all))
        for (int i = 0; i < calls; i++) call(l);
    return all;
}

static const struct {
    const char *name;
    lat_cost (*call)(const layer *);
} stage[] = {
    {"forward", forward_leaky},         {"forward tanh", forward_tanh},         {"forward silu", forward_silu},
    {"backward input", backward_input}, {"backward weights", backward_weights},
};

enum { STAGES = sizeof stage / sizeof stage[0] };

static void print_rates(const bench *b, bench_rates r)
{
    bench_print(b, "%8.1f (%3.0f%%) %6.1f (%3.0f%%)", r.flops, 100 * r.of_peak, r.bytes, 100 * r.of_copy);
}

/* One line of the table: all stages of a layer. */
static void convolution(bench *b, const layer *l, lat_precision precision)
{
    bench_print(b, "%6d %3d->%-4d", l->lanes, l->inputs, l->outputs);
    for (int i = 0; i < STAGES; i++) {
        const lat_cost cost = times(b->ranks, stage[i].call(l));
        const bench_times all = times_of_calls(b, stage[i].call, l);
        print_rates(b, bench_row(b, &(bench_result){&all, 1e6, "us", cost, precision},
                                 "convolution, %s, %d lanes, %d->%d, %s", lat_precision_names[precision], l->lanes,
                                 l->inputs, l->outputs, stage[i].name));
    }
    bench_print(b, "\n");
}

static void convolutions(bench *b, const flow_kernels *kernels, lat_precision precision)
{
    const int channels[][2] = {{2, 8}, {8, 8}, {8, 16}, {16, 16}, {8, 28}, {8, 3}};
    const int bytes = precision == LAT_FLOAT ? 4 : 8;
    bench_print(b, "\nconvolutions, %s: GFLOP/s and GB/s\n%16s", lat_precision_names[precision], "lanes in->out");
    for (int i = 0; i < STAGES; i++) bench_print(b, "%29s", stage[i].name);
    bench_print(b, "\n");
    for (int lanes = 64 / bytes; lanes <= 128 / bytes; lanes *= 2)
        for (size_t c = 0; c < sizeof channels / sizeof channels[0]; c++) {
            layer l;
            layer_start(&l, kernels, bytes, lanes, channels[c][0], channels[c][1]);
            convolution(b, &l, precision);
            layer_end(&l);
        }
}

/* One training step of a flow: 16 networks 2-8-8-3, batch 64 on 8x8 in chunks of 8, forward twice and backward */
static void training_step(const bench *b)
{
    const int channels[] = {2, 8, 8, 3};
    double total = 0, part[STAGES] = {0};
    for (int c = 0; c < 3; c++) {
        layer l;
        layer_start(&l, &flow_cpu_double, 8, 8, channels[c], channels[c + 1]);
        for (int i = 0; i < STAGES; i++) {
            const bench_times all = times_of_calls(b, stage[i].call, &l);
            part[i] += 16 * 8 * bench_best(&all);
        }
        layer_end(&l);
    }
    part[0] *= 2;
    total = part[0] + part[3] + part[4];
    bench_print(
        b,
        "\ntraining step, networks alone: %.2f ms = forward twice %.2f + backward input %.2f + backward weights %.2f\n",
        1e3 * total, 1e3 * part[0], 1e3 * part[3], 1e3 * part[4]);
}

/* Couplings of all links in direction 0 of an 8x8 lattice: more than are ever active at once, for rates. */
typedef struct {
    int64_t up[2][SITES], down[2][SITES];
    coupling_args k;
    void *links, *parameter, *parameter_cotangent, *cotangent, *loop_cotangent;
    double *density, *weight;
} coupling;

static coupling *coupling_start(flow_transform transform, int knots)
{
    coupling *c = memory(sizeof *c);
    const int lanes = REAL_LANES, outputs = transform == FLOW_SPLINE ? 3 * knots + 1 : knots + 1;
    for (int x = 0; x < SITES; x++)
        for (int mu = 0; mu < 2; mu++) {
            int step = mu ? EXTENT : 1, at = x / step % EXTENT;
            c->up[mu][x] = x + ((at + 1) % EXTENT - at) * step;
            c->down[mu][x] = x + ((at + EXTENT - 1) % EXTENT - at) * step;
        }
    struct {
        void **p;
        int64_t count;
    } arrays[] = {{&c->links, 2},          {&c->parameter, outputs}, {&c->parameter_cotangent, outputs},
                  {&c->cotangent, 2},      {&c->loop_cotangent, 1},  {(void **)&c->density, 1},
                  {(void **)&c->weight, 1}};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        *arrays[i].p = memory(arrays[i].count * SITES * lanes * 8);
        fill(*arrays[i].p, arrays[i].count * SITES * lanes, 8);
    }
    c->k =
        (coupling_args){.t = {.up = {c->up[0], c->up[1]}, .down = {c->down[0], c->down[1]}, .dim = 2, .lanes = lanes},
                        .u = c->links,
                        .parameter = c->parameter,
                        .mu = 0,
                        .nu = 1,
                        .outputs = outputs,
                        .knots = knots,
                        .transform = transform,
                        .density = c->density,
                        .cotangent = c->cotangent,
                        .weight = c->weight,
                        .parameter_cotangent = c->parameter_cotangent,
                        .loop_cotangent = c->loop_cotangent,
                        .loops = 1,
                        .halved = -1};
    return c;
}

static void coupling_end(coupling *c)
{
    free(c->links);
    free(c->parameter);
    free(c->parameter_cotangent);
    free(c->cotangent);
    free(c->loop_cotangent);
    free(c->density);
    free(c->weight);
    free(c);
}

static const flow_coupling_kernels *const couplings_u1 = &flow_coupling_cpu_u1_double;

static lat_cost coupling_forward(const coupling *c)
{
    return CALL(couplings_u1, coupling_forward, c->k, SITES, REAL_LANES);
}

static lat_cost coupling_inverse(const coupling *c)
{
    return CALL(couplings_u1, coupling_inverse, c->k, SITES, REAL_LANES);
}

static lat_cost coupling_backward(const coupling *c)
{
    return CALL(couplings_u1, coupling_backward, c->k, SITES, REAL_LANES);
}

static lat_cost coupling_push(const coupling *c) { return CALL(couplings_u1, coupling_push, c->k, SITES, REAL_LANES); }

static const struct {
    const char *name;
    lat_cost (*call)(const coupling *);
} coupling_stage[] = {{"forward", coupling_forward},
                      {"inverse", coupling_inverse},
                      {"backward", coupling_backward},
                      {"push", coupling_push}};

static void couplings(bench *b, const char *name, flow_transform transform, int knots)
{
    coupling *c = coupling_start(transform, knots);
    for (size_t i = 0; i < sizeof coupling_stage / sizeof coupling_stage[0]; i++) {
        bench_result result = {.factor = 1e9 / SITES / REAL_LANES, .unit = "ns per link"};
        bench_times all = {.repeats = 20 * REPEATS};
        while (bench_again(b, &all)) result.cost = times(b->ranks, coupling_stage[i].call(c));
        result.times = &all;
        bench_print(b, "%8s %2d %10s %8.2f ns per link", name, knots, coupling_stage[i].name,
                    result.factor * bench_best(&all));
        print_rates(b, bench_row(b, &result, "coupling, %s, %d, %s", name, knots, coupling_stage[i].name));
        bench_print(b, "\n");
    }
    coupling_end(c);
}

int main(int argc, char **argv)
{
    lat_start(&argc, &argv);
    bench b = bench_start("flow_kernels", bench_wall_time);
    bench_measure_ceilings(&b);
    convolutions(&b, &flow_cpu_double, LAT_DOUBLE);
    convolutions(&b, &flow_cpu_float, LAT_FLOAT);
    training_step(&b);
    bench_print(&b, "\ncouplings of U(1), double: GFLOP/s and GB/s\n");
    for (int bins = 4; bins <= 16; bins *= 2) couplings(&b, "spline", FLOW_SPLINE, bins);
    for (int components = 1; components <= 4; components *= 2) couplings(&b, "tangents", FLOW_TANGENTS, components);
    return bench_end(&b);
}
