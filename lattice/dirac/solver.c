/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * solver.c: what solvers share: room, cycles, and the true residue.
 */
#include "lattice/dirac/solve.h"

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------------------- room */

lat_solver *lat_solver_create(lat_dirac *dirac)
{
    const lat_geometry *g = dirac->geometry;
    lat_solver *s = lat_alloc(1, sizeof *s);
    *s = (lat_solver){.dirac = dirac, .geometry = g};
    for (int i = 0; i < 2; i++) s->density[i] = lat_field_create(g, 1, LAT_DOUBLE);
    for (int i = 0; i < SOLVE_COEFFICIENTS; i++) {
        s->of_members[i] = lat_alloc(g->members, sizeof(double));
        s->of_lanes[i] = g->backend->allocate(g->lanes * (int64_t)sizeof(double));
    }
    s->lanes = lat_alloc(g->lanes, sizeof(double));
    s->sum = lat_alloc(g->members, sizeof(double));
    s->member = lat_alloc(g->members, sizeof *s->member);
    s->counted = lat_alloc(g->members, sizeof *s->counted);
    return s;
}

void lat_solver_free(lat_solver *s)
{
    if (!s) return;
    for (int precision = 0; precision < LAT_PRECISIONS; precision++)
        for (int i = 0; i < SOLVE_FIELDS; i++) lat_field_free(s->field[precision][i]);
    for (int i = 0; i < 2; i++) lat_field_free(s->density[i]);
    for (int i = 0; i < SOLVE_COEFFICIENTS; i++) {
        free(s->of_members[i]);
        s->geometry->backend->release(s->of_lanes[i]);
    }
    free(s->lanes);
    free(s->sum);
    free(s->member);
    free(s->counted);
    free(s);
}

void solve_needs(const lat_geometry *g, lat_group group, int doubles, int floats, lat_needs *needs)
{
    needs->kept += 2 * lat_field_memory(g, 1, LAT_DOUBLE) + doubles * lat_spinor_memory(g, group, LAT_DOUBLE) +
                   floats * lat_spinor_memory(g, group, LAT_FLOAT);
}

lat_field *solve_spinor(const lat_solver *s, lat_precision precision)
{
    return lat_field_spinor(s->geometry, s->dirac->group, precision);
}

lat_field *solve_room(lat_solver *s, lat_precision precision, solve_field which)
{
    lat_field **field = &s->field[precision][which];
    if (!*field) *field = solve_spinor(s, precision);
    return *field;
}

lat_spinor_sites solve_sites(const lat_solver *s) { return s->equation.form.even ? LAT_EVEN_SITES : LAT_ALL_SITES; }

lat_range solve_range(const lat_solver *s) { return lat_spinor_range(solve_sites(s), s->density[0]); }

const double *solve_lanes(lat_solver *s, solve_coefficient which)
{
    const lat_geometry *g = s->geometry;
    for (int lane = 0; lane < g->lanes; lane++)
        s->lanes[lane] = g->lane_member[lane] < g->members ? s->of_members[which][g->lane_member[lane]] : 0;
    g->backend->upload(s->of_lanes[which], s->lanes, g->lanes * (int64_t)sizeof(double), LAT_OF_ARRAY);
    return s->of_lanes[which];
}

double solve_scale(const lat_solver *s, double size)
{
    enum { MOST = 1000 };
    if (!(size > 0 && isfinite(size))) return 1;
    int power = -ilogb(size / (double)s->geometry->volume);
    return ldexp(1, power > MOST ? MOST : power);
}

/* ---------------------------------------------------------------------------------------------------------- residue */

void solve_apply(lat_solver *s, lat_field *in, lat_field *out)
{
    lat_dirac_form form = s->equation.form;
    lat_field *first = s->equation.square ? solve_room(s, in->precision, SOLVE_W) : out;
    lat_dirac_apply(s->dirac, form, in, first);
    s->report.applications++;
    if (!s->equation.square) return;
    form.dagger = !form.dagger;
    lat_dirac_apply(s->dirac, form, first, out);
    s->report.applications++;
}

