/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * dirac: operators of quarks against matrices written out on the host, adjoints, forces against differences, precisions, lanes.
 */
#include "lattice/gauge/kernels.h"
#include "tests/tap.h"

#include <complex.h>

typedef double complex number;

typedef struct {
    const char *name;
    lat_group group;
    int dim;
    int64_t size[LAT_MAX_DIM];
    const lat_dirac_table *kind;
    lat_dirac_parameters parameters;
} scene;

static const scene scenes[] = {
    {"u1 4x6 wilson", LAT_U1, 2, {4, 6}, &lat_dirac_wilson, {0.21, 0, 0, {0, 1}}},
    {"u1 8x4 clover, twisted, any angles", LAT_U1, 2, {8, 4}, &lat_dirac_clover, {0.19, 1.3, 0.4, {0.3, 0.7}}},
    {"su2 4x4 clover", LAT_SU2, 2, {4, 4}, &lat_dirac_clover, {0.23, 0.8, 0, {0, 1}}},
    {"su3 8x4 wilson, twisted", LAT_SU3, 2, {8, 4}, &lat_dirac_wilson, {0.2, 0, 0.3, {0.5, 1}}},
    {"su2 4^4 wilson, any angles", LAT_SU2, 4, {4, 4, 4, 4}, &lat_dirac_wilson, {0.12, 0, 0, {0, 0.2, 0, 1}}},
    {"su2 4^3x8 clover, twisted", LAT_SU2, 4, {4, 4, 4, 8}, &lat_dirac_clover, {0.11, 1.1, 0.5, {0, 0, 0, 1}}},
    {"su3 4^4 wilson", LAT_SU3, 4, {4, 4, 4, 4}, &lat_dirac_wilson, {0.13, 0, 0.2, {0, 0, 0, 1}}},
    {"su3 4^4 clover", LAT_SU3, 4, {4, 4, 4, 4}, &lat_dirac_clover, {0.12, 1.5, 0, {0, 0, 0, 1}}},
    {"su3 8x4^3 clover, twisted, any angles",
     LAT_SU3,
     4,
     {8, 4, 4, 4},
     &lat_dirac_clover,
     {0.125, 1.2, 0.3, {0.1, 0.2, 0.3, 0.9}}},
};
enum { SCENES = sizeof scenes / sizeof *scenes };

typedef struct {
    const scene *scene;
    lat_geometry *geometry;
    lat_gauge *gauge;
    lat_dirac *dirac;
    lat_field *x, *y, *density;
} world;

static lat_random random_of(uint64_t step)
{
    return (lat_random){.seed = 91, .purpose = LAT_RANDOM_TEST, .step = step};
}

static world open_world(const scene *s, int members, int one_lane)
{
    world w = {.scene = s};
    lat_error error = {0};
    lat_shape shape = {.dim = s->dim, .members = members, .precision = LAT_FLOAT};
    for (int mu = 0; mu < s->dim; mu++) {
        shape.size[mu] = s->size[mu];
        if (one_lane) shape.lane_grid[mu] = 1;
    }
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &w.geometry, &error) ||
        lat_dirac_create(s->kind, w.geometry, s->group, &s->parameters, &w.dirac, &error))
        lat_abort(error.status, "%s", error.text);
    w.gauge = lat_gauge_create(w.geometry, s->group, LAT_DOUBLE);
    w.x = lat_field_spinor(w.geometry, s->group, LAT_DOUBLE);
    w.y = lat_field_spinor(w.geometry, s->group, LAT_DOUBLE);
    w.density = lat_field_create(w.geometry, 1, LAT_DOUBLE);
    lat_random of_links = random_of(0), of_x = random_of(1), of_y = random_of(2);
    lat_gauge_haar(w.gauge, &of_links);
    lat_field_gaussian(w.x, &of_x);
    lat_field_gaussian(w.y, &of_y);
    if (lat_dirac_prepare(w.dirac, w.gauge, &error)) lat_abort(error.status, "%s", error.text);
    return w;
}

static void close_world(world *w)
{
    lat_field_free(w->x);
    lat_field_free(w->y);
    lat_field_free(w->density);
    lat_dirac_free(w->dirac);
    lat_gauge_free(w->gauge);
    lat_geometry_free(w->geometry);
}

/* ------------------------------------------------------------------------------------------- written out on the host */

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

