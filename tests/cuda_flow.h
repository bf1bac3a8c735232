/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_flow.h: each kernel of the flows on a GPU against the same on the host, on random numbers: all activations, transforms,
 * dimensions and precisions.  A part of tests/cuda.
 */
#ifndef CUDA_FLOW_H
#define CUDA_FLOW_H

#include "flows/layout.h"
#include "lattice/grid/kernels.h"
#include "tests/tap.h"

#include <string.h>

enum { HOST, DEVICE, SIDES };
static const lat_backend *backends[SIDES];

/* ------------------------------------------------------------------------------------------- the same array on both sides */

typedef enum { REALS, DOUBLES, INTEGERS, TAPS } kind; /* REALS: of the precision that is tested; TAPS: 32 bits */
typedef struct {
    kind kind;
    int64_t count;
    void *at[SIDES];
} array;

enum { MOST_ARRAYS = 32 };
typedef struct {
    lat_precision precision;
    const flow_kernels *kernels[SIDES];
    const flow_coupling_kernels *links[SIDES];
    const flow_blocking_kernels *blocking[SIDES];
    const flow_stout_kernels *stout[SIDES];
    lat_group group; /* of blocking and stout */
    array array[MOST_ARRAYS];
    int arrays;
    uint64_t drawn;
} bench;

static bench bench_of(lat_precision precision)
{
    bench b = {.precision = precision};
    bool is_float = precision == LAT_FLOAT;
    b.kernels[HOST] = is_float ? &flow_cpu_float : &flow_cpu_double;
    b.kernels[DEVICE] = is_float ? &flow_cuda_float : &flow_cuda_double;
    b.links[HOST] = is_float ? &flow_coupling_cpu_u1_float : &flow_coupling_cpu_u1_double;
    b.links[DEVICE] = is_float ? &flow_coupling_cuda_u1_float : &flow_coupling_cuda_u1_double;
    return b;
}

#define OF_GROUP(kind, group, place)                                                                                   \
    {                                                                                                                  \
        &flow_##kind##_##place##_##group##_double, &flow_##kind##_##place##_##group##_float                            \
    }
static void use_group(bench *b, lat_group group)
{
    static const flow_blocking_kernels *const blocking[SIDES][LAT_GROUPS][LAT_PRECISIONS] = {
        {OF_GROUP(blocking, u1, cpu), OF_GROUP(blocking, su2, cpu), OF_GROUP(blocking, su3, cpu)},
        {OF_GROUP(blocking, u1, cuda), OF_GROUP(blocking, su2, cuda), OF_GROUP(blocking, su3, cuda)},
    };
    static const flow_stout_kernels *const stout[SIDES][LAT_GROUPS][LAT_PRECISIONS] = {
        {{NULL, NULL}, OF_GROUP(stout, su2, cpu), OF_GROUP(stout, su3, cpu)},
        {{NULL, NULL}, OF_GROUP(stout, su2, cuda), OF_GROUP(stout, su3, cuda)},
    };
    b->group = group;
    for (int side = 0; side < SIDES; side++) {
        b->blocking[side] = blocking[side][group][b->precision];
        b->stout[side] = stout[side][group][b->precision];
    }
}
#undef OF_GROUP

static size_t array_bytes(const bench *b, const array *a)
{
    size_t size = a->kind == TAPS || (a->kind == REALS && b->precision == LAT_FLOAT) ? 4 : 8;
    return size * (size_t)a->count;
}

static double array_number(const bench *b, const array *a, const void *values, int64_t i)
{
    if (a->kind == INTEGERS) return (double)((const int64_t *)values)[i];
    return a->kind == REALS && b->precision == LAT_FLOAT ? ((const float *)values)[i] : ((const double *)values)[i];
}

static array *upload(bench *b, kind kind, int64_t count, const void *values)
{
    array *a = &b->array[b->arrays++];
    *a = (array){.kind = kind, .count = count};
    for (int side = 0; side < SIDES; side++) {
        a->at[side] = backends[side]->allocate((int64_t)array_bytes(b, a));
        if (values) backends[side]->upload(a->at[side], values, (int64_t)array_bytes(b, a), LAT_OF_ARRAY);
    }
    return a;
}

