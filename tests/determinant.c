/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * determinant.c: the determinant of Wilson quarks as an action is that of the matrix in the definition, with the force that is its
 * derivative; gauge invariant, the same on any number of ranks and lanes and beside any other member; known numbers of the Schwinger
 * model, and of free quarks.
 */
#include "lattice/dirac/determinant.h"
#include "tests/matrix.h"

#include <lapacke.h>

typedef struct {
    const char *name;
    lat_group group;
    int dim;
    int64_t size[LAT_MAX_DIM];
    const lat_dirac_table *kind;
    lat_dirac_parameters parameters;
} situation;

static const situation situations[] = {
    {"u1 on 6 x 4", LAT_U1, 2, {6, 4}, &lat_dirac_wilson, {.kappa = 0.26, .angle = {0, 1}}},
    {"u1 with a twist on 4 x 6", LAT_U1, 2, {4, 6}, &lat_dirac_wilson, {.kappa = 0.2, .mu = 0.4, .angle = {0.3, 0.7}}},
    {"u1 on 2 x 8", LAT_U1, 2, {2, 8}, &lat_dirac_wilson, {.kappa = 0.24, .angle = {1, 1}}},
    {"su2 on 8 x 4", LAT_SU2, 2, {8, 4}, &lat_dirac_wilson, {.kappa = 0.25, .mu = -0.2, .angle = {0, 1}}},
    {"su3 on 4 x 8", LAT_SU3, 2, {4, 8}, &lat_dirac_wilson, {.kappa = 0.23, .angle = {0.5, 1}}},
    {"u1 in four dimensions",
     LAT_U1,
     4,
     {2, 4, 2, 4},
     &lat_dirac_wilson,
     {.kappa = 0.14, .mu = 0.3, .angle = {0, 0.2, 0, 1}}},
    {"su2 in four dimensions", LAT_SU2, 4, {2, 2, 2, 4}, &lat_dirac_wilson, {.kappa = 0.13, .angle = {0, 0, 0, 1}}},
    {"su3 in four dimensions", LAT_SU3, 4, {4, 2, 2, 2}, &lat_dirac_wilson, {.kappa = 0.12, .angle = {0, 0, 0, 1}}},
    {"u1, clover, on 6 x 4", LAT_U1, 2, {6, 4}, &lat_dirac_clover, {.kappa = 0.24, .csw = 1.2, .angle = {0, 1}}},
    {"su3, clover with a twist on 4 x 6",
     LAT_SU3,
     2,
     {4, 6},
     &lat_dirac_clover,
     {.kappa = 0.22, .csw = 0.9, .mu = 0.3, .angle = {0.3, 0.7}}},
    {"su2, exponential clover, stout, on 4 x 4",
     LAT_SU2,
     2,
     {4, 4},
     &lat_dirac_exponential_clover,
     {.kappa = 0.22, .csw = 1.1, .angle = {0, 1}, .stout = {2, 0.15}}},
    {"su2, stout, in four dimensions",
     LAT_SU2,
     4,
     {2, 2, 2, 4},
     &lat_dirac_wilson,
     {.kappa = 0.13, .angle = {0, 0, 0, 1}, .stout = {1, 0.1}}},
    {"su3, clover with a twist, in four dimensions",
     LAT_SU3,
     4,
     {2, 2, 4, 2},
     &lat_dirac_clover,
     {.kappa = 0.12, .csw = 1.3, .mu = 0.4, .angle = {0, 0, 0.5, 1}}},
    {"su2, exponential clover, in four dimensions",
     LAT_SU2,
     4,
     {2, 4, 2, 2},
     &lat_dirac_exponential_clover,
     {.kappa = 0.13, .csw = 1.5, .angle = {0, 0, 0, 1}}},
};

static lat_random stream(uint64_t step) { return (lat_random){.seed = 7, .purpose = LAT_RANDOM_TEST, .step = step}; }

typedef struct {
    lat_geometry *geometry;
    lat_gauge *gauge;
    lat_dirac *dirac;
    lat_action *action;
} quarks;

