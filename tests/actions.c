/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * actions.c: plaquettes and rectangles under all boundaries are what their definition says, gauge invariant, with the force
 * that is their derivative, the same on any number of ranks and lanes.
 */
#include "lattice/gauge/action/plaquette.h"
#include "lattice/gauge/kernels.h"
#include "tests/matrix.h"

typedef struct {
    const char *name;
    lat_boundary boundary;
} situation;

static const situation situations[] = {
    {"periodic", {.defect = false}},
    {"open", {.open = {true}}},
    {"defect", {.defect = true, .direction = 1, .extent = {3, 0, 2, 2}, .coupling = 0.4}},
    {"open and defect", {.open = {true, true}, .defect = true, .direction = 1, .extent = {2, 0, 3, 3}, .coupling = 0.7}},
};

static lat_random stream(uint64_t step) { return (lat_random){.seed = 6, .purpose = LAT_RANDOM_TEST, .step = step}; }

static lat_geometry *layout(MPI_Comm comm, int dim, bool lanes)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = dim, .size = {8, 8, 4, 4}, .halo = 2};
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        if (!lanes) shape.lane_grid[mu] = 1;
        if (mu >= dim) shape.size[mu] = 0;
    }
    if (lat_geometry_create(comm, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    return g;
}

/* -------------------------------------------------------------------------------------------------- by definition */

static double plain_coupling(const plain_field *f, const lat_boundary *b, int64_t site, int mu)
{
    int64_t x[LAT_MAX_DIM];
    bool inside = b->defect && b->direction == mu;
    for (int nu = 0; nu < f->dim; site /= f->size[nu], nu++) x[nu] = site % f->size[nu];
    if (x[mu] < f->size[mu] - 1) return 1;
    if (b->open[mu]) return 0;
    for (int nu = 0; nu < f->dim; nu++) inside = inside && (nu == mu || x[nu] < b->extent[nu]);
    return inside ? b->coupling : 1;
}

/* Goes along the links of a loop of r x t and back: c (1 - Re tr / N). */
static double plain_loop(const plain_field *f, const lat_boundary *b, int64_t x, int mu, int nu, int r, int t)
{
    int direction[] = {mu, nu, mu, nu}, sign[] = {1, 1, -1, -1}, length[] = {r, t, r, t}, n = (int)f->group + 1;
    matrix product = {.n = n};
    double c = 1;
    for (int i = 0; i < n; i++) product.a[i][i] = 1;
    for (int side = 0; side < 4; side++)
        for (int i = 0; i < length[side]; i++) {
            int64_t next = plain_next(f, x, direction[side], sign[side]);
            int64_t at = sign[side] > 0 ? x : next;
            matrix link = plain_link(f, at, direction[side]);
            c *= plain_coupling(f, b, at, direction[side]);
            product = matrix_product(product, sign[side] > 0 ? link : matrix_dagger(link));
            x = next;
        }
    return c * (1 - creal(matrix_trace(product)) / n);
}

static double plain_action(const plain_field *f, const lat_boundary *b, double beta, double c1)
{
    double sum = 0;
    int64_t volume = 1;
    for (int mu = 0; mu < f->dim; mu++) volume *= f->size[mu];
    for (int64_t x = 0; x < volume; x++)
        for (int mu = 0; mu < f->dim; mu++)
            for (int nu = 0; nu < f->dim; nu++) {
                if (mu < nu) sum += (1 - 8 * c1) * plain_loop(f, b, x, mu, nu, 1, 1);
                if (mu != nu) sum += c1 * plain_loop(f, b, x, mu, nu, 2, 1);
            }
    return beta * sum;
}

/* -------------------------------------------------------------------------------------------------------- the tests */

static double inner_product(const lat_field *x, const lat_field *y)
{
    const lat_geometry *g = x->geometry;
    lat_accumulator sum = {0};
    for (int64_t i = 0; i < g->sites * x->components; i++)
        for (int l = 0; l < g->members * g->blocks; l++)
            lat_accumulator_add(&sum, ((double *)x->data)[i * g->lanes + l] * ((double *)y->data)[i * g->lanes + l]);
    lat_accumulator_reduce(g->comm, &sum, 1);
    return lat_accumulator_value(&sum);
}

static double total(lat_action *action, lat_gauge *links)
{
    double sum[64];
    lat_action_total(action, links, sum);
    return sum[0];
}

typedef struct {
    lat_geometry *geometry;
    lat_action *action;
    lat_field *force;
    lat_gauge *links;
} system_of_links;

/* c1 NaN: the Wilson action. */
static system_of_links begin(MPI_Comm comm, int dim, lat_group group, const situation *situation, double c1, bool lanes)
{
    system_of_links s = {.geometry = layout(comm, dim, lanes)};
    lat_random random = stream(1);
    s.action = isnan(c1) ? lat_action_wilson(group, 1.7) : lat_action_improved(group, 1.7, c1);
    s.links = lat_gauge_create(s.geometry, group, LAT_DOUBLE);
    lat_gauge_couple(s.links, -1, &situation->boundary);
    s.force = lat_field_algebra(s.geometry, group, LAT_DOUBLE);
    lat_gauge_haar(s.links, &random);
    lat_action_force(s.action, s.links, 1, s.force);
    return s;
}

static void end(system_of_links *s)
{
    lat_gauge_free(s->links);
    lat_field_free(s->force);
    lat_action_free(s->action);
    lat_geometry_free(s->geometry);
}

static void test_definition(system_of_links *s, double c1, const char *name)
{
    const lat_geometry *g = s->geometry;
    plain_field f = {s->action->group, g->dim, {0}, lat_alloc(g->volume * s->links->links->components, sizeof(double))};
    memcpy(f.size, g->size, sizeof f.size);
    lat_field_gather(s->links->links, 0, f.real);
    double value = total(s->action, s->links), plain = 0;
    if (g->rank == 0) plain = plain_action(&f, s->links->boundary, 1.7, isnan(c1) ? 0 : c1);
    MPI_Bcast(&plain, 1, MPI_DOUBLE, 0, g->comm);
    ok(fabs(value - plain) < 1e-12 * fabs(plain), "%s: the value is that of the definition, %.12g", name, value);
    free(f.real);
}

static void test_invariance(system_of_links *s, const char *name)
{
    lat_group group = s->action->group;
    lat_field *turn = lat_field_create(s->geometry, lat_link_reals(group), LAT_DOUBLE);
    lat_random random = stream(2);
    double before = total(s->action, s->links), squares = inner_product(s->force, s->force);
    lat_field_haar(turn, group, &random);
    lat_halo_exchange(turn);
    lat_gauge_transform(s->links, turn);
    lat_field_zero(s->force);
    lat_action_force(s->action, s->links, 1, s->force);
    double turned = inner_product(s->force, s->force);
    ok(fabs(total(s->action, s->links) / before - 1) < 1e-12 && fabs(turned / squares - 1) < 1e-12,
       "%s: action and norm of the force are gauge invariant", name);
    lat_field_free(turn);
}

static void test_derivative(system_of_links *s, const char *name)
{
    lat_group group = s->action->group;
    lat_field *direction = lat_field_algebra(s->geometry, group, LAT_DOUBLE);
    lat_random random = stream(3);
    const double step = 1e-5;
    lat_field_gaussian(direction, &random);
    lat_gauge_exp_update(s->links, step, direction);
    double ahead = total(s->action, s->links);
    lat_gauge_exp_update(s->links, -2 * step, direction);
    double behind = total(s->action, s->links), slope = (ahead - behind) / (2 * step);
    lat_gauge_exp_update(s->links, step, direction);
    double product = inner_product(s->force, direction);
    ok(fabs(slope - product) < 1e-6 * fabs(product) + 3e-5, "%s: the force is the derivative, %.9g", name, product);
    if (fabs(slope - product) >= 1e-6 * fabs(product) + 3e-5 && tap.rank == 0) printf("# %.12g %.12g\n", slope, product);
    lat_field_free(direction);
}

static void test_float(system_of_links *s, const char *name)
{
    lat_group group = s->action->group;
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = s->geometry->dim, .halo = 2, .precision = LAT_FLOAT};
    memcpy(shape.size, s->geometry->size, sizeof shape.size);
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *u = lat_gauge_create(g, group, LAT_FLOAT);
    lat_gauge_couple(u, -1, s->links->boundary);
    lat_field *force = lat_field_algebra(g, group, LAT_FLOAT), *same = lat_field_algebra(s->geometry, group, LAT_DOUBLE);
    double *values = lat_alloc(g->volume * s->links->links->components, sizeof *values);
    lat_field_gather(s->links->links, 0, values);
    lat_field_scatter(u->links, 0, values);
    double value = total(s->action, u);
    lat_action_force(s->action, u, 1, force);
    lat_field_gather(force, 0, values);
    lat_field_scatter(same, 0, values);
    lat_field_axpy(same, -1, s->force);
    double off = sqrt(inner_product(same, same) / inner_product(s->force, s->force));
    ok(off > 0 && off < 1e-6 && fabs(value / total(s->action, s->links) - 1) < 1e-5,
       "%s: action and force in float are those in double (%.2g)", name, off);
    free(values);
    lat_field_free(same);
    lat_field_free(force);
    lat_gauge_free(u);
    lat_geometry_free(g);
}