/* Between -size and size. */
static array *draw(bench *b, kind kind, int64_t count, double size)
{
    double *values = lat_alloc(count, sizeof *values);
    for (int64_t i = 0; i < count; i++) {
        double u[4];
        lat_random random = {.seed = 12, .purpose = LAT_RANDOM_TEST, .step = b->drawn};
        lat_uniform4(&random, (uint64_t)i, 0, 0, 0, u);
        values[i] = size * (2 * u[0] - 1);
        if (kind == REALS && b->precision == LAT_FLOAT) ((float *)values)[i] = (float)values[i];
    }
    b->drawn++;
    array *a = upload(b, kind, count, values);
    free(values);
    return a;
}

/* Largest difference relative to the largest number of an array; integers must be the same. */
static double compare(bench *b)
{
    double worst = 0;
    for (int n = 0; n < b->arrays; n++) {
        array *a = &b->array[n];
        void *other = lat_alloc((int64_t)array_bytes(b, a), 1);
        double size = 1, most = 0;
        backends[DEVICE]->download(other, a->at[DEVICE], (int64_t)array_bytes(b, a), LAT_OF_ARRAY);
        for (int64_t i = 0; a->kind != TAPS && i < a->count; i++) {
            double here = array_number(b, a, a->at[HOST], i), there = array_number(b, a, other, i);
            if (a->kind != INTEGERS) size = fmax(size, fabs(here));
            double d = a->kind == INTEGERS ? (here == there ? 0 : INFINITY) : fabs(here - there);
            most = isnan(d) ? INFINITY : fmax(most, d);
        }
        worst = fmax(worst, most / size);
        free(other);
    }
    return worst;
}

/* After the kernels of both sides have run. */
static void judge(bench *b, const char *name, int dim, const char *detail)
{
    double tolerance = b->precision == LAT_FLOAT ? 2e-4 : 1e-11, worst = compare(b);
    ok(worst <= tolerance, "%s, %d dimensions, %s, %s: alike to %.1g", name, dim, lat_precision_names[b->precision],
       detail, worst);
    for (int n = 0; n < b->arrays; n++)
        for (int side = 0; side < SIDES; side++) backends[side]->release(b->array[n].at[side]);
    b->arrays = 0;
}

/* ----------------------------------------------------------------------------------------------------- convolutions */

enum { LANES = 32, INPUTS = 5, OUTPUTS = 7, SITES = 24 };

/* A convolution on a ring, of which every second tap is kept. */
typedef struct {
    int taps, kept;
    array *ahead, *behind, *keep, *packed;
    int64_t parameters;
} ring;

static ring ring_of(bench *b, int dim)
{
    ring r = {.taps = 1};
    for (int mu = 0; mu < dim; mu++) r.taps *= 3;
    int64_t *ahead = lat_alloc(SITES * r.taps, sizeof *ahead), *behind = lat_alloc(SITES * r.taps, sizeof *behind);
    int32_t *keep = lat_alloc(r.taps, sizeof *keep);
    for (int x = 0; x < SITES; x++)
        for (int tap = 0; tap < r.taps; tap++) {
            ahead[x * r.taps + tap] = (x + 5 * tap) % SITES;
            behind[(x + 5 * tap) % SITES * r.taps + tap] = x;
        }
    for (int tap = 0; tap < r.taps; tap += 2) keep[r.kept++] = tap;
    flow_stencil s = {.taps = r.taps, .inputs = INPUTS, .outputs = OUTPUTS};
    r.parameters = flow_conv_parameters(&s);
    r.ahead = upload(b, INTEGERS, SITES * r.taps, ahead);
    r.behind = upload(b, INTEGERS, SITES * r.taps, behind);
    r.keep = upload(b, TAPS, r.taps, keep);
    r.packed = upload(b, REALS, flow_conv_packed(&s), NULL);
    free(ahead);
    free(behind);
    free(keep);
    array *parameters = draw(b, DOUBLES, r.parameters, 0.5);
    for (int side = 0; side < SIDES; side++) {
        conv_pack_args args = {r.taps, INPUTS, OUTPUTS, parameters->at[side], r.packed->at[side]};
        b->kernels[side]->conv_pack(&args, &(lat_range){.count = r.parameters, .lanes = 1});
    }
    return r;
}

static flow_stencil stencil_of(const ring *r, const array *neighbour, int side)
{
    return (flow_stencil){r->taps, INPUTS, OUTPUTS, neighbour->at[side], r->kept, r->keep->at[side]};
}

