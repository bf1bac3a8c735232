/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * masked_stout.h: kernels of masked stout smearing, for every group; after its header.  Definitions: masked_stout_kernels.h;
 * formulas: doc/masked_stout.md.
 */
#include "lattice/kernels/links.h"
#include "lattice/group/adjoint.h"
#include "flows/kernels/masked_stout_kernels.h"

/* ------------------------------------------------------------------------------------------------------------ loops */

enum { STOUT_PATHS = 3, STOUT_STEPS = 6 };

/* The loops of a kind that begin with a step m, from 1, and turn to the side n first or next; returns their number. */
REAL_INLINE int stout_paths(flow_masked_stout_loop kind, int m, int n, int path[STOUT_PATHS][STOUT_STEPS], int *steps)
{
    const int rectangles[STOUT_PATHS][STOUT_STEPS] = {
        {m, m, n, -m, -m, -n}, {m, n, -m, -m, -n, m}, {m, n, n, -m, -n, -n}};
    const int plaquette[] = {m, n, -m, -n};
    const bool short_one = kind == FLOW_MASKED_STOUT_PLAQUETTE;
    *steps = short_one ? 4 : STOUT_STEPS;
    for (int p = 0; p < STOUT_PATHS; p++)
        for (int i = 0; i < *steps; i++) path[p][i] = short_one ? plaquette[i] : rectangles[p][i];
    return short_one ? 1 : STOUT_PATHS;
}

/* Directions to both sides, as steps: of side = 0, 1, ... 2 dim - 1 */
REAL_INLINE int stout_side(int side) { return side % 2 ? side / 2 + 1 : -(side / 2 + 1); }

/* A_i */
REAL_INLINE matrix_t stout_staple(const masked_stout_args *k, flow_masked_stout_loop kind, int64_t site, int lane)
{
    matrix_t sum = matrix_zero();
    for (int side = 0; side < 2 * k->t.dim; side++) {
        int path[STOUT_PATHS][STOUT_STEPS], steps;
        if (side / 2 == k->mu) continue;
        const int paths = stout_paths(kind, k->mu + 1, stout_side(side), path, &steps);
        for (int p = 0; p < paths; p++)
            sum =
                matrix_add(sum, link_matrix(path_at(&k->t, k->u, k->t.up[k->mu][site], lane, path[p] + 1, steps - 1)));
    }
    return sum;
}

/* ----------------------------------------------------------------------------------------------------- coefficients */

/* sqrt(1 + kinds |p|^2): sum_i |p_i| / that is less than 1, as (sum |p_i|)^2 <= kinds |p|^2. */
REAL_INLINE double stout_norm(const masked_stout_loops *l)
{
    double sum = 1;
    for (int i = 0; i < l->kinds; i++) sum += l->kinds * l->parameters[i] * l->parameters[i];
    return sqrt(sum);
}

REAL_INLINE scalar stout_coefficient(const masked_stout_loops *l, int i)
{
    return (scalar)(FLOW_MASKED_STOUT_BOUND * l->parameters[i] / (stout_norm(l) * l->count[i]));
}

/* The cotangents of the parameters from those of the coefficients */
REAL_INLINE void stout_put_slopes(const masked_stout_args *k, int64_t site, int lane,
                                  const real c_bar[FLOW_MASKED_STOUT_LOOPS])
{
    const masked_stout_loops *l = &k->l;
    const double norm = stout_norm(l);
    real along = real_of(0);
    for (int i = 0; i < l->kinds; i++) along = along + (scalar)(l->parameters[i] / l->count[i]) * c_bar[i];
    for (int i = 0; i < l->kinds; i++) {
        real own = (scalar)(1.0 / l->count[i]) * c_bar[i];
        real slope = own - (scalar)(l->kinds * l->parameters[i] / (norm * norm)) * along;
        PUT_DOUBLE(k->slope[i], 1, 0, (scalar)(FLOW_MASKED_STOUT_BOUND / norm) * slope);
    }
}

/* -------------------------------------------------------------------------------------------------- an active link */

