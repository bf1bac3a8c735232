/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * action.h: actions of the gauge field, and their sums.
 */
#ifndef LAT_GAUGE_ACTION_H
#define LAT_GAUGE_ACTION_H

#include "lattice/gauge/gauge.h"

/* Nested time scales: levels 0 (the innermost) to levels - 1, none of them empty. */
enum { LAT_MAX_LEVELS = 8 };

/* What solvers have done for a term with quarks: for one member, but for the seconds, which are those of all members together.  What is
 * eliminated, as for a determinant, has neither iterations nor a residue. */
typedef struct {
    int term;                      /* its place in the list of terms */
    double solves, iterations;     /* how many */
    double most;                   /* iterations of the longest solve */
    double residue, residue_force; /* the largest |b - A x| / |b|, as verified, of solves for values and refreshes, and of those for forces */
    double seconds;                /* of this process: alone here not the same on all ranks */
} lat_solves;

/* Memory of a rank, in bytes, that actions take on a geometry. */
enum { LAT_MOST_OPERATORS = 64 };
typedef struct {
    double kept, passing; /* for good; the most that is taken at a time and given back */
    int operators;        /* that are counted already, since terms share them */
    const struct lat_operator *of_operator[LAT_MOST_OPERATORS];
} lat_needs;

/* The table of an action S(U).  All functions are collective: they fill the halo of the links as far as they need it.  What can go wrong on
 * the way (a solver that does not converge) is left in action->error, where the first failure stays: see lat_action_failed. */
typedef struct lat_action lat_action;
typedef struct {
    const char *name;
    /* density(x) += s(x), S = sum_x s(x); density: one double component.  NULL: S is no sum over sites. */
    void (*value)(lat_action *action, lat_gauge *gauge, lat_field *density);
    /* out[member] += what is no sum over sites; NULL: nothing. */
    void (*total)(lat_action *action, lat_gauge *gauge, double *out);
    /* force_mu^a(x) += scale * d^a_{x,mu} S_level, the left derivative d/dt S(exp(t T_a) U_mu(x)) at t = 0. */
    void (*force)(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force);
    /* Draws auxiliary fields at the start of a trajectory; NULL if there are none. */
    void (*refresh)(lat_action *action, lat_gauge *gauge, const lat_random *random);
    void (*free)(lat_action *action);
    /* As `value`, at these sites, but of those terms alone that depend on the couplings of links; NULL: none does. */
    void (*coupled)(lat_action *action, lat_gauge *gauge, const lat_sites *sites, lat_field *density);
    /* out[term][member]: of the action->solving terms that solve equations, what was done on this geometry since the last call; NULL where there
     * are none. */
    void (*solves)(lat_action *action, const lat_geometry *geometry, lat_solves *out);
    /* Adds what its functions take on such a geometry, which need only be planned, beyond the fields that they are given.  NULL: next to
     * nothing. */
    void (*needs)(const lat_action *action, const lat_geometry *geometry, lat_needs *needs);
} lat_action_table;
struct lat_action {
    const lat_action_table *table;
    lat_group group;
    int halo, corners; /* that its functions need in the geometry of the links; 0: those of a shape that asks for none */
    int levels;        /* at least 1 */
    bool auxiliary;    /* there are fields that refresh draws: S is a function of the links and of them */
    bool quarks;       /* links are double, on a geometry laid out for float too; what is done depends on the numbers, and cannot be recorded */
    int solving;       /* terms that solve equations, of which the function `solves` tells */
    lat_error error;
};

/* What a term may know of the rest of the configuration.  There is no geometry yet, since that follows from what the action needs; and the
 * functions of an action are called with links on several: those of the chain, of a flow, of its proposals. */
typedef struct {
    lat_group group;
    const lat_shape *lattice;              /* its dimension and extents; NULL, as in what follows: no term needs it */
    const lat_boundary *boundary;          /* NULL: periodic */
    const struct lat_operators *operators; /* that a term can name, see lat_action_read in lattice/dirac/action.h */
} lat_action_context;

/* A kind of term that a configuration can name. */
typedef struct {
    const char *name;
    /* Reads its own keys; a failure is left in error. */
    lat_action *(*create)(lat_settings *term, const lat_action_context *context, lat_error *error);
} lat_action_kind;
extern const lat_action_kind lat_action_kind_wilson, lat_action_kind_improved, lat_action_kind_luescher_weisz, lat_action_kind_iwasaki,
    lat_action_kind_dbw2;

/* S = beta sum_{x, m<n} c_P (1 - Re tr P / N); U(1): beta sum c_P (1 - cos theta_P); c_P: the product of the couplings of the links. */
lat_action *lat_action_wilson(lat_group group, double beta);
/* S = beta sum [c0 (1 - Re tr P / N) + c1 (1 - Re tr R / N)], R all loops of 2 x 1 links, c0 = 1 - 8 c1, with couplings. */
lat_action *lat_action_improved(lat_group group, double beta, double c1);
/* From the list `action` of a configuration: a sum of terms of these kinds. */
lat_action *lat_action_create(lat_settings *root, const lat_action_context *context, const lat_action_kind *const *kinds, lat_error *error);
void lat_action_free(lat_action *action); /* NULL is allowed */

/* Makes a shape ask for what the action needs, too: halo, corners, and a layout for float where that serves both. */
void lat_action_shape(const lat_action *action, lat_shape *shape);

/* If the action is a single Wilson term, its beta, whatever the couplings; otherwise NaN. */
double lat_action_beta(const lat_action *action);
/* The force of all levels. */
void lat_action_force(lat_action *action, lat_gauge *gauge, double scale, lat_field *force);
/* out[member] = S, exactly rounded sums over sites.  density: one double component; what it holds is added. */
void lat_action_sum(lat_action *action, lat_gauge *gauge, lat_field *density, double *out);
/* The same, of nothing but the action. */
void lat_action_total(lat_action *action, lat_gauge *gauge, double *out);
/* Draws auxiliary fields, if there are any.  The terms of a sum draw from streams of their own: random->update + term 2^16. */
void lat_action_refresh(lat_action *action, lat_gauge *gauge, const lat_random *random);
/* The bytes that `needs` of the table comes to. */
double lat_action_memory(const lat_action *action, const lat_geometry *geometry);
/* What `solves` of the table tells of the action->solving terms. */
void lat_action_solves(lat_action *action, const lat_geometry *geometry, lat_solves *out);
/* For terms: out[member] = counted[member], which begins anew. */
void lat_solves_take(lat_solves *counted, int members, lat_solves *out);
/* The failure left in the action, its status; clears it. */
lat_status lat_action_failed(lat_action *action, lat_error *error);

#endif
