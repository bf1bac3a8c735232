/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sum.h: what the kernel sum_rows makes of SUM_ROWS rows of each lane.  A value is high 2^-24 + low 2^-76 with integers high
 * and low, unless it is too large, too small or not finite.  Integers are added exactly in any order.
 */
#ifndef SUM_H
#define SUM_H

/* Sums of the lower 32 bits of `high`, of the rest of it, of both of `low`, and the number of values that have none. */
enum { SUM_ROWS = 64, SUM_HIGH = 0, SUM_LOW = 2, SUM_INEXACT = 4, SUM_PARTS };

#endif
