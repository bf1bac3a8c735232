/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * real.h: the arithmetic type of kernels.  On the CPU a `real` is a vector of REAL_LANES lanes (GNU vector extensions),
 * in CUDA it is a scalar, and kernels are written once in terms of the operators + - * / and the functions below.  Before inclusion:
 * REAL_FLOAT is defined for single precision, and not for double.
 *
 *   scalar                the element type, double or float
 *   real                  REAL_LANES scalars
 *   truth                 result of a comparison (real_less, ...), input of real_select, combined by & | ~
 *   real_of(s)            all lanes equal to the scalar s; s * x and x + s with a scalar s need no conversion
 */
#ifndef REAL_H
#define REAL_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* Kernels for a device: of nvcc, or of the compiler of the host against the stand-in for a device of the tests. */
#if defined(__CUDACC__) || defined(CUDA_STAND_IN)
#define REAL_DEVICE
#include <cuda_runtime_api.h>
#endif

#ifdef REAL_FLOAT
typedef float scalar;
#else
typedef double scalar;
#endif

#define REAL_PI ((scalar)3.14159265358979323846)

/* Before a loop of few, constant passes. */
#if defined(__CUDACC__) || defined(__clang__)
#define REAL_UNROLL _Pragma("unroll")
#else
#define REAL_UNROLL _Pragma("GCC unroll 32")
#endif

#ifdef REAL_DEVICE
#define REAL_INLINE static __device__ __forceinline__
enum { REAL_LANES = 1 };
#define REAL_REGISTERS 255
typedef scalar real;
typedef int truth; /* 0 or -1, so that ~ is its opposite */
REAL_INLINE real real_of(scalar s) { return s; }
REAL_INLINE real real_load(const scalar *p) { return *p; }
REAL_INLINE void real_prefetch(const scalar *p) { (void)p; } /* other threads run in the meantime */
REAL_INLINE void real_prefetch_near(const scalar *p) { (void)p; }
REAL_INLINE void real_prefetch_once(const scalar *p) { (void)p; }
enum { REAL_LINE = 1 };
REAL_INLINE void real_store(scalar *p, real x) { *p = x; }
REAL_INLINE void real_stream(scalar *p, real x) { *p = x; }
REAL_INLINE truth real_less(real a, real b) { return -(a < b); }
REAL_INLINE real real_select(truth t, real a, real b) { return t ? a : b; }
REAL_INLINE bool truth_any(truth t) { return t != 0; }
REAL_INLINE scalar real_lane(real x, int lane) { (void)lane; return x; }
REAL_INLINE void real_set_lane(real *x, int lane, scalar s) { (void)lane; *x = s; }
typedef int lane_order;
REAL_INLINE lane_order real_order(const int *from) { return *from; }
REAL_INLINE bool real_shuffles(const lane_order *order) { return *order >= 0; }
REAL_INLINE real real_shuffled(const lane_order *order, const scalar *row) { return row[*order]; }
REAL_INLINE real real_take(const lane_order *order, const scalar *row) { return *order < 0 ? 0 : row[*order]; }
REAL_INLINE void real_give(const lane_order *order, real x, scalar *out, int stream)
{
    (void)stream;
    if (*order >= 0) *out = x;
}
REAL_INLINE void real_permute(const lane_order *order, const scalar *row, scalar *out, int stream)
{
    real_give(order, real_take(order, row), out, stream);
}
#ifdef REAL_FLOAT
#define REAL_LIBM(name) REAL_INLINE real real_##name(real x) { return name##f(x); }
REAL_INLINE real real_atan2(real y, real x) { return atan2f(y, x); }
REAL_INLINE void real_sincos(real x, real *s, real *c) { sincosf(x, s, c); }
#else
#define REAL_LIBM(name) REAL_INLINE real real_##name(real x) { return name(x); }
REAL_INLINE real real_atan2(real y, real x) { return atan2(y, x); }
REAL_INLINE void real_sincos(real x, real *s, real *c) { sincos(x, s, c); }
#endif
REAL_LIBM(rint)

#else /* CPU */

#ifdef __AVX__
#include <immintrin.h>
#endif

