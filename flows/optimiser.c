/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * optimiser.c: the gradient of a batch from its parts, Adam, steps along natural gradients, and schedules of the learning rate.  Parameters, moments and
 * gradients are where the kernels find them, and no array passes through the host.
 */
#include "lattice/grid/kernels.h"
#include "flows/layout.h"
#include "flows/optimiser.h"
#include "flows/trainer.h"

#include <math.h>
#include <stdlib.h>

const char *const flow_schedule_names[] = {"constant", "cosine", "step", NULL};

double flow_learning_rate(const flow_train_settings *settings, int64_t step)
{
    double rate = settings->learning_rate;
    if (step < settings->warm_up) rate *= (double)(step + 1) / (double)(settings->warm_up + 1);
    switch (settings->schedule) {
    case FLOW_COSINE: return rate * 0.5 * (1 + cos(M_PI * (double)step / (double)settings->steps));
    case FLOW_STEP_DECAY: return rate * pow(settings->decay_factor, (double)(step / settings->decay_steps));
    default: return rate;
    }
}

/* Integers that kernels add to. */
enum { LARGEST, SQUARES, COUNTERS };

struct flow_optimiser {
    MPI_Comm comm;
    int ranks;
    flow_model *model;
    flow_map *map;
    const lat_backend *backend;
    const flow_kernels *kernels;
    int64_t count, rows, parts; /* parameters; parts of the gradient, here and in all */
    double *row;                   /* [rows][count] */
    double *gradient, *moments;    /* [count], [2][count] */
    int64_t *digits, *counter;     /* [count], [COUNTERS] */
    int64_t *staging;              /* of the host, for messages; NULL: MPI takes the digits where they are */
};

flow_optimiser *flow_optimiser_create(MPI_Comm comm, flow_model *model, flow_map *map, double *moments, int64_t rows, int64_t parts)
{
    flow_optimiser *o = lat_alloc(1, sizeof *o);
    const int64_t count = model->stack.parameter_count, real = (int64_t)sizeof(double), integer = (int64_t)sizeof(int64_t);
    *o = (flow_optimiser){.comm = comm, .model = model, .map = map, .backend = map->geometry->backend,
                          .kernels = flow_kernels_of(map), .count = count, .rows = rows, .parts = parts};
    MPI_Comm_size(comm, &o->ranks);
    o->row = o->backend->allocate(rows * count * real);
    o->gradient = o->backend->allocate(count * real);
    o->moments = lat_share(map->geometry, moments, 2 * count * real);
    o->digits = o->backend->allocate(count * integer);
    o->counter = o->backend->allocate(COUNTERS * integer);
    if (o->ranks > 1 && !o->backend->on_host && !o->backend->messages) o->staging = o->backend->allocate_staging(count * integer);
    return o;
}

void flow_optimiser_free(flow_optimiser *o)
{
    if (!o) return;
    o->backend->release(o->row);
    o->backend->release(o->gradient);
    lat_unshare(o->map->geometry, o->moments);
    o->backend->release(o->digits);
    o->backend->release(o->counter);
    if (o->staging) o->backend->release_staging(o->staging);
    free(o);
}

/* -------------------------------------------------------------------------------------------------------- gradients */

double *flow_optimiser_row(flow_optimiser *o, int64_t row) { return o->row + row * o->count; }

void flow_optimiser_clear(flow_optimiser *o) { o->backend->zero(o->row, o->rows * o->count * (int64_t)sizeof *o->row); }

static lat_range all_parameters(const flow_optimiser *o) { return (lat_range){.count = o->count, .lanes = 1}; }

static int64_t counter(const flow_optimiser *o, int which)
{
    int64_t value;
    o->backend->download(&value, o->counter + which, sizeof value, LAT_OF_ARRAY);
    return value;
}

/* Of all ranks. */
static double largest_part(flow_optimiser *o)
{
    gradient_largest_args args = {o->row, o->rows, o->count, o->counter + LARGEST};
    lat_range range = all_parameters(o);
    o->kernels->gradient_largest(&args, &range);
    union {
        int64_t bits;
        double value;
    } largest = {counter(o, LARGEST)};
    MPI_Allreduce(MPI_IN_PLACE, &largest.bits, 1, MPI_INT64_T, MPI_MAX, o->comm);
    return largest.value;
}

