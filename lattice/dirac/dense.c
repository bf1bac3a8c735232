/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dense.c: log |det M| = log |det D_oo| + log |det Mhat|, Mhat = D_ee - kappa^2 H_eo D_oo^-1 H_oe as a dense matrix on the even sites, D = 1 + 2 i
 * kappa mu gamma5.  The gradient has M^-1 between neighbours, kappa D_oo^-1 H_oe Mhat^-1 and kappa Mhat^-1 H_eo D_oo^-1.
 */
#include "lattice/dirac/dense.h"
#include "lattice/dirac/gamma.h"

#include <complex.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* Most components of a site. */
enum { MOST = 12 };
typedef double complex block[MOST][MOST];

struct lat_dense {
    const lat_geometry *geometry;
    int dim, colours, spins, components; /* of a site */
    lapack_int rows;
    double kappa, mu;
    int64_t *number;        /* of a site among those of its parity */
    double complex *matrix; /* column after column */
    lapack_int *pivots;
    const double *links; /* of the member at work, from its lane */
};

double lat_dense_rows(double volume, lat_group group, int dim)
{
    return volume / 2 * lat_spins(dim) * ((int)group + 1);
}

double lat_dense_bytes(double volume, lat_group group, int dim)
{
    double rows = lat_dense_rows(volume, group, dim);
    return rows * rows * sizeof(double complex);
}

/* Numbers sites of both parities. */
static void number_sites(lat_dense *d)
{
    const lat_geometry *g = d->geometry;
    d->number = lat_alloc(g->volume, sizeof *d->number);
    for (int parity = 0; parity < 2; parity++)
        for (int64_t i = 0; i < g->parity[parity].count; i++) d->number[g->parity[parity].site[i]] = i;
}

lat_dense *lat_dense_create(const lat_geometry *g, lat_group group, const lat_dirac_parameters *parameters)
{
    lat_dense *d = lat_alloc(1, sizeof *d);
    const int colours = (int)group + 1, spins = lat_spins(g->dim);
    *d = (lat_dense){.geometry = g, .dim = g->dim, .colours = colours, .spins = spins, .components = spins * colours};
    d->rows = (lapack_int)(g->volume / 2 * d->components);
    d->kappa = parameters->kappa;
    d->mu = parameters->mu;
    number_sites(d);
    d->matrix = lat_alloc((int64_t)d->rows * d->rows, sizeof *d->matrix);
    d->pivots = lat_alloc(d->rows, sizeof *d->pivots);
    return d;
}

void lat_dense_free(lat_dense *d)
{
    if (!d) return;
    free(d->number);
    free(d->matrix);
    free(d->pivots);
    free(d);
}

/* ------------------------------------------------------------------------------------------------------------ blocks */

static double complex power_of_i(int power)
{
    static const double re[] = {1, 0, -1, 0}, im[] = {0, 1, 0, -1};
    return CMPLX(re[power], im[power]);
}

static int64_t place(const lat_dense *d, int64_t site, int mu, int i, int j)
{
    return (((site * d->dim + mu) * d->colours + i) * d->colours + j) * 2 * d->geometry->lanes;
}

static double complex link_of(const lat_dense *d, int64_t site, int mu, int i, int j)
{
    const double *from = d->links + place(d, site, mu, i, j);
    return CMPLX(from[0], from[d->geometry->lanes]);
}

static int64_t neighbour(const lat_dense *d, int64_t site, int mu, int sign)
{
    return sign > 0 ? d->geometry->up[mu][site] : d->geometry->down[mu][site];
}

/* (1 -+ gamma_mu) U: what H has between a site and its neighbour. */
static void hop(const lat_dense *d, int64_t site, int mu, int sign, block out)
{
    const int n = d->colours;
    const int64_t at = sign > 0 ? site : neighbour(d, site, mu, sign);
    const lat_gamma gamma = lat_gamma_mu(d->dim, mu);
    for (int r = 0; r < d->components; r++)
        for (int c = 0; c < d->components; c++) out[r][c] = 0;
    for (int spin = 0; spin < d->spins; spin++) {
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                double complex u = sign > 0 ? link_of(d, at, mu, i, j) : conj(link_of(d, at, mu, j, i));
                out[spin * n + i][spin * n + j] += u;
                out[spin * n + i][gamma.column[spin] * n + j] -= sign * power_of_i(gamma.power[spin]) * u;
            }
    }
}

/* D of a component. */
static double complex diagonal(const lat_dense *d, int component)
{
    return CMPLX(1, (component < d->components / 2 ? 2 : -2) * d->kappa * d->mu);
}

static double complex *entry(const lat_dense *d, int64_t row_site, int row, int64_t column_site, int column)
{
    const int64_t r = d->number[row_site] * d->components + row, c = d->number[column_site] * d->components + column;
    return d->matrix + c * d->rows + r;
}

/* ------------------------------------------------------------------------------------------------------------ matrix */

/* -= kappa^2 a D_oo^-1 b */
static void subtract_product(const lat_dense *d, int64_t row_site, int64_t column_site, block a, block b)
{
    for (int c = 0; c < d->components; c++)
        for (int k = 0; k < d->components; k++) {
            double complex factor = d->kappa * d->kappa / diagonal(d, k) * b[k][c];
            for (int r = 0; r < d->components; r++) *entry(d, row_site, r, column_site, c) -= a[r][k] * factor;
        }
}

