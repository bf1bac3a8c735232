/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gaussian.c: fields of Gaussian numbers.
 */
#include "lattice/grid/kernels.h"

void lat_field_gaussian(lat_field *field, const lat_random *random)
{
    gaussian_args args = {lat_tables_of(field->geometry), field->data, field->components, lat_random_key(random)};
    lat_range range = lat_block(field->geometry);
    lat_field_kernels_of(field)->gaussian(&args, &range);
}
