/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * solvers.c: solvers of equations of Dirac operators against dense matrices and against each other, to the last bit on
 * any ranks and lanes and beside any members; and that they do not lie.
 */
#include "lattice/dirac/operator.h"
#include "lattice/dirac/solver.h"
#include "lattice/dirac/spinor.h"
#include "tests/tap.h"

#include <complex.h>
#include <lapacke.h>

static const lat_dirac_form whole = {0}, even = {.even = true};

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

/* ----------------------------------------------------------------------------------------------------- a laboratory */

typedef struct {
    lat_geometry *g;
    lat_gauge *gauge;
    lat_dirac *dirac;
    lat_solver *solver;
    lat_field *b, *x, *out, *density;
} laboratory;

typedef struct {
    const lat_dirac_table *table;
    lat_group group;
    lat_dirac_parameters parameters;
    double width; /* of the links about 1 */
} physics;

static const physics schwinger = {&lat_dirac_wilson, LAT_U1, {.kappa = 0.22, .angle = {0, 1}}, 0.4};
static const physics qcd = {&lat_dirac_clover, LAT_SU3, {.kappa = 0.12, .csw = 1, .angle = {0, 0, 0, 1}}, 0.3};
static const physics critical = {&lat_dirac_wilson, LAT_SU3, {.kappa = 0.12499}, 1e-4};
static const physics twisted = {
    &lat_dirac_clover, LAT_SU2, {.kappa = 0.13, .csw = 1.2, .mu = 0.1, .angle = {0, 0.25, 0, 1}}, 0.3};

/* Random links and sources; member m of the first one is what member `first + m` is to others. */
static laboratory laboratory_of(MPI_Comm comm, lat_shape shape, const physics *physics, uint64_t first)
{
    lat_error error = {0};
    laboratory l;
    lat_random random = {.seed = 23, .purpose = LAT_RANDOM_TEST, .step = 1, .member = first};
    lat_geometry_create(comm, &shape, &l.g, &error);
    require(&error);
    l.gauge = lat_gauge_create(l.g, physics->group, LAT_DOUBLE);
    lat_field *algebra = lat_field_algebra(l.g, physics->group, LAT_DOUBLE);
    lat_field_gaussian(algebra, &random);
    lat_gauge_exp_update(l.gauge, physics->width, algebra);
    lat_field_free(algebra);
    lat_dirac_create(physics->table, l.g, physics->group, &physics->parameters, &l.dirac, &error);
    require(&error);
    lat_dirac_prepare(l.dirac, l.gauge, &error);
    require(&error);
    l.solver = lat_solver_create(l.dirac);
    l.b = lat_field_spinor(l.g, physics->group, LAT_DOUBLE);
    l.x = lat_field_spinor(l.g, physics->group, LAT_DOUBLE);
    l.out = lat_field_spinor(l.g, physics->group, LAT_DOUBLE);
    l.density = lat_field_create(l.g, 1, LAT_DOUBLE);
    random.step = 2;
    lat_field_gaussian(l.b, &random);
    return l;
}

static void laboratory_free(laboratory *l)
{
    lat_solver_free(l->solver);
    lat_dirac_free(l->dirac);
    lat_gauge_free(l->gauge);
    lat_field_free(l->b);
    lat_field_free(l->x);
    lat_field_free(l->out);
    lat_field_free(l->density);
    lat_geometry_free(l->g);
}

typedef enum { CG, MIXED, BICGSTAB, SOLVERS } which_solver;
static const char *const solver_names[] = {"conjugate gradients", "mixed", "biconjugate gradients"};

static lat_status solve(const laboratory *l, which_solver which, lat_dirac_form form, double shift,
                        const lat_solver_goal *goal, lat_solver_report *report, lat_error *error)
{
    *error = (lat_error){0};
    switch (which) {
    case CG: return lat_solve_cg(l->solver, form, shift, l->b, l->x, goal, report, error);
    case MIXED: return lat_solve_cg_mixed(l->solver, form, shift, l->b, l->x, goal, report, error);
    default: return lat_solve_bicgstab(l->solver, form, l->b, l->x, goal, report, error);
    }
}

