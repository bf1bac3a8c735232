/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rational.c: one flavour.  With y = K / b, b the upper end of the range of K,
 *
 *     R = s prod (y + n_i) / (y + p_i) = s (1 + sum r_i / (y + p_i)),    S = phi^+ R phi
 *
 * With Q = gamma5 D, y + n = (Q + i nu)(Q - i nu) / b, nu^2 = b n, so R = C^+ C for C = s^(1/2) prod (Q + i nu_i) / (Q + i mu_i), and S = |eta|^2 for
 *
 *     phi = C^-1 eta = s^(-1/2) (1 + sum_j rho_j (i Q + nu_j) / (K + nu_j^2)) eta,    rho_j = prod_i (mu_i - nu_j) / prod_{i != j} (nu_i - nu_j)
 *
 * This is exact for any R.  That R is K^(-1/2) is seen where R K R eta = eta / b.
 */
#include "lattice/dirac/pseudofermions.h"

#include "lattice/dirac/spinor.h"
#include "lattice/dirac/zolotarev.h"
#include "lattice/gauge/kernels.h"

#include <math.h>
#include <stdlib.h>

enum { VALUES, FORCES, USES };

typedef struct {
    lat_action base;
    lat_dirac *dirac;
    lat_one_flavour parameters;
    lat_solver *solver;
    lat_zolotarev r[USES];
    double top; /* b */
    lat_field *phi, *eta, *sum, *out, *density;
    lat_field *x[LAT_ZOLOTAREV_MOST];
    double *dot, *coefficient;
} rational;

static const lat_dirac_form hermitian = {.even = true};

static bool ready(rational *t, lat_gauge *gauge)
{
    return !t->base.error.status && !lat_dirac_prepare(t->dirac, gauge, &t->base.error);
}

static lat_status solve(rational *t, int count, const double *shift, bool force, const lat_field *b)
{
    const lat_solver_goal *goal = force ? &t->parameters.force : &t->parameters.action;
    double at[LAT_ZOLOTAREV_MOST];
    for (int i = 0; i < count; i++) at[i] = t->top * shift[i];
    lat_status status = lat_solve_multishift(t->solver, hermitian, count, at, b, t->x, goal, NULL, &t->base.error);
    lat_solver_count(t->solver, force);
    return status;
}

/* y = a x + b y, with the same coefficients for all members */
static void combine(rational *t, double a, const lat_field *x, double b, lat_field *y)
{
    int members = y->geometry->members;
    for (int m = 0; m < members; m++) {
        t->coefficient[m] = a;
        t->dot[m] = b;
    }
    lat_spinor_combine(LAT_EVEN_SITES, t->coefficient, x, t->dot, y);
}

/* ------------------------------------------------------------------------------------------------------------- value */

static void value(lat_action *action, lat_gauge *gauge, lat_field *density)
{
    rational *t = (rational *)action;
    if (!ready(t, gauge)) return;
    lat_field_zero(t->density);
    lat_dirac_log_det_diagonal(t->dirac, t->density);
    lat_field_axpy(density, -1, t->density);
}

/* out = R in */
static lat_status apply(rational *t, const lat_field *in, lat_field *out)
{
    const lat_zolotarev *r = &t->r[VALUES];
    if (solve(t, r->degree, r->pole, false, in)) return t->base.error.status;
    combine(t, r->scale, in, 0, out);
    for (int i = 0; i < r->degree; i++) combine(t, r->scale * t->top * r->residue[i], t->x[i], 1, out);
    return LAT_DONE;
}

static void total(lat_action *action, lat_gauge *gauge, double *out)
{
    rational *t = (rational *)action;
    if (!ready(t, gauge) || apply(t, t->phi, t->out)) return;
    lat_spinor_dot(LAT_EVEN_SITES, t->phi, t->out, t->density, t->dot);
    for (int m = 0; m < t->phi->geometry->members; m++) out[m] += t->dot[m];
}

/* ------------------------------------------------------------------------------------------------------------- force */