static const lat_range all_sites = {.count = SITES, .lanes = LANES};
static const char *const activations[FLOW_ACTIVATIONS] = {"linear", "leaky", "tanh", "silu"};

static void test_forward(bench *b, int dim, flow_activation activation)
{
    ring r = ring_of(b, dim);
    array *in = draw(b, REALS, SITES * INPUTS * LANES, 1), *out = draw(b, REALS, SITES * OUTPUTS * LANES, 1),
          *slope = draw(b, REALS, SITES * OUTPUTS * LANES, 1);
    for (int side = 0; side < SIDES; side++) {
        conv_forward_args args = {{.lanes = LANES},   stencil_of(&r, r.ahead, side),
                                  r.packed->at[side], in->at[side],
                                  out->at[side],      activation == FLOW_SILU ? slope->at[side] : NULL,
                                  activation};
        b->kernels[side]->conv_forward(&args, &all_sites);
    }
    judge(b, "conv_forward", dim, activations[activation]);
}

static void test_backward_input(bench *b, int dim, flow_activation activation)
{
    ring r = ring_of(b, dim);
    array *cotangent = draw(b, REALS, SITES * OUTPUTS * LANES, 1),
          *previous = draw(b, REALS, SITES * INPUTS * LANES, 1), *in = draw(b, REALS, SITES * INPUTS * LANES, 1);
    for (int side = 0; side < SIDES; side++) {
        conv_backward_input_args args = {{.lanes = LANES},   stencil_of(&r, r.behind, side),
                                         r.packed->at[side], cotangent->at[side],
                                         previous->at[side], in->at[side],
                                         activation};
        b->kernels[side]->conv_backward_input(&args, &all_sites);
    }
    judge(b, "conv_backward_input", dim, activations[activation]);
}

static void test_backward_parameters(bench *b, int dim)
{
    ring r = ring_of(b, dim);
    array *in = draw(b, REALS, SITES * INPUTS * LANES, 1), *cotangent = draw(b, REALS, SITES * OUTPUTS * LANES, 1),
          *gradient = draw(b, REALS, r.parameters * LANES, 1), *sum = draw(b, DOUBLES, r.parameters, 1),
          *row = draw(b, DOUBLES, r.parameters * LANES, 1);
    for (int side = 0; side < SIDES; side++) {
        conv_backward_weights_args args = {
            {.lanes = LANES},  stencil_of(&r, r.ahead, side), in->at[side], cotangent->at[side], NULL, SITES,
            gradient->at[side]};
        lat_range tiles = {.count = flow_conv_tiles(&args.s), .lanes = LANES},
                  outputs = {.count = OUTPUTS, .lanes = LANES};
        b->kernels[side]->conv_backward_weights(&args, &tiles);
        b->kernels[side]->conv_backward_bias(&args, &outputs);
        lane_sum_args sums = {gradient->at[side], sum->at[side], LANES, LANES - 3};
        lane_rows_args rows = {gradient->at[side], row->at[side], r.parameters, LANES, LANES - 3};
        b->kernels[side]->lane_sum(&sums, &(lat_range){.count = r.parameters, .lanes = 1});
        b->kernels[side]->lane_rows(&rows, &(lat_range){.count = r.parameters, .lanes = 1});
    }
    judge(b, "conv_backward_weights, conv_backward_bias, lane_sum, lane_rows", dim, "some taps");
}

/* -------------------------------------------------------------------------------------------------------- optimiser */

static void test_optimiser(bench *b)
{
    enum { COUNT = 1000, ROWS = 5 };
    const lat_range parameters = {.count = COUNT, .lanes = 1};
    array *row = draw(b, DOUBLES, ROWS * COUNT, 3), *counter = upload(b, INTEGERS, 2, NULL),
          *digits = upload(b, INTEGERS, COUNT, NULL), *gradient = upload(b, DOUBLES, COUNT, NULL),
          *parameter = draw(b, DOUBLES, COUNT, 1), *first = draw(b, DOUBLES, COUNT, 1),
          *second = upload(b, DOUBLES, COUNT, NULL);
    for (int side = 0; side < SIDES; side++) {
        int64_t *counters = counter->at[side];
        gradient_largest_args largest = {row->at[side], ROWS, COUNT, counters};
        gradient_digits_args sums = {row->at[side], ROWS, COUNT, 0x1p57, digits->at[side]};
        gradient_mean_args mean = {digits->at[side], 0x1p-57, 7, gradient->at[side], 0x1p-5, 0x1p20, counters + 1};
        adam_args adam = {
            parameter->at[side], first->at[side], second->at[side], gradient->at[side], 0.7, 0.01, 0.1, 0.001};
        b->kernels[side]->gradient_largest(&largest, &parameters);
        b->kernels[side]->gradient_digits(&sums, &parameters);
        b->kernels[side]->gradient_mean(&mean, &parameters);
        b->kernels[side]->adam(&adam, &parameters);
    }
    judge(b, "gradient_largest, gradient_digits, gradient_mean, adam", 1, "1000 parameters");
}

