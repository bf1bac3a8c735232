/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * exponential.h: kernels of the exponential clover term: exp of Hermitian blocks, and its derivative.  The series of Taylor of E / 2^halvings, which
 * has a norm below 1/4, in the scheme of Horner, then as many squarings; the derivative is that of each product.
 */

enum { EXPONENTIAL_DEGREE = 12 }; /* 4^-13 / 13! is beyond double */

REAL_INLINE block_t block_diagonal(int rows, scalar diagonal)
{
    block_t out;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) out.e[i][j] = complex_of(real_of(i == j ? diagonal : 0), real_of(0));
    return out;
}
/* a / 2^halvings */
REAL_INLINE block_t block_halve(int rows, int halvings, block_t a)
{
    scalar weight = 1;
    for (int i = 0; i < halvings; i++) weight *= (scalar)0.5;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) a.e[i][j] = complex_scale(real_of(weight), a.e[i][j]);
    return a;
}
/* E / 2^halvings, of the blocks 1 + E */
REAL_INLINE block_t load_exponent(const lat_tables *t, const void *blocks, int half, int halvings, int64_t site,
                                  int lane, int chirality)
{
    block_t e = block_load(t, blocks, half, site, lane, chirality);
    for (int i = 0; i < half * GROUP_N; i++) e.e[i][i].re -= 1;
    return block_halve(half * GROUP_N, halvings, e);
}
/* a + a^+ */
REAL_INLINE block_t block_hermitian(int rows, const block_t *a)
{
    block_t out;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) out.e[i][j] = complex_add(a->e[i][j], complex_conj(a->e[j][i]));
    return out;
}

REAL_INLINE void block_exponential_at(const block_exponential_args *k, int64_t site, int lane, int half)
{
    const int rows = half * GROUP_N;
    const block_t one = block_diagonal(rows, 1);
    for (int chirality = 0; chirality < 2; chirality++) {
        block_t e = load_exponent(&k->t, k->blocks, half, k->halvings, site, lane, chirality), p = one;
        for (int n = EXPONENTIAL_DEGREE; n > 0; n--) p = block_multiply_add(rows, (scalar)(k->sign / n), &e, &p, &one);
        for (int i = 0; i < k->halvings; i++) p = block_product(rows, &p, &p);
        block_store(&k->t, k->out, half, site, lane, chirality, &p);
    }
}
#define CALL(half) block_exponential_at(k, site, lane, half)
KERNEL(block_exponential) { FOR_HALF(CALL); }
#undef CALL
#define BLOCK_PRODUCT_FLOPS (8 * HALF * HALF * HALF * GROUP_N * MATRIX_ENTRIES)
COST(block_exponential, 2 * (EXPONENTIAL_DEGREE + k->halvings) * BLOCK_PRODUCT_FLOPS, 2 * BLOCKS_REALS(HALF), 0)

/* With p = exp(e), d changes as p does when e changes by w. */
REAL_INLINE block_t block_exponential_derivative(int rows, int halvings, const block_t *e, const block_t *w)
{
    const block_t one = block_diagonal(rows, 1), zero = block_diagonal(rows, 0);
    block_t p = one, d = zero;
    for (int n = EXPONENTIAL_DEGREE; n > 0; n--) {
        d = block_multiply_add(rows, (scalar)(1.0 / n), e, &d, &zero);
        d = block_multiply_add(rows, (scalar)(1.0 / n), w, &p, &d);
        p = block_multiply_add(rows, (scalar)(1.0 / n), e, &p, &one);
    }
    for (int i = 0; i < halvings; i++) {
        d = block_product(rows, &p, &d);
        d = block_hermitian(rows, &d);
        p = block_product(rows, &p, &p);
    }
    return d;
}

REAL_INLINE void block_exponential_force_at(const block_exponential_force_args *k, int64_t site, int lane, int half)
{
    const int rows = half * GROUP_N;
    for (int chirality = 0; chirality < 2; chirality++) {
        block_t e = load_exponent(&k->t, k->blocks, half, k->halvings, site, lane, chirality),
                w = block_load(&k->t, k->weights, half, site, lane, chirality);
        w = block_halve(rows, k->halvings, w);
        w = block_exponential_derivative(rows, k->halvings, &e, &w);
        block_store(&k->t, k->out, half, site, lane, chirality, &w);
    }
}
#define CALL(half) block_exponential_force_at(k, site, lane, half)
KERNEL(block_exponential_force) { FOR_HALF(CALL); }
#undef CALL
COST(block_exponential_force, 2 * (3 * EXPONENTIAL_DEGREE + 2 * k->halvings) * BLOCK_PRODUCT_FLOPS,
     3 * BLOCKS_REALS(HALF), 0)
