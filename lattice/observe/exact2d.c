/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * exact2d.c: exact results of the Wilson action on a two-dimensional torus of V plaquettes (Migdal 1975; Rusakov 1990).
 *
 * The weight of one plaquette is expanded in characters, exp(beta (Re tr P / N - 1)) = sum_r d_r c_r chi_r(P).  Then
 *
 *     Z = sum_r c_r^V
 *     <W_A> = sum_{r,s} N_{fs}^r (d_s / d_r) c_s^A c_r^(V-A) / (N Z)    for a contractible loop of area A,
 *
 * N_{fs}^r counting r in the product of s with the fundamental representation f; the plaquette is A = 1.  A loop must
 * cover no plaquette twice; loops of U(1) may also wind around the torus.  Coefficients: U(1) c_n = I_n(beta); SU(2)
 * c_n = 2 I_n(beta) / beta, n = 2j + 1; SU(3) with rows l_1 >= l_2 >= l_3 = 0 of the Young diagram
 * d c = sum_m det I_{l_i - i + j + m}(beta / 3), the sum over m projecting U(3) to SU(3).  A factor exp(-beta) is part
 * of every c.
 *
 * Charge, U(1): with a theta term n becomes n + nu, nu = theta / 2 pi, c(nu) = (1/2 pi) int exp(beta (cos p - 1))
 * cos(nu p) dp, and <Q^2> = -(1/4 pi^2) d^2 ln Z / dnu^2.  The derivatives at integer n follow from the Fourier series
 * of p and p^2:
 *
 *     c'(n)  = sum_{k>0} (-1)^k (c_{n-k} - c_{n+k}) / k
 *     c''(n) = -pi^2/3 c_n - 2 sum_{k>0} (-1)^k (c_{n-k} + c_{n+k}) / k^2.
 *
 * All of it is done in long double: determinants and the sums for the charge cancel some digits.  <Q^2> is good to
 * about 1e-15 absolutely, not relatively, where the tunnelling it is due to is exponentially rare.
 */
#include "lattice/observe/exact2d.h"

#include "lattice/base/base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const long double pi = 3.14159265358979323846264338327950288L;
static const long double negligible = 1e-24L; /* terms of a sum, relative to the sum */

/* Modified Bessel functions at one argument: scaled[n] = exp(-x) I_n(x), n = 0 ... count - 1, and reduced[n] =
 * scaled[n] / x for n > 0.  Beyond count they are zero to all digits. */
typedef struct {
    int64_t count;
    long double *scaled, *reduced;
} bessel;

/* Ratios I_n / I_{n-1} by downward recurrence, which is stable; the scale from I_0 + 2 sum I_n = exp(x), which has no
 * cancellation.  Nothing divides by x: x = 0 is good. */
static bessel bessel_create(double x)
{
    bessel table = {.count = 60 + (int64_t)(15 * sqrt(x))};
    table.scaled = lat_alloc(table.count, sizeof *table.scaled);
    table.reduced = lat_alloc(table.count, sizeof *table.reduced);
    long double ratio = 0, sum = 0;
    for (int64_t n = table.count + 30; n > 0; n--) {
        long double over_x = 1 / (2 * (long double)n + x * ratio);
        ratio = x * over_x;
        if (n >= table.count) continue;
        table.scaled[n] = ratio;
        table.reduced[n] = over_x;
    }
    for (int64_t n = table.count - 1; n > 0; n--) sum = table.scaled[n] * (1 + sum);
    table.scaled[0] = 1 / (1 + 2 * sum);
    for (int64_t n = 1; n < table.count; n++) {
        table.reduced[n] *= table.scaled[n - 1];
        table.scaled[n] *= table.scaled[n - 1];
    }
    return table;
}

static void bessel_free(bessel *table)
{
    free(table->scaled);
    free(table->reduced);
}

static long double bessel_at(const bessel *table, int64_t n)
{
    n = llabs(n);
    return n < table->count ? table->scaled[n] : 0;
}

/* An irreducible representation.  U(1): charge p, q = 0.  SU(2): spin p / 2, q = 0.  SU(3): Dynkin labels (p, q). */
typedef struct {
    int64_t p, q;
} irrep;

/* What the sums over representations need to know of a group. */
typedef struct {
    lat_group group;
    int colours;
    bessel table;
    long double trivial; /* c of the trivial representation */
} expansion;

static bool exists(const expansion *e, irrep r) { return e->group == LAT_U1 || (r.p >= 0 && r.q >= 0); }

static long double dimension(const expansion *e, irrep r)
{
    long double p = (long double)r.p, q = (long double)r.q;
    switch (e->group) {
    case LAT_SU2: return p + 1;
    case LAT_SU3: return (p + 1) * (q + 1) * (p + q + 2) / 2;
    default: return 1;
    }
}

/* sum_m det I_{l_i - i + j + m} with rows p + q, q, 0. */
static long double su3_determinants(const bessel *table, irrep r)
{
    int64_t row[3] = {r.p + r.q, r.q - 1, -2};
    long double sum = 0;
    for (int64_t m = -table->count - row[0]; m <= table->count + 2; m++) {
        long double a[3][3];
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) a[i][j] = bessel_at(table, row[i] + j + m);
        sum += a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]);
        sum += a[0][1] * (a[1][2] * a[2][0] - a[1][0] * a[2][2]);
        sum += a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
    }
    return sum;
}

