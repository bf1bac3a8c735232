/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clover.h: kernels of the clover term (B. Sheikholeslami and R. Wohlert, Nucl. Phys. B 259 (1985) 572): its blocks, their inverses, and its force.
 */

typedef struct {
    complex_t e[MATRIX_ENTRIES];
} entries_t;

REAL_INLINE entries_t link_entries(link_t link)
{
    entries_t out;
    matrix_entries(link_matrix(link), out.e);
    return out;
}
REAL_INLINE entries_t entries_mul(entries_t a, entries_t b)
{
    entries_t out;
    REAL_UNROLL for (int i = 0; i < GROUP_N; i++) REAL_UNROLL for (int j = 0; j < GROUP_N; j++)
    {
        complex_t sum = complex_mul(a.e[i * GROUP_N], b.e[j]);
        REAL_UNROLL for (int l = 1; l < GROUP_N; l++) sum =
            complex_mul_add(a.e[i * GROUP_N + l], b.e[l * GROUP_N + j], sum);
        out.e[i * GROUP_N + j] = sum;
    }
    return out;
}
REAL_INLINE entries_t entries_add(entries_t a, entries_t b)
{
    REAL_UNROLL for (int i = 0; i < MATRIX_ENTRIES; i++) a.e[i] = complex_add(a.e[i], b.e[i]);
    return a;
}
REAL_INLINE entries_t entries_scale(scalar s, entries_t a)
{
    REAL_UNROLL for (int i = 0; i < MATRIX_ENTRIES; i++) a.e[i] = complex_scale(real_of(s), a.e[i]);
    return a;
}
enum { ENTRIES_FLOPS = MATRIX_ENTRIES * (8 * GROUP_N - 2) };

/* Row j of gamma_mu gamma_nu in the block of a chirality: the column of its entry, a power of i */
REAL_INLINE int pair_column(int half, int mu, int nu, int j) { return spin_column(half, nu, spin_column(half, mu, j)); }
REAL_INLINE int pair_power(int half, int mu, int nu, int chirality, int j)
{
    int middle = spin_column(half, mu, j);
    if (chirality == 0) return spin_power(half, mu, j) + spin_power_dagger(half, nu, middle);
    return spin_power_dagger(half, mu, j) + spin_power(half, nu, middle);
}

/* F_mn(x) = (Q - Q^+) / 8, Q the sum of the four plaquettes of the plane that begin at x */
REAL_INLINE entries_t field_strength(const lat_tables *t, const void *u, int64_t site, int lane, int mu, int nu)
{
    const int m = mu + 1, n = nu + 1;
    const int path[4][4] = {{m, n, -m, -n}, {n, -m, -n, m}, {-m, -n, m, n}, {-n, m, n, -m}};
    entries_t q, out;
    matrix_t sum = matrix_zero();
    for (int i = 0; i < 4; i++) sum = matrix_add(sum, link_matrix(path_at(t, u, site, lane, path[i], 4)));
    matrix_entries(sum, q.e);
    for (int i = 0; i < GROUP_N; i++)
        for (int j = 0; j < GROUP_N; j++) {
            complex_t a = q.e[i * GROUP_N + j], b = q.e[j * GROUP_N + i];
            out.e[i * GROUP_N + j] = complex_of((scalar)0.125 * (a.re - b.re), (scalar)0.125 * (a.im + b.im));
        }
    return out;
}

/* block += (gamma_mu gamma_nu) f in one chirality, of the numbers of one Hermitian block */
REAL_INLINE void add_to_block(int half, int mu, int nu, int chirality, const entries_t *f, real *block)
{
    const int rows = half * GROUP_N;
    for (int j = 0; j < half; j++)
        for (int a = 0; a < GROUP_N; a++)
            for (int b = 0; b < GROUP_N; b++) {
                int row = j * GROUP_N + a, column = pair_column(half, mu, nu, j) * GROUP_N + b;
                complex_t term = complex_turn(pair_power(half, mu, nu, chirality, j), f->e[a * GROUP_N + b]);
                if (row == column) block[row] += term.re;
                if (row >= column) continue;
                int entry = block_entry(rows, row, column);
                block[entry] += term.re;
                block[entry + 1] += term.im;
            }
}

