/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dirac_host.h: operators of quarks written out on the host, with matrices as the definition has them.
 */
#ifndef DIRAC_HOST_H
#define DIRAC_HOST_H

#include "lattice/lattice.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double complex number;

typedef struct {
    const char *name;
    lat_group group;
    int dim;
    int64_t size[LAT_MAX_DIM];
    const lat_dirac_table *kind;
    lat_dirac_parameters parameters;
} scene;

typedef struct {
    const scene *scene;
    int n, spins;
    int64_t volume;
    number *links; /* [site][mu][N][N] */
    number gamma[4][4][4];
} host;

static void put_gammas(host *h)
{
    static const number sigma[4][2][2] = {{{0, 1}, {1, 0}}, {{0, -I}, {I, 0}}, {{1, 0}, {0, -1}}, {{1, 0}, {0, 1}}};
    static const number factor[4] = {I, -I, I, 1};
    memset(h->gamma, 0, sizeof h->gamma);
    for (int mu = 0; mu < h->scene->dim; mu++)
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++) {
                if (h->spins == 2) h->gamma[mu][i][j] = sigma[mu][i][j];
                if (h->spins == 2) continue;
                h->gamma[mu][i][2 + j] = factor[mu] * sigma[mu][i][j];
                h->gamma[mu][2 + j][i] = conj(factor[mu] * sigma[mu][i][j]);
            }
}

static void multiply(int n, const number *a, const number *b, number *out)
{
    number result[9];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            result[i * n + j] = 0;
            for (int l = 0; l < n; l++) result[i * n + j] += a[i * n + l] * b[l * n + j];
        }
    memcpy(out, result, (size_t)(n * n) * sizeof *out);
}

static int64_t step(const host *h, int64_t site, int mu, int sign)
{
    int64_t stride = 1;
    for (int nu = 0; nu < mu; nu++) stride *= h->scene->size[nu];
    int64_t L = h->scene->size[mu], x = site / stride % L;
    return site + ((x + sign + L) % L - x) * stride;
}

/* The product of links along a path: steps mu + 1 forward, -(mu + 1) backward */
static void along(const host *h, int64_t site, const int *path, number *out)
{
    int n = h->n;
    for (int i = 0; i < n * n; i++) out[i] = i % (n + 1) == 0;
    for (int p = 0; p < 4; p++) {
        int mu = abs(path[p]) - 1;
        number link[9];
        if (path[p] < 0) site = step(h, site, mu, -1);
        const number *u = h->links + (site * h->scene->dim + mu) * n * n;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) link[i * n + j] = path[p] > 0 ? u[i * n + j] : conj(u[j * n + i]);
        multiply(n, out, link, out);
        if (path[p] > 0) site = step(h, site, mu, 1);
    }
}

/* U <- exp(-rho P(sum of plaquettes that begin with U)) U */
static void smear_link(const host *h, int64_t site, int mu, number *out)
{
    const int n = h->n;
    number sum[9] = {0}, x[9], term[9], trace = 0;
    for (int nu = 0; nu < h->scene->dim; nu++)
        for (int sign = -1; sign <= 1 && nu != mu; sign += 2) {
            const int a = mu + 1, b = sign * (nu + 1), path[4] = {a, b, -a, -b};
            number plaquette[9];
            along(h, site, path, plaquette);
            for (int i = 0; i < n * n; i++) sum[i] += plaquette[i];
        }
    for (int i = 0; i < n; i++) trace += n > 1 ? I * cimag(sum[i * (n + 1)]) / n : 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            x[i * n + j] = -h->scene->parameters.stout.rho *
                           (0.5 * (sum[i * n + j] - conj(sum[j * n + i])) - (i == j ? trace : 0));
    memcpy(out, h->links + (site * h->scene->dim + mu) * n * n, (size_t)(n * n) * sizeof *out);
    memcpy(term, out, (size_t)(n * n) * sizeof *out);
    for (int k = 1; k < 40; k++) {
        multiply(n, x, term, term);
        for (int i = 0; i < n * n; i++) out[i] += term[i] /= k;
    }
}

static void smear(host *h)
{
    const int dim = h->scene->dim, entries = h->n * h->n;
    number *links = lat_alloc((size_t)(h->volume * dim * entries), sizeof *links);
    for (int64_t i = 0; i < h->volume * dim; i++) smear_link(h, i / dim, (int)(i % dim), links + i * entries);
    free(h->links);
    h->links = links;
}

static int colours_of(const scene *s) { return s->group == LAT_U1 ? 1 : s->group == LAT_SU2 ? 2 : 3; }

/* An element of the group as it is stored, as a matrix */
static void put_matrix(int n, const double *u, number *to)
{
    if (n == 1) to[0] = cexp(I * u[0]);
    if (n == 2) to[0] = u[0] + I * u[3], to[1] = u[2] + I * u[1], to[2] = -u[2] + I * u[1], to[3] = u[0] - I * u[3];
    for (int e = 0; n == 3 && e < 9; e++) to[e] = u[2 * e] + I * u[2 * e + 1];
}

