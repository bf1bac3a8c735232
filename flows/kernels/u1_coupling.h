/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * u1_coupling.h: kernels of the plaquette coupling for U(1), where everything is an angle.  Definitions: coupling_kernels.h.
 */
#include "lattice/kernels/kernel.h"
#include "lattice/group/u1.h"
#include "flows/kernels/coupling_kernels.h"
#include "flows/kernels/spline.h"
#include "flows/kernels/tangents.h"

enum { COUPLING_MAX_OUTPUTS = 3 * FLOW_MAX_KNOTS + 1 };

REAL_INLINE real angle_at(const lat_tables *t, const void *u, int64_t x, int lane, int mu)
{
    return real_load((const scalar *)u + (x * t->dim + mu) * t->lanes + lane);
}

/* Sum of the angles of `length` links along mu from x; *end is the site where they lead. */
REAL_INLINE real side_angle(const lat_tables *t, const void *u, int64_t x, int lane, int mu, int length, int64_t *end)
{
    real sum = real_of(0);
    for (int i = 0; i < length; i++, x = t->up[mu][x]) sum = sum + angle_at(t, u, x, lane, mu);
    *end = x;
    return sum;
}

REAL_INLINE int64_t step_ahead(const lat_tables *t, int64_t x, int mu, int length)
{
    for (int i = 0; i < length; i++) x = t->up[mu][x];
    return x;
}

REAL_INLINE int64_t step_back(const lat_tables *t, int64_t x, int mu, int length)
{
    for (int i = 0; i < length; i++) x = t->down[mu][x];
    return x;
}

/* The loop that is kept at the site */
REAL_INLINE real loop_angle(const lat_tables *t, const void *u, int64_t site, int lane, flow_loop loop)
{
    int64_t right, above, corner, x = step_back(t, step_back(t, site, loop.a, loop.r / 2), loop.b, loop.t / 2);
    real there = side_angle(t, u, x, lane, loop.a, loop.r, &right);
    there = there + side_angle(t, u, right, lane, loop.b, loop.t, &corner);
    real back = side_angle(t, u, x, lane, loop.b, loop.t, &above);
    back = back + side_angle(t, u, above, lane, loop.a, loop.r, &corner);
    return there - back;
}

/* Half of its angle in [-pi, pi] */
REAL_INLINE real half_loop(const lat_tables *t, const void *u, int64_t site, int lane, flow_loop loop)
{
    return (scalar)0.5 * real_wrap(loop_angle(t, u, site, lane, loop));
}

/* For costs: the sum of the angles of a loop, and half of it; the harmonics of an angle. */
REAL_INLINE int loop_flops(flow_loop loop) { return 2 * (loop.r + loop.t) - 1; }
REAL_INLINE int half_loop_flops(flow_loop loop) { return loop_flops(loop) + CLEAN_FLOPS + 1; }
REAL_INLINE int harmonic_flops(int harmonics) { return 2 + 6 * (harmonics - 1); }

/* cos h a and sin h a for h = 1, 2, ..., by rotation */
typedef struct {
    real first_cosine, first_sine, cosine, sine;
} harmonic;

REAL_INLINE harmonic first_harmonic(real angle)
{
    harmonic h;
    real_sincos(angle, &h.first_sine, &h.first_cosine);
    h.sine = h.first_sine;
    h.cosine = h.first_cosine;
    return h;
}

REAL_INLINE void next_harmonic(harmonic *h)
{
    real turned = h->cosine * h->first_cosine - h->sine * h->first_sine;
    h->sine = h->cosine * h->first_sine + h->sine * h->first_cosine;
    h->cosine = turned;
}

REAL_INLINE double loop_features_flops(const loop_features_args *k)
{
    double sum = 0;
    for (int l = 0; l < k->c.loops; l++)
        if (k->c.live & k->open & 1u << l)
            sum += (l == k->c.halved ? half_loop_flops(k->loop[l]) : loop_flops(k->loop[l])) + harmonic_flops(k->c.harmonics);
    return sum;
}

KERNEL(loop_features)
{
    int channels = k->c.channels;
    for (int l = 0, at = 0; l < k->c.loops; l++) {
        if (!(k->c.live >> l & 1)) continue;
        bool halved = l == k->c.halved, open = k->open >> l & 1;
        harmonic h = {real_of(0), real_of(0), real_of(0), real_of(0)};
        if (open) h = first_harmonic(halved ? half_loop(&k->t, k->u, site, lane, k->loop[l]) : loop_angle(&k->t, k->u, site, lane, k->loop[l]));
        for (int i = 0; i < k->c.harmonics; i++, next_harmonic(&h)) {
            PUT(k->feature, channels, at++, h.cosine);
            if (!halved) PUT(k->feature, channels, at++, h.sine);
        }
    }
}

