/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dirac.h: kernels of Dirac operators, for two and four dimensions.
 */

/* Bodies of kernels are functions of HALF, half the number of spins. */
#define FOR_HALF(call) (k->t.dim == 2 ? call(1) : call(2))
#define HALF (k->t.dim / 2) /* for costs */

/* The phase of the link, in the lanes where x is the last site of direction mu */
REAL_INLINE complex_t phase_at(const lat_tables *t, int64_t site, int lane, int mu, const lat_phase *phase)
{
    complex_t out = complex_of(real_of(1), real_of(0));
    int64_t stride = 1;
    for (int nu = 0; nu < mu; nu++) stride *= t->size[nu];
    for (int l = 0; l < REAL_LANES; l++) {
        if ((t->site_index[site] + t->lane_index[lane + l]) / stride % t->size[mu] != t->size[mu] - 1) continue;
        real_set_lane(&out.re, l, (scalar)phase->re);
        real_set_lane(&out.im, l, (scalar)phase->im);
    }
    return out;
}

KERNEL(hop_links)
{
    for (int mu = 0; mu < k->t.dim; mu++) {
        complex_t link[MATRIX_ENTRIES], phase = phase_at(&k->t, site, lane, mu, &k->phase[mu]);
        matrix_entries(link_matrix(LINK(k->u, site, mu)), link);
        for (int i = 0; i < MATRIX_ENTRIES; i++) {
            int c = 2 * (mu * MATRIX_ENTRIES + i), components = 2 * k->t.dim * MATRIX_ENTRIES;
            complex_t turned = complex_mul(phase, link[i]);
            PUT(k->entries, components, c, turned.re);
            PUT(k->entries, components, c + 1, turned.im);
        }
    }
}
COST(hop_links, 6 * k->t.dim * MATRIX_ENTRIES, k->t.dim *(LINK_REALS + 2 * MATRIX_ENTRIES), 0)

KERNEL(entries_force)
{
    const int components = 2 * k->t.dim * MATRIX_ENTRIES, generators = k->t.dim * ALGEBRA_REALS;
    for (int mu = 0; mu < k->t.dim; mu++) {
        complex_t z[MATRIX_ENTRIES];
        real out[ALGEBRA_REALS];
        for (int i = 0; i < MATRIX_ENTRIES; i++) {
            int c = 2 * (mu * MATRIX_ENTRIES + i);
            z[i] = complex_of(GET(k->entries, components, c), GET(k->entries, components, c + 1));
        }
        entries_generators(z, out);
        for (int a = 0; a < ALGEBRA_REALS; a++) {
            int c = mu * ALGEBRA_REALS + a;
            PUT(k->force, generators, c, GET(k->force, generators, c) + (scalar)k->weight * out[a]);
        }
    }
}
COST(entries_force, k->t.dim * (GENERATORS_FLOPS + 2 * ALGEBRA_REALS), k->t.dim * (2 * MATRIX_ENTRIES + 2 * ALGEBRA_REALS), 0)

/* ------------------------------------------------------------------------------------------------- blocks of A */

/* Reals of both blocks; the rows of one; where the entry of row i and column j > i is. */
#define BLOCKS_REALS(half) (2 * (half) * (half)*MATRIX_ENTRIES)
REAL_INLINE int block_entry(int rows, int i, int j) { return rows + 2 * (i * rows - i * (i + 1) / 2 + j - i - 1); }
#define BLOCK_FLOPS(half) ((half)*GROUP_N * (8 * (half)*GROUP_N - 4))

