/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * operator.h: what a Dirac operator holds; for the files of this wing.
 */
#ifndef LAT_DIRAC_OPERATOR_H
#define LAT_DIRAC_OPERATOR_H

#include "lattice/dirac/dirac.h"

#include "lattice/gauge/stout.h"

/* In one precision; NULL where there is none. */
typedef struct {
    lat_field *links;   /* entries of matrices, with the phases of the boundary; halo: where the hop needs it */
    lat_field *blocks;  /* of A */
    lat_field *inverse; /* at odd sites: of A^-1, with a twisted mass of (A^2 + (2 kappa mu)^2)^-1 */
    lat_field *hopped;  /* spinors between two hops */
} dirac_fields;

struct lat_dirac {
    const lat_dirac_table *table;
    const lat_geometry *geometry;
    lat_group group;
    lat_dirac_parameters parameters;
    dirac_fields of[LAT_PRECISIONS];
    lat_stout *stout;       /* NULL: links are not smeared */
    lat_field *log_det;     /* at odd sites: log |det D(x)| */
    lat_field *gathered;    /* the force on the links of the hop, of terms that wait for lat_dirac_force_finish */
    lat_field *weights;     /* and the weights of the blocks; NULL where A = 1 */
    lat_sites sites[2][2];  /* [parity][inner, outer] */
    uint64_t gauge, version; /* id of the field whose links these are, 0: none; and their version */
};

/* 2 kappa mu */
static inline double lat_dirac_twist(const lat_dirac *dirac)
{
    return 2 * dirac->parameters.kappa * dirac->parameters.mu;
}

/* The gauge field that the operator knows, of one that it is prepared for. */
static inline lat_gauge *lat_dirac_gauge(const lat_dirac *dirac, lat_gauge *gauge)
{
    return dirac->stout ? lat_stout_links(dirac->stout) : gauge;
}

/* Whether det D_oo is 1 whatever the links are. */
static inline bool lat_dirac_is_unimodular(const lat_dirac *dirac)
{
    return dirac->table->invert && lat_dirac_twist(dirac) == 0;
}

/* Spinors on the faces of the halo; and all that a hop, or its adjoint, reads there, of one parity or of all sites (negative): the upper
 * half of (1 -+ gamma_mu) psi in place of that of psi, to the bit what the hop would make of psi.  The lower half stays as it is. */
lat_halo_choice lat_dirac_faces(void);
lat_halo_choice lat_dirac_halves(int parity, bool dagger);

#endif
