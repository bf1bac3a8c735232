/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * sun_updates.c: heatbath and overrelaxation of SU(2) and SU(3).  The heatbath of SU(2) draws a link from its
 * distribution; that of SU(3) leaves it as it is, found by Weyl's integration formula, and draws the last of its
 * subgroups; overrelaxation leaves the action as it is.  Histograms are compared by chi^2 at 5.8 standard deviations:
 * 70 tests, all together false by chance with a probability of 5e-7.
 */
#include "lattice/gauge/kernels.h"
#include "tests/chain.h"
#include "tests/matrix.h"

enum { BINS = 40 };
static const double most_sigmas = 5.8;

static void count(int64_t *histogram, double x)
{
    int bin = (int)(x * BINS);
    histogram[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin]++;
}

/* Adds up the histograms of all ranks and compares them with a uniform distribution. */
static void check_uniform(int64_t *histogram, const char *name, const char *what)
{
    MPI_Allreduce(MPI_IN_PLACE, histogram, BINS, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
    double total = 0, chi_square = 0;
    for (int i = 0; i < BINS; i++) total += (double)histogram[i];
    for (int i = 0; i < BINS; i++) chi_square += pow((double)histogram[i] - total / BINS, 2) / (total / BINS);
    ok(total >= 1e4 && fabs(chi_square_sigmas(chi_square, BINS - 1)) < most_sigmas,
       "%s: %s, %.0f deviates, chi^2 %.1f of %d bins", name, what, total, chi_square, BINS);
}

/* ---------------------------------------------------------------------------------------- SU(2), and subgroups */

/* int_0^angle sin^2 cos^2 exp(-2 alpha sin^2) by Simpson's rule */
static double weight_below(double angle, double alpha)
{
    enum { INTERVALS = 100 };
    double sum = 0;
    for (int i = 0; i <= INTERVALS; i++) {
        double factor = i == 0 || i == INTERVALS ? 1 : i % 2 ? 4 : 2, s = sin(angle * i / INTERVALS);
        sum += factor * s * s * (1 - s * s) * exp(-2 * alpha * s * s);
    }
    return sum * angle;
}

/* Distribution function of 1 - h0 = 2 sin(angle)^2 for the density sqrt(1 - h0^2) exp(alpha h0). */
static double distance_cdf(double distance, double alpha)
{
    double far = alpha > 25 ? asin(sqrt(25 / alpha)) : M_PI / 2;
    return weight_below(fmin(asin(sqrt(fmin(0.5 * distance, 1))), far), alpha) / weight_below(far, alpha);
}

typedef struct {
    int64_t distance[BINS], height[BINS], turn[BINS];
} histograms;

/* h0 + i h.sigma: h0 from its density, the direction uniform. */
static void count_element(histograms *n, const double h[4], double alpha)
{
    double norm = sqrt(h[1] * h[1] + h[2] * h[2] + h[3] * h[3]);
    count(n->distance, distance_cdf(norm * norm / (1 + h[0]), alpha)); /* 1 - h0, without loss of digits near 1 */
    count(n->height, 0.5 + 0.5 * h[3] / norm);
    count(n->turn, 0.5 + atan2(h[2], h[1]) / (2 * M_PI));
}

static void check_elements(histograms *n, const char *name)
{
    check_uniform(n->distance, name, "h0");
    check_uniform(n->height, name, "height");
    check_uniform(n->turn, name, "turn");
}

static double get(const lat_field *f, int64_t i)
{
    return f->precision == LAT_FLOAT ? ((float *)f->data)[i] : ((double *)f->data)[i];
}

static lat_geometry *plane(lat_precision precision)
{
    lat_error error = {0};
    lat_geometry *g;
    if (lat_geometry_create(MPI_COMM_WORLD,
                            &(lat_shape){.dim = 2, .size = {32, 32}, .members = 16, .precision = precision}, &g,
                            &error))
        lat_abort(error.status, "%s", error.text);
    return g;
}

static void heatbath_links(lat_gauge *gauge, double beta, int mu, int parity, int step)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_random random = {.seed = 17, .purpose = LAT_RANDOM_TEST, .step = (uint64_t)step};
    heatbath_args args = {lat_tables_of(g), gauge->links->data, beta, mu, lat_random_key(&random)};
    lat_range range = lat_range_of(g, &g->parity[parity]);
    lat_kernels_of(gauge->links, gauge->group)->heatbath(&args, &range);
}