/* ------------------------------------------------------------------------------------------------ kernels on links */

/* A lattice on both sides. */
typedef struct {
    int dim;
    lat_geometry *g[SIDES];
    int64_t sites;
} lattice;

static lattice lattice_of(int dim, int halved)
{
    lat_error error = {0};
    lattice l = {.dim = dim};
    for (int side = 0; side < SIDES; side++) {
        lat_shape shape = {
            .dim = dim, .size = {8, 4, 4, 4}, .members = LANES, .lane_grid = {1, 1, 1, 1}, .backend = backends[side]};
        if (halved >= 0) shape.size[halved] /= 2;
        if (lat_geometry_create(MPI_COMM_SELF, &shape, &l.g[side], &error)) lat_abort(error.status, "%s", error.text);
    }
    l.sites = l.g[HOST]->sites;
    return l;
}

static void lattice_free(lattice *l)
{
    for (int side = 0; side < SIDES; side++) lat_geometry_free(l->g[side]);
}

/* Haar-distributed links of the group, alike on both sides. */
static array *draw_links(bench *b, const lattice *l)
{
    lat_gauge *u = lat_gauge_create(l->g[HOST], b->group, b->precision);
    lat_random random = {.seed = 12, .purpose = LAT_RANDOM_TEST, .step = b->drawn++};
    lat_gauge_haar(u, &random);
    array *a = upload(b, REALS, l->sites * u->links->components * LANES, u->links->data);
    lat_gauge_free(u);
    return a;
}

static const char *const transforms[FLOW_TRANSFORMS] = {"splines", "tangents", "even splines"};
enum { LOOPS = 2, KNOTS = 6, HARMONICS = 3 };

/* The plaquette, and the loop of two in the plane (mu, nu): halved for even splines. */
static void loops_of(int mu, int nu, flow_loop *loop)
{
    int a = mu < nu ? mu : nu, b = mu < nu ? nu : mu;
    loop[0] = (flow_loop){a, b, 1, 1};
    loop[1] = (flow_loop){a, b, mu < nu ? 1 : 2, mu < nu ? 2 : 1};
}

static loop_channels channels_of(bool even)
{
    return (loop_channels){.loops = LOOPS,
                           .harmonics = HARMONICS,
                           .channels = (even ? 1 : 4) * HARMONICS,
                           .halved = even ? 1 : -1,
                           .live = even ? 2 : 3};
}

static void test_features(bench *b, int dim, bool even)
{
    lattice l = lattice_of(dim, -1);
    const int mu = dim - 1, nu = 0;
    loop_channels c = channels_of(even);
    array *u = draw(b, REALS, l.sites * dim * LANES, M_PI), *feature = draw(b, REALS, l.sites * c.channels * LANES, 1),
          *feature_bar = draw(b, REALS, l.sites * c.channels * LANES, 1),
          *loop_bar = draw(b, REALS, l.sites * LOOPS * LANES, 1), *bar = draw(b, REALS, l.sites * dim * LANES, 1);
    for (int side = 0; side < SIDES; side++) {
        lat_range block = lat_block(l.g[side]);
        lat_tables t = lat_tables_of(l.g[side]);
        loop_features_args features = {.t = t, .u = u->at[side], .feature = feature->at[side], .c = c, .open = 3};
        loop_cotangents_args loops = {.t = t,
                                      .u = u->at[side],
                                      .feature = feature->at[side],
                                      .feature_cotangent = feature_bar->at[side],
                                      .loop_cotangent = loop_bar->at[side],
                                      .c = c,
                                      .keep = even ? 0 : -1,
                                      .open = 3};
        gather_loops_args gather = {
            .t = t, .loop_cotangent = loop_bar->at[side], .cotangent = bar->at[side], .loops = LOOPS, .scale = -1};
        loops_of(mu, nu, features.loop);
        loops_of(mu, nu, loops.loop);
        loops_of(mu, nu, gather.loop);
        b->links[side]->loop_features(&features, &block);
        b->links[side]->loop_cotangents(&loops, &block);
        b->links[side]->gather_loops(&gather, &block);
    }
    judge(b, "loop_features, loop_cotangents, gather_loops", dim, even ? "a halved loop" : "two loops");
    lattice_free(&l);
}

