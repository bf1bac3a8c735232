/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * solver.h: solvers of equations of a Dirac operator, for all members of a batch side by side.  D is M on all sites, or
 * Mhat on the even ones, in the form that is asked for (dirac.h).  What a member gets does not depend on the other
 * members, nor on ranks and lanes, to the last bit.
 */
#ifndef LAT_DIRAC_SOLVER_H
#define LAT_DIRAC_SOLVER_H

#include "lattice/dirac/dirac.h"

typedef struct {
    double residue;         /* |b - A x| / |b|, which is verified with x as it is returned; more than rounding of A x allows is not waited for */
    int64_t max_iterations; /* of each member */
} lat_solver_goal;

/* Of a solve that failed too. */
typedef struct {
    int64_t iterations;   /* of the member, or shift, that took most */
    int64_t applications; /* of D and of its adjoint */
    double residue;       /* of the worst member */
    double seconds;
} lat_solver_report;

/* Room for solves, which is taken when it is first needed and kept.  The operator must be prepared, and stay. */
typedef struct lat_solver lat_solver;
lat_solver *lat_solver_create(lat_dirac *dirac);
void lat_solver_free(lat_solver *solver); /* NULL is allowed */

/* All: b and x are different fields in double; with form.even, odd sites of b do not count, and those of x hold nothing
 * that does.  A member whose source is zero gets zero, and one whose links or source are not finite, or too large, NaN: it is lost, and the
 * others are solved for.  report NULL: nobody asks for it.  Collective.  LAT_NUMERICAL, in one line, where the goal is not reached. */

/* (D^+ D + shift) x = b, shift >= 0, by conjugate gradients. */
lat_status lat_solve_cg(lat_solver *solver, lat_dirac_form form, double shift, const lat_field *b, lat_field *x,
                        const lat_solver_goal *goal, lat_solver_report *report, lat_error *error);
/* The same with iterations in float, and corrections in double; members that float does not help, and all of a geometry
 * that does not serve it, go on in double. */
lat_status lat_solve_cg_mixed(lat_solver *solver, lat_dirac_form form, double shift, const lat_field *b, lat_field *x,
                              const lat_solver_goal *goal, lat_solver_report *report, lat_error *error);
/* (D^+ D + shift[i]) x[i] = b for many shifts >= 0, at the cost of the least. */
lat_status lat_solve_multishift(lat_solver *solver, lat_dirac_form form, int count, const double *shift,
                                const lat_field *b, lat_field *const *x, const lat_solver_goal *goal,
                                lat_solver_report *report, lat_error *error);
/* D x = b by stabilised biconjugate gradients. */
lat_status lat_solve_bicgstab(lat_solver *solver, lat_dirac_form form, const lat_field *b, lat_field *x,
                              const lat_solver_goal *goal, lat_solver_report *report, lat_error *error);

/* For terms of an action: counts the last solve, which was one for a force or not; and what was counted since the last call of
 * lat_solver_counted, out[member]. */
void lat_solver_count(lat_solver *solver, bool force);
void lat_solver_counted(lat_solver *solver, lat_solves *out);

/* Adds the memory of a solver that is asked for such solves on a geometry. */
void lat_solve_cg_mixed_needs(const lat_geometry *geometry, lat_group group, lat_needs *needs);
void lat_solve_multishift_needs(const lat_geometry *geometry, lat_group group, int count, lat_needs *needs);

/* M x = b on all sites, by mixed conjugate gradients on the even ones.  The report adds up the solves that this takes.  LAT_NUMERICAL also where a
 * member is lost. */
lat_status lat_solve_quark(lat_solver *solver, const lat_field *b, lat_field *x, const lat_solver_goal *goal,
                           lat_solver_report *report, lat_error *error);
void lat_solve_quark_needs(const lat_geometry *geometry, lat_group group, lat_needs *needs);

#endif
