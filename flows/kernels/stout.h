/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stout.h: kernels of stout layers for SU(2) and SU(3): steps one after another on the active links, their inverse, reverse mode and
 * push.  Definitions: stout_kernels.h, stout_step.h.
 */
#include "lattice/kernels/kernel.h"
#include "flows/kernels/stout_kernels.h"
#include "flows/kernels/stout_step.h"

#include <string.h>

/* For costs */
enum {
    REGION_FLOPS = 7 * PRODUCT_FLOPS + 4 * CLEAN_FLOPS + TRACE_FLOPS,
    STEP_FLOPS = 5 * PRODUCT_FLOPS + 12 * ADD_FLOPS + EXP_FLOPS + CLEAN_FLOPS,
    JACOBIAN_FLOPS = (ADJOINT_POWERS + 1) * ADJOINT_FLOPS + 2 * ALGEBRA_REALS * (PRODUCT_FLOPS + ADD_FLOPS),
    NEWTON_FLOPS = 3 * PRODUCT_FLOPS + EXP_FLOPS + CLEAN_FLOPS + 12 * ALGEBRA_REALS * ALGEBRA_REALS,
    NEWTON_STEPS = 5, /* most often */
    PULL_FLOPS = JACOBIAN_FLOPS + 6 * ADJOINT_FLOPS + (4 * ALGEBRA_REALS + 20) * PRODUCT_FLOPS,
};

/* ------------------------------------------------------------------------------------------------- links and loops */

REAL_INLINE link_t link_at(const lat_tables *t, const void *u, int64_t x, int lane, int mu)
{
    return link_load((const scalar *)u + (x * t->dim + mu) * LINK_REALS * t->lanes + lane, t->lanes);
}

REAL_INLINE void put_link(const lat_tables *t, void *field, int64_t at, int lane, link_t link)
{
    link_store((scalar *)field + at * LINK_REALS * t->lanes + lane, t->lanes, link);
}

/* The way back along S_1^+, from x to x + mu: it is U_nu(x) U_mu(x+nu) U_nu(x+mu)^+ */
REAL_INLINE link_t upper_staple(const lat_tables *t, const void *u, int64_t x, int lane, int mu, int nu)
{
    link_t first = link_mul(link_at(t, u, x, lane, nu), link_at(t, u, t->up[nu][x], lane, mu));
    return link_mul_dagger(first, link_at(t, u, t->up[mu][x], lane, nu));
}

/* S_2^+ = U_nu(x-nu)^+ U_mu(x-nu) U_nu(x-nu+mu) */
REAL_INLINE link_t lower_staple(const lat_tables *t, const void *u, int64_t x, int lane, int mu, int nu)
{
    int64_t below = t->down[nu][x];
    link_t first = link_dagger_mul(link_at(t, u, below, lane, nu), link_at(t, u, below, lane, mu));
    return link_mul(first, link_at(t, u, t->up[mu][below], lane, nu));
}

/* Around an active link: the way S_1^+ and the loop C = S_2^+ S_1. */
typedef struct {
    link_t upper, c;
    real trace; /* Re tr C / N */
} region_t;

REAL_INLINE region_t region_of(const stout_args *k, int64_t site, int lane)
{
    region_t r = {.upper = link_clean(upper_staple(&k->t, k->u, site, lane, k->mu, k->nu))};
    real imaginary;
    r.c = link_clean(link_mul_dagger(lower_staple(&k->t, k->u, site, lane, k->mu, k->nu), r.upper));
    link_trace(r.c, &r.trace, &imaginary);
    return r;
}

REAL_INLINE link_t loop_of(const stout_args *k, const region_t *r, int64_t site, int lane)
{
    return link_clean(link_mul_dagger(link_at(&k->t, k->u, site, lane, k->mu), r->upper));
}

REAL_INLINE void set_link_of_loop(const stout_args *k, const region_t *r, int64_t site, int lane, link_t p)
{
    put_link(&k->t, k->u, site * k->t.dim + k->mu, lane, link_clean(link_mul(p, r->upper)));
}