/* Rows of psi in one chirality: v = block v */
REAL_INLINE void block_times(const lat_tables *t, const void *blocks, int half, int64_t x, int lane, int chirality,
                             complex_t v[BLOCK_ROWS])
{
    const int rows = half * GROUP_N;
    const scalar *block = (const scalar *)blocks + (x * BLOCKS_REALS(half) + chirality * rows * rows) * t->lanes + lane;
    complex_t out[BLOCK_ROWS];
    REAL_UNROLL for (int i = 0; i < rows; i++) out[i] = complex_scale(real_load(block + i * t->lanes), v[i]);
    REAL_UNROLL for (int i = 0; i < rows; i++) REAL_UNROLL for (int j = i + 1; j < rows; j++)
    {
        const scalar *at = block + block_entry(rows, i, j) * t->lanes;
        complex_t m = complex_of(real_load(at), real_load(at + t->lanes));
        out[i] = complex_mul_add(m, v[j], out[i]);
        out[j] = complex_conj_mul_add(m, v[i], out[j]);
    }
    REAL_UNROLL for (int i = 0; i < rows; i++) v[i] = out[i];
}

/* v = second (first + i mass gamma5) v; first NULL: diagonal */
REAL_INLINE void diagonal_times(const lat_tables *t, const void *first, const void *second, double diagonal,
                                double mass, int half, int64_t x, int lane, int chirality, complex_t v[BLOCK_ROWS])
{
    const int rows = half * GROUP_N;
    const scalar twist = (scalar)(chirality == 0 ? mass : -mass);
    complex_t turned[BLOCK_ROWS];
    REAL_UNROLL for (int i = 0; i < rows; i++) turned[i] = complex_of(-twist * v[i].im, twist * v[i].re);
    if (first)
        block_times(t, first, half, x, lane, chirality, v);
    else
        REAL_UNROLL for (int i = 0; i < rows; i++) v[i] = complex_scale(real_of((scalar)diagonal), v[i]);
    if (mass != 0) REAL_UNROLL for (int i = 0; i < rows; i++) v[i] = complex_add(v[i], turned[i]);
    if (second) block_times(t, second, half, x, lane, chirality, v);
}

REAL_INLINE void load_half(const lat_tables *t, const void *psi, int half, int64_t x, int lane, int chirality,
                           complex_t v[BLOCK_ROWS])
{
    REAL_UNROLL for (int j = 0; j < half; j++) spin_load(t, psi, half, x, lane, chirality * half + j, v + j * GROUP_N);
}
REAL_INLINE void store_half(const lat_tables *t, void *psi, int half, int64_t x, int lane, int chirality,
                            const complex_t v[BLOCK_ROWS], int stream)
{
    REAL_UNROLL for (int j = 0; j < half; j++)
        spin_store(t, psi, half, x, lane, chirality * half + j, v + j * GROUP_N, stream);
}

REAL_INLINE void block_multiply_at(const block_multiply_args *k, int64_t site, int lane, int half)
{
    REAL_UNROLL for (int chirality = 0; chirality < 2; chirality++)
    {
        complex_t v[BLOCK_ROWS];
        load_half(&k->t, k->in, half, site, lane, chirality, v);
        diagonal_times(&k->t, k->first, k->second, k->diagonal, k->mass, half, site, lane, chirality, v);
        store_half(&k->t, k->out, half, site, lane, chirality, v, 0);
    }
}
#define CALL(half) block_multiply_at(k, site, lane, half)
KERNEL(block_multiply) { FOR_HALF(CALL); }
#undef CALL
COST(block_multiply, ((k->first ? 1 : 0) + (k->second ? 1 : 0)) * 2 * BLOCK_FLOPS(HALF) + 2 * SPINOR_REALS(HALF),
     2 * SPINOR_REALS(HALF) + ((k->first ? 1 : 0) + (k->second ? 1 : 0)) * BLOCKS_REALS(HALF), 0)

/* ---------------------------------------------------------------------------------------------------- the hop */

/* The upper half of (1 - s gamma_mu) psi(x).  The halo has nothing else of psi. */
REAL_INLINE void neighbour_half(const lat_tables *t, const void *psi, int half, int64_t x, int lane, int mu, int s,
                                complex_t h[2][GROUP_N])
{
    if (x < t->sites)
        spin_project(t, psi, half, x, lane, mu, s, h);
    else
        REAL_UNROLL for (int j = 0; j < half; j++) spin_load(t, psi, half, x, lane, j, h[j]);
}

