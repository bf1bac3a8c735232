/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cg_mixed.c: conjugate gradients in float, each cycle for the residue that double has left.
 */
#include "lattice/dirac/solve.h"

#include <math.h>

/* Of |r|^2 in a cycle: further than float is good for. */
static const double most_fall = 1e-10;

/* A power of two that makes the numbers of r about 1 */
static double factor_of(const lat_solver *s, int m)
{
    return ldexp(1, ilogb(solve_scale(s, s->member[m].residue)) / 2);
}

static bool in_float(const solve_member *m) { return m->wanted && !m->in_double; }

/* factor r in float; false: no member runs. */
static bool start(lat_solver *s)
{
    lat_field *r = solve_room(s, LAT_DOUBLE, SOLVE_W);
    double *square = s->of_members[SOLVE_ALPHA], *factor = s->of_members[SOLVE_SCALE];
    for (int m = 0; m < s->geometry->members; m++) {
        factor[m] = factor_of(s, m);
        square[m] = factor[m] * factor[m];
    }
    if (!solve_start(s, LAT_FLOAT, square, most_fall)) return false;
    scale_lanes_args args = {lat_tables_of(s->geometry), r->data, solve_lanes(s, SOLVE_SCALE), r->components};
    lat_range range = solve_range(s);
    lat_field_copy(r, solve_room(s, LAT_DOUBLE, SOLVE_R));
    lat_field_kernels_of(r)->scale_lanes(&args, &range);
    lat_field_copy(solve_room(s, LAT_FLOAT, SOLVE_R), r);
    return true;
}

/* x += correction, of the members that took part */
static void correct(lat_solver *s, const lat_field *correction, lat_field *x)
{
    lat_field *e = solve_room(s, LAT_DOUBLE, SOLVE_W);
    double *factor = s->of_members[SOLVE_ALPHA];
    for (int m = 0; m < s->geometry->members; m++) factor[m] = in_float(&s->member[m]) ? 1 / factor_of(s, m) : 0;
    lat_field_copy(e, correction);
    lat_spinor_combine(solve_sites(s), factor, e, NULL, x);
}

static void cycle(lat_solver *s, lat_field *x)
{
    if (start(s)) {
        lat_field *e = solve_room(s, LAT_FLOAT, SOLVE_X);
        lat_field_zero(e);
        solve_cg(s, e, solve_room(s, LAT_FLOAT, SOLVE_R));
        correct(s, e, x);
    }
    solve_cg_cycle(s, x);
}

/* In double r, q and w, and p only for members that float does not help, which are few. */
void lat_solve_cg_mixed_needs(const lat_geometry *g, lat_group group, lat_needs *needs)
{
    const bool in_float = lat_geometry_serves(g, LAT_FLOAT);
    solve_needs(g, group, in_float ? 3 : 4, in_float ? SOLVE_FIELDS : 0, needs);
}

lat_status lat_solve_cg_mixed(lat_solver *s, lat_dirac_form form, double shift, const lat_field *b, lat_field *x,
                              const lat_solver_goal *goal, lat_solver_report *report, lat_error *error)
{
    if (!lat_geometry_serves(s->geometry, LAT_FLOAT)) return lat_solve_cg(s, form, shift, b, x, goal, report, error);
    solve_begin(s, &(solve_equation){"mixed conjugate gradients", true, form, shift, b, *goal});
    for (int m = 0; m < s->geometry->members; m++) s->member[m].in_double = false;
    lat_field_zero(x);
    return solve_end(s, report, solve_cycles(s, cycle, true, x, error));
}