typedef struct {
    matrix_t staple[FLOW_MASKED_STOUT_LOOPS], sum; /* A_i, A */
} stout_staples;

REAL_INLINE stout_staples stout_staples_at(const masked_stout_args *k, int64_t site, int lane)
{
    stout_staples s;
    s.sum = matrix_zero();
    for (int i = 0; i < k->l.kinds; i++) {
        scalar c = stout_coefficient(&k->l, i);
        s.staple[i] = stout_staple(k, k->l.kind[i], site, lane);
        s.sum = matrix_add(s.sum, matrix_scale(real_of(c), s.staple[i]));
    }
    return s;
}

/* The components of X = -P(W) */
REAL_INLINE void stout_step(matrix_t w, real x[ALGEBRA_REALS])
{
    matrix_generators(w, x);
    for (int a = 0; a < ALGEBRA_REALS; a++) x[a] = FLOW_WEIGHT * x[a];
}

REAL_INLINE link_t stout_move(const real x[ALGEBRA_REALS], link_t u) { return link_clean(link_mul(link_exp(x), u)); }

/* The U with exp(X(U)) U = v, by U <- exp(-X(U)) v, which brings links nearer by a factor of at most
 * FLOW_MASKED_STOUT_BOUND each time.  A lane that has converged stands still, so that none depends on its neighbours. */
REAL_INLINE link_t stout_unmove(const masked_stout_args *k, matrix_t staples, link_t v, int64_t site, int lane)
{
#ifdef REAL_FLOAT
    const scalar tolerance = 2e-6f;
#else
    const scalar tolerance = 1e-14;
#endif
    link_t u = v;
    truth open = real_less(real_of(0), real_of(1));
    for (int i = 0; i < FLOW_MASKED_STOUT_ITERATIONS && truth_any(open); i++) {
        real x[ALGEBRA_REALS];
        stout_step(link_matrix_mul(u, staples), x);
        for (int a = 0; a < ALGEBRA_REALS; a++) x[a] = -x[a];
        link_t next = stout_move(x, v);
        real distance = matrix_square_distance(link_matrix(next), link_matrix(u));
        u = link_select(open, next, u);
        open = open & ~real_less(distance, real_of(tolerance * tolerance));
    }
    PUT_DOUBLE(k->open, 1, 0, real_select(open, real_of(1), real_of(0)));
    return u;
}

/* The link before the map, of the one after it in the field */
REAL_INLINE link_t stout_before(const masked_stout_args *k, matrix_t staples, int64_t site, int lane)
{
    return k->kept ? ELEMENT(k->kept, site) : stout_unmove(k, staples, LINK(k->u, site, k->mu), site, lane);
}

/* --------------------------------------------------------------------------------------------------------- Jacobian */

/* The block of the link is J = dexp(ad) Q, Q = C(ad^2) + S, symmetric and positive; S_ab = -h_0 delta_ab - d_abc
 * h_c is the Hessian of -Re tr W, h the Hermitian part of W, and C(z^2) = (z / 2) coth(z / 2). */
typedef struct {
    real e[3], c[4], d[4][4];
    adjoint_t ad, square[3]; /* ad; ad^2, ad^4, ad^6 */
    adjoint_t factor;        /* of Q */
    real log_det;
} stout_jacobian;

REAL_INLINE void stout_factorise(stout_jacobian *j, matrix_t w, const real x[ALGEBRA_REALS], bool differences)
{
    real h[ALGEBRA_REALS];
    adjoint_invariants(x, j->e);
    adjoint_series(j->e, j->c, differences ? j->d : NULL);
    adjoint_of(x, &j->ad);
    adjoint_mul(&j->ad, &j->ad, &j->square[0]);
    adjoint_mul(&j->square[0], &j->square[0], &j->square[1]);
    adjoint_mul(&j->square[1], &j->square[0], &j->square[2]);
    adjoint_number(j->c[0] - matrix_trace(w), &j->factor);
    for (int i = 0; i < 3; i++) adjoint_add(&j->factor, j->c[i + 1], &j->square[i]);
    matrix_hermitian(w, h);
    adjoint_add_symmetric(&j->factor, -1, h);
    j->log_det = adjoint_log_det_dexp(j->e) + real_log(adjoint_factor(&j->factor));
}