/* In a cold two-dimensional lattice every staple is 2, so that a link of SU(2) has alpha = 2 beta. */
static void test_su2(double alpha, lat_precision precision, int first_step)
{
    enum { ROUNDS = 4 };
    lat_geometry *g = plane(precision);
    histograms n = {0};
    for (int round = 0; round < ROUNDS; round++) {
        lat_gauge *gauge = lat_gauge_create(g, LAT_SU2, precision);
        heatbath_links(gauge, 0.5 * alpha, round % 2, round % 2, first_step + round);
        const lat_sites *sites = &g->parity[round % 2];
        for (int64_t i = 0; i < sites->count; i++)
            for (int lane = 0; lane < g->blocks * g->members; lane++) {
                double h[4];
                for (int c = 0; c < 4; c++)
                    h[c] = get(gauge->links, ((sites->site[i] * 2 + round % 2) * 4 + c) * g->lanes + lane);
                count_element(&n, h, alpha);
            }
        lat_gauge_free(gauge);
    }
    char *name = lat_text("SU(2) with alpha = %g, %s", alpha, lat_precision_names[precision]);
    check_elements(&n, name);
    free(name);
    lat_geometry_free(g);
}

/* h = g v / |v| in the last subgroup of a link, for the links that a sweep draws last: they see what all others have
 * become. */
static void count_last(histograms *n, const plain_field *f, int64_t x, double beta)
{
    int mu = f->dim - 1, last = (int)f->group;
    matrix w = matrix_product(plain_link(f, x, mu), plain_staple(f, x, mu));
    double complex a = w.a[last - 1][last - 1], b = w.a[last - 1][last], c = w.a[last][last - 1], d = w.a[last][last];
    double h[4] = {0.5 * creal(a + d), 0.5 * cimag(b + c), 0.5 * creal(b - c), 0.5 * cimag(a - d)};
    double norm = sqrt(h[0] * h[0] + h[1] * h[1] + h[2] * h[2] + h[3] * h[3]);
    for (int i = 0; i < 4; i++) h[i] /= norm;
    count_element(n, h, 2 * beta * norm / (last + 1));
}

static void test_conditional(lat_group group, const char *lattice, double beta)
{
    char *text = lat_text("lattice = { group = \"%s\"; size = %s; }; action = ( { kind = \"wilson\"; beta = %g; } );"
                          "chain = { seed = 9; replicas = 8; }; updates = ( { kind = \"heatbath\"; count = 2; } );",
                          lat_group_names[group], lattice, beta);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    const lat_geometry *g = t.chain->geometry;
    plain_field f = {
        .group = group, .dim = g->dim, .real = lat_alloc(g->volume * t.chain->state->gauge->links->components, sizeof(double))};
    memcpy(f.size, g->size, sizeof f.size);
    histograms n = {0};
    for (int round = 0; round < 10; round++) {
        chain_run(&t, 1);
        for (int member = 0; member < mc_replicas(t.chain->state); member++) {
            lat_field_gather(t.chain->state->gauge->links, member, f.real);
            for (int64_t x = g->rank; x < g->volume; x += g->rank_count)
                if (plain_parity(&f, x) == 1) count_last(&n, &f, x, beta);
        }
    }
    char *name = lat_text("%s, links of %s at beta = %g given all others", lat_group_names[group], lattice, beta);
    check_elements(&n, name);
    free(name);
    free(text);
    free(f.real);
    chain_end(&t);
}

/* --------------------------------------------------------------------------------------------- SU(3), one link */

typedef struct {
    double value, weight;
} point;

static int by_value(const void *a, const void *b)
{
    double x = ((const point *)a)->value, y = ((const point *)b)->value;
    return (x > y) - (x < y);
}

/* Values that cut the distribution of Re tr U under exp(kappa Re tr U) in BINS parts of equal weight, from a fine grid
 * over the angles of the eigenvalues with Vandermonde's weight; and the mean. */
