/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dense.c: log |det M| = log |det D_oo| + log |det Mhat|, Mhat = D_ee - kappa^2 H_eo D_oo^-1 H_oe as a dense matrix on the even sites, D = A + 2 i
 * kappa mu gamma5.  The derivatives have M^-1 between neighbours, kappa D_oo^-1 H_oe Mhat^-1 and kappa Mhat^-1 H_eo D_oo^-1, and at a site,
 * Mhat^-1 or (1 + kappa M^-1_oe H_eo) D_oo^-1.
 */
#include "lattice/dirac/dense.h"
#include "lattice/dirac/gamma.h"

#include <complex.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    block *inverse;               /* D_oo^-1 */
    const double *links, *blocks; /* of the member at work, from its lane; blocks NULL: A = 1 */
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
    d->inverse = lat_alloc(g->parity[1].count, sizeof *d->inverse);
    return d;
}

void lat_dense_free(lat_dense *d)
{
    if (!d) return;
    free(d->number);
    free(d->matrix);
    free(d->pivots);
    free(d->inverse);
    free(d);
}

/* ------------------------------------------------------------------------------------------------------------ blocks */

static double complex power_of_i(int power)
{
    static const double re[] = {1, 0, -1, 0}, im[] = {0, 1, 0, -1};
    return re[power] + I * im[power];
}

static int64_t place(const lat_dense *d, int64_t site, int mu, int i, int j)
{
    return (((site * d->dim + mu) * d->colours + i) * d->colours + j) * 2 * d->geometry->lanes;
}

static double complex link_of(const lat_dense *d, int64_t site, int mu, int i, int j)
{
    const double *from = d->links + place(d, site, mu, i, j);
    return from[0] + I * from[d->geometry->lanes];
}

static int64_t neighbour(const lat_dense *d, int64_t site, int mu, int sign)
{
    return sign > 0 ? d->geometry->up[mu][site] : d->geometry->down[mu][site];
}

static void clear(block a) { memset(a, 0, sizeof(block)); }

/* (1 -+ gamma_mu) U: what H has between a site and its neighbour. */
static void hop(const lat_dense *d, int64_t site, int mu, int sign, block out)
{
    const int n = d->colours;
    const int64_t at = sign > 0 ? site : neighbour(d, site, mu, sign);
    const lat_gamma gamma = lat_gamma_mu(d->dim, mu);
    clear(out);
    for (int spin = 0; spin < d->spins; spin++) {
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                double complex u = sign > 0 ? link_of(d, at, mu, i, j) : conj(link_of(d, at, mu, j, i));
                out[spin * n + i][spin * n + j] += u;
                out[spin * n + i][gamma.column[spin] * n + j] -= sign * power_of_i(gamma.power[spin]) * u;
            }
    }
}

/* Where in a field of blocks of A the entry i, j >= i is. */
static int64_t block_place(const lat_dense *d, int64_t site, int chirality, int i, int j)
{
    const int n = d->components / 2;
    return ((site * 2 + chirality) * n * n + lat_block_number(n, i, j)) * d->geometry->lanes;
}

static double complex block_entry(const lat_dense *d, int64_t site, int chirality, int i, int j)
{
    if (!d->blocks) return i == j;
    const double *from = d->blocks + block_place(d, site, chirality, i < j ? i : j, i < j ? j : i);
    if (i == j) return from[0];
    return from[0] + I * (i < j ? from[d->geometry->lanes] : -from[d->geometry->lanes]);
}

/* D of a site in one chirality, in rows of as many columns. */
static void diagonal(const lat_dense *d, int64_t site, int chirality, double complex *out)
{
    const int n = d->components / 2;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            out[i * n + j] =
                block_entry(d, site, chirality, i, j) + (i == j ? (chirality ? -2 : 2) * I * d->kappa * d->mu : 0);
}

/* a = a b, or b a */
static void multiply(const lat_dense *d, block a, block b, bool from_left)
{
    block product;
    clear(product);
    for (int r = 0; r < d->components; r++)
        for (int k = 0; k < d->components; k++)
            for (int c = 0; c < d->components; c++) product[r][c] += from_left ? b[r][k] * a[k][c] : a[r][k] * b[k][c];
    memcpy(a, product, sizeof product);
}