static void test_independence(system_of_links *s, double c1, const situation *situation, const char *name)
{
    lat_group group = s->action->group;
    system_of_links alone = begin(MPI_COMM_SELF, s->geometry->dim, group, situation, c1, false);
    int64_t count = s->geometry->volume * s->force->components;
    double *a = lat_alloc(count, sizeof *a), *b = lat_alloc(count, sizeof *b);
    lat_field_gather(s->force, 0, a);
    lat_field_gather(alone.force, 0, b);
    ok_all(memcmp(a, b, (size_t)count * sizeof *a) == 0, "%s: the force is the same to the last bit on one rank and in one lane", name);
    ok_all(total(s->action, s->links) == total(alone.action, alone.links), "%s: and so is the action", name);
    free(a);
    free(b);
    end(&alone);
}

static void test_action(int dim, lat_group group, const situation *situation, double c1)
{
    char *name = lat_text("%s, %d dimensions, %s, %s", lat_group_names[group], dim, situation->name,
                          isnan(c1) ? "wilson" : "improved");
    system_of_links s = begin(MPI_COMM_WORLD, dim, group, situation, c1, true);
    test_definition(&s, c1, name);
    test_independence(&s, c1, situation, name);
    test_derivative(&s, name);
    test_float(&s, name);
    test_invariance(&s, name);
    end(&s);
    free(name);
}