/* An active link before the map, and what follows from it; after: the field has the link after the map. */
typedef struct {
    stout_staples s;
    link_t u;
    matrix_t w; /* U A */
    real x[ALGEBRA_REALS];
    stout_jacobian j;
} stout_active;

REAL_INLINE void stout_active_at(const masked_stout_args *k, int64_t site, int lane, bool after, bool differences,
                                 stout_active *m)
{
    m->s = stout_staples_at(k, site, lane);
    m->u = after ? stout_before(k, m->s.sum, site, lane) : LINK(k->u, site, k->mu);
    m->w = link_matrix_mul(m->u, m->s.sum);
    stout_step(m->w, m->x);
    stout_factorise(&m->j, m->w, m->x, differences);
}

/* d log det = x_bar_a dx_a + Re tr(V dH), H the Hermitian part of W; returns V.  With G = Q^-1: tr(G dC(ad^2)) =
 * tr(Z d(ad^2)), Z = sum_jk d_jk ad^2j G ad^2k, and log det dexp adds tr(E ad d(ad)), E(t) = (C(t) - 1) / t = sum_k
 * d_0k t^k: together tr((ad Y + Y ad) d(ad)), Y = Z + E / 2. */
REAL_INLINE matrix_t stout_log_det_gradient(const stout_jacobian *j, real x_bar[ALGEBRA_REALS])
{
    adjoint_t right[4], row, y;
    real trace = real_of(0), h_bar[ALGEBRA_REALS];
    adjoint_inverse(&j->factor, &right[0]);
    adjoint_number((scalar)0.5 * j->d[0][0], &y);
    for (int a = 0; a < ALGEBRA_REALS; a++) trace = trace + right[0].a[a][a];
    for (int i = 0; i < 3; i++) {
        adjoint_mul(&right[0], &j->square[i], &right[i + 1]);
        adjoint_add(&y, (scalar)0.5 * j->d[0][i + 1], &j->square[i]);
    }
    for (int l = 0; l < 4; l++) adjoint_add(&y, j->d[0][l], &right[l]);
    for (int i = 1; i < 4; i++) {
        adjoint_t sum;
        adjoint_number(real_of(0), &sum);
        for (int l = 0; l < 4; l++) adjoint_add(&sum, j->d[i][l], &right[l]);
        adjoint_mul(&j->square[i - 1], &sum, &row);
        adjoint_add(&y, real_of(1), &row);
    }
    adjoint_mul(&j->ad, &y, &row); /* Y ad is minus its transpose, and gives the same again */
    adjoint_of_gradient(&row, 2, x_bar);
    adjoint_symmetric_gradient(&right[0], -1, h_bar);
    return matrix_add(hermitian_matrix(h_bar), matrix_scale((scalar)(-1.0 / GROUP_N) * trace, link_matrix(link_one())));
}

/* ------------------------------------------------------------------------------------------------- forward, inverse */

/* For costs: the staples, W and X; the Jacobian; its derivatives; the way of a cotangent through W */
REAL_INLINE int stout_staple_flops(const masked_stout_args *k)
{
    int sum = 0;
    for (int i = 0; i < k->l.kinds; i++)
        sum += k->l.count[i] *
               ((k->l.kind[i] == FLOW_MASKED_STOUT_PLAQUETTE ? 2 : 4) * PRODUCT_FLOPS + MATRIX_FLOPS + ADD_FLOPS);
    return sum + PRODUCT_FLOPS + GENERATORS_FLOPS + ALGEBRA_REALS;
}
REAL_INLINE int stout_read(const masked_stout_args *k)
{
    int links = 2;
    for (int i = 0; i < k->l.kinds; i++)
        links += (k->t.dim - 1) * (k->l.kind[i] == FLOW_MASKED_STOUT_PLAQUETTE ? 6 : 18);
    return links * LINK_REALS;
}
enum {
    STOUT_MOVE_FLOPS = EXP_FLOPS + PRODUCT_FLOPS + CLEAN_FLOPS,
    STOUT_JACOBIAN_FLOPS = ADJOINT_INVARIANTS_FLOPS + ADJOINT_SERIES_FLOPS + 4 * ADJOINT_FLOPS,
    STOUT_GRADIENT_FLOPS = ADJOINT_DIFFERENCES_FLOPS + 10 * ADJOINT_FLOPS,
    STOUT_PULL_FLOPS = (int)ADJOINT_ORDERS * ADJOINT_APPLY_FLOPS + PRODUCT_FLOPS,
};