/* ------------------------------------------------------------------------------------------------------------ steps */

REAL_INLINE words_t words_at(const stout_args *k, int step, real trace)
{
    words_t words;
    for (int w = 0; w < STOUT_ALL_WORDS; w++) {
        words.c[w] = real_of(0);
        const double *coefficient = k->parameters + (step * STOUT_WORDS + w) * (k->degree + 1);
        for (int d = k->degree; d >= 0 && w < STOUT_WORDS; d--)
            words.c[w] = trace * words.c[w] + (scalar)coefficient[d];
    }
    return words;
}

REAL_INLINE stout_t step_at(const stout_args *k, const region_t *r, int step, link_t p)
{
    return stout_of(p, r->c, words_at(k, step, r->trace));
}

/* P after each of the steps, the first being where they begin. */
REAL_INLINE void map_loop(const stout_args *k, const region_t *r, link_t p[STOUT_MAX_STEPS + 1])
{
    for (int n = 0; n < k->steps; n++) {
        stout_t s = step_at(k, r, n, p[n]);
        p[n + 1] = stout_image(&s);
    }
}

/* A point of Newton's iteration for e^X P = P': the components of X' in P' = e^X e^X' P, and their square. */
REAL_INLINE void miss_of(const stout_t *s, link_t image, real out[ALGEBRA_REALS], real *square)
{
    link_t e = link_exp(s->x);
    matrix_generators(link_mul_dagger(link_dagger_mul(e, image), s->p), out);
    *square = real_of(0);
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        out[a] = -2 * out[a];
        *square = *square + out[a] * out[a];
    }
}

/* The way to the next point: K tau = X', K = phi S.  Where S is not positive, X' itself; at most 1 long. */
REAL_INLINE void newton_way(const stout_jacobian_t *j, real way[ALGEBRA_REALS])
{
    real newton[ALGEBRA_REALS], square = real_of(0);
    truth good = real_less(j->log_det, real_of((scalar)1e30)); /* no NaN */
    for (int a = 0; a < ALGEBRA_REALS; a++) newton[a] = way[a];
    even_inverse_phi(&j->even, 1, newton);
    adjoint_solve(&j->s, newton);
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        way[a] = real_select(good, newton[a], way[a]);
        square = square + way[a] * way[a];
    }
    real shorten = real_select(real_less(real_of(1), square), 1 / real_sqrt(square), real_of(1));
    for (int a = 0; a < ALGEBRA_REALS; a++) way[a] = shorten * way[a];
}

/* Where a step's inverse is sought, of each lane. */
typedef struct {
    link_t at; /* the nearest point so far */
    real best, log_det, way[ALGEBRA_REALS],
        length; /* the square of its miss, log det there, the way from it and how much of it is tried */
    truth done;
} search_t;

REAL_INLINE search_t search_from(link_t image, truth idle)
{
    search_t f = {
        .at = image, .best = real_of((scalar)1e30), .log_det = real_of(0), .length = real_of(1), .done = idle};
    for (int a = 0; a < ALGEBRA_REALS; a++) f.way[a] = real_of(0);
    return f;
}

REAL_INLINE link_t search_next(const search_t *f)
{
    real turn[ALGEBRA_REALS];
    for (int a = 0; a < ALGEBRA_REALS; a++) turn[a] = f->length * f->way[a];
    return link_clean(link_mul(link_exp(turn), f->at));
}

REAL_INLINE void search_judge(search_t *f, const stout_t *s, link_t image)
{
#ifdef REAL_FLOAT
    const scalar near = 1e-11f; /* squares: of a miss that one more step of Newton takes to rounding */
#else
    const scalar near = 1e-24;
#endif
    stout_jacobian_t j;
    real miss[ALGEBRA_REALS], square;
    stout_jacobian(s, &j);
    miss_of(s, image, miss, &square);
    newton_way(&j, miss);
    truth nearer = real_less(square, f->best) & ~f->done;
    f->at = link_select(nearer, s->p, f->at);
    f->best = real_select(nearer, square, f->best);
    f->log_det = real_select(nearer, j.log_det, f->log_det);
    f->length = real_select(nearer, real_of(1), (scalar)0.5 * f->length);
    for (int a = 0; a < ALGEBRA_REALS; a++) f->way[a] = real_select(nearer, miss[a], f->way[a]);
    f->done = f->done | (nearer & real_less(square, real_of(near)));
}

