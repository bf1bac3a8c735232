/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernel.h: how a kernel is written once for all backends.
 *
 *     typedef struct { lat_tables t; const void *u; void *p; } plaquette_args;     (in the header of the kernel table)
 *
 *     KERNEL(plaquette)                              (in kernels/NAME.h)
 *     {
 *         real a = GET(k->u, components, c);         component c of this site, all lanes of this call
 *         PUT(k->p, 1, 0, a);
 *     }
 *
 * The body runs once for every site of the range and every vector of lanes, with `k` (the arguments), `site` and
 * `lane` (the first of REAL_LANES lanes).  It writes to its own site only, so the order does not matter.
 * The compiled function NAME(kernel) has the signature of the kernel table, void (const ARGS *, const lat_range *).
 * The file that instantiates the kernels defines NAME, REAL_FLOAT or not, and the group.
 *
 *     COST(plaquette, 3 * PRODUCT_FLOPS, LINK_REALS, 1)     operations, numbers of the precision, and doubles, of a site and lane
 *
 * follows each kernel: expressions in the arguments `k`.  The table has it beside the kernel, for benchmarks.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "lattice/kernels/range.h"
#include "lattice/kernels/real.h"

#include <stddef.h>

#ifdef REAL_DEVICE
/* One thread for each site and lane.  Arguments travel with the launch. */
#ifdef __CUDACC__
#define KERNEL_EXTERN extern "C"
#define KERNEL_GLOBAL(name) static __global__ void NAME(name##_global)(const __grid_constant__ NAME(name##_launch) launch)
#define KERNEL_LAUNCH (&launch)
#else /* the stand-in hands over the address */
#define KERNEL_EXTERN
#define KERNEL_GLOBAL(name) static void NAME(name##_global)(const NAME(name##_launch) * launch)
#define KERNEL_LAUNCH launch
#endif
KERNEL_EXTERN void lat_cuda_launch(const void *global, const void *launch, size_t bytes, int64_t threads, lat_stream stream);