static host open_host(const world *w)
{
    const scene *s = w->scene;
    int n = s->group == LAT_U1 ? 1 : s->group == LAT_SU2 ? 2 : 3, reals = lat_link_reals(s->group);
    host h = {.scene = s, .n = n, .spins = lat_spins(s->dim), .volume = w->geometry->volume};
    double *links = lat_alloc((size_t)(h.volume * s->dim * reals), sizeof *links);
    lat_field_gather(w->gauge->links, 0, links);
    h.links = lat_alloc((size_t)(h.volume * s->dim * n * n), sizeof *h.links);
    for (int64_t i = 0; i < h.volume * s->dim; i++) {
        const double *u = links + i * reals;
        number *to = h.links + i * n * n;
        if (n == 1) to[0] = cexp(I * u[0]);
        if (n == 2) to[0] = u[0] + I * u[3], to[1] = u[2] + I * u[1], to[2] = -u[2] + I * u[1], to[3] = u[0] - I * u[3];
        for (int e = 0; n == 3 && e < 9; e++) to[e] = u[2 * e] + I * u[2 * e + 1];
    }
    free(links);
    put_gammas(&h);
    return h;
}

static int64_t step(const host *h, int64_t site, int mu, int sign)
{
    int64_t stride = 1;
    for (int nu = 0; nu < mu; nu++) stride *= h->scene->size[nu];
    int64_t L = h->scene->size[mu], x = site / stride % L;
    return site + ((x + sign + L) % L - x) * stride;
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

static void add_clover(const host *h, int64_t site, const number *psi, number *out)
{
    int n = h->n, reals = h->spins * n;
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
            add_product(h, h->scene->parameters.kappa * h->scene->parameters.csw, pair, f, psi + site * reals, out);
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
        if (h->scene->kind == &lat_dirac_clover) add_clover(h, site, psi, out + site * reals);
    }
}

static void test_host(const scene *s)
{
    world w = open_world(s, 1, 0);
    host h = open_host(&w);
    size_t reals = (size_t)(h.volume * h.spins * h.n);
    number *x = lat_alloc(reals, sizeof *x), *y = lat_alloc(reals, sizeof *y), *expected = lat_alloc(reals, sizeof *y);
    double worst = 0;
    lat_field_gather(w.x, 0, (double *)x);
    apply_host(&h, x, expected);
    lat_dirac_apply(w.dirac, (lat_dirac_form){0}, w.x, w.y);
    lat_field_gather(w.y, 0, (double *)y);
    for (size_t i = 0; i < reals; i++) worst = fmax(worst, cabs(y[i] - expected[i]));
    ok_all(worst < 2e-14, "%s: M as written out, to %.1e", s->name, worst);
    free(x);
    free(y);
    free(expected);
    free(h.links);
    close_world(&w);
}

/* ----------------------------------------------------------------------------------------------------- properties */

static double dot(const world *w, lat_spinor_sites sites, const lat_field *x, const lat_field *y)
{
    double *out = lat_alloc((size_t)w->geometry->members, sizeof *out), first;
    lat_spinor_dot(sites, x, y, w->density, out);
    first = out[0];
    free(out);
    return first;
}

/* <x, D y> = <D^+ x, y> */
static void test_adjoint(const scene *s)
{
    for (int even = 0; even < 2; even++) {
        world w = open_world(s, 2, 0);
        lat_spinor_sites sites = even ? LAT_EVEN_SITES : LAT_ALL_SITES;
        lat_dirac_form form = {.even = even, .mass = 0.3};
        lat_field *out = lat_field_spinor(w.geometry, s->group, LAT_DOUBLE);
        lat_dirac_apply(w.dirac, form, w.y, out);
        double there = dot(&w, sites, w.x, out);
        form.dagger = true;
        lat_dirac_apply(w.dirac, form, w.x, out);
        double back = dot(&w, sites, out, w.y);
        ok_all(fabs(there - back) < 1e-11 * (1 + fabs(there)), "%s: adjoint of %s: %.15g, %.15g", s->name,
               even ? "Mhat" : "M", there, back);
        lat_field_free(out);
        close_world(&w);
    }
}

static void test_float(const scene *s)
{
    world w = open_world(s, 1, 0);
    lat_field *x = lat_field_spinor(w.geometry, s->group, LAT_FLOAT),
              *y = lat_field_spinor(w.geometry, s->group, LAT_FLOAT);
    lat_field *again = lat_field_spinor(w.geometry, s->group, LAT_DOUBLE);
    const double minus[] = {-1};
    for (int even = 0; even < 2; even++) {
        lat_dirac_form form = {.even = even, .dagger = even};
        lat_spinor_sites sites = even ? LAT_EVEN_SITES : LAT_ALL_SITES;
        lat_field_copy(x, w.x);
        lat_dirac_apply(w.dirac, form, w.x, w.y);
        lat_dirac_apply(w.dirac, form, x, y);
        lat_field_copy(again, y);
        lat_spinor_combine(sites, minus, w.y, NULL, again);
        double ratio = sqrt(dot(&w, sites, again, again) / dot(&w, sites, w.y, w.y));
        ok_all(ratio < 3e-7 && ratio > 1e-9, "%s: float and double differ by %.1e", s->name, ratio);
    }
    lat_field_free(x);
    lat_field_free(y);
    lat_field_free(again);
    close_world(&w);
}

