/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * orbits.c: orbits of loops, their sums, derivatives, gradients and divergences against definitions, finite differences and symmetries, and the
 * vanishing average of w.dS - div w on ensembles of the heatbath.  There 26 averages are compared with 0 at 5.7 standard deviations: false by chance
 * with a probability of 3e-7.
 */
#include "tests/chain.h"
#include "tests/matrix.h"
#include "tests/observe.h"

static const char *const six_links[] = {"xy-x-y", "xxy-x-x-y", "xyz-x-z-y", "xyz-x-y-z"};
enum { SHAPES = 4 };

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

static lat_orbits *orbits_of(int shapes, int dim)
{
    lat_error error = {0};
    lat_orbits *orbits;
    lat_orbits_create(six_links, shapes, dim, &orbits, &error);
    require(&error);
    return orbits;
}

/* For gradients too. */
static lat_geometry *geometry_of(MPI_Comm comm, const lat_orbits *orbits, const int64_t *size, int members)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = orbits->dim, .members = members, .halo = orbits->extent};
    memcpy(shape.size, size, (size_t)orbits->dim * sizeof *size);
    lat_orbits_shape(orbits, &shape);
    lat_geometry_create(comm, &shape, &g, &error);
    require(&error);
    return g;
}

static lat_field *algebra_of(const lat_geometry *g, lat_group group, uint64_t step)
{
    lat_field *algebra = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_random random = {.seed = 23, .purpose = LAT_RANDOM_TEST, .step = step};
    lat_field_gaussian(algebra, &random);
    return algebra;
}

static lat_gauge *rough_links(const lat_geometry *g, lat_group group)
{
    lat_gauge *gauge = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field *algebra = algebra_of(g, group, 1);
    lat_gauge_exp_update(gauge, 0.4, algebra);
    lat_field_free(algebra);
    return gauge;
}

/* sum_t weight[t] of W (0) or its derivative (1), of the first member */
static double weighted(const lat_orbit *orbit, lat_gauge *gauge, lat_field *direction, const double *weight, int which)
{
    const lat_geometry *g = gauge->links->geometry;
    const int64_t slices = g->size[g->dim - 1];
    double *out = lat_alloc(2 * slices * g->members, sizeof *out), sum = 0;
    lat_orbit_sums(orbit, gauge, direction, out);
    for (int64_t t = 0; t < slices; t++) sum += weight[t] * out[which * slices + t];
    free(out);
    return sum;
}

/* ---------------------------------------------------------------------------------------------------------- orbits */

static void names(void)
{
    static const struct {
        const char *name;
        int links, loops, extent;
    } expected[] = {{"xy-x-y", 4, 3, 0},    {"xt-x-t", 4, 3, 1},     {"xxy-x-x-y", 6, 6, 0},  {"xxt-x-x-t", 6, 3, 1},
                    {"xtt-x-t-t", 6, 3, 2}, {"xyz-x-z-y", 6, 12, 0}, {"xyt-y-x-t", 6, 12, 1}, {"xyt-x-t-y", 6, 24, 1},
                    {"xyz-x-y-z", 6, 4, 0}, {"xyt-x-y-t", 6, 12, 1}};
    enum { ORBITS = sizeof expected / sizeof *expected };
    lat_orbits *orbits = orbits_of(SHAPES, 4);
    bool found[ORBITS] = {false};
    int loops = 0, good = 0;
    for (int i = 0; i < orbits->count; i++) {
        const lat_orbit *o = &orbits->orbit[i];
        loops += o->loops;
        for (int j = 0; j < ORBITS; j++)
            if (!found[j] && strcmp(o->name, expected[j].name) == 0 && o->links == expected[j].links &&
                o->loops == expected[j].loops && o->extent == expected[j].extent)
                found[j] = true, good++;
        if (tap.rank == 0)
            printf("# %s: %d loops of %d links, %d slices\n", o->name, o->loops, o->links, o->extent + 1);
    }
    ok(good == ORBITS && orbits->count == ORBITS && loops == 82,
       "four shapes make %d orbits, %d of them as expected, with %d loops", orbits->count, good, loops);
    ok(orbits->reach == 1 && orbits->corners == 3 && orbits->extent == 2, "they reach %d sites in %d directions",
       orbits->reach, orbits->corners);
    lat_orbits_free(orbits);
}