static void fill_rows(const lat_dense *d, int64_t site)
{
    block to_odd, to_even;
    for (int r = 0; r < d->components; r++) *entry(d, site, r, site, r) += diagonal(d, r);
    for (int m = 0; m < 2 * d->dim; m++) {
        const int64_t odd = neighbour(d, site, m / 2, 1 - 2 * (m % 2));
        hop(d, site, m / 2, 1 - 2 * (m % 2), to_odd);
        for (int n = 0; n < 2 * d->dim; n++) {
            hop(d, odd, n / 2, 1 - 2 * (n % 2), to_even);
            subtract_product(d, site, neighbour(d, odd, n / 2, 1 - 2 * (n % 2)), to_odd, to_even);
        }
    }
}

/* -infinity where there is no inverse: where rounding alone is left of a pivot. */
static double factorise(const lat_dense *d)
{
    const double rounding = 1e-14;
    const lat_sites *even = &d->geometry->parity[0];
    const int64_t entries = (int64_t)d->rows * d->rows;
    for (int64_t i = 0; i < entries; i++) d->matrix[i] = 0;
    for (int64_t i = 0; i < even->count; i++) fill_rows(d, even->site[i]);
    if (LAPACKE_zgetrf(LAPACK_COL_MAJOR, d->rows, d->rows, d->matrix, d->rows, d->pivots)) return -INFINITY;
    double log_det = 0.5 * d->rows * log1p(4 * d->kappa * d->kappa * d->mu * d->mu);
    for (int64_t i = 0; i < d->rows; i++) {
        double pivot = cabs(d->matrix[i * (d->rows + 1)]);
        log_det += pivot < rounding ? -INFINITY : log(pivot);
    }
    return log_det;
}

/* ---------------------------------------------------------------------------------------------------------- gradient */

/* out = M^-1(odd, even), or M^-1(even, odd). */
static void between(const lat_dense *d, int64_t even, int64_t odd, bool from_even, block out)
{
    block h;
    for (int r = 0; r < d->components; r++)
        for (int c = 0; c < d->components; c++) out[r][c] = 0;
    for (int m = 0; m < 2 * d->dim; m++) {
        const int mu = m / 2, sign = 1 - 2 * (m % 2);
        const int64_t other = neighbour(d, odd, mu, sign);
        hop(d, from_even ? odd : other, mu, from_even ? sign : -sign, h);
        for (int r = 0; r < d->components; r++)
            for (int c = 0; c < d->components; c++)
                for (int k = 0; k < d->components; k++)
                    out[r][c] += d->kappa * (from_even ? h[r][k] * *entry(d, other, k, even, c) / diagonal(d, r)
                                                       : *entry(d, even, r, other, k) * h[k][c] / diagonal(d, c));
    }
}

/* out_ij = the trace over spins of a b of colours i, j, of two sites or of one. */
static double complex trace_spins(const lat_dense *d, block a, block b, int i, int j)
{
    double complex sum = 0;
    for (int spin = 0; spin < d->spins; spin++)
        for (int k = 0; k < d->components; k++) sum += a[spin * d->colours + i][k] * b[k][spin * d->colours + j];
    return sum;
}

/* Z_mu(x) = -kappa (h(x, x+mu) M^-1(x+mu, x) - M^-1(x, x+mu) h(x+mu, x)), traces over spins of the hops h. */
static void put_gradient(const lat_dense *d, int64_t site, int mu, bool even, double *out)
{
    const int64_t next = neighbour(d, site, mu, 1);
    block there, back, to_next, to_here;
    hop(d, site, mu, 1, there);
    hop(d, next, mu, -1, back);
    between(d, even ? site : next, even ? next : site, even, to_next);  /* M^-1(x+mu, x) */
    between(d, even ? site : next, even ? next : site, !even, to_here); /* M^-1(x, x+mu) */
    for (int i = 0; i < d->colours; i++)
        for (int j = 0; j < d->colours; j++) {
            double complex z = -d->kappa * (trace_spins(d, there, to_next, i, j) - trace_spins(d, to_here, back, i, j));
            double *to = out + place(d, site, mu, i, j);
            to[0] = creal(z);
            to[d->geometry->lanes] = cimag(z);
        }
}

static void differentiate(const lat_dense *d, double *out)
{
    const lat_geometry *g = d->geometry;
    if (LAPACKE_zgetri(LAPACK_COL_MAJOR, d->rows, d->matrix, d->rows, d->pivots))
        lat_abort(LAT_NUMERICAL, "no inverse of the Dirac operator: out of memory");
    for (int parity = 0; parity < 2; parity++)
        for (int64_t i = 0; i < g->parity[parity].count; i++)
            for (int mu = 0; mu < g->dim; mu++) put_gradient(d, g->parity[parity].site[i], mu, parity == 0, out);
}

void lat_dense_log_det(lat_dense *d, const lat_field *links, double *log_det, lat_field *gradient)
{
    const double *numbers = lat_field_map(links, LAT_READ);
    double *out = gradient ? lat_field_map(gradient, LAT_WRITE) : NULL;
    for (int member = 0; member < d->geometry->members; member++) {
        d->links = numbers + member;
        log_det[member] = factorise(d);
        if (gradient && isfinite(log_det[member])) differentiate(d, out + member);
    }
    if (gradient) lat_field_unmap(gradient, out, LAT_WRITE);
    lat_field_unmap(links, (void *)(uintptr_t)numbers, LAT_READ);
}
