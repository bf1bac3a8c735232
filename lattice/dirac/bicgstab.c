/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bicgstab.c: stabilised biconjugate gradients: H. A. van der Vorst, SIAM J. Sci. Stat. Comput. 13 (1992) 631.
 */
#include "lattice/dirac/solve.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

enum { RHO, ALPHA, OMEGA, BETA, SUM, SQUARE, NUMBERS };

typedef struct {
    lat_field *x, *r, *shadow, *p, *v, *t;
    double complex *of[NUMBERS]; /* [members] */
} iteration;

/* out = a^+ b */
static void dot(lat_solver *s, const lat_field *a, const lat_field *b, double complex *out)
{
    double *scale = s->of_members[SOLVE_SCALE];
    for (int m = 0; m < s->geometry->members; m++) scale[m] = solve_scale(s, s->member[m].square);
    complex_dot_args args = {
        lat_tables_of(s->geometry), a->data,      b->data, solve_lanes(s, SOLVE_SCALE), s->density[0]->data,
        s->density[1]->data,        a->components};
    lat_range range = solve_range(s);
    lat_field_kernels_of(a)->complex_dot(&args, &range);
    lat_sum(s->density[0], s->sum);
    for (int m = 0; m < s->geometry->members; m++) out[m] = s->sum[m] / scale[m];
    lat_sum(s->density[1], s->sum);
    for (int m = 0; m < s->geometry->members; m++) out[m] += I * (s->sum[m] / scale[m]);
}

static complex_axpy_args arguments(lat_solver *s, double sign, const double complex *a, const lat_field *x,
                                   lat_field *y)
{
    for (int m = 0; m < s->geometry->members; m++) {
        s->of_members[SOLVE_ALPHA][m] = sign * creal(a[m]);
        s->of_members[SOLVE_BETA][m] = sign * cimag(a[m]);
    }
    return (complex_axpy_args){lat_tables_of(s->geometry), y->data,      x->data, solve_lanes(s, SOLVE_ALPHA),
                               solve_lanes(s, SOLVE_BETA), x->components};
}

/* y += sign a x */
static void add(lat_solver *s, double sign, const double complex *a, const lat_field *x, lat_field *y)
{
    complex_axpy_args args = arguments(s, sign, a, x, y);
    lat_range range = solve_range(s);
    lat_field_kernels_of(x)->complex_axpy(&args, &range);
}

/* y = x + a y */
static void direct(lat_solver *s, const double complex *a, const lat_field *x, lat_field *y)
{
    complex_direction_args args = arguments(s, 1, a, x, y);
    lat_range range = solve_range(s);
    lat_field_kernels_of(x)->complex_direction(&args, &range);
}

/* A member whose numbers break down stops, and the next cycle begins anew. */
static double complex number(solve_member *m, double complex value)
{
    m->running = m->running && isfinite(creal(value)) && isfinite(cimag(value));
    return m->running ? value : 0;
}

/* v = A p, alpha = rho / (shadow, v), x += alpha p, r -= alpha v */
static void first_half(lat_solver *s, iteration *i)
{
    solve_apply(s, i->p, i->v);
    dot(s, i->shadow, i->v, i->of[SUM]);
    for (int m = 0; m < s->geometry->members; m++)
        i->of[ALPHA][m] = number(&s->member[m], i->of[RHO][m] / i->of[SUM][m]);
    add(s, 1, i->of[ALPHA], i->p, i->x);
    add(s, -1, i->of[ALPHA], i->v, i->r);
}

/* t = A r, omega = (t, r) / (t, t), x += omega r, r -= omega t */
static void second_half(lat_solver *s, iteration *i)
{
    solve_apply(s, i->r, i->t);
    dot(s, i->t, i->r, i->of[SUM]);
    dot(s, i->t, i->t, i->of[SQUARE]);
    for (int m = 0; m < s->geometry->members; m++) {
        double complex omega = i->of[SQUARE][m] == 0 ? 0 : i->of[SUM][m] / i->of[SQUARE][m];
        i->of[OMEGA][m] = number(&s->member[m], omega);
    }
    add(s, 1, i->of[OMEGA], i->r, i->x);
    add(s, -1, i->of[OMEGA], i->t, i->r);
}

/* beta = rho' alpha / (rho omega), p = r + beta (p - omega v) */
static void turn(lat_solver *s, iteration *i)
{
    dot(s, i->shadow, i->r, i->of[SUM]);
    dot(s, i->r, i->r, i->of[SQUARE]);
    for (int m = 0; m < s->geometry->members; m++) {
        solve_member *member = &s->member[m];
        if (member->running) solve_note(s, member, creal(i->of[SQUARE][m]));
        i->of[BETA][m] = number(member, i->of[SUM][m] / i->of[RHO][m] * i->of[ALPHA][m] / i->of[OMEGA][m]);
        i->of[RHO][m] = i->of[SUM][m];
    }
    add(s, -1, i->of[OMEGA], i->v, i->p);
    direct(s, i->of[BETA], i->r, i->p);
}

static void cycle(lat_solver *s, lat_field *x)
{
    const lat_precision d = LAT_DOUBLE;
    iteration i = {x,
                   solve_room(s, d, SOLVE_R),
                   solve_room(s, d, SOLVE_X),
                   solve_room(s, d, SOLVE_P),
                   solve_room(s, d, SOLVE_Q),
                   solve_room(s, d, SOLVE_W),
                   {0}};
    for (int n = 0; n < NUMBERS; n++) i.of[n] = lat_alloc(s->geometry->members, sizeof *i.of[n]);
    for (int m = 0; m < s->geometry->members; m++) i.of[RHO][m] = s->member[m].residue;
    lat_field_copy(i.shadow, i.r);
    lat_field_copy(i.p, i.r);
    solve_start(s, d, NULL, 0);
    while (solve_running(s)) {
        first_half(s, &i);
        second_half(s, &i);
        turn(s, &i);
    }
    for (int n = 0; n < NUMBERS; n++) free(i.of[n]);
}

lat_status lat_solve_bicgstab(lat_solver *s, lat_dirac_form form, const lat_field *b, lat_field *x,
                              const lat_solver_goal *goal, lat_solver_report *report, lat_error *error)
{
    solve_begin(s, &(solve_equation){"stabilised biconjugate gradients", false, form, 0, b, *goal});
    lat_field_zero(x);
    return solve_end(s, report, solve_cycles(s, cycle, true, x, error));
}