/* The compiler turns a loop over the lanes into a call of the vector library where it knows that one exists. */
#define REAL_VECTOR_LIBM __attribute__((simd("notinbranch")))
REAL_VECTOR_LIBM double exp(double);
REAL_VECTOR_LIBM double log(double);
REAL_VECTOR_LIBM double tanh(double);
REAL_VECTOR_LIBM double atan(double);
REAL_VECTOR_LIBM double acos(double);
REAL_VECTOR_LIBM double atan2(double, double);
REAL_VECTOR_LIBM float expf(float);
REAL_VECTOR_LIBM float logf(float);
REAL_VECTOR_LIBM float tanhf(float);
REAL_VECTOR_LIBM float atanf(float);
REAL_VECTOR_LIBM float acosf(float);
REAL_VECTOR_LIBM float atan2f(float, float);

#if defined(__AVX512F__)
enum { REAL_BYTES = 64 };
#elif defined(__AVX__)
enum { REAL_BYTES = 32 };
#else
enum { REAL_BYTES = 16 };
#endif
#if defined(__AVX512F__) || defined(__aarch64__)
#define REAL_REGISTERS 32 /* of vectors */
#else
#define REAL_REGISTERS 16
#endif
#define REAL_INLINE static inline __attribute__((always_inline, unused))
enum { REAL_LANES = REAL_BYTES / (int)sizeof(scalar) };
typedef scalar real __attribute__((vector_size(REAL_BYTES)));
#ifdef REAL_FLOAT
typedef int32_t truth __attribute__((vector_size(REAL_BYTES)));
#define REAL_NAME(name) name##f
#else
typedef int64_t truth __attribute__((vector_size(REAL_BYTES)));
#define REAL_NAME(name) name
#endif
REAL_INLINE real real_of(scalar s) { return s - (real){0}; }
REAL_INLINE real real_load(const scalar *p) { return *(const real *)p; }
/* Where registers are few.  The same address, but the compiler cannot know that, and reads again what is there, rather than keep it;
 * and a value that stays in its register, where it would be read again for each use. */
REAL_INLINE const scalar *real_again(const scalar *p)
{
    __asm__("" : "+r"(p));
    return p;
}
REAL_INLINE void real_hold(real *x)
{
#ifdef __x86_64__
    __asm__("" : "+v"(*x));
#else
    (void)x;
#endif
}
/* Into the second-level cache.  An address outside of all memory is as good as any. */
REAL_INLINE void real_prefetch(const scalar *p) { __builtin_prefetch(p, 0, 2); }
/* Into the first-level cache, with the next levels, and past them, as what is read once would drive out what is read again. */
REAL_INLINE void real_prefetch_near(const scalar *p) { __builtin_prefetch(p, 0, 3); }
REAL_INLINE void real_prefetch_once(const scalar *p) { __builtin_prefetch(p, 0, 0); }
enum { REAL_LINE = 64 / REAL_BYTES }; /* vectors in a line of the caches */
REAL_INLINE void real_store(scalar *p, real x) { *(real *)p = x; }
/* To memory, past the caches: what was there is not read first.  A fence must follow before others look. */
REAL_INLINE void real_stream(scalar *p, real x)
{
#if defined(__AVX512F__)
    _mm512_stream_si512((__m512i *)(void *)p, (__m512i)x);
#elif defined(__AVX__)
    _mm256_stream_si256((__m256i *)(void *)p, (__m256i)x);
#else
    real_store(p, x);
#endif
}
REAL_INLINE truth real_less(real a, real b) { return a < b; }
REAL_INLINE real real_select(truth t, real a, real b) { return (real)((t & (truth)a) | (~t & (truth)b)); }
REAL_INLINE int truth_any(truth t)
{
    int any = 0;
    for (int lane = 0; lane < REAL_LANES; lane++) any |= t[lane] != 0;
    return any;
}
REAL_INLINE scalar real_lane(real x, int lane) { return x[lane]; }
REAL_INLINE void real_set_lane(real *x, int lane, scalar s) { (*x)[lane] = s; }

/* A vector made of lanes of a longer row: lane l is from[l], and negative where nothing is asked for.  Most often all
 * come from one vector, the one at start; otherwise start is negative. */
