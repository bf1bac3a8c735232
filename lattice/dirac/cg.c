/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cg.c: conjugate gradients: M. R. Hestenes and E. Stiefel, J. Res. Nat. Bur. Stand. 49 (1952) 409.
 */
#include "lattice/dirac/solve.h"

#include <math.h>

static const double *scale_of_squares(lat_solver *s)
{
    for (int m = 0; m < s->geometry->members; m++) s->of_members[SOLVE_SCALE][m] = solve_scale(s, s->member[m].square);
    return solve_lanes(s, SOLVE_SCALE);
}

static void sum_of_members(lat_solver *s)
{
    lat_sum(s->density[0], s->sum);
    for (int m = 0; m < s->geometry->members; m++) s->sum[m] /= s->of_members[SOLVE_SCALE][m];
}

/* alpha = |r|^2 / (p, A p) of members that run, 0 of the others.  A is positive: where the numbers are not, a member
 * stops. */
void solve_cg_curvature(lat_solver *s, const lat_field *p)
{
    const lat_field *w = solve_room(s, p->precision, SOLVE_W); /* D p, as solve_apply has left it */
    cg_curvature_args args = {lat_tables_of(s->geometry), w->data,      p->data, s->equation.shift, scale_of_squares(s),
                              s->density[0]->data,        p->components};
    lat_range range = solve_range(s);
    lat_field_kernels_of(p)->cg_curvature(&args, &range);
    sum_of_members(s);
    for (int m = 0; m < s->geometry->members; m++) {
        solve_member *member = &s->member[m];
        double alpha = member->square / s->sum[m];
        member->running = member->running && s->sum[m] > 0 && isfinite(alpha);
        s->of_members[SOLVE_ALPHA][m] = member->running ? alpha : 0;
    }
}

void solve_cg_residue(lat_solver *s, lat_field *r, const lat_field *p, const lat_field *q)
{
    const double *alpha = solve_lanes(s, SOLVE_ALPHA);
    cg_residue_args args = {
        lat_tables_of(s->geometry), r->data,      p->data, q->data, s->equation.shift, alpha, scale_of_squares(s),
        s->density[0]->data,        r->components};
    lat_range range = solve_range(s);
    lat_field_kernels_of(r)->cg_residue(&args, &range);
    sum_of_members(s);
    for (int m = 0; m < s->geometry->members; m++) {
        solve_member *member = &s->member[m];
        double before = member->square;
        if (member->running) solve_note(s, member, s->sum[m]);
        s->of_members[SOLVE_BETA][m] = member->running ? member->square / before : 0;
    }
}

void solve_cg_direction(lat_solver *s, lat_field *x, lat_field *p, const lat_field *r)
{
    cg_direction_args args = {.t = lat_tables_of(s->geometry),
                              .x = x->data,
                              .p = p->data,
                              .r = r->data,
                              .alpha = s->of_lanes[SOLVE_ALPHA],
                              .beta = solve_lanes(s, SOLVE_BETA),
                              .components = p->components};
    lat_range range = solve_range(s);
    lat_field_kernels_of(p)->cg_direction(&args, &range);
}

void solve_cg(lat_solver *s, lat_field *x, lat_field *r)
{
    lat_field *p = solve_room(s, r->precision, SOLVE_P), *q = solve_room(s, r->precision, SOLVE_Q);
    lat_field_copy(p, r);
    while (solve_running(s)) {
        solve_apply(s, p, q);
        solve_cg_curvature(s, p);
        solve_cg_residue(s, r, p, q);
        solve_cg_direction(s, x, p, r);
    }
}

void solve_cg_cycle(lat_solver *s, lat_field *x)
{
    if (solve_start(s, LAT_DOUBLE, NULL, 0)) solve_cg(s, x, solve_room(s, LAT_DOUBLE, SOLVE_R));
}

lat_status lat_solve_cg(lat_solver *s, lat_dirac_form form, double shift, const lat_field *b, lat_field *x,
                        const lat_solver_goal *goal, lat_solver_report *report, lat_error *error)
{
    solve_begin(s, &(solve_equation){"conjugate gradients", true, form, shift, b, *goal});
    lat_field_zero(x);
    return solve_end(s, report, solve_cycles(s, solve_cg_cycle, true, x, error));
}