REAL_INLINE void clover_at(const clover_args *k, int64_t site, int lane, int half)
{
    const int rows = half * GROUP_N, reals = rows * rows;
    real block[2][4 * MATRIX_ENTRIES];
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < reals; i++) block[c][i] = real_of(i < rows);
    for (int nu = 1; nu < 2 * half; nu++)
        for (int mu = 0; mu < nu; mu++) {
            entries_t f = entries_scale((scalar)k->weight, field_strength(&k->t, k->u, site, lane, mu, nu));
            for (int c = 0; c < 2; c++) add_to_block(half, mu, nu, c, &f, block[c]);
        }
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < reals; i++) PUT(k->blocks, 2 * reals, c * reals + i, block[c][i]);
}
#define CALL(half) clover_at(k, site, lane, half)
KERNEL(clover) { FOR_HALF(CALL); }
#undef CALL
COST(clover, PLANES *(12 * PRODUCT_FLOPS + 4 * MATRIX_ENTRIES + 2 * HALF * 2 * MATRIX_ENTRIES),
     k->t.dim *LINK_REALS + BLOCKS_REALS(HALF), 0)

/* ------------------------------------------------------------------------------------------------------- inverses */

typedef struct {
    complex_t e[BLOCK_ROWS][BLOCK_ROWS];
} block_t;

REAL_INLINE block_t block_load(const lat_tables *t, const void *blocks, int half, int64_t site, int lane, int chirality)
{
    const int rows = half * GROUP_N;
    const scalar *block =
        (const scalar *)blocks + (site * BLOCKS_REALS(half) + chirality * rows * rows) * t->lanes + lane;
    block_t out;
    for (int i = 0; i < rows; i++) {
        out.e[i][i] = complex_of(real_load(block + i * t->lanes), real_of(0));
        for (int j = i + 1; j < rows; j++) {
            const scalar *at = block + block_entry(rows, i, j) * t->lanes;
            out.e[i][j] = complex_of(real_load(at), real_load(at + t->lanes));
            out.e[j][i] = complex_conj(out.e[i][j]);
        }
    }
    return out;
}
REAL_INLINE void block_store(const lat_tables *t, void *blocks, int half, int64_t site, int lane, int chirality,
                             const block_t *m)
{
    const int rows = half * GROUP_N;
    scalar *block = (scalar *)blocks + (site * BLOCKS_REALS(half) + chirality * rows * rows) * t->lanes + lane;
    for (int i = 0; i < rows; i++) {
        real_store(block + i * t->lanes, m->e[i][i].re);
        for (int j = i + 1; j < rows; j++) {
            scalar *at = block + block_entry(rows, i, j) * t->lanes;
            real_store(at, m->e[i][j].re);
            real_store(at + t->lanes, m->e[i][j].im);
        }
    }
}
REAL_INLINE block_t block_product(int rows, const block_t *a, const block_t *b)
{
    block_t out;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) {
            complex_t sum = complex_zero();
            for (int l = 0; l < rows; l++) sum = complex_mul_add(a->e[i][l], b->e[l][j], sum);
            out.e[i][j] = sum;
        }
    return out;
}
/* c + weight a b */
REAL_INLINE block_t block_multiply_add(int rows, scalar weight, const block_t *a, const block_t *b, const block_t *c)
{
    block_t out = block_product(rows, a, b);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++)
            out.e[i][j] = complex_add(c->e[i][j], complex_scale(real_of(weight), out.e[i][j]));
    return out;
}

