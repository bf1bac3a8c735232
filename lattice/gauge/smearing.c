/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * smearing.c: APE and stout smearing.
 */
#include "lattice/gauge/smearing.h"

#include "lattice/gauge/kernels.h"

const char *const lat_smearing_names[] = {"none", "ape", "stout", NULL};

void lat_smear(lat_gauge *gauge, lat_smearing kind, int steps, double weight, int directions)
{
    lat_field *links = gauge->links;
    const lat_geometry *g = links->geometry;
    const lat_kernels *kernels = lat_kernels_of(links, gauge->group);
    lat_field *out = lat_field_create(g, links->components, links->precision);
    lat_range range = lat_block(g);
    for (int i = 0; i < steps && kind != LAT_SMEARING_NONE; i++) {
        lat_halo_exchange(links);
        smear_stout_args args = {lat_tables_of(g), links->data, out->data, weight, directions};
        if (kind == LAT_SMEARING_APE)
            kernels->smear_ape(&args, &range);
        else
            kernels->smear_stout(&args, &range);
        void *data = links->data;
        links->data = out->data;
        out->data = data;
    }
    lat_field_free(out);
    lat_gauge_changed(gauge);
}