REAL_INLINE void stout_advance(const masked_stout_args *k, int64_t site, int lane, const stout_active *m)
{
    ADD_DOUBLE(k->density, 1, 0, m->j.log_det);
    if (k->kept) PUT_ELEMENT(k->kept, m->u);
    PUT_LINK(k->u, k->mu, stout_move(m->x, m->u));
}

KERNEL(masked_stout_forward)
{
    stout_active m;
    stout_active_at(k, site, lane, false, false, &m);
    stout_advance(k, site, lane, &m);
}
COST(masked_stout_forward, stout_staple_flops(k) + STOUT_JACOBIAN_FLOPS + STOUT_MOVE_FLOPS,
     stout_read(k) + (k->kept ? LINK_REALS : 0), 2)

KERNEL(masked_stout_inverse)
{
    stout_active m;
    stout_active_at(k, site, lane, true, false, &m);
    ADD_DOUBLE(k->density, 1, 0, m.j.log_det);
    PUT_LINK(k->u, k->mu, m.u);
}
/* Of one step of its iteration */
COST(masked_stout_inverse, stout_staple_flops(k) + STOUT_JACOBIAN_FLOPS + STOUT_MOVE_FLOPS, stout_read(k), 3)

/* ------------------------------------------------------------------------------------------------------ derivatives */

REAL_INLINE void stout_get_cotangent(const masked_stout_args *k, int64_t site, int lane, real out[ALGEBRA_REALS])
{
    for (int a = 0; a < ALGEBRA_REALS; a++)
        out[a] = GET(k->cotangent, k->t.dim * ALGEBRA_REALS, k->mu * ALGEBRA_REALS + a);
}
REAL_INLINE void stout_put_cotangent(const masked_stout_args *k, int64_t site, int lane, const real in[ALGEBRA_REALS])
{
    for (int a = 0; a < ALGEBRA_REALS; a++)
        PUT(k->cotangent, k->t.dim * ALGEBRA_REALS, k->mu * ALGEBRA_REALS + a, in[a]);
}

/* With the cotangent g of U' and d log det = x_bar dx + Re tr(V dH), weighted: the cotangent of W, as Re tr(. dW) */
REAL_INLINE matrix_t stout_w_cotangent(const stout_jacobian *j, const real g[ALGEBRA_REALS], real weight,
                                       const real x_bar[ALGEBRA_REALS], matrix_t v)
{
    real sum[ALGEBRA_REALS];
    adjoint_dexp_transposed(&j->ad, ADJOINT_ORDERS, g, sum);
    for (int a = 0; a < ALGEBRA_REALS; a++) sum[a] = FLOW_WEIGHT * (sum[a] + weight * x_bar[a]);
    return matrix_add(algebra_matrix(sum), matrix_scale(weight, v));
}

/* N = W_bar U */
REAL_INLINE void stout_put_insertion(const masked_stout_args *k, int64_t site, int lane, matrix_t n)
{
    matrix_store((scalar *)k->insertion + site * MATRIX_REALS * k->t.lanes + lane, k->t.lanes, n);
}