/* |b - A x| / |b| of the worst member */
static double residue_of(const laboratory *l, which_solver which, lat_dirac_form form, double shift, lat_field *x)
{
    lat_spinor_sites sites = form.even ? LAT_EVEN_SITES : LAT_ALL_SITES;
    lat_field *first = lat_field_create(l->g, x->components, LAT_DOUBLE),
              *out = lat_field_create(l->g, x->components, LAT_DOUBLE);
    double *minus = lat_alloc(l->g->members, sizeof *minus), *shifts = lat_alloc(l->g->members, sizeof *minus),
           worst = 0;
    double *square = lat_alloc(l->g->members, sizeof *square), *all = lat_alloc(l->g->members, sizeof *all);
    lat_dirac_apply(l->dirac, form, x, which == BICGSTAB ? out : first);
    form.dagger = !form.dagger;
    if (which != BICGSTAB) lat_dirac_apply(l->dirac, form, first, out);
    for (int m = 0; m < l->g->members; m++) {
        minus[m] = -1;
        shifts[m] = which == BICGSTAB ? 0 : shift;
    }
    lat_spinor_combine(sites, shifts, x, NULL, out);
    lat_spinor_combine(sites, NULL, l->b, minus, out);
    lat_spinor_dot(sites, out, out, l->density, square);
    lat_spinor_dot(sites, l->b, l->b, l->density, all);
    for (int m = 0; m < l->g->members; m++) worst = fmax(worst, sqrt(square[m] / all[m]));
    lat_field_free(first);
    lat_field_free(out);
    free(minus);
    free(shifts);
    free(square);
    free(all);
    return worst;
}

/* ------------------------------------------------------------------------------------------------- dense matrices */

/* Sites that count, as numbers of a gathered spinor: complex, in order. */
static int64_t list_numbers(const laboratory *l, lat_dirac_form form, int64_t *number)
{
    int64_t count = 0, each = l->b->components / 2;
    for (int64_t site = 0; site < l->g->volume; site++) {
        int64_t rest = site, sum = 0;
        for (int mu = 0; mu < l->g->dim; mu++) {
            sum += rest % l->g->size[mu];
            rest /= l->g->size[mu];
        }
        for (int64_t i = 0; i < each && !(form.even && sum % 2); i++) number[count++] = site * each + i;
    }
    return count;
}

/* Column by column: D e_j */
static void dense(const laboratory *l, lat_dirac_form form, int64_t n, const int64_t *number, double complex *matrix)
{
    int64_t all = l->g->volume * l->b->components / 2;
    double complex *values = lat_alloc(all, sizeof *values);
    for (int64_t j = 0; j < n; j++) {
        memset(values, 0, (size_t)all * sizeof *values);
        values[number[j]] = 1;
        lat_field_scatter(l->x, 0, (const double *)values);
        lat_dirac_apply(l->dirac, form, l->x, l->out);
        lat_field_gather(l->out, 0, (double *)values);
        for (int64_t i = 0; i < n; i++) matrix[i * n + j] = values[number[i]];
    }
    free(values);
}

/* matrix = D^+ D + shift */
static void square(int64_t n, double shift, double complex *matrix)
{
    double complex *d = lat_alloc(n * n, sizeof *d);
    memcpy(d, matrix, (size_t)(n * n) * sizeof *d);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double complex sum = i == j ? shift : 0;
            for (int64_t k = 0; k < n; k++) sum += conj(d[k * n + i]) * d[k * n + j];
            matrix[i * n + j] = sum;
        }
    free(d);
}

