/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * random.h: counter-based random numbers on host and device; see "random numbers" in lattice.h for the keys.
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <Random123/philox.h>

#ifdef __CUDACC__
#define RANDOM_INLINE static __device__ __forceinline__
#else
#define RANDOM_INLINE static inline __attribute__((unused))
#endif

/* key: {seed, purpose + update << 16}; counter: {step, site, direction + member << 8, index} */
typedef struct {
    uint64_t key[2], step, member;
} random_key;

RANDOM_INLINE double random_unit(uint64_t bits) { return ((double)(bits >> 11) + 0.5) * 0x1p-53; }

RANDOM_INLINE philox4x64_ctr_t random_bits(const random_key *key, uint64_t site, uint32_t direction, uint64_t member, uint64_t index)
{
    philox4x64_ctr_t counter = {{key->step, site, direction + ((key->member + member) << 8), index}};
    philox4x64_key_t k = {{key->key[0], key->key[1]}};
    return philox4x64(counter, k);
}

RANDOM_INLINE void random_four(const random_key *key, uint64_t site, uint32_t direction, uint64_t member, uint64_t index, double out[4])
{
    philox4x64_ctr_t bits = random_bits(key, site, direction, member, index);
    for (int i = 0; i < 4; i++) out[i] = random_unit(bits.v[i]);
}

#endif
