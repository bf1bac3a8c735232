/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * philox.h: counter-based random numbers on host and device; see random.h for the keys.
 */
#ifndef LAT_BASE_PHILOX_H
#define LAT_BASE_PHILOX_H

#include <Random123/philox.h>

#ifdef __CUDACC__
#define RANDOM_INLINE static __device__ __forceinline__
#else
#define RANDOM_INLINE static inline __attribute__((unused))
#endif

/* key: {seed, purpose + update << 16}; counter: {step, site, direction + member << 8, index}.  The bits of a direction beyond the eighth
 * are added to the index, 40 bits up: members have 56 bits, indices 40. */
typedef struct {
    uint64_t key[2], step, member;
} random_key;

RANDOM_INLINE double random_unit(uint64_t bits) { return ((double)(bits >> 11) + 0.5) * 0x1p-53; }

RANDOM_INLINE uint64_t random_third(uint32_t direction, uint64_t member) { return (direction & 0xff) + (member << 8); }
RANDOM_INLINE uint64_t random_fourth(uint32_t direction, uint64_t index) { return index + ((uint64_t)(direction >> 8) << 40); }

RANDOM_INLINE philox4x64_ctr_t random_bits(const random_key *key, uint64_t site, uint32_t direction, uint64_t member, uint64_t index)
{
    philox4x64_ctr_t counter = {{key->step, site, random_third(direction, key->member + member), random_fourth(direction, index)}};
    philox4x64_key_t k = {{key->key[0], key->key[1]}};
    return philox4x64(counter, k);
}

RANDOM_INLINE void random_four(const random_key *key, uint64_t site, uint32_t direction, uint64_t member, uint64_t index, double out[4])
{
    philox4x64_ctr_t bits = random_bits(key, site, direction, member, index);
    for (int i = 0; i < 4; i++) out[i] = random_unit(bits.v[i]);
}

#endif