static host open_host(const scene *s, const lat_gauge *gauge)
{
    int n = colours_of(s), reals = lat_link_reals(s->group);
    host h = {.scene = s, .n = n, .spins = lat_spins(s->dim), .volume = gauge->links->geometry->volume};
    double *links = lat_alloc((size_t)(h.volume * s->dim * reals), sizeof *links);
    lat_field_gather(gauge->links, 0, links);
    h.links = lat_alloc((size_t)(h.volume * s->dim * n * n), sizeof *h.links);
    for (int64_t i = 0; i < h.volume * s->dim; i++) put_matrix(n, links + i * reals, h.links + i * n * n);
    free(links);
    for (int i = 0; i < s->parameters.stout.steps; i++) smear(&h);
    put_gammas(&h);
    return h;
}

/* out(x) += factor (spin matrix) x (colour matrix) psi(from) */
static void add_product(const host *h, number factor, number spin[4][4], const number *colour, const number *psi,
                        number *out)
{
    for (int a = 0; a < h->spins; a++)
        for (int b = 0; b < h->spins; b++)
            for (int i = 0; i < h->n && spin[a][b] != 0; i++)
                for (int j = 0; j < h->n; j++)
                    out[a * h->n + i] += factor * spin[a][b] * colour[i * h->n + j] * psi[b * h->n + j];
}

static void add_hops(const host *h, int64_t site, const number *psi, number *out)
{
    const lat_dirac_parameters *p = &h->scene->parameters;
    int n = h->n, reals = h->spins * n;
    for (int mu = 0; mu < h->scene->dim; mu++)
        for (int sign = -1; sign <= 1; sign += 2) {
            int64_t to = step(h, site, mu, sign), from = sign > 0 ? site : to, next = step(h, from, mu, 1);
            const number *u = h->links + (from * h->scene->dim + mu) * n * n;
            number projector[4][4], link[9], phase = next < from ? cexp(I * M_PI * p->angle[mu]) : 1;
            for (int a = 0; a < 4; a++)
                for (int b = 0; b < 4; b++) projector[a][b] = (a == b) - sign * h->gamma[mu][a][b];
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                    link[i * n + j] = sign > 0 ? phase * u[i * n + j] : conj(phase * u[j * n + i]);
            add_product(h, -p->kappa, projector, link, psi + to * reals, out);
        }
}

/* The clover term at a site, applied to psi of the site */
static void add_clover(const host *h, int64_t site, const number *psi, number *out)
{
    int n = h->n;
    for (int m = 0; m < h->scene->dim; m++)
        for (int v = m + 1; v < h->scene->dim; v++) {
            int a = m + 1, b = v + 1;
            const int path[4][4] = {{a, b, -a, -b}, {b, -a, -b, a}, {-a, -b, a, b}, {-b, a, b, -a}};
            number q[9] = {0}, leaf[9], f[9], pair[4][4];
            for (int l = 0; l < 4; l++) {
                along(h, site, path[l], leaf);
                for (int i = 0; i < n * n; i++) q[i] += leaf[i];
            }
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) f[i * n + j] = (q[i * n + j] - conj(q[j * n + i])) / 8;
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 4; j++) {
                    pair[i][j] = 0;
                    for (int l = 0; l < 4; l++) pair[i][j] -= h->gamma[m][i][l] * h->gamma[v][l][j];
                }
            add_product(h, h->scene->parameters.kappa * h->scene->parameters.csw, pair, f, psi, out);
        }
}

/* That of the exponential, without 1: the series */
static void add_exponential(const host *h, int64_t site, const number *psi, number *out)
{
    enum { TERMS = 40 };
    int reals = h->spins * h->n;
    number term[12];
    memcpy(term, psi, (size_t)reals * sizeof *term);
    for (int n = 1; n < TERMS; n++) {
        number next[12] = {0};
        add_clover(h, site, term, next);
        for (int c = 0; c < reals; c++) out[c] += term[c] = next[c] / n;
    }
}

static void apply_host(const host *h, const number *psi, number *out)
{
    const lat_dirac_parameters *p = &h->scene->parameters;
    int reals = h->spins * h->n;
    for (int64_t site = 0; site < h->volume; site++) {
        for (int c = 0; c < reals; c++)
            out[site * reals + c] = psi[site * reals + c] * (1 + 2 * I * p->kappa * p->mu * (c < reals / 2 ? 1 : -1));
        add_hops(h, site, psi, out + site * reals);
        if (h->scene->kind == &lat_dirac_clover) add_clover(h, site, psi + site * reals, out + site * reals);
        if (h->scene->kind == &lat_dirac_exponential_clover)
            add_exponential(h, site, psi + site * reals, out + site * reals);
    }
}

#endif