/* r = b - A x, with its squares as they are: small ones are slow to add, which is rare. */
static void true_residue(lat_solver *s, bool fresh, lat_field *x)
{
    lat_field *r = solve_room(s, LAT_DOUBLE, SOLVE_R), *q = solve_room(s, LAT_DOUBLE, SOLVE_Q);
    lat_field_copy(r, s->equation.b);
    if (!fresh) {
        double *minus = s->of_members[SOLVE_ALPHA], *shift = s->of_members[SOLVE_BETA];
        for (int m = 0; m < s->geometry->members; m++) {
            minus[m] = -1;
            shift[m] = -s->equation.shift;
        }
        solve_apply(s, x, q);
        lat_spinor_combine(solve_sites(s), minus, q, NULL, r);
        if (s->equation.shift != 0) lat_spinor_combine(solve_sites(s), shift, x, NULL, r);
    }
    lat_spinor_dot(solve_sites(s), r, r, s->density[0], s->sum);
    for (int m = 0; m < s->geometry->members; m++) {
        s->member[m].before = fresh ? INFINITY : s->member[m].residue;
        s->member[m].residue = s->sum[m];
    }
    lat_spinor_dot(solve_sites(s), x, x, s->density[0], s->sum);
    for (int m = 0; m < s->geometry->members; m++) s->member[m].size = s->sum[m];
}

/* ----------------------------------------------------------------------------------------------------------- cycles */

void solve_begin(lat_solver *s, const solve_equation *equation)
{
    s->equation = *equation;
    s->report = (lat_solver_report){0};
    s->start = MPI_Wtime();
    lat_field_zero(s->density[0]); /* at sites that do not count too */
    lat_field_zero(s->density[1]);
    lat_spinor_dot(solve_sites(s), equation->b, equation->b, s->density[0], s->sum);
    for (int m = 0; m < s->geometry->members; m++)
        s->member[m] = (solve_member){.source = s->sum[m], .in_double = true};
}

static double relative(const solve_member *m) { return m->source == 0 ? 0 : sqrt(m->residue / m->source); }

static lat_status give_up(const lat_solver *s, int m, lat_error *error)
{
    const solve_member *member = &s->member[m];
    char where[LAT_DIRAC_TEXT];
    lat_dirac_text(s->dirac, where);
    bool spent = member->iterations >= s->equation.goal.max_iterations;
    return lat_fail(error, LAT_NUMERICAL,
                    "%s (%s, member %d): residue %.3g after %lld iterations, %.3g is asked for: %s", s->equation.method,
                    where, m, relative(member), (long long)member->iterations, s->equation.goal.residue,
                    relative(member) > 1 ? "they lead nowhere, as an eigenvalue is next to zero"
                    : spent              ? "allow more of them, or ask for less"
                                         : "they get no further, so ask for less");
}

/* Whether b - A x is as small as numbers in double can make it, |A| |x| times their rounding; |D|^2 is some 10 at most.  Where an eigenvalue
 * of A is tiny, x is so large that no other x is better.  Who asks for more than double has in any case is told so,
 * and so is who has run into a zero mode: a residue that large is none of a solution. */
static bool is_exhausted(const lat_solver *s, const solve_member *m)
{
    const double rounding = 0x1p-52, norm = 16 + s->equation.shift, least_goal = 1e-14, most_left = 1e-3;
    return m->in_double && s->equation.goal.residue >= least_goal && m->residue <= most_left * most_left * m->source &&
           m->residue <= rounding * rounding * norm * norm * m->size;
}

/* Whether a member is done, or goes on; false: neither. */
static bool judge(const lat_solver *s, solve_member *m)
{
    double goal = s->equation.goal.residue;
    m->wanted = false;
    m->lost = !isfinite(m->source) || !isfinite(m->residue);
    if (m->lost) return true;
    m->wanted = !(m->residue <= goal * goal * m->source) && !is_exhausted(s, m);
    if (!m->wanted) return true;
    bool stuck = !(m->residue <= m->before / 4), more = m->iterations < s->equation.goal.max_iterations;
    if (stuck && !m->in_double) {
        m->in_double = true;
        stuck = false;
    }
    return more && !stuck;
}