static void refused(const char *first, const char *second, const char *pattern)
{
    lat_error error = {0};
    lat_orbits *orbits;
    const char *shape[] = {first, second};
    lat_orbits_create(shape, second ? 2 : 1, 3, &orbits, &error);
    ok(error.status == LAT_CONFIG && !orbits && strstr(error.text, pattern), "refused: %s", error.text);
}

/* ---------------------------------------------------------------------------------------------- sums and derivatives */

/* Plaquettes and rectangles are known by other means. */
static void known_loops(const lat_orbits *orbits, lat_gauge *gauge)
{
    const lat_geometry *g = gauge->links->geometry;
    double one[64], sum[2] = {0}, mean;
    lat_field *direction = algebra_of(g, gauge->group, 3);
    for (int64_t t = 0; t < g->size[g->dim - 1]; t++) one[t] = 1;
    for (int i = 0; i < orbits->count; i++)
        if (orbits->orbit[i].shape < 2)
            sum[orbits->orbit[i].shape] += weighted(&orbits->orbit[i], gauge, direction, one, 0);
    const double planes = g->dim * (g->dim - 1) / 2;
    observe("plaquette", gauge, &mean);
    ok_near(sum[0] / (planes * (double)g->volume), mean, 1e-13, "the sum of all plaquettes");
    observe("rectangle", gauge, &mean);
    ok_near(sum[1] / (2 * planes * (double)g->volume), mean, 1e-13, "the sum of all rectangles");
    lat_field_free(direction);
}

/* Re tr L / N of the loops of an orbit from the sites of a slice, link by link. */
static double plain_sum(const lat_orbit *orbit, const plain_field *f, int64_t slice, int64_t sites)
{
    double sum = 0;
    for (int64_t x = slice * sites; x < (slice + 1) * sites; x++)
        for (int i = 0; i < orbit->loops; i++) {
            matrix product = {.n = (int)f->group + 1};
            int64_t y = x;
            for (int j = 0; j < product.n; j++) product.a[j][j] = 1;
            for (int j = 0; j < orbit->links; j++) {
                const int step = orbit->step[i * orbit->links + j], mu = abs(step) - 1;
                if (step < 0) y = plain_next(f, y, mu, -1);
                matrix link = plain_link(f, y, mu);
                product = matrix_product(product, step > 0 ? link : matrix_dagger(link));
                if (step > 0) y = plain_next(f, y, mu, 1);
            }
            sum += creal(matrix_trace(product)) / product.n;
        }
    return sum;
}

static void definitions(const lat_orbits *orbits, lat_gauge *gauge)
{
    const lat_geometry *g = gauge->links->geometry;
    plain_field plain = {.group = gauge->group, .dim = g->dim};
    memcpy(plain.size, g->size, sizeof plain.size);
    plain.real = lat_alloc(g->volume * gauge->links->components, sizeof *plain.real);
    lat_field_gather(gauge->links, 0, plain.real);
    lat_field *direction = algebra_of(g, gauge->group, 3);
    double worst = 0;
    const int64_t slices = g->size[g->dim - 1];
    for (int i = 0; i < orbits->count; i++)
        for (int64_t t = 0; t < slices; t += 3) {
            double weight[64] = {0};
            weight[t] = 1;
            double sum = plain_sum(&orbits->orbit[i], &plain, t, g->volume / slices);
            worst = fmax(worst, fabs(sum - weighted(&orbits->orbit[i], gauge, direction, weight, 0)));
        }
    ok(worst < 1e-10, "%s, %d dimensions: sums of slices against their definition, to %.2g",
       lat_group_names[gauge->group], g->dim, worst);
    free(plain.real);
    lat_field_free(direction);
}