static void stop(lat_status status, const lat_error *error)
{
    if (status) lat_abort(status, "%s", error->text);
}

static quarks begin(MPI_Comm comm, const situation *s, int members, int flavours, bool lanes)
{
    quarks q;
    lat_error error = {0};
    lat_shape shape = {.dim = s->dim, .members = members, .halo = 1};
    memcpy(shape.size, s->size, sizeof shape.size);
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) shape.lane_grid[mu] = !lanes;
    stop(lat_geometry_create(comm, &shape, &q.geometry, &error), &error);
    q.gauge = lat_gauge_create(q.geometry, s->group, LAT_DOUBLE);
    stop(lat_dirac_create(s->kind, q.geometry, s->group, &s->parameters, &q.dirac, &error), &error);
    q.action = lat_action_determinant(q.dirac, flavours, &error);
    stop(error.status, &error);
    return q;
}

static void end(quarks *q)
{
    lat_action_free(q->action);
    lat_dirac_free(q->dirac);
    lat_gauge_free(q->gauge);
    lat_geometry_free(q->geometry);
}

static void draw(quarks *q, uint64_t step)
{
    lat_random random = stream(step);
    lat_gauge_haar(q->gauge, &random);
}

/* The action of member 0. */
static double value(quarks *q)
{
    double *sum = lat_alloc(q->geometry->members, sizeof *sum);
    lat_error error = {0};
    lat_action_total(q->action, q->gauge, sum);
    stop(lat_action_failed(q->action, &error), &error);
    double first = sum[0];
    free(sum);
    return first;
}

/* Of member 0: [site][direction][generator], to be freed. */
static double *force(quarks *q)
{
    lat_field *field = lat_field_algebra(q->geometry, q->gauge->group, LAT_DOUBLE);
    double *numbers = lat_alloc(q->geometry->volume * field->components, sizeof *numbers);
    lat_error error = {0};
    lat_action_force(q->action, q->gauge, 1, field);
    stop(lat_action_failed(q->action, &error), &error);
    lat_field_gather(field, 0, numbers);
    lat_field_free(field);
    return numbers;
}

static int64_t force_count(const quarks *q)
{
    return q->geometry->volume * q->geometry->dim * lat_algebra_reals(q->gauge->group);
}

/* ------------------------------------------------------------------------------------------------- by definition */

/* gamma_mu, as a product of Pauli matrices where they are in four dimensions off the diagonal: e above and e^+ below it. */
static double complex gamma_entry(int dim, int mu, int row, int column)
{
    static const double complex pauli[3][2][2] = {{{0, 1}, {1, 0}}, {{0, -I}, {I, 0}}, {{1, 0}, {0, -1}}};
    if (dim == 2) return pauli[mu][row][column];
    static const double complex factor[] = {I, -I, I};
    int r = row % 2, c = column % 2;
    if (row / 2 == column / 2) return 0;
    if (mu == 3) return r == c;
    return row < 2 ? factor[mu] * pauli[mu][r][c] : conj(factor[mu] * pauli[mu][c][r]);
}

typedef struct {
    const plain_field *f;
    int spins, n;
    int64_t rows;
    double complex *a;
} plain_matrix;

static void add_hop(plain_matrix *m, double kappa, int64_t from, int64_t to, int mu, int sign, matrix u)
{
    for (int s = 0; s < m->spins; s++)
        for (int r = 0; r < m->spins; r++) {
            double complex spin = (s == r) - sign * gamma_entry(m->f->dim, mu, s, r);
            for (int i = 0; i < m->n; i++)
                for (int j = 0; j < m->n; j++) {
                    int64_t row = (from * m->spins + s) * m->n + i, column = (to * m->spins + r) * m->n + j;
                    m->a[row * m->rows + column] -= kappa * spin * u.a[i][j];
                }
        }
}

