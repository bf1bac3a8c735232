/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pseudofermions.h: dynamical quarks by pseudofermion fields, on even sites.  With D = Mhat and masses in units of openQCD's operator, so that
 * m stands for 2 kappa m here,
 *
 *     |det M|^2 = det(D_oo)^2 det(D^+ D),    det(D^+ D) = det(K_n) prod_{i<n} det(K_i / K_{i+1}),    K_i = D^+ D + m_i^2
 *
 * with m_1 = 0 < m_2 < ... (M. Hasenbusch, Phys. Lett. B 519 (2001) 177): each factor has a field of its own, and may be stepped by itself.
 * Where the operator has a twisted mass, it is in D, on all sites; masses are added to D^+ D in any case.
 */
#ifndef LAT_DIRAC_PSEUDOFERMIONS_H
#define LAT_DIRAC_PSEUDOFERMIONS_H

#include "lattice/dirac/action.h"
#include "lattice/dirac/solver.h"

enum { LAT_MOST_MASSES = 8 };

typedef struct {
    int masses;
    double mass[LAT_MOST_MASSES]; /* ascending, the first 0 */
    int level
        [LAT_MOST_MASSES]; /* of the factor with K_i alone in its denominator, counted from the action's own level 0 */
    lat_solver_goal action, force; /* of solves for values and refreshes, and for forces */
} lat_two_flavours;

/* Two flavours; the determinant of the diagonal is on level 0.  The operator stays the caller's and outlives the action, which is for
 * double links on the geometry of the operator.  LAT_NUMERICAL where a solver fails.  Collective. */
lat_action *lat_action_two_flavours(lat_dirac *dirac, const lat_two_flavours *parameters, lat_error *error);

/* Adds the memory of a rank that it takes on such a geometry, which need only be planned; the operator is left out. */
void lat_two_flavours_needs(const lat_dirac_parameters *dirac, const lat_two_flavours *parameters,
                            const lat_geometry *geometry, lat_group group, lat_needs *needs);

/* One flavour, |det M| = |det D_oo| det(K)^(1/2), K = D^+ D: S = phi^+ R(K) phi, R the best rational approximation of K^(-1/2) where the
 * eigenvalues of K^(1/2) / (2 kappa) are in the range (M. A. Clark and A. D. Kennedy, Phys. Rev. Lett. 98 (2007) 051601). */
typedef struct {
    double range[2]; /* of the eigenvalues of the modulus of openQCD's operator */
    double error[2]; /* relative, of R in values and refreshes, and of R in forces */
    lat_solver_goal action, force;
} lat_one_flavour;

/* As above.  LAT_NUMERICAL also where a refresh finds that the spectrum leaves the range.  The operator has no twisted mass. */
lat_action *lat_action_rational(lat_dirac *dirac, const lat_one_flavour *parameters, lat_error *error);

void lat_one_flavour_needs(const lat_one_flavour *parameters, const lat_geometry *geometry, lat_group group,
                           lat_needs *needs);

/* Terms that a configuration can name:
 *
 *     { kind = "two_flavours"; operator = "light"; masses = [0.0, 0.3]; levels = [1, 0]; }      levels are counted from that of the term
 *     { kind = "rational"; operator = "strange"; range = [0.02, 7.0]; }
 */
extern const lat_action_kind lat_action_kind_two_flavours, lat_action_kind_rational;

#endif