#define KERNEL(name)                                                                                                   \
    typedef struct {                                                                                                   \
        name##_args args;                                                                                              \
        lat_range range;                                                                                               \
    } NAME(name##_launch);                                                                                             \
    REAL_INLINE void NAME(name##_body)(const name##_args *k, int64_t site, int lane);                                  \
    KERNEL_GLOBAL(name)                                                                                                \
    {                                                                                                                  \
        const lat_range *range = &KERNEL_LAUNCH->range;                                                                \
        int64_t thread = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;                                               \
        if (thread >= range->count * range->lanes) return;                                                             \
        int64_t i = thread / range->lanes;                                                                             \
        NAME(name##_body)(&KERNEL_LAUNCH->args, range->site ? range->site[i] : i, (int)(thread % range->lanes));       \
    }                                                                                                                  \
    KERNEL_EXTERN void NAME(name)(const name##_args *k, const lat_range *range)                                        \
    {                                                                                                                  \
        NAME(name##_launch) launch = {*k, *range};                                                                     \
        lat_cuda_launch((const void *)NAME(name##_global), &launch, sizeof launch, range->count * range->lanes,        \
                        range->stream);                                                                                \
    }                                                                                                                  \
    REAL_INLINE void NAME(name##_body)(const name##_args *k, int64_t site, int lane)
#define HOT_KERNEL(name) KERNEL(name)
#define ORDERED_KERNEL(name)                                                                                           \
    REAL_INLINE void NAME(name##_ordered)(const name##_args *k, int64_t site, int lane, const lane_order *order);      \
    KERNEL(name)                                                                                                       \
    {                                                                                                                  \
        const lane_order order = real_order(k->lane + lane);                                                           \
        NAME(name##_ordered)(k, site, lane, &order);                                                                   \
    }                                                                                                                  \
    REAL_INLINE void NAME(name##_ordered)(const name##_args *k, int64_t site, int lane, const lane_order *order)
#define FETCHING_KERNEL(name)                                                                                          \
    REAL_INLINE void NAME(name##_ahead)(const name##_args *k, int64_t site, int64_t next, int lane);                   \
    KERNEL(name) { NAME(name##_ahead)(k, site, site, lane); }                                                          \
    REAL_INLINE void NAME(name##_ahead)(const name##_args *k, int64_t site, int64_t next, int lane)
#else
/* What a body is given, and what it is called with for number i of the range; and the site whose turn is next, to fetch what that will
 * read where memory is slow. */
#define KERNEL_BODY(name) NAME(name##_body)(const name##_args *k, int64_t site, int lane)
#define KERNEL_SITE(i) range->site ? range->site[i] : (i)
#define FETCHING_BODY(name) NAME(name##_body)(const name##_args *k, int64_t site, int64_t next, int lane)
#define FETCHING_SITES(i) range_site(range, i), range_site(range, (i) + 1)
REAL_INLINE int64_t range_site(const lat_range *range, int64_t i)
{
    if (i == range->count) i--;
    return KERNEL_SITE(i);
}
#define KERNEL_FUNCTION(name, body, sites, first)                                                                      \
    REAL_INLINE void body(name);                                                                                       \
    void NAME(name)(const name##_args *k, const lat_range *range)                                                      \
    {                                                                                                                  \
        first                                                                                                          \
        for (int64_t i = 0; i < range->count; i++)                                                                     \
            for (int lane = 0; lane < range->lanes; lane += REAL_LANES) NAME(name##_body)(k, sites(i), lane);          \
    }                                                                                                                  \
    REAL_INLINE void body(name)
/* Where there is one vector of lanes, the distance between components is a constant: kernels in which that counts are
 * compiled once more for this case. */
#define IN_ONE_VECTOR(name, sites)                                                                                     \
    if (range->lanes == REAL_LANES) {                                                                                  \
        name##_args one = *k;                                                                                          \
        one.t.lanes = REAL_LANES;                                                                                      \
        for (int64_t i = 0; i < range->count; i++) NAME(name##_body)(&one, sites(i), 0);                               \
        return;                                                                                                        \
    }
#define KERNEL(name) KERNEL_FUNCTION(name, KERNEL_BODY, KERNEL_SITE, )
#define HOT_KERNEL(name) KERNEL_FUNCTION(name, KERNEL_BODY, KERNEL_SITE, IN_ONE_VECTOR(name, KERNEL_SITE))
#define FETCHING_KERNEL(name) KERNEL_FUNCTION(name, FETCHING_BODY, FETCHING_SITES, IN_ONE_VECTOR(name, FETCHING_SITES))
/* A body that takes its lanes from k->lane: in an order that is the same for all sites, and made for some vectors at a time. */
#define ORDERED_BODY(name) NAME(name##_body)(const name##_args *k, int64_t site, int lane, const lane_order *order)
enum { ORDERS = 8 };
REAL_INLINE int orders_of(const int *from, int lanes, lane_order order[ORDERS])
{
    int orders = 0;
    for (int lane = 0; orders < ORDERS && lane < lanes; lane += REAL_LANES) order[orders++] = real_order(from + lane);
    return orders;
}
#define ORDERED_KERNEL(name)                                                                                           \
    REAL_INLINE void ORDERED_BODY(name);                                                                               \
    void NAME(name)(const name##_args *k, const lat_range *range)                                                      \
    {                                                                                                                  \
        lane_order order[ORDERS];                                                                                      \
        for (int lane = 0; lane < range->lanes; lane += ORDERS * REAL_LANES) {                                         \
            const int orders = orders_of(k->lane + lane, range->lanes - lane, order);                                  \
            for (int64_t i = 0; i < range->count; i++)                                                                 \
                for (int o = 0; o < orders; o++)                                                                       \
                    NAME(name##_body)(k, KERNEL_SITE(i), lane + o * REAL_LANES, &order[o]);                            \
        }                                                                                                              \
    }                                                                                                                  \
    REAL_INLINE void ORDERED_BODY(name)
#endif

/* Devices look costs up in the tables of the host.  KERNEL_ENTRY: both, in a table of kernels. */
#ifdef REAL_DEVICE
#define COST(name, operations, numbers, doubles)
#define KERNEL_ENTRY(name) .name = NAME(name),
#else
#define KERNEL_ENTRY(name) .name = NAME(name), .name##_cost = NAME(name##_cost),
#define COST(name, operations, numbers, doubles)                                                                       \
    lat_cost NAME(name##_cost)(const name##_args *k)                                                                   \
    {                                                                                                                  \
        (void)k;                                                                                                       \
        return (lat_cost){(operations), (numbers) * (double)sizeof(scalar) + (doubles) * (double)sizeof(double)};      \
    }
#endif

/* To an integer that all sites add to: the sum does not depend on who comes first. */
REAL_INLINE void add_to_sum(int64_t *sum, int64_t value)
{
#ifdef __CUDACC__
    atomicAdd((unsigned long long *)sum, (unsigned long long)value);
#else
    *sum += value;
#endif
}

/* Component c of a field with the given number of components, at any site. */
#define AT(field, components, x, c) ((field) + ((x) * (components) + (c)) * k->t.lanes + lane)
#define GET_AT(field, components, x, c) real_load(AT((const scalar *)(field), components, x, c))
#define GET(field, components, c) GET_AT(field, components, site, c)
#define PUT(field, components, c, value) real_store(AT((scalar *)(field), components, site, c), value)
/* Brings rows of a field near the processor: of what is read again soon, and of what is not. */
#define FETCH_ROWS(name)                                                                                               \
    REAL_INLINE void fetch_##name(const lat_tables *t, const void *field, int reals, int64_t x, int lane, int first,   \
                                  int count)                                                                           \
    {                                                                                                                  \
        const scalar *row = (const scalar *)field + (x * reals + first) * t->lanes + lane;                             \
        const int step = t->lanes == REAL_LANES ? REAL_LINE : 1;                                                       \
        REAL_UNROLL for (int c = 0; c < count; c += step) real_prefetch_##name(row + c * t->lanes);                    \
    }
FETCH_ROWS(near)
FETCH_ROWS(once)
/* The same for fields that are double in every instantiation would need a second vector type; densities of actions and
 * logarithms of determinants are therefore written through PUT_DOUBLE / ADD_DOUBLE, lane by lane. */
#define PUT_DOUBLE(field, components, c, value)                                                                        \
    do {                                                                                                               \
        double *put_to = AT((double *)(field), components, site, c);                                                   \
        real put_value = (value);                                                                                      \
        for (int put_lane = 0; put_lane < REAL_LANES; put_lane++) put_to[put_lane] = real_lane(put_value, put_lane);   \
    } while (0)
#define ADD_DOUBLE(field, components, c, value)                                                                        \
    do {                                                                                                               \
        double *put_to = AT((double *)(field), components, site, c);                                                   \
        real put_value = (value);                                                                                      \
        for (int put_lane = 0; put_lane < REAL_LANES; put_lane++) put_to[put_lane] += real_lane(put_value, put_lane);  \
    } while (0)

#endif