/* a = L D L^+ of a Hermitian matrix: L below the diagonal and D on it take its place.  No pivoting: A is near 1. */
REAL_INLINE void block_factorise(int rows, block_t *a)
{
    for (int j = 0; j < rows; j++)
        for (int i = j; i < rows; i++) {
            complex_t sum = a->e[i][j];
            for (int l = 0; l < j; l++) {
                complex_t left = complex_scale(-a->e[l][l].re, a->e[i][l]);
                sum = complex_conj_mul_add(a->e[j][l], left, sum);
            }
            a->e[i][j] = i == j ? complex_of(sum.re, real_of(0)) : complex_scale(1 / a->e[j][j].re, sum);
        }
}
/* Column `column` of (L D L^+)^-1 */
REAL_INLINE void block_solve(int rows, const block_t *a, int column, complex_t x[BLOCK_ROWS])
{
    for (int i = 0; i < rows; i++) {
        x[i] = complex_of(real_of(i == column), real_of(0));
        for (int l = 0; l < i; l++) x[i] = complex_mul_add(complex_scale(real_of(-1), a->e[i][l]), x[l], x[i]);
    }
    for (int i = rows - 1; i >= 0; i--) {
        x[i] = complex_scale(1 / a->e[i][i].re, x[i]);
        for (int l = i + 1; l < rows; l++)
            x[i] = complex_conj_mul_add(complex_scale(real_of(-1), a->e[l][i]), x[l], x[i]);
    }
}

REAL_INLINE void block_invert_at(const block_invert_args *k, int64_t site, int lane, int half)
{
    const int rows = half * GROUP_N;
    real log_det = real_of(0);
    for (int chirality = 0; chirality < 2; chirality++) {
        block_t a = block_load(&k->t, k->blocks, half, site, lane, chirality), inverse;
        if (k->mass != 0) {
            a = block_product(rows, &a, &a);
            for (int i = 0; i < rows; i++) a.e[i][i].re += (scalar)(k->mass * k->mass);
        }
        block_factorise(rows, &a);
        for (int i = 0; i < rows; i++) log_det += real_log(real_abs(a.e[i][i].re));
        for (int j = 0; j < rows; j++) {
            complex_t x[BLOCK_ROWS];
            block_solve(rows, &a, j, x);
            for (int i = 0; i <= j; i++) inverse.e[i][j] = x[i];
        }
        block_store(&k->t, k->inverse, half, site, lane, chirality, &inverse);
    }
    if (k->density) ADD_DOUBLE(k->density, 1, 0, (scalar)(k->mass != 0 ? 0.5 : 1) * log_det);
}
#define CALL(half) block_invert_at(k, site, lane, half)
KERNEL(block_invert) { FOR_HALF(CALL); }
#undef CALL
COST(block_invert, 2 * 8 * HALF * HALF * HALF * GROUP_N * MATRIX_ENTRIES, 2 * BLOCKS_REALS(HALF), 2)

/* out += weight a b, of blocks that commute */
REAL_INLINE void block_commuting_at(const block_commuting_args *k, int64_t site, int lane, int half)
{
    const int rows = half * GROUP_N;
    for (int chirality = 0; chirality < 2; chirality++) {
        block_t a = block_load(&k->t, k->a, half, site, lane, chirality),
                b = block_load(&k->t, k->b, half, site, lane, chirality),
                out = block_load(&k->t, k->out, half, site, lane, chirality);
        out = block_multiply_add(rows, (scalar)k->weight, &a, &b, &out);
        block_store(&k->t, k->out, half, site, lane, chirality, &out);
    }
}
#define CALL(half) block_commuting_at(k, site, lane, half)
KERNEL(block_commuting) { FOR_HALF(CALL); }
#undef CALL
COST(block_commuting, 2 * 8 * HALF * HALF * HALF * GROUP_N * MATRIX_ENTRIES, 4 * BLOCKS_REALS(HALF), 0)