static void add_ranks(flow_optimiser *o)
{
    enum { SLICE = 1 << 24 };
    const int64_t bytes = o->count * (int64_t)sizeof *o->digits;
    if (o->ranks == 1) return;
    int64_t *digits = o->staging ? o->staging : o->digits;
    if (o->staging) o->backend->send_staging(o->staging, o->digits, bytes, LAT_MAIN);
    o->backend->wait(LAT_MAIN);
    for (int64_t i = 0; i < o->count; i += SLICE)
        MPI_Allreduce(MPI_IN_PLACE, digits + i, (int)(o->count - i < SLICE ? o->count - i : SLICE), MPI_INT64_T, MPI_SUM, o->comm);
    if (o->staging) o->backend->receive_staging(o->digits, o->staging, bytes, LAT_MAIN);
}

static int bits_for(int64_t count)
{
    int bits;
    frexp((double)count, &bits);
    return bits;
}

/* 2^exponent; beyond that, numbers are below 2^-961 and lose nothing that matters */
static double power_of_two(int exponent) { return ldexp(1, exponent < 1023 ? exponent : 1023); }

double flow_optimiser_gradient(flow_optimiser *o, int64_t batch)
{
    lat_range range = all_parameters(o);
    o->backend->zero(o->counter, COUNTERS * (int64_t)sizeof *o->counter);
    double largest = largest_part(o);
    if (!(largest < 0x1p960)) return NAN;
    /* largest < 2^exponent; terms of less than 2^62 / their number cannot overflow 63 bits */
    int exponent, room = bits_for(o->parts), square_bits = 62 - bits_for(o->count);
    frexp(largest, &exponent);
    double factor = power_of_two(62 - room - exponent), reduction = power_of_two(-room - exponent);
    gradient_digits_args digits = {o->row, o->rows, o->count, factor, o->digits};
    o->kernels->gradient_digits(&digits, &range);
    add_ranks(o);
    gradient_mean_args mean = {o->digits, 1 / factor, (double)batch, o->gradient, reduction, ldexp(1, square_bits), o->counter + SQUARES};
    o->kernels->gradient_mean(&mean, &range);
    return sqrt(ldexp((double)counter(o, SQUARES), -square_bits)) / reduction / (double)batch;
}

void flow_optimiser_read_gradient(const flow_optimiser *o, double *gradient)
{
    o->backend->download(gradient, o->gradient, o->count * (int64_t)sizeof *gradient, LAT_OF_ARRAY);
}

/* ------------------------------------------------------------------------------------------------------- parameters */

void flow_optimiser_step(flow_optimiser *o, double factor, int64_t t, double learning_rate)
{
    adam_args args = {
        .parameters = flow_map_parameters(o->map),
        .first = o->moments,
        .second = o->moments + o->count,
        .gradient = o->gradient,
        .factor = factor,
        .learning_rate = learning_rate,
        .first_bias = 1 - pow(FLOW_ADAM_FIRST, (double)t),
        .second_bias = 1 - pow(FLOW_ADAM_SECOND, (double)t),
    };
    lat_range range = all_parameters(o);
    o->kernels->adam(&args, &range);
    o->map->version = ++o->model->version;
}

double flow_optimiser_natural(flow_optimiser *o, flow_scores *scores)
{
    const int64_t bytes = o->count * (int64_t)sizeof(double);
    double *step = lat_alloc(o->count, sizeof *step), *row = lat_alloc(o->rows * o->count, sizeof *row);
    o->backend->download(row, o->row, o->rows * bytes, LAT_OF_ARRAY);
    scores->row = row;
    double length = flow_natural_gradient(scores, step);
    o->backend->upload(o->gradient, step, bytes, LAT_OF_ARRAY);
    free(step);
    free(row);
    return length;
}

void flow_optimiser_descend(flow_optimiser *o, double rate)
{
    const int64_t bytes = o->count * (int64_t)sizeof(double);
    double *step = lat_alloc(o->count, sizeof *step), *parameters = lat_alloc(o->count, sizeof *parameters);
    flow_optimiser_read_gradient(o, step);
    o->backend->download(parameters, flow_map_parameters(o->map), bytes, LAT_OF_ARRAY);
    for (int64_t i = 0; i < o->count; i++) parameters[i] -= rate * step[i];
    o->backend->upload(flow_map_parameters(o->map), parameters, bytes, LAT_OF_ARRAY);
    o->map->version = ++o->model->version;
    free(step);
    free(parameters);
}

void flow_optimiser_settle(flow_optimiser *o, double *moments)
{
    if (o->backend->on_host) return;
    const int64_t bytes = o->count * (int64_t)sizeof(double);
    o->backend->download(o->model->parameters, flow_map_parameters(o->map), bytes, LAT_OF_ARRAY);
    o->backend->download(moments, o->moments, 2 * bytes, LAT_OF_ARRAY);
}