COST(loop_features, loop_features_flops(k), k->t.dim + k->c.channels, 0)

/* The active plaquette, or its deviation from half the loop, in [-pi, pi] */
REAL_INLINE real active_plaquette(const coupling_args *k, int64_t site, int lane)
{
    real plaquette = loop_angle(&k->t, k->u, site, lane, (flow_loop){k->mu, k->nu, 1, 1});
    if (k->halved >= 0) plaquette = plaquette - half_loop(&k->t, k->u, site, lane, (flow_loop){k->mu, k->nu, 1, 2});
    return real_wrap(plaquette);
}

/* For costs: the operations of it, of a map of the circle and of moving the link; and the links that are read and written. */
REAL_INLINE int active_flops(const coupling_args *k) { return 3 * PRODUCT_FLOPS + CLEAN_FLOPS + (k->halved < 0 ? 0 : 11); }
REAL_INLINE int map_flops(const coupling_args *k) { return k->transform == FLOW_TANGENTS ? TANGENTS_FLOPS(k->knots) : SPLINE_FLOPS(k->knots); }
REAL_INLINE int unmap_flops(const coupling_args *k)
{
    return k->transform == FLOW_TANGENTS ? TANGENTS_INVERSE_FLOPS(k->knots) : SPLINE_INVERSE_FLOPS(k->knots);
}
REAL_INLINE int pull_flops(const coupling_args *k)
{
    return k->transform == FLOW_TANGENTS ? TANGENTS_BACKWARD_FLOPS(k->knots) : SPLINE_BACKWARD_FLOPS(k->knots);
}
REAL_INLINE int active_links(const coupling_args *k) { return k->halved < 0 ? 5 : 8; }
enum { SHIFT_FLOPS = 2 + CLEAN_FLOPS };

REAL_INLINE void load_outputs(const coupling_args *k, int64_t site, int lane, real *parameter)
{
    for (int i = 0; i < k->outputs; i++) parameter[i] = GET(k->parameter, k->outputs, i);
}

REAL_INLINE void shift_link(const coupling_args *k, int64_t site, int lane, real angle)
{
    PUT(k->u, k->t.dim, k->mu, real_wrap(GET(k->u, k->t.dim, k->mu) + angle));
}

REAL_INLINE void map_circle(const coupling_args *k, const real *parameter, real x, real *y, real *log_slope)
{
    if (k->transform == FLOW_SPLINE)
        spline_forward(parameter, k->knots, x, y, log_slope);
    else if (k->transform == FLOW_EVEN_SPLINE)
        even_spline_forward(parameter, k->knots, x, y, log_slope);
    else
        tangents_forward(parameter, k->knots, x, y, log_slope);
}

REAL_INLINE void unmap_circle(const coupling_args *k, const real *parameter, real y, real *x, real *log_slope)
{
    if (k->transform == FLOW_SPLINE)
        spline_inverse(parameter, k->knots, y, x, log_slope);
    else if (k->transform == FLOW_EVEN_SPLINE)
        even_spline_inverse(parameter, k->knots, y, x, log_slope);
    else
        tangents_inverse(parameter, k->knots, y, x, log_slope);
}

REAL_INLINE void pull_circle(const coupling_args *k, const real *parameter, real x, real ybar, real lbar, real *xbar, real *bar)
{
    if (k->transform == FLOW_SPLINE)
        spline_backward(parameter, k->knots, x, ybar, lbar, xbar, bar);
    else if (k->transform == FLOW_EVEN_SPLINE)
        even_spline_backward(parameter, k->knots, x, ybar, lbar, xbar, bar);
    else
        tangents_backward(parameter, k->knots, x, ybar, lbar, xbar, bar);
}

KERNEL(coupling_forward)
{
    real parameter[COUPLING_MAX_OUTPUTS], x = active_plaquette(k, site, lane), y, log_slope;
    load_outputs(k, site, lane, parameter);
    map_circle(k, parameter, x, &y, &log_slope);
    shift_link(k, site, lane, y - x);
    ADD_DOUBLE(k->density, 1, 0, log_slope);
    if (k->plaquette) PUT(k->plaquette, 1, 0, x);
}
COST(coupling_forward, active_flops(k) + map_flops(k) + SHIFT_FLOPS + 1, active_links(k) + k->outputs + (k->plaquette != NULL), 2)

