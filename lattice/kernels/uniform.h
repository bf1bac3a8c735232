/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * uniform.h: random numbers inside kernels.
 */
#include "random.h"

/* Four uniform deviates per lane for this site. */
REAL_INLINE void real_uniform4(const lat_tables *t, const random_key *key, int64_t site, int lane, uint32_t direction, uint64_t index, real out[4])
{
    /* Lanes are put together in memory: so the conversions are done for all of them at once. */
    uint64_t bits[4][REAL_LANES];
    union { real v; scalar s[REAL_LANES]; } unit;
    for (int l = 0; l < REAL_LANES; l++) {
        philox4x64_ctr_t four = random_bits(key, (uint64_t)t->global_site[site * t->lanes + lane + l], direction,
                                            (uint64_t)t->lane_member[lane + l], index);
        for (int i = 0; i < 4; i++) bits[i][l] = four.v[i];
    }
    for (int i = 0; i < 4; i++) {
        for (int l = 0; l < REAL_LANES; l++) unit.s[l] = (scalar)random_unit(bits[i][l]);
        out[i] = unit.v;
    }
}
