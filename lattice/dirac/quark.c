/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * quark.c: M x = b on all sites.  With r = b - M x and y = (0, D_oo^-1 r_o), r - M y vanishes on the odd sites, and z with
 *
 *     Mhat z_e = (r - M y)_e,    z_o = kappa D_oo^-1 H_oe z_e
 *
 * makes M (x + y + z) = b.  Mhat z_e = s is solved as Mhat^+ Mhat z_e = Mhat^+ s, roughly, and again for what is left.
 */
#include "lattice/dirac/solve.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_ROUNDS = 12 };
static const double round_residue = 1e-7; /* of the equation with Mhat^+ Mhat */

typedef struct {
    lat_solver *solver;
    const lat_field *b;
    const lat_solver_goal *goal;
    lat_field *r, *z, *s;
    double *source, *square, *minus; /* [members] */
    lat_solver_report report;
} equation;

static void add_report(equation *e, const lat_solver_report *one)
{
    e->report.iterations += one->iterations;
    e->report.applications += one->applications;
    e->report.seconds += one->seconds;
}

/* r = b - M x, but zero for members that are done; whether any is not.  The residue of a member that is lost is NaN, which stays. */
static bool residue(equation *e, lat_field *x)
{
    lat_solver *solver = e->solver;
    int members = solver->geometry->members, wanted = 0;
    lat_dirac_apply(solver->dirac, (lat_dirac_form){0}, x, e->r);
    e->report.applications++;
    lat_spinor_combine(LAT_ALL_SITES, NULL, e->b, e->minus, e->r);
    lat_spinor_dot(LAT_ALL_SITES, e->r, e->r, solver->density[0], e->square);
    e->report.residue = 0;
    for (int m = 0; m < members; m++) {
        double relative = e->source[m] == 0 ? 0 : sqrt(e->square[m] / e->source[m]);
        if (!(relative <= e->report.residue) && !isnan(e->report.residue)) e->report.residue = relative;
        solver->of_members[SOLVE_ZETA][m] = !(relative <= e->goal->residue);
        wanted += !(relative <= e->goal->residue);
    }
    lat_field_zero(e->z);
    lat_spinor_combine(LAT_ALL_SITES, NULL, e->z, solver->of_members[SOLVE_ZETA], e->r);
    return wanted > 0;
}

/* x += y + z */
static lat_status improve(equation *e, lat_field *x, lat_error *error)
{
    lat_dirac *dirac = e->solver->dirac;
    const lat_solver_goal goal = {round_residue, e->goal->max_iterations};
    lat_solver_report report;
    lat_dirac_divide_diagonal(dirac, e->r, e->z); /* y, as z is zero */
    lat_spinor_combine(LAT_ALL_SITES, NULL, e->z, NULL, x);
    lat_dirac_apply(dirac, (lat_dirac_form){0}, e->z, e->s);
    lat_spinor_combine(LAT_ALL_SITES, e->minus, e->s, NULL, e->r);
    lat_dirac_apply(dirac, (lat_dirac_form){.even = true, .dagger = true}, e->r, e->s);
    lat_solve_cg_mixed(e->solver, (lat_dirac_form){.even = true}, 0, e->s, e->z, &goal, &report, error);
    add_report(e, &report);
    lat_dirac_extend(dirac, false, e->z);
    lat_spinor_combine(LAT_ALL_SITES, NULL, e->z, NULL, x);
    return error->status;
}

static lat_status solve(equation *e, lat_field *x, lat_error *error)
{
    for (int round = 0; residue(e, x); round++) {
        if (!isfinite(e->report.residue))
            return lat_fail(error, LAT_NUMERICAL,
                            "quark propagator: links or source are not finite, or too large: nothing can be solved");
        if (round == MOST_ROUNDS)
            return lat_fail(error, LAT_NUMERICAL, "quark propagator: residue %.3g, %.3g is asked for: ask for less",
                            e->report.residue, e->goal->residue);
        if (improve(e, x, error)) return error->status;
    }
    return LAT_DONE;
}

lat_status lat_solve_quark(lat_solver *solver, const lat_field *b, lat_field *x, const lat_solver_goal *goal,
                           lat_solver_report *report, lat_error *error)
{
    int members = solver->geometry->members;
    equation e = {solver,
                  b,
                  goal,
                  solve_spinor(solver, LAT_DOUBLE),
                  solve_spinor(solver, LAT_DOUBLE),
                  solve_spinor(solver, LAT_DOUBLE),
                  lat_alloc(members, sizeof(double)),
                  lat_alloc(members, sizeof(double)),
                  lat_alloc(members, sizeof(double)),
                  {0}};
    for (int m = 0; m < members; m++) e.minus[m] = -1;
    lat_spinor_dot(LAT_ALL_SITES, b, b, solver->density[0], e.source);
    lat_field_zero(x);
    lat_status status = solve(&e, x, error);
    if (report) *report = e.report;
    lat_field_free(e.r);
    lat_field_free(e.z);
    lat_field_free(e.s);
    free(e.source);
    free(e.square);
    free(e.minus);
    return status;
}

void lat_solve_quark_needs(const lat_geometry *g, lat_group group, lat_needs *needs)
{
    lat_solve_cg_mixed_needs(g, group, needs);
    needs->passing += 3 * lat_spinor_memory(g, group, LAT_DOUBLE);
}