static void force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    rational *t = (rational *)action;
    const lat_zolotarev *r = &t->r[FORCES];
    (void)level;
    if (!ready(t, gauge)) return;
    if (solve(t, r->degree, r->pole, true, t->phi)) return;
    lat_dirac_force_diagonal(t->dirac, -scale);
    for (int i = 0; i < r->degree; i++) {
        lat_dirac_apply(t->dirac, hermitian, t->x[i], t->out);
        lat_dirac_extend(t->dirac, true, t->out);
        lat_dirac_extend(t->dirac, false, t->x[i]);
        lat_dirac_force(t->dirac, -scale * r->scale * t->top * r->residue[i], t->out, t->x[i]);
    }
    lat_dirac_force_finish(t->dirac, gauge, force);
}

/* ----------------------------------------------------------------------------------------------------------- refresh */

/* rho_j, of the roots nu and mu in units of b^(1/2) */
static double rho(const lat_zolotarev *r, int j)
{
    double nu = sqrt(r->zero[j]), product = sqrt(r->pole[j]) - nu;
    for (int i = 0; i < r->degree; i++)
        if (i != j) product *= (sqrt(r->pole[i]) - nu) / (sqrt(r->zero[i]) - nu);
    return product;
}

/* phi = C^-1 eta */
static void draw(rational *t)
{
    const lat_zolotarev *r = &t->r[VALUES];
    double root = sqrt(t->top);
    if (solve(t, r->degree, r->zero, false, t->eta)) return;
    combine(t, 1, t->eta, 0, t->phi);
    lat_field_zero(t->sum);
    for (int j = 0; j < r->degree; j++) {
        combine(t, root * rho(r, j), t->x[j], 1, t->sum);
        combine(t, t->top * rho(r, j) * sqrt(r->zero[j]), t->x[j], 1, t->phi);
    }
    lat_dirac_apply(t->dirac, hermitian, t->sum, t->out);
    block_multiply_args turn = {
        .t = lat_tables_of(t->out->geometry), .in = t->out->data, .out = t->out->data, .mass = 1};
    lat_range even = lat_spinor_range(LAT_EVEN_SITES, t->out);
    lat_kernels_of(t->out, t->base.group)->block_multiply(&turn, &even); /* i gamma5 */
    combine(t, 1, t->out, 1, t->phi);
    combine(t, 1 / sqrt(r->scale), t->phi, 0, t->phi);
}

/* The norm of b R K R eta - eta is within the error of R. */
static void check_range(rational *t)
{
    const int members = t->eta->geometry->members;
    char name[LAT_DIRAC_TEXT];
    if (apply(t, t->eta, t->sum)) return;
    lat_dirac_apply(t->dirac, hermitian, t->sum, t->out);
    lat_dirac_apply(t->dirac, (lat_dirac_form){.even = true, .dagger = true}, t->out, t->sum);
    if (apply(t, t->sum, t->out)) return;
    combine(t, -1, t->eta, 1 / t->top, t->out);
    lat_spinor_dot(LAT_EVEN_SITES, t->out, t->out, t->density, t->dot);
    lat_spinor_dot(LAT_EVEN_SITES, t->eta, t->eta, t->density, t->coefficient);
    for (int m = 0; m < members && !t->base.error.status; m++) {
        double deviation = sqrt(t->dot[m] / t->coefficient[m]),
               most = 10 * (t->r[VALUES].error + t->parameters.action.residue * (1 + 1 / t->r[VALUES].epsilon));
        if (deviation > most) /* not of a member that is lost */
            lat_fail(&t->base.error, LAT_NUMERICAL,
                     "rational (%s, member %d): the spectrum leaves the range [%g, %g] (deviation %.1e): widen range",
                     lat_dirac_text(t->dirac, name), m, t->parameters.range[0], t->parameters.range[1], deviation);
    }
}

static void refresh(lat_action *action, lat_gauge *gauge, const lat_random *random)
{
    rational *t = (rational *)action;
    if (!ready(t, gauge)) return;
    lat_field_gaussian(t->out, random);
    combine(t, sqrt(0.5), t->out, 0, t->eta);
    check_range(t);
    if (!action->error.status) draw(t);
}

/* -------------------------------------------------------------------------------------------------------------- life */

static void solves(lat_action *action, const lat_geometry *geometry, lat_solves *out)
{
    (void)geometry;
    lat_solver_counted(((rational *)action)->solver, out);
}