/* Adds (1 - s gamma_mu) U psi(x+mu) or, back, (1 - s gamma_mu) U^+ psi(x-mu), to the halves of sum; link: where U begins. */
REAL_INLINE void add_neighbour(const lat_tables *t, const void *u, const void *psi, int half, int64_t from,
                               int64_t link, int lane, int mu, int s, bool back, complex_t sum[2][BLOCK_ROWS])
{
    complex_t h[2][GROUP_N], there[2][GROUP_N];
    neighbour_half(t, psi, half, from, lane, mu, s, h);
    spin_transport(t, u, half, link, lane, mu, back, h, there);
    REAL_UNROLL for (int j = 0; j < half; j++) REAL_UNROLL for (int a = 0; a < GROUP_N; a++)
    {
        complex_t *upper = &sum[0][j * GROUP_N + a], *lower = &sum[1][j * GROUP_N + a];
        *upper = complex_add(*upper, there[j][a]);
        *lower = complex_add(*lower, spin_lower(half, mu, s, j, a, there));
    }
}

/* What a site reads in direction mu, and its share of blocks: spread over the work of the site before, it does not stand in the way.  A hop reads links
 * and blocks once, spinors eight times. */
REAL_INLINE void fetch_direction(const hop_args *k, int64_t site, int lane, int half, int mu)
{
    const lat_tables *t = &k->t;
    const int entries = 2 * MATRIX_ENTRIES, links = 2 * half * entries, blocks = BLOCKS_REALS(half),
              share = blocks / (2 * half);
    int64_t up = t->up[mu][site], down = t->down[mu][site];
    fetch_once(t, k->u, links, site, lane, mu * entries, entries);
    fetch_once(t, k->u, links, down, lane, mu * entries, entries);
    fetch_near(t, k->in, SPINOR_REALS(half), up, lane, 0, SPINOR_REALS(half));
    fetch_near(t, k->in, SPINOR_REALS(half), down, lane, 0, SPINOR_REALS(half));
    if (k->first) fetch_once(t, k->first, blocks, site, lane, mu * share, share);
}

REAL_INLINE void hop_at(const hop_args *k, int64_t site, int64_t next, int lane, int half, int s)
{
    complex_t sum[2][BLOCK_ROWS];
    REAL_UNROLL for (int i = 0; i < half * GROUP_N; i++) sum[0][i] = sum[1][i] = complex_zero();
    REAL_UNROLL for (int mu = 0; mu < 2 * half; mu++)
    {
        int64_t up = k->t.up[mu][site], down = k->t.down[mu][site];
        if (k->fetch) fetch_direction(k, next, lane, half, mu);
        add_neighbour(&k->t, k->u, k->in, half, up, site, lane, mu, s, false, sum);
        add_neighbour(&k->t, k->u, k->in, half, down, down, lane, mu, -s, true, sum);
    }
    REAL_UNROLL for (int chirality = 0; chirality < 2; chirality++)
    {
        complex_t *h = sum[chirality], v[BLOCK_ROWS];
        REAL_UNROLL for (int i = 0; i < half * GROUP_N; i++) h[i] = complex_scale(real_of((scalar)k->scale), h[i]);
        if (k->base)
            load_half(&k->t, k->base, half, site, lane, chirality, v);
        else
            REAL_UNROLL for (int i = 0; i < half * GROUP_N; i++) v[i] = h[i];
        diagonal_times(&k->t, k->first, k->second, k->diagonal, k->mass, half, site, lane, chirality, v);
        if (k->base) REAL_UNROLL for (int i = 0; i < half * GROUP_N; i++) v[i] = complex_add(v[i], h[i]);
        store_half(&k->t, k->out, half, site, lane, chirality, v, k->fetch);
    }
}
/* Two kernels: with the sign as a branch in one the compiler reads all that both sides need before it, and spills it. */
#define CALL(half) hop_at(k, site, next, lane, half, 1)
FETCHING_KERNEL(hop) { FOR_HALF(CALL); }
#undef CALL
#define CALL(half) hop_at(k, site, next, lane, half, -1)
FETCHING_KERNEL(hop_dagger) { FOR_HALF(CALL); }
#undef CALL
#define HOP_FLOPS                                                                                                      \
    (4 * HALF * (2 * TRANSPORT_FLOPS(HALF) / 2 + 3 * SPINOR_REALS(HALF) / 2) + SPINOR_REALS(HALF) +                    \
     ((k->first ? 1 : 0) + (k->second ? 1 : 0)) * 2 * BLOCK_FLOPS(HALF))