static double product_of(const lat_field *a, const lat_field *b)
{
    int64_t count = a->geometry->volume * a->components;
    double *x = lat_alloc(count, sizeof *x), *y = lat_alloc(count, sizeof *y), sum = 0;
    lat_field_gather(a, 0, x);
    lat_field_gather(b, 0, y);
    for (int64_t i = 0; i < count; i++) sum += x[i] * y[i];
    free(x);
    free(y);
    return sum;
}

/* The derivative along F by the difference of sums, and by the gradient. */
static void derivatives(const lat_orbits *orbits, lat_gauge *gauge)
{
    const lat_geometry *g = gauge->links->geometry;
    const double step = 1e-5;
    double weight[64], worst = 0, apart = 0;
    lat_field *direction = algebra_of(g, gauge->group, 4);
    for (int64_t t = 0; t < g->size[g->dim - 1]; t++) weight[t] = cos((double)t);
    for (int i = 0; i < orbits->count; i++) {
        const lat_orbit *orbit = &orbits->orbit[i];
        double side[2], exact = weighted(orbit, gauge, direction, weight, 1);
        for (int sign = 0; sign < 2; sign++) {
            lat_gauge *moved = lat_gauge_create(g, gauge->group, LAT_DOUBLE);
            lat_gauge_copy(moved, gauge);
            lat_gauge_exp_update(moved, sign ? step : -step, direction);
            side[sign] = weighted(orbit, moved, direction, weight, 0);
            lat_gauge_free(moved);
        }
        lat_field *force = lat_field_algebra(g, gauge->group, LAT_DOUBLE);
        lat_orbit_gradient(orbit, gauge, weight, force);
        worst = fmax(worst, fabs((side[1] - side[0]) / (2 * step) - exact));
        apart = fmax(apart, fabs(product_of(force, direction) - exact));
        lat_field_free(force);
    }
    ok(worst < 1e-5, "%s, %d dimensions: derivatives against differences, to %.2g", lat_group_names[gauge->group],
       g->dim, worst);
    ok(apart < 1e-10, "and as products with gradients, to %.2g", apart);
    lat_field_free(direction);
}

/* d^a d^a W by second differences, over all links of a small lattice. */
static void divergence(lat_group group, int dim, int shapes)
{
    const int64_t size[] = {4, 4, 4};
    const double step = 1e-3;
    lat_orbits *orbits = orbits_of(shapes, dim);
    lat_geometry *g = geometry_of(MPI_COMM_SELF, orbits, size, lat_vector_lanes(LAT_DOUBLE));
    lat_gauge *gauge = rough_links(g, group);
    lat_field *direction = lat_field_algebra(g, group, LAT_DOUBLE);
    const int64_t reals = g->volume * direction->components;
    double one[] = {1, 1, 1, 1}, *numbers = lat_alloc(reals, sizeof *numbers);
    for (int i = 0; i < orbits->count; i++) {
        const lat_orbit *orbit = &orbits->orbit[i];
        double sum = 0, value = weighted(orbit, gauge, direction, one, 0);
        for (int64_t j = 0; j < reals; j++)
            for (int sign = -1; sign < 2; sign += 2) {
                lat_gauge *moved = lat_gauge_create(g, group, LAT_DOUBLE);
                lat_gauge_copy(moved, gauge);
                numbers[j] = sign * step;
                lat_field_scatter(direction, 0, numbers);
                lat_gauge_exp_update(moved, 1, direction);
                sum += (weighted(orbit, moved, direction, one, 0) - value) / (step * step);
                lat_gauge_free(moved);
                numbers[j] = 0;
            }
        const double exact = -lat_orbit_laplacian(orbit, group) * value;
        ok(fabs(sum - exact) < 1e-4 * fabs(exact) && fabs(value) > 1,
           "%s, %s: divergence of the gradient %.5g, by differences %.5g", lat_group_names[group], orbit->name, exact,
           sum);
    }
    free(numbers);
    lat_field_free(direction);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
    lat_orbits_free(orbits);
}

/* --------------------------------------------------------------------------------------------------------- symmetries */