/* The P that a step maps to the image, by Newton's method from there; steps are halved while they lead away.  Each lane goes its own way
 * and stops by itself.  *log_det += that of the step; *missed: where there is no end of it. */
REAL_INLINE link_t unmap_step(const stout_args *k, const region_t *r, int step, link_t image, truth idle, real *log_det,
                              truth *missed)
{
    enum { MOST = 60 };
    search_t f = search_from(image, idle);
    for (int i = 0; i < MOST && truth_any(~f.done); i++) {
        stout_t s = step_at(k, r, step, search_next(&f));
        search_judge(&f, &s, image);
    }
    *missed = *missed | ~f.done;
    *log_det = *log_det + f.log_det;
    f.length = real_select(f.done, real_of(1), real_of(0));
    return search_next(&f);
}

REAL_INLINE truth idle_lanes(const stout_args *k, int lane)
{
    real idle = real_of(0);
    for (int l = 0; l < REAL_LANES; l++) real_set_lane(&idle, l, k->t.lane_member[lane + l] < k->members ? 0 : 1);
    return real_less(real_of(0), idle);
}

/* From the image to where the steps begin, p[steps] to p[0]. */
REAL_INLINE real unmap_loop(const stout_args *k, const region_t *r, link_t p[STOUT_MAX_STEPS + 1], int lane)
{
    real log_det = real_of(0);
    truth idle = idle_lanes(k, lane), missed = real_less(real_of(0), real_of(0));
    for (int n = k->steps - 1; n >= 0; n--) p[n] = unmap_step(k, r, n, p[n + 1], idle, &log_det, &missed);
    real open = real_select(missed, real_of(1), real_of(0));
    int64_t count = 0;
    for (int l = 0; l < REAL_LANES; l++) count += real_lane(open, l) > 0;
    if (count) add_to_sum(k->unsolved, count);
    return log_det;
}

KERNEL(stout_forward)
{
    region_t r = region_of(k, site, lane);
    link_t p = loop_of(k, &r, site, lane);
    real log_det = real_of(0);
    if (k->before) put_link(&k->t, k->before, site, lane, link_at(&k->t, k->u, site, lane, k->mu));
    for (int n = 0; n < k->steps; n++) {
        stout_t s = step_at(k, &r, n, p);
        stout_jacobian_t j;
        stout_jacobian(&s, &j);
        log_det = log_det + j.log_det;
        p = stout_image(&s);
    }
    set_link_of_loop(k, &r, site, lane, p);
    ADD_DOUBLE(k->density, 1, 0, log_det);
}
COST(stout_forward, REGION_FLOPS + k->steps * (STEP_FLOPS + JACOBIAN_FLOPS) + 1, (8 + (k->before != NULL)) * LINK_REALS,
     2)

KERNEL(stout_inverse)
{
    region_t r = region_of(k, site, lane);
    link_t p[STOUT_MAX_STEPS + 1];
    p[k->steps] = loop_of(k, &r, site, lane);
    real log_det = unmap_loop(k, &r, p, lane);
    set_link_of_loop(k, &r, site, lane, p[0]);
    ADD_DOUBLE(k->density, 1, 0, log_det);
}
COST(stout_inverse, REGION_FLOPS + k->steps * NEWTON_STEPS * (STEP_FLOPS + JACOBIAN_FLOPS + NEWTON_FLOPS) + 1,
     8 * LINK_REALS, 2)

/* ------------------------------------------------------------------------------------------------------ reverse mode */

