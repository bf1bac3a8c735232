/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * orbit_sums.c: sums over the loops of an orbit, their derivatives along a field and their gradients.
 */
#include "lattice/gauge/kernels.h"
#include "lattice/gauge/orbits.h"

#include <stdlib.h>
#include <string.h>

double lat_orbit_laplacian(const lat_orbit *orbit, lat_group group)
{
    const double n = lat_colours(group);
    return orbit->links * (group == LAT_U1 ? 1 : (n * n - 1) / (2 * n));
}

void lat_orbit_sums(const lat_orbit *orbit, lat_gauge *gauge, lat_field *direction, double *out)
{
    const lat_geometry *g = gauge->links->geometry;
    const int64_t bytes = (int64_t)orbit->loops * orbit->links * (int64_t)sizeof *orbit->step;
    lat_field *density = lat_field_create(g, 2, LAT_DOUBLE);
    int *step = lat_share(g, orbit->step, bytes);
    orbit_sum_args args = {lat_tables_of(g), gauge->links->data, direction->data, step,
                           orbit->links,     orbit->loops,       density->data};
    lat_range range = lat_block(g);
    lat_halo_exchange(gauge->links);
    lat_halo_exchange(direction);
    lat_kernels_of(gauge->links, gauge->group)->orbit_sum(&args, &range);
    lat_sum_slices(density, out);
    lat_unshare(g, step);
    lat_field_free(density);
}

/* The loops through a link: each loop of the orbit from each of its links, in the sense in which that leads up. */
static void cut(const lat_orbit *orbit, int last, int *step, int *shift)
{
    for (int i = 0; i < orbit->loops; i++) {
        const int *loop = orbit->step + i * orbit->links, links = orbit->links;
        for (int j = 0, time = 0; j < links; j++, step += links) {
            const bool up = loop[j] > 0;
            const int next = time + (loop[j] == last + 1) - (loop[j] == -(last + 1));
            for (int k = 0; k < links; k++) {
                const int from = up ? (j + k) % links : (j - k + links) % links;
                step[k] = up ? loop[from] : -loop[from];
            }
            *shift++ = up ? -time : -next;
            time = next;
        }
    }
}

void lat_orbit_gradient(const lat_orbit *orbit, lat_gauge *gauge, const double *weight, lat_field *force)
{
    const lat_geometry *g = gauge->links->geometry;
    const int last = g->dim - 1, count = orbit->loops * orbit->links;
    int *step = lat_alloc((int64_t)count * orbit->links, sizeof *step), *shift = lat_alloc(count, sizeof *shift);
    cut(orbit, last, step, shift);
    int *steps = lat_hand_over(g, step, (int64_t)count * orbit->links * (int64_t)sizeof *step);
    int *shifts = lat_hand_over(g, shift, count * (int64_t)sizeof *shift);
    double *weights = lat_share(g, weight, g->size[last] * (int64_t)sizeof *weight);
    orbit_gradient_args args = {lat_tables_of(g), gauge->links->data, steps, shifts, orbit->links, count,
                                weights,          force->data};
    lat_range range = lat_block(g);
    lat_halo_exchange(gauge->links);
    lat_kernels_of(gauge->links, gauge->group)->orbit_gradient(&args, &range);
    lat_unshare(g, weights);
    g->backend->release(steps);
    g->backend->release(shifts);
}