/* --------------------------------------------------------------------------------------------------------- force */

REAL_INLINE void block_outer_at(const block_outer_args *k, int64_t site, int lane, int half)
{
    const int rows = half * GROUP_N;
    const real weight = real_of((scalar)(0.5 * k->weight));
    for (int chirality = 0; chirality < 2; chirality++) {
        complex_t x[BLOCK_ROWS], y[BLOCK_ROWS];
        block_t w = block_load(&k->t, k->blocks, half, site, lane, chirality);
        load_half(&k->t, k->x, half, site, lane, chirality, x);
        load_half(&k->t, k->y, half, site, lane, chirality, y);
        for (int i = 0; i < rows; i++)
            for (int j = i; j < rows; j++) {
                complex_t sum = complex_mul_add(y[i], complex_conj(x[j]), complex_mul(x[i], complex_conj(y[j])));
                w.e[i][j] = complex_add(w.e[i][j], complex_scale(weight, sum));
            }
        block_store(&k->t, k->blocks, half, site, lane, chirality, &w);
    }
}
#define CALL(half) block_outer_at(k, site, lane, half)
KERNEL(block_outer) { FOR_HALF(CALL); }
#undef CALL
COST(block_outer, 2 * 20 * HALF * HALF * MATRIX_ENTRIES / 2, 2 * SPINOR_REALS(HALF) + 2 * BLOCKS_REALS(HALF), 0)

REAL_INLINE int plane_of(int mu, int nu) { return nu * (nu - 1) / 2 + mu; } /* mu < nu */

REAL_INLINE void clover_insert_at(const clover_insert_args *k, int64_t site, int lane, int half)
{
    const int planes = half * (2 * half - 1);
    block_t w[2];
    for (int c = 0; c < 2; c++) w[c] = block_load(&k->t, k->blocks, half, site, lane, c);
    for (int nu = 1; nu < 2 * half; nu++)
        for (int mu = 0; mu < nu; mu++)
            for (int i = 0; i < MATRIX_ENTRIES; i++) {
                int a = i / GROUP_N, b = i % GROUP_N, component = 2 * (plane_of(mu, nu) * MATRIX_ENTRIES + i);
                complex_t sum = complex_zero();
                for (int c = 0; c < 2; c++)
                    for (int j = 0; j < half; j++) {
                        int column = pair_column(half, mu, nu, j);
                        sum = complex_add(sum, complex_turn(pair_power(half, mu, nu, c, j),
                                                            w[c].e[column * GROUP_N + a][j * GROUP_N + b]));
                    }
                PUT(k->insertions, 2 * planes * MATRIX_ENTRIES, component, sum.re);
                PUT(k->insertions, 2 * planes * MATRIX_ENTRIES, component + 1, sum.im);
            }
}
#define CALL(half) clover_insert_at(k, site, lane, half)
KERNEL(clover_insert) { FOR_HALF(CALL); }
#undef CALL
COST(clover_insert, PLANES *MATRIX_ENTRIES * 4 * HALF, BLOCKS_REALS(HALF) + 2 * PLANES * MATRIX_ENTRIES, 0)

/* X_mn(x), antisymmetric in its directions */
REAL_INLINE entries_t insertion_at(const lat_tables *t, const void *insertions, int64_t x, int lane, int mu, int nu)
{
    const int plane = mu < nu ? plane_of(mu, nu) : plane_of(nu, mu), planes = t->dim * (t->dim - 1) / 2;
    entries_t out;
    for (int i = 0; i < MATRIX_ENTRIES; i++)
        out.e[i] = entry_load(t, insertions, planes * MATRIX_ENTRIES, x, lane, plane * MATRIX_ENTRIES + i);
    return mu < nu ? out : entries_scale(-1, out);
}