/* d L / d C += what the coefficients say of Re tr C */
REAL_INLINE void pull_coefficients(const stout_args *k, const region_t *r, int step, const real w_bar[STOUT_ALL_WORDS],
                                   real *trace_bar, scalar *parameter_bar)
{
    for (int w = 0; w < STOUT_WORDS; w++) {
        const int first = (step * STOUT_WORDS + w) * (k->degree + 1);
        real power = real_of(1);
        for (int d = 0; d <= k->degree; d++) {
            if (parameter_bar) real_store(parameter_bar + (first + d) * k->t.lanes, power * w_bar[w]);
            if (d < k->degree)
                *trace_bar = *trace_bar + (scalar)((d + 1) * k->parameters[first + d + 1]) * power * w_bar[w];
            power = power * r->trace;
        }
    }
}

/* bar: the left derivative of L at the image of P on entry, that of L + weight log det at P in the end; c_bar: that with respect to C. */
REAL_INLINE void pull_loop(const stout_args *k, const region_t *r, const link_t p[STOUT_MAX_STEPS + 1], real weight,
                           real bar[ALGEBRA_REALS], real c_bar[ALGEBRA_REALS], scalar *parameter_bar)
{
    real trace_bar = real_of(0), turned[ALGEBRA_REALS];
    for (int a = 0; a < ALGEBRA_REALS; a++) c_bar[a] = real_of(0);
    for (int n = k->steps - 1; n >= 0; n--) {
        real p_bar[ALGEBRA_REALS], q_bar[ALGEBRA_REALS], w_bar[STOUT_ALL_WORDS];
        stout_t s = step_at(k, r, n, p[n]);
        stout_pull(&s, weight, bar, p_bar, q_bar, w_bar);
        pull_coefficients(k, r, n, w_bar, &trace_bar, parameter_bar);
        link_rotate_back(s.q, q_bar, turned); /* Q = P C^+ */
        for (int a = 0; a < ALGEBRA_REALS; a++) {
            bar[a] = p_bar[a];
            c_bar[a] = c_bar[a] - turned[a];
        }
    }
    matrix_generators(link_matrix(r->c), turned);
    for (int a = 0; a < ALGEBRA_REALS; a++) c_bar[a] = c_bar[a] + (scalar)(1.0 / GROUP_N) * trace_bar * turned[a];
}

/* Those of the staples: P = U S_1 and C move with S_1, C with S_2, and U' = P' S_1^+. */
REAL_INLINE void put_staple_cotangents(const stout_args *k, const region_t *r, int64_t site, int lane, link_t p,
                                       const real p_bar[ALGEBRA_REALS], link_t image,
                                       const real image_bar[ALGEBRA_REALS], const real c_bar[ALGEBRA_REALS])
{
    real of_p[ALGEBRA_REALS], of_image[ALGEBRA_REALS], of_c[ALGEBRA_REALS];
    link_rotate_back(p, p_bar, of_p);
    link_rotate_back(image, image_bar, of_image);
    link_rotate_back(r->c, c_bar, of_c);
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        PUT(k->staple_cotangent, 2 * ALGEBRA_REALS, a, of_p[a] - of_image[a] + of_c[a]);
        PUT(k->staple_cotangent, 2 * ALGEBRA_REALS, ALGEBRA_REALS + a, -c_bar[a]);
    }
}

REAL_INLINE void get_cotangent(const stout_args *k, int64_t site, int lane, real bar[ALGEBRA_REALS])
{
    for (int a = 0; a < ALGEBRA_REALS; a++)
        bar[a] = GET(k->cotangent, k->t.dim * ALGEBRA_REALS, k->mu * ALGEBRA_REALS + a);
}

REAL_INLINE void put_cotangent(const stout_args *k, int64_t site, int lane, const real bar[ALGEBRA_REALS])
{
    for (int a = 0; a < ALGEBRA_REALS; a++)
        PUT(k->cotangent, k->t.dim * ALGEBRA_REALS, k->mu * ALGEBRA_REALS + a, bar[a]);
}

