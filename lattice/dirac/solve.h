/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * solve.h: what solvers share; for the files of this wing.  A solver makes x better in cycles, in each of which members
 * that have had enough stand still; between cycles the true residue decides which members go on.
 */
#ifndef LAT_DIRAC_SOLVE_H
#define LAT_DIRAC_SOLVE_H

#include "lattice/dirac/operator.h"
#include "lattice/dirac/solver.h"
#include "lattice/dirac/spinor.h"

typedef enum { SOLVE_R, SOLVE_P, SOLVE_Q, SOLVE_W, SOLVE_X, SOLVE_FIELDS } solve_field;
typedef enum { SOLVE_ALPHA, SOLVE_BETA, SOLVE_ZETA, SOLVE_SCALE, SOLVE_COEFFICIENTS } solve_coefficient;

/* A x = b with A = D^+ D + shift, or D */
typedef struct {
    const char *method;
    bool square;
    lat_dirac_form form;
    double shift;
    const lat_field *b;
    lat_solver_goal goal;
} solve_equation;

typedef struct {
    double source;  /* |b|^2 */
    double residue; /* |b - A x|^2, true, and what it was a cycle earlier */
    double before;
    double size;   /* |x|^2 */
    double square; /* |r|^2 in a cycle, its least, and the iterations since that */
    double least;
    int64_t waiting;
    int64_t iterations; /* of all cycles */
    int64_t most;       /* iterations and relative residue, the worst of the shifts that are verified */
    double worst;
    double aim;           /* for |r|^2 */
    bool wanted, running; /* the goal is not reached; iterates now */
    bool lost;            /* its numbers are not finite */
    bool in_double;
} solve_member;

struct lat_solver {
    lat_dirac *dirac;
    const lat_geometry *geometry;
    lat_field *field[LAT_PRECISIONS][SOLVE_FIELDS]; /* NULL until asked for */
    lat_field *density[2];
    double *of_members[SOLVE_COEFFICIENTS];
    double *of_lanes[SOLVE_COEFFICIENTS]; /* in the memory of the backend */
    double *lanes, *sum;                  /* [lanes], [members], to pass on */
    solve_member *member;
    lat_solves *counted; /* [members] */
    /* of the solve that is under way */
    solve_equation equation;
    lat_solver_report report;
    double start;
};

/* Iterates for members that are wanted, with r in SOLVE_R and its square in `residue`; loses r. */
typedef void solve_cycle(lat_solver *solver, lat_field *x);

void solve_begin(lat_solver *solver, const solve_equation *equation);
/* Cycles until x has reached the goal; fresh: x is zero. */
lat_status solve_cycles(lat_solver *solver, solve_cycle *cycle, bool fresh, lat_field *x, lat_error *error);
lat_status solve_end(lat_solver *solver, lat_solver_report *report, lat_status status);
/* The members that are wanted in this precision run, |r|^2 being `scale` times the residue, to no less than `fall`
 * times what it is; false: none. */
bool solve_start(lat_solver *solver, lat_precision precision, const double *scale, double fall);
bool solve_running(const lat_solver *solver);
void solve_note(lat_solver *solver, solve_member *member, double square); /* of an iteration: does it go on? */

/* A solver with so many fields of spinors in each precision. */
void solve_needs(const lat_geometry *geometry, lat_group group, int doubles, int floats, lat_needs *needs);
lat_field *solve_room(lat_solver *solver, lat_precision precision, solve_field which);
lat_field *solve_spinor(const lat_solver *solver, lat_precision precision); /* another one, to be freed */
lat_spinor_sites solve_sites(const lat_solver *solver);
lat_range solve_range(const lat_solver *solver);
void solve_apply(lat_solver *solver, lat_field *in, lat_field *out); /* out = A in, but for the shift; SOLVE_W = D in */
/* of_members as kernels read it; the next of the same name takes its place. */
const double *solve_lanes(lat_solver *solver, solve_coefficient which);
/* For sums of about this size: a power of two that makes a site's part about 1. */
double solve_scale(const lat_solver *solver, double size);

/* Conjugate gradients of one precision for the members that are running: x += what solves for r. */
void solve_cg(lat_solver *solver, lat_field *x, lat_field *r);
void solve_cg_curvature(lat_solver *solver, const lat_field *p);                                 /* alpha; after solve_apply to p */
void solve_cg_residue(lat_solver *solver, lat_field *r, const lat_field *p, const lat_field *q); /* r -= alpha A p; beta */
void solve_cg_direction(lat_solver *solver, lat_field *x, lat_field *p, const lat_field *r);     /* x += alpha p, p = r + beta p */
solve_cycle solve_cg_cycle;

#endif