#define COUPLING(which)                                                                                                \
    {                                                                                                                  \
#which, offsetof(flow_coupling_kernels, which)                                                                 \
    }
static const struct {
    const char *name;
    size_t offset;
} couplings[] = {COUPLING(coupling_forward), COUPLING(coupling_inverse), COUPLING(coupling_backward),
                 COUPLING(coupling_push)};

static void test_coupling(bench *b, int dim, flow_transform transform, int which)
{
    typedef void (*function)(const coupling_args *, const lat_range *);
    lattice l = lattice_of(dim, -1);
    const int outputs = transform == FLOW_TANGENTS ? KNOTS + 1 : 3 * KNOTS + 1;
    const int64_t numbers = l.sites * LANES;
    array *u = draw(b, REALS, numbers * dim, M_PI), *parameter = draw(b, REALS, numbers * outputs, 0.7),
          *density = draw(b, DOUBLES, numbers, 1), *plaquette = draw(b, REALS, numbers, M_PI),
          *bar = draw(b, REALS, numbers * dim, 1), *weight = draw(b, DOUBLES, LANES, 1),
          *parameter_bar = draw(b, REALS, numbers * outputs, 1), *loop_bar = draw(b, REALS, numbers * LOOPS, 1);
    for (int side = 0; side < SIDES; side++) {
        coupling_args args = {.t = lat_tables_of(l.g[side]),
                              .u = u->at[side],
                              .parameter = parameter->at[side],
                              .mu = 0,
                              .nu = dim - 1,
                              .outputs = outputs,
                              .knots = KNOTS,
                              .transform = transform,
                              .density = density->at[side],
                              .plaquette = plaquette->at[side],
                              .cotangent = bar->at[side],
                              .weight = weight->at[side],
                              .parameter_cotangent = parameter_bar->at[side],
                              .loop_cotangent = loop_bar->at[side],
                              .loops = LOOPS,
                              .plane = 0,
                              .halved = transform == FLOW_EVEN_SPLINE ? 1 : -1};
        lat_range stripe = lat_range_of(l.g[side], &l.g[side]->parity[1]);
        function run;
        memcpy(&run, (const char *)b->links[side] + couplings[which].offset, sizeof run);
        run(&args, &stripe);
    }
    judge(b, couplings[which].name, dim, transforms[transform]);
    lattice_free(&l);
}

static void test_blocking(bench *b, int dim)
{
    const int nu = dim - 1;
    lattice fine = lattice_of(dim, -1), coarse = lattice_of(dim, nu);
    int64_t *place = lat_alloc(coarse.sites, sizeof *place), *next = lat_alloc(coarse.sites, sizeof *next);
    for (int64_t site = 0; site < coarse.sites; site++) {
        int64_t x[LAT_MAX_DIM];
        lat_coordinates(coarse.g[HOST], site, x);
        x[nu] *= 2;
        place[site] = lat_site(fine.g[HOST], x);
        x[nu]++;
        next[site] = lat_site(fine.g[HOST], x);
    }
    array *at = upload(b, INTEGERS, coarse.sites, place), *ahead = upload(b, INTEGERS, coarse.sites, next);
    const int algebra = lat_algebra_reals(b->group);
    array *u = draw_links(b, &fine), *v = draw_links(b, &coarse), *w = draw_links(b, &coarse),
          *bar = draw(b, REALS, fine.sites * dim * algebra * LANES, 1),
          *inner = draw(b, REALS, coarse.sites * dim * algebra * LANES, 1),
          *density = draw(b, DOUBLES, fine.sites * LANES, 1), *part = draw(b, DOUBLES, coarse.sites * LANES, 1);
    for (int side = 0; side < SIDES; side++) {
        lat_range block = lat_block(coarse.g[side]);
        block_args args = {
            lat_tables_of(coarse.g[side]), u->at[side], v->at[side], u->at[side], at->at[side], ahead->at[side], nu};
        block_args cotangents = {args.t, bar->at[side], inner->at[side], u->at[side], args.fine, args.ahead, nu};
        lift_density_args lift = {args.t, density->at[side], part->at[side], args.fine};
        b->blocking[side]->block_links(&args, &block);
        b->blocking[side]->block_cotangents(&cotangents, &block);
        args.v = w->at[side];
        b->blocking[side]->unblock_links(&args, &block);
        b->blocking[side]->unblock_cotangents(&cotangents, &block);
        b->blocking[side]->lift_density(&lift, &block);
    }
    judge(b, "block_links, unblock_links and of cotangents, lift_density", dim, lat_group_names[b->group]);
    free(place);
    free(next);
    lattice_free(&fine);
    lattice_free(&coarse);
}