typedef struct {
    truth index, mine;
    int start, all, from[REAL_LANES];
} lane_order;
REAL_INLINE real real_shuffle(real x, truth index)
{
#ifdef __clang__
    real y = x;
    for (int lane = 0; lane < REAL_LANES; lane++) y[lane] = x[index[lane]];
    return y;
#else
    return __builtin_shuffle(x, index);
#endif
}
REAL_INLINE lane_order real_order(const int *from)
{
    lane_order order = {.start = -1, .all = 1};
    for (int lane = 0; lane < REAL_LANES; lane++) {
        order.from[lane] = from[lane];
        order.mine[lane] = from[lane] < 0 ? 0 : -1;
        order.all = order.all && from[lane] >= 0;
        if (from[lane] >= 0 && order.start < 0) order.start = from[lane] / REAL_LANES * REAL_LANES;
    }
    for (int lane = 0; lane < REAL_LANES && order.start >= 0; lane++) {
        int index = from[lane] < 0 ? 0 : from[lane] - order.start;
        order.index[lane] = index;
        if (index < 0 || index >= REAL_LANES) order.start = -1;
    }
    return order;
}
/* Whether all lanes are asked for, of one vector; then lane l is row[from[l]] */
REAL_INLINE bool real_shuffles(const lane_order *order) { return order->all && order->start >= 0; }
REAL_INLINE real real_shuffled(const lane_order *order, const scalar *row)
{
    return real_shuffle(real_load(row + order->start), order->index);
}
/* Lane l is row[from[l]], where that is asked for */
REAL_INLINE real real_take(const lane_order *order, const scalar *row)
{
    if (order->start >= 0) return real_shuffled(order, row);
    real x = real_of(0);
    for (int lane = 0; lane < REAL_LANES; lane++)
        if (order->from[lane] >= 0) x[lane] = row[order->from[lane]];
    return x;
}
/* Those lanes of x to out; stream: nobody on this core reads it soon */
REAL_INLINE void real_give(const lane_order *order, real x, scalar *out, int stream)
{
    if (stream && order->all)
        real_stream(out, x);
    else
        real_store(out, order->all ? x : real_select(order->mine, x, real_load(out)));
}

/* out[l] = row[from[l]], in those lanes */
REAL_INLINE void real_permute(const lane_order *order, const scalar *row, scalar *out, int stream)
{
    if (order->start >= 0)
        real_give(order, real_take(order, row), out, stream);
    else
        for (int lane = 0; lane < REAL_LANES; lane++)
            if (order->from[lane] >= 0) out[lane] = row[order->from[lane]];
}

#define REAL_LIBM(name)                                                                                                \
    REAL_INLINE real real_##name(real x)                                                                               \
    {                                                                                                                  \
        union { real v; scalar s[REAL_LANES]; } in = {x}, out;                                                         \
        for (int lane = 0; lane < REAL_LANES; lane++) out.s[lane] = REAL_NAME(name)(in.s[lane]);                       \
        return out.v;                                                                                                  \
    }
REAL_LIBM(rint)
REAL_INLINE real real_atan2(real y, real x)
{
    union { real v; scalar s[REAL_LANES]; } a = {y}, b = {x}, out;
    for (int lane = 0; lane < REAL_LANES; lane++) out.s[lane] = REAL_NAME(atan2)(a.s[lane], b.s[lane]);
    return out.v;
}

/* Sine and cosine together, without branches: reduction by multiples of pi/2 in three parts (|x| below 1e5), then the
 * Taylor series on [-pi/4, pi/4], far enough for the last bit. */
REAL_INLINE void real_sincos(real x, real *sine, real *cosine)
{
    real n = real_rint(x * (scalar)0.63661977236758134308);
#ifdef REAL_FLOAT
    real r = x - n * 1.5703125f - n * 4.837512969970703125e-4f - n * 7.549789948768648e-8f;
    real z = r * r;
    real s = r + r * z * (-1.6666667163e-1f + z * (8.3333337680e-3f + z * (-1.9841270114e-4f + z * 2.7557314297e-6f)));
    real c = 1.0f - z * (0.5f - z * (4.1666667908e-2f + z * (-1.3888889225e-3f + z * 2.4801587642e-5f)));
#else
    real r = x - n * 1.57079632673412561417e+00 - n * 6.07710050630396597660e-11 - n * 2.02226624871116645580e-21;
    real z = r * r;
    real s = r + r * z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 +
             z * (-1.0 / 39916800 + z * (1.0 / 6227020800.0 + z * (-1.0 / 1307674368000.0)))))));
    real c = 1.0 - z * (0.5 - z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800 +
             z * (1.0 / 479001600.0 + z * (-1.0 / 87178291200.0 + z * (1.0 / 20922789888000.0))))))));