static void fill(plain_matrix *m, const lat_dirac_parameters *p, int64_t volume)
{
    for (int64_t x = 0; x < volume; x++) {
        for (int i = 0; i < m->spins * m->n; i++) {
            int64_t row = x * m->spins * m->n + i;
            m->a[row * (m->rows + 1)] += 1 + 2 * I * p->kappa * p->mu * (i < m->spins * m->n / 2 ? 1 : -1);
        }
        for (int mu = 0; mu < m->f->dim; mu++) {
            int64_t next = plain_next(m->f, x, mu, 1);
            matrix u = plain_link(m->f, x, mu);
            for (int i = 0; i < 9 && next <= x; i++) u.a[i / 3][i % 3] *= cexp(I * M_PI * p->angle[mu]);
            add_hop(m, p->kappa, x, next, mu, 1, u);
            add_hop(m, p->kappa, next, x, mu, -1, matrix_dagger(u));
        }
    }
}

static double plain_log_det(const plain_field *f, const lat_dirac_parameters *p, int64_t volume)
{
    plain_matrix m = {.f = f, .spins = f->dim == 2 ? 2 : 4, .n = (int)f->group + 1};
    double sum = 0;
    m.rows = volume * m.spins * m.n;
    m.a = lat_alloc(m.rows * m.rows, sizeof *m.a);
    lapack_int n = (lapack_int)m.rows, *pivots = lat_alloc(n, sizeof *pivots);
    fill(&m, p, volume);
    if (LAPACKE_zgetrf(LAPACK_ROW_MAJOR, n, n, m.a, n, pivots)) lat_abort(LAT_NUMERICAL, "singular");
    for (int64_t i = 0; i < m.rows; i++) sum += log(cabs(m.a[i * (m.rows + 1)]));
    free(m.a);
    free(pivots);
    return sum;
}

/* Of the matrix of M itself, column by column. */
static double applied_log_det(quarks *q)
{
    lat_field *in = lat_field_spinor(q->geometry, q->gauge->group, LAT_DOUBLE),
              *out = lat_field_spinor(q->geometry, q->gauge->group, LAT_DOUBLE);
    const int64_t rows = q->geometry->volume * in->components / 2;
    double complex *unit = lat_alloc(rows, sizeof *unit), *a = lat_alloc(rows * rows, sizeof *a);
    lapack_int n = (lapack_int)rows, *pivots = lat_alloc(n, sizeof *pivots);
    lat_error error = {0};
    double sum = 0;
    stop(lat_dirac_prepare(q->dirac, q->gauge, &error), &error);
    for (int64_t i = 0; i < rows; i++) {
        unit[i] = 1;
        lat_field_scatter(in, 0, (double *)unit);
        lat_dirac_apply(q->dirac, (lat_dirac_form){0}, in, out);
        lat_field_gather(out, 0, (double *)(a + i * rows));
        unit[i] = 0;
    }
    if (LAPACKE_zgetrf(LAPACK_COL_MAJOR, n, n, a, n, pivots)) lat_abort(LAT_NUMERICAL, "singular");
    for (int64_t i = 0; i < rows; i++) sum += log(cabs(a[i * (rows + 1)]));
    free(unit);
    free(a);
    free(pivots);
    lat_field_free(in);
    lat_field_free(out);
    return sum;
}