/* -------------------------------------------------------------------------------------------------------- masked stout */

static const flow_masked_stout_kernels *const masked_stouts[SIDES][LAT_PRECISIONS][LAT_GROUPS] = {
    {{&flow_masked_stout_cpu_u1_double, &flow_masked_stout_cpu_su2_double, &flow_masked_stout_cpu_su3_double},
     {&flow_masked_stout_cpu_u1_float, &flow_masked_stout_cpu_su2_float, &flow_masked_stout_cpu_su3_float}},
    {{&flow_masked_stout_cuda_u1_double, &flow_masked_stout_cuda_su2_double, &flow_masked_stout_cuda_su3_double},
     {&flow_masked_stout_cuda_u1_float, &flow_masked_stout_cuda_su2_float, &flow_masked_stout_cuda_su3_float}},
};

/* Sites where 2 x + y + z + t = c modulo 4 */
static lat_range class_of(bench *b, const lattice *l, int c, array **list)
{
    int64_t *site = lat_alloc(l->sites, sizeof *site), count = 0, x[LAT_MAX_DIM];
    for (int64_t i = 0; i < l->sites; i++) {
        lat_coordinates(l->g[HOST], i, x);
        if ((2 * x[0] + x[1] + x[2] + x[3]) % 4 == c) site[count++] = i;
    }
    *list = upload(b, INTEGERS, count, site);
    free(site);
    return (lat_range){.count = count, .lanes = LANES};
}

static void test_masked_stout(bench *b, int dim)
{
    const lat_group group = b->group;
    lattice l = lattice_of(dim, -1);
    const int64_t numbers = l.sites * LANES;
    const int algebra = dim * lat_algebra_reals(group), matrix = group == LAT_U1 ? 2 : lat_link_reals(group);
    array *u = draw_links(b, &l), *parameter = draw(b, DOUBLES, 2, 0.7), *density = draw(b, DOUBLES, numbers, 1),
          *open = draw(b, DOUBLES, numbers, 1), *bar = draw(b, REALS, numbers * algebra, 1),
          *weight = draw(b, DOUBLES, LANES, 1), *insertion = draw(b, REALS, numbers * matrix, 1),
          *kept = draw(b, REALS, numbers * lat_link_reals(group), 1), *first = draw(b, DOUBLES, numbers, 1),
          *second = draw(b, DOUBLES, numbers, 1), *list[4];
    lat_range range[4];
    for (int c = 0; c < 4; c++) range[c] = class_of(b, &l, c, &list[c]);
    for (int side = 0; side < SIDES; side++) {
        const flow_masked_stout_kernels *kernels = masked_stouts[side][b->precision][group];
        const masked_stout_loops loops = {.kinds = 2,
                                          .count = {6 * (dim - 1), 2 * (dim - 1)},
                                          .kind = {FLOW_MASKED_STOUT_RECTANGLE, FLOW_MASKED_STOUT_PLAQUETTE},
                                          .parameters = parameter->at[side]};
        masked_stout_args args = {.t = lat_tables_of(l.g[side]),
                                  .l = loops,
                                  .u = u->at[side],
                                  .kept = kept->at[side],
                                  .density = density->at[side],
                                  .open = open->at[side],
                                  .cotangent = bar->at[side],
                                  .weight = weight->at[side],
                                  .insertion = insertion->at[side],
                                  .slope = {first->at[side], second->at[side]}};
        masked_stout_gather_args gather = {.t = args.t,
                                           .l = loops,
                                           .u = args.u,
                                           .insertion = args.insertion,
                                           .cotangent = args.cotangent,
                                           .scale = -1,
                                           .phase = 3,
                                           .period = 4,
                                           .step = {2, 1, 1, 1}};
        for (int c = 0; c < 4; c++) range[c].site = list[c]->at[side];
        kernels->masked_stout_push(&args, &range[0]);
        kernels->masked_stout_backward(&args, &range[0]);
        args.kept = NULL;
        kernels->masked_stout_forward(&args, &range[1]);
        kernels->masked_stout_inverse(&args, &range[2]);
        kernels->masked_stout_backward(&args, &range[2]);
        kernels->masked_stout_gather(&gather, &range[3]);
    }
    judge(b, "masked stout, all kernels", dim, lat_group_names[group]);
    lattice_free(&l);
}