static double complex *entry(const lat_dense *d, int64_t row_site, int row, int64_t column_site, int column)
{
    const int64_t r = d->number[row_site] * d->components + row, c = d->number[column_site] * d->components + column;
    return d->matrix + c * d->rows + r;
}

/* ------------------------------------------------------------------------------------------------------------ matrix */

/* -infinity where rounding alone is left of a pivot. */
static double log_of_pivots(const double complex *matrix, lapack_int rows)
{
    const double rounding = 1e-14;
    double log_det = 0;
    for (lapack_int i = 0; i < rows; i++) {
        double pivot = cabs(matrix[(int64_t)i * (rows + 1)]);
        log_det += pivot < rounding ? -INFINITY : log(pivot);
    }
    return log_det;
}

/* D^-1 of an odd site; log |det D|, -infinity where there is no inverse. */
static double invert_diagonal(const lat_dense *d, int64_t site, block out)
{
    const int n = d->components / 2;
    double complex a[MOST * MOST / 4];
    lapack_int pivots[MOST / 2];
    double log_det = 0;
    clear(out);
    for (int chirality = 0; chirality < 2; chirality++) {
        diagonal(d, site, chirality, a);
        if (LAPACKE_zgetrf(LAPACK_ROW_MAJOR, n, n, a, n, pivots)) return -INFINITY;
        log_det += log_of_pivots(a, n);
        if (LAPACKE_zgetri(LAPACK_ROW_MAJOR, n, a, n, pivots)) return -INFINITY;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) out[chirality * n + i][chirality * n + j] = a[i * n + j];
    }
    return log_det;
}

/* -= kappa^2 a b */
static void subtract_product(const lat_dense *d, int64_t row_site, int64_t column_site, block a, block b)
{
    for (int c = 0; c < d->components; c++)
        for (int k = 0; k < d->components; k++) {
            double complex factor = d->kappa * d->kappa * b[k][c];
            for (int r = 0; r < d->components; r++) *entry(d, row_site, r, column_site, c) -= a[r][k] * factor;
        }
}

static void fill_rows(const lat_dense *d, int64_t site)
{
    const int n = d->components / 2;
    double complex own[MOST * MOST / 4];
    block to_odd, to_even;
    for (int chirality = 0; chirality < 2; chirality++) {
        diagonal(d, site, chirality, own);
        for (int i = 0; i < n * n; i++) *entry(d, site, chirality * n + i / n, site, chirality * n + i % n) += own[i];
    }
    for (int m = 0; m < 2 * d->dim; m++) {
        const int64_t odd = neighbour(d, site, m / 2, 1 - 2 * (m % 2));
        hop(d, site, m / 2, 1 - 2 * (m % 2), to_odd);
        multiply(d, to_odd, d->inverse[d->number[odd]], false);
        for (int n_odd = 0; n_odd < 2 * d->dim; n_odd++) {
            hop(d, odd, n_odd / 2, 1 - 2 * (n_odd % 2), to_even);
            subtract_product(d, site, neighbour(d, odd, n_odd / 2, 1 - 2 * (n_odd % 2)), to_odd, to_even);
        }
    }
}

/* -infinity where there is no inverse. */
static double factorise(const lat_dense *d)
{
    const lat_sites *even = &d->geometry->parity[0], *odd = &d->geometry->parity[1];
    const int64_t entries = (int64_t)d->rows * d->rows;
    double log_det = 0;
    for (int64_t i = 0; i < odd->count; i++) log_det += invert_diagonal(d, odd->site[i], d->inverse[i]);
    for (int64_t i = 0; i < entries; i++) d->matrix[i] = 0;
    for (int64_t i = 0; i < even->count; i++) fill_rows(d, even->site[i]);
    if (LAPACKE_zgetrf(LAPACK_COL_MAJOR, d->rows, d->rows, d->matrix, d->rows, d->pivots)) return -INFINITY;
    return log_det + log_of_pivots(d->matrix, d->rows);
}

