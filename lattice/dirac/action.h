/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * action.h: terms of the action with quarks, and the operators that they name.
 *
 *     operators = ( { name = "light"; kind = "clover"; kappa = 0.138; csw = 1.76; mu = 0.0; angle = [0, 0, 0, 1]; } );
 *     action = ( { kind = "wilson"; beta = 6.0; }, { kind = "determinant"; operator = "light"; flavours = 2; } );
 *
 * What such a term computes with belongs to a geometry.  But there is none yet when it is read, since its halo follows from the terms; and then
 * there are several, of the chain, of a flow, of its proposals, which come and go while the action stays.  So a term holds a description, makes
 * what it needs of a geometry when it is given links there, and leaves that to the geometry, which frees it.
 */
#ifndef LAT_DIRAC_ACTION_H
#define LAT_DIRAC_ACTION_H

#include "lattice/dirac/dirac.h"
#include "lattice/gauge/action.h"

extern const lat_action_kind lat_action_kind_determinant;
extern const lat_action_kind *const lat_action_kinds[]; /* those of gauge fields, these, and NULL */

/* Of an operator, on any geometry. */
typedef struct lat_operator {
    const lat_dirac_table *table;
    lat_group group;
    lat_dirac_parameters parameters;
    int angles; /* of the parameters, one for each direction; 0: not known yet, as the lattice is not */
} lat_operator;

/* The list `operators`, of kinds in these tables, for a context without `operators`; free() it before the settings.  NULL where there is none.
 * LAT_CONFIG for a lattice that has three dimensions, an odd extent, or couplings other than 1; context->lattice NULL: it is not known yet, nor is
 * the group. */
typedef struct lat_operators lat_operators;
lat_operators *lat_operators_read(lat_settings *root, const lat_action_context *context,
                                  const lat_dirac_table *const *tables, lat_error *error);
bool lat_operator_same(const lat_operator *a, const lat_operator *b);
/* Makes a shape ask for what the operator needs. */
void lat_operator_shape(const lat_operator *operator, lat_shape *shape);
/* Makes such an operator one for lattices like this.  LAT_CONFIG where it cannot be. */
lat_status lat_operator_fit(lat_operator *operator, const lat_gauge * gauge, lat_error *error);

/* From the lists `operators`, of kinds in these tables, and `action`, of terms of these kinds; `operators` of the context is filled in here.
 * LAT_CONFIG as above. */
lat_action *lat_action_read(lat_settings *root, lat_action_context context, const lat_action_kind *const *kinds,
                            const lat_dirac_table *const *tables, lat_error *error);
/* For terms: the operator that the key `operator` names. */
void lat_operator_read(lat_settings *term, const lat_action_context *context, lat_operator *description,
                       lat_error *error);
/* The operator on a geometry, made where it is not there yet; NULL where that fails.  It is the geometry's, and equal descriptions share
 * it.  Collective over the geometry. */
lat_dirac *lat_operator_on(const lat_operator *description, const lat_geometry *geometry, lat_error *error);

/* A kind of action of an operator on its geometry. */
typedef struct {
    /* NULL where that fails.  Collective. */
    lat_action *(*make)(lat_dirac *dirac, const void *parameters, lat_error *error);
    /* Adds what it takes on such a geometry, the operator left out. */
    void (*needs)(const lat_operator *description, const void *parameters, const lat_geometry *geometry,
                  lat_group group, lat_needs *needs);
    size_t bytes;   /* of the parameters */
    bool auxiliary; /* it has such fields */
    int solving;    /* as that of what is made */
} lat_quarks_table;
/* The term which on each geometry is the action that the table makes of the operator there, with a copy of these parameters, and of so
 * many levels. */
lat_action *lat_action_quarks(const lat_operator *description, const lat_quarks_table *table, const void *parameters,
                              int levels);

#endif