static void release(lat_action *action)
{
    rational *t = (rational *)action;
    lat_field *const fields[] = {t->phi, t->eta, t->sum, t->out, t->density};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) lat_field_free(fields[i]);
    for (int i = 0; i < LAT_ZOLOTAREV_MOST; i++) lat_field_free(t->x[i]);
    lat_solver_free(t->solver);
    free(t->dot);
    free(t->coefficient);
    free(t);
}

static const lat_action_table table = {.name = "rational",
                                       .value = value,
                                       .total = total,
                                       .force = force,
                                       .refresh = refresh,
                                       .free = release,
                                       .solves = solves};

/* The least degree that is good enough */
static lat_status approximate(const lat_one_flavour *p, int use, lat_zolotarev *r, lat_error *error)
{
    double epsilon = (p->range[0] / p->range[1]) * (p->range[0] / p->range[1]);
    for (int degree = 1; degree <= LAT_ZOLOTAREV_MOST; degree++) {
        if (lat_zolotarev_create(degree, epsilon, r, error)) return error->status;
        if (r->error <= p->error[use]) return LAT_DONE;
    }
    return lat_fail(
        error, LAT_CONFIG,
        "rational: no approximation of degree %d is good to %g in the range [%g, %g]: give a narrower range",
        LAT_ZOLOTAREV_MOST, p->error[use], p->range[0], p->range[1]);
}

/* phi, eta, sum and out, and x of each pole; a density; a solver.  What has no approximation is refused before it takes anything. */
void lat_one_flavour_needs(const lat_one_flavour *p, const lat_geometry *g, lat_group group, lat_needs *needs)
{
    lat_zolotarev r[USES];
    lat_error refusal = {0};
    for (int use = 0; use < USES; use++)
        if (approximate(p, use, &r[use], &refusal)) return;
    const int poles = r[VALUES].degree > r[FORCES].degree ? r[VALUES].degree : r[FORCES].degree;
    needs->kept += (4 + poles) * lat_spinor_memory(g, group, LAT_DOUBLE) + lat_field_memory(g, 1, LAT_DOUBLE);
    lat_solve_multishift_needs(g, group, poles, needs);
}

static lat_status check(const lat_dirac *dirac, const lat_one_flavour *p, lat_error *error)
{
    if (!(0 < p->range[0] && p->range[0] < p->range[1]))
        return lat_fail(error, LAT_CONFIG,
                        "rational: range [%g, %g]: give the least and the largest eigenvalue, as [0.01, 8.0]",
                        p->range[0], p->range[1]);
    if (lat_dirac_parameters_of(dirac)->mu != 0)
        return lat_fail(error, LAT_CONFIG, "rational: the operator has a twisted mass: use two_flavours");
    return LAT_DONE;
}

lat_action *lat_action_rational(lat_dirac *dirac, const lat_one_flavour *parameters, lat_error *error)
{
    lat_zolotarev r[USES];
    if (check(dirac, parameters, error)) return NULL;
    for (int use = 0; use < USES; use++)
        if (approximate(parameters, use, &r[use], error)) return NULL;
    const lat_geometry *g = lat_dirac_geometry(dirac);
    rational *t = lat_alloc(1, sizeof *t);
    *t = (rational){
        .base = {.table = &table, .group = lat_dirac_group(dirac), .levels = 1, .auxiliary = true, .solving = 1},
        .dirac = dirac,
        .parameters = *parameters};
    t->top = pow(2 * lat_dirac_parameters_of(dirac)->kappa * parameters->range[1], 2);
    lat_field **const fields[] = {&t->phi, &t->eta, &t->sum, &t->out};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i] = lat_field_spinor(g, t->base.group, LAT_DOUBLE);
    for (int use = 0; use < USES; use++) t->r[use] = r[use];
    for (int i = 0; i < r[VALUES].degree || i < r[FORCES].degree; i++)
        t->x[i] = lat_field_spinor(g, t->base.group, LAT_DOUBLE);
    t->solver = lat_solver_create(dirac);
    t->density = lat_field_create(g, 1, LAT_DOUBLE);
    t->dot = lat_alloc((size_t)g->members, sizeof *t->dot);
    t->coefficient = lat_alloc((size_t)g->members, sizeof *t->coefficient);
    return &t->base;
}