#define HOP_NUMBERS                                                                                                    \
    ((2 + (k->base ? 1 : 0)) * SPINOR_REALS(HALF) + 4 * k->t.dim * MATRIX_ENTRIES +                                    \
     ((k->first ? 1 : 0) + (k->second ? 1 : 0)) * BLOCKS_REALS(HALF))
COST(hop, HOP_FLOPS, HOP_NUMBERS, 0)
COST(hop_dagger, HOP_FLOPS, HOP_NUMBERS, 0)

/* d^a of Re x^+ H y: T_a stands before the link in the first term, and with a minus after its adjoint in the second. */
REAL_INLINE void hop_force_at(const hop_force_args *k, int64_t site, int lane, int half)
{
    const int components = k->t.dim * ALGEBRA_REALS;
    for (int mu = 0; mu < 2 * half; mu++) {
        int64_t up = k->t.up[mu][site];
        complex_t h[2][GROUP_N], there[2][GROUP_N], own[2][GROUP_N], m[MATRIX_ENTRIES];
        for (int i = 0; i < MATRIX_ENTRIES; i++) m[i] = complex_zero();
        /* the halves of (1 - gamma) V y are h and -e^+ h: x^+ of it is the product of h with the half of (1 - gamma) x */
        spin_project(&k->t, k->y, half, up, lane, mu, 1, h);
        spin_transport(&k->t, k->u, half, site, lane, mu, false, h, there);
        spin_project(&k->t, k->x, half, site, lane, mu, 1, own);
        for (int j = 0; j < half; j++)
            for (int i = 0; i < MATRIX_ENTRIES; i++)
                m[i] = complex_conj_mul_add(own[j][i % GROUP_N], there[j][i / GROUP_N], m[i]);
        spin_project(&k->t, k->x, half, up, lane, mu, -1, h);
        spin_transport(&k->t, k->u, half, site, lane, mu, false, h, there);
        spin_project(&k->t, k->y, half, site, lane, mu, -1, own);
        for (int j = 0; j < half; j++)
            for (int i = 0; i < MATRIX_ENTRIES; i++) {
                complex_t minus = complex_scale(real_of(-1), there[j][i % GROUP_N]);
                m[i] = complex_conj_mul_add(minus, own[j][i / GROUP_N], m[i]);
            }
        real force[ALGEBRA_REALS];
        entries_generators(m, force);
        for (int a = 0; a < ALGEBRA_REALS; a++) {
            int c = mu * ALGEBRA_REALS + a;
            PUT(k->force, components, c, GET(k->force, components, c) + (scalar)k->weight * force[a]);
        }
    }
}
#define CALL(half) hop_force_at(k, site, lane, half)
KERNEL(hop_force) { FOR_HALF(CALL); }
#undef CALL
COST(hop_force,
     k->t.dim *(2 * TRANSPORT_FLOPS(HALF) + 2 * SPINOR_REALS(HALF) + 2 * HALF * 8 * MATRIX_ENTRIES + GENERATORS_FLOPS +
                2 * ALGEBRA_REALS),
     2 * SPINOR_REALS(HALF) + k->t.dim * 2 * (MATRIX_ENTRIES + ALGEBRA_REALS), 0)