KERNEL(masked_stout_backward)
{
    real g[ALGEBRA_REALS], x_bar[ALGEBRA_REALS], direct[ALGEBRA_REALS], through[ALGEBRA_REALS], weight;
    stout_active m;
    stout_active_at(k, site, lane, true, true, &m);
    matrix_t v = stout_log_det_gradient(&m.j, x_bar);
    stout_get_cotangent(k, site, lane, g);
    for (int l = 0; l < REAL_LANES; l++) real_set_lane(&weight, l, (scalar)k->weight[lane + l]);
    matrix_t w_bar = stout_w_cotangent(&m.j, g, weight, x_bar, v), n = matrix_link_mul(w_bar, m.u);
    link_rotate_back(link_exp(m.x), g, direct);
    matrix_generators(matrix_mul(m.w, w_bar), through);
    for (int a = 0; a < ALGEBRA_REALS; a++) direct[a] = direct[a] + through[a];
    PUT_LINK(k->u, k->mu, m.u);
    stout_put_cotangent(k, site, lane, direct);
    stout_put_insertion(k, site, lane, n);
    if (!k->slope[0]) return;
    real c_bar[FLOW_MASKED_STOUT_LOOPS];
    for (int i = 0; i < k->l.kinds; i++) c_bar[i] = GROUP_N * matrix_trace(matrix_mul(n, m.s.staple[i]));
    stout_put_slopes(k, site, lane, c_bar);
}
COST(masked_stout_backward,
     stout_staple_flops(k) + STOUT_JACOBIAN_FLOPS + STOUT_GRADIENT_FLOPS + STOUT_PULL_FLOPS + PRODUCT_FLOPS +
         EXP_FLOPS + ROTATE_FLOPS,
     stout_read(k) + LINK_REALS + MATRIX_REALS + 2 * ALGEBRA_REALS, k->slope[0] ? k->l.kinds : 0)

/* J^-T = dexp^-T Q^-1, dexp^-T = C + ad / 2 */
REAL_INLINE void stout_transport(const stout_jacobian *j, real g[ALGEBRA_REALS])
{
    real zero[ALGEBRA_REALS], sum[ALGEBRA_REALS];
    adjoint_solve(&j->factor, g);
    for (int a = 0; a < ALGEBRA_REALS; a++) zero[a] = real_of(0);
    adjoint_apply(&j->ad, g, real_of((scalar)0.5), zero, sum);
    for (int a = 0; a < ALGEBRA_REALS; a++) sum[a] = sum[a] + j->c[0] * g[a];
    for (int i = 0; i < 3; i++) adjoint_apply(&j->square[i], g, j->c[i + 1], sum, sum);
    for (int a = 0; a < ALGEBRA_REALS; a++) g[a] = sum[a];
}

/* c = J^-T (g - d log det); all links but the active one lose what backward would add for (c, w = 1). */
KERNEL(masked_stout_push)
{
    real g[ALGEBRA_REALS], x_bar[ALGEBRA_REALS], own[ALGEBRA_REALS], zero[ALGEBRA_REALS];
    stout_active m;
    stout_active_at(k, site, lane, false, true, &m);
    stout_advance(k, site, lane, &m);
    matrix_t v = stout_log_det_gradient(&m.j, x_bar);
    for (int a = 0; a < ALGEBRA_REALS; a++) zero[a] = real_of(0);
    matrix_generators(matrix_mul(m.w, stout_w_cotangent(&m.j, zero, real_of(1), x_bar, v)), own);
    stout_get_cotangent(k, site, lane, g);
    for (int a = 0; a < ALGEBRA_REALS; a++) g[a] = g[a] - own[a];
    stout_transport(&m.j, g);
    stout_put_cotangent(k, site, lane, g);
    stout_put_insertion(k, site, lane, matrix_link_mul(stout_w_cotangent(&m.j, g, real_of(1), x_bar, v), m.u));
}
COST(masked_stout_push,
     stout_staple_flops(k) + STOUT_JACOBIAN_FLOPS + STOUT_GRADIENT_FLOPS + STOUT_MOVE_FLOPS + 2 * STOUT_PULL_FLOPS +
         6 * ADJOINT_APPLY_FLOPS,
     stout_read(k) + (k->kept ? LINK_REALS : 0) + MATRIX_REALS + 2 * ALGEBRA_REALS, 2)

