/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * pseudofermions: actions of pseudofermions: their distribution after a refresh, forces against differences, levels, failures.
 */
#include "tests/tap.h"

typedef struct {
    const char *name;
    lat_group group;
    int dim;
    int64_t size[LAT_MAX_DIM];
    const lat_dirac_table *kind;
    lat_dirac_parameters operator;
    int masses;
    double mass[LAT_MOST_MASSES];
    int level[LAT_MOST_MASSES];
    double range[2]; /* of one flavour; 0: two */
} scene;

static const scene scenes[] = {
    {"u1 8x8", LAT_U1, 2, {8, 8}, &lat_dirac_wilson, {.kappa = 0.22, .angle = {0, 1}}, 1, {0}, {0}, {0}},
    {"u1 8x8, two masses", LAT_U1, 2, {8, 8}, &lat_dirac_clover, {.kappa = 0.2, .csw = 1, .angle = {0, 1}}, 2, {0, 0.4}, {1, 0}, {0}},
    {"su2 4^4 twisted", LAT_SU2, 4, {4, 4, 4, 4}, &lat_dirac_clover, {.kappa = 0.13, .csw = 1, .mu = 0.3, .angle = {0, 0, 0, 1}}, 1, {0}, {0}, {0}},
    {"u1 8x8, one flavour", LAT_U1, 2, {8, 8}, &lat_dirac_wilson, {.kappa = 0.22, .angle = {0, 1}}, 1, {0}, {0}, {0.1, 8}},
    {"su3 4^4, one flavour", LAT_SU3, 4, {4, 4, 4, 4}, &lat_dirac_clover, {.kappa = 0.12, .csw = 1, .angle = {0, 0, 0, 1}}, 1, {0}, {0}, {0.1, 10}},
    {"su3 4^4, three masses", LAT_SU3, 4, {4, 4, 4, 4}, &lat_dirac_clover, {.kappa = 0.12, .csw = 1, .angle = {0, 0, 0, 1}}, 3, {0, 0.1, 0.6}, {2, 1, 0}, {0}},
    {"u1 8x8 twisted, three masses", LAT_U1, 2, {8, 8}, &lat_dirac_wilson, {.kappa = 0.22, .mu = 0.2, .angle = {0, 1}}, 3, {0, 2, 4}, {2, 1, 0}, {0}},
    {"su3 4^4 twisted, exponential clover, two masses", LAT_SU3, 4, {4, 4, 4, 4}, &lat_dirac_exponential_clover, {.kappa = 0.12, .csw = 1, .mu = 0.3, .angle = {0, 0, 0, 1}}, 2, {0, 0.5}, {1, 0}, {0}},
    {"su2 4^4, stout, two masses", LAT_SU2, 4, {4, 4, 4, 4}, &lat_dirac_clover, {.kappa = 0.12, .csw = 1, .angle = {0, 0, 0, 1}, .stout = {2, 0.1}}, 2, {0, 0.5}, {1, 0}, {0}},
    {"u1 8x8, stout, one flavour", LAT_U1, 2, {8, 8}, &lat_dirac_exponential_clover, {.kappa = 0.2, .csw = 1, .angle = {0, 1}, .stout = {1, 0.2}}, 1, {0}, {0}, {0.1, 8}},
};
enum { SCENES = sizeof scenes / sizeof *scenes };

typedef struct {
    const scene *scene;
    lat_geometry *geometry;
    lat_gauge *gauge;
    lat_dirac *dirac;
    lat_action *action;
} world;

static lat_random random_of(uint64_t step)
{
    return (lat_random){.seed = 17, .purpose = LAT_RANDOM_TEST, .step = step};
}

static lat_action *create_action(const scene *s, lat_dirac *dirac, lat_error *error)
{
    lat_two_flavours two = {.masses = s->masses, .action = {1e-12, 10000}, .force = {1e-12, 10000}};
    lat_one_flavour one = {{s->range[0], s->range[1]}, {1e-13, 1e-11}, {1e-12, 10000}, {1e-12, 10000}};
    memcpy(two.mass, s->mass, sizeof s->mass);
    memcpy(two.level, s->level, sizeof s->level);
    return s->range[0] > 0 ? lat_action_rational(dirac, &one, error) : lat_action_two_flavours(dirac, &two, error);
}

