/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * groups.c: the algebra of a link, for every group and precision, as the kernels do it, against matrices in extended
 * precision: exponential, products, Haar measure, subgroups.  The statistical tests, 24 of 6 standard deviations (those
 * of U(1) see the same numbers twice), fail by chance with a probability of 5e-8; their random numbers are fixed.
 */
#include "tests/tap.h"

#include "lattice/gauge/kernels.h"
#include "lattice/kernels/real.h"

#include "lattice/group/su3.h"

#include <complex.h>

typedef long double complex entry;
typedef struct {
    entry e[9];
} matrix;

typedef struct {
    lat_group group;
    lat_precision precision;
    int n, reals, generators;
    double eps;
    char name[32];
} setup;

static lat_random stream(uint64_t step) { return (lat_random){.seed = 11, .purpose = LAT_RANDOM_TEST, .step = step}; }

static matrix scaled(entry s, matrix a)
{
    for (int i = 0; i < 9; i++) a.e[i] *= s;
    return a;
}

static matrix sum(matrix a, matrix b)
{
    for (int i = 0; i < 9; i++) a.e[i] += b.e[i];
    return a;
}

static matrix product(matrix a, matrix b, int n)
{
    matrix c = {{0}};
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int k = 0; k < n; k++) c.e[3 * i + j] += a.e[3 * i + k] * b.e[3 * k + j];
    return c;
}

static matrix dagger(matrix a)
{
    matrix c;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) c.e[3 * i + j] = conjl(a.e[3 * j + i]);
    return c;
}

static matrix one(int n)
{
    matrix c = {{0}};
    for (int i = 0; i < n; i++) c.e[4 * i] = 1;
    return c;
}

static entry trace(matrix a) { return a.e[0] + a.e[4] + a.e[8]; }

static entry determinant(matrix a, int n)
{
    const entry *e = a.e;
    if (n == 1) return e[0];
    if (n == 2) return e[0] * e[4] - e[1] * e[3];
    return e[0] * (e[4] * e[8] - e[5] * e[7]) - e[1] * (e[3] * e[8] - e[5] * e[6]) + e[2] * (e[3] * e[7] - e[4] * e[6]);
}

static double distance(matrix a, matrix b)
{
    long double most = 0;
    for (int i = 0; i < 9; i++) most = fmaxl(most, cabsl(a.e[i] - b.e[i]));
    return (double)most;
}

/* What a link stores, as a matrix. */
static matrix link_as_matrix(const setup *s, const double *link)
{
    matrix m = {{0}};
    if (s->group == LAT_U1) m.e[0] = cexpl(1.0il * link[0]);
    if (s->group == LAT_SU2) {
        m.e[0] = link[0] + 1.0il * link[3];
        m.e[1] = link[2] + 1.0il * link[1];
        m.e[3] = -link[2] + 1.0il * link[1];
        m.e[4] = link[0] - 1.0il * link[3];
    }
    if (s->group == LAT_SU3)
        for (int i = 0; i < 9; i++) m.e[i] = link[2 * i] + 1.0il * link[2 * i + 1];
    return m;
}

/* a_a T_a, from the matrices of Pauli and Gell-Mann */
static matrix algebra_as_matrix(const setup *s, const double *a)
{
    const long double third = 1 / sqrtl(3);
    matrix h = {{0}};
    if (s->group == LAT_U1) return (matrix){{1.0il * a[0]}};
    if (s->group == LAT_SU2)
        h = (matrix){{a[2], a[0] - 1.0il * a[1], 0, a[0] + 1.0il * a[1], -a[2]}};
    else
        h = (matrix){{a[2] + third * a[7], a[0] - 1.0il * a[1], a[3] - 1.0il * a[4], a[0] + 1.0il * a[1],
                      third * a[7] - a[2], a[5] - 1.0il * a[6], a[3] + 1.0il * a[4], a[5] + 1.0il * a[6],
                      -2 * third * a[7]}};
    return scaled(0.5il, h);
}