/* The matrix is written out where A = 1, and elsewhere that of the operator. */
static double expected_log_det(quarks *q, const situation *s)
{
    const lat_geometry *g = q->geometry;
    if (s->kind != &lat_dirac_wilson || s->parameters.stout.steps > 0) return applied_log_det(q);
    plain_field f = {s->group, g->dim, {0}, lat_alloc(g->volume * q->gauge->links->components, sizeof(double))};
    memcpy(f.size, g->size, sizeof f.size);
    lat_field_gather(q->gauge->links, 0, f.real);
    double plain = tap.rank == 0 ? plain_log_det(&f, &s->parameters, g->volume) : 0;
    MPI_Bcast(&plain, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    free(f.real);
    return plain;
}

static void test_definition(quarks *q, const situation *s)
{
    double plain = -3 * expected_log_det(q, s);
    char *name = lat_text("%s: the value is that of the matrix, %.10g", s->name, plain);
    ok_near(value(q), plain, 1e-12 * (1 + fabs(plain)), name);
    free(name);
}

/* -------------------------------------------------------------------------------------------------------- properties */

/* Of fourth order in the step. */
static void test_derivative(quarks *q, const situation *s)
{
    static const double weight[] = {1, -8, 8, -1}, at[] = {-2, -1, 1, 2};
    const double step = 2e-3;
    lat_field *direction = lat_field_algebra(q->geometry, s->group, LAT_DOUBLE),
              *start = lat_field_create(q->geometry, q->gauge->links->components, LAT_DOUBLE);
    lat_random random = stream(3);
    double *numbers = lat_alloc(force_count(q), sizeof *numbers), *forces = force(q), slope = 0, product = 0;
    lat_field_gaussian(direction, &random);
    lat_field_gather(direction, 0, numbers);
    for (int64_t i = 0; i < force_count(q); i++) product += numbers[i] * forces[i];
    lat_field_copy(start, q->gauge->links);
    for (int i = 0; i < 4; i++) {
        lat_gauge_exp_update(q->gauge, at[i] * step, direction);
        slope += weight[i] * value(q) / (12 * step);
        lat_field_copy(q->gauge->links, start);
        lat_gauge_changed(q->gauge);
    }
    char *name = lat_text("%s: the force is the derivative, %.9g", s->name, product);
    ok_near(slope, product, 2e-7 * (1 + fabs(product)), name);
    free(name);
    free(numbers);
    free(forces);
    lat_field_free(start);
    lat_field_free(direction);
}

static double square(const double *numbers, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += numbers[i] * numbers[i];
    return sum;
}

static void test_invariance(quarks *q, const situation *s)
{
    lat_field *turn = lat_field_create(q->geometry, lat_link_reals(s->group), LAT_DOUBLE);
    lat_random random = stream(4);
    double *before = force(q), action = value(q);
    lat_field_haar(turn, s->group, &random);
    lat_halo_exchange(turn);
    lat_gauge_transform(q->gauge, turn);
    double *after = force(q), norm = square(before, force_count(q));
    ok(fabs(value(q) - action) < 1e-11 * (1 + fabs(action)) &&
           fabs(square(after, force_count(q)) - norm) < 1e-10 * norm,
       "%s: action and norm of the force are gauge invariant", s->name);
    free(before);
    free(after);
    lat_field_free(turn);
}

/* One member alone, on one rank, in one lane. */
static void test_independence(quarks *q, const situation *s, int member)
{
    quarks alone = begin(MPI_COMM_SELF, s, 1, 3, false);
    const int64_t count = force_count(q);
    double *links = lat_alloc(q->geometry->volume * q->gauge->links->components, sizeof *links);
    double *sums = lat_alloc(q->geometry->members, sizeof *sums), *here = lat_alloc(count, sizeof *here);
    lat_field *forces = lat_field_algebra(q->geometry, s->group, LAT_DOUBLE);
    lat_field_gather(q->gauge->links, member, links);
    lat_field_scatter(alone.gauge->links, 0, links);
    lat_gauge_changed(alone.gauge);
    lat_action_total(q->action, q->gauge, sums);
    lat_action_force(q->action, q->gauge, 1, forces);
    lat_field_gather(forces, member, here);
    double *there = force(&alone), sum = value(&alone);
    ok_all(sums[member] == sum && memcmp(here, there, (size_t)count * sizeof *here) == 0,
           "%s: member %d is the same to the last bit alone, on one rank and in one lane", s->name, member);
    free(links);
    free(sums);
    free(here);
    free(there);
    lat_field_free(forces);
    end(&alone);
}

static void test_situation(const situation *s)
{
    quarks q = begin(MPI_COMM_WORLD, s, 3, 3, true);
    draw(&q, 1);
    test_definition(&q, s);
    test_derivative(&q, s);
    for (int member = 0; member < 3; member += 2) test_independence(&q, s, member);
    test_invariance(&q, s);
    end(&q);
}

/* -------------------------------------------------------------------------------------------------------- known numbers */

/* Angles pi spread (h / 2^31 - 1) of the Schwinger model, h = fmix32(2 site + mu + 1 + 1000 salt), the last step of MurmurHash3. */
static const struct {
    int64_t size[2];
    int salt;
    double spread;
} angles[] = {{{4, 4}, 1, 1}, {{4, 4}, 2, 0.2}, {{6, 4}, 3, 1}, {{6, 4}, 4, 0.15}, {{4, 6}, 5, 0.5}};

/* log det M^+ M and its gradient g_i, i = 2 site + mu, computed with other programs (numpy; the determinants of the first two fields also with 20
 * digits): field, kappa, antiperiodic, log det, sum g_i^2, sum g_i sin i. */
static const struct {
    int field;
    double kappa, antiperiodic, log_det, square, sine;
} known[] = {
    {0, 0.1, 1, -0.01487867997262892, 0.0007278950627637487, -0.004256128536385838},
    {0, 0.1, 0, -0.008232415491495745, 0.0006323924628266561, -0.005629952534414324},
    {0, 0.2, 1, -0.2409323847588154, 0.1752560697553641, -0.04245950526669055},
    {0, 0.2, 0, -0.1477586421494625, 0.1531279998545847, -0.1004919922808941},
    {0, 0.25, 1, -0.6027301194841073, 1.051947274528642, -0.05473872170151615},
    {0, 0.25, 0, -0.3941883966336968, 0.9307511953978465, -0.3079927027704218},
    {0, 0.276, 1, -0.9175310851073848, 2.375145845265847, -0.04293239145378572},
    {0, 0.276, 0, -0.6219380898071774, 2.179214898309208, -0.5585021995868689},
    {1, 0.1, 1, 0.02652875451993643, 0.0005600341483307345, 0.004600697912051808},
    {1, 0.1, 0, -0.02082350386016456, 0.000524796908986723, 0.01027491478402148},
    {1, 0.2, 1, 0.6361184762667866, 0.1482992148781116, 0.08014761053342244},
    {1, 0.2, 0, -0.7122114739032956, 0.3654151574900467, 0.1224863011341469},
    {1, 0.25, 1, 2.11030328971454, 0.9372234795640522, 0.189088495787164},
    {1, 0.25, 0, -4.388035722157176, 39.29874178966889, 0.04756897710740199},
    {1, 0.276, 1, 3.578919854507196, 2.156770237790917, 0.2915448562563733},
    {1, 0.276, 0, -2.92612032633171, 82.35984282533526, 1.112787305946656},
    {2, 0.1, 1, 2.218487165832513e-05, 0.0005441500976208983, 0.01246489615878598},
    {2, 0.1, 0, -0.004583512600611975, 0.0007678185350058357, -0.03239790068543995},
    {2, 0.2, 1, -0.009928715632884846, 0.1490624638183266, 0.2194149855841195},
    {2, 0.2, 0, -0.056576762444414, 0.2048572422566325, -0.5081413946810274},
    {2, 0.25, 1, -0.04723501769330427, 0.9834924336931611, 0.5862528818983233},
    {2, 0.25, 0, -0.127904196909434, 1.361320743722937, -1.22958272568253},
    {2, 0.276, 1, -0.08545214748232086, 2.385013976600401, 0.8893340866602822},
    {2, 0.276, 0, -0.1935440274410323, 3.333381263053952, -1.837002115975377},
    {3, 0.1, 1, 0.07262120176381701, 0.0003752011280292994, -0.01358648015870611},
    {3, 0.1, 0, -0.004610795325707191, 0.0002039654200104985, 0.006156828702762782},
    {3, 0.2, 1, 1.482225428910601, 0.1496293274140988, -0.2688013778366036},
    {3, 0.2, 0, -0.3921466596996845, 0.08618834577847813, 0.1603493898586124},
    {3, 0.25, 1, 4.244303176699029, 1.004174113894432, -0.6539040845797257},
    {3, 0.25, 0, -4.263549381445023, 58.63196952709855, 1.385698616167021},
    {3, 0.276, 1, 6.684936485948593, 2.005603534037552, -0.8714053942037294},
    {3, 0.276, 0, 0.8452332840692172, 14.10762220308869, -1.844572281785036},
    {4, 0.1, 1, -0.000483767749978768, 0.0006966200624525708, 0.01180726531139391},
    {4, 0.1, 0, -0.0003611365107990499, 0.0006887825332176975, 0.01193423554799694},
    {4, 0.2, 1, -0.01438235834830594, 0.1854637816289894, 0.1538091559957035},
    {4, 0.2, 0, -0.02356974700355646, 0.1777752639169543, 0.16523265439587},
    {4, 0.25, 1, -0.02758972161178287, 1.162324370014094, 0.2842145538124123},
    {4, 0.25, 0, -0.139226003615453, 1.186648287076448, 0.3763059781737198},
    {4, 0.276, 1, -0.03235867238760905, 2.607859398669025, 0.3066543032276083},
    {4, 0.276, 0, -0.3442060353359507, 3.264441476890224, 0.5736570665060292},
};

static uint32_t mix(uint32_t h)
{
    h = (h ^ h >> 16) * 0x85ebca6b;
    h = (h ^ h >> 13) * 0xc2b2ae35;
    return h ^ h >> 16;
}

static void test_known(int i)
{
    const int field = known[i].field;
    situation s = {"",
                   LAT_U1,
                   2,
                   {angles[field].size[0], angles[field].size[1]},
                   &lat_dirac_wilson,
                   {.kappa = known[i].kappa, .angle = {0, known[i].antiperiodic}}};
    quarks q = begin(MPI_COMM_WORLD, &s, 1, 2, true);
    const int64_t count = force_count(&q);
    double *links = lat_alloc(count, sizeof *links), sine = 0;
    for (uint32_t k = 0; k < count; k++)
        links[k] = M_PI * angles[field].spread * (mix(k + 1 + 1000 * (uint32_t)angles[field].salt) / 2147483648.0 - 1);
    lat_field_scatter(q.gauge->links, 0, links);
    lat_gauge_changed(q.gauge);
    double log_det = -value(&q), *g = force(&q), norm = square(g, count);
    for (int64_t k = 0; k < count; k++) sine -= g[k] * sin((double)k);
    ok(fabs(log_det - known[i].log_det) < 1e-12 && fabs(norm - known[i].square) < 2e-12 * (1 + norm) &&
           fabs(sine - known[i].sine) < 1e-12 * (1 + norm),
       "field %d, kappa %g, %s: log det %.9g and its gradient", field, known[i].kappa,
       known[i].antiperiodic > 0 ? "antiperiodic" : "periodic", log_det);
    free(links);
    free(g);
    end(&q);
}

/* In momentum space M^+ M is ((1 - 2 kappa sum cos p)^2 + 4 kappa^2 (sum sin^2 p + mu^2)), for each spin and colour. */
static double free_log_det(const situation *s)
{
    const lat_dirac_parameters *p = &s->parameters;
    int64_t volume = 1;
    double sum = 0;
    for (int mu = 0; mu < s->dim; mu++) volume *= s->size[mu];
    for (int64_t k = 0; k < volume; k++) {
        double cosines = 0, sines = p->mu * p->mu;
        int64_t rest = k;
        for (int mu = 0; mu < s->dim; rest /= s->size[mu], mu++) {
            double momentum = M_PI * (2.0 * (double)(rest % s->size[mu]) + p->angle[mu]) / (double)s->size[mu];
            cosines += cos(momentum);
            sines += sin(momentum) * sin(momentum);
        }
        sum += 0.5 * log(pow(1 - 2 * p->kappa * cosines, 2) + 4 * p->kappa * p->kappa * sines);
    }
    return sum * (s->dim == 2 ? 2 : 4) * ((int)s->group + 1);
}

static void test_free(void)
{
    static const situation all[] = {
        {"u1 on 16 x 16", LAT_U1, 2, {16, 16}, &lat_dirac_wilson, {.kappa = 0.24, .angle = {0, 1}}},
        {"u1 on 32 x 32", LAT_U1, 2, {32, 32}, &lat_dirac_wilson, {.kappa = 0.24, .mu = 0.1, .angle = {0, 1}}},
        {"u1 on 8 x 64, periodic", LAT_U1, 2, {8, 64}, &lat_dirac_wilson, {.kappa = 0.2}},
        {"su3 on 8 x 16", LAT_SU3, 2, {8, 16}, &lat_dirac_wilson, {.kappa = 0.22, .angle = {0.4, 1}}},
        {"su3 in four dimensions",
         LAT_SU3,
         4,
         {2, 2, 4, 4},
         &lat_dirac_wilson,
         {.kappa = 0.12, .mu = 0.2, .angle = {0, 0, 0, 1}}},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        quarks q = begin(MPI_COMM_WORLD, &all[i], 1, 1, true);
        double expected = -free_log_det(&all[i]);
        char *name = lat_text("free quarks, %s: %.12g", all[i].name, expected);
        ok_near(value(&q), expected, 2e-14 * fabs(expected), name);
        free(name);
        end(&q);
    }
}

/* ----------------------------------------------------------------------------------------------------------- failures */

/* Constant spinors are zero modes of free quarks with 2 dim kappa = 1, in one of three members. */
static void test_zero_mode(int dim)
{
    situation s = {"", LAT_U1, dim, {4, 4, 4, 4}, &lat_dirac_wilson, {.kappa = 0.5 / dim}};
    if (dim == 4) memcpy(s.size, (int64_t[]){4, 2, 2, 2}, sizeof s.size);
    quarks q = begin(MPI_COMM_WORLD, &s, 3, 1, true);
    lat_error error = {0};
    double sum[3], *zeros = lat_alloc(q.geometry->volume * q.gauge->links->components, sizeof *zeros);
    lat_field *forces = lat_field_algebra(q.geometry, s.group, LAT_DOUBLE);
    draw(&q, 5);
    lat_field_scatter(q.gauge->links, 1, zeros);
    lat_gauge_changed(q.gauge);
    lat_action_total(q.action, q.gauge, sum);
    lat_status of_value = lat_action_failed(q.action, &error);
    ok_all(of_value == LAT_NUMERICAL && strstr(error.text, "member 1"), "%d dimensions: a zero mode is found: %s", dim,
           error.text);
    ok_all(isfinite(sum[0]) && isfinite(sum[2]), "%d dimensions: other members have their values", dim);
    lat_action_force(q.action, q.gauge, 1, forces);
    ok_all(lat_action_failed(q.action, &error) == LAT_NUMERICAL && lat_action_failed(q.action, &error) == LAT_DONE,
           "%d dimensions: a zero mode is found by the force", dim);
    free(zeros);
    lat_field_free(forces);
    end(&q);
}

static void test_refusal(const situation *s, const char *what)
{
    lat_error error = {0};
    lat_geometry *geometry;
    lat_dirac *dirac;
    lat_shape shape = {.dim = s->dim, .halo = 1};
    memcpy(shape.size, s->size, sizeof shape.size);
    stop(lat_geometry_create(MPI_COMM_WORLD, &shape, &geometry, &error), &error);
    stop(lat_dirac_create(s->kind, geometry, s->group, &s->parameters, &dirac, &error), &error);
    lat_action *action = lat_action_determinant(dirac, 2, &error);
    ok_all(!action && error.status == LAT_CONFIG && strstr(error.text, what), "%s", error.text);
    lat_dirac_free(dirac);
    lat_geometry_free(geometry);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (size_t i = 0; i < sizeof situations / sizeof *situations; i++) test_situation(&situations[i]);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) test_known((int)i);
    test_free();
    test_zero_mode(2);
    test_zero_mode(4);
    const situation large = {"", LAT_U1, 4, {16, 8, 8, 16}, &lat_dirac_wilson, {.kappa = 0.1}},
                    long_slices = {"", LAT_SU3, 2, {128, 256}, &lat_dirac_wilson, {.kappa = 0.1}};
    test_refusal(&large, "32768 rows");
    test_refusal(&long_slices, "128 x 256");
    return tap_end();
}
