/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * uniform.h: random numbers inside kernels.
 */
#include "lattice/base/philox.h"

/* For costs: operations for a uniform deviate, ten rounds of Philox shared by four. */
enum { RANDOM_FLOPS = 20 };

#if !defined(REAL_DEVICE) && defined(__AVX512F__) && defined(__AVX512DQ__)
enum { UNIFORM_LANES = 8 };

/* Product of each lane with a constant, both halves, from four products of 32 bits. */
REAL_INLINE void uniform_multiply(__m512i x, uint64_t factor, __m512i *high, __m512i *low)
{
    const __m512i word = _mm512_set1_epi64(0xffffffff), f = _mm512_set1_epi64((int64_t)factor);
    const __m512i f_high = _mm512_srli_epi64(f, 32), x_high = _mm512_srli_epi64(x, 32);
    __m512i first = _mm512_add_epi64(_mm512_mul_epu32(x_high, f), _mm512_srli_epi64(_mm512_mul_epu32(x, f), 32));
    __m512i second = _mm512_add_epi64(_mm512_mul_epu32(x, f_high), _mm512_and_epi64(first, word));
    __m512i top = _mm512_add_epi64(_mm512_mul_epu32(x_high, f_high), _mm512_srli_epi64(first, 32));
    *high = _mm512_add_epi64(top, _mm512_srli_epi64(second, 32));
    *low = _mm512_mullo_epi64(x, f);
}

REAL_INLINE __m512i uniform_all(uint64_t word) { return _mm512_set1_epi64((int64_t)word); }
REAL_INLINE __m512i uniform_xor(__m512i a, __m512i b, uint64_t c) { return _mm512_ternarylogic_epi64(a, b, uniform_all(c), 0x96); }

/* Philox4x64-10 of eight lanes at once: the words of random_bits.  Of the counter {step, site, direction and member, index} the
 * first and the last are alike in all lanes, and so is the third after the first round: three of the products are of scalars. */
REAL_INLINE void uniform_bits(const lat_tables *t, const random_key *key, int64_t site, int lane, uint32_t direction, uint64_t index, __m512i word[4])
{
    __m512i high0, low0, high1, low1, member = _mm512_add_epi64(_mm512_load_si512(t->lane_member + lane), uniform_all(key->member));
    __m512i third = _mm512_add_epi64(_mm512_slli_epi64(member, 8), uniform_all(direction & 0xff));
    unsigned __int128 first = (unsigned __int128)key->step * PHILOX_M4x64_0;
    uint64_t alike = (uint64_t)(first >> 64) ^ random_fourth(direction, index) ^ key->key[1];
    unsigned __int128 second = (unsigned __int128)alike * PHILOX_M4x64_1;

    uniform_multiply(third, PHILOX_M4x64_1, &high1, &low1);
    word[0] = uniform_xor(high1, _mm512_add_epi64(_mm512_load_si512(t->lane_index + lane), uniform_all((uint64_t)t->site_index[site])), key->key[0]);
    uniform_multiply(word[0], PHILOX_M4x64_0, &high0, &low0);
    word[0] = _mm512_xor_si512(low1, uniform_all((uint64_t)(second >> 64) ^ (key->key[0] + PHILOX_W64_0)));
    word[1] = uniform_all((uint64_t)second);
    word[2] = uniform_xor(high0, uniform_all((uint64_t)first), key->key[1] + PHILOX_W64_1);
    word[3] = low0;
    REAL_UNROLL
    for (uint64_t round = 2; round < 10; round++) {
        uniform_multiply(word[0], PHILOX_M4x64_0, &high0, &low0);
        uniform_multiply(word[2], PHILOX_M4x64_1, &high1, &low1);
        word[0] = uniform_xor(high1, word[1], key->key[0] + round * PHILOX_W64_0);
        word[2] = uniform_xor(high0, word[3], key->key[1] + round * PHILOX_W64_1);
        word[1] = low1;
        word[3] = low0;
    }
}

/* random_unit */
REAL_INLINE __m512d uniform_unit(__m512i bits)
{
    const __m512d scale = _mm512_set1_pd(0x1p-53);
    return _mm512_mul_pd(_mm512_add_pd(_mm512_cvtepi64_pd(_mm512_srli_epi64(bits, 11)), _mm512_set1_pd(0.5)), scale);
}

/* Four uniform deviates per lane for this site. */
REAL_INLINE void real_uniform4(const lat_tables *t, const random_key *key, int64_t site, int lane, uint32_t direction, uint64_t index, real out[4])
{
    __m512d unit[4][REAL_LANES / UNIFORM_LANES];
    REAL_UNROLL
    for (int part = 0; part < REAL_LANES / UNIFORM_LANES; part++) {
        __m512i word[4];
        uniform_bits(t, key, site, lane + part * UNIFORM_LANES, direction, index, word);
        for (int i = 0; i < 4; i++) unit[i][part] = uniform_unit(word[i]);
    }
    for (int i = 0; i < 4; i++) {
#ifdef REAL_FLOAT
        out[i] = (real)_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(unit[i][0])), _mm512_cvtpd_ps(unit[i][1]), 1);
#else
        out[i] = (real)unit[i][0];
#endif
    }
}
#else
/* Four uniform deviates per lane for this site. */
REAL_INLINE void real_uniform4(const lat_tables *t, const random_key *key, int64_t site, int lane, uint32_t direction, uint64_t index, real out[4])
{
    /* Lanes are put together in memory: so the conversions are done for all of them at once. */
    uint64_t bits[4][REAL_LANES];
    union { real v; scalar s[REAL_LANES]; } unit;
    for (int l = 0; l < REAL_LANES; l++) {
        philox4x64_ctr_t four = random_bits(key, (uint64_t)(t->site_index[site] + t->lane_index[lane + l]), direction,
                                            (uint64_t)t->lane_member[lane + l], index);
        for (int i = 0; i < 4; i++) bits[i][l] = four.v[i];
    }
    for (int i = 0; i < 4; i++) {
        for (int l = 0; l < REAL_LANES; l++) unit.s[l] = (scalar)random_unit(bits[i][l]);
        out[i] = unit.v;
    }
}
#endif
