/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vector.h: vectors of a fixed number of lanes, for code of the host that is no kernel.  The compiler makes them of what the
 * machine has.
 */
#ifndef VECTOR_H
#define VECTOR_H

#include <stdint.h>

enum { LAT_VECTOR = 8 };
typedef double lat_doubles __attribute__((vector_size(LAT_VECTOR * sizeof(double))));
typedef float lat_floats __attribute__((vector_size(LAT_VECTOR * sizeof(float))));
typedef int64_t lat_integers __attribute__((vector_size(LAT_VECTOR * sizeof(int64_t))));      /* bits of doubles */
typedef int32_t lat_short_integers __attribute__((vector_size(LAT_VECTOR * sizeof(int32_t)))); /* bits of floats */

#endif