static long double coefficient(const expansion *e, irrep r)
{
    switch (e->group) {
    case LAT_SU2: return r.p + 1 < e->table.count ? 2 * e->table.reduced[r.p + 1] : 0;
    case LAT_SU3: return fmaxl(0, su3_determinants(&e->table, r) / dimension(e, r)); /* positive but for rounding */
    default: return bessel_at(&e->table, r.p);
    }
}

static expansion expansion_create(lat_group group, double beta)
{
    expansion e = {.group = group, .colours = (int)group + 1};
    e.table = bessel_create(group == LAT_SU3 ? beta / 3 : beta);
    e.trivial = coefficient(&e, (irrep){0, 0});
    return e;
}

/* Sums f over all representations, in shells of growing p + q, until the shells no longer matter. */
typedef long double term(const expansion *e, irrep r, double volume, double area);

static long double sum_over_irreps(const expansion *e, term *f, double volume, double area)
{
    long double sum = 0;
    for (int64_t shell = 0; shell < e->table.count; shell++) {
        long double part = 0, size = 0;
        for (int64_t q = 0; q <= (e->group == LAT_SU3 ? shell : 0); q++) {
            long double value = f(e, (irrep){shell - q, q}, volume, area);
            if (e->group == LAT_U1 && shell > 0) value += f(e, (irrep){-shell, 0}, volume, area);
            part += value;
            size = fmaxl(size, fabsl(value));
        }
        sum += part;
        if (shell > 1 && size <= negligible * fabsl(sum)) break;
    }
    return sum;
}

/* (c_r / c_0)^power */
static long double weight(const expansion *e, irrep r, double power)
{
    return powl(coefficient(e, r) / e->trivial, power);
}

static long double partition_term(const expansion *e, irrep r, double volume, double area)
{
    (void)area;
    return weight(e, r, volume);
}

/* The terms of <W_A> with r in the product of s with the fundamental representation. */
static long double loop_term(const expansion *e, irrep s, double volume, double area)
{
    static const irrep step[3] = {{1, 0}, {-1, 1}, {0, -1}}; /* weights of the fundamental representation of SU(3) */
    long double sum = 0, inner = weight(e, s, area) * dimension(e, s);
    for (int i = 0; i < e->colours; i++) {
        irrep r = {s.p + step[i].p, e->group == LAT_SU3 ? s.q + step[i].q : 0};
        if (exists(e, r)) sum += inner / dimension(e, r) * weight(e, r, volume - area);
    }
    return sum / e->colours;
}

/* d^2/dnu^2 c(n + nu)^V at nu = 0, for U(1). */
static long double charge_term(const expansion *e, irrep r, double volume, double area)
{
    (void)area;
    long double c = coefficient(e, r), first = 0, second = -pi * pi / 3 * c;
    int64_t last = e->table.count + llabs(r.p);
    for (int64_t k = 1; k < last; k++) {
        long double below = bessel_at(&e->table, r.p - k), above = bessel_at(&e->table, r.p + k), sign = k % 2 ? -1 : 1;
        first += sign * (below - above) / (long double)k;
        second -= 2 * sign * (below + above) / ((long double)k * (long double)k);
    }
    first /= e->trivial;
    second /= e->trivial;
    return volume * (weight(e, r, volume - 1) * second + (volume - 1) * weight(e, r, volume - 2) * first * first);
}

/* The sums grow with beta; beyond this one nobody has asked. */
static const double beta_max = 1000;

static bool known(lat_group group, double beta, int64_t volume)
{
    return group >= LAT_U1 && group <= LAT_SU3 && beta >= 0 && beta <= beta_max && volume > 0;
}

/* The area of a loop named wilson_loop_RxT; 0 for any other name. */
static int64_t loop_area(const char *name)
{
    int extent[2], end = 0;
    if (sscanf(name, "wilson_loop_%4dx%4d%n", &extent[0], &extent[1], &end) != 2 || name[end] != 0) return 0;
    return extent[0] > 0 && extent[1] > 0 ? (int64_t)extent[0] * extent[1] : 0;
}

double lat_exact2d(const char *name, lat_group group, double beta, int64_t volume)
{
    int64_t area = strcmp(name, "plaquette") == 0 ? 1 : loop_area(name);
    bool charge = group == LAT_U1 && strcmp(name, "charge_squared") == 0;
    if (!known(group, beta, volume)) return NAN;
    if (group == LAT_U1 && strcmp(name, "charge") == 0) return 0;
    if (charge && volume < 3) return 0; /* the angles of two plaquettes cannot add up to 2 pi */
    if (!charge && (area == 0 || area >= volume)) return NAN;

    expansion e = expansion_create(group, beta);
    long double z = sum_over_irreps(&e, partition_term, (double)volume, 0), value;
    if (charge)
        value = fmaxl(0, -sum_over_irreps(&e, charge_term, (double)volume, 0) / (4 * pi * pi));
    else
        value = sum_over_irreps(&e, loop_term, (double)volume, (double)area);
    bessel_free(&e.table);
    return (double)(value / z);
}

double lat_exact2d_log_z(lat_group group, double beta, int64_t volume)
{
    if (!known(group, beta, volume)) return NAN;
    expansion e = expansion_create(group, beta);
    long double z = sum_over_irreps(&e, partition_term, (double)volume, 0);
    double log_z = (double)((long double)volume * logl(e.trivial) + logl(z));
    bessel_free(&e.table);
    return log_z;
}