KERNEL(stout_backward)
{
    region_t r = region_of(k, site, lane);
    link_t p[STOUT_MAX_STEPS + 1];
    real bar[ALGEBRA_REALS], image_bar[ALGEBRA_REALS], c_bar[ALGEBRA_REALS], weight;
    if (k->before) {
        p[0] = link_clean(
            link_mul_dagger(link_load(AT((const scalar *)k->before, LINK_REALS, site, 0), k->t.lanes), r.upper));
        map_loop(k, &r, p);
    } else {
        p[k->steps] = loop_of(k, &r, site, lane);
        unmap_loop(k, &r, p, lane);
    }
    for (int l = 0; l < REAL_LANES; l++) real_set_lane(&weight, l, (scalar)k->weight[lane + l]);
    get_cotangent(k, site, lane, image_bar);
    for (int a = 0; a < ALGEBRA_REALS; a++) bar[a] = image_bar[a];
    const int parameters = k->steps * STOUT_WORDS * (k->degree + 1);
    pull_loop(k, &r, p, weight, bar, c_bar, AT((scalar *)k->parameter_cotangent, parameters, site, 0));
    put_staple_cotangents(k, &r, site, lane, p[0], bar, p[k->steps], image_bar, c_bar);
    put_cotangent(k, site, lane, bar);
    set_link_of_loop(k, &r, site, lane, p[0]);
}
COST(stout_backward, REGION_FLOPS + k->steps * (STEP_FLOPS + PULL_FLOPS) + 3 * ROTATE_FLOPS,
     9 * LINK_REALS + 4 * ALGEBRA_REALS + k->steps * STOUT_WORDS * (k->degree + 1), 0)

/* J^-T (g - d log det) for the loop, step by step: J^-T = Ad(e^X) phi(-ad_X)^-1 S^-1.  All others lose what backward would add. */
REAL_INLINE real push_loop(const stout_args *k, const region_t *r, link_t p[STOUT_MAX_STEPS + 1],
                           real bar[ALGEBRA_REALS])
{
    real log_det = real_of(0), none[ALGEBRA_REALS];
    for (int a = 0; a < ALGEBRA_REALS; a++) none[a] = real_of(0);
    for (int n = 0; n < k->steps; n++) {
        stout_t s = step_at(k, r, n, p[n]);
        stout_jacobian_t j;
        real slope[ALGEBRA_REALS], q_bar[ALGEBRA_REALS], w_bar[STOUT_ALL_WORDS];
        stout_pull(&s, real_of(1), none, slope, q_bar, w_bar);
        stout_jacobian(&s, &j);
        for (int a = 0; a < ALGEBRA_REALS; a++) bar[a] = bar[a] - slope[a];
        adjoint_solve(&j.s, bar);
        even_inverse_phi(&j.even, -1, bar);
        link_rotate(link_exp(s.x), bar, slope);
        for (int a = 0; a < ALGEBRA_REALS; a++) bar[a] = slope[a];
        log_det = log_det + j.log_det;
        p[n + 1] = stout_image(&s);
    }
    return log_det;
}

KERNEL(stout_push)
{
    region_t r = region_of(k, site, lane);
    link_t p[STOUT_MAX_STEPS + 1];
    real start[ALGEBRA_REALS], image[ALGEBRA_REALS], bar[ALGEBRA_REALS], c_bar[ALGEBRA_REALS];
    p[0] = loop_of(k, &r, site, lane);
    if (k->before) put_link(&k->t, k->before, site, lane, link_at(&k->t, k->u, site, lane, k->mu));
    get_cotangent(k, site, lane, start);
    for (int a = 0; a < ALGEBRA_REALS; a++) image[a] = start[a];
    real log_det = push_loop(k, &r, p, image);
    for (int a = 0; a < ALGEBRA_REALS; a++) bar[a] = image[a];
    pull_loop(k, &r, p, real_of(1), bar, c_bar, NULL);
    put_staple_cotangents(k, &r, site, lane, p[0], start, p[k->steps], image, c_bar);
    put_cotangent(k, site, lane, image);
    set_link_of_loop(k, &r, site, lane, p[k->steps]);
    ADD_DOUBLE(k->density, 1, 0, log_det);
}
COST(stout_push, REGION_FLOPS + k->steps * (STEP_FLOPS + JACOBIAN_FLOPS + 2 * PULL_FLOPS) + 3 * ROTATE_FLOPS,
     (8 + (k->before != NULL)) * LINK_REALS + 4 * ALGEBRA_REALS, 2)