/* Largest difference to the solution of the dense equation, relative to its largest number. */
static double against_dense(const laboratory *l, which_solver which, lat_dirac_form form, double shift)
{
    int64_t all = l->g->volume * l->b->components / 2;
    int64_t *number = lat_alloc(all, sizeof *number), n = list_numbers(l, form, number);
    double complex *matrix = lat_alloc(n * n, sizeof *matrix), *right = lat_alloc(n, sizeof *right),
                   *values = lat_alloc(all, sizeof *values);
    lapack_int *pivot = lat_alloc(n, sizeof *pivot);
    double worst = 0, size = 0;
    dense(l, form, n, number, matrix);
    if (which != BICGSTAB) square(n, shift, matrix);
    lat_field_gather(l->b, 0, (double *)values);
    for (int64_t i = 0; i < n; i++) right[i] = values[number[i]];
    int info =
        LAPACKE_zgesv(LAPACK_ROW_MAJOR, (lapack_int)n, 1, (void *)matrix, (lapack_int)n, pivot, (void *)right, 1);
    lat_error error;
    lat_solver_report report;
    lat_status status = solve(l, which, form, shift, &(lat_solver_goal){1e-13, 2000}, &report, &error);
    if (status && tap.rank == 0) printf("# %s\n", error.text);
    lat_field_gather(l->x, 0, (double *)values);
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, cabs(values[number[i]] - right[i]));
        size = fmax(size, cabs(right[i]));
    }
    free(number);
    free(matrix);
    free(right);
    free(values);
    free(pivot);
    return info == 0 && !status ? worst / size : INFINITY;
}

static void test_dense(const char *name, const physics *physics, lat_shape shape)
{
    const lat_dirac_form forms[] = {
        whole, even, {.even = true, .mass = 0.3}, {.even = true, .dagger = true}, {.dagger = true, .mass = 0.2}};
    laboratory l = laboratory_of(MPI_COMM_SELF, shape, physics, 0);
    for (which_solver which = CG; which < SOLVERS; which++) {
        double worst = 0;
        for (int i = 0; i < 5; i++) worst = fmax(worst, against_dense(&l, which, forms[i], i == 1 ? 0.1 : 0));
        ok_all(worst < 1e-11, "%s, %s: solutions of the dense equations, to %.1g", name, solver_names[which], worst);
    }
    laboratory_free(&l);
}

/* ---------------------------------------------------------------------------------------------------- the same bits */

enum { MEMBERS = 3 };

/* Of a member that is alone, by every solver. */
static void solve_alone(const physics *physics, lat_shape shape, int member, double *out[SOLVERS])
{
    lat_error error;
    lat_solver_report report;
    shape.members = 1;
    laboratory l = laboratory_of(MPI_COMM_SELF, shape, physics, (uint64_t)member);
    for (which_solver which = CG; which < SOLVERS; which++) {
        solve(&l, which, even, 0.02, &(lat_solver_goal){1e-10, 1000}, &report, &error);
        require(&error);
        out[which] = lat_alloc(l.g->volume * l.x->components, sizeof(double));
        lat_field_gather(l.x, 0, out[which]);
    }
    laboratory_free(&l);
}

/* How many members of this lattice have another solution than alone. */
static int unlike_alone(const laboratory *l, which_solver which, double *expected[MEMBERS][SOLVERS])
{
    lat_error error;
    lat_solver_report report;
    int64_t size = l->g->volume * l->x->components;
    double *got = lat_alloc(size, sizeof *got);
    int bad = 0;
    solve(l, which, even, 0.02, &(lat_solver_goal){1e-10, 1000}, &report, &error);
    require(&error);
    for (int m = 0; m < l->g->members && m < MEMBERS; m++) {
        lat_field_gather(l->x, m, got);
        bad += memcmp(expected[m][which], got, (size_t)size * sizeof *got) != 0;
    }
    free(got);
    return bad;
}

static void test_bits(const char *name, const physics *physics, const lat_shape *shapes, int count)
{
    double *expected[MEMBERS][SOLVERS];
    int bad[SOLVERS] = {0};
    for (int m = 0; m < MEMBERS; m++) solve_alone(physics, shapes[0], m, expected[m]);
    for (int i = 0; i < count; i++) {
        laboratory l = laboratory_of(MPI_COMM_WORLD, shapes[i], physics, 0);
        for (which_solver which = CG; which < SOLVERS; which++) bad[which] += unlike_alone(&l, which, expected);
        laboratory_free(&l);
    }
    for (which_solver which = CG; which < SOLVERS; which++) {
        ok_all(bad[which] == 0, "%s, %s: the same bits on any ranks and lanes, beside any members", name,
               solver_names[which]);
        for (int m = 0; m < MEMBERS; m++) free(expected[m][which]);
    }
}

