/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stout.c: steps of stout smearing (C. Morningstar and M. Peardon, Phys. Rev. D 69 (2004) 054501), there and back.
 */
#include "lattice/gauge/stout.h"

#include "lattice/gauge/kernels.h"
#include "lattice/gauge/smearing.h"

#include <math.h>
#include <stdlib.h>

struct lat_stout {
    int steps, terms; /* terms: of the series of a derivative */
    double rho;
    lat_gauge **after;  /* [steps] */
    lat_field *average; /* of forces, in the algebra */
};

/* Of sum_n (ad X)^n / (n+1)!, until they are beyond double: the norm of ad X is at most twice that of X = rho P(U A), in which each of 2 (dim - 1)
 * plaquettes without its trace has one below 2. */
static int terms_of(int dim, lat_group group, double rho)
{
    const double norm = group == LAT_U1 ? 0 : 8 * rho * (dim - 1);
    int terms = 1;
    for (double term = 1; term > 1e-17; terms++) term *= norm / (terms + 1);
    return terms;
}

lat_stout *lat_stout_create(const lat_geometry *geometry, lat_group group, int steps, double rho)
{
    lat_stout *stout = lat_alloc(1, sizeof *stout);
    *stout = (lat_stout){.steps = steps, .terms = terms_of(geometry->dim, group, rho), .rho = rho};
    stout->after = lat_alloc(steps, sizeof *stout->after);
    for (int i = 0; i < steps; i++) stout->after[i] = lat_gauge_create(geometry, group, LAT_DOUBLE);
    stout->average = lat_field_algebra(geometry, group, LAT_DOUBLE);
    return stout;
}

double lat_stout_memory(const lat_geometry *g, lat_group group, int steps)
{
    return steps * lat_field_memory(g, lat_link_reals(group) * g->dim, LAT_DOUBLE) +
           lat_field_memory(g, lat_algebra_reals(group) * g->dim, LAT_DOUBLE);
}

void lat_stout_free(lat_stout *stout)
{
    if (!stout) return;
    for (int i = 0; i < stout->steps; i++) lat_gauge_free(stout->after[i]);
    lat_field_free(stout->average);
    free(stout->after);
    free(stout);
}

void lat_stout_smear(lat_stout *stout, lat_gauge *gauge)
{
    for (int i = 0; i < stout->steps; i++) {
        lat_gauge_copy(stout->after[i], i == 0 ? gauge : stout->after[i - 1]);
        lat_smear(stout->after[i], LAT_SMEARING_STOUT, 1, stout->rho, gauge->links->geometry->dim);
    }
}

lat_gauge *lat_stout_links(const lat_stout *stout) { return stout->after[stout->steps - 1]; }

void lat_stout_pull_back(lat_stout *stout, lat_gauge *gauge, lat_field *force)
{
    const lat_kernels *kernels = lat_kernels_of(force, gauge->group);
    lat_tables tables = lat_tables_of(force->geometry);
    lat_range block = lat_block(force->geometry);
    for (int i = stout->steps - 1; i >= 0; i--) {
        lat_field *links = i == 0 ? gauge->links : stout->after[i - 1]->links, *average = stout->average;
        stout_average_args to_average = {tables, links->data, force->data, average->data, stout->rho, stout->terms};
        stout_force_args of_staples = {tables, links->data, average->data, force->data, stout->rho};
        lat_halo_exchange(links);
        kernels->stout_average(&to_average, &block);
        lat_halo_exchange(average);
        kernels->stout_force(&of_staples, &block);
    }
}
