/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rates of the kernels of the flows on one core, beside the peak rate of multiply-adds measured in the same run:
 * networks on an 8x8 lattice with 3x3 taps, and the maps of the circle.  The best of several repetitions is printed.
 */
#include "flows/kernels/flow_kernels.h"
#include "flows/kernels/spline.h"
#include "flows/kernels/tangents.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXTENT = 8, SITES = EXTENT * EXTENT, TAPS = 9, REPEATS = 7 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

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

/* GFLOP/s of independent multiply-adds that stay in registers */
static double peak_double(void)
{
    enum { CHAINS = 12, STEPS = 200000 };
    real sum[CHAINS], factor = real_of(0.999), term = real_of(0.001);
    double best = 1e300;
    for (int j = 0; j < CHAINS; j++) sum[j] = real_of(j);
    for (int repeat = 0; repeat < bench_or_brief(20 * REPEATS, 1); repeat++) {
        double start = now();
        for (int i = 0; i < STEPS; i++) {
            _Pragma("GCC unroll 12") for (int j = 0; j < CHAINS; j++) sum[j] = sum[j] * factor + term;
        }
        double seconds = now() - start;
        if (seconds < best) best = seconds;
    }
    for (int j = 0; j < CHAINS; j++) {
        volatile real kept = sum[j];
        (void)kept;
    }
    return 2.0 * CHAINS * STEPS * REAL_LANES / best * 1e-9;
}

typedef struct {
    const flow_kernels *kernels;
    int bytes, lanes, inputs, outputs;
    double peak;
    int64_t neighbour[SITES * TAPS], reverse[SITES * TAPS];
    void *packed, *in, *out, *cotangent, *in_cotangent, *gradient;
} layer;