/* ---------------------------------------------------------------------------------------------------------- honesty */

static lat_shape small(int members)
{
    return (lat_shape){.dim = 4, .size = {4, 4, 4, 4}, .members = members, .precision = LAT_FLOAT};
}

static void test_residues(void)
{
    laboratory l = laboratory_of(MPI_COMM_WORLD, small(3), &qcd, 0);
    lat_error error;
    lat_solver_report report;
    const lat_solver_goal goal = {1e-11, 2000};
    for (which_solver which = CG; which < SOLVERS; which++) {
        lat_status status = solve(&l, which, even, 0.01, &goal, &report, &error);
        double residue = residue_of(&l, which, even, 0.01, l.x);
        ok_all(status == LAT_DONE && residue <= goal.residue && fabs(report.residue - residue) < 1e-3 * residue,
               "%s: the residue that is reported is the true one, %.2g, %lld iterations", solver_names[which], residue,
               (long long)report.iterations);
    }
    solve(&l, BICGSTAB, even, 0, &goal, &report, &error);
    lat_field_copy(l.out, l.x);
    solve(&l, CG, even, 0, &goal, &report, &error);
    ok_all(residue_of(&l, CG, even, 0, l.out) > 1e-3, "... and the solution of another equation has another one");
    laboratory_free(&l);
}

/* All numbers of a field times a factor */
static void spoil(const lat_field *field, double factor)
{
    float *numbers = lat_field_map(field, LAT_CHANGE);
    int64_t count = field->geometry->all_sites * field->components * field->geometry->lanes;
    for (int64_t i = 0; i < count; i++) numbers[i] *= (float)factor;
    lat_field_unmap(field, numbers, LAT_CHANGE);
}

/* A wrong operator in float: a little wrong, it takes more cycles; very wrong, or no numbers, double does all. */
static void test_planted(void)
{
    const double factors[] = {1, 1.01, 3, 0, NAN};
    for (int i = 0; i < 5; i++) {
        laboratory l = laboratory_of(MPI_COMM_WORLD, small(2), &qcd, 0);
        lat_error error;
        lat_solver_report report;
        spoil(l.dirac->of[LAT_FLOAT].links, factors[i]);
        lat_status status = solve(&l, MIXED, even, 0, &(lat_solver_goal){1e-11, 2000}, &report, &error);
        double residue = residue_of(&l, MIXED, even, 0, l.x);
        ok_all(status == LAT_DONE && residue <= 1e-11,
               "links in float times %g: right all the same, residue %.2g after %lld iterations", factors[i], residue,
               (long long)report.iterations);
        laboratory_free(&l);
    }
}

/* ------------------------------------------------------------------------------------------------------ many shifts */

enum { SHIFTS = 5 };
static const double shifts[SHIFTS] = {0.5, 0.001, 0, 3, 0.03};