static double flavours(const scene *s) { return s->range[0] > 0 ? 1 : 2; }

static world open_world(const scene *s, int members)
{
    world w = {.scene = s};
    lat_error error = {0};
    lat_shape shape = {.dim = s->dim, .members = members, .precision = LAT_FLOAT};
    memcpy(shape.size, s->size, sizeof shape.size);
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &w.geometry, &error) ||
        lat_dirac_create(s->kind, w.geometry, s->group, &s->operator, & w.dirac, &error) ||
        !(w.action = create_action(s, w.dirac, &error)))
        lat_abort(error.status, "%s", error.text);
    w.gauge = lat_gauge_create(w.geometry, s->group, LAT_DOUBLE);
    lat_random of_links = random_of(0), of_fields = random_of(1);
    lat_field *along = lat_field_algebra(w.geometry, s->group, LAT_DOUBLE);
    lat_field_gaussian(along, &of_links);
    lat_gauge_exp_update(w.gauge, 0.5, along);
    lat_field_free(along);
    lat_action_refresh(w.action, w.gauge, &of_fields);
    return w;
}

static void close_world(world *w)
{
    lat_action_free(w->action);
    lat_dirac_free(w->dirac);
    lat_gauge_free(w->gauge);
    lat_geometry_free(w->geometry);
}

/* S = sum of |eta_i|^2, each of half the sites: mean and variance are the number of components. */
static void test_distribution(const scene *s)
{
    enum { MANY = 48, FEW = 3 };
    const int members = s->dim == 2 ? MANY : FEW;
    world w = open_world(s, members);
    double out[MANY], diagonal[MANY], sum = 0;
    lat_field *density = lat_field_create(w.geometry, 1, LAT_DOUBLE);
    lat_action_total(w.action, w.gauge, out);
    lat_dirac_log_det_diagonal(w.dirac, density);
    lat_sum(density, diagonal);
    for (int m = 0; m < members; m++) sum += out[m] + flavours(s) * diagonal[m];
    double components = (double)members * s->masses * (double)w.geometry->volume / 2 * lat_spinor_reals(s->group, s->dim) / 2;
    ok_all(fabs(sum - components) < 5 * sqrt(components) && !w.action->error.status,
           "%s: S = %.1f after a refresh, %.1f expected, %+.1f sigma", s->name, sum, components,
           (sum - components) / sqrt(components));
    lat_field_free(density);
    close_world(&w);
}

static void test_force(const scene *s)
{
    world w = open_world(s, 1);
    lat_field *force = lat_field_algebra(w.geometry, s->group, LAT_DOUBLE),
              *along = lat_field_algebra(w.geometry, s->group, LAT_DOUBLE);
    lat_field *density = lat_field_create(w.geometry, 1, LAT_DOUBLE);
    lat_random of_direction = random_of(3);
    const double weights[] = {8, -1, -8, 1}, at[] = {1, 2, -1, -2}, h = 1e-3;
    double change = 0, expected, value, position = 0;
    lat_field_gaussian(along, &of_direction);
    lat_action_force(w.action, w.gauge, 1.5, force);
    lat_spinor_dot(LAT_ALL_SITES, force, along, density, &expected);
    expected /= 1.5;
    for (int i = 0; i < 4; i++) {
        lat_gauge_exp_update(w.gauge, (at[i] - position) * h, along);
        position = at[i];
        lat_action_total(w.action, w.gauge, &value);
        change += weights[i] * value / (12 * h);
    }
    ok_all(fabs(change - expected) < 1e-7 * (1 + fabs(expected)) && !w.action->error.status,
           "%s: dS: %.12g, differences %.12g", s->name, expected, change);
    lat_field_free(force);
    lat_field_free(along);
    lat_field_free(density);
    close_world(&w);
}