/* Bits do not depend on lanes, nor on other members. */
static void test_lanes(const scene *s)
{
    double *values[2];
    size_t reals = 0;
    for (int one_lane = 0; one_lane < 2; one_lane++) {
        world w = open_world(s, one_lane ? 3 : 1, one_lane);
        reals = (size_t)(w.geometry->volume * lat_spinor_reals(s->group, s->dim));
        values[one_lane] = lat_alloc(reals, sizeof(double));
        lat_dirac_apply(w.dirac, (lat_dirac_form){.even = true}, w.x, w.y);
        lat_dirac_apply(w.dirac, (lat_dirac_form){0}, w.y, w.x);
        lat_field_gather(w.x, 0, values[one_lane]);
        close_world(&w);
    }
    ok_all(memcmp(values[0], values[1], reals * sizeof(double)) == 0, "%s: the same bits with other lanes and members",
           s->name);
    free(values[0]);
    free(values[1]);
}

/* ---------------------------------------------------------------------------------------------------------- forces */

typedef enum { FULL, EVEN_ODD, DIAGONAL } quantity;
static const char *const quantity_names[] = {"2 Re x^+ M y", "2 Re x^+ Mhat y", "log det D_oo"};

static double value_of(world *w, quantity which)
{
    lat_error error = {0};
    lat_field *out = lat_field_spinor(w->geometry, w->scene->group, LAT_DOUBLE);
    double result = 0;
    lat_dirac_prepare(w->dirac, w->gauge, &error);
    if (which == DIAGONAL) {
        lat_field_zero(w->density);
        lat_dirac_log_det_diagonal(w->dirac, w->density);
        lat_sum(w->density, &result);
    } else {
        lat_dirac_apply(w->dirac, (lat_dirac_form){.even = which == EVEN_ODD}, w->y, out);
        result = 2 * dot(w, which == EVEN_ODD ? LAT_EVEN_SITES : LAT_ALL_SITES, w->x, out);
    }
    lat_field_free(out);
    return result;
}

static void add_force(world *w, quantity which, lat_field *force)
{
    if (which == DIAGONAL) {
        lat_dirac_force_diagonal(w->dirac, w->gauge, 1.5, force);
        return;
    }
    if (which == EVEN_ODD) {
        lat_dirac_extend(w->dirac, true, w->x);
        lat_dirac_extend(w->dirac, false, w->y);
    }
    lat_dirac_force(w->dirac, w->gauge, 1.5, w->x, w->y, force);
}

static void test_force(const scene *s, quantity which)
{
    world w = open_world(s, 1, 0);
    lat_field *force = lat_field_algebra(w.geometry, s->group, LAT_DOUBLE),
              *along = lat_field_algebra(w.geometry, s->group, LAT_DOUBLE);
    lat_random of_direction = random_of(3);
    const double weights[] = {8, -1, -8, 1}, at[] = {1, 2, -1, -2}, h = 4e-4;
    double change = 0, expected;
    lat_field_gaussian(along, &of_direction);
    add_force(&w, which, force);
    lat_field_zero(w.density);
    expected = dot(&w, LAT_ALL_SITES, force, along) / 1.5;
    double position = 0;
    for (int i = 0; i < 4; i++) {
        lat_gauge_exp_update(w.gauge, (at[i] - position) * h, along);
        position = at[i];
        change += weights[i] * value_of(&w, which) / (12 * h);
    }
    ok_all(fabs(change - expected) < 2e-8 * (1 + fabs(expected)), "%s: d %s: %.12g, differences %.12g", s->name,
           quantity_names[which], expected, change);
    lat_field_free(force);
    lat_field_free(along);
    close_world(&w);
}

static void test_refused(void)
{
    const lat_shape shapes[] = {{.dim = 3, .size = {4, 4, 4}}, {.dim = 2, .size = {4, 5}}};
    for (int i = 0; i < 2; i++) {
        lat_geometry *geometry;
        lat_dirac *dirac;
        lat_error error = {0};
        if (lat_geometry_create(MPI_COMM_WORLD, &shapes[i], &geometry, &error)) {
            ok_all(1, "refused: %s", error.text);
            continue;
        }
        lat_status status = lat_dirac_create(&lat_dirac_wilson, geometry, LAT_SU2,
                                             &(lat_dirac_parameters){.kappa = 0.1}, &dirac, &error);
        ok_all(status == LAT_CONFIG && !dirac, "refused: %s", error.text);
        lat_geometry_free(geometry);
    }
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (int i = 0; i < SCENES; i++) {
        test_host(&scenes[i]);
        test_adjoint(&scenes[i]);
        test_float(&scenes[i]);
        test_lanes(&scenes[i]);
        test_force(&scenes[i], FULL);
        test_force(&scenes[i], EVEN_ODD);
        if (scenes[i].kind == &lat_dirac_clover) test_force(&scenes[i], DIAGONAL);
    }
    test_refused();
    return tap_end();
}