/* exp(a) by its power series for a / 2^20, squared twenty times; good to 1e-13 */
static matrix exponential(matrix a, int n)
{
    matrix power = one(n), e = one(n), small = scaled(0x1p-10L, a);
    for (int k = 1; k < 40; k++) {
        power = scaled(1.0L / k, product(power, small, n));
        e = sum(e, power);
    }
    for (int i = 0; i < 10; i++) e = product(e, e, n);
    return e;
}

static lat_geometry *geometry_of(const setup *s, int64_t extent)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 4, .size = {extent, extent, extent, extent}, .precision = s->precision};
    if (lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    return g;
}

static double *values_of(const lat_field *f)
{
    double *values = lat_alloc(f->geometry->volume * f->components, sizeof *values);
    lat_field_gather(f, 0, values);
    return values;
}

/* How far a link is from the group. */
static double off_group(const setup *s, matrix u)
{
    double unitary = distance(product(u, dagger(u), s->n), one(s->n));
    return s->group == LAT_U1 ? unitary : fmax(unitary, (double)cabsl(determinant(u, s->n) - 1));
}

/* ------------------------------------------------------------------------------------------------------ exponential */

/* Algebra elements that are hard: tiny, large, and with eigenvalues that are equal or almost so. */
static void hard_element(const setup *s, int64_t i, double *a)
{
    static const double sizes[] = {0,   1e-300, 1e-160,           1e-17, 1e-9, 1e-4, 0.1, 0.5, 0.8, 0.9, 1,
                                   1.2, 2,      3.14159265358979, 6,     20,   100};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    int special = (int)(i / SIZES) % 4;
    double size = sizes[i % SIZES], norm = 0;
    lat_random r = stream(1);
    for (int c = 0; c < s->generators; c += 4) {
        double u[4];
        lat_uniform4(&r, (uint64_t)i, 0, 0, (uint64_t)c, u);
        for (int k = 0; k < 4 && c + k < s->generators; k++) a[c + k] = 2 * u[k] - 1;
    }
    for (int c = 0; c < s->generators && special > 0; c++) {
        if (special == 1) a[c] = c == s->generators - 1;                   /* two eigenvalues are equal */
        if (special == 2) a[c] = c == s->generators - 1 ? 1 : 1e-9 * a[c]; /* almost */
        if (special == 3) a[c] = c == 2;                                   /* one eigenvalue is zero */
    }
    for (int c = 0; c < s->generators; c++) norm += a[c] * a[c];
    for (int c = 0; c < s->generators; c++) a[c] *= size / fmax(sqrt(norm), 1e-3);
}

static void test_exponential(const setup *s)
{
    lat_geometry *g = geometry_of(s, 4);
    lat_gauge *gauge = lat_gauge_create(g, s->group, s->precision);
    lat_field *algebra = lat_field_algebra(g, s->group, s->precision);
    int64_t count = g->volume * g->dim;
    double *a = lat_alloc(count * s->generators, sizeof *a), worst = 0, off = 0, tiny = 0;
    for (int64_t i = 0; i < count; i++) hard_element(s, i, a + i * s->generators);
    lat_field_scatter(algebra, 0, a);
    lat_field_gather(algebra, 0, a); /* as the precision rounds them */
    lat_gauge_exp_update(gauge, 1, algebra);
    double *u = values_of(gauge->links);
    for (int64_t i = 0; i < count; i++) {
        double size = 0;
        for (int c = 0; c < s->generators; c++) size = fmax(size, fabs(a[i * s->generators + c]));
        matrix got = link_as_matrix(s, u + i * s->reals), x = algebra_as_matrix(s, a + i * s->generators);
        worst = fmax(worst, distance(got, exponential(x, s->n)) / (1 + size));
        off = fmax(off, off_group(s, got));
        if (size < 1e-8 && size > 0) tiny = fmax(tiny, distance(got, sum(one(s->n), x)) / size);
    }
    ok(worst < 8 * s->eps, "%s: the exponential (error %.2g)", s->name, worst);
    ok(off < 8 * s->eps, "%s: it is in the group (%.2g)", s->name, off);
    ok(tiny < 1e-6 || s->precision == LAT_FLOAT, "%s: tiny ones are linear (%.2g)", s->name, tiny);
    free(a);
    free(u);
    lat_gauge_free(gauge);
    lat_field_free(algebra);
    lat_geometry_free(g);
}