static void test_multishift(const physics *physics, lat_shape shape)
{
    laboratory l = laboratory_of(MPI_COMM_WORLD, shape, physics, 0);
    lat_field *x[SHIFTS];
    lat_error error = {0};
    lat_solver_report report, single;
    const lat_solver_goal goal = {1e-11, 2000};
    int bad = 0;
    int64_t applications = 0;
    for (int i = 0; i < SHIFTS; i++) x[i] = lat_field_create(l.g, l.x->components, LAT_DOUBLE);
    lat_solve_multishift(l.solver, even, SHIFTS, shifts, l.b, x, &goal, &report, &error);
    require(&error);
    for (int i = 0; i < SHIFTS; i++) {
        bad += !(residue_of(&l, CG, even, shifts[i], x[i]) <= goal.residue);
        solve(&l, CG, even, shifts[i], &goal, &single, &error);
        require(&error);
        applications += single.applications;
        lat_field_axpy(x[i], -1, l.x);
        double difference[64], size[64];
        lat_spinor_dot(LAT_EVEN_SITES, x[i], x[i], l.density, difference);
        lat_spinor_dot(LAT_EVEN_SITES, l.x, l.x, l.density, size);
        for (int m = 0; m < l.g->members; m++) bad += !(difference[m] <= 1e-18 * size[m]);
        lat_field_free(x[i]);
    }
    ok_all(bad == 0 && report.residue <= goal.residue, "%d shifts at once as one by one, of %d members: residue %.2g",
           SHIFTS, l.g->members, report.residue);
    ok_all(report.applications < applications * 2 / 3, "... with %lld applications instead of %lld",
           (long long)report.applications, (long long)applications);
    laboratory_free(&l);
}

static void test_multishift_bits(void)
{
    enum { MEMBER = 1 };
    const lat_solver_goal goal = {1e-10, 1000};
    lat_shape shape = small(1);
    laboratory alone = laboratory_of(MPI_COMM_SELF, shape, &qcd, MEMBER);
    shape.members = 3;
    laboratory l = laboratory_of(MPI_COMM_WORLD, shape, &qcd, 0);
    laboratory *side[] = {&alone, &l};
    double *values[2][SHIFTS];
    for (int k = 0; k < 2; k++) {
        lat_field *x[SHIFTS];
        lat_error error = {0};
        lat_solver_report report;
        for (int i = 0; i < SHIFTS; i++) x[i] = lat_field_create(side[k]->g, side[k]->x->components, LAT_DOUBLE);
        lat_solve_multishift(side[k]->solver, even, SHIFTS, shifts, side[k]->b, x, &goal, &report, &error);
        require(&error);
        for (int i = 0; i < SHIFTS; i++) {
            values[k][i] = lat_alloc(l.g->volume * l.x->components, sizeof(double));
            lat_field_gather(x[i], k == 0 ? 0 : MEMBER, values[k][i]);
            lat_field_free(x[i]);
        }
    }
    int bad = 0;
    for (int i = 0; i < SHIFTS; i++) {
        bad += memcmp(values[0][i], values[1][i], (size_t)(l.g->volume * l.x->components) * sizeof(double)) != 0;
        free(values[0][i]);
        free(values[1][i]);
    }
    ok_all(bad == 0, "many shifts: the same bits on any ranks, beside any members");
    laboratory_free(&alone);
    laboratory_free(&l);
}

/* ---------------------------------------------------------------------------------------------------------- failure */

static bool one_line(const lat_error *error, const char *word)
{
    return error->status == LAT_NUMERICAL && error->text[0] && !strchr(error->text, '\n') &&
           strstr(error->text, word) && strstr(error->text, "clover");
}

/* Where an eigenvalue is tiny rounding leaves more than is asked for, and that is good. */
static void test_tiny_eigenvalue(void)
{
    lat_error error;
    lat_solver_report report;
    for (which_solver which = CG; which <= MIXED; which++) {
        laboratory l = laboratory_of(MPI_COMM_WORLD, small(2), &critical, 0);
        lat_status status = solve(&l, which, even, 0, &(lat_solver_goal){1e-13, 100000}, &report, &error);
        ok_all(status == LAT_DONE && report.residue > 1e-13 && report.residue < 1e-7,
               "%s: a tiny eigenvalue leaves %.1e of 1e-13%s", solver_names[which], report.residue, error.text);
        laboratory_free(&l);
    }
}

/* Nothing solves for what a zero mode has in the source, however large x becomes. */
static void test_zero_mode(void)
{
    const physics singular = {&lat_dirac_wilson, LAT_SU3, {.kappa = 0.125}, 0};
    lat_error error;
    lat_solver_report report;
    for (which_solver which = CG; which < SOLVERS; which++) {
        laboratory l = laboratory_of(MPI_COMM_WORLD, small(1), &singular, 0);
        lat_status status = solve(&l, which, even, 0, &(lat_solver_goal){1e-11, 200}, &report, &error);
        ok_all(status == LAT_NUMERICAL && !strchr(error.text, '\n') && strstr(error.text, "next to zero"), "a zero mode: %s", error.text);
        laboratory_free(&l);
    }
}

