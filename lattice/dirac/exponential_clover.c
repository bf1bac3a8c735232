/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * exponential_clover.c: the operator with the exponential of the clover term (A. Francis, P. Fritzsch, M. Luescher and A. Rago, Comput. Phys. Commun.
 * 255 (2020) 107355 [arXiv:1911.04533]),
 *
 *     A = exp(E),    E = kappa csw sum_{mu<nu} i sigma_mn F_mn = csw / (4 + m0) sum_{mu,nu} (i/4) sigma_mn F_mn in four dimensions,
 *
 * with E as in the operator with a clover term.  The trace of E is zero, so det A = 1, and A^-1 = exp(-E) whatever csw is.
 */
#include "lattice/dirac/clover.h"

#include "lattice/gauge/kernels.h"

#include <math.h>

/* So many that |E| / 2^halvings <= 1/4: E is a sum over planes, in each of which |F| <= 1. */
static int halvings_of(const lat_dirac *dirac)
{
    const lat_dirac_parameters *p = lat_dirac_parameters_of(dirac);
    const int dim = lat_dirac_geometry(dirac)->dim;
    double norm = p->kappa * p->csw * dim * (dim - 1) / 2;
    return norm > 0.25 ? (int)ceil(log2(4 * norm)) : 0;
}

/* exp(sign E) */
static void exponentiate(const lat_dirac *dirac, double sign, const lat_range *range, lat_field *blocks)
{
    block_exponential_args args = {lat_tables_of(blocks->geometry), blocks->data, blocks->data, sign,
                                   halvings_of(dirac)};
    lat_kernels_of(blocks, lat_dirac_group(dirac))->block_exponential(&args, range);
}

static void fill(const lat_dirac *dirac, const lat_gauge *gauge, lat_field *blocks)
{
    lat_range block = lat_block(blocks->geometry);
    lat_clover_fill(dirac, gauge, blocks);
    exponentiate(dirac, 1, &block, blocks);
}

static void invert(const lat_dirac *dirac, const lat_gauge *gauge, lat_field *inverse)
{
    lat_range odd = lat_range_of(inverse->geometry, &inverse->geometry->parity[1]);
    lat_clover_fill(dirac, gauge, inverse);
    exponentiate(dirac, -1, &odd, inverse);
}

/* tr(W dA) = tr(W' dE) */
static void force(const lat_dirac *dirac, lat_gauge *gauge, const lat_field *weights, lat_field *force)
{
    const lat_geometry *g = weights->geometry;
    lat_field *blocks = lat_field_create(g, weights->components, LAT_DOUBLE);
    block_exponential_force_args args = {lat_tables_of(g), blocks->data, weights->data, blocks->data,
                                         halvings_of(dirac)};
    lat_range block = lat_block(g);
    lat_clover_fill(dirac, gauge, blocks);
    lat_kernels_of(blocks, gauge->group)->block_exponential_force(&args, &block);
    lat_clover_force(dirac, gauge, blocks, force);
    lat_field_free(blocks);
}

const lat_dirac_table lat_dirac_exponential_clover = {.name = "exponential_clover",
                                                      .halo = 1,
                                                      .corners = 2,
                                                      .fill = fill,
                                                      .invert = invert,
                                                      .force = force,
                                                      .force_reals = lat_clover_force_reals};
