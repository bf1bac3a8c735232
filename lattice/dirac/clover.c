/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clover.c: the operator with a clover term (B. Sheikholeslami and R. Wohlert, Nucl. Phys. B 259 (1985) 572),
 *
 *     A = 1 + kappa csw sum_{mu<nu} i sigma_mn F_mn,    sigma_mn = i/2 [gamma_m, gamma_n],    F = (Q - Q^+) / 8
 *
 * with the sum Q of the four plaquettes of a plane that begin at the site.  The trace of F is kept, and the phases of the boundary are not in it.
 */
#include "lattice/dirac/clover.h"

#include "lattice/gauge/kernels.h"

static double weight(const lat_dirac *dirac)
{
    const lat_dirac_parameters *p = lat_dirac_parameters_of(dirac);
    return -p->kappa * p->csw; /* i sigma_mn = -gamma_m gamma_n */
}

void lat_clover_fill(const lat_dirac *dirac, const lat_gauge *gauge, lat_field *blocks)
{
    clover_args args = {lat_tables_of(blocks->geometry), gauge->links->data, blocks->data, weight(dirac)};
    lat_range block = lat_block(blocks->geometry);
    lat_kernels_of(blocks, gauge->group)->clover(&args, &block);
}

/* X_mn of all planes */
int lat_clover_force_reals(lat_group group, int dim)
{
    const int entries = lat_colours(group);
    return dim * (dim - 1) * entries * entries;
}

/* tr(W A) = weight sum tr(X_mn F_mn), X_mn = tr_spin(gamma_m gamma_n W) */
void lat_clover_force(const lat_dirac *dirac, lat_gauge *gauge, const lat_field *weights, lat_field *force)
{
    const lat_geometry *g = weights->geometry;
    const lat_kernels *kernels = lat_kernels_of(weights, gauge->group);
    lat_field *insertions = lat_field_create(g, lat_clover_force_reals(gauge->group, g->dim), LAT_DOUBLE);
    lat_tables tables = lat_tables_of(g);
    lat_range block = lat_block(g);
    clover_insert_args insert = {tables, weights->data, insertions->data};
    clover_force_args args = {tables, gauge->links->data, insertions->data, force->data, weight(dirac)};
    kernels->clover_insert(&insert, &block);
    lat_halo_exchange(insertions);
    kernels->clover_force(&args, &block);
    lat_field_free(insertions);
}

const lat_dirac_table lat_dirac_clover = {.name = "clover",
                                          .halo = 1,
                                          .corners = 2,
                                          .fill = lat_clover_fill,
                                          .force = lat_clover_force,
                                          .force_reals = lat_clover_force_reals};