/* w.w' of the gradients of two orbits, in place of the direction. */
static double gradients(const lat_orbits *orbits, lat_gauge *gauge, double *all)
{
    const lat_geometry *g = gauge->links->geometry;
    double weight[64];
    lat_field *force = lat_field_algebra(g, gauge->group, LAT_DOUBLE);
    for (int64_t t = 0; t < g->size[g->dim - 1]; t++) weight[t] = sin((double)t);
    lat_orbit_gradient(&orbits->orbit[orbits->count - 1], gauge, weight, force);
    const int64_t count = 2 * g->size[g->dim - 1] * g->members;
    double size = 0;
    for (int i = 0; i < orbits->count; i++) lat_orbit_sums(&orbits->orbit[i], gauge, force, all + i * count);
    for (int64_t j = 0; j < orbits->count * count; j++) size = fmax(size, fabs(all[j]));
    lat_field_free(force);
    return size;
}

static void symmetries(const lat_orbits *orbits, lat_gauge *gauge)
{
    const lat_geometry *g = gauge->links->geometry;
    const int64_t count = orbits->count * 2 * g->size[g->dim - 1];
    const int members = lat_vector_lanes(LAT_DOUBLE);
    double *before = lat_alloc(count, sizeof *before), *after = lat_alloc(count, sizeof *after),
           *alone = lat_alloc(count * members, sizeof *alone), worst = 0;
    double size = gradients(orbits, gauge, before);

    lat_geometry *one = geometry_of(MPI_COMM_SELF, orbits, g->size, members);
    lat_gauge *copy = lat_gauge_create(one, gauge->group, LAT_DOUBLE);
    double *links = lat_alloc(g->volume * gauge->links->components, sizeof *links);
    lat_field_gather(gauge->links, 0, links);
    for (int m = 0; m < members; m++) lat_field_scatter(copy->links, m, links);
    gradients(orbits, copy, alone);
    bool same = true;
    for (int i = 0; i < orbits->count; i++) {
        const int64_t each = count / orbits->count;
        same = same && memcmp(before + i * each, alone + i * each * members, (size_t)each * sizeof *before) == 0;
    }
    ok_all(same, "%s, %d dimensions: the same to the last bit on any ranks and lanes", lat_group_names[gauge->group],
           g->dim);

    lat_field *turn = lat_field_create(g, lat_link_reals(gauge->group), LAT_DOUBLE);
    lat_random random = {.seed = 24, .purpose = LAT_RANDOM_TEST};
    lat_field_haar(turn, gauge->group, &random);
    lat_halo_exchange(turn);
    lat_gauge_transform(gauge, turn);
    gradients(orbits, gauge, after);
    for (int64_t i = 0; i < count; i++) worst = fmax(worst, fabs(after[i] - before[i]));
    ok(worst < 1e-12 * size, "covariant to %.2g of %.3g", worst, size);
    lat_field_free(turn);
    lat_gauge_free(copy);
    lat_geometry_free(one);
    free(links);
    free(before);
    free(after);
    free(alone);
}

static void all_properties(lat_group group, int dim)
{
    const int64_t size[][LAT_MAX_DIM] = {{8, 16}, {4, 8, 8}, {4, 4, 4, 8}};
    lat_orbits *orbits = orbits_of(dim == 2 ? 2 : SHAPES, dim);
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, orbits, size[dim - 2], 1);
    lat_gauge *gauge = rough_links(g, group);
    ok(lat_orbits_fit(orbits, g), "%s, %d dimensions: the lattice is large enough", lat_group_names[group], dim);
    known_loops(orbits, gauge);
    definitions(orbits, gauge);
    derivatives(orbits, gauge);
    symmetries(orbits, gauge);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
    lat_orbits_free(orbits);
}

/* --------------------------------------------------------------------------------------------------------- averages */

enum { MOST_ORBITS = 16, TIMES = 40 };
static const double most_sigmas = 5.7;

typedef struct {
    double mean[MOST_ORBITS], square[MOST_ORBITS];
    int count;
} average;

