/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * dirac: operators of quarks against matrices written out on the host, adjoints, forces against differences, precisions, lanes.
 */
#include "tests/dirac_host.h"
#include "tests/tap.h"

static const scene scenes[] = {
    {"u1 4x6 wilson", LAT_U1, 2, {4, 6}, &lat_dirac_wilson, {.kappa = 0.21, .angle = {0, 1}}},
    {"u1 8x4 clover, twisted, any angles",
     LAT_U1,
     2,
     {8, 4},
     &lat_dirac_clover,
     {.kappa = 0.19, .csw = 1.3, .mu = 0.4, .angle = {0.3, 0.7}}},
    {"su2 4x4 clover", LAT_SU2, 2, {4, 4}, &lat_dirac_clover, {.kappa = 0.23, .csw = 0.8, .angle = {0, 1}}},
    {"su3 8x4 wilson, twisted", LAT_SU3, 2, {8, 4}, &lat_dirac_wilson, {.kappa = 0.2, .mu = 0.3, .angle = {0.5, 1}}},
    {"su2 4^4 wilson, any angles",
     LAT_SU2,
     4,
     {4, 4, 4, 4},
     &lat_dirac_wilson,
     {.kappa = 0.12, .angle = {0, 0.2, 0, 1}}},
    {"su2 4^3x8 clover, twisted",
     LAT_SU2,
     4,
     {4, 4, 4, 8},
     &lat_dirac_clover,
     {.kappa = 0.11, .csw = 1.1, .mu = 0.5, .angle = {0, 0, 0, 1}}},
    {"su3 4^4 wilson", LAT_SU3, 4, {4, 4, 4, 4}, &lat_dirac_wilson, {.kappa = 0.13, .mu = 0.2, .angle = {0, 0, 0, 1}}},
    {"su3 4^4 clover", LAT_SU3, 4, {4, 4, 4, 4}, &lat_dirac_clover, {.kappa = 0.12, .csw = 1.5, .angle = {0, 0, 0, 1}}},
    {"su3 8x4^3 clover, twisted, any angles",
     LAT_SU3,
     4,
     {8, 4, 4, 4},
     &lat_dirac_clover,
     {.kappa = 0.125, .csw = 1.2, .mu = 0.3, .angle = {0.1, 0.2, 0.3, 0.9}}},
    {"u1 8x4 exponential clover",
     LAT_U1,
     2,
     {8, 4},
     &lat_dirac_exponential_clover,
     {.kappa = 0.19, .csw = 1.3, .angle = {0.3, 0.7}}},
    {"su3 4x4 exponential clover",
     LAT_SU3,
     2,
     {4, 4},
     &lat_dirac_exponential_clover,
     {.kappa = 0.2, .csw = 9, .angle = {0, 1}}},
    {"su2 4^3x8 exponential clover, twisted",
     LAT_SU2,
     4,
     {4, 4, 4, 8},
     &lat_dirac_exponential_clover,
     {.kappa = 0.11, .csw = 1.1, .mu = 0.5, .angle = {0, 0, 0, 1}}},
    {"u1 8x4 wilson, stout",
     LAT_U1,
     2,
     {8, 4},
     &lat_dirac_wilson,
     {.kappa = 0.19, .angle = {0.3, 0.7}, .stout = {2, 0.15}}},
    {"su3 4x4 clover, stout",
     LAT_SU3,
     2,
     {4, 4},
     &lat_dirac_clover,
     {.kappa = 0.2, .csw = 1, .mu = 0.1, .angle = {0, 1}, .stout = {1, 0.2}}},
    {"su2 4^4 clover, stout",
     LAT_SU2,
     4,
     {4, 4, 4, 4},
     &lat_dirac_clover,
     {.kappa = 0.12, .csw = 1.1, .angle = {0, 0, 0, 1}, .stout = {1, 0.12}}},
    {"su3 4^4 exponential clover, stout",
     LAT_SU3,
     4,
     {4, 4, 4, 4},
     &lat_dirac_exponential_clover,
     {.kappa = 0.12, .csw = 1.1, .mu = 0.2, .angle = {0, 0, 0, 1}, .stout = {2, 0.08}}},
    {"su3 4^4 exponential clover",
     LAT_SU3,
     4,
     {4, 4, 4, 4},
     &lat_dirac_exponential_clover,
     {.kappa = 0.125, .csw = 1.9, .angle = {0, 0, 0, 1}}},
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

static void test_host(const scene *s)
{
    world w = open_world(s, 1, 0);
    host h = open_host(s, w.gauge);
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

/* psi(x) <- g(x) psi(x) */
static void turn(const scene *s, const lat_field *g, lat_field *psi)
{
    const int n = colours_of(s), spins = lat_spins(s->dim);
    const int64_t volume = psi->geometry->volume;
    double *elements = lat_alloc(volume * g->components, sizeof *elements);
    number *values = lat_alloc(volume * spins * n, sizeof *values);
    lat_field_gather(g, 0, elements);
    lat_field_gather(psi, 0, (double *)values);
    for (int64_t i = 0; i < volume * spins; i++) {
        number matrix[9], out[3] = {0};
        put_matrix(n, elements + i / spins * g->components, matrix);
        for (int a = 0; a < n * n; a++) out[a / n] += matrix[a] * values[i * n + a % n];
        memcpy(values + i * n, out, (size_t)n * sizeof *out);
    }
    lat_field_scatter(psi, 0, (double *)values);
    free(elements);
    free(values);
}

/* M of turned links is what turns M psi, when psi is turned. */
static void test_covariance(const scene *s)
{
    world w = open_world(s, 1, 0);
    lat_error error = {0};
    lat_random of_turn = random_of(4);
    lat_field *g = lat_field_create(w.geometry, lat_link_reals(s->group), LAT_DOUBLE),
              *first = lat_field_spinor(w.geometry, s->group, LAT_DOUBLE);
    const double minus[] = {-1};
    lat_field_haar(g, s->group, &of_turn);
    lat_halo_exchange(g);
    lat_dirac_apply(w.dirac, (lat_dirac_form){0}, w.x, first);
    double norm = dot(&w, LAT_ALL_SITES, first, first);
    turn(s, g, first);
    turn(s, g, w.x);
    lat_gauge_transform(w.gauge, g);
    lat_dirac_prepare(w.dirac, w.gauge, &error);
    lat_dirac_apply(w.dirac, (lat_dirac_form){0}, w.x, w.y);
    lat_spinor_combine(LAT_ALL_SITES, minus, first, NULL, w.y);
    double off = sqrt(dot(&w, LAT_ALL_SITES, w.y, w.y) / norm);
    ok_all(off < 1e-14 && !error.status, "%s: M is covariant, to %.1e", s->name, off);
    lat_field_free(g);
    lat_field_free(first);
    close_world(&w);
}

static int parity_of(const scene *s, int64_t site)
{
    int64_t sum = 0;
    for (int mu = 0; mu < s->dim; site /= s->size[mu], mu++) sum += site % s->size[mu];
    return (int)(sum % 2);
}

/* D_oo^-1 x at odd sites, nothing at even ones: there M is D_oo. */
static void test_inverse(const scene *s)
{
    world w = open_world(s, 1, 0);
    int reals = lat_spinor_reals(s->group, s->dim);
    size_t all = (size_t)(w.geometry->volume * reals);
    double *x = lat_alloc(all, sizeof *x), *y = lat_alloc(all, sizeof *y), worst = 0;
    lat_field *inverse = lat_field_spinor(w.geometry, s->group, LAT_DOUBLE);
    lat_dirac_divide_diagonal(w.dirac, w.x, inverse);
    lat_dirac_apply(w.dirac, (lat_dirac_form){0}, inverse, w.y);
    lat_field_gather(w.x, 0, x);
    lat_field_gather(w.y, 0, y);
    for (size_t i = 0; i < all; i++)
        if (parity_of(s, (int64_t)i / reals)) worst = fmax(worst, fabs(x[i] - y[i]));
    ok_all(worst < 1e-13, "%s: D_oo^-1 is the inverse, to %.1e", s->name, worst);
    free(x);
    free(y);
    lat_field_free(inverse);
    close_world(&w);
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

/* Bits of spinors and of forces do not depend on lanes, nor on other members. */
static void test_lanes(const scene *s)
{
    double *values[2], *forces[2];
    size_t reals = 0, generators = 0;
    for (int one_lane = 0; one_lane < 2; one_lane++) {
        world w = open_world(s, one_lane ? 3 : 1, one_lane);
        reals = (size_t)(w.geometry->volume * lat_spinor_reals(s->group, s->dim));
        values[one_lane] = lat_alloc(reals, sizeof(double));
        lat_dirac_apply(w.dirac, (lat_dirac_form){.even = true}, w.x, w.y);
        lat_dirac_apply(w.dirac, (lat_dirac_form){0}, w.y, w.x);
        lat_field_gather(w.x, 0, values[one_lane]);
        lat_field *force = lat_field_algebra(w.geometry, s->group, LAT_DOUBLE);
        generators = (size_t)(w.geometry->volume * force->components);
        forces[one_lane] = lat_alloc(generators, sizeof(double));
        lat_dirac_force(w.dirac, 1, w.x, w.y);
        lat_dirac_force_diagonal(w.dirac, 1);
        lat_dirac_force_finish(w.dirac, w.gauge, force);
        lat_field_gather(force, 0, forces[one_lane]);
        lat_field_free(force);
        close_world(&w);
    }
    ok_all(memcmp(values[0], values[1], reals * sizeof(double)) == 0 &&
               memcmp(forces[0], forces[1], generators * sizeof(double)) == 0,
           "%s: the same bits with other lanes and members", s->name);
    for (int i = 0; i < 2; i++) {
        free(values[i]);
        free(forces[i]);
    }
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
    if (which == EVEN_ODD) {
        lat_dirac_extend(w->dirac, true, w->x);
        lat_dirac_extend(w->dirac, false, w->y);
    }
    if (which == DIAGONAL)
        lat_dirac_force_diagonal(w->dirac, 1.5);
    else
        lat_dirac_force(w->dirac, 1.5, w->x, w->y);
    lat_dirac_force_finish(w->dirac, w->gauge, force);
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
        test_inverse(&scenes[i]);
        test_covariance(&scenes[i]);
        test_float(&scenes[i]);
        test_lanes(&scenes[i]);
        test_force(&scenes[i], FULL);
        test_force(&scenes[i], EVEN_ODD);
        if (scenes[i].kind != &lat_dirac_wilson) test_force(&scenes[i], DIAGONAL);
    }
    test_refused();
    return tap_end();
}
