/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * faces.c: what of spinors travels to the faces of the halo: all, or the halves that a hop needs.
 */
#include "lattice/dirac/gamma.h"
#include "lattice/dirac/operator.h"

static bool is_face(const int offset[LAT_MAX_DIM])
{
    int outside = 0;
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) outside += offset[mu] != 0;
    return outside == 1;
}

static int runs_of_faces(const lat_field *field, const int offset[LAT_MAX_DIM], int argument, lat_run run[LAT_MAX_DIM])
{
    (void)argument;
    run[0] = (lat_run){0, field->components};
    return is_face(offset);
}

lat_halo_choice lat_dirac_faces(void) { return (lat_halo_choice){.runs = runs_of_faces}; }

static int runs_of_halves(const lat_field *field, const int offset[LAT_MAX_DIM], int argument, lat_run run[LAT_MAX_DIM])
{
    (void)argument;
    run[0] = (lat_run){0, field->components / 2};
    return is_face(offset);
}

/* Row j of the upper half of (1 - s gamma) psi is psi_j - s i^power psi_column; real and imaginary part of i^power (a + i b) are a, -b, -a, b and
 * b, a, -b, -a. */
static lat_halo_pair pair_of_halves(const lat_field *field, const int offset[LAT_MAX_DIM], int s, int component)
{
    static const int factor[2][4] = {{1, -1, -1, 1}, {1, 1, -1, -1}};
    const int dim = field->geometry->dim, each = field->components / lat_spins(dim), row = component / each,
              part = component % 2;
    int mu = 0;
    while (offset[mu] == 0) mu++;
    lat_gamma gamma = lat_gamma_mu(dim, mu);
    int power = (gamma.power[row] + (s * offset[mu] > 0 ? 2 : 0)) % 4, other = power % 2 ? 1 - part : part;
    return (lat_halo_pair){(gamma.column[row] - row) * each + other - part, factor[part][power]};
}

lat_halo_choice lat_dirac_halves(int parity, bool dagger)
{
    return (lat_halo_choice){.runs = runs_of_halves,
                             .pair = pair_of_halves,
                             .argument = dagger ? -1 : 1,
                             .one_parity = parity >= 0,
                             .parity = parity};
}
