/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gamma.h: products of gamma matrices (dirac.h has their basis): every row has one entry, a power of i.
 */
#ifndef LAT_DIRAC_GAMMA_H
#define LAT_DIRAC_GAMMA_H

enum { LAT_MOST_SPINS = 4 };

/* Row s has i^power[s], power 0 to 3, in column[s]. */
typedef struct {
    int spins;
    int column[LAT_MOST_SPINS], power[LAT_MOST_SPINS];
} lat_gamma;

lat_gamma lat_gamma_one(int dim);
lat_gamma lat_gamma_mu(int dim, int mu);
lat_gamma lat_gamma_five(int dim);
lat_gamma lat_gamma_times(lat_gamma a, lat_gamma b);

#endif