static double trace_quantiles(double kappa, double edge[BINS + 1])
{
    enum { GRID = 400 };
    point *p = lat_alloc((int64_t)GRID * GRID, sizeof *p);
    double far = fmin(M_PI, 9 / sqrt(kappa)), total = 0, mean = 0;
    for (int i = 0; i < GRID; i++)
        for (int k = 0; k < GRID; k++) {
            double a = far * ((2 * i + 1.0) / GRID - 1), b = far * ((2 * k + 1.0) / GRID - 1), c = -a - b;
            double vandermonde = pow(sin(0.5 * (a - b)) * sin(0.5 * (b - c)) * sin(0.5 * (c - a)), 2);
            double trace = cos(a) + cos(b) + cos(c);
            p[i * GRID + k] = (point){trace, vandermonde * exp(kappa * (trace - 3))};
            total += p[i * GRID + k].weight;
            mean += p[i * GRID + k].weight * trace;
        }
    qsort(p, (size_t)GRID * GRID, sizeof *p, by_value);
    edge[0] = -INFINITY;
    double sum = 0;
    for (int i = 0, bin = 1; i < GRID * GRID && bin < BINS; i++) {
        sum += p[i].weight;
        if (sum >= total * bin / BINS) edge[bin++] = p[i].value;
    }
    edge[BINS] = INFINITY;
    free(p);
    return mean / total;
}

/* Links of one direction and parity of a cold lattice do not see each other: every one is a Markov chain of its own,
 * under the staple 2, with the distribution exp(2 beta / 3 Re tr U). */