/* |x|^2 of two members, of a solve that must not fail. */
static void solution_of(const laboratory *l, which_solver which, lat_solver_report *report, double size[2])
{
    lat_error error;
    solve(l, which, even, 0, &(lat_solver_goal){1e-11, 1000}, report, &error);
    require(&error);
    lat_spinor_dot(LAT_EVEN_SITES, l->x, l->x, l->density, size);
}

/* The first of two members is lost, and the other has what it has beside one that is not. */
static void test_lost(const laboratory *l, which_solver which, double other, const char *what)
{
    lat_solver_report report;
    double size[2];
    solution_of(l, which, &report, size);
    ok_all(isnan(size[0]) && size[1] == other && report.residue <= 1e-11,
           "%s, %s that are not finite: the member is lost, and the other is not", solver_names[which], what);
}

/* A member by itself, for which nothing is iterated. */
static void test_lost_alone(which_solver which)
{
    laboratory l = laboratory_of(MPI_COMM_WORLD, small(1), &qcd, 0);
    lat_solver_report report;
    double size[2], *b = lat_field_map(l.b, LAT_CHANGE);
    b[0] = NAN;
    lat_field_unmap(l.b, b, LAT_CHANGE);
    solution_of(&l, which, &report, size);
    ok_all(isnan(size[0]) && report.iterations == 0, "%s: so is one by itself, at once", solver_names[which]);
    laboratory_free(&l);
}

static void test_failures(void)
{
    lat_error error;
    lat_solver_report report;
    double size[2];
    for (which_solver which = CG; which < SOLVERS; which++) {
        laboratory l = laboratory_of(MPI_COMM_WORLD, small(2), &qcd, 0);
        solution_of(&l, which, &report, size);
        solve(&l, which, even, 0, &(lat_solver_goal){1e-11, 3}, &report, &error);
        ok_all(one_line(&error, "after 3 iterations, 1e-11") && report.iterations == 3 && report.residue > 1e-11, "%s",
               error.text);
        solve(&l, which, even, 0, &(lat_solver_goal){1e-30, 100000}, &report, &error);
        ok_all(one_line(&error, "get no further") && report.iterations < 3000,
               "%s: what rounding forbids is given up after %lld iterations", solver_names[which],
               (long long)report.iterations);
        double *b = lat_field_map(l.b, LAT_CHANGE);
        b[0] = which == CG ? NAN : INFINITY;
        lat_field_unmap(l.b, b, LAT_CHANGE);
        test_lost(&l, which, size[1], "sources");
        test_lost_alone(which);
        lat_field_zero(l.b);
        solution_of(&l, which, &report, size);
        ok_all(size[0] == 0 && size[1] == 0 && report.iterations == 0,
               "... and no source gives no solution, at once");
        laboratory_free(&l);
    }
}

/* Links that are no numbers, in one member. */
static void test_links(void)
{
    physics wilson = qcd;
    wilson.table = &lat_dirac_wilson;
    for (which_solver which = CG; which < SOLVERS; which++) {
        lat_error error = {0};
        lat_solver_report report;
        double size[2];
        laboratory l = laboratory_of(MPI_COMM_WORLD, small(2), &wilson, 0);
        solution_of(&l, which, &report, size);
        double *u = lat_field_map(l.gauge->links, LAT_CHANGE);
        u[0] = NAN;
        lat_field_unmap(l.gauge->links, u, LAT_CHANGE);
        lat_gauge_changed(l.gauge);
        lat_dirac_prepare(l.dirac, l.gauge, &error);
        require(&error);
        test_lost(&l, which, size[1], "links");
        laboratory_free(&l);
    }
}

