/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * force.c: derivatives of a Dirac operator with respect to the links.
 */
#include "lattice/dirac/operator.h"

#include "lattice/gauge/kernels.h"

void lat_dirac_force(lat_dirac *dirac, lat_gauge *gauge, double scale, lat_field *x, lat_field *y, lat_field *force)
{
    const lat_geometry *g = dirac->geometry;
    const lat_kernels *kernels = lat_kernels_of(x, dirac->group);
    lat_tables tables = lat_tables_of(g);
    lat_range block = lat_block(g);
    hop_force_args hops = {tables,      dirac->of[LAT_DOUBLE].links->data,   x->data, y->data,
                           force->data, -2 * dirac->parameters.kappa * scale};
    lat_exchange *of_x = lat_halo_start(x, lat_dirac_faces()), *of_y = lat_halo_start(y, lat_dirac_faces());
    lat_halo_finish(of_x);
    lat_halo_finish(of_y);
    kernels->hop_force(&hops, &block);
    if (!dirac->weights) return;
    block_outer_args outer = {tables, x->data, y->data, dirac->weights->data, 2};
    lat_field_zero(dirac->weights);
    kernels->block_outer(&outer, &block);
    dirac->table->force(dirac, gauge, scale, dirac->weights, force);
}

void lat_dirac_log_det_diagonal(lat_dirac *dirac, lat_field *density) { lat_field_axpy(density, 1, dirac->log_det); }

/* d log |det(A + i m gamma5)| = tr(W dA), W = A (A^2 + m^2)^-1 */
void lat_dirac_force_diagonal(lat_dirac *dirac, lat_gauge *gauge, double scale, lat_field *force)
{
    const dirac_fields *f = &dirac->of[LAT_DOUBLE];
    const lat_field *weights = f->inverse;
    if (!weights) return;
    if (lat_dirac_twist(dirac) != 0) {
        block_commuting_args args = {lat_tables_of(dirac->geometry), f->blocks->data, f->inverse->data,
                                     dirac->weights->data};
        lat_range odd = lat_range_of(dirac->geometry, &dirac->geometry->parity[1]);
        lat_field_zero(dirac->weights);
        lat_kernels_of(f->blocks, dirac->group)->block_commuting(&args, &odd);
        weights = dirac->weights;
    }
    dirac->table->force(dirac, gauge, scale, weights, force);
}