/* Forces of the levels are parts of one force. */
static void test_levels(const scene *s)
{
    world w = open_world(s, 1);
    lat_field *density = lat_field_create(w.geometry, 1, LAT_DOUBLE);
    int alive = 0;
    for (int level = 0; level < w.action->levels; level++) {
        lat_field *force = lat_field_algebra(w.geometry, s->group, LAT_DOUBLE);
        double norm;
        w.action->table->force(w.action, level, w.gauge, 1, force);
        lat_spinor_dot(LAT_ALL_SITES, force, force, density, &norm);
        alive += norm > 0;
        lat_field_free(force);
    }
    ok_all(alive == w.action->levels, "%s: forces on %d levels", s->name, alive);
    lat_field_free(density);
    close_world(&w);
}

/* What solvers did for a refresh, a value and a force is counted, for each member by itself, and once. */
static void test_solves(const scene *s)
{
    const double expected = s->range[0] > 0 ? 3 + 1 + 1 : (s->masses - 1) + s->masses + s->masses;
    lat_solves alone, beside[3];
    double out[3];
    bool good = true;
    for (int members = 3; members >= 1; members -= 2) {
        world w = open_world(s, members);
        lat_field *force = lat_field_algebra(w.geometry, s->group, LAT_DOUBLE);
        lat_action_total(w.action, w.gauge, out);
        lat_action_force(w.action, w.gauge, 1, force);
        lat_action_solves(w.action, w.geometry, members == 1 ? &alone : beside);
        lat_solves again[3];
        lat_action_solves(w.action, w.geometry, again);
        good = good && again[0].solves == 0 && again[0].iterations == 0 && again[0].residue == 0;
        lat_field_free(force);
        close_world(&w);
    }
    for (int m = 0; m < 3; m++) {
        const lat_solves *b = &beside[m];
        good = good && b->solves == expected && b->residue > 0 && b->residue <= 1e-12 && b->residue_force > 0 && b->residue_force <= 1e-12;
        good = good && b->most >= b->iterations / b->solves && b->most < b->iterations && b->seconds > 0;
    }
    alone.seconds = beside[0].seconds = 0;
    ok_all(good && memcmp(&alone, beside, sizeof alone) == 0, "%s: %g solves, %g iterations, at most %g, residues %.2g and %.2g", s->name, alone.solves,
           alone.iterations, alone.most, alone.residue, alone.residue_force);
}

static void test_failure(void)
{
    world w = open_world(&scenes[0], 1);
    lat_action *action;
    lat_error error = {0};
    double value;
    lat_two_flavours few = {.masses = 1, .action = {1e-12, 2}, .force = {1e-12, 2}},
                     wrong = {.masses = 2, .mass = {0, 0}};
    lat_random of_fields = random_of(1);
    action = lat_action_two_flavours(w.dirac, &few, &error);
    lat_action_refresh(action, w.gauge, &of_fields);
    lat_action_total(action, w.gauge, &value);
    ok_all(lat_action_failed(action, &error) == LAT_NUMERICAL, "no convergence: %s", error.text);
    lat_action_free(action);
    error = (lat_error){0};
    lat_one_flavour narrow = {{1, 2}, {1e-13, 1e-7}, {1e-12, 10000}, {1e-9, 10000}};
    action = lat_action_rational(w.dirac, &narrow, &error);
    lat_action_refresh(action, w.gauge, &of_fields);
    ok_all(lat_action_failed(action, &error) == LAT_NUMERICAL && strstr(error.text, "range"), "range: %s", error.text);
    lat_action_free(action);
    error = (lat_error){0};
    ok_all(!lat_action_two_flavours(w.dirac, &wrong, &error) && error.status == LAT_CONFIG, "refused: %s", error.text);
    close_world(&w);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (int i = 0; i < SCENES; i++) {
        test_distribution(&scenes[i]);
        test_force(&scenes[i]);
        test_levels(&scenes[i]);
        test_solves(&scenes[i]);
    }
    test_failure();
    return tap_end();
}
