/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gamma.c: products of gamma matrices.
 */
#include "lattice/dirac/gamma.h"

static int spins_of(int dim) { return dim == 2 ? 2 : 4; }

lat_gamma lat_gamma_one(int dim) { return (lat_gamma){spins_of(dim), {0, 1, 2, 3}, {0}}; }

lat_gamma lat_gamma_mu(int dim, int mu)
{
    static const lat_gamma two[2] = {{2, {1, 0}, {0, 0}}, {2, {1, 0}, {3, 1}}};
    static const lat_gamma four[4] = {{4, {3, 2, 1, 0}, {1, 1, 3, 3}},
                                      {4, {3, 2, 1, 0}, {2, 0, 0, 2}},
                                      {4, {2, 3, 0, 1}, {1, 3, 3, 1}},
                                      {4, {2, 3, 0, 1}, {0, 0, 0, 0}}};
    return dim == 2 ? two[mu] : four[mu];
}

lat_gamma lat_gamma_five(int dim)
{
    lat_gamma five = lat_gamma_one(dim);
    for (int s = five.spins / 2; s < five.spins; s++) five.power[s] = 2;
    return five;
}

lat_gamma lat_gamma_times(lat_gamma a, lat_gamma b)
{
    lat_gamma out = {.spins = a.spins};
    for (int s = 0; s < a.spins; s++) {
        out.column[s] = b.column[a.column[s]];
        out.power[s] = (a.power[s] + b.power[a.column[s]]) % 4;
    }
    return out;
}