static void test_su3(double kappa, lat_precision precision)
{
    enum { STEPS = 60, FORGET = 20, EVERY = 20 };
    lat_geometry *g = plane(precision);
    lat_gauge *gauge = lat_gauge_create(g, LAT_SU3, precision);
    double edge[BINS + 1], mean = trace_quantiles(kappa, edge), entry[3] = {0}, square = 0, entries = 0;
    int64_t histogram[BINS] = {0};
    for (int step = 0; step < STEPS; step++) {
        heatbath_links(gauge, 1.5 * kappa, 0, 0, step);
        if (step < FORGET || step % EVERY > 0) continue;
        for (int64_t i = 0; i < g->parity[0].count; i++)
            for (int lane = 0; lane < g->blocks * g->members; lane++) {
                double d[3], trace = 0;
                for (int c = 0; c < 3; c++) {
                    d[c] = get(gauge->links, (g->parity[0].site[i] * 36 + 8 * c) * g->lanes + lane);
                    entry[c] += d[c];
                    square += d[c] * d[c] / 3;
                    trace += d[c];
                }
                int bin = 0;
                while (trace >= edge[bin + 1]) bin++;
                histogram[bin]++;
                entries++;
            }
    }
    char *name = lat_text("SU(3) with kappa = %g, %s", kappa, lat_precision_names[precision]);
    check_uniform(histogram, name, "Re tr U");
    double sums[5] = {entry[0], entry[1], entry[2], square, entries};
    MPI_Allreduce(MPI_IN_PLACE, sums, 5, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    double width = sqrt((sums[3] / sums[4] - mean * mean / 9) / sums[4]), worst = 0;
    for (int c = 0; c < 3; c++) worst = fmax(worst, fabs(sums[c] / sums[4] - mean / 3));
    ok(worst < most_sigmas * width, "%s: all entries of the diagonal have the mean %.5f (%.1f standard deviations)",
       name, mean / 3, worst / width);
    free(name);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* ---------------------------------------------------------------------------------------------- overrelaxation */

static void reflect(lat_gauge *gauge, int mu, int parity)
{
    const lat_geometry *g = gauge->links->geometry;
    overrelax_args args = {lat_tables_of(g), gauge->links->data, mu};
    lat_range range = lat_range_of(g, &g->parity[parity]);
    lat_halo_exchange(gauge->links);
    lat_kernels_of(gauge->links, gauge->group)->overrelax(&args, &range);
}

static void test_overrelax(lat_group group, const char *lattice)
{
    char *text = lat_text("lattice = { group = \"%s\"; size = %s; }; action = ( { kind = \"wilson\"; beta = 1.5; } );"
                          "chain = { seed = 9; replicas = 4; }; updates = ( { kind = \"overrelax\"; count = 5; } );",
                          lat_group_names[group], lattice);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    lat_gauge *gauge = t.chain->state->gauge;
    lat_gauge *start = lat_gauge_create(t.chain->geometry, group, LAT_DOUBLE);
    double before[4], after[4], change = 0;
    lat_gauge_copy(start, gauge);
    lat_action_total(t.chain->action, gauge, before);
    chain_run(&t, 1);
    lat_action_total(t.chain->action, gauge, after);
    for (int m = 0; m < 4; m++) change = fmax(change, fabs(after[m] / before[m] - 1));
    ok(change < 1e-13, "%s, %s: overrelaxation leaves the action as it is (%.2g)", lat_group_names[group], lattice,
       change);
    ok(mc_largest_difference(gauge, start) > 0.5, "%s, %s: and moves the links", lat_group_names[group],
       lattice);

    lat_gauge_copy(start, gauge);
    for (int parity = 0; parity < 2; parity++) {
        reflect(gauge, 1, parity);
        double moved = mc_largest_difference(gauge, start);
        reflect(gauge, 1, parity);
        double back = mc_largest_difference(gauge, start);
        if (group == LAT_SU2) ok(moved > 0.5 && back < 1e-13, "su2, %s: and is its own inverse (%.2g)", lattice, back);
    }
    lat_gauge_free(start);
    free(text);
    chain_end(&t);
}

/* Every kind of links stays in the group, from a start that is as far from 1 as can be, and where the staples vanish. */
static void test_unitarity(lat_group group)
{
    char *text =
        lat_text("lattice = { group = \"%s\"; size = [4, 4]; }; action = ( { kind = \"wilson\"; beta = 4.0; } ); chain "
                 "= { seed = 3; };"
                 "updates = ( { kind = \"overrelax\"; count = 2000; }, { kind = \"heatbath\"; count = 500; } );",
                 lat_group_names[group]);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    plain_field f = {.group = group,
                     .dim = 2,
                     .size = {4, 4, 1, 1},
                     .real = lat_alloc(16 * t.chain->state->gauge->links->components, sizeof(double))};
    double worst = 0;
    chain_run(&t, 1);
    lat_field_gather(t.chain->state->gauge->links, 0, f.real);
    for (int64_t i = 0; i < 32; i++) worst = fmax(worst, matrix_violation(plain_link(&f, i / 2, (int)(i % 2))));
    ok(worst < 1e-14, "%s: links are unitary after many sweeps (%.2g)", lat_group_names[group], worst);

    lat_field_zero(t.chain->state->gauge->links); /* no link at all: neither has a staple, and nothing divides by its norm */
    reflect(t.chain->state->gauge, 0, 0);
    heatbath_links(t.chain->state->gauge, 4, 0, 0, 0);
    lat_field_gather(t.chain->state->gauge->links, 0, f.real);
    bool finite = true;
    for (int64_t i = 0; i < 16 * t.chain->state->gauge->links->components; i++) finite = finite && isfinite(f.real[i]);
    ok(finite, "%s: without a staple all is finite", lat_group_names[group]);
    free(f.real);
    free(text);
    chain_end(&t);
}

int main(int argc, char **argv)
{
    static const double alpha[] = {0, 0.05, 0.8, 0.9, 4, 50, 1e4}, kappa[] = {0.01, 0.7, 4, 60};
    tap_start(&argc, &argv);
    for (size_t i = 0; i < sizeof alpha / sizeof *alpha; i++)
        for (int p = 0; p < LAT_PRECISIONS; p++)
            if (alpha[i] <= 50 || p == LAT_DOUBLE)
                test_su2(alpha[i], (lat_precision)p, 1000 * (int)i); /* float numbers are too coarse */
    for (size_t i = 0; i < sizeof kappa / sizeof *kappa; i++)
        for (int p = 0; p < LAT_PRECISIONS; p++) test_su3(kappa[i], (lat_precision)p);
    test_conditional(LAT_SU2, "[16, 16]", 0.3);
    test_conditional(LAT_SU2, "[4, 4, 4, 4]", 2.3);
    test_conditional(LAT_SU3, "[16, 16]", 0.5);
    test_conditional(LAT_SU3, "[8, 4, 8]", 4);
    test_conditional(LAT_SU3, "[4, 4, 4, 4]", 6);
    for (int group = LAT_SU2; group <= LAT_SU3; group++) {
        test_overrelax((lat_group)group, "[16, 8]");
        test_overrelax((lat_group)group, "[4, 8, 4]");
        test_overrelax((lat_group)group, "[4, 4, 4, 4]");
        test_unitarity((lat_group)group);
    }
    return tap_end();
}
