/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * heatbath.c: the heatbath draws links from their conditional distribution, the von Mises distribution about the
 * staple; overrelaxation reflects them about it and leaves the action as it is.  Histograms are compared by chi^2 at
 * 5.5 standard deviations: 13 tests, all together false by chance with a probability of 5e-7.
 */
#include "lattice/gauge/kernels.h"
#include "tests/chain.h"

enum { BINS = 50 };
static const double most_sigmas = 5.5;

/* int_0^x exp(kappa (cos t - 1)) dt by Simpson's rule, which is spectrally exact where the weight is smooth. */
static double weight_below(double x, double kappa)
{
    enum { INTERVALS = 200 };
    double sum = 0;
    for (int i = 0; i <= INTERVALS; i++) {
        double factor = i == 0 || i == INTERVALS ? 1 : i % 2 ? 4 : 2;
        sum += factor * exp(-2 * kappa * pow(sin(0.5 * x * i / INTERVALS), 2));
    }
    return sum * x / (3 * INTERVALS);
}

/* Distribution function of the von Mises distribution on [-pi, pi]; beyond `far` the weight is below 1e-30. */
static double von_mises_cdf(double x, double kappa)
{
    double far = kappa > 40 ? sqrt(160 / kappa) : M_PI;
    double part = weight_below(fmin(fabs(x), far), kappa) / (2 * weight_below(far, kappa));
    return x < 0 ? 0.5 - part : 0.5 + part;
}

/* The angles that cut the distribution in BINS parts of equal weight, by bisection. */
static void quantiles(double kappa, double edge[BINS + 1])
{
    for (int i = 0; i <= BINS; i++) {
        double low = -M_PI, high = M_PI;
        for (int round = 0; round < 50; round++) {
            double middle = 0.5 * (low + high);
            if (von_mises_cdf(middle, kappa) < (double)i / BINS)
                low = middle;
            else
                high = middle;
        }
        edge[i] = low;
    }
}

static double get(const lat_field *f, int64_t i)
{
    return f->precision == LAT_FLOAT ? ((float *)f->data)[i] : ((double *)f->data)[i];
}

