/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * force.c: derivatives of a Dirac operator with respect to the links.  What many spinors contribute is gathered where it is cheap, in the force
 * on the links of the hop and in the weights of the blocks of A, and taken to the links of the gauge field once.
 */
#include "lattice/dirac/operator.h"

#include "lattice/gauge/kernels.h"

void lat_dirac_force(lat_dirac *dirac, double scale, lat_field *x, lat_field *y)
{
    const lat_geometry *g = dirac->geometry;
    const lat_kernels *kernels = lat_kernels_of(x, dirac->group);
    lat_tables tables = lat_tables_of(g);
    lat_range block = lat_block(g);
    hop_force_args hops = {tables,
                           dirac->of[LAT_DOUBLE].links->data,
                           x->data,
                           y->data,
                           dirac->gathered->data,
                           -2 * dirac->parameters.kappa * scale};
    lat_exchange *of_x = lat_halo_start(x, lat_dirac_faces()), *of_y = lat_halo_start(y, lat_dirac_faces());
    lat_halo_finish(of_x);
    lat_halo_finish(of_y);
    kernels->hop_force(&hops, &block);
    if (!dirac->weights) return;
    block_outer_args outer = {tables, x->data, y->data, dirac->weights->data, 2 * scale};
    kernels->block_outer(&outer, &block);
}

void lat_dirac_log_det_diagonal(lat_dirac *dirac, lat_field *density) { lat_field_axpy(density, 1, dirac->log_det); }

/* d log |det(A + i m gamma5)| = tr(W dA), W = A (A^2 + m^2)^-1 */
void lat_dirac_force_diagonal(lat_dirac *dirac, double scale)
{
    const dirac_fields *f = &dirac->of[LAT_DOUBLE];
    if (!f->inverse || lat_dirac_is_unimodular(dirac)) return;
    if (lat_dirac_twist(dirac) == 0) {
        lat_field_axpy(dirac->weights, scale, f->inverse);
        return;
    }
    block_commuting_args args = {lat_tables_of(dirac->geometry), f->blocks->data, f->inverse->data,
                                 dirac->weights->data, scale};
    lat_range odd = lat_range_of(dirac->geometry, &dirac->geometry->parity[1]);
    lat_kernels_of(f->blocks, dirac->group)->block_commuting(&args, &odd);
}

void lat_dirac_force_finish(lat_dirac *dirac, lat_gauge *gauge, lat_field *force)
{
    if (dirac->weights) {
        dirac->table->force(dirac, lat_dirac_gauge(dirac, gauge), dirac->weights, dirac->gathered);
        lat_field_zero(dirac->weights);
    }
    if (dirac->stout) lat_stout_pull_back(dirac->stout, gauge, dirac->gathered);
    lat_field_axpy(force, 1, dirac->gathered);
    lat_field_zero(dirac->gathered);
}