/* The corners of the plaquette at the link U_mu(x), on the side of nu that is named, along its path */
typedef struct {
    int64_t here, ahead, corner, beside;
} corners_t;
REAL_INLINE corners_t corners_of(const lat_tables *t, int64_t x, int mu, int nu, bool up)
{
    int64_t beside = up ? t->up[nu][x] : t->down[nu][x];
    return (corners_t){x, t->up[mu][x], t->up[mu][beside], beside};
}

/* Its sum with a matrix at one of its corners after the other: with the sides A B C D, A (X_1 BCD + B (X_2 CD + C X_3 D) + BCD X_0) */
REAL_INLINE entries_t inserted_plaquette(const lat_tables *t, const void *u, corners_t at, int lane, int mu, int nu,
                                         bool up, const entries_t x[4])
{
    link_t b = up ? link_at(t, u, t->dim, at.ahead, lane, nu) : link_dagger(link_at(t, u, t->dim, at.corner, lane, nu));
    link_t d = up ? link_dagger(link_at(t, u, t->dim, at.here, lane, nu)) : link_at(t, u, t->dim, at.beside, lane, nu);
    entries_t side = link_entries(b), back = link_entries(link_dagger(link_at(t, u, t->dim, at.beside, lane, mu))),
              last = link_entries(d);
    entries_t rest = entries_mul(back, last), three = entries_mul(side, rest);
    entries_t far = entries_mul(x[2], rest);
    far = entries_add(far, entries_mul(back, entries_mul(x[3], last)));
    entries_t sum = entries_mul(side, far);
    sum = entries_add(sum, entries_mul(x[1], three));
    sum = entries_add(sum, entries_mul(three, x[0]));
    return entries_mul(link_entries(link_at(t, u, t->dim, at.here, lane, mu)), sum);
}

/* With X_mn */
REAL_INLINE entries_t clover_plaquette(const clover_force_args *k, int64_t site, int lane, int mu, int nu, bool up)
{
    const corners_t at = corners_of(&k->t, site, mu, nu, up);
    const entries_t x[4] = {insertion_at(&k->t, k->insertions, at.here, lane, mu, nu),
                            insertion_at(&k->t, k->insertions, at.ahead, lane, mu, nu),
                            insertion_at(&k->t, k->insertions, at.corner, lane, mu, nu),
                            insertion_at(&k->t, k->insertions, at.beside, lane, mu, nu)};
    return inserted_plaquette(&k->t, k->u, at, lane, mu, nu, up, x);
}

/* Re tr(X F) changes by Re tr(X dQ) / 4, since X is anti-Hermitian; for the same reason loops the other way round count with a minus. */
KERNEL(clover_force)
{
    const int components = k->t.dim * ALGEBRA_REALS;
    for (int mu = 0; mu < k->t.dim; mu++) {
        real force[ALGEBRA_REALS];
        entries_t sum = {{complex_zero()}};
        for (int i = 0; i < MATRIX_ENTRIES; i++) sum.e[i] = complex_zero();
        for (int nu = 0; nu < k->t.dim; nu++) {
            if (nu == mu) continue;
            sum = entries_add(sum, clover_plaquette(k, site, lane, mu, nu, true));
            sum = entries_add(sum, entries_scale(-1, clover_plaquette(k, site, lane, mu, nu, false)));
        }
        entries_generators(sum.e, force);
        for (int a = 0; a < ALGEBRA_REALS; a++) {
            int c = mu * ALGEBRA_REALS + a;
            PUT(k->force, components, c, GET(k->force, components, c) + (scalar)(0.25 * k->weight) * force[a]);
        }
    }
}
COST(clover_force,
     PLANES * 4 * (9 * ENTRIES_FLOPS + 12 * MATRIX_ENTRIES) + k->t.dim * (GENERATORS_FLOPS + 2 * ALGEBRA_REALS),
     2 * PLANES * MATRIX_ENTRIES + k->t.dim * (LINK_REALS + 2 * ALGEBRA_REALS), 0)