KERNEL(coupling_inverse)
{
    real parameter[COUPLING_MAX_OUTPUTS], y = active_plaquette(k, site, lane), x, log_slope;
    load_outputs(k, site, lane, parameter);
    unmap_circle(k, parameter, y, &x, &log_slope);
    shift_link(k, site, lane, x - y);
    ADD_DOUBLE(k->density, 1, 0, log_slope);
}
COST(coupling_inverse, active_flops(k) + unmap_flops(k) + SHIFT_FLOPS + 1, active_links(k) + k->outputs, 2)

/* The cotangent of P, on its way to the links of the plaquette and of the halved loop */
REAL_INLINE void put_plaquette_cotangent(const coupling_args *k, int64_t site, int lane, real bar)
{
    if (k->mu > k->nu) bar = -bar;
    PUT(k->loop_cotangent, k->loops, k->plane, bar);
    if (k->halved >= 0) PUT(k->loop_cotangent, k->loops, k->halved, (scalar)-0.5 * bar);
}

/* The link moves by h(P) - P, so the cotangent c of the link gives the plaquette c (h' - 1), and log det adds w dlog h'/dP. */
KERNEL(coupling_backward)
{
    real parameter[COUPLING_MAX_OUTPUTS], bar[COUPLING_MAX_OUTPUTS];
    real y = active_plaquette(k, site, lane), x, log_slope, xbar, weight;
    load_outputs(k, site, lane, parameter);
    if (k->plaquette)
        x = GET(k->plaquette, 1, 0);
    else
        unmap_circle(k, parameter, y, &x, &log_slope);
    shift_link(k, site, lane, x - y);
    for (int l = 0; l < REAL_LANES; l++) real_set_lane(&weight, l, (scalar)k->weight[lane + l]);
    real c = GET(k->cotangent, k->t.dim, k->mu);
    pull_circle(k, parameter, x, c, weight, &xbar, bar);
    for (int i = 0; i < k->outputs; i++) PUT(k->parameter_cotangent, k->outputs, i, bar[i]);
    put_plaquette_cotangent(k, site, lane, xbar - c);
}
COST(coupling_backward, active_flops(k) + (k->plaquette ? 0 : unmap_flops(k)) + SHIFT_FLOPS + pull_flops(k) + 1, active_links(k) + 2 * k->outputs + (k->plaquette ? 3 : 2) + (k->halved >= 0), 0)

/* J^-T (d - dlog det): the link gets c = (d - dlog h'/dP) / h'; all others lose what backward would add for (c, w = 1). */
KERNEL(coupling_push)
{
    real parameter[COUPLING_MAX_OUTPUTS], bar[COUPLING_MAX_OUTPUTS];
    real x = active_plaquette(k, site, lane), y, log_slope, slope_bar, xbar;
    load_outputs(k, site, lane, parameter);
    map_circle(k, parameter, x, &y, &log_slope);
    shift_link(k, site, lane, y - x);
    pull_circle(k, parameter, x, real_of(0), real_of(1), &slope_bar, bar);
    ADD_DOUBLE(k->density, 1, 0, log_slope);
    if (k->plaquette) PUT(k->plaquette, 1, 0, x);
    real c = (GET(k->cotangent, k->t.dim, k->mu) - slope_bar) * real_exp(-log_slope);
    pull_circle(k, parameter, x, c, real_of(1), &xbar, bar);
    for (int i = 0; i < k->outputs; i++) PUT(k->parameter_cotangent, k->outputs, i, bar[i]);
    put_plaquette_cotangent(k, site, lane, xbar - c);
    PUT(k->cotangent, k->t.dim, k->mu, xbar); /* c + (xbar - c): the gather takes the second part off */
}
COST(coupling_push, active_flops(k) + map_flops(k) + SHIFT_FLOPS + 2 * pull_flops(k) + 5, active_links(k) + 2 * k->outputs + (k->plaquette ? 4 : 3) + (k->halved >= 0), 2)

