/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * random.c: random fields.
 */
#include "backend/backend.h"
#include "lattice.h"

void lat_uniform4(const lat_random *random, uint64_t site, uint32_t direction, uint64_t member, uint64_t index, double out[4])
{
    random_key key = lat_random_key(random);
    random_four(&key, site, direction, member, index, out);
}

void lat_field_gaussian(lat_field *field, const lat_random *random)
{
    gaussian_args args = {lat_tables_of(field->geometry), field->data, field->components, lat_random_key(random)};
    lat_range range = lat_block(field->geometry);
    lat_kernels_of(field, LAT_U1)->gaussian(&args, &range);
}

void lat_field_haar(lat_field *links, lat_group group, const lat_random *random)
{
    haar_args args = {lat_tables_of(links->geometry), links->data, links->components / lat_link_reals(group), lat_random_key(random)};
    lat_range range = lat_block(links->geometry);
    lat_kernels_of(links, group)->haar(&args, &range);
}
