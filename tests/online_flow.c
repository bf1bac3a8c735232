/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * online_flow.c: the observable gradient_flow: what the flow gives by itself, to the bit, of all members and of one, with any boundaries;
 * exact values of U(1) in two dimensions; t0, and where it is not reached; what is refused.
 */
#include "tests/tap.h"

#include "lattice/lattice.h"

#include <string.h>

enum { MEMBERS = 3, MOST_COLUMNS = 16 };

static lat_geometry *geometry_of(lat_shape shape)
{
    lat_error error = {0};
    lat_geometry *g;
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    return g;
}

static lat_gauge *rough_links(const lat_geometry *g, lat_group group, double width)
{
    lat_gauge *gauge = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field *algebra = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_random random = {.seed = 23, .purpose = LAT_RANDOM_TEST, .step = 1};
    lat_field_gaussian(algebra, &random);
    lat_gauge_exp_update(gauge, width, algebra);
    lat_field_free(algebra);
    return gauge;
}

/* NULL where it is refused. */
static lat_observable *observable_of(const lat_gauge *gauge, const char *keys, lat_error *error)
{
    lat_settings *measure;
    char *text = lat_text("gradient_flow = { %s };", keys);
    *error = (lat_error){0};
    if (lat_settings_parse(text, "test", &measure, error)) lat_abort(error->status, "%s", error->text);
    const lat_observe_context context = {gauge, gauge->links->geometry, measure, NULL};
    lat_observable *o = lat_observable_create("gradient_flow", lat_observable_kinds, &context, error);
    lat_settings_free(measure);
    free(text);
    return o;
}

/* out[member][column]; the number of columns. */
static int observe(lat_gauge *gauge, const char *keys, double *out)
{
    lat_error error;
    lat_observable *o = observable_of(gauge, keys, &error);
    if (!o) lat_abort(error.status, "%s", error.text);
    const int columns = o->columns;
    if (lat_observable_measure(o, gauge, &(lat_random){.purpose = LAT_RANDOM_SOURCES}, out, &error)) lat_abort(error.status, "%s", error.text);
    lat_observable_free(o);
    return columns;
}

static double *values_of(const lat_field *f, int member)
{
    double *values = lat_alloc(f->geometry->volume * f->components, sizeof *values);
    lat_field_gather(f, member, values);
    return values;
}

/* ------------------------------------------------------------------------------------------------------ against the flow */

/* t^2 E, Q, Q^2 of a member after so many steps of 0.05. */
static void direct(const lat_gauge *gauge, int member, int steps, double out[3])
{
    lat_geometry *g = geometry_of((lat_shape){.dim = 4, .size = {4, 4, 4, 8}});
    lat_gauge *alone = lat_gauge_create(g, gauge->group, LAT_DOUBLE);
    lat_gradient_flow *flow;
    lat_error error = {0};
    double *start = values_of(gauge->links, member), slices[3 * 8], energy = 0, charge = 0, time = 0.05 * steps;
    lat_field_scatter(alone->links, 0, start);
    if (lat_gradient_flow_create(alone, LAT_GRADIENT_FLOW_WILSON, &flow, &error))
        lat_abort(error.status, "%s", error.text);
    for (int i = 0; i < steps; i++) lat_gradient_flow_step(flow, alone, 0.05);
    lat_gradient_flow_slices(alone, slices);
    for (int t = 0; t < 8; t++) {
        energy += slices[8 + t];
        charge += slices[16 + t];
    }
    out[0] = time * time * energy / (double)g->volume;
    out[1] = charge;
    out[2] = charge * charge;
    lat_gradient_flow_free(flow);
    lat_gauge_free(alone);
    lat_geometry_free(g);
    free(start);
}