/* sum_h -h/2 sin(h L / 2) c_h; the cosines do not tell the sign of L */
REAL_INLINE real halved_loop_cotangent(const loop_cotangents_args *k, int64_t site, int lane, int at)
{
    harmonic h = first_harmonic(half_loop(&k->t, k->u, site, lane, k->loop[k->c.halved]));
    real bar = real_of(0);
    for (int i = 1; i <= k->c.harmonics; i++, next_harmonic(&h))
        bar = bar - (scalar)(0.5 * i) * h.sine * GET(k->feature_cotangent, k->c.channels, at++);
    return bar;
}

/* sum_h h (cos h L s_h - sin h L c_h) */
REAL_INLINE real loop_cotangent(const loop_cotangents_args *k, int64_t site, int lane, int at)
{
    int channels = k->c.channels;
    real bar = real_of(0);
    for (int h = 1; h <= k->c.harmonics; h++, at += 2) {
        real turn = GET(k->feature, channels, at) * GET(k->feature_cotangent, channels, at + 1) -
                    GET(k->feature, channels, at + 1) * GET(k->feature_cotangent, channels, at);
        bar = bar + (scalar)h * turn;
    }
    return bar;
}

REAL_INLINE double loop_cotangents_flops(const loop_cotangents_args *k)
{
    double sum = 0;
    for (int l = 0; l < k->c.loops; l++) {
        if (!(k->c.live & k->open & 1u << l)) continue;
        sum += l == k->c.halved ? half_loop_flops(k->loop[l]) + harmonic_flops(k->c.harmonics) + 3 * k->c.harmonics + 1 : 5 * k->c.harmonics;
    }
    return sum;
}

KERNEL(loop_cotangents)
{
    for (int l = 0, at = 0; l < k->c.loops; l++) {
        bool live = k->c.live >> l & 1, open = live && (k->open >> l & 1), halved = l == k->c.halved;
        real bar = real_of(0);
        if (open) bar = halved ? halved_loop_cotangent(k, site, lane, at) : loop_cotangent(k, site, lane, at);
        if (open && halved) bar = bar + GET(k->loop_cotangent, k->c.loops, l);
        if (l != k->keep) PUT(k->loop_cotangent, k->c.loops, l, bar);
        if (live) at += (halved ? 1 : 2) * k->c.harmonics;
    }
}
COST(loop_cotangents, loop_cotangents_flops(k), 2 * k->c.channels + k->c.loops - (k->keep >= 0) + (k->c.halved < 0 ? 0 : k->t.dim + 1), 0)

/* Sum of component l of the loop cotangents at x, x - a, ..., x - (length - 1) a */
REAL_INLINE real sum_back(const lat_tables *t, const void *field, int loops, int l, int64_t x, int lane, int mu, int length)
{
    real sum = real_of(0);
    for (int i = 0; i < length; i++, x = t->down[mu][x])
        sum = sum + real_load((const scalar *)field + (x * loops + l) * t->lanes + lane);
    return sum;
}

REAL_INLINE double gather_loops_flops(const gather_loops_args *k)
{
    double sum = 2 * k->t.dim;
    for (int l = 0; l < k->loops; l++) sum += 2 * (k->loop[l].r + k->loop[l].t);
    return sum;
}

KERNEL(gather_loops)
{
    for (int mu = 0; mu < k->t.dim; mu++) {
        real sum = real_of(0);
        for (int l = 0; l < k->loops; l++) {
            flow_loop loop = k->loop[l];
            int64_t middle = step_ahead(&k->t, step_ahead(&k->t, site, loop.a, loop.r / 2), loop.b, loop.t / 2);
            /* a link along a is on the near side of loops that begin here, on the far side of loops T below */
            if (mu == loop.a)
                sum = sum + sum_back(&k->t, k->loop_cotangent, k->loops, l, middle, lane, mu, loop.r) -
                      sum_back(&k->t, k->loop_cotangent, k->loops, l, step_back(&k->t, middle, loop.b, loop.t), lane, mu, loop.r);
            if (mu == loop.b)
                sum = sum - sum_back(&k->t, k->loop_cotangent, k->loops, l, middle, lane, mu, loop.t) +
                      sum_back(&k->t, k->loop_cotangent, k->loops, l, step_back(&k->t, middle, loop.a, loop.r), lane, mu, loop.t);
        }
        PUT(k->cotangent, k->t.dim, mu, GET(k->cotangent, k->t.dim, mu) + (scalar)k->scale * sum);
    }
}
COST(gather_loops, gather_loops_flops(k), k->loops + 2 * k->t.dim, 0)
