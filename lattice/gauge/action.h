/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * action.h: actions, as sums of terms.
 */
#ifndef LAT_GAUGE_ACTION_H
#define LAT_GAUGE_ACTION_H

#include "lattice/gauge/gauge.h"

/* The table of an action: S(U) = sum_x s(x).  Both functions are collective (they fill the halo of the links as far as
 * they need it). */
typedef struct lat_action lat_action;
typedef struct {
    const char *name;
    /* density(x) += s(x); density: one double component. */
    void (*value)(lat_action *action, lat_field *links, lat_field *density);
    /* force_mu^a(x) += scale * d^a_{x,mu} S, the left derivative d/dt S(exp(t T_a) U_mu(x)) at t = 0. */
    void (*force)(lat_action *action, lat_field *links, double scale, lat_field *force);
    /* Draws auxiliary fields at the start of a trajectory; NULL if there are none. */
    void (*refresh)(lat_action *action, lat_field *links, const lat_random *random);
    void (*free)(lat_action *action);
} lat_action_table;
struct lat_action {
    const lat_action_table *table;
    lat_group group;
    int halo;                   /* width that its functions need in the geometry of the links; 0: 1 */
    const lat_field *couplings; /* of the links, dim components; NULL: all are 1.  See lat_action_couple */
};

/* S = beta sum_{x, m<n} (1 - Re tr P / N); U(1): beta sum (1 - cos theta_P). */
lat_action *lat_action_wilson(lat_group group, double beta);
/* S = beta sum [c0 (1 - Re tr P / N) + c1 (1 - Re tr R / N)], R all loops of 2 x 1 links, c0 = 1 - 8 c1. */
lat_action *lat_action_improved(lat_group group, double beta, double c1);
/* From the list `action` of a configuration: a sum of terms. */
lat_action *lat_action_create(lat_settings *root, lat_group group, lat_error *error);
/* Gives the action, and the terms of a sum, couplings of links, which stay the caller's; NULL: all are 1.  From then on
 * its functions are for links of the geometry of the couplings. */
void lat_action_couple(lat_action *action, const lat_field *couplings);
/* If the action is a single Wilson term, its beta, whatever the couplings; otherwise NaN. */
double lat_action_beta(const lat_action *action);
void lat_action_free(lat_action *action);
/* Nested time scales: terms of a sum have levels 0 (the innermost, the default) to levels - 1, none of them empty.  The
 * force of the terms of one level, as in the table; an action of one level is its level 0. */
enum { LAT_MAX_LEVELS = 4 };
int lat_action_levels(const lat_action *action);
void lat_action_force(lat_action *action, int level, lat_field *links, double scale, lat_field *force);
/* Total action per member (collective). */
void lat_action_total(lat_action *action, lat_field *links, double *out);

#endif
