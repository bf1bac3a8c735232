/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * two_flavours.c: two flavours by pseudofermions phi_i, one for each factor.  With E_i = D + i m_i gamma5, E_i^+ E_i = K_i, and Gaussian eta:
 *
 *     last factor   S = phi^+ K_n^-1 phi                      phi = E_n^+ eta
 *     ratios        S = phi^+ K_{i+1} K_i^-1 phi              phi = E_i^+ E_{i+1} K_{i+1}^-1 eta
 *                     = phi^+ phi + (m_{i+1}^2 - m_i^2) phi^+ K_i^-1 phi
 *
 * All of these are functions of gamma5 D, which is Hermitian where there is no twisted mass, and commute.  With x = K^-1 phi the
 * derivative of phi^+ K^-1 phi is -2 Re (D x)^+ dD x.
 */
#include "lattice/dirac/pseudofermions.h"

#include "lattice/dirac/spinor.h"

#include <stdlib.h>

enum { STREAM_SHIFT = 20 };

typedef struct {
    lat_action base;
    lat_dirac *dirac;
    lat_two_flavours parameters;
    lat_solver *solver;
    lat_field *phi[LAT_MOST_MASSES];
    lat_field *x, *y, *density;
    double *dot;
} two_flavours;

static const lat_dirac_form hermitian = {.even = true};

/* m_i in units of Mhat; the last factor is no ratio. */
static double mass_of(const two_flavours *t, int i)
{
    return 2 * lat_dirac_parameters_of(t->dirac)->kappa * t->parameters.mass[i];
}
static double square(double a) { return a * a; }
static bool is_ratio(const two_flavours *t, int i) { return i + 1 < t->parameters.masses; }

static lat_status solve(two_flavours *t, double mass, const lat_solver_goal *goal, const lat_field *b, lat_field *x)
{
    lat_solver_report report;
    return lat_solve_cg_mixed(t->solver, hermitian, square(mass), b, x, goal, &report, &t->base.error);
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
        if (solve(t, mass_of(t, i), &t->parameters.action, t->phi[i], t->x)) return;
        if (is_ratio(t, i)) add_dot(t, 1, t->phi[i], t->phi[i], out);
        add_dot(t, is_ratio(t, i) ? square(mass_of(t, i + 1)) - square(mass_of(t, i)) : 1, t->phi[i], t->x, out);
    }
}

/* ------------------------------------------------------------------------------------------------------------- force */

static void factor_force(two_flavours *t, int i, lat_gauge *gauge, double scale, lat_field *force)
{
    double factor = is_ratio(t, i) ? square(mass_of(t, i + 1)) - square(mass_of(t, i)) : 1;
    if (solve(t, mass_of(t, i), &t->parameters.force, t->phi[i], t->y)) return;
    lat_dirac_apply(t->dirac, hermitian, t->y, t->x);
    lat_dirac_extend(t->dirac, true, t->x);
    lat_dirac_extend(t->dirac, false, t->y);
    lat_dirac_force(t->dirac, gauge, -scale * factor, t->x, t->y, force);
}

static void force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    two_flavours *t = (two_flavours *)action;
    if (!ready(t, gauge)) return;
    if (level == 0) lat_dirac_force_diagonal(t->dirac, gauge, -2 * scale, force);
    for (int i = 0; i < t->parameters.masses && !action->error.status; i++)
        if (t->parameters.level[i] == level) factor_force(t, i, gauge, scale, force);
}

/* ----------------------------------------------------------------------------------------------------------- refresh */

/* phi = E^+ E' K'^-1 eta, or E^+ eta */
static void draw(two_flavours *t, int i, const lat_random *random)
{
    const double root_half = 0.70710678118654752440;
    lat_random own = *random;
    own.update += (uint32_t)i << STREAM_SHIFT;
    lat_dirac_form adjoint = {.even = true, .dagger = true, .mass = mass_of(t, i)};
    lat_field_gaussian(t->x, &own);
    int members = t->x->geometry->members;
    for (int m = 0; m < members; m++) t->dot[m] = root_half;
    lat_field_zero(t->y);
    lat_spinor_combine(LAT_EVEN_SITES, t->dot, t->x, NULL, t->y); /* <|eta|^2> = 1 for a complex component */
    if (is_ratio(t, i)) {
        if (solve(t, mass_of(t, i + 1), &t->parameters.action, t->y, t->x)) return;
        lat_dirac_apply(t->dirac, (lat_dirac_form){.even = true, .mass = mass_of(t, i + 1)}, t->x, t->y);
    }
    lat_dirac_apply(t->dirac, adjoint, t->y, t->phi[i]);
}

static void refresh(lat_action *action, lat_gauge *gauge, const lat_random *random)
{
    two_flavours *t = (two_flavours *)action;
    for (int i = 0; i < t->parameters.masses; i++)
        if (ready(t, gauge)) draw(t, i, random);
}

/* -------------------------------------------------------------------------------------------------------------- life */

static void release(lat_action *action)
{
    two_flavours *t = (two_flavours *)action;
    lat_solver_free(t->solver);
    for (int i = 0; i < LAT_MOST_MASSES; i++) lat_field_free(t->phi[i]);
    lat_field_free(t->x);
    lat_field_free(t->y);
    lat_field_free(t->density);
    free(t->dot);
    free(t);
}

static const lat_action_table table = {.name = "two_flavours", .value = value, .total = total, .force = force, .refresh = refresh, .free = release};

static lat_status check(const lat_dirac *dirac, const lat_two_flavours *p, lat_error *error)
{
    for (int i = 0; i < p->masses; i++)
        if (i == 0 ? p->mass[i] != 0 : p->mass[i] <= p->mass[i - 1])
            return lat_fail(error, LAT_CONFIG,
                            "two_flavours: masses begin with 0 and ascend: give them as [0.0, 0.1, 0.5]");
    if (p->masses > 1 && lat_dirac_parameters_of(dirac)->mu != 0)
        return lat_fail(error, LAT_CONFIG,
                        "two_flavours: there is one mass for an operator with a twisted mass: leave masses out");
    return LAT_DONE;
}

lat_action *lat_action_two_flavours(lat_dirac *dirac, const lat_two_flavours *parameters, lat_error *error)
{
    if (check(dirac, parameters, error)) return NULL;
    const lat_geometry *g = lat_dirac_geometry(dirac);
    lat_group group = lat_dirac_group(dirac);
    two_flavours *t = lat_alloc(1, sizeof *t);
    *t = (two_flavours){.base = {.table = &table, .group = group, .levels = 1, .auxiliary = true},
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
    t->dot = lat_alloc((size_t)g->members, sizeof *t->dot);
    return &t->base;
}
