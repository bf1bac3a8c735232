/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * natural_gradient.c: the step that makes the variance of log weights least.
 *
 * Each column, the scores by one parameter or the deviations, is taken to integers of up to `bits` bits, 2 bits + log2(samples) <= 53: then
 * sums of products are exact in double, whatever their order.  What rounding adds to a score is 2^-bits of the largest of its column.
 */
#include "flows/natural_gradient.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE = 1 << 24 };

/* The columns that matter: parameters with scores, then the deviations, then ones. */
typedef struct {
    int64_t parameters, columns;
    int64_t *parameter; /* [parameters] */
    double *factor;     /* [parameters + 1]: to integers */
} layout;

static void add_up(double *value, int64_t count, MPI_Comm comm)
{
    for (int64_t i = 0; i < count; i += SLICE)
        MPI_Allreduce(MPI_IN_PLACE, value + i, (int)(count - i < SLICE ? count - i : SLICE), MPI_DOUBLE, MPI_SUM, comm);
}

static double larger(double largest, double value) { return isfinite(value) ? fmax(largest, fabs(value)) : INFINITY; }

/* Of each parameter's scores, then of the deviations: of all ranks. */
static double *largest_of(const flow_scores *s)
{
    double *largest = lat_alloc(s->count + 1, sizeof *largest);
    for (int64_t r = 0; r < s->rows; r++) {
        for (int64_t i = 0; i < s->count; i++) largest[i] = larger(largest[i], s->row[r * s->count + i]);
        largest[s->count] = larger(largest[s->count], s->deviation[r]);
    }
    MPI_Allreduce(MPI_IN_PLACE, largest, (int)s->count + 1, MPI_DOUBLE, MPI_MAX, s->comm);
    return largest;
}

static double factor_of(double largest, int bits)
{
    int exponent;
    frexp(largest, &exponent);
    return ldexp(1, bits - exponent);
}

static bool lay_out(const flow_scores *s, layout *l)
{
    int bits;
    double *largest = largest_of(s), sum = 0;
    frexp((double)s->samples, &bits);
    bits = (53 - bits) / 2;
    *l = (layout){.parameter = lat_alloc(s->count, sizeof *l->parameter),
                  .factor = lat_alloc(s->count + 1, sizeof *l->factor)};
    for (int64_t i = 0; i < s->count; i++) {
        sum += largest[i];
        if (largest[i] < 0x1p-960) continue;
        l->factor[l->parameters] = factor_of(largest[i], bits);
        l->parameter[l->parameters++] = i;
    }
    sum += largest[s->count];
    l->factor[l->parameters] = factor_of(largest[s->count], bits);
    l->columns = l->parameters + 2;
    free(largest);
    return isfinite(sum);
}

static void free_layout(layout *l)
{
    free(l->parameter);
    free(l->factor);
}

/* ------------------------------------------------------------------------------------------------- sums of products */

enum { TOGETHER = 8 };

static void take_row(const flow_scores *s, const layout *l, int64_t r, double *integer)
{
    const double *row = s->row + r * s->count;
    for (int64_t i = 0; i < l->parameters; i++) integer[i] = rint(row[l->parameter[i]] * l->factor[i]);
    integer[l->parameters] = rint(s->deviation[r] * l->factor[l->parameters]);
    integer[l->parameters + 1] = 1;
}

/* The upper triangle of the products of some rows. */
static void add_products(const double *restrict integer, int64_t n, double *restrict sum)
{
    for (int64_t a = 0; a < n; a++) {
        double left[TOGETHER];
        for (int k = 0; k < TOGETHER; k++) left[k] = integer[k * n + a];
        for (int64_t b = a; b < n; b++) {
            double total = sum[a * n + b];
            for (int k = 0; k < TOGETHER; k++) total += left[k] * integer[k * n + b];
            sum[a * n + b] = total;
        }
    }
}

