/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 * # ranks: 1
 *
 * The kernels of the flows: convolutions against plain loops, their derivatives against adjointness and finite
 * differences, and the maps of the circle against scalar code in extended precision.
 */
#include "tests/tap.h"

#include "flows/kernels/flow_kernels.h"
#include "flows/kernels/spline.h"
#include "flows/kernels/tangents.h"

static uint64_t random_state = 1;

/* In (-1, 1) */
static double deviate(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)random_state * 0x1p-63;
}

static int choice(int count) { return (int)((deviate() + 1) / 2 * count) % count; }

/* ------------------------------------------------------------------------------------------------- convolutions */

enum { LANES = 32 }; /* two vectors of 16 floats */

/* A precision of the kernels and arrays of it, read and written as double */
typedef struct {
    const char *name;
    const flow_kernels *kernels;
    int bytes;
    double tolerance;
} precision;

static const precision precisions[] = {{"double", &flow_cpu_double, 8, 1e-12}, {"float", &flow_cpu_float, 4, 3e-5}};

static double get(const precision *p, const void *array, int64_t i)
{
    return p->bytes == 8 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

static void put(const precision *p, void *array, int64_t i, double value)
{
    if (p->bytes == 8)
        ((double *)array)[i] = value;
    else
        ((float *)array)[i] = (float)value;
}

static void *randoms(const precision *p, int64_t count)
{
    void *array = lat_alloc(count, (size_t)p->bytes);
    for (int64_t i = 0; i < count; i++) put(p, array, i, deviate());
    return array;
}

/* A convolution on a periodic lattice */
typedef struct {
    const precision *p;
    int sites, taps, inputs, outputs;
    int64_t *neighbour, *reverse;
    double *parameters;
    void *packed;
} conv;

static void conv_start(conv *c, const precision *p, int dim, const int *extent, int width, int dilation, int inputs,
                       int outputs)
{
    *c = (conv){.p = p, .sites = 1, .taps = 1, .inputs = inputs, .outputs = outputs};
    for (int d = 0; d < dim; d++) {
        c->sites *= extent[d];
        c->taps *= width;
    }
    c->neighbour = lat_alloc((int64_t)c->sites * c->taps, sizeof(int64_t));
    c->reverse = lat_alloc((int64_t)c->sites * c->taps, sizeof(int64_t));
    for (int x = 0; x < c->sites; x++)
        for (int tap = 0; tap < c->taps; tap++) {
            int64_t to = 0;
            for (int d = 0, stride = 1, part = x, offset = tap; d < dim; d++) {
                int y = part % extent[d] + (offset % width - width / 2) * dilation;
                to += stride * ((y % extent[d] + extent[d]) % extent[d]);
                stride *= extent[d];
                part /= extent[d];
                offset /= width;
            }
            c->neighbour[x * c->taps + tap] = to;
            c->reverse[to * c->taps + tap] = x;
        }
    flow_stencil s = {c->taps, inputs, outputs, NULL, 0, NULL};
    c->parameters = lat_alloc(flow_conv_parameters(&s), sizeof(double));
    for (int64_t i = 0; i < flow_conv_parameters(&s); i++) c->parameters[i] = deviate();
    c->packed = lat_alloc(flow_conv_packed(&s), (size_t)p->bytes);
}

static void conv_end(conv *c)
{
    free(c->neighbour);
    free(c->reverse);
    free(c->parameters);
    free(c->packed);
}

static flow_stencil stencil(const conv *c, const int64_t *table, int kept, const int32_t *keep)
{
    return (flow_stencil){c->taps, c->inputs, c->outputs, table, kept, keep};
}

static void pack(const conv *c)
{
    conv_pack_args k = {c->taps, c->inputs, c->outputs, c->parameters, c->packed};
    flow_stencil s = stencil(c, NULL, 0, NULL);
    c->p->kernels->conv_pack(&k, &(lat_range){.count = flow_conv_parameters(&s), .lanes = 1});
}

static void forward(const conv *c, flow_activation activation, const void *in, void *out, void *slope, lat_range range,
                    int kept, const int32_t *keep)
{
    conv_forward_args k = {.t.lanes = LANES,
                           .s = stencil(c, c->neighbour, kept, keep),
                           .packed = c->packed,
                           .in = in,
                           .out = out,
                           .slope = slope,
                           .activation = activation};
    c->p->kernels->conv_forward(&k, &range);
}

static void backward_input(const conv *c, flow_activation activation, const int64_t *reverse, const void *cotangent,
                           const void *previous, void *in_cotangent)
{
    conv_backward_input_args k = {.t.lanes = LANES,
                                  .s = stencil(c, reverse, c->taps, NULL),
                                  .packed = c->packed,
                                  .cotangent = cotangent,
                                  .previous = previous,
                                  .in_cotangent = in_cotangent,
                                  .activation = activation};
    c->p->kernels->conv_backward_input(&k, &(lat_range){.count = c->sites, .lanes = LANES});
}

/* The gradient of all parameters, summed over the lanes */
static void backward_parameters(const conv *c, const void *in, const void *cotangent, const int64_t *site,
                                int64_t sites, int kept, const int32_t *keep, double *gradient)
{
    flow_stencil s = stencil(c, c->neighbour, kept, keep);
    int64_t count = flow_conv_parameters(&s);
    void *partial = lat_alloc(count * LANES, (size_t)c->p->bytes);
    conv_backward_weights_args k = {
        .t.lanes = LANES, .s = s, .in = in, .cotangent = cotangent, .site = site, .sites = sites, .gradient = partial};
    c->p->kernels->conv_backward_weights(&k, &(lat_range){.count = flow_conv_tiles(&s), .lanes = LANES});
    c->p->kernels->conv_backward_bias(&k, &(lat_range){.count = c->outputs, .lanes = LANES});
    lane_sum_args sum = {partial, gradient, LANES, LANES};
    memset(gradient, 0, sizeof(double) * (size_t)count);
    c->p->kernels->lane_sum(&sum, &(lat_range){.count = count, .lanes = 1});
    free(partial);
}

static double act(flow_activation activation, double z, double *slope)
{
    double share = 1 / (1 + exp(-z));
    *slope = 1;
    switch (activation) {
    case FLOW_LEAKY: *slope = z < 0 ? 0.01 : 1; return *slope * z;
    case FLOW_TANH: *slope = 1 - tanh(z) * tanh(z); return tanh(z);
    case FLOW_SILU: *slope = share + z * share * (1 - share); return z * share;
    default: return z;
    }
}

static bool in_list(int value, const int32_t *list, int count)
{
    for (int i = 0; i < count; i++)
        if (list[i] == value) return true;
    return false;
}

/* Largest deviation of output and slope from plain loops, at one site */
static double forward_error(const conv *c, flow_activation activation, const void *in, const void *out,
                            const void *slope, int64_t x, int kept, const int32_t *keep)
{
    double worst = 0;
    for (int o = 0; o < c->outputs; o++)
        for (int lane = 0; lane < LANES; lane++) {
            double z = c->parameters[c->taps * c->inputs * c->outputs + o], derivative;
            for (int tap = 0; tap < c->taps; tap++) {
                if (keep && !in_list(tap, keep, kept)) continue;
                for (int i = 0; i < c->inputs; i++)
                    z += c->parameters[(tap * c->inputs + i) * c->outputs + o] *
                         get(c->p, in, (c->neighbour[x * c->taps + tap] * c->inputs + i) * LANES + lane);
            }
            double value = act(activation, z, &derivative);
            int64_t here = (x * c->outputs + o) * LANES + lane;
            worst = fmax(worst, fabs(get(c->p, out, here) - value));
            if (activation == FLOW_SILU) worst = fmax(worst, fabs(get(c->p, slope, here) - derivative));
        }
    return worst;
}

static void test_forward(const precision *p)
{
    const int channels[] = {1, 2, 3, 5, 8, 13, 28};
    double worst = 0;
    bool untouched = true, same = true;
    for (int shape = 0; shape < 24; shape++) {
        const int dim = 2 + shape % 2, extent[] = {3 + choice(3), 2 + choice(3), 2 + choice(2)};
        flow_activation activation = (flow_activation)(shape / 2 % FLOW_ACTIVATIONS);
        conv c;
        conv_start(&c, p, dim, extent, dim == 2 && shape % 3 == 0 ? 5 : 3, 1 + choice(2), channels[choice(7)],
                   channels[choice(7)]);
        pack(&c);
        int64_t count = (int64_t)c.sites * c.outputs * LANES, list[64], listed = 0;
        void *in = randoms(p, (int64_t)c.sites * c.inputs * LANES), *out = lat_alloc(count, (size_t)p->bytes);
        void *slope = lat_alloc(count, (size_t)p->bytes), *alone = lat_alloc(count, (size_t)p->bytes);
        int32_t keep[125];
        int kept = 0;
        for (int tap = 0; tap < c.taps; tap++)
            if (shape % 4 != 1 || choice(2)) keep[kept++] = tap;
        const int32_t *taps = shape % 4 == 0 ? NULL : keep;
        for (int x = 0; x < c.sites; x++)
            if (choice(3) > 0) list[listed++] = x;

        forward(&c, activation, in, out, slope, (lat_range){.count = listed, .site = list, .lanes = LANES}, kept, taps);
        for (int64_t n = 0; n < listed; n++) {
            worst = fmax(worst, forward_error(&c, activation, in, out, slope, list[n], kept, taps));
            forward(&c, activation, in, alone, NULL, (lat_range){.count = 1, .site = list + n, .lanes = LANES}, kept, taps);
        }
        same &= !memcmp(out, alone, (size_t)(count * p->bytes));
        for (int x = 0, n = 0; x < c.sites; x++) {
            if (n < listed && list[n] == x)
                n++;
            else
                untouched &= get(p, out, (int64_t)x * c.outputs * LANES) == 0;
        }
        free(in);
        free(out);
        free(slope);
        free(alone);
        conv_end(&c);
    }
    ok(worst < 100 * p->tolerance, "%s: convolutions of all shapes agree with plain loops (%.1e)", p->name, worst);
    ok(untouched, "%s: sites out of the range are left alone", p->name);
    ok(same, "%s: the result does not depend on how sites are split into calls", p->name);
}

/* <cotangent, W in> = <W^T cotangent, in>, where only some of the outputs exist; and the gradient of the weights gives
 * the same number again: sum_w w dL/dw = L for L linear in w. */
static void test_adjoint(const precision *p)
{
    const int channels[] = {1, 2, 3, 6, 8, 15, 25};
    double worst_input = 0, worst_weights = 0, worst_bias = 0;
    for (int shape = 0; shape < 20; shape++) {
        const int dim = 2 + shape % 2, extent[] = {3 + choice(3), 3 + choice(2), 3};
        conv c;
        conv_start(&c, p, dim, extent, 3, 1, channels[choice(7)], channels[choice(7)]);
        int64_t weights = (int64_t)c.taps * c.inputs * c.outputs, outputs = (int64_t)c.sites * c.outputs * LANES,
                list[64];
        for (int o = 0; o < c.outputs; o++) c.parameters[weights + o] = 0;
        pack(&c);
        int64_t listed = 0, inputs = (int64_t)c.sites * c.inputs * LANES;
        void *in = randoms(p, inputs), *cotangent = randoms(p, outputs);
        void *out = lat_alloc(outputs, (size_t)p->bytes), *in_cotangent = lat_alloc(inputs, (size_t)p->bytes);
        double *gradient = lat_alloc(weights + c.outputs, sizeof(double));
        for (int x = 0; x < c.sites; x++)
            if (choice(2)) list[listed++] = x;
        for (int64_t i = 0; i < (int64_t)c.sites * c.taps; i++) {
            bool exists = false;
            for (int64_t n = 0; n < listed; n++) exists |= list[n] == c.reverse[i];
            if (!exists) c.reverse[i] = -1;
        }
        forward(&c, FLOW_NONE, in, out, NULL, (lat_range){.count = listed, .site = list, .lanes = LANES}, c.taps, NULL);
        backward_input(&c, FLOW_NONE, c.reverse, cotangent, NULL, in_cotangent);
        backward_parameters(&c, in, cotangent, list, listed, c.taps, NULL, gradient);
        double left = 0, right = 0, through_weights = 0, scale = 0;
        for (int64_t n = 0; n < listed; n++)
            for (int64_t i = 0; i < c.outputs * LANES; i++) {
                int64_t here = list[n] * c.outputs * LANES + i;
                left += get(p, cotangent, here) * get(p, out, here);
                scale += fabs(get(p, cotangent, here) * get(p, out, here));
            }
        for (int64_t i = 0; i < inputs; i++) right += get(p, in_cotangent, i) * get(p, in, i);
        for (int64_t i = 0; i < weights; i++) through_weights += gradient[i] * c.parameters[i];
        for (int o = 0; o < c.outputs; o++) {
            double sum = 0;
            for (int64_t n = 0; n < listed; n++)
                for (int lane = 0; lane < LANES; lane++)
                    sum += get(p, cotangent, (list[n] * c.outputs + o) * LANES + lane);
            worst_bias = fmax(worst_bias, fabs(sum - gradient[weights + o]));
        }
        scale = scale > 0 ? scale : 1;
        worst_input = fmax(worst_input, fabs(left - right) / scale);
        worst_weights = fmax(worst_weights, fabs(left - through_weights) / scale);
        free(in);
        free(cotangent);
        free(out);
        free(in_cotangent);
        free(gradient);
        conv_end(&c);
    }
    ok(worst_input < p->tolerance, "%s: backward to the input is the adjoint (%.1e)", p->name, worst_input);
    ok(worst_weights < p->tolerance, "%s: gradient of the weights (%.1e)", p->name, worst_weights);
    ok(worst_bias < 100 * p->tolerance, "%s: gradient of the biases (%.1e)", p->name, worst_bias);
}

/* L = <target, second(act(first(in)))>; out: what the first layer keeps */
static double two_layers(const conv *first, const conv *second, flow_activation activation, const void *in,
                         void *middle, void *slope, void *out, const void *target)
{
    lat_range range = {.count = first->sites, .lanes = LANES};
    double sum = 0;
    pack(first);
    pack(second);
    forward(first, activation, in, middle, slope, range, first->taps, NULL);
    forward(second, FLOW_NONE, middle, out, NULL, range, second->taps, NULL);
    for (int64_t i = 0; i < (int64_t)second->sites * second->outputs * LANES; i++)
        sum += get(second->p, out, i) * get(second->p, target, i);
    return sum;
}

/* Derivatives of a network of two layers with respect to its input and all parameters against finite differences */
static void test_network(flow_activation activation, const char *name)
{
    const precision *p = &precisions[0];
    const int extent[] = {3, 4}, hidden = 5;
    const double step = 1e-5;
    conv first, second;
    conv_start(&first, p, 2, extent, 3, 1, 2, hidden);
    conv_start(&second, p, 2, extent, 3, 1, hidden, 3);
    const int64_t sites = first.sites, counts[] = {9 * 2 * hidden + hidden, 9 * hidden * 3 + 3};
    double *in = randoms(p, sites * 2 * LANES), *target = randoms(p, sites * 3 * LANES);
    double *middle = lat_alloc(sites * hidden * LANES, 8), *slope = lat_alloc(sites * hidden * LANES, 8);
    double *middle_bar = lat_alloc(sites * hidden * LANES, 8), *in_bar = lat_alloc(sites * 2 * LANES, 8);
    double *out = lat_alloc(sites * 3 * LANES, 8), *gradient = lat_alloc(counts[0] + counts[1], 8);
    two_layers(&first, &second, activation, in, middle, slope, out, target);
    backward_input(&second, activation, second.reverse, target, activation == FLOW_SILU ? slope : middle, middle_bar);
    backward_input(&first, FLOW_NONE, first.reverse, middle_bar, NULL, in_bar);
    backward_parameters(&first, in, middle_bar, NULL, sites, 9, NULL, gradient);
    backward_parameters(&second, middle, target, NULL, sites, 9, NULL, gradient + counts[0]);

    double worst[2] = {0, 0}, scale[2] = {0, 0};
    for (int trial = 0; trial < 60; trial++) {
        const int which = trial % 3;
        conv *layer = which == 1 ? &first : &second;
        int64_t i = which == 0 ? choice((int)sites * 2 * LANES) : choice((int)counts[which - 1]);
        double *value = which == 0 ? in + i : layer->parameters + i, start = *value;
        *value = start + step;
        double high = two_layers(&first, &second, activation, in, middle, slope, out, target);
        *value = start - step;
        double low = two_layers(&first, &second, activation, in, middle, slope, out, target);
        *value = start;
        double exact = which == 0 ? in_bar[i] : gradient[(which == 2 ? counts[0] : 0) + i];
        worst[which > 0] = fmax(worst[which > 0], fabs((high - low) / (2 * step) - exact));
        scale[which > 0] = fmax(scale[which > 0], fabs(exact));
    }
    ok(worst[0] < 1e-7 * scale[0], "network with %s: cotangent of the input (%.1e)", name, worst[0] / scale[0]);
    ok(worst[1] < 1e-7 * scale[1], "network with %s: gradient of the parameters (%.1e)", name, worst[1] / scale[1]);
    void *arrays[] = {in, target, middle, slope, middle_bar, in_bar, out, gradient};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
    conv_end(&first);
    conv_end(&second);
}

/* Lanes do not know of each other: other numbers in the second half change nothing in the first. */
static void test_lanes(void)
{
    const precision *p = &precisions[0];
    const int extent[] = {4, 4}, count = 16 * 8 * LANES;
    conv c;
    conv_start(&c, p, 2, extent, 3, 1, 8, 8);
    pack(&c);
    double *in = randoms(p, count), *cotangent = randoms(p, count), *out[2], *gradient[2];
    bool same = true;
    for (int pass = 0; pass < 2; pass++) {
        out[pass] = lat_alloc(count, 8);
        gradient[pass] = lat_alloc((9 * 64 + 8) * LANES, 8);
        forward(&c, FLOW_SILU, in, out[pass], NULL, (lat_range){.count = 16, .lanes = LANES}, 9, NULL);
        conv_backward_weights_args k = {.t.lanes = LANES,
                                        .s = stencil(&c, c.neighbour, 9, NULL),
                                        .in = in,
                                        .cotangent = cotangent,
                                        .sites = 16,
                                        .gradient = gradient[pass]};
        p->kernels->conv_backward_weights(&k, &(lat_range){.count = flow_conv_tiles(&k.s), .lanes = LANES});
        for (int i = 0; i < count; i++)
            if (i % LANES >= LANES / 2) in[i] = cotangent[i] = pass == 0 ? NAN : 1;
    }
    for (int i = 0; i < count; i++)
        if (i % LANES < LANES / 2) same &= out[0][i] == out[1][i];
    for (int i = 0; i < 9 * 64 * LANES; i++)
        if (i % LANES < LANES / 2) same &= gradient[0][i] == gradient[1][i];
    ok(same, "a vector of lanes depends on its own data only");
    for (int pass = 0; pass < 2; pass++) {
        free(out[pass]);
        free(gradient[pass]);
    }
    free(in);
    free(cotangent);
    conv_end(&c);
}

/* ------------------------------------------------------------------------------------------ maps of the circle */

/* A map as the tests see it: kernels, and the same map in extended precision for one lane */
typedef struct {
    const char *name;
    int (*parameters)(int size);
    void (*forward)(const real *parameter, int size, real x, real *y, real *log_slope);
    void (*inverse)(const real *parameter, int size, real y, real *x, real *log_slope);
    void (*backward)(const real *parameter, int size, real x, real ybar, real lbar, real *xbar, real *parameter_bar);
    void (*reference)(const long double *parameter, int size, long double x, long double *y, long double *log_slope);
} circle_map;

enum { MOST_PARAMETERS = 3 * FLOW_MAX_KNOTS + 1 };
#define PI_LONG 3.14159265358979323846264338327950288L

static int spline_parameters(int size) { return 3 * size + 1; }

static int tangents_parameters(int size) { return size + 1; }

/* Where a spline lives: the whole circle or half of it */
typedef struct {
    long double start, extent;
    int slopes_more; /* than bins */
} reference_domain;
static const reference_domain whole_circle = {-PI_LONG, 2 * PI_LONG, 0}, half_circle = {0, PI_LONG, 1};

static long double softmax_share(reference_domain d, const long double *logit, int size, int bin)
{
    long double sum = 0;
    for (int j = 0; j < size; j++) sum += expl(logit[j] - logit[bin]);
    return d.extent * (1e-6L + (1 - 1e-6L * size) / sum);
}

static long double knot_slope(reference_domain d, const long double *parameter, int size, int knot)
{
    return expl(parameter[2 * size + knot % (size + d.slopes_more)]);
}

static long double interval_reference(reference_domain d, const long double *parameter, int size, long double x, long double *log_slope)
{
    long double left = d.start, bottom = d.start, width = 0, height = 0;
    int bin = 0;
    for (;; bin++) {
        width = softmax_share(d, parameter, size, bin);
        height = softmax_share(d, parameter + size, size, bin);
        if (bin == size - 1 || x < left + width) break;
        left += width;
        bottom += height;
    }
    long double s = height / width, z = (x - left) / width, d0 = knot_slope(d, parameter, size, bin);
    long double d1 = knot_slope(d, parameter, size, bin + 1), n = s + (d1 + d0 - 2 * s) * z * (1 - z);
    *log_slope = logl(s * s * (d1 * z * z + 2 * s * z * (1 - z) + d0 * (1 - z) * (1 - z)) / (n * n));
    return bottom + height * (s * z * z + d0 * z * (1 - z)) / n;
}

/* Without the translation's wrap, so that it can be differentiated */
static void spline_reference(const long double *parameter, int size, long double x, long double *y, long double *log_slope)
{
    *y = interval_reference(whole_circle, parameter, size, x, log_slope) + parameter[3 * size];
}

static void even_spline_reference(const long double *parameter, int size, long double x, long double *y, long double *log_slope)
{
    *y = copysignl(interval_reference(half_circle, parameter, size, fabsl(x), log_slope), x);
}

static void tangents_reference(const long double *parameter, int size, long double x, long double *y,
                               long double *log_slope)
{
    long double sum = 0, slope = 0, s = sinl(x / 2), c = cosl(x / 2);
    for (int j = 0; j < size; j++) {
        sum += 2 * atan2l(expl(parameter[j]) * s, c);
        slope += 1 / (expl(-parameter[j]) * c * c + expl(parameter[j]) * s * s);
    }
    *y = sum / size + parameter[size];
    *log_slope = logl(slope / size);
}

static const circle_map spline_map = {"spline",       spline_parameters, spline_forward,
                                      spline_inverse, spline_backward,   spline_reference};
static const circle_map even_spline_map = {"even spline",       spline_parameters,    even_spline_forward,
                                           even_spline_inverse, even_spline_backward, even_spline_reference};
static const circle_map tangents_map = {"tangents",       tangents_parameters, tangents_forward,
                                        tangents_inverse, tangents_backward,   tangents_reference};

static double circle_distance(double a, double b) { return fabs(remainder(a - b, 2 * M_PI)); }

/* Points everywhere, and some at the knots (of a spline) and at both ends */
static double test_point(const circle_map *map, const long double *parameter, int size, int trial)
{
    const double near[] = {0, 1e-15, 1e-9, 1e-4};
    double shift = near[choice(4)] * (choice(2) ? 1 : -1);
    if (trial % 4 == 0) return M_PI - fabs(shift);
    if (trial % 4 == 1) return -M_PI + fabs(shift);
    if (trial % 4 == 2 && map != &tangents_map) {
        reference_domain d = map == &spline_map ? whole_circle : half_circle;
        long double knot = d.start;
        for (int j = choice(size + d.slopes_more) - d.slopes_more; j >= 0; j--) knot += softmax_share(d, parameter, size, j);
        return fmax(-M_PI, fmin(M_PI, (double)knot + shift));
    }
    return M_PI * deviate();
}

/* |d log h'/dx|, roughly: the larger one of both sides of the point, on the circle */
static double bend(const circle_map *map, const long double *parameter, int size, double x)
{
    const long double step = 1e-10L;
    long double y, here, there;
    double most = 0;
    map->reference(parameter, size, x, &y, &here);
    for (int side = -1; side <= 1; side += 2) {
        map->reference(parameter, size, remainderl(x + side * step, 2 * PI_LONG), &y, &there);
        most = fmax(most, fabs((double)((there - here) / step)));
    }
    return most;
}

/* Worst errors of value, logarithm of the slope, and of the way back, each weighted with what a rounding of the
 * argument would change */
static void test_map(const circle_map *map, const int *sizes, int count, double spread, double tolerance)
{
    double value = 0, slope = 0, back = 0, back_slope = 0;
    for (int n = 0; n < count; n++)
        for (int trial = 0; trial < 24 + 400 / sizes[n]; trial++) {
            const int size = sizes[n], parameters = map->parameters(size);
            real p[MOST_PARAMETERS], x, y, log_slope, x_back, log_back;
            long double exact[REAL_LANES][MOST_PARAMETERS];
            for (int lane = 0; lane < REAL_LANES; lane++) {
                for (int i = 0; i < parameters; i++) {
                    p[i][lane] = spread * deviate();
                    exact[lane][i] = p[i][lane];
                }
                x[lane] = test_point(map, exact[lane], size, trial);
            }
            map->forward(p, size, x, &y, &log_slope);
            map->inverse(p, size, y, &x_back, &log_back);
            for (int lane = 0; lane < REAL_LANES; lane++) {
                long double expected, expected_slope;
                map->reference(exact[lane], size, x[lane], &expected, &expected_slope);
                double rise = exp((double)expected_slope), change = bend(map, exact[lane], size, x[lane]);
                value = fmax(value, circle_distance(y[lane], (double)expected) / (1 + rise));
                slope = fmax(slope, fabs(log_slope[lane] - (double)expected_slope) / (1 + change));
                back = fmax(back, circle_distance(x_back[lane], x[lane]) / (1 + 1 / rise));
                back_slope = fmax(back_slope, fabs(log_back[lane] - log_slope[lane]) / (1 + change) / (1 + 1 / rise));
                if (!(fabs(y[lane]) <= M_PI + 1e-15 && fabs(x_back[lane]) <= M_PI + 1e-15)) value = INFINITY;
            }
        }
    ok(value < tolerance, "%s, parameters up to %g: values (%.1e)", map->name, spread, value);
    ok(slope < 10 * tolerance, "%s, parameters up to %g: slopes (%.1e)", map->name, spread, slope);
    ok(back < tolerance, "%s, parameters up to %g: inverse (%.1e)", map->name, spread, back);
    ok(back_slope < 10 * tolerance, "%s, parameters up to %g: slopes of the inverse (%.1e)", map->name, spread,
       back_slope);
}

/* All derivatives of ybar y + lbar log slope against differences in extended precision */
static void test_map_backward(const circle_map *map, const int *sizes, int count, double spread)
{
    const long double step = 1e-8L; /* of a difference of fourth order */
    double worst = 0;
    for (int n = 0; n < count; n++)
        for (int trial = 0; trial < 4 + 40 / sizes[n]; trial++) {
            const int size = sizes[n], parameters = map->parameters(size);
            real p[MOST_PARAMETERS], bar[MOST_PARAMETERS], x, ybar, lbar, xbar;
            for (int lane = 0; lane < REAL_LANES; lane++) {
                long double exact[MOST_PARAMETERS];
                for (int i = 0; i < parameters; i++) exact[i] = p[i][lane] = spread * deviate();
                x[lane] = test_point(map, exact, size, trial | 3) * 0.999; /* away from knots: log h' has kinks there */
                if (trial % 4 == 0) x[lane] = choice(2) ? M_PI - 1e-5 : -M_PI + 1e-5;
                ybar[lane] = deviate();
                lbar[lane] = deviate();
            }
            map->backward(p, size, x, ybar, lbar, &xbar, bar);
            for (int lane = 0; lane < REAL_LANES; lane++) {
                long double exact[MOST_PARAMETERS + 1], difference[MOST_PARAMETERS + 1], scale = 0;
                for (int i = 0; i < parameters; i++) exact[i] = p[i][lane];
                exact[parameters] = x[lane];
                for (int i = 0; i <= parameters; i++) {
                    const long double weight[] = {1.0L / 12, -2.0L / 3, 0, 2.0L / 3, -1.0L / 12};
                    long double start = exact[i], y, slope;
                    difference[i] = 0;
                    for (int point = 0; point < 5; point++) {
                        exact[i] = start + (point - 2) * step;
                        map->reference(exact, size, exact[parameters], &y, &slope);
                        difference[i] += weight[point] / step * (ybar[lane] * y + lbar[lane] * slope);
                    }
                    exact[i] = start;
                    scale = fmaxl(scale, fabsl(difference[i]));
                }
                for (int i = 0; i <= parameters; i++) {
                    double found = i < parameters ? bar[i][lane] : xbar[lane];
                    worst = fmax(worst, (double)(fabsl(found - difference[i]) / scale));
                }
            }
        }
    ok(worst < 1e-7, "%s, parameters up to %g: derivatives (%.1e)", map->name, spread, worst);
}

/* No parameters: the identity.  Both ends of the circle are one point. */
static void test_circle(const circle_map *map, int size)
{
    real p[MOST_PARAMETERS], x, y[2], slope[2];
    double identity = 0, ends = 0;
    for (int i = 0; i < MOST_PARAMETERS; i++) p[i] = real_of(0);
    for (int trial = 0; trial < 50; trial++) {
        for (int lane = 0; lane < REAL_LANES; lane++) x[lane] = M_PI * deviate();
        map->forward(p, size, x, &y[0], &slope[0]);
        for (int lane = 0; lane < REAL_LANES; lane++)
            identity = fmax(identity, fmax(fabs(y[0][lane] - x[lane]), fabs(slope[0][lane])));
    }
    for (int i = 0; i < map->parameters(size); i++)
        for (int lane = 0; lane < REAL_LANES; lane++) p[i][lane] = deviate();
    map->forward(p, size, real_of(-M_PI), &y[0], &slope[0]);
    map->forward(p, size, real_of(M_PI), &y[1], &slope[1]);
    for (int lane = 0; lane < REAL_LANES; lane++)
        ends = fmax(ends, fmax(circle_distance(y[0][lane], y[1][lane]), fabs(slope[0][lane] - slope[1][lane])));
    ok(identity < 5e-15, "%s: no parameters, no change (%.1e)", map->name, identity);
    ok(ends < 1e-13, "%s: the ends meet with one slope (%.1e)", map->name, ends);
}

int main(int argc, char **argv)
{
    const int knots[] = {2, 3, 5, 8, 16, 32}, components[] = {1, 2, 3, 5, 8};
    const char *names[] = {"no activation", "leaky", "tanh", "silu"};
    tap_start(&argc, &argv);
    for (int i = 0; i < 2; i++) {
        test_forward(&precisions[i]);
        test_adjoint(&precisions[i]);
    }
    for (int i = 0; i < FLOW_ACTIVATIONS; i++) test_network((flow_activation)i, names[i]);
    test_lanes();
    test_circle(&spline_map, 9);
    test_map(&spline_map, knots, 6, 1, 1e-14);
    test_map(&spline_map, knots, 6, 6, 1e-11);
    test_map_backward(&spline_map, knots, 6, 1);
    test_map_backward(&spline_map, knots, 6, 5);
    test_circle(&even_spline_map, 9);
    test_map(&even_spline_map, knots, 6, 1, 1e-14);
    test_map(&even_spline_map, knots, 6, 6, 1e-11);
    test_map_backward(&even_spline_map, knots, 6, 1);
    test_map_backward(&even_spline_map, knots, 6, 5);
    test_circle(&tangents_map, 3);
    test_map(&tangents_map, components, 5, 1, 1e-14);
    test_map(&tangents_map, components, 5, 8, 1e-14);
    test_map_backward(&tangents_map, components, 5, 1);
    test_map_backward(&tangents_map, components, 5, 6);
    return tap_end();
}
