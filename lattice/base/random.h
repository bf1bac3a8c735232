/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * random.h: random numbers that are a function of their key.
 */
#ifndef LAT_BASE_RANDOM_H
#define LAT_BASE_RANDOM_H

#include "lattice/base/philox.h"
#include <stdint.h>

/* Counter-based: Philox4x64-10 with key (seed, purpose + update << 16) and counter (step, site, direction + member <<
 * 8, index), where what a direction has beyond 8 bits is added to the index, 40 bits up.  Members have 56 bits and indices 40.  The same
 * on any number of ranks and lanes. */
typedef enum {
    LAT_RANDOM_START = 1,
    LAT_RANDOM_MOMENTA,
    LAT_RANDOM_ACCEPT,
    LAT_RANDOM_HEATBATH,
    LAT_RANDOM_OVERRELAX,
    LAT_RANDOM_INSTANTON,
    LAT_RANDOM_PRIOR,
    LAT_RANDOM_AUDIT,
    LAT_RANDOM_PARAMETERS,
    LAT_RANDOM_TEST,
    LAT_RANDOM_AUXILIARY, /* fields that an action draws at the start of a trajectory */
    LAT_RANDOM_SOURCES,   /* of quark propagators */
    LAT_RANDOM_TEMPERING, /* swaps of neighbours on a ladder, and where defects are */
    LAT_RANDOM_EVOLUTION, /* the seed of evolutions out of equilibrium */
} lat_purpose;

typedef struct {
    uint64_t seed;
    lat_purpose purpose;
    uint32_t update; /* which of the updates of a step, so that equal updates draw different numbers */
    uint64_t step;
    uint64_t member; /* added to the member of the lane */
} lat_random;

/* Four uniform deviates in (0, 1) for one (site, direction, member, index). */
void lat_uniform4(const lat_random *random, uint64_t site, uint32_t direction, uint64_t member, uint64_t index, double out[4]);
random_key lat_random_key(const lat_random *random);

#endif
