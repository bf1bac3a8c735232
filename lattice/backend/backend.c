/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * backend.c: the backends by name, and the width of their vectors.
 */
#include "lattice/backend/backend.h"

const char *const lat_precision_names[] = {"double", "float", NULL};

const char *lat_backend_name(const lat_backend *backend) { return backend->name; }

int lat_backend_lanes(const lat_backend *backend, lat_precision precision)
{
    return (backend ? backend : &lat_backend_cpu)->fields[precision]->lanes;
}

int lat_vector_lanes(lat_precision precision) { return lat_backend_lanes(NULL, precision); }
