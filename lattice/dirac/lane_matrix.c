/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lane_matrix.c: products, and inverses by the method of Gauss and Jordan in place; rows are exchanged for the largest pivot, each lane for
 * itself.
 */
#include "lattice/dirac/lane_matrix.h"

void lane_fill(lane_matrix a, double diagonal)
{
    for (int i = 0; i < a.rows; i++)
        for (int j = 0; j < a.columns; j++)
            *lane_entry(a, i, j) = (lane_complex){real_of(i == j ? diagonal : 0), real_of(0)};
}

void lane_copy(lane_matrix to, lane_matrix from)
{
    for (int i = 0; i < to.rows; i++)
        for (int j = 0; j < to.columns; j++) *lane_entry(to, i, j) = *lane_entry(from, i, j);
}

/* -------------------------------------------------------------------------------------------------------- products */

/* Most rows, and columns, of the tile of c that stays in registers while the sum runs: AVX-512 has twice as many. */
enum { TILE_ROWS = REAL_LANES == 8 ? 4 : 2, TILE_COLUMNS = 2 };

/* x times two entries of a row, where all is in registers. */
REAL_INLINE void add_times(lane_complex sum[TILE_COLUMNS], lane_complex x, const lane_complex y[TILE_COLUMNS])
{
    for (int j = 0; j < TILE_COLUMNS; j++) {
        sum[j].re += x.re * y[j].re;
        sum[j].im += x.re * y[j].im;
        sum[j].re -= x.im * y[j].im;
        sum[j].im += x.im * y[j].re;
    }
}

REAL_INLINE void add_tile(lane_matrix c, lane_matrix a, lane_matrix b, int row, int column, const int rows)
{
    lane_complex sum[TILE_ROWS][TILE_COLUMNS], y[TILE_COLUMNS];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < TILE_COLUMNS; j++) sum[i][j] = *lane_entry(c, row + i, column + j);
    for (int k = 0; k < a.columns; k++) {
        for (int j = 0; j < TILE_COLUMNS; j++) y[j] = *lane_entry(b, k, column + j);
        for (int i = 0; i < rows; i++) add_times(sum[i], *lane_entry(a, row + i, k), y);
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < TILE_COLUMNS; j++) *lane_entry(c, row + i, column + j) = sum[i][j];
}

void lane_add_product(lane_matrix c, lane_matrix a, lane_matrix b)
{
    for (int column = 0; column < c.columns; column += TILE_COLUMNS) {
        int row = 0;
        for (; row + TILE_ROWS <= c.rows; row += TILE_ROWS) add_tile(c, a, b, row, column, TILE_ROWS);
        for (; row < c.rows; row += 2) add_tile(c, a, b, row, column, 2);
    }
}

void lane_product(lane_matrix c, lane_matrix a, lane_matrix b)
{
    lane_fill(c, 0);
    lane_add_product(c, a, b);
}

/* -------------------------------------------------------------------------------------------------------- inverses */

REAL_INLINE real square(lane_complex a) { return a.re * a.re + a.im * a.im; }

/* The row of the largest entry at or below row k in column k, and its square, 0 where that is rounding. */
static real largest_row(lane_matrix a, int k, real *most)
{
    const double rounding = 1e-28;
    real row = real_of(k);
    *most = square(*lane_entry(a, k, k));
    for (int i = k + 1; i < a.rows; i++) {
        real here = square(*lane_entry(a, i, k));
        truth larger = real_less(*most, here);
        *most = real_select(larger, here, *most);
        row = real_select(larger, real_of(i), row);
    }
    *most = real_select(real_less(*most, real_of(rounding)), real_of(0), *most);
    return row;
}

static void exchange(real *a, real *b, int lane)
{
    double old = real_lane(*a, lane);
    real_set_lane(a, lane, real_lane(*b, lane));
    real_set_lane(b, lane, old);
}

/* In the lanes where `other` is not k, rows or columns k and other change places. */
static void exchange_lines(lane_matrix a, int k, real other, bool rows)
{
    for (int lane = 0; lane < REAL_LANES; lane++) {
        int l = (int)other[lane];
        if (l == k) continue;
        for (int j = 0; j < a.rows; j++) {
            lane_complex *x = rows ? lane_entry(a, k, j) : lane_entry(a, j, k),
                         *y = rows ? lane_entry(a, l, j) : lane_entry(a, j, l);
            exchange(&x->re, &y->re, lane);
            exchange(&x->im, &y->im, lane);
        }
    }
}

/* to -= factor from, entries first ... end - 1 */
REAL_INLINE void subtract_row(lane_complex *to, lane_complex factor, const lane_complex *from, int first, int end)
{
    for (int j = first; j < end; j++) {
        to[j].re -= factor.re * from[j].re;
        to[j].im -= factor.re * from[j].im;
        to[j].re += factor.im * from[j].im;
        to[j].im -= factor.im * from[j].re;
    }
}

REAL_INLINE lane_complex times(lane_complex a, lane_complex b)
{
    return (lane_complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static void eliminate(lane_matrix a, int k, real pivot_square)
{
    const int n = a.rows;
    lane_complex *row = lane_entry(a, k, 0);
    const lane_complex inverse = {row[k].re / pivot_square, -row[k].im / pivot_square};
    for (int j = 0; j < n; j++) row[j] = times(row[j], inverse);
    row[k] = inverse;
    for (int i = 0; i < n; i++) {
        if (i == k) continue;
        lane_complex *to = lane_entry(a, i, 0), factor = to[k];
        subtract_row(to, factor, row, 0, k);
        subtract_row(to, factor, row, k + 1, n);
        lane_complex below = times(factor, inverse);
        to[k] = (lane_complex){-below.re, -below.im};
    }
}

void lane_invert(lane_matrix a, real *log_det, real *order)
{
    for (int k = 0; k < a.rows; k++) {
        real most;
        order[k] = largest_row(a, k, &most);
        *log_det += 0.5 * real_log(most);
        exchange_lines(a, k, order[k], true);
        eliminate(a, k, most);
    }
    for (int k = a.rows - 1; k >= 0; k--) exchange_lines(a, k, order[k], false);
}