/* --------------------------------------------------------------------------------------------------------- products */

static void test_products(const setup *s)
{
    lat_geometry *g = geometry_of(s, 4);
    lat_gauge *gauge = lat_gauge_create(g, s->group, s->precision);
    lat_field *turn = lat_field_create(g, s->reals, s->precision);
    lat_field *line = lat_field_create(g, s->reals, s->precision);
    lat_random r = stream(2), t = stream(3);
    lat_gauge_haar(gauge, &r);
    lat_field_haar(turn, s->group, &t);
    lat_halo_exchange(turn);
    double *u = values_of(gauge->links), *v = values_of(turn), worst_line = 0, worst_turn = 0;
    lat_range range = lat_block(g);
    extend_line_args args = {lat_tables_of(g), gauge->links->data, turn->data, line->data, 1};
    lat_kernels_of(gauge->links, s->group)->extend_line(&args, &range);
    lat_gauge_transform(gauge, turn);
    double *l = values_of(line), *w = values_of(gauge->links);
    for (int64_t x = 0; x < g->volume; x++)
        for (int mu = 0; mu < 4; mu++) {
            int64_t stride = 1, i = x * 4 + mu;
            for (int nu = 0; nu < mu; nu++) stride *= 4;
            int64_t up = x / stride % 4 == 3 ? x - 3 * stride : x + stride;
            matrix link = link_as_matrix(s, u + i * s->reals), end = link_as_matrix(s, v + up * s->reals);
            matrix here = link_as_matrix(s, v + x * s->reals),
                   turned = product(product(here, link, s->n), dagger(end), s->n);
            worst_turn = fmax(worst_turn, distance(turned, link_as_matrix(s, w + i * s->reals)));
            if (mu == 1)
                worst_line = fmax(worst_line, distance(product(link, end, s->n), link_as_matrix(s, l + x * s->reals)));
        }
    ok(worst_line < 16 * s->eps, "%s: products (error %.2g)", s->name, worst_line);
    ok(worst_turn < 16 * s->eps, "%s: products with adjoints (error %.2g)", s->name, worst_turn);
    free(u);
    free(v);
    free(l);
    free(w);
    lat_gauge_free(gauge);
    lat_field_free(turn);
    lat_field_free(line);
    lat_geometry_free(g);
}

/* ----------------------------------------------------------------------------------------------------- Haar measure */

