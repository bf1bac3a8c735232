/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boundary.h: open boundaries and defects, as couplings of links.
 */
#ifndef LAT_GAUGE_BOUNDARY_H
#define LAT_GAUGE_BOUNDARY_H

#include "lattice/grid/grid.h"

/* Boundary conditions; zero: periodic.  They are couplings of links: a plaquette or rectangle is weighted
 * with the product of the couplings of its links, as in arXiv:2012.14000.  All are 1 but those of links that lead from
 * the last slice of a direction to the first: 0 where the direction is open, so that the loops which would leave the lattice
 * vanish, all others having weight 1, those within the first and the last slice too; and `coupling`, 0 to 1, on the
 * links of a defect, which start at 0 <= x_nu < extent[nu] for all nu other than its direction; all this moved by `origin`.  A defect of
 * coupling 0 on a whole slice is an open boundary.  Links of coupling 0 are stored all the same, and take any value. */
typedef struct {
    bool open[LAT_MAX_DIM];
    bool defect;
    int direction;
    int64_t extent[LAT_MAX_DIM];
    int64_t origin[LAT_MAX_DIM]; /* 0 <= origin[mu] < size[mu] */
    double coupling;
} lat_boundary;

/* Reads the keys `boundary` and `defect` of a lattice of these extents. */
void lat_boundary_read(lat_settings *lattice, int dim, const int64_t *size, lat_boundary *boundary, lat_error *error);
/* Couplings of a defect, one for each rung of a ladder, descending from 1 in the wanted lattice. */
enum { LAT_MOST_RUNGS = 256 };
typedef struct {
    int rungs; /* 0: there is no ladder */
    double coupling[LAT_MOST_RUNGS];
    double acceptance; /* of swaps of neighbours, for which the couplings are to be found, those here being a beginning; 0: these are asked for */
} lat_rungs;
/* The same, where the defect may have the key `couplings`, a list or "auto", in place of `coupling`, and `acceptance` beside it.  The boundary
 * is that of the first rung. */
void lat_boundary_read_ladder(lat_settings *lattice, int dim, const int64_t *size, lat_boundary *boundary, lat_rungs *rungs, lat_error *error);
/* The same keys as one line of text, to be released with free(); NULL: all couplings are 1. */
char *lat_boundary_print(const lat_boundary *boundary, int dim);
bool lat_boundary_is_periodic(const lat_boundary *boundary); /* all couplings are 1 */
bool lat_boundary_has_gaps(const lat_boundary *boundary);    /* some are 0 */
/* The box of the sites from which the links of a defect start and of `reach` sites before them in each direction, from which loops start that
 * hold these links, as far as the lattice is large enough for that; first[dim], extent[dim]; volume 0 where there is no defect.  Returns the
 * volume. */
int64_t lat_boundary_box(const lat_boundary *boundary, const lat_geometry *geometry, int64_t reach, int64_t *first, int64_t *extent);
/* Of the link in direction mu from the site with these global coordinates. */
double lat_boundary_coupling(const lat_boundary *boundary, const lat_geometry *geometry, const int64_t *coordinate, int mu);

#endif
