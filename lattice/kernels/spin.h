/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spin.h: gamma matrices and spinors.  All gamma_mu have the form
 *
 *     gamma_mu = (  0     e_mu )      e_mu, in two dimensions (HALF = 1): 1, -i
 *                ( e_mu^+  0   )      in four (HALF = 2): i sigma_1, -i sigma_2, i sigma_3, 1
 *
 * and every row of e_mu has one entry, a power of i.  With h = u - s e_mu l, of the upper half u and the lower half l of a spinor,
 * (1 - s gamma_mu) psi has the halves h and -s e_mu^+ h.  HALF is an argument that is constant where these are used.
 */

enum { MOST_SPINS = 4, BLOCK_ROWS = 2 * GROUP_N /* at most */, MATRIX_ENTRIES = GROUP_N * GROUP_N };

/* i^power a */
REAL_INLINE complex_t complex_turn(int power, complex_t a)
{
    switch (power & 3) {
    case 0: return a;
    case 1: return (complex_t){-a.im, a.re};
    case 2: return (complex_t){-a.re, -a.im};
    default: return (complex_t){a.im, -a.re};
    }
}

/* Row j of e_mu: the column of its entry, and that entry as a power of i; and the same of e_mu^+. */
REAL_INLINE int spin_column(int half, int mu, int j) { return half == 2 && mu < 2 ? 1 - j : j; }
REAL_INLINE int spin_power(int half, int mu, int j)
{
    if (half == 1) return mu == 0 ? 0 : 3;
    if (mu == 0) return 1;
    if (mu == 1) return j == 0 ? 2 : 0;
    if (mu == 2) return j == 0 ? 1 : 3;
    return 0;
}
REAL_INLINE int spin_power_dagger(int half, int mu, int j)
{
    return 4 - spin_power(half, mu, spin_column(half, mu, j));
}

#define SPINOR_REALS(half) (4 * (half)*GROUP_N)

/* Colours of one spin of a field at a site */
REAL_INLINE void spin_load(const lat_tables *t, const void *field, int half, int64_t x, int lane, int spin,
                           complex_t out[GROUP_N])
{
    const scalar *row = (const scalar *)field + (x * SPINOR_REALS(half) + spin * 2 * GROUP_N) * t->lanes + lane;
    REAL_UNROLL for (int a = 0; a < GROUP_N; a++) out[a] =
        complex_of(real_load(row + 2 * a * t->lanes), real_load(row + (2 * a + 1) * t->lanes));
}
/* stream: past the caches, where it would not stay until it is read */
REAL_INLINE void spin_store(const lat_tables *t, void *field, int half, int64_t x, int lane, int spin,
                            const complex_t in[GROUP_N], int stream)
{
    scalar *row = (scalar *)field + (x * SPINOR_REALS(half) + spin * 2 * GROUP_N) * t->lanes + lane;
    if (stream)
        REAL_UNROLL for (int i = 0; i < 2 * GROUP_N; i++)
            real_stream(row + i * t->lanes, i % 2 ? in[i / 2].im : in[i / 2].re);
    else
        REAL_UNROLL for (int i = 0; i < 2 * GROUP_N; i++)
            real_store(row + i * t->lanes, i % 2 ? in[i / 2].im : in[i / 2].re);
}

/* The upper half of (1 - s gamma_mu) psi(x) */
REAL_INLINE void spin_project(const lat_tables *t, const void *psi, int half, int64_t x, int lane, int mu, int s,
                              complex_t h[2][GROUP_N])
{
    REAL_UNROLL for (int j = 0; j < half; j++)
    {
        complex_t upper[GROUP_N], lower[GROUP_N];
        spin_load(t, psi, half, x, lane, j, upper);
        spin_load(t, psi, half, x, lane, half + spin_column(half, mu, j), lower);
        REAL_UNROLL for (int a = 0; a < GROUP_N; a++) h[j][a] =
            complex_add(upper[a], complex_turn(spin_power(half, mu, j) + (s > 0 ? 2 : 0), lower[a]));
    }
}
/* Entry a of row j of the lower half that belongs to it */
REAL_INLINE complex_t spin_lower(int half, int mu, int s, int j, int a, complex_t h[2][GROUP_N])
{
    return complex_turn(spin_power_dagger(half, mu, j) + (s > 0 ? 2 : 0), h[spin_column(half, mu, j)][a]);
}

/* An entry of a field of matrices, `entries` of them at a site */
REAL_INLINE complex_t entry_load(const lat_tables *t, const void *field, int entries, int64_t x, int lane, int entry)
{
    const scalar *row = (const scalar *)field + (x * entries + entry) * 2 * t->lanes + lane;
    return complex_of(real_load(row), real_load(row + t->lanes));
}

/* out_j = U_mu(x) h_j, and U_mu(x)^+ h_j, of links as their entries */
REAL_INLINE void spin_transport(const lat_tables *t, const void *u, int half, int64_t x, int lane, int mu, bool back,
                                complex_t h[2][GROUP_N], complex_t out[2][GROUP_N])
{
    const int entries = 2 * half * MATRIX_ENTRIES, first = mu * MATRIX_ENTRIES;
    REAL_UNROLL for (int a = 0; a < GROUP_N; a++)
    {
        complex_t sum[2];
        REAL_UNROLL for (int b = 0; b < GROUP_N; b++)
        {
            complex_t link = entry_load(t, u, entries, x, lane, first + (back ? b * GROUP_N + a : a * GROUP_N + b));
            if (back) link = complex_conj(link);
            REAL_UNROLL for (int j = 0; j < half; j++) sum[j] =
                b == 0 ? complex_mul(link, h[j][b]) : complex_mul_add(link, h[j][b], sum[j]);
        }
        REAL_UNROLL for (int j = 0; j < half; j++) out[j][a] = sum[j];
    }
}
#define TRANSPORT_FLOPS(half) ((half)*GROUP_N * (8 * GROUP_N - 2))
