/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * uniform.h: random numbers inside kernels.
 */
#include "random.h"

/* Four uniform deviates per lane for this site. */
REAL_INLINE void real_uniform4(const lat_tables *t, const random_key *key, int64_t site, int lane, uint32_t direction, uint64_t index, real out[4])
{
    for (int l = 0; l < REAL_LANES; l++) {
        double u[4];
        random_four(key, (uint64_t)t->global_site[site * t->lanes + lane + l], direction, (uint64_t)t->lane_member[lane + l], index, u);
        for (int i = 0; i < 4; i++) real_set_lane(&out[i], l, (scalar)u[i]);
    }
}
