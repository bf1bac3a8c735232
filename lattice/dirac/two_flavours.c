/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * two_flavours.c: two flavours by pseudofermions phi_i, one for each factor.  With E_i = D + i m_i gamma5, E_i^+ E_i = K_i, and Gaussian eta:
 *
 *     last factor   S = phi^+ K_n^-1 phi                      phi = E_n^+ eta
 *     ratios        S = phi^+ K_{i+1} K_i^-1 phi              phi = E_i^+ E_{i+1} K_{i+1}^-1 eta
 *                     = phi^+ phi + (m_{i+1}^2 - m_i^2) phi^+ K_i^-1 phi
 *
 * All of these are functions of gamma5 D, which is Hermitian where there is no twisted mass, and commute.  With a twisted mass E_i^+ E_i is not K_i;
 * then phi of the same distribution is made of several eta: D^+ eta + m_i eta' is Gaussian with the covariance K_i, and
 *
 *     ratios        phi = K_{i+1}^-1 (K_i eta + (m_{i+1}^2 - m_i^2)^(1/2) (D^+ eta' + m_i eta''))
 *
 * with K_{i+1}^-1 (K_i^2 + (m_{i+1}^2 - m_i^2) K_i) K_{i+1}^-1 = K_i K_{i+1}^-1.
 *
 * With x = K^-1 phi the derivative of phi^+ K^-1 phi is -2 Re (D x)^+ dD x.
 */
#include "lattice/dirac/pseudofermions.h"

#include "lattice/dirac/spinor.h"

#include <math.h>
#include <stdlib.h>

enum { STREAM_SHIFT = 20 };

typedef struct {
    lat_action base;
    lat_dirac *dirac;
    lat_two_flavours parameters;
    lat_solver *solver;
    lat_field *phi[LAT_MOST_MASSES];
    lat_field *x, *y, *density;
    lat_field *sum; /* of what makes a phi; NULL where gamma5 D is Hermitian */
    double *dot;
} two_flavours;

static const lat_dirac_form plain = {.even = true}, adjoint = {.even = true, .dagger = true};

/* m_i in units of Mhat; the last factor is no ratio. */
static double mass_of(const two_flavours *t, int i)
{
    return 2 * lat_dirac_parameters_of(t->dirac)->kappa * t->parameters.mass[i];
}
static double square(double a) { return a * a; }
static bool is_ratio(const two_flavours *t, int i) { return i + 1 < t->parameters.masses; }
/* Of K_i^-1 in S */
static double weight_of(const two_flavours *t, int i)
{
    return is_ratio(t, i) ? square(mass_of(t, i + 1)) - square(mass_of(t, i)) : 1;
}

static lat_status solve(two_flavours *t, double mass, bool force, const lat_field *b, lat_field *x)
{
    const lat_solver_goal *goal = force ? &t->parameters.force : &t->parameters.action;
    lat_status status = lat_solve_cg_mixed(t->solver, plain, square(mass), b, x, goal, NULL, &t->base.error);
    lat_solver_count(t->solver, force);
    return status;
}

/* y += a x at even sites, of all members */
static void add(two_flavours *t, double a, const lat_field *x, lat_field *y)
{
    for (int m = 0; m < x->geometry->members; m++) t->dot[m] = a;
    lat_spinor_combine(LAT_EVEN_SITES, t->dot, x, NULL, y);
}

static bool ready(two_flavours *t, lat_gauge *gauge)
{
    return !t->base.error.status && !lat_dirac_prepare(t->dirac, gauge, &t->base.error);
}

/* ------------------------------------------------------------------------------------------------------------- value */

static void value(lat_action *action, lat_gauge *gauge, lat_field *density)
{
    two_flavours *t = (two_flavours *)action;
    if (!ready(t, gauge)) return;
    lat_field_zero(t->density);
    lat_dirac_log_det_diagonal(t->dirac, t->density);
    lat_field_axpy(density, -2, t->density);
}

static void add_dot(two_flavours *t, double factor, const lat_field *x, const lat_field *y, double *out)
{
    lat_spinor_dot(LAT_EVEN_SITES, x, y, t->density, t->dot);
    for (int m = 0; m < x->geometry->members; m++) out[m] += factor * t->dot[m];
}

static void total(lat_action *action, lat_gauge *gauge, double *out)
{
    two_flavours *t = (two_flavours *)action;
    if (!ready(t, gauge)) return;
    for (int i = 0; i < t->parameters.masses; i++) {
        if (solve(t, mass_of(t, i), false, t->phi[i], t->x)) return;
        if (is_ratio(t, i)) add_dot(t, 1, t->phi[i], t->phi[i], out);
        add_dot(t, weight_of(t, i), t->phi[i], t->x, out);
    }
}

/* ------------------------------------------------------------------------------------------------------------- force */

static void factor_force(two_flavours *t, int i, double scale)
{
    if (solve(t, mass_of(t, i), true, t->phi[i], t->y)) return;
    lat_dirac_apply(t->dirac, plain, t->y, t->x);
    lat_dirac_extend(t->dirac, true, t->x);
    lat_dirac_extend(t->dirac, false, t->y);
    lat_dirac_force(t->dirac, -scale * weight_of(t, i), t->x, t->y);
}

static void force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    two_flavours *t = (two_flavours *)action;
    if (!ready(t, gauge)) return;
    if (level == 0) lat_dirac_force_diagonal(t->dirac, -2 * scale);
    for (int i = 0; i < t->parameters.masses && !action->error.status; i++)
        if (t->parameters.level[i] == level) factor_force(t, i, scale);
    lat_dirac_force_finish(t->dirac, gauge, force);
}

/* ----------------------------------------------------------------------------------------------------------- refresh */

/* eta of a factor, one of several, on even sites: <|eta|^2> = 1 for a complex component; loses y. */
static void draw_gaussian(two_flavours *t, int i, int part, const lat_random *random, lat_field *eta)
{
    const double root_half = 0.70710678118654752440;
    lat_random own = *random;
    own.update += (uint32_t)(i + LAT_MOST_MASSES * part) << STREAM_SHIFT;
    lat_field_gaussian(t->y, &own);
    lat_field_zero(eta);
    add(t, root_half, t->y, eta);
}

/* phi = E^+ E' K'^-1 eta, or E^+ eta */
static void draw_hermitian(two_flavours *t, int i, const lat_random *random)
{
    draw_gaussian(t, i, 0, random, t->x);
    if (is_ratio(t, i)) {
        if (solve(t, mass_of(t, i + 1), false, t->x, t->y)) return;
        lat_dirac_apply(t->dirac, (lat_dirac_form){.even = true, .mass = mass_of(t, i + 1)}, t->y, t->x);
    }
    lat_dirac_apply(t->dirac, (lat_dirac_form){.even = true, .dagger = true, .mass = mass_of(t, i)}, t->x, t->phi[i]);
}

/* out = D^+ eta + m_i eta', of the parts from `part` on; loses x and y. */
static void draw_root(two_flavours *t, int i, int part, const lat_random *random, lat_field *out)
{
    draw_gaussian(t, i, part, random, t->x);
    lat_dirac_apply(t->dirac, adjoint, t->x, out);
    if (mass_of(t, i) == 0) return;
    draw_gaussian(t, i, part + 1, random, t->x);
    add(t, mass_of(t, i), t->x, out);
}

/* Without use of a Hermitian gamma5 D */
static void draw_twisted(two_flavours *t, int i, const lat_random *random)
{
    if (!is_ratio(t, i)) {
        draw_root(t, i, 0, random, t->phi[i]);
        return;
    }
    lat_field_zero(t->sum);
    draw_root(t, i, 1, random, t->phi[i]);
    add(t, sqrt(weight_of(t, i)), t->phi[i], t->sum);
    draw_gaussian(t, i, 0, random, t->phi[i]);
    add(t, square(mass_of(t, i)), t->phi[i], t->sum);
    lat_dirac_apply(t->dirac, plain, t->phi[i], t->x);
    lat_dirac_apply(t->dirac, adjoint, t->x, t->y);
    add(t, 1, t->y, t->sum);
    solve(t, mass_of(t, i + 1), false, t->sum, t->phi[i]);
}

static void refresh(lat_action *action, lat_gauge *gauge, const lat_random *random)
{
    two_flavours *t = (two_flavours *)action;
    for (int i = 0; i < t->parameters.masses; i++)
        if (ready(t, gauge)) (t->sum ? draw_twisted : draw_hermitian)(t, i, random);
}

/* -------------------------------------------------------------------------------------------------------------- life */

static void solves(lat_action *action, const lat_geometry *geometry, lat_solves *out)
{
    (void)geometry;
    lat_solver_counted(((two_flavours *)action)->solver, out);
}

static void release(lat_action *action)
{
    two_flavours *t = (two_flavours *)action;
    lat_solver_free(t->solver);
    for (int i = 0; i < LAT_MOST_MASSES; i++) lat_field_free(t->phi[i]);
    lat_field_free(t->x);
    lat_field_free(t->y);
    lat_field_free(t->density);
    lat_field_free(t->sum);
    free(t->dot);
    free(t);
}

static const lat_action_table table = {.name = "two_flavours",
                                       .value = value,
                                       .total = total,
                                       .force = force,
                                       .refresh = refresh,
                                       .free = release,
                                       .solves = solves};

/* phi, x and y, with a twisted mass a sum; a density; a solver */
void lat_two_flavours_needs(const lat_dirac_parameters *dirac, const lat_two_flavours *p, const lat_geometry *g,
                            lat_group group, lat_needs *needs)
{
    needs->kept += (p->masses + 2 + (dirac->mu != 0)) * lat_spinor_memory(g, group, LAT_DOUBLE) +
                   lat_field_memory(g, 1, LAT_DOUBLE);
    lat_solve_cg_mixed_needs(g, group, needs);
}

static lat_status check(const lat_two_flavours *p, lat_error *error)
{
    for (int i = 0; i < p->masses; i++)
        if (i == 0 ? p->mass[i] != 0 : p->mass[i] <= p->mass[i - 1])
            return lat_fail(error, LAT_CONFIG,
                            "two_flavours: masses begin with 0 and ascend: give them as [0.0, 0.1, 0.5]");
    return LAT_DONE;
}

lat_action *lat_action_two_flavours(lat_dirac *dirac, const lat_two_flavours *parameters, lat_error *error)
{
    if (check(parameters, error)) return NULL;
    const lat_geometry *g = lat_dirac_geometry(dirac);
    lat_group group = lat_dirac_group(dirac);
    two_flavours *t = lat_alloc(1, sizeof *t);
    *t = (two_flavours){.base = {.table = &table, .group = group, .levels = 1, .auxiliary = true, .solving = 1},
                        .dirac = dirac,
                        .parameters = *parameters};
    for (int i = 0; i < parameters->masses; i++) {
        t->phi[i] = lat_field_spinor(g, group, LAT_DOUBLE);
        if (parameters->level[i] >= t->base.levels) t->base.levels = parameters->level[i] + 1;
    }
    t->solver = lat_solver_create(dirac);
    t->x = lat_field_spinor(g, group, LAT_DOUBLE);
    t->y = lat_field_spinor(g, group, LAT_DOUBLE);
    t->density = lat_field_create(g, 1, LAT_DOUBLE);
    if (lat_dirac_parameters_of(dirac)->mu != 0) t->sum = lat_field_spinor(g, group, LAT_DOUBLE);
    t->dot = lat_alloc((size_t)g->members, sizeof *t->dot);
    return &t->base;
}