/* Without rectangles: the Wilson action; with couplings of 1: without couplings. */
static void test_limits(lat_group group)
{
    system_of_links plain = begin(MPI_COMM_WORLD, 3, group, &situations[0], NAN, true);
    system_of_links without = begin(MPI_COMM_WORLD, 3, group, &situations[0], 0, true);
    lat_field_axpy(without.force, -1, plain.force);
    ok(inner_product(without.force, without.force) < 1e-24 * inner_product(plain.force, plain.force) &&
           fabs(total(without.action, without.links) / total(plain.action, plain.links) - 1) < 1e-14,
       "%s: c1 = 0 is the Wilson action", lat_group_names[group]);
    end(&without);
    end(&plain);

    for (int i = 0; i < 2; i++) {
        double c1 = i ? -0.3 : NAN;
        plain = begin(MPI_COMM_WORLD, 3, group, &situations[0], c1, true);
        const lat_boundary defect = {.defect = true, .extent = {1, 1, 1}, .coupling = 0.5}, periodic = {.defect = false};
        double value = total(plain.action, plain.links), norm = inner_product(plain.force, plain.force);
        lat_gauge_couple(plain.links, -1, &defect);
        lat_gauge_couple(plain.links, -1, &periodic); /* there are couplings, and all are 1 */
        lat_action_force(plain.action, plain.links, -1, plain.force);
        ok(fabs(total(plain.action, plain.links) / value - 1) < 1e-14 && inner_product(plain.force, plain.force) < 1e-28 * norm,
           "%s, %s: couplings of 1 change nothing", lat_group_names[group], i ? "improved" : "wilson");
        end(&plain);
    }
}