/* ---------------------------------------------------------------------------------------------------------- gathers */

REAL_INLINE void get_staple_cotangent(const gather_staples_args *k, int64_t x, int lane, int which,
                                      real out[ALGEBRA_REALS])
{
    for (int a = 0; a < ALGEBRA_REALS; a++)
        out[a] = GET_AT(k->staple_cotangent, 2 * ALGEBRA_REALS, x, which * ALGEBRA_REALS + a);
}

REAL_INLINE void add_cotangent(const gather_staples_args *k, int64_t site, int lane, int mu,
                               const real add[ALGEBRA_REALS], scalar sign)
{
    for (int a = 0; a < ALGEBRA_REALS; a++) {
        const int c = mu * ALGEBRA_REALS + a;
        PUT(k->cotangent, k->t.dim * ALGEBRA_REALS, c,
            GET(k->cotangent, k->t.dim * ALGEBRA_REALS, c) + sign * (scalar)k->scale * add[a]);
    }
}

/* U_nu(x) begins the way S_1^+ of x, and ends that of x - mu. */
KERNEL(gather_active)
{
    real here[ALGEBRA_REALS], turned[ALGEBRA_REALS];
    int64_t back = k->t.down[k->mu][site];
    get_staple_cotangent(k, site, lane, 0, here);
    add_cotangent(k, site, lane, k->nu, here, -1);
    get_staple_cotangent(k, back, lane, 0, here);
    link_rotate_back(upper_staple(&k->t, k->u, back, lane, k->mu, k->nu), here, turned);
    add_cotangent(k, site, lane, k->nu, turned, 1);
}
COST(gather_active, 2 * PRODUCT_FLOPS + ROTATE_FLOPS + 4 * ALGEBRA_REALS, 3 * LINK_REALS + 4 * ALGEBRA_REALS, 0)

/* U_mu(x) is in S_1 of x - nu and in S_2 of x + nu; U_nu(x) begins S_2^+ of x + nu, backwards, and ends that of x + nu - mu. */
KERNEL(gather_frozen)
{
    real here[ALGEBRA_REALS], turned[ALGEBRA_REALS];
    int64_t back = k->t.down[k->mu][site], above = k->t.up[k->nu][site], below = k->t.down[k->nu][site];
    link_t side = link_at(&k->t, k->u, site, lane, k->nu);
    get_staple_cotangent(k, below, lane, 0, here);
    link_rotate_back(link_at(&k->t, k->u, below, lane, k->nu), here, turned);
    add_cotangent(k, site, lane, k->mu, turned, -1);
    get_staple_cotangent(k, above, lane, 1, here);
    link_rotate(side, here, turned);
    add_cotangent(k, site, lane, k->mu, turned, -1);
    add_cotangent(k, site, lane, k->nu, turned, 1);
    get_staple_cotangent(k, k->t.up[k->nu][back], lane, 1, here);
    link_t way = link_dagger_mul(link_at(&k->t, k->u, back, lane, k->mu), link_at(&k->t, k->u, back, lane, k->nu));
    link_rotate(way, here, turned);
    add_cotangent(k, site, lane, k->nu, turned, -1);
}
COST(gather_frozen, PRODUCT_FLOPS + 3 * ROTATE_FLOPS + 8 * ALGEBRA_REALS, 4 * LINK_REALS + 7 * ALGEBRA_REALS, 0)