static void report(lat_solver *s)
{
    for (int m = 0; m < s->geometry->members; m++) {
        solve_member *member = &s->member[m];
        double residue = member->lost ? 0 : relative(member);
        member->worst = fmax(member->worst, residue);
        if (member->iterations > member->most) member->most = member->iterations;
        s->report.residue = fmax(s->report.residue, residue);
        if (member->iterations > s->report.iterations) s->report.iterations = member->iterations;
    }
}

/* What is found out by whoever goes on with x. */
static void spoil_lost(lat_solver *s, lat_field *x)
{
    double *factor = s->of_members[SOLVE_SCALE];
    bool any = false;
    for (int m = 0; m < s->geometry->members; m++) {
        factor[m] = s->member[m].lost ? NAN : 1;
        any = any || s->member[m].lost;
    }
    if (!any) return;
    scale_lanes_args args = {lat_tables_of(s->geometry), x->data, solve_lanes(s, SOLVE_SCALE), x->components};
    lat_range range = solve_range(s);
    lat_field_kernels_of(x)->scale_lanes(&args, &range);
}

lat_status solve_cycles(lat_solver *s, solve_cycle *cycle, bool fresh, lat_field *x, lat_error *error)
{
    int wanted = 1, failed = -1;
    for (; wanted > 0 && failed < 0; fresh = false) {
        true_residue(s, fresh, x);
        wanted = 0;
        for (int m = s->geometry->members - 1; m >= 0; m--) {
            if (!judge(s, &s->member[m])) failed = m;
            wanted += s->member[m].wanted;
        }
        if (wanted > 0 && failed < 0) cycle(s, x);
    }
    report(s);
    spoil_lost(s, x);
    return failed < 0 ? LAT_DONE : give_up(s, failed, error);
}

lat_status solve_end(lat_solver *s, lat_solver_report *report, lat_status status)
{
    s->report.seconds = MPI_Wtime() - s->start;
    if (report) *report = s->report;
    return status;
}

/* --------------------------------------------------------------------------------------------- for terms of an action */

void lat_solver_count(lat_solver *s, bool force)
{
    for (int m = 0; m < s->geometry->members; m++) {
        const solve_member *member = &s->member[m];
        lat_solves *sum = &s->counted[m];
        double *residue = force ? &sum->residue_force : &sum->residue;
        sum->solves++;
        sum->iterations += (double)member->most;
        sum->most = fmax(sum->most, (double)member->most);
        *residue = fmax(*residue, member->worst);
        sum->seconds += s->report.seconds;
    }
}

void lat_solver_counted(lat_solver *s, lat_solves *out) { lat_solves_take(s->counted, s->geometry->members, out); }

/* ---------------------------------------------------------------------------------------------- members in a cycle */

bool solve_running(const lat_solver *s)
{
    for (int m = 0; m < s->geometry->members; m++)
        if (s->member[m].running) return true;
    return false;
}

/* A little more than is asked for, as rounding makes the true residue another one. */
bool solve_start(lat_solver *s, lat_precision precision, const double *scale, double fall)
{
    double goal = 0.9 * s->equation.goal.residue;
    for (int m = 0; m < s->geometry->members; m++) {
        solve_member *member = &s->member[m];
        double factor = scale ? scale[m] : 1;
        member->running = member->wanted && member->in_double == (precision == LAT_DOUBLE);
        member->square = member->least = factor * member->residue;
        member->aim = fmax(goal * goal * factor * member->source, fall * member->square);
        member->waiting = 0;
    }
    return solve_running(s);
}

void solve_note(lat_solver *s, solve_member *m, double square)
{
    enum { PATIENCE = 500 }; /* in float, where a residue may fall no more */
    m->square = square;
    m->iterations++;
    m->waiting = square < m->least ? 0 : m->waiting + 1;
    m->least = fmin(square, m->least);
    bool stalled = !m->in_double && m->waiting > PATIENCE;
    m->running = square > m->aim && isfinite(square) && !stalled && m->iterations < s->equation.goal.max_iterations;
}