static void test_names(void)
{
    static const char *const names[] = {"kind = \"improved\"; c1 = -0.25", "kind = \"luescher_weisz\"", "kind = \"iwasaki\"", "kind = \"dbw2\""};
    static const double c1[] = {-0.25, -1.0 / 12, -0.331, -1.4088};
    for (int i = 0; i < 4; i++) {
        char *text = lat_text("action = ( { kind = \"wilson\"; beta = 1.0; }, { %s; beta = 2.5; } );", names[i]);
        lat_error error = {0};
        lat_settings *root;
        lat_settings_parse(text, "test", &root, &error);
        lat_action *action = lat_action_create(root, &(lat_action_context){.group = LAT_SU2}, lat_action_kinds, &error);
        if (error.status) lat_abort(error.status, "%s", error.text);
        system_of_links s = begin(MPI_COMM_WORLD, 2, LAT_SU2, &situations[1], c1[i], true);
        lat_action *wilson = lat_action_wilson(LAT_SU2, 1.0);
        double expected = 2.5 / 1.7 * total(s.action, s.links) + total(wilson, s.links);
        ok(action->halo == 2 && fabs(total(action, s.links) / expected - 1) < 1e-13, "%s in a sum", names[i]);
        ok(isnan(lat_action_beta(action)) && isnan(lat_action_beta(s.action)), "%s: no Wilson action", names[i]);
        lat_action_free(wilson);
        lat_action_free(action);
        end(&s);
        lat_settings_free(root);
        free(text);
    }
}

/* What the kernel keeps of one site for the next changes no bit, and is not there any more when the links have changed. */
static void test_paths(int dim, lat_group group, lat_precision precision, int members)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = dim, .size = {8, 8, 4, 4}, .members = members, .precision = precision};
    for (int mu = dim; mu < LAT_MAX_DIM; mu++) shape.size[mu] = 0;
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *gauge = lat_gauge_create(g, group, precision);
    lat_field *force = lat_field_algebra(g, group, precision), *plain = lat_field_algebra(g, group, precision);
    lat_action *action = lat_action_wilson(group, 1.7);
    lat_range block = lat_block(g);
    bool same = true;
    for (uint64_t step = 1; step <= 2; step++) {
        lat_random random = stream(step);
        lat_gauge_haar(gauge, &random);
        lat_action_force(action, gauge, 1, force);
        plaquette_force_args args = {lat_tables_of(g), gauge->links->data, plain->data, -1.7 / lat_colours(group)};
        lat_kernels_of(gauge->links, group)->plaquette_force(&args, &block);
        size_t bytes = (size_t)(g->sites * force->components * g->lanes) * (precision == LAT_FLOAT ? sizeof(float) : sizeof(double));
        same = same && memcmp(force->data, plain->data, bytes) == 0;
    }
    bool all;
    MPI_Allreduce(&same, &all, 1, MPI_C_BOOL, MPI_LAND, MPI_COMM_WORLD);
    ok(all, "%s in %d dimensions, %s, %d members: the force with and without paths kept", lat_group_names[group], dim,
       lat_precision_names[precision], members);
    lat_action_free(action);
    lat_gauge_free(gauge);
    lat_field_free(force);
    lat_field_free(plain);
    lat_geometry_free(g);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (int group = LAT_U1; group <= LAT_SU3; group++) {
        for (int dim = 2; dim <= 4; dim++)
            for (size_t i = 0; i < sizeof situations / sizeof *situations; i++) {
                if (i > 0) test_action(dim, (lat_group)group, &situations[i], NAN);
                test_action(dim, (lat_group)group, &situations[i], -0.331);
            }
        test_limits((lat_group)group);
    }
    for (int group = LAT_SU2; group <= LAT_SU3; group++)
        for (int dim = 2; dim <= 4; dim++) {
            test_paths(dim, (lat_group)group, LAT_DOUBLE, 1);
            test_paths(dim, (lat_group)group, LAT_FLOAT, 1);
            test_paths(dim, (lat_group)group, LAT_DOUBLE, 24);
        }
    test_names();
    return tap_end();
}