#endif
    real half = 0.5f * n, quarter = 0.25f * n;
    truth odd = half != real_rint(half);
    /* n mod 4 = 2, 3 flips the sine; n mod 4 = 1, 2 flips the cosine */
    real four = n - 4.0f * real_rint(quarter); /* in -2 ... 2 */
    truth flip_sine = (four < -0.5f) | (four > 1.5f), flip_cosine = (four > 0.5f) | (four < -1.5f);
    real a = real_select(odd, c, s), b = real_select(odd, s, c);
    *sine = real_select(flip_sine, -a, a);
    *cosine = real_select(flip_cosine, -b, b);
}

#ifdef REAL_FLOAT
/* A NaN stays. */
REAL_INLINE real real_clamp(real x, scalar low, scalar high)
{
#ifdef __AVX512F__
    return (real)_mm512_max_ps((__m512)real_of(low), _mm512_min_ps((__m512)real_of(high), (__m512)x));
#else
    x = real_select(real_less(x, real_of(low)), real_of(low), x);
    return real_select(real_less(real_of(high), x), real_of(high), x);
#endif
}
/* x 2^n, n whole and x near 1 */
REAL_INLINE real real_scale(real x, real n)
{
#ifdef __AVX512F__
    return (real)_mm512_scalef_ps((__m512)x, (__m512)n);
#else
    truth power = __builtin_convertvector(real_clamp(n, -250, 250), truth), half = power >> 1; /* a NaN gives any number */
    return x * (real)((half + 127) << 23) * (real)((power - half + 127) << 23);
#endif
}
/* In line, in two thirds of the time of the library's: 2^n e^r, n the multiple of ln 2 nearest to x, and the polynomial of
 * least relative error, 3e-9, for |r| <= ln 2 / 2. */
REAL_INLINE real real_exp(real x)
{
    x = real_clamp(x, -104, 89); /* beyond them the result is 0 or infinite */
    real n = real_rint(x * 1.44269504088896341f);
    real r = x - n * 0.693359375f + n * 2.12194440054690583e-4f;
    real p = 8.368745446e-3f + r * 1.381454058e-3f;
    p = 1.0f + (r + r * r * (4.999999404e-1f + r * (1.666652113e-1f + r * (4.166838899e-2f + r * p))));
    return real_scale(p, n);
}
/* 1 - 2 / (1 + e^2x), e^2x = 2^n 2^r, with a polynomial of relative error 2e-8 for |r| <= 1/2; what y has lost where it is
 * large does not count any more. */
REAL_INLINE real real_tanh(real x)
{
    real y = x * 2.88539008177792681f, n = real_rint(y), r = y - n;
    real p = 9.612614289e-3f + r * (1.343575539e-3f + r * 1.695158862e-4f);
    p = 1.0f + r * (6.931473017e-1f + r * (2.402269691e-1f + r * (5.550203472e-2f + r * p)));
    return 1 - 2 / (1 + real_scale(p, n));
}
#endif
#endif

REAL_LIBM(sqrt)
#if defined(REAL_DEVICE) || !defined(REAL_FLOAT)
REAL_LIBM(exp)
REAL_LIBM(tanh)
#endif
REAL_LIBM(log)
REAL_LIBM(atan)
REAL_LIBM(acos)

REAL_INLINE real real_abs(real x) { return real_select(real_less(x, real_of(0)), -x, x); }
/* The angle modulo 2 pi, in [-pi, pi]. */
REAL_INLINE real real_wrap(real angle)
{
    return angle - (2 * REAL_PI) * real_rint(angle * (1 / (2 * REAL_PI)));
}

#endif
