/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * multishift.c: conjugate gradients for many shifts in one: B. Jegerlehner [hep-lat/9612014].  The residues of all
 * shifts are parallel, r_i = zeta_i r, where r is that of the least shift, which converges last.  What rounding has
 * spoilt, cycles of ordinary conjugate gradients put right.
 */
#include "lattice/dirac/solve.h"

#include <math.h>
#include <stdlib.h>

/* alpha and beta of the least shift in an iteration, of a member */
typedef struct {
    double alpha, beta;
} rates;

/* Of a shift and a member: zeta of this iteration and of the one before; whether it goes on. */
typedef struct {
    double zeta, before;
    bool running;
} shifted;

typedef struct {
    int count, least, members;
    const double *shift;
    lat_field *const *x;
    lat_field **p;       /* [count]; the least has that of the solver */
    shifted *state;      /* [count][members] */
    rates *now, *before; /* [members] */
} shifts;

static shifts shifts_create(const lat_solver *s, int count, const double *shift, lat_field *const *x)
{
    shifts f = {.count = count, .members = s->geometry->members, .shift = shift, .x = x};
    f.p = lat_alloc(count, sizeof(lat_field *));
    f.state = lat_alloc((int64_t)count * f.members, sizeof *f.state);
    f.now = lat_alloc(f.members, sizeof *f.now);
    f.before = lat_alloc(f.members, sizeof *f.before);
    for (int i = 1; i < count; i++)
        if (shift[i] < shift[f.least]) f.least = i;
    for (int i = 0; i < count; i++)
        if (i != f.least) f.p[i] = solve_spinor(s, LAT_DOUBLE);
    for (int m = 0; m < f.members; m++) f.now[m] = (rates){1, 0};
    for (int i = 0; i < count * f.members; i++) f.state[i] = (shifted){1, 1, true};
    return f;
}

void lat_solve_multishift_needs(const lat_geometry *g, lat_group group, int count, lat_needs *needs)
{
    solve_needs(g, group, 4, 0, needs);
    needs->passing = fmax(needs->passing, (count - 1) * lat_spinor_memory(g, group, LAT_DOUBLE));
}

static void shifts_free(shifts *f)
{
    for (int i = 0; i < f->count; i++) lat_field_free(f->p[i]);
    free(f->p);
    free(f->state);
    free(f->now);
    free(f->before);
}

/* alpha_i, beta_i and zeta_i for kernels, from those of the least shift; false: no member is left. */
static bool advance(lat_solver *s, shifts *f, int i)
{
    bool any = false;
    for (int m = 0; m < f->members; m++) {
        shifted *state = &f->state[i * f->members + m];
        rates now = f->now[m], before = f->before[m];
        double alpha = 0, beta = 1, zeta = 0;
        if (state->running && now.alpha > 0) {
            double old = state->before * before.alpha, more = 1 + now.alpha * (f->shift[i] - f->shift[f->least]);
            zeta = state->zeta * old / (now.alpha * before.beta * (state->before - state->zeta) + old * more);
            alpha = now.alpha * zeta / state->zeta;
            beta = now.beta * (zeta / state->zeta) * (zeta / state->zeta);
            *state = (shifted){zeta, state->zeta, zeta * zeta * s->member[m].square > s->member[m].aim};
            any = true;
        }
        s->of_members[SOLVE_ALPHA][m] = alpha;
        s->of_members[SOLVE_BETA][m] = beta;
        s->of_members[SOLVE_ZETA][m] = zeta;
    }
    return any;
}

static void step(lat_solver *s, const shifts *f, int i, const lat_field *r)
{
    cg_direction_args args = {lat_tables_of(s->geometry),
                              f->x[i]->data,
                              f->p[i]->data,
                              r->data,
                              solve_lanes(s, SOLVE_ALPHA),
                              solve_lanes(s, SOLVE_ZETA),
                              solve_lanes(s, SOLVE_BETA),
                              r->components};
    lat_range range = solve_range(s);
    lat_field_kernels_of(r)->cg_direction(&args, &range);
}

static void iterate(lat_solver *s, shifts *f, lat_field *p, lat_field *q, lat_field *r)
{
    rates *before = f->now;
    f->now = f->before;
    f->before = before;
    solve_apply(s, p, q);
    solve_cg_curvature(s, p);
    for (int m = 0; m < f->members; m++) f->now[m].alpha = s->of_members[SOLVE_ALPHA][m];
    solve_cg_residue(s, r, p, q);
    for (int m = 0; m < f->members; m++) f->now[m].beta = s->of_members[SOLVE_BETA][m];
    solve_cg_direction(s, f->x[f->least], p, r);
    for (int i = 0; i < f->count; i++)
        if (i != f->least && advance(s, f, i)) step(s, f, i, r);
}

static void solve_together(lat_solver *s, shifts *f)
{
    lat_field *p = solve_room(s, LAT_DOUBLE, SOLVE_P), *q = solve_room(s, LAT_DOUBLE, SOLVE_Q),
              *r = solve_room(s, LAT_DOUBLE, SOLVE_R);
    for (int m = 0; m < f->members; m++) {
        s->member[m].wanted = s->member[m].source > 0;
        s->member[m].residue = s->member[m].source;
    }
    lat_field_copy(r, s->equation.b);
    lat_field_copy(p, r);
    for (int i = 0; i < f->count; i++) {
        lat_field_zero(f->x[i]);
        if (i != f->least) lat_field_copy(f->p[i], r);
    }
    solve_start(s, LAT_DOUBLE, NULL, 0);
    while (solve_running(s)) iterate(s, f, p, q, r);
}

/* Each shift for itself, from what it has; members begin with the iterations of all. */
static lat_status verify(lat_solver *s, const shifts *f, lat_error *error)
{
    int64_t *together = lat_alloc(f->members, sizeof *together);
    lat_status status = LAT_DONE;
    for (int m = 0; m < f->members; m++) together[m] = s->member[m].iterations;
    for (int i = 0; i < f->count && !status; i++) {
        s->equation.shift = f->shift[i];
        for (int m = 0; m < f->members; m++) {
            s->member[m].iterations = together[m];
            s->member[m].residue = INFINITY;
        }
        status = solve_cycles(s, solve_cg_cycle, false, f->x[i], error);
    }
    free(together);
    return status;
}

lat_status lat_solve_multishift(lat_solver *s, lat_dirac_form form, int count, const double *shift, const lat_field *b,
                                lat_field *const *x, const lat_solver_goal *goal, lat_solver_report *report,
                                lat_error *error)
{
    shifts f = shifts_create(s, count, shift, x);
    solve_begin(s, &(solve_equation){"conjugate gradients of many shifts", true, form, shift[f.least], b, *goal});
    solve_together(s, &f);
    lat_status status = verify(s, &f, error);
    shifts_free(&f);
    return solve_end(s, report, status);
}
