/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo_links.c: which links travel to which region of the halo, for staples and plaquettes.
 */
#include "lattice/grid/halo.h"

/* A staple in direction nu at x has U_nu(x + rho), U_nu(x - rho), U_rho(x), U_rho(x + nu), U_rho(x - rho) and
 * U_rho(x + nu - rho). */
static bool staples_need(const int offset[LAT_MAX_DIM], int mu)
{
    int outside = 0, above = 0;
    for (int rho = 0; rho < LAT_MAX_DIM; rho++) {
        outside += offset[rho] != 0;
        above += offset[rho] > 0;
    }
    if (outside == 1) return offset[mu] < 1;
    return outside == 2 && above == 1 && offset[mu] < 0;
}

static int links_in_direction(const lat_field *links, const int offset[LAT_MAX_DIM], int mu, lat_run run[LAT_MAX_DIM])
{
    int reals = links->components / links->geometry->dim;
    run[0] = (lat_run){mu * reals, reals};
    return staples_need(offset, mu);
}

/* Neighbouring runs become one. */
static int all_links(const lat_field *links, const int offset[LAT_MAX_DIM], int argument, lat_run run[LAT_MAX_DIM])
{
    int reals = links->components / links->geometry->dim, runs = 0;
    (void)argument;
    for (int mu = 0; mu < links->geometry->dim; mu++) {
        if (!staples_need(offset, mu)) continue;
        if (runs > 0 && run[runs - 1].first + run[runs - 1].count == mu * reals)
            run[runs - 1].count += reals;
        else
            run[runs++] = (lat_run){mu * reals, reals};
    }
    return runs;
}

lat_halo_choice lat_halo_links(int mu, int parity)
{
    return (lat_halo_choice){.runs = links_in_direction, .argument = mu, .one_parity = true, .parity = parity};
}

lat_halo_choice lat_halo_staples(void) { return (lat_halo_choice){.runs = all_links}; }