/* ---------------------------------------------------------------------------------------------------------- gradient */

/* out = M^-1(odd, even), or M^-1(even, odd). */
static void between(const lat_dense *d, int64_t even, int64_t odd, bool from_even, block out)
{
    block h;
    clear(out);
    for (int m = 0; m < 2 * d->dim; m++) {
        const int mu = m / 2, sign = 1 - 2 * (m % 2);
        const int64_t other = neighbour(d, odd, mu, sign);
        hop(d, from_even ? odd : other, mu, from_even ? sign : -sign, h);
        for (int r = 0; r < d->components; r++)
            for (int c = 0; c < d->components; c++)
                for (int k = 0; k < d->components; k++)
                    out[r][c] += d->kappa * (from_even ? h[r][k] * *entry(d, other, k, even, c)
                                                       : *entry(d, even, r, other, k) * h[k][c]);
    }
    multiply(d, out, d->inverse[d->number[odd]], from_even);
}

/* out = M^-1(x, x) */
static void at_site(const lat_dense *d, int64_t site, bool even, block out)
{
    block h, inverse;
    clear(out);
    for (int i = 0; i < d->components; i++) {
        if (!even) out[i][i] = 1;
        for (int j = 0; j < d->components && even; j++) out[i][j] = *entry(d, site, i, site, j);
    }
    if (even) return;
    for (int m = 0; m < 2 * d->dim; m++) {
        const int mu = m / 2, sign = 1 - 2 * (m % 2);
        const int64_t other = neighbour(d, site, mu, sign);
        between(d, other, site, true, inverse);
        hop(d, other, mu, -sign, h);
        multiply(d, inverse, h, false);
        for (int r = 0; r < d->components; r++)
            for (int c = 0; c < d->components; c++) out[r][c] += d->kappa * inverse[r][c];
    }
    multiply(d, out, d->inverse[d->number[site]], false);
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

/* W, the diagonal blocks of M^-1(x, x), made Hermitian. */
static void put_weights(const lat_dense *d, int64_t site, bool even, double *out)
{
    const int n = d->components / 2;
    block inverse;
    at_site(d, site, even, inverse);
    for (int chirality = 0; chirality < 2; chirality++)
        for (int i = 0; i < n; i++)
            for (int j = i; j < n; j++) {
                const int first = chirality * n;
                double complex w = 0.5 * (inverse[first + i][first + j] + conj(inverse[first + j][first + i]));
                double *to = out + block_place(d, site, chirality, i, j);
                to[0] = creal(w);
                if (i != j) to[d->geometry->lanes] = cimag(w);
            }
}

static void differentiate(const lat_dense *d, double *gradient, double *weights)
{
    const lat_geometry *g = d->geometry;
    if (LAPACKE_zgetri(LAPACK_COL_MAJOR, d->rows, d->matrix, d->rows, d->pivots))
        lat_abort(LAT_NUMERICAL, "no inverse of the Dirac operator: out of memory");
    for (int parity = 0; parity < 2; parity++)
        for (int64_t i = 0; i < g->parity[parity].count; i++) {
            const int64_t site = g->parity[parity].site[i];
            for (int mu = 0; mu < g->dim; mu++) put_gradient(d, site, mu, parity == 0, gradient);
            if (weights) put_weights(d, site, parity == 0, weights);
        }
}

void lat_dense_log_det(lat_dense *d, const lat_elimination *of, double *log_det, const lat_elimination *derivatives)
{
    const lat_elimination_numbers in = lat_elimination_map(of, LAT_READ),
                                  out = lat_elimination_map(derivatives, LAT_WRITE);
    for (int member = 0; member < d->geometry->members; member++) {
        d->links = in.links + member;
        d->blocks = in.blocks ? in.blocks + member : NULL;
        log_det[member] = factorise(d);
        if (derivatives && isfinite(log_det[member]))
            differentiate(d, out.links + member, out.blocks ? out.blocks + member : NULL);
    }
    lat_elimination_unmap(derivatives, out, LAT_WRITE);
    lat_elimination_unmap(of, in, LAT_READ);
}
