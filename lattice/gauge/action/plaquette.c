/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plaquette.c: sums of plaquettes and their force, beta sum_{x, m<n} c_P (1 - Re tr P_mn(x) / N).
 */
#include "lattice/gauge/action/plaquette.h"

#include "lattice/gauge/kernels.h"

static void sum_plaquettes(double beta, const lat_gauge *gauge, lat_field *density, const lat_range *range)
{
    const lat_field *links = gauge->links;
    const lat_kernels *kernels = lat_kernels_of(links, gauge->group);
    const double *couplings = lat_gauge_couplings(gauge);
    lat_tables tables = lat_tables_of(links->geometry);
    plaquette_sum_args args = {tables, links->data, density->data, beta, -beta};
    weighted_plaquette_sum_args weighted = {tables, links->data, couplings, density->data, beta, -beta};
    if (couplings)
        kernels->weighted_plaquette_sum(&weighted, range);
    else
        kernels->plaquette_sum(&args, range);
}

void lat_plaquette_value(double beta, lat_gauge *gauge, lat_field *density)
{
    lat_field *links = gauge->links;
    lat_range inner = lat_range_of(links->geometry, &links->geometry->inner);
    lat_range outer = lat_range_of(links->geometry, &links->geometry->outer);
    lat_exchange *exchange = lat_halo_start(links, lat_halo_staples());
    sum_plaquettes(beta, gauge, density, &inner);
    lat_halo_finish(exchange);
    sum_plaquettes(beta, gauge, density, &outer);
}

void lat_plaquette_value_at(double beta, lat_gauge *gauge, const lat_sites *sites, lat_field *density)
{
    lat_range range = lat_range_of(gauge->links->geometry, sites);
    lat_halo_finish(lat_halo_start(gauge->links, lat_halo_staples()));
    sum_plaquettes(beta, gauge, density, &range);
}

static void add_forces(const lat_gauge *gauge, const lat_tables *tables, double weight, lat_field *force, const lat_range *range)
{
    const lat_field *links = gauge->links;
    const lat_kernels *kernels = lat_kernels_of(links, gauge->group);
    const double *couplings = lat_gauge_couplings(gauge);
    plaquette_force_args args = {*tables, links->data, force->data, weight};
    weighted_plaquette_force_args weighted = {*tables, links->data, couplings, force->data, weight};
    if (couplings)
        kernels->weighted_plaquette_force(&weighted, range);
    else
        kernels->plaquette_force(&args, range);
}

void lat_plaquette_force(double beta, lat_gauge *gauge, double scale, lat_field *force)
{
    lat_field *links = gauge->links;
    double weight = -scale * beta / lat_colours(gauge->group);
    lat_range inner = lat_range_of(links->geometry, &links->geometry->inner);
    lat_range outer = lat_range_of(links->geometry, &links->geometry->outer);
    lat_tables tables = lat_tables_with_paths(links, gauge->group);
    lat_exchange *exchange = lat_halo_start(links, lat_halo_staples());
    add_forces(gauge, &tables, weight, force, &inner);
    lat_halo_finish(exchange);
    add_forces(gauge, &tables, weight, force, &outer);
}
