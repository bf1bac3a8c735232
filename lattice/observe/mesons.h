/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mesons.h: two-point functions of mesons from points or walls, and the chiral condensate.  With S = M^-1 (dirac.h),
 *
 *     C(t) = sum_x Re tr[G S(x, t; 0) G' gamma5 S(x, t; 0)^+ gamma5],
 *
 * and of a wall the mean over all points of a slice in place of 0, each product of noise from two of them being 0 in the mean alone: the noise of a site
 * has components (+-1 +- i) / sqrt 2, one for each colour and the same for all spins.
 * G at the sink and G' at the source: the connected correlation of two quarks of the same operator, whose twisted mass has the other sign for the
 * antiquark.  Time is the last direction, and counted from the source.  Correlators of openQCD's operator are (2 kappa)^2 times these.  What a
 * member gets does not depend on ranks, lanes and other members, to the last bit.
 */
#ifndef LAT_OBSERVE_MESONS_H
#define LAT_OBSERVE_MESONS_H

#include "lattice/dirac/gamma.h"
#include "lattice/dirac/solver.h"

typedef struct {
    lat_gamma sink, source; /* G, G' */
} lat_meson;

/* The name has the structure at the sink before that at the source: "PP", "A4P", "V1V1".  S: 1; P: gamma5; Vk: gamma_k; Ak: gamma_k gamma5; k counts
 * directions of space from 1, and is 4 for time.  False: there is no such. */
bool lat_meson_read(const char *name, int dim, lat_meson *meson);

/* M^-1 of all spins and colours of a site of each member, or of all spins of a wall. */
typedef struct lat_propagator lat_propagator;
lat_propagator *lat_propagator_create(lat_dirac *dirac); /* which must stay */
void lat_propagator_free(lat_propagator *propagator);    /* NULL is allowed */
/* site[member], as in lat_global_site; noise NULL: it is the source, else the slice that it is in, with noise of this stream.  The operator must be
 * prepared.  Collective.  LAT_NUMERICAL where a solver fails. */
lat_status lat_propagator_solve(lat_propagator *propagator, const int64_t *site, const lat_random *noise,
                                const lat_solver_goal *goal, lat_error *error);
/* Adds the memory of one that has been solved for. */
void lat_propagator_needs(const lat_geometry *geometry, lat_group group, lat_needs *needs);
/* out[member][t].  Collective. */
void lat_propagator_correlate(const lat_propagator *propagator, const lat_meson *meson, double *out);

/* site[member], drawn with equal probability; member m has that of member m + random->member alone. */
void lat_random_sites(const lat_geometry *geometry, const lat_random *random, int64_t *site);

/* out[member] = Re Tr M^-1 / volume, by so many sources with components (+-1 +- i) / sqrt 2; source i has the `update` of random plus i.  The operator must be
 * prepared.  Collective.  LAT_NUMERICAL where a solver fails. */
lat_status lat_condensate(lat_dirac *dirac, int sources, const lat_random *random, const lat_solver_goal *goal,
                          double *out, lat_error *error);

#endif