/* Which step of a loop from a site of this phase goes along the active link; -1: none.  There are no two. */
REAL_INLINE int stout_active_step(const masked_stout_gather_args *k, const int *step, int steps)
{
    int phase = k->phase + 2 * STOUT_STEPS * k->period;
    for (int i = 0; i < steps; i++) {
        int mu = step[i] > 0 ? step[i] - 1 : -step[i] - 1;
        if (step[i] < 0) phase -= k->step[mu];
        if (mu == k->mu && phase % k->period == 0) return i;
        if (step[i] > 0) phase += k->step[mu];
    }
    return -1;
}

REAL_INLINE int64_t stout_next_site(const lat_tables *t, int64_t site, int step)
{
    bool up = step > 0;
    int mu = up ? step - 1 : -step - 1;
    return up ? t->up[mu][site] : t->down[mu][site];
}

/* The product around a loop, with the insertion in place of the link of step `active` */
REAL_INLINE matrix_t stout_loop(const masked_stout_gather_args *k, int64_t site, int lane, const int *step, int steps,
                                int active)
{
    const lat_tables *t = &k->t;
    int64_t x = site;
    for (int i = 0; i < active; i++) x = stout_next_site(t, x, step[i]);
    link_t before = path_at(t, k->u, site, lane, step, active);
    bool up = step[active] > 0;
    int64_t at = up ? x : t->down[k->mu][x], after = up ? t->up[k->mu][x] : at;
    matrix_t n = matrix_load((const scalar *)k->insertion + at * MATRIX_REALS * t->lanes + lane, t->lanes);
    n = link_matrix_mul(before, up ? n : matrix_dagger(n));
    if (active + 1 == steps) return n;
    return matrix_link_mul(n, path_at(t, k->u, after, lane, step + active + 1, steps - active - 1));
}

REAL_INLINE void stout_gather_kind(const masked_stout_gather_args *k, int i, int64_t site, int lane, int nu,
                                   real sum[ALGEBRA_REALS])
{
    const scalar c = (scalar)k->scale * stout_coefficient(&k->l, i);
    for (int side = 0; side < 2 * k->t.dim; side++) {
        int path[STOUT_PATHS][STOUT_STEPS], steps;
        if (side / 2 == nu) continue;
        const int paths = stout_paths(k->l.kind[i], nu + 1, stout_side(side), path, &steps);
        for (int p = 0; p < paths; p++) {
            real part[ALGEBRA_REALS];
            int active = stout_active_step(k, path[p], steps);
            if (active < 0) continue;
            matrix_generators(stout_loop(k, site, lane, path[p], steps, active), part);
            for (int a = 0; a < ALGEBRA_REALS; a++) sum[a] = sum[a] + c * part[a];
        }
    }
}

KERNEL(masked_stout_gather)
{
    for (int nu = 0; nu < k->t.dim; nu++) {
        real sum[ALGEBRA_REALS];
        if (nu == k->mu && k->phase == 0) continue;
        for (int a = 0; a < ALGEBRA_REALS; a++)
            sum[a] = GET(k->cotangent, k->t.dim * ALGEBRA_REALS, nu * ALGEBRA_REALS + a);
        for (int i = 0; i < k->l.kinds; i++) stout_gather_kind(k, i, site, lane, nu, sum);
        for (int a = 0; a < ALGEBRA_REALS; a++)
            PUT(k->cotangent, k->t.dim * ALGEBRA_REALS, nu * ALGEBRA_REALS + a, sum[a]);
    }
}
/* Each loop of the kinds that has an active link, of every other of its links: as many to a site as an active link
 * has, times what part of the sites it is.  In the mean over phases. */
REAL_INLINE double stout_gather_flops(const masked_stout_gather_args *k)
{
    double sum = 0;
    for (int i = 0; i < k->l.kinds; i++) {
        const int links = k->l.kind[i] == FLOW_MASKED_STOUT_PLAQUETTE ? 4 : 6;
        sum += k->l.count[i] * (links - 1) * ((links - 1) * PRODUCT_FLOPS + GENERATORS_FLOPS + 2 * ALGEBRA_REALS);
    }
    return sum / k->period;
}
COST(masked_stout_gather, stout_gather_flops(k), k->t.dim *(LINK_REALS + 2 * ALGEBRA_REALS) + MATRIX_REALS, 0)
