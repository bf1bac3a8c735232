/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * grid.h: lattices, ranks, lanes, and fields of numbers on them: knows no group.
 */
#ifndef LAT_GRID_H
#define LAT_GRID_H

#include "lattice/grid/field.h"
#include "lattice/grid/geometry.h"
#include "lattice/grid/halo.h"

#endif