/* All kernels of stout layers, one after another, with and without kept links. */
static void test_stout(bench *b, int dim, bool keep)
{
    enum { STEPS = 2, DEGREE = 1 };
    lattice l = lattice_of(dim, -1);
    const int algebra = lat_algebra_reals(b->group), parameters = STEPS * flow_stout_words(b->group) * (DEGREE + 1);
    const int64_t numbers = l.sites * LANES;
    array *u = draw_links(b, &l), *before = draw(b, REALS, numbers * lat_link_reals(b->group), 1),
          *density = draw(b, DOUBLES, numbers, 1), *parameter = draw(b, DOUBLES, parameters, 0.05),
          *bar = draw(b, REALS, numbers * dim * algebra, 1), *weight = draw(b, DOUBLES, LANES, 1),
          *parameter_bar = draw(b, REALS, numbers * parameters, 1),
          *staple_bar = draw(b, REALS, numbers * 2 * algebra, 1), *unsolved = upload(b, INTEGERS, 1, NULL);
    for (int side = 0; side < SIDES; side++) {
        const flow_stout_kernels *kernels = b->stout[side];
        stout_args args = {.t = lat_tables_of(l.g[side]),
                           .u = u->at[side],
                           .mu = 0,
                           .nu = dim - 1,
                           .steps = STEPS,
                           .degree = DEGREE,
                           .parameters = parameter->at[side],
                           .density = density->at[side],
                           .before = keep ? before->at[side] : NULL,
                           .unsolved = unsolved->at[side],
                           .members = LANES,
                           .cotangent = bar->at[side],
                           .weight = weight->at[side],
                           .parameter_cotangent = parameter_bar->at[side],
                           .staple_cotangent = staple_bar->at[side]};
        gather_staples_args gather = {args.t, args.u, args.staple_cotangent, args.cotangent, args.mu, args.nu, -1};
        lat_range one = lat_range_of(l.g[side], &l.g[side]->parity[1]),
                  other = lat_range_of(l.g[side], &l.g[side]->parity[0]);
        kernels->stout_push(&args, &one);
        kernels->gather_active(&gather, &one);
        kernels->gather_frozen(&gather, &other);
        kernels->stout_backward(&args, &one);
        kernels->stout_forward(&args, &one);
        kernels->stout_inverse(&args, &one);
    }
    judge(b, keep ? "stout, links kept" : "stout", dim, lat_group_names[b->group]);
    lattice_free(&l);
}

static void test_flow_kernels(const lat_backend *other)
{
    backends[HOST] = &lat_backend_cpu;
    backends[DEVICE] = other;
    for (int precision = 0; precision < LAT_PRECISIONS; precision++) {
        bench b = bench_of((lat_precision)precision);
        test_optimiser(&b);
        for (int dim = 2; dim <= LAT_MAX_DIM; dim++) {
            for (int i = 0; i < FLOW_ACTIVATIONS; i++) {
                test_forward(&b, dim, (flow_activation)i);
                test_backward_input(&b, dim, (flow_activation)i);
            }
            test_backward_parameters(&b, dim);
            test_features(&b, dim, false);
            test_features(&b, dim, true);
            for (int i = 0; i < FLOW_TRANSFORMS; i++)
                for (int k = 0; k < 4; k++) test_coupling(&b, dim, (flow_transform)i, k);
            for (int group = LAT_U1; group < LAT_GROUPS; group++) {
                use_group(&b, (lat_group)group);
                test_blocking(&b, dim);
                for (int keep = 0; keep < 2 && group != LAT_U1; keep++) test_stout(&b, dim, keep);
                test_masked_stout(&b, dim);
            }
        }
    }
}

#endif