/* Averages over the group that are known: of matrix elements, their squares, and powers of the trace. */
static void test_haar(const setup *s)
{
    enum { MOMENTS = 6 };
    static const char *const names[MOMENTS] = {"Re U_01..", "|U_00|^2",   "|tr U|^2",
                                               "|tr U|^4",  "Re tr(U)^N", "Re U_00 U_11*"};
    const double exact[MOMENTS] = {0, 1.0 / s->n, 1, s->n == 1 ? 1 : 2, s->n > 1, 0};
    lat_geometry *g = geometry_of(s, 8);
    lat_gauge *gauge = lat_gauge_create(g, s->group, s->precision);
    lat_random r = stream(4);
    lat_gauge_haar(gauge, &r);
    double *u = values_of(gauge->links), mean[MOMENTS] = {0}, square[MOMENTS] = {0}, off = 0;
    int64_t count = g->volume * 4;
    for (int64_t i = 0; i < count; i++) {
        matrix m = link_as_matrix(s, u + i * s->reals);
        entry t = trace(m), last = m.e[s->n == 1 ? 0 : 1],
              turn = s->group == LAT_SU3 ? t * t * t
                     : s->n == 2         ? t * t
                                         : t;
        double value[MOMENTS] = {
            (double)creall(last),          (double)(cabsl(m.e[0]) * cabsl(m.e[0])),
            (double)(cabsl(t) * cabsl(t)), (double)powl(cabsl(t), 4),
            (double)creall(turn),          s->n == 3 ? (double)creall(m.e[0] * conjl(m.e[4])) : (double)cimagl(m.e[0])};
        off = fmax(off, off_group(s, m));
        for (int k = 0; k < MOMENTS; k++) {
            mean[k] += value[k] / (double)count;
            square[k] += value[k] * value[k] / (double)count;
        }
    }
    ok(off < 8 * s->eps, "%s: random links->links are in the group (%.2g)", s->name, off);
    for (int k = 0; k < MOMENTS; k++) {
        double error = sqrt(fmax(0, square[k] - mean[k] * mean[k]) / (double)count);
        ok(fabs(mean[k] - exact[k]) <= 6 * error + 1e-6, "%s: Haar measure, %s: %.4f +- %.4f", s->name, names[k],
           mean[k], error);
    }
    free(u);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* -------------------------------------------------------------------------------------------------------- subgroups */

/* Lane 0 of a link of the kernels. */
static matrix lane_matrix(link_t u)
{
    scalar memory[18 * REAL_LANES] __attribute__((aligned(64)));
    matrix m;
    link_store(memory, REAL_LANES, u);
    for (int i = 0; i < 9; i++) m.e[i] = memory[2 * i * REAL_LANES] + 1.0il * memory[(2 * i + 1) * REAL_LANES];
    return m;
}

static link_t random_matrix(uint64_t step)
{
    scalar memory[18 * REAL_LANES] __attribute__((aligned(64)));
    lat_random r = stream(step);
    for (int i = 0; i < 18 * REAL_LANES; i++) {
        double u[4];
        lat_uniform4(&r, (uint64_t)i, 0, 0, 0, u);
        memory[i] = 2 * u[0] - 1;
    }
    return link_load(memory, REAL_LANES);
}

static void test_subgroups(void)
{
    static const int rows[SUBGROUPS][2] = {{0, 1}, {0, 2}, {1, 2}};
    const double g[4] = {0.5, -0.1, 0.7, 0.5};
    const real element[4] = {real_of(g[0]), real_of(g[1]), real_of(g[2]), real_of(g[3])};
    double worst_product = 0, worst_trace = 0;
    for (int s = 0; s < SUBGROUPS; s++) {
        link_t w = random_matrix(20 + (uint64_t)s);
        matrix embedded = one(3), m = lane_matrix(w);
        int i = rows[s][0], j = rows[s][1];
        embedded.e[4 * i] = g[0] + 1.0il * g[3];
        embedded.e[3 * i + j] = g[2] + 1.0il * g[1];
        embedded.e[3 * j + i] = -g[2] + 1.0il * g[1];
        embedded.e[4 * j] = g[0] - 1.0il * g[3];
        matrix right = product(embedded, m, 3);
        worst_product = fmax(worst_product, distance(lane_matrix(link_subgroup_mul(element, s, w)), right));
        real v[4];
        matrix_subgroup(w, s, v);
        double part = 2 * (g[0] * v[0][0] - g[1] * v[1][0] - g[2] * v[2][0] - g[3] * v[3][0]);
        double rest = (double)creall(m.e[4 * (3 - i - j)]);
        worst_trace = fmax(worst_trace, fabs(part + rest - (double)creall(trace(right))));
    }
    ok(worst_product < 1e-14, "su3: products with elements of the three subgroups (%.2g)", worst_product);
    ok(worst_trace < 1e-14, "su3: the part of the trace that a subgroup changes (%.2g)", worst_trace);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (int group = 0; group < LAT_GROUPS; group++)
        for (int precision = 0; precision < LAT_PRECISIONS; precision++) {
            setup s = {.group = (lat_group)group,
                       .precision = (lat_precision)precision,
                       .n = group == LAT_U1    ? 1
                            : group == LAT_SU2 ? 2
                                               : 3,
                       .reals = lat_link_reals((lat_group)group),
                       .generators = lat_algebra_reals((lat_group)group),
                       .eps = precision == LAT_FLOAT ? 0x1p-23 : 0x1p-52};
            snprintf(s.name, sizeof s.name, "%s, %s", lat_group_names[group], lat_precision_names[precision]);
            test_exponential(&s);
            test_products(&s);
            test_haar(&s);
        }
    test_subgroups();
    return tap_end();
}