static void test_values(void)
{
    lat_geometry *g = geometry_of((lat_shape){.dim = 4, .size = {4, 4, 4, 8}, .members = MEMBERS});
    lat_gauge *gauge = rough_links(g, LAT_SU2, 0.4);
    double *before = values_of(gauge->links, 1), all[MEMBERS * MOST_COLUMNS], one[MOST_COLUMNS], expected[6];
    bool good = observe(gauge, "step = 0.05; times = [0.1, 0.25];", all) == 6;
    for (int m = 0; m < MEMBERS; m++) {
        direct(gauge, m, 2, expected);
        direct(gauge, m, 5, expected + 3);
        good = good && memcmp(all + 6 * m, expected, sizeof expected) == 0;
    }
    ok_all(good, "all members: what the flow gives, to the last bit");
    observe(gauge, "step = 0.05; times = [0.1, 0.25]; replica = 1;", one);
    ok_all(memcmp(one, all + 6, 6 * sizeof *one) == 0, "one member: the same");
    double *after = values_of(gauge->links, 1);
    ok_all(memcmp(before, after, (size_t)(g->volume * gauge->links->components) * sizeof *after) == 0,
           "the links stay as they are");
    lat_gauge_couple(gauge, 0,
                     &(lat_boundary){.defect = true, .direction = 3, .extent = {4, 4, 4, 1}, .coupling = 0.5});
    double other[MOST_COLUMNS];
    observe(gauge, "step = 0.05; times = [0.1, 0.25]; replica = 1;", other);
    ok_all(memcmp(one, other, 6 * sizeof *one) == 0, "a periodic member beside one with a defect: the same");
    observe(gauge, "step = 0.05; times = [0.1, 0.25]; replica = 0;", other);
    ok_all(memcmp(all, other, 6 * sizeof *one) != 0, "the one with a defect flows with it");
    lat_error error;
    lat_observable *zeuthen = observable_of(gauge, "kind = \"zeuthen\"; times = [0.1]; replica = 1;", &error);
    ok_all(zeuthen, "the Zeuthen flow of the periodic one");
    ok_all(!observable_of(gauge, "kind = \"zeuthen\"; times = [0.1];", &error) && error.status == LAT_CONFIG,
           "refused: %s", error.text);
    lat_observable_free(zeuthen);
    free(before);
    free(after);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* ------------------------------------------------------------------------------------------------------------ scales */

static void test_t0(void)
{
    lat_geometry *g = geometry_of((lat_shape){.dim = 4, .size = {4, 4, 4, 8}});
    lat_gauge *gauge = rough_links(g, LAT_SU3, 3);
    double far[MOST_COLUMNS], near[MOST_COLUMNS], at[MOST_COLUMNS];
    observe(gauge, "step = 0.02; times = [1.0]; t0 = true; interval = 1;", far);
    const double t0 = far[3];
    const int before = (int)floor(t0 / 0.02);
    char *around = lat_text("step = 0.02; times = [%.6f, %.6f];", 0.02 * before, 0.02 * (before + 1));
    observe(gauge, around, at);
    /* the interpolation is of E t^2, linear between the two */
    const double line = 0.02 * (before + (0.3 - at[0]) / (at[3] - at[0]));
    ok(at[0] < 0.3 && at[3] >= 0.3 && fabs(line - t0) < 1e-12,
       "t0 = %.6f, where the line between its neighbours reaches 0.3", t0);
    observe(gauge, "step = 0.02; times = [0.02, 0.04]; t0 = true; interval = 1;", near);
    ok(near[0] < 0.3 && near[3] < 0.3 && near[6] == 0.04, "not reached: the last of the times");
    double coarse[MOST_COLUMNS];
    observe(gauge, "step = 0.02; times = [0.5, 1.0]; t0 = true; interval = 5;", coarse);
    ok(coarse[3] == far[0] && coarse[4] == far[1] && fabs(coarse[6] - t0) < 0.01 * t0, "at wider points: %.6f",
       coarse[6]);
    free(around);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* -------------------------------------------------------------------------------------------------- U(1) in two dimensions */

/* Links of charge n, with noise: where the flow has smoothed it away all plaquettes are 2 pi n / volume. */
static lat_gauge *with_flux(const lat_geometry *g)
{
    lat_gauge *gauge = rough_links(g, LAT_U1, 0.25);
    for (int m = 0; m < g->members; m++) {
        const double flux = 2 * M_PI * (m - 1) / (double)g->volume;
        double *value = values_of(gauge->links, m);
        for (int64_t x = 0; x < g->volume; x++) {
            const int64_t a = x % g->size[0], b = x / g->size[0];
            if (a == g->size[0] - 1) value[2 * x] -= flux * (double)(g->size[0] * b);
            value[2 * x + 1] += flux * (double)a;
        }
        for (int64_t i = 0; i < 2 * g->volume; i++) value[i] = remainder(value[i], 2 * M_PI);
        lat_field_scatter(gauge->links, m, value);
        free(value);
    }
    lat_gauge_changed(gauge);
    return gauge;
}

static void test_exact(void)
{
    lat_geometry *g = geometry_of((lat_shape){.dim = 2, .size = {8, 16}, .members = MEMBERS});
    lat_gauge *gauge = with_flux(g);
    double out[MEMBERS * MOST_COLUMNS], most = 0;
    const double time = 200;
    observe(gauge, "step = 0.1; times = [200.0];", out);
    for (int m = 0; m < MEMBERS; m++) {
        const double f = sin(2 * M_PI * (m - 1) / (double)g->volume), charge = (double)g->volume * f / (2 * M_PI);
        most = fmax(most, fabs(out[3 * m + 1] - charge));
        most = fmax(most, fabs(out[3 * m + 2] - charge * charge));
        most = fmax(most, fabs(out[3 * m] - time * time * f * f / 2));
    }
    ok(most < 1e-9, "U(1) in two dimensions, charges -1, 0, 1: energy and charge of constant flux, to %.2g", most);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* ------------------------------------------------------------------------------------------------------------- contract */

static void test_columns(void)
{
    static const char *const names[] = {"flow_t2e_0.1", "flow_charge_0.1", "flow_charge_squared_0.1",
                                        "flow_t2e_2",   "flow_charge_2",   "flow_charge_squared_2",
                                        "flow_t0"};
    lat_error error;
    lat_geometry *g = geometry_of((lat_shape){.dim = 4, .size = {4, 4, 4, 4}, .members = 2}),
                 *flat = geometry_of((lat_shape){.dim = 3, .size = {4, 4, 4}});
    lat_gauge *gauge = lat_gauge_create(g, LAT_SU2, LAT_DOUBLE), *thin = lat_gauge_create(flat, LAT_SU2, LAT_DOUBLE);
    lat_observable *o = observable_of(gauge, "times = [0.1, 2.0]; t0 = true; every = 7; replica = 1;", &error);
    bool good = o && o->columns == 7 && o->every == 7 && o->member == 1;
    for (int i = 0; good && i < 7; i++)
        good = strcmp(o->column[i].name, names[i]) == 0 && strcmp(o->column[i].unit, i == 6 ? "a^2" : "") == 0;
    ok_all(good, "names and units of columns, steps and member");
    lat_observable_free(o);
    o = observable_of(thin, "times = [0.1];", &error);
    ok_all(o && o->columns == 1 && o->every == 0 && o->member == -1,
           "no charge in three dimensions; all members, at the steps of all");
    lat_observable_free(o);
    static const char *const bad[] = {"",
                                      "times = [];",
                                      "times = [0.1, 0.1];",
                                      "times = [0.105];",
                                      "times = [0.2, 0.1];",
                                      "times = [1e6];",
                                      "times = [0.1]; replica = 2;",
                                      "times = [0.1]; every = 0;",
                                      "times = [0.1]; kind = \"stout\";",
                                      "times = [0.1]; t0 = 1;"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok_all(!observable_of(gauge, bad[i], &error) && error.status == LAT_CONFIG, "refused: %s", error.text);
    const lat_observe_context stored = {.gauge = gauge, .lattice = g};
    error = (lat_error){0};
    ok_all(!lat_observable_create("gradient_flow", lat_observable_kinds, &stored, &error) && error.status == LAT_CONFIG,
           "refused: %s", error.text);
    lat_gauge_free(gauge);
    lat_gauge_free(thin);
    lat_geometry_free(g);
    lat_geometry_free(flat);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_columns();
    test_values();
    test_t0();
    test_exact();
    return tap_end();
}