/* Sources of any size: what is tiny, or huge, is solved like anything else. */
static void test_sizes(void)
{
    const double factors[] = {0x1p-200, 0x1p200, 0x1p-10};
    laboratory l = laboratory_of(MPI_COMM_WORLD, small(1), &qcd, 0);
    lat_field *expected = lat_field_create(l.g, l.x->components, LAT_DOUBLE);
    lat_error error;
    lat_solver_report report;
    for (which_solver which = CG; which < SOLVERS; which++) {
        int bad = 0;
        solve(&l, which, even, 0, &(lat_solver_goal){1e-11, 1000}, &report, &error);
        lat_field_copy(expected, l.x);
        for (int i = 0; i < 3; i++) {
            double factor = factors[i], back = 1 / factors[i];
            lat_field *b = l.b;
            l.b = lat_field_create(l.g, l.x->components, LAT_DOUBLE);
            lat_field_copy(l.b, b);
            double zero = 0;
            lat_spinor_combine(LAT_ALL_SITES, &zero, b, &factor, l.b);
            lat_status status = solve(&l, which, even, 0, &(lat_solver_goal){1e-11, 1000}, &report, &error);
            lat_spinor_combine(LAT_ALL_SITES, &zero, b, &back, l.x);
            lat_field_axpy(l.x, -1, expected);
            double size;
            lat_spinor_dot(LAT_EVEN_SITES, l.x, l.x, l.density, &size);
            bad += status != LAT_DONE || size != 0;
            lat_field_free(l.b);
            l.b = b;
        }
        ok_all(bad == 0, "%s: a source times a power of two gives the solution times it, to the last bit",
               solver_names[which]);
    }
    lat_field_free(expected);
    laboratory_free(&l);
}

static void test_matrices(void)
{
    test_dense("two dimensions", &schwinger, (lat_shape){.dim = 2, .size = {6, 4}, .precision = LAT_FLOAT});
    test_dense("two dimensions, laid out for double", &schwinger, (lat_shape){.dim = 2, .size = {4, 4}});
    test_dense("four dimensions", &qcd, (lat_shape){.dim = 4, .size = {2, 2, 2, 2}, .precision = LAT_FLOAT});
    test_dense("four dimensions, twisted", &twisted,
               (lat_shape){.dim = 4, .size = {2, 2, 2, 4}, .precision = LAT_FLOAT});
}

int main(int argc, char **argv)
{
    const lat_shape flat[] = {{.dim = 2, .size = {16, 8}, .precision = LAT_FLOAT},
                              {.dim = 2, .size = {16, 8}, .members = 3, .precision = LAT_FLOAT},
                              {.dim = 2, .size = {16, 8}, .members = 3, .lane_grid = {2, 1}, .precision = LAT_FLOAT},
                              {.dim = 2, .size = {16, 8}, .members = 1, .lane_grid = {1, 2}, .precision = LAT_FLOAT},
                              {.dim = 2, .size = {16, 8}, .members = 21, .lane_grid = {1, 1}, .precision = LAT_FLOAT}};
    const lat_shape four[] = {{.dim = 4, .size = {4, 4, 4, 4}, .precision = LAT_FLOAT},
                              {.dim = 4,
                               .size = {4, 4, 4, 4},
                               .members = 3,
                               .lane_grid = {2, 1, 2, 1},
                               .ranks = {1, 0, 1, 0},
                               .precision = LAT_FLOAT},
                              {.dim = 4, .size = {4, 4, 4, 4}, .members = 2, .precision = LAT_FLOAT}};
    tap_start(&argc, &argv);
    if (tap.ranks == 1) test_matrices();
    test_bits("two dimensions", &schwinger, flat, 5);
    test_bits("four dimensions", &qcd, four, 3);
    test_residues();
    test_planted();
    test_multishift(&schwinger, flat[1]);
    test_multishift(&qcd, small(2));
    test_multishift_bits();
    test_tiny_eigenvalue();
    test_zero_mode();
    test_failures();
    test_links();
    test_sizes();
    return tap_end();
}
