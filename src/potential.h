/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * potential.h: what Wilson loops W(R, T) tell of the potential between static charges.  Local: for one rank.
 *
 * Functions of means take W(1..r, 1..t) as mean[R - 1][T - 1]; NaN where a logarithm has no argument.
 */
#ifndef POTENTIAL_H
#define POTENTIAL_H

#include "lattice/lattice.h"
#include "src/jackknife.h"

typedef struct {
    int r, t;      /* the longest loops */
    int64_t count; /* configurations */
    jackknife cut; /* of them */
    double *value; /* [configuration][r][t] */
} potential_loops;

/* -ln [W(R,T) W(R-1,T-1) / (W(R,T-1) W(R-1,T))], W = 1 for loops without area (M. Creutz,
 * Phys. Rev. D 21 (1980) 2308). */
double potential_creutz(const double *mean, int t, int R, int T);
/* V(R) = ln [W(R,T) / W(R,T+1)], T < t. */
double potential_effective(const double *mean, int t, int R, int T);
/* The R at which R^2 dV/dR = c, with V taken at T (Sommer, hep-lat/9310022: r0 for c = 1.65, r1 for c = 1).  The
 * force V(R) - V(R - 1) stands for dV/dR at sqrt(R (R - 1)), where it is exact for V = V0 + sigma R - alpha / R;
 * between two such places, of which R = 2 has the first, R^2 dV/dR is linear in R^2, as it is for that V.  NaN if c
 * is not passed from below. */
double potential_scale(const double *mean, int r, int t, int T, double c);

/* Lines of comments, so that flowstat still reads the rest: Creutz ratios; V(R) at all T, with r0 and r1; with
 * errors. */
void potential_print(const potential_loops *loops);
/* The same numbers as HDF5: `loops` [configuration][R][T]; mean, error of `creutz` [R][T], `potential` [R][T], `r0`
 * [T], `r1` [T]. */
lat_status potential_write(const char *path, const potential_loops *loops, lat_error *error);

#endif