/* w.dS - div w, sum over slices, of each orbit and member, without div w where that is left out. */
static void add_stein(const lat_orbits *orbits, lat_action *action, lat_gauge *gauge, average *with, average *without)
{
    const lat_geometry *g = gauge->links->geometry;
    const int64_t slices = g->size[g->dim - 1];
    double *out = lat_alloc(2 * slices * g->members, sizeof *out);
    lat_field *force = lat_field_algebra(g, gauge->group, LAT_DOUBLE);
    lat_action_force(action, gauge, 1, force);
    for (int i = 0; i < orbits->count; i++) {
        lat_orbit_sums(&orbits->orbit[i], gauge, force, out);
        for (int m = 0; m < g->members; m++) {
            double sum[2] = {0};
            for (int64_t t = 0; t < 2 * slices; t++) sum[t / slices] += out[m * 2 * slices + t];
            const double stein = sum[1] + lat_orbit_laplacian(&orbits->orbit[i], gauge->group) * sum[0];
            with->mean[i] += stein;
            with->square[i] += stein * stein;
            without->mean[i] += sum[1];
            without->square[i] += sum[1] * sum[1];
        }
    }
    with->count += g->members;
    without->count += g->members;
    free(out);
    lat_field_free(force);
}

static double sigmas(const average *a, int i)
{
    const double mean = a->mean[i] / a->count, variance = a->square[i] / a->count - mean * mean;
    return mean / sqrt(variance / (a->count - 1));
}

static void averages(const char *lattice, const char *action, int shapes)
{
    char *text =
        lat_text("lattice = { %s }; action = ( %s ); chain = { seed = 3; steps = 1; replicas = 8; start = \"hot\"; };"
                 "updates = ( { kind = \"heatbath\"; }, { kind = \"overrelax\"; } );",
                 lattice, action);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    const lat_gauge *links = t.chain->state->gauge;
    const lat_geometry *from = links->links->geometry;
    lat_orbits *orbits = orbits_of(shapes, from->dim);
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, orbits, from->size, from->members);
    lat_gauge *gauge = lat_gauge_create(g, links->group, LAT_DOUBLE);
    average with = {.count = 0}, without = {.count = 0};
    const int member[] = {0, 1, 2, 3, 4, 5, 6, 7};
    chain_run(&t, 30);
    for (int i = 0; i < TIMES; i++) {
        chain_run(&t, 3);
        lat_field_take_members(gauge->links, links->links, member);
        lat_gauge_changed(gauge);
        add_stein(orbits, t.chain->action, gauge, &with, &without);
    }
    for (int i = 0; i < orbits->count; i++)
        ok(fabs(sigmas(&with, i)) < most_sigmas && fabs(sigmas(&without, i)) > 20,
           "%s, %s: %.1f sigma from 0, without the divergence %.0f", lat_group_names[links->group],
           orbits->orbit[i].name, sigmas(&with, i), sigmas(&without, i));
    lat_gauge_free(gauge);
    lat_geometry_free(g);
    lat_orbits_free(orbits);
    chain_end(&t);
    free(text);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    names();
    refused("xy-x", NULL, "does not end where it begins");
    refused("xtx-t-x-x", NULL, "is no loop");
    refused("", NULL, "does not end");
    refused("x-x", NULL, "a link twice");
    refused("xyxyxyxyxyxyxyxyxyxy", NULL, "more than 16 links");
    refused("xy-x-y", "zy-z-y", "the shape of one before");
    for (int group = LAT_U1; group < LAT_GROUPS; group++) {
        for (int dim = 2; dim <= 4; dim++) all_properties((lat_group)group, dim);
        divergence((lat_group)group, 2, 2);
    }
    divergence(LAT_SU2, 3, SHAPES);
    averages("group = \"u1\"; size = [8, 8];", "{ kind = \"wilson\"; beta = 2.0; }", 2);
    averages("group = \"su2\"; size = [8, 8];", "{ kind = \"wilson\"; beta = 4.0; }", 2);
    averages("group = \"su2\"; size = [4, 4, 4, 4];", "{ kind = \"wilson\"; beta = 2.2; }", SHAPES);
    averages("group = \"su3\"; size = [4, 4, 4, 4];", "{ kind = \"wilson\"; beta = 5.7; }", SHAPES);
    return tap_end();
}
