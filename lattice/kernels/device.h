/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * device.h: kernels for memory that the host does not see.  They are for single lanes.
 */
#include "lattice/kernels/sum.h"

REAL_INLINE scalar *end_at(const halo_end *end, int64_t i, int lane)
{
    int64_t site = end->site ? end->site[i] : i;
    return (scalar *)end->data + site * end->components * end->lanes + (end->lane ? end->lane[lane] : lane);
}

/* Copies from one end to the other, numbers or sums of two, or adds there.  The lanes are those of the range. */
KERNEL(halo_move)
{
    scalar *to = end_at(&k->to, site, lane);
    const scalar *from = end_at(&k->from, site, lane);
    for (int c = 0; c < k->components; c++, to += k->to.lanes, from += k->from.lanes) {
        scalar x = *from;
        if (k->pair) x += (scalar)k->pair[c].factor * from[k->pair[c].further * k->from.lanes];
        *to = k->add ? *to + x : x;
    }
}

/* In halves of 32 bits, so that 2^31 of their like can be added. */
REAL_INLINE void add_halves(int64_t *sums, int64_t value)
{
    int64_t lower = value & 0xffffffff;
    add_to_sum(&sums[0], lower);
    add_to_sum(&sums[1], (value - lower) / ((int64_t)1 << 32));
}

/* sums[lane] += the rows site * SUM_ROWS, ... */
KERNEL(sum_rows)
{
    int64_t high = 0, low = 0, inexact = 0, first = site * SUM_ROWS;
    for (int64_t row = first; row < first + SUM_ROWS && row < k->rows; row++) {
        double value = k->data[row * k->t.lanes + lane], taken = fabs(value) < 0x1p26 ? value : 0;
        double up = rint(taken * 0x1p24), rest = (taken - up * 0x1p-24) * 0x1p76, down = rint(rest);
        inexact += taken != value || down != rest;
        high += (int64_t)up;
        low += (int64_t)down;
    }
    int64_t *sums = k->sums + (int64_t)lane * SUM_PARTS;
    add_halves(&sums[SUM_HIGH], high);
    add_halves(&sums[SUM_LOW], low);
    add_to_sum(&sums[SUM_INEXACT], inexact);
}

/* The numbers of some lanes in the order of sites, as double, whatever lanes a lattice is cut into. */
REAL_INLINE double *place_of(const to_site_order_args *k, int64_t site, int lane)
{
    return k->values + k->which[lane] * k->stride + (k->t.site_place[site] + k->t.lane_place[lane]) * k->components;
}
KERNEL(to_site_order)
{
    if (k->which[lane] < 0) return;
    double *to = place_of(k, site, lane);
    for (int c = 0; c < k->components; c++) to[c] = GET(k->field, k->components, c);
}
KERNEL(from_site_order)
{
    if (k->which[lane] < 0) return;
    const double *from = place_of(k, site, lane);
    for (int c = 0; c < k->components; c++) PUT(k->field, k->components, c, (scalar)from[c]);
}
