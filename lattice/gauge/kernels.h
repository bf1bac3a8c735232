/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels.h: the kernels on links, for code of the host.
 */
#ifndef LAT_GAUGE_KERNELS_H
#define LAT_GAUGE_KERNELS_H

#include "lattice/backend/gauge_kernels.h"
#include "lattice/grid/kernels.h"
#include "lattice/group/group.h"

/* Those of a group for fields like this one. */
const lat_kernels *lat_kernels_of(const lat_field *field, lat_group group);

/* lat_tables_of for kernels that read the links again and again: with room, empty at first, where they keep products of them.  Stale as
 * soon as the links change. */
lat_tables lat_tables_with_paths(const lat_field *links, lat_group group);

#endif
