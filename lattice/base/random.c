/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * random.c: random numbers by their key.
 */
#include "lattice/base/random.h"

random_key lat_random_key(const lat_random *random)
{
    return (random_key){.key = {random->seed, (uint64_t)random->purpose + ((uint64_t)random->update << 16)},
                        .step = random->step, .member = random->member};
}

void lat_uniform4(const lat_random *random, uint64_t site, uint32_t direction, uint64_t member, uint64_t index, double out[4])
{
    random_key key = lat_random_key(random);
    random_four(&key, site, direction, member, index, out);
}