/* [columns][columns], the same on all ranks; those of a group take turns. */
static double *products(const flow_scores *s, const layout *l)
{
    const int64_t n = l->columns;
    int rank, ranks;
    MPI_Comm_rank(s->group_comm, &rank);
    MPI_Comm_size(s->group_comm, &ranks);
    double *sum = lat_alloc(n * n, sizeof *sum), *integer = lat_alloc(TOGETHER * n, sizeof *integer);
    for (int64_t first = rank * TOGETHER; first < s->rows; first += ranks * TOGETHER) {
        memset(integer, 0, (size_t)(TOGETHER * n) * sizeof *integer);
        for (int k = 0; k < TOGETHER && first + k < s->rows; k++) take_row(s, l, first + k, integer + k * n);
        add_products(integer, n, sum);
    }
    free(integer);
    add_up(sum, n * n, s->comm);
    return sum;
}

/* --------------------------------------------------------------------------------------------------------- the step */

/* To covariances in units of standard deviations, in place; spread[parameters] holds these. */
static void correlate(const flow_scores *s, const layout *l, double *sum, double *spread)
{
    const int64_t n = l->columns, ones = n - 1;
    const double samples = (double)s->samples;
    for (int64_t a = 0; a < ones; a++)
        for (int64_t b = a; b < ones; b++)
            sum[a * n + b] = sum[a * n + b] / samples - sum[a * n + ones] / samples * (sum[b * n + ones] / samples);
    for (int64_t a = 0; a < l->parameters; a++) spread[a] = sqrt(fmax(sum[a * n + a], 0));
    for (int64_t a = 0; a < l->parameters; a++) {
        double unit = spread[a] > 0 ? 1 / spread[a] : 0;
        for (int64_t b = a; b < l->parameters; b++) sum[a * n + b] *= spread[b] > 0 ? unit / spread[b] : 0;
        sum[a * n + l->parameters] *= unit;
        sum[a * n + a] = 1 + s->damping;
    }
}

/* The step from the sums, and its length. */
static double solve(const flow_scores *s, const layout *l, double *sum, double *step)
{
    const int64_t n = l->columns, parameters = l->parameters;
    double *spread = lat_alloc(parameters, sizeof *spread), *right = lat_alloc(parameters, sizeof *right),
           *solution = lat_alloc(parameters, sizeof *solution), square = 0;
    correlate(s, l, sum, spread);
    for (int64_t a = 0; a < parameters; a++) solution[a] = right[a] = sum[a * n + parameters];
    if (LAPACKE_dposv(LAPACK_COL_MAJOR, 'L', (lapack_int)parameters, 1, sum, (lapack_int)n, solution, (lapack_int)n))
        square = NAN;
    for (int64_t a = 0; a < parameters; a++) square += solution[a] * (right[a] - s->damping * solution[a]);
    for (int64_t a = 0; a < parameters && isfinite(square); a++)
        step[l->parameter[a]] = spread[a] > 0 ? solution[a] / spread[a] * l->factor[a] / l->factor[parameters] : 0;
    free(spread);
    free(right);
    free(solution);
    return sqrt(square < 0 ? 0 : square) / l->factor[parameters];
}

double flow_natural_gradient(flow_scores *s, double *step)
{
    layout l;
    int rank, ranks;
    double length = NAN;
    MPI_Comm_rank(s->comm, &rank);
    MPI_Comm_size(s->group_comm, &ranks);
    memset(step, 0, (size_t)s->count * sizeof *step);
    if (ranks > 1) add_up(s->row, s->rows * s->count, s->group_comm);
    if (lay_out(s, &l)) {
        double *sum = products(s, &l);
        if (rank == 0) length = solve(s, &l, sum, step);
        MPI_Bcast(step, (int)s->count, MPI_DOUBLE, 0, s->comm);
        MPI_Bcast(&length, 1, MPI_DOUBLE, 0, s->comm);
        free(sum);
    }
    free_layout(&l);
    return length;
}
