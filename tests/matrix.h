/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matrix.h: links of any group as plain complex matrices, and a gauge field of one member as an array of them, for
 * tests that go by the definitions.
 */
#ifndef TEST_MATRIX_H
#define TEST_MATRIX_H

#include "tests/tap.h"

#include <complex.h>

typedef struct {
    int n;
    double complex a[3][3];
} matrix;

/* From the numbers that are stored for a link. */
static inline matrix matrix_of(lat_group group, const double *u)
{
    matrix m = {.n = (int)group + 1};
    switch (group) {
    case LAT_SU2:
        m.a[0][0] = u[0] + I * u[3];
        m.a[0][1] = u[2] + I * u[1];
        m.a[1][0] = -u[2] + I * u[1];
        m.a[1][1] = u[0] - I * u[3];
        break;
    case LAT_SU3:
        for (int i = 0; i < 9; i++) m.a[i / 3][i % 3] = u[2 * i] + I * u[2 * i + 1];
        break;
    default: m.a[0][0] = cexp(I * u[0]);
    }
    return m;
}

static inline matrix matrix_product(matrix a, matrix b)
{
    matrix c = {.n = a.n};
    for (int i = 0; i < a.n; i++)
        for (int j = 0; j < a.n; j++)
            for (int k = 0; k < a.n; k++) c.a[i][j] += a.a[i][k] * b.a[k][j];
    return c;
}

static inline matrix matrix_dagger(matrix a)
{
    matrix c = {.n = a.n};
    for (int i = 0; i < a.n; i++)
        for (int j = 0; j < a.n; j++) c.a[i][j] = conj(a.a[j][i]);
    return c;
}

static inline matrix matrix_sum(matrix a, matrix b)
{
    for (int i = 0; i < a.n; i++)
        for (int j = 0; j < a.n; j++) a.a[i][j] += b.a[i][j];
    return a;
}

static inline double complex matrix_trace(matrix a)
{
    double complex sum = 0;
    for (int i = 0; i < a.n; i++) sum += a.a[i][i];
    return sum;
}

/* Largest entry of |a a^+ - 1|, and |det a - 1| for SU(3). */
static inline double matrix_violation(matrix a)
{
    double largest = 0;
    matrix square = matrix_product(a, matrix_dagger(a));
    for (int i = 0; i < a.n; i++)
        for (int j = 0; j < a.n; j++) largest = fmax(largest, cabs(square.a[i][j] - (i == j)));
    if (a.n != 3) return largest;
    double complex det = 0;
    for (int i = 0; i < 3; i++)
        det += a.a[0][i] * (a.a[1][(i + 1) % 3] * a.a[2][(i + 2) % 3] - a.a[1][(i + 2) % 3] * a.a[2][(i + 1) % 3]);
    return fmax(largest, cabs(det - 1));
}

/* One member of a gauge field as lat_field_gather gives it. */
typedef struct {
    lat_group group;
    int dim;
    int64_t size[LAT_MAX_DIM];
    double *real; /* [site][direction][real] */
} plain_field;

static inline matrix plain_link(const plain_field *f, int64_t site, int mu)
{
    return matrix_of(f->group, f->real + (site * f->dim + mu) * lat_link_reals(f->group));
}

static inline int64_t plain_next(const plain_field *f, int64_t site, int mu, int sign)
{
    int64_t stride = 1;
    for (int i = 0; i < mu; i++) stride *= f->size[i];
    int64_t c = site / stride % f->size[mu];
    return site + ((c + sign + f->size[mu]) % f->size[mu] - c) * stride;
}

static inline int plain_parity(const plain_field *f, int64_t site)
{
    int64_t sum = 0;
    for (int mu = 0; mu < f->dim; mu++) {
        sum += site % f->size[mu];
        site /= f->size[mu];
    }
    return (int)(sum % 2);
}

/* A: the sum of the plaquettes through the link is Re tr U A. */
static inline matrix plain_staple(const plain_field *f, int64_t x, int mu)
{
    matrix sum = {.n = (int)f->group + 1};
    int64_t ahead = plain_next(f, x, mu, 1);
    for (int nu = 0; nu < f->dim; nu++) {
        if (nu == mu) continue;
        int64_t below = plain_next(f, x, nu, -1);
        matrix up = matrix_product(plain_link(f, ahead, nu), matrix_dagger(plain_link(f, plain_next(f, x, nu, 1), mu)));
        up = matrix_product(up, matrix_dagger(plain_link(f, x, nu)));
        matrix down = matrix_product(plain_link(f, below, mu), plain_link(f, plain_next(f, below, mu, 1), nu));
        down = matrix_product(matrix_dagger(down), plain_link(f, below, nu));
        sum = matrix_sum(sum, matrix_sum(up, down));
    }
    return sum;
}

#endif
