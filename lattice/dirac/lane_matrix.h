/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lane_matrix.h: complex matrices with a vector of lanes in every entry, for code of the host that works on as many members at once.  What
 * happens in a lane does not depend on the others.
 */
#ifndef LAT_DIRAC_LANE_MATRIX_H
#define LAT_DIRAC_LANE_MATRIX_H

#include "lattice/kernels/real.h"

typedef struct {
    real re, im;
} lane_complex;

/* Row after row, `stride` entries apart: a whole matrix, or a block of one. */
typedef struct {
    lane_complex *entry;
    int rows, columns, stride;
} lane_matrix;

static inline lane_complex *lane_entry(lane_matrix a, int row, int column)
{
    return a.entry + (int64_t)row * a.stride + column;
}
static inline lane_matrix lane_block(lane_matrix a, int row, int column, int rows, int columns)
{
    return (lane_matrix){lane_entry(a, row, column), rows, columns, a.stride};
}

void lane_fill(lane_matrix a, double diagonal); /* `diagonal` times the unit matrix */
void lane_copy(lane_matrix to, lane_matrix from);
/* c += a b; all extents are even.  c overlaps with neither. */
void lane_add_product(lane_matrix c, lane_matrix a, lane_matrix b);
/* c = a b */
void lane_product(lane_matrix c, lane_matrix a, lane_matrix b);
/* a = a^-1 of a square matrix with entries of about 1, and *log_det += log |det a|.  Where a pivot is below 1e-14, which rounding leaves of zero,
 * log_det is -infinity and the inverse is no number.  order: room for a.rows. */
void lane_invert(lane_matrix a, real *log_det, real *order);

#endif