static void layer_start(layer *l, const flow_kernels *kernels, int bytes, int lanes, int inputs, int outputs,
                        double peak)
{
    int64_t weights = (int64_t)TAPS * inputs * outputs;
    *l =
        (layer){.kernels = kernels, .bytes = bytes, .lanes = lanes, .inputs = inputs, .outputs = outputs, .peak = peak};
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

static void forward(const layer *l, flow_activation activation)
{
    conv_forward_args k = {.t.lanes = l->lanes,
                           .s = stencil(l, l->neighbour),
                           .packed = l->packed,
                           .in = l->in,
                           .out = l->out,
                           .activation = activation};
    l->kernels->conv_forward(&k, &(lat_range){.count = SITES, .lanes = l->lanes});
}

static void forward_leaky(const layer *l) { forward(l, FLOW_LEAKY); }

static void forward_tanh(const layer *l) { forward(l, FLOW_TANH); }

static void forward_silu(const layer *l) { forward(l, FLOW_SILU); }

static void backward_input(const layer *l)
{
    conv_backward_input_args k = {.t.lanes = l->lanes,
                                  .s = stencil(l, l->reverse),
                                  .packed = l->packed,
                                  .cotangent = l->cotangent,
                                  .previous = l->in,
                                  .in_cotangent = l->in_cotangent,
                                  .activation = FLOW_LEAKY};
    l->kernels->conv_backward_input(&k, &(lat_range){.count = SITES, .lanes = l->lanes});
}

static void backward_weights(const layer *l)
{
    conv_backward_weights_args k = {.t.lanes = l->lanes,
                                    .s = stencil(l, l->neighbour),
                                    .in = l->in,
                                    .cotangent = l->cotangent,
                                    .sites = SITES,
                                    .gradient = l->gradient};
    l->kernels->conv_backward_weights(&k, &(lat_range){.count = flow_conv_tiles(&k.s), .lanes = l->lanes});
    l->kernels->conv_backward_bias(&k, &(lat_range){.count = l->outputs, .lanes = l->lanes});
}

/* Seconds of one call: the best of several repetitions */
static double seconds_of(void (*call)(const layer *), const layer *l)
{
    int calls = 1 + (int)(2e7 / ((double)SITES * TAPS * l->inputs * l->outputs * l->lanes));
    double best = 1e300;
    for (int repeat = 0; repeat < bench_or_brief(REPEATS, 1); repeat++) {
        double start = now();
        for (int i = 0; i < calls; i++) call(l);
        double seconds = (now() - start) / calls;
        if (seconds < best) best = seconds;
    }
    return best;
}

static const struct {
    const char *name;
    void (*call)(const layer *);
} stage[] = {
    {"forward", forward_leaky},         {"forward tanh", forward_tanh},         {"forward silu", forward_silu},
    {"backward input", backward_input}, {"backward weights", backward_weights},
};

enum { STAGES = sizeof stage / sizeof stage[0] };

static void convolutions(const char *name, const flow_kernels *kernels, int bytes, double peak)
{
    const int channels[][2] = {{2, 8}, {8, 8}, {8, 16}, {16, 16}, {8, 28}, {8, 3}};
    printf("\nconvolutions, %s: GFLOP/s (share of the peak %.1f)\n%16s", name, peak, "lanes in->out");
    for (int i = 0; i < STAGES; i++) printf("%20s", stage[i].name);
    printf("\n");
    for (int lanes = 64 / bytes; lanes <= 128 / bytes; lanes *= 2)
        for (size_t c = 0; c < sizeof channels / sizeof channels[0]; c++) {
            layer l;
            layer_start(&l, kernels, bytes, lanes, channels[c][0], channels[c][1], peak);
            printf("%6d %3d->%-4d", lanes, l.inputs, l.outputs);
            for (int i = 0; i < STAGES; i++) {
                double rate = 2e-9 * SITES * TAPS * l.inputs * l.outputs * lanes / seconds_of(stage[i].call, &l);
                printf("%12.1f (%4.0f%%)", rate, 100 * rate / peak);
            }
            printf("\n");
            layer_end(&l);
        }
}

/* One training step of a flow: 16 networks 2-8-8-3, batch 64 on 8x8 in chunks of 8, forward twice and backward */
static void training_step(double peak)
{
    const int channels[] = {2, 8, 8, 3};
    double total = 0, part[STAGES] = {0};
    for (int c = 0; c < 3; c++) {
        layer l;
        layer_start(&l, &flow_cpu_double, 8, 8, channels[c], channels[c + 1], peak);
        for (int i = 0; i < STAGES; i++) part[i] += 16 * 8 * seconds_of(stage[i].call, &l);
        layer_end(&l);
    }
    part[0] *= 2;
    total = part[0] + part[3] + part[4];
    printf(
        "\ntraining step, networks alone: %.2f ms = forward twice %.2f + backward input %.2f + backward weights %.2f\n",
        1e3 * total, 1e3 * part[0], 1e3 * part[3], 1e3 * part[4]);
}

enum { POINTS = 256 };

static void circle(const char *name, int is_spline, int bins)
{
    const int parameters = is_spline ? 3 * bins + 1 : bins + 1;
    real *p = memory((int64_t)sizeof(real) * parameters), *x = memory((int64_t)sizeof(real) * POINTS);
    real *y = memory((int64_t)sizeof(real) * POINTS), bar[3 * FLOW_MAX_KNOTS + 1], slope = real_of(0), total = slope;
    double best[3] = {1e300, 1e300, 1e300};
    fill(p, (int64_t)parameters * REAL_LANES, 8);
    fill(x, (int64_t)POINTS * REAL_LANES, 8);
    for (int i = 0; i < POINTS; i++) x[i] = REAL_PI * x[i];
    for (int repeat = 0; repeat < bench_or_brief(REPEATS, 1); repeat++)
        for (int what = 0; what < 3; what++) {
            double start = now();
            for (int i = 0; i < POINTS; i++) {
                real out;
                if (what == 0 && is_spline)
                    spline_forward(p, bins, x[i], &y[i], &slope);
                else if (what == 0)
                    tangents_forward(p, bins, x[i], &y[i], &slope);
                else if (what == 1 && is_spline)
                    spline_inverse(p, bins, y[i], &out, &slope);
                else if (what == 1)
                    tangents_inverse(p, bins, y[i], &out, &slope);
                else if (is_spline)
                    spline_backward(p, bins, x[i], y[i], slope, &out, bar);
                else
                    tangents_backward(p, bins, x[i], y[i], slope, &out, bar);
                if (what > 0) total = total + out + bar[0];
                total = total + slope;
            }
            double seconds = (now() - start) / POINTS / REAL_LANES;
            if (seconds < best[what]) best[what] = seconds;
        }
    __asm__ volatile("" : : "x"(total));
    printf("%8s %2d: forward %7.2f ns, inverse %7.2f ns, backward %7.2f ns per site and lane\n", name, bins,
           1e9 * best[0], 1e9 * best[1], 1e9 * best[2]);
    free(p);
    free(x);
    free(y);
}

int main(void)
{
    double peak = peak_double();
    printf("multiply-adds in registers: %.1f GFLOP/s in double, twice that in single precision\n", peak);
    convolutions("double", &flow_cpu_double, 8, peak);
    convolutions("float", &flow_cpu_float, 4, 2 * peak);
    training_step(peak);
    printf("\nmaps of the circle, double\n");
    for (int bins = 4; bins <= 16; bins *= 2) circle("spline", 1, bins);
    for (int bins = 1; bins <= 4; bins *= 2) circle("tangents", 0, bins);
    return 0;
}