/* Adds up the histograms of all ranks and compares them with a uniform distribution. */
static void check_uniform(int64_t *histogram, const char *name)
{
    MPI_Allreduce(MPI_IN_PLACE, histogram, BINS, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
    double total = 0, chi_square = 0;
    for (int i = 0; i < BINS; i++) total += (double)histogram[i];
    for (int i = 0; i < BINS; i++) chi_square += pow((double)histogram[i] - total / BINS, 2) / (total / BINS);
    double sigmas = chi_square_sigmas(chi_square, BINS - 1);
    ok(total >= 1e4 && fabs(sigmas) < most_sigmas, "%s: %.0f deviates, chi^2 %.1f of %d bins", name, total, chi_square,
       BINS);
}

static void count(int64_t *histogram, const double edge[BINS + 1], double x)
{
    int bin = 0;
    while (bin < BINS - 1 && x >= edge[bin + 1]) bin++;
    histogram[bin]++;
}

/* In a cold two-dimensional lattice every staple is 2, so that a link has kappa = 2 beta. */
static void test_von_mises(double kappa, lat_precision precision)
{
    enum { ROUNDS = 10 };
    lat_error error = {0};
    lat_geometry *g;
    if (lat_geometry_create(MPI_COMM_WORLD,
                            &(lat_shape){.dim = 2, .size = {32, 32}, .members = 16, .precision = precision}, &g,
                            &error))
        lat_abort(error.status, "%s", error.text);
    lat_gauge *gauge = lat_gauge_create(g, LAT_U1, precision);
    double edge[BINS + 1];
    quantiles(kappa, edge);
    int64_t histogram[BINS] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        lat_random random = {.seed = 17, .purpose = LAT_RANDOM_TEST, .step = (uint64_t)round};
        lat_field_zero(gauge->links);
        heatbath_args args = {lat_tables_of(g), gauge->links->data, 0.5 * kappa, round % 2, lat_random_key(&random)};
        lat_range range = lat_range_of(g, &g->parity[round % 2]);
        lat_kernels_of(gauge->links, LAT_U1)->heatbath(&args, &range);
        for (int64_t i = 0; i < range.count; i++)
            for (int lane = 0; lane < g->blocks * g->members; lane++)
                count(histogram, edge, get(gauge->links, (range.site[i] * 2 + round % 2) * g->lanes + lane));
    }
    char *name = lat_text("von Mises with kappa = %g, %s", kappa, lat_precision_names[precision]);
    check_uniform(histogram, name);
    free(name);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* A gauge field of one member as a plain array, and the staple at a link of it, from its definition. */
typedef struct {
    int dim;
    int64_t size[LAT_MAX_DIM];
    double *angle; /* [site][direction] */
} plain;

static int64_t next_site(const plain *p, int64_t site, int mu, int sign)
{
    int64_t stride = 1;
    for (int i = 0; i < mu; i++) stride *= p->size[i];
    int64_t c = site / stride % p->size[mu];
    return site + ((c + sign + p->size[mu]) % p->size[mu] - c) * stride;
}

static double angle(const plain *p, int64_t site, int mu) { return p->angle[site * p->dim + mu]; }

/* Re and Im of A: the sum of the plaquettes through the link is Re exp(i angle) A. */
static void staple(const plain *p, int64_t x, int mu, double *re, double *im)
{
    *re = *im = 0;
    for (int nu = 0; nu < p->dim; nu++) {
        if (nu == mu) continue;
        int64_t ahead = next_site(p, x, mu, 1), below = next_site(p, x, nu, -1);
        double up = angle(p, ahead, nu) - angle(p, next_site(p, x, nu, 1), mu) - angle(p, x, nu);
        double down = -angle(p, next_site(p, below, mu, 1), nu) - angle(p, below, mu) + angle(p, below, nu);
        *re += cos(up) + cos(down);
        *im += sin(up) + sin(down);
    }
}

/* Parity of a site. */
static int parity_of(const plain *p, int64_t site)
{
    int64_t sum = 0;
    for (int mu = 0; mu < p->dim; mu++, site /= p->size[mu - 1]) sum += site % p->size[mu];
    return (int)(sum % 2);
}

/* The last links that a sweep draws see what all others have become: their distribution given these is known. */
static void test_conditional(const char *lattice, double beta)
{
    char *text = lat_text("lattice = { group = \"u1\"; size = %s; }; action = ( { kind = \"wilson\"; beta = %g; } );"
                          "chain = { seed = 9; replicas = 8; }; updates = ( { kind = \"heatbath\"; count = 2; } );",
                          lattice, beta);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    const lat_geometry *g = t.chain->geometry;
    plain p = {.dim = g->dim, .angle = lat_alloc(g->volume * g->dim, sizeof(double))};
    memcpy(p.size, g->size, sizeof p.size);
    double unit[BINS + 1];
    for (int i = 0; i <= BINS; i++) unit[i] = (double)i / BINS;
    int64_t histogram[BINS] = {0};
    for (int round = 0; round < 10; round++) {
        chain_run(&t, 1);
        for (int member = 0; member < mc_replicas(t.chain->state); member++) {
            lat_field_gather(t.chain->state->gauge->links, member, p.angle);
            for (int64_t x = g->rank; x < g->volume; x += g->rank_count) {
                double re, im;
                if (parity_of(&p, x) == 0) continue;
                staple(&p, x, p.dim - 1, &re, &im);
                double from_staple = remainder(angle(&p, x, p.dim - 1) + atan2(im, re), 2 * M_PI);
                count(histogram, unit, von_mises_cdf(from_staple, beta * hypot(re, im)));
            }
        }
    }
    char *name = lat_text("links of %s at beta = %g given all others", lattice, beta);
    check_uniform(histogram, name);
    free(name);
    free(text);
    free(p.angle);
    chain_end(&t);
}

/* At beta = 0 a link is a deviate turned by the phase of its staple: that of a link which is drawn last. */
static double last_deviate(int count)
{
    char *text = lat_text(
        "lattice = { group = \"u1\"; size = [4, 4]; ranks = [1, 1]; }; action = ( { kind = \"wilson\"; beta = 0; } );"
        "chain = { seed = 9; }; updates = ( { kind = \"heatbath\"; count = %d; } );",
        count);
    test_chain t = chain_begin(MPI_COMM_SELF, text);
    double angles[32], re, im;
    plain p = {.dim = 2, .size = {4, 4}, .angle = angles};
    chain_run(&t, 1);
    lat_field_gather(t.chain->state->gauge->links, 0, angles);
    staple(&p, 14, 1, &re, &im);
    chain_end(&t);
    free(text);
    return remainder(angle(&p, 14, 1) + atan2(im, re), 2 * M_PI);
}

static void test_overrelax(const char *lattice)
{
    char *text = lat_text("lattice = { group = \"u1\"; size = %s; }; action = ( { kind = \"wilson\"; beta = 1.5; } );"
                          "chain = { seed = 9; replicas = 4; }; updates = ( { kind = \"overrelax\"; count = 5; } );",
                          lattice);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    const lat_geometry *g = t.chain->geometry;
    double before[4], after[4], change = 0, moved = 0;
    double *start = lat_alloc(g->volume * g->dim, sizeof *start), *end = lat_alloc(g->volume * g->dim, sizeof *end);
    lat_action_total(t.chain->action, t.chain->state->gauge, before);
    lat_field_gather(t.chain->state->gauge->links, 1, start);
    chain_run(&t, 1);
    lat_action_total(t.chain->action, t.chain->state->gauge, after);
    lat_field_gather(t.chain->state->gauge->links, 1, end);
    for (int m = 0; m < 4; m++) change = fmax(change, fabs(after[m] / before[m] - 1));
    for (int64_t i = 0; i < g->volume * g->dim; i++) moved += fabs(remainder(end[i] - start[i], 2 * M_PI));
    ok(change < 1e-13, "%s: overrelaxation leaves the action as it is (%.2g)", lattice, change);
    ok(moved > 0.5 * (double)(g->volume * g->dim), "%s: and moves the links", lattice);
    free(start);
    free(end);
    free(text);
    chain_end(&t);
}

/* What cannot be swept is refused. */
static void test_refusals(void)
{
    static const char *const wrong[] = {
        "lattice = { group = \"u1\"; size = [5, 4]; lanes = [1, 1]; ranks = [1, 1]; }; action = ( { kind = \"wilson\"; "
        "beta = 1.0; } );",
        "lattice = { group = \"u1\"; size = [4, 4]; lanes = [1, 1]; ranks = [1, 1]; };"
        "action = ( { kind = \"wilson\"; beta = 1.0; }, { kind = \"wilson\"; beta = 2.0; } );",
    };
    for (int i = 0; i < 2; i++) {
        lat_error error = {0};
        lat_settings *root;
        mc_chain *chain;
        mc_update **updates;
        int count;
        char *text = lat_text("%s updates = ( { kind = \"heatbath\"; } );", wrong[i]);
        if (lat_settings_parse(text, "test", &root, &error) ||
            mc_chain_create(MPI_COMM_SELF, root, lat_action_kinds, lat_dirac_tables, ".", &chain, &error))
            lat_abort(error.status, "%s", error.text);
        ok(chain_updates(root, chain, &updates, &count, &error) == LAT_CONFIG, "refused: %s", error.text);
        mc_chain_free(chain);
        lat_settings_free(root);
        free(text);
    }
}

int main(int argc, char **argv)
{
    static const double kappa[] = {1e-6, 0.1, 2, 50, 1e4};
    tap_start(&argc, &argv);
    for (size_t i = 0; i < sizeof kappa / sizeof *kappa; i++)
        for (int p = 0; p < LAT_PRECISIONS; p++)
            if (kappa[i] <= 50 || p == LAT_DOUBLE)
                test_von_mises(kappa[i], (lat_precision)p); /* float angles are too coarse */
    test_conditional("[16, 16]", 0.4);
    test_conditional("[16, 16]", 3);
    test_conditional("[8, 4, 8]", 1.5);
    test_conditional("[4, 4, 4, 4]", 0.9);
    ok(fabs(last_deviate(1) - last_deviate(2)) > 1e-6, "the second sweep draws other numbers than the first");
    test_overrelax("[16, 8]");
    test_overrelax("[4, 8, 4]");
    test_refusals();
    return tap_end();
}
