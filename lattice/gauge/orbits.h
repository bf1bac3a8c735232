/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * orbits.h: closed loops of links of any shape, in orbits of the symmetries of a slice, their sums, and the gradients of these: vector
 * fields on the group whose divergence is known.
 *
 * A shape is a string of steps in directions x, y, z, t, each with a sign before it where it leads down: "xy-x-y" is a plaquette.  No link is
 * in a loop twice.  W_t is the sum of Re tr L / N over the loops of an orbit that belong to slice t of the last direction: half way between their
 * lowest and their highest slice, the lower one of two.  Its gradient w^a_mu(x) = d^a W_t, a vector field, has the divergence
 *
 *     sum_{x, mu, a} d^a w^a_mu(x) = -(links of a loop) C_F W_t,     C_F = (N^2 - 1) / 2N (U(1): 1),
 *
 * as sum_a T_a T_a = -C_F.  For any action S the average of w.dS - div w = w.dS + (links) C_F W_t vanishes: Haar measure does not change
 * under the flow of w.
 */
#ifndef LAT_GAUGE_ORBITS_H
#define LAT_GAUGE_ORBITS_H

#include "lattice/gauge/gauge.h"

enum { LAT_LOOP_LINKS = 16 }; /* the longest */

/* The loops from one site that reflections of all directions, permutations of those of a slice, and translations make of one of them; both senses
 * are one loop. */
typedef struct {
    char *name; /* of all strings that stand for its loops the first, in the order of steps x, y, z, t, -x, ... */
    int shape;  /* that it is made from */
    int links;  /* of a loop */
    int loops;  /* from a site */
    int extent; /* slices of the last direction that a loop reaches over, less one */
    int *step;  /* [loops][links]: mu + 1 leads up, -(mu + 1) down */
} lat_orbit;

typedef struct {
    int dim, count;
    lat_orbit *orbit;
    int reach, corners; /* of loops from where they begin: sites in a direction, and directions at once */
    int extent;         /* of the longest loop in any direction */
} lat_orbits;

/* All orbits of some shapes, in which all directions may be permuted, in dim dimensions.  LAT_CONFIG: a string is no loop, has a link twice or
 * too many, or two are of the same shape.  Local. */
lat_status lat_orbits_create(const char *const *shape, int shapes, int dim, lat_orbits **orbits, lat_error *error);
void lat_orbits_free(lat_orbits *orbits); /* NULL is allowed */

/* Makes a shape ask for what the sums need.  Gradients need a halo of orbits->extent. */
void lat_orbits_shape(const lat_orbits *orbits, lat_shape *shape);
/* Whether the loops do not wind around the lattice.  Local. */
bool lat_orbits_fit(const lat_orbits *orbits, const lat_geometry *geometry);
/* The eigenvalue (links) C_F of minus the Laplacian. */
double lat_orbit_laplacian(const lat_orbit *orbit, lat_group group);

/* W_t and its derivative along an algebra field F, d/de W_t(exp(e F) U) at e = 0, which is w.F: out[member][2][slice].  Exact sums over sites.
 * Fills the halos of the links and of F, which has their precision.  Collective. */
void lat_orbit_sums(const lat_orbit *orbit, lat_gauge *gauge, lat_field *direction, double *out);
/* force^a_mu(x) += d^a sum_t weight[t] W_t.  Fills the halo of the links.  Collective. */
void lat_orbit_gradient(const lat_orbit *orbit, lat_gauge *gauge, const double *weight, lat_field *force);

#endif
