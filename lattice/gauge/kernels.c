/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels.c: the kernels on links, for code of the host.
 */
#include "lattice/gauge/kernels.h"

const lat_kernels *lat_kernels_of(const lat_field *field, lat_group group)
{
    return field->geometry->backend->kernels[group][field->precision];
}
