/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * mesons: correlators and condensates, of points, walls and as an observable, against numbers that were computed independently and against the free
 * field, covariant under translations, the same bits on any ranks and lanes.  Tables and fields of other programs may be missing.
 */
#include "src/meson_masses.h"
#include "tests/tap.h"

#include <complex.h>
#include <jansson.h>
#include <unistd.h>

enum { LINE = 1024, CHANNELS = 8 };
static const char *const channels[CHANNELS] = {"PP", "A4P", "SS", "V1V1", "V2V2", "V3V3", "A1A1", "A4A4"};
static const double two_pi = 6.283185307179586477;

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

static char *shared(const char *folder, const char *name)
{
    return lat_text("%s/../shared/%s/%s", FLOWHMC_SOURCEDIR, folder, name);
}

/* ----------------------------------------------------------------------------------------------------------- scene */

typedef struct {
    lat_geometry *g;
    lat_gauge *gauge;
    lat_dirac *dirac;
    lat_propagator *propagator;
} scene;

static scene scene_of(MPI_Comm comm, const lat_shape *shape, lat_group group)
{
    scene s = {0};
    lat_error error = {0};
    lat_geometry_create(comm, shape, &s.g, &error);
    require(&error);
    s.gauge = lat_gauge_create(s.g, group, LAT_DOUBLE);
    return s;
}

static void set_operator(scene *s, const lat_dirac_table *table, const lat_dirac_parameters *parameters)
{
    lat_error error = {0};
    lat_propagator_free(s->propagator);
    lat_dirac_free(s->dirac);
    lat_dirac_create(table, s->g, s->gauge->group, parameters, &s->dirac, &error);
    require(&error);
    lat_dirac_prepare(s->dirac, s->gauge, &error);
    require(&error);
    s->propagator = lat_propagator_create(s->dirac);
}

static void scene_free(scene *s)
{
    lat_propagator_free(s->propagator);
    lat_dirac_free(s->dirac);
    if (s->gauge) lat_gauge_free(s->gauge);
    if (s->g) lat_geometry_free(s->g);
    *s = (scene){0};
}

static void solve(const scene *s, const int64_t *site, double residue)
{
    lat_error error = {0};
    lat_propagator_solve(s->propagator, site, NULL, &(lat_solver_goal){residue, 10000}, &error);
    require(&error);
}

/* [member][t], new memory */
static double *correlator(const scene *s, const char *channel)
{
    lat_meson meson;
    double *out = lat_alloc(s->g->members * s->g->size[s->g->dim - 1], sizeof *out);
    if (!lat_meson_read(channel, s->g->dim, &meson)) lat_abort(LAT_CONFIG, "%s: no such channel", channel);
    lat_propagator_correlate(s->propagator, &meson, out);
    return out;
}

/* Of the largest number */
static double difference(const double *a, const double *b, int64_t count)
{
    double worst = 0, size = 0;
    for (int64_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    return worst / size;
}

/* ---------------------------------------------------------------------------------------------- four dimensions */

static scene field_of_file(const char *name)
{
    lat_error error = {0};
    lat_group group;
    lat_shape shape;
    char *path = shared("configs", name);
    if (access(path, R_OK) != 0) {
        free(path);
        path = shared("reference/fermions", name);
    }
    lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, &error);
    require(&error);
    shape.precision = LAT_FLOAT;
    scene s = scene_of(MPI_COMM_WORLD, &shape, group);
    lat_config_read(path, s.gauge, &error);
    require(&error);
    free(path);
    return s;
}

/* Rows of one field and operator follow each other. */
static void test_table(FILE *file)
{
    char line[LINE], field[LINE], bc[64], channel[16], last[2 * LINE] = "", last_field[LINE] = "";
    double kappa, csw, t[4], worst = 0;
    int rows = 0, bad = 0;
    const int64_t origin = 0;
    scene s = {0};
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%1023[^,],%lf,%lf,%63[^,],%15[^,],%lf,%lf,%lf,%lf", field, &kappa, &csw, bc, channel, t,
                   t + 1, t + 2, t + 3) != 9)
            continue;
        char *now = lat_text("%s %g %g %s", field, kappa, csw, bc);
        if (strcmp(field, last_field) != 0) {
            scene_free(&s);
            s = field_of_file(field);
            snprintf(last_field, sizeof last_field, "%s", field);
        }
        if (strcmp(now, last) != 0) {
            set_operator(&s, csw == 0 ? &lat_dirac_wilson : &lat_dirac_clover,
                         &(lat_dirac_parameters){
                             .kappa = kappa, .csw = csw, .angle = {0, 0, 0, strcmp(bc, "antiperiodic") == 0}});
            solve(&s, &origin, 1e-12);
            snprintf(last, sizeof last, "%s", now);
        }
        double *out = correlator(&s, channel), off = difference(out, t, 4);
        if (!(off < 1e-10) && tap.rank == 0) printf("# %s %s: off by %g\n", now, channel, off);
        bad += !(off < 1e-10);
        worst = fmax(worst, off);
        rows++;
        free(out);
        free(now);
    }
    scene_free(&s);
    ok_all(rows >= 100 && bad == 0, "%d correlators on fields of other programs, to %.1e", rows, worst);
}

/* ------------------------------------------------------------------------------------------------- two dimensions */

static uint32_t mix(uint32_t h)
{
    h = (h ^ h >> 16) * 0x85ebca6b;
    h = (h ^ h >> 13) * 0xc2b2ae35;
    return h ^ h >> 16;
}

/* Angles by the formula that belongs to the table. */
static scene schwinger_of(int lx, int lt, uint32_t salt, double spread)
{
    scene s = scene_of(MPI_COMM_WORLD, &(lat_shape){.dim = 2, .size = {lx, lt}, .precision = LAT_FLOAT}, LAT_U1);
    double *angle = lat_alloc(2 * lx * lt, sizeof *angle);
    for (int i = 0; i < 2 * lx * lt; i++)
        angle[i] = two_pi / 2 * spread * (mix((uint32_t)i + 1 + 1000 * salt) / 2147483648.0 - 1);
    lat_field_scatter(s.gauge->links, 0, angle);
    lat_gauge_changed(s.gauge);
    free(angle);
    return s;
}

static const struct {
    const char *name;
    int lx, lt;
    uint32_t salt;
    double spread;
} schwinger[] = {{"a4x4", 4, 4, 1, 1},
                 {"b4x4_smooth", 4, 4, 2, 0.2},
                 {"c6x4", 6, 4, 3, 1},
                 {"d6x4_smooth", 6, 4, 4, 0.15},
                 {"e4x6", 4, 6, 5, 0.5}};

static void test_schwinger(const json_t *fields)
{
    const int64_t origin = 0;
    double worst = 0;
    int rows = 0;
    for (size_t f = 0; f < sizeof schwinger / sizeof *schwinger; f++) {
        scene s = schwinger_of(schwinger[f].lx, schwinger[f].lt, schwinger[f].salt, schwinger[f].spread);
        const json_t *results = json_object_get(json_object_get(fields, schwinger[f].name), "results");
        for (size_t r = 0; r < json_array_size(results); r++, rows++) {
            const json_t *result = json_array_get(results, r), *pion = json_object_get(result, "pion_source_at_0");
            const bool antiperiodic = strcmp(json_string_value(json_object_get(result, "bc")), "antiperiodic") == 0;
            double expected[8];
            for (size_t t = 0; t < json_array_size(pion) && t < 8; t++)
                expected[t] = json_number_value(json_array_get(pion, t));
            set_operator(&s, &lat_dirac_wilson,
                         &(lat_dirac_parameters){.kappa = json_number_value(json_object_get(result, "kappa")),
                                                 .angle = {0, antiperiodic}});
            solve(&s, &origin, 1e-13);
            double *out = correlator(&s, "PP");
            worst = fmax(worst, difference(out, expected, schwinger[f].lt));
            free(out);
        }
        scene_free(&s);
    }
    ok_all(rows == 40 && worst < 1e-10, "%d pions of the Schwinger model, to %.1e", rows, worst);
}

/* False alarm below 1e-6: five errors of 100 sources. */
static void test_condensate(const json_t *fields)
{
    enum { SOURCES = 100 };
    scene s = schwinger_of(6, 4, 3, 1);
    const json_t *results = json_object_get(json_object_get(fields, "c6x4"), "results"),
                 *result = json_array_get(results, 4);
    const double exact = json_number_value(json_object_get(result, "re_tr_Minv")) / 24;
    const lat_solver_goal goal = {1e-11, 1000};
    lat_random random = {.seed = 5, .purpose = LAT_RANDOM_SOURCES, .step = 3};
    lat_error error = {0};
    double mean = 0, square = 0, all;
    set_operator(&s, &lat_dirac_wilson, &(lat_dirac_parameters){.kappa = 0.25, .angle = {0, 1}});
    lat_condensate(s.dirac, SOURCES, &random, &goal, &all, &error);
    for (int i = 0; i < SOURCES; i++, random.update++) {
        double one;
        lat_condensate(s.dirac, 1, &random, &goal, &one, &error);
        mean += one / SOURCES;
        square += one * one / SOURCES;
    }
    require(&error);
    double deviation = sqrt((square - mean * mean) / SOURCES);
    ok_all(fabs(all - mean) < 1e-12 && fabs(all - exact) < 5 * deviation && deviation < 0.04 * exact,
           "condensate %.4f +- %.4f, exactly %.4f", all, deviation, exact);
    scene_free(&s);
}

/* As an observable of a chain, of one of its members. */
static void test_observable(const json_t *fields)
{
    static const char text[] = "operators = ( { name = \"q\"; kind = \"wilson\"; kappa = 0.25; } );"
                               "measure = { mesons = { operator = \"q\"; source = [0, 0]; condensate = 100; residue = 1e-13; every = 5; replica = 1; }; };";
    const json_t *result = json_array_get(json_object_get(json_object_get(fields, "c6x4"), "results"), 4),
                 *pion = json_object_get(result, "pion_source_at_0");
    const double trace = json_number_value(json_object_get(result, "re_tr_Minv")) / 24;
    const lat_random random = {.seed = 3, .purpose = LAT_RANDOM_SOURCES, .step = 7, .member = 1};
    double expected[4], out[5], links[2 * 24];
    lat_error error = {0};
    lat_settings *root;
    scene one = schwinger_of(6, 4, 3, 1), two = scene_of(MPI_COMM_WORLD, &(lat_shape){.dim = 2, .size = {6, 4}, .members = 2}, LAT_U1);
    lat_field_gather(one.gauge->links, 0, links);
    lat_field_scatter(two.gauge->links, 1, links);
    lat_gauge_changed(two.gauge);
    for (size_t t = 0; t < 4; t++) expected[t] = json_number_value(json_array_get(pion, t));
    lat_settings_parse(text, "test", &root, &error);
    require(&error);
    lat_operators *operators = lat_operators_read(root, &(lat_action_context){.group = LAT_U1}, lat_dirac_tables, &error);
    const lat_observe_context context = {two.gauge, two.g, lat_settings_group(root, "measure", &error), operators};
    lat_observable *o = lat_observable_create("mesons", lat_observable_kinds, &context, &error);
    require(&error);
    ok_all(o->columns == 5 && o->every == 5 && o->member == 1 && strcmp(o->column[3].name, "q_PP_3") == 0 &&
               strcmp(o->column[4].name, "q_condensate") == 0 && strcmp(o->column[0].unit, "a^-1") == 0,
           "columns of an observable");
    lat_observable_measure(o, two.gauge, &random, out, &error);
    require(&error);
    ok_all(difference(out, expected, 4) < 1e-10 && fabs(out[4] - trace) < 0.2 * trace, "the pion of the table, and %.4f for a condensate of %.4f", out[4], trace);
    lat_observable_free(o);
    free(operators);
    lat_settings_free(root);
    scene_free(&one);
    scene_free(&two);
}

/* Walls have the mean of points in the mean: false alarm below 1e-5 for each number, with seeds that are fixed. */
static void test_walls(void)
{
    enum { WALLS = 400, L = 4, T = 6, SLICE = 2 };
    static const char *const tested[] = {"PP", "A4P", "V1V1"};
    scene s = schwinger_of(L, T, 5, 0.5);
    lat_random noise = {.seed = 11, .purpose = LAT_RANDOM_SOURCES};
    lat_error error = {0};
    double exact[3][T] = {{0}}, mean[3][T] = {{0}}, square[3][T] = {{0}}, worst = 0, coarsest = 0;
    set_operator(&s, &lat_dirac_wilson, &(lat_dirac_parameters){.kappa = 0.22, .angle = {0, 1}});
    for (int64_t i = 0; i < L + WALLS; i++, noise.update++) {
        const int64_t site = SLICE * L + i % L;
        lat_propagator_solve(s.propagator, &site, i < L ? NULL : &noise, &(lat_solver_goal){1e-10, 10000}, &error);
        require(&error);
        for (int c = 0; c < 3; c++) {
            double *one = correlator(&s, tested[c]);
            for (int t = 0; t < T; t++) {
                if (i < L) exact[c][t] += one[t] / L;
                if (i >= L) mean[c][t] += one[t] / WALLS;
                if (i >= L) square[c][t] += one[t] * one[t] / WALLS;
            }
            free(one);
        }
    }
    for (int c = 0; c < 3; c++)
        for (int t = 0; t < T; t++) {
            const double deviation = sqrt((square[c][t] - mean[c][t] * mean[c][t]) / WALLS);
            worst = fmax(worst, fabs(mean[c][t] - exact[c][t]) / deviation);
            if (c == 0) coarsest = fmax(coarsest, deviation / exact[c][t]);
        }
    ok_all(worst < 4.5 && coarsest < 0.05, "walls have the mean of points: off by %.1f errors, which are up to %.1g of pions", worst, coarsest);
    scene_free(&s);
}

/* ---------------------------------------------------------------------------------------------------------- properties */

/* 2 (|A|^2 + |B|^2), sums over momenta p of exp(ipx) M^-1(p) = exp(ipx) (a - i b gamma) / (a^2 + b^2) */
static double free_density(int lx, int lt, double kappa, int x, int t)
{
    double complex sum[3] = {0};
    for (int i = 0; i < lx; i++)
        for (int j = 0; j < lt; j++) {
            const double p[2] = {two_pi * i / lx, two_pi * (j + 0.5) / lt};
            const double a = 1 - 2 * kappa * (cos(p[0]) + cos(p[1])),
                         b[2] = {2 * kappa * sin(p[0]), 2 * kappa * sin(p[1])};
            const double complex wave =
                cexp(I * (p[0] * x + p[1] * t)) / (lx * lt * (a * a + b[0] * b[0] + b[1] * b[1]));
            sum[0] += wave * a;
            sum[1] += wave * b[0];
            sum[2] += wave * b[1];
        }
    double square = 0;
    for (int i = 0; i < 3; i++) square += creal(sum[i] * conj(sum[i]));
    return 2 * square;
}

static void test_free(void)
{
    enum { LX = 8, LT = 32 };
    const double kappa = 0.2, energy = log(1 / (2 * kappa) - 1); /* of a quark at rest */
    double expected[LT] = {0};
    const int64_t site = 3 + LX * 5;
    scene s = scene_of(MPI_COMM_WORLD, &(lat_shape){.dim = 2, .size = {LX, LT}, .precision = LAT_FLOAT}, LAT_U1);
    set_operator(&s, &lat_dirac_wilson, &(lat_dirac_parameters){.kappa = kappa, .angle = {0, 1}});
    solve(&s, &site, 1e-14);
    double *out = correlator(&s, "PP"), *axial = correlator(&s, "A4P");
    for (int t = 0; t < LT; t++)
        for (int x = 0; x < LX; x++) expected[t] += free_density(LX, LT, kappa, x, t);
    ok_all(difference(out, expected, LT) < 1e-12, "a free pion is the sum over momenta, to %.1e",
           difference(out, expected, LT));
    const double mass = meson_mass(out, LT, 1, LT / 2 - 2), bare = meson_pcac_mass(axial, out, LT, LT / 2 - 2);
    ok_all(fabs(mass - 2 * energy) < 3e-4, "... and decays with the energy of two quarks, %.5f: %.5f", 2 * energy,
           mass);
    double odd = 0;
    for (int t = 1; t < LT; t++) odd = fmax(odd, fabs(axial[t] + axial[LT - t]));
    ok_all(fabs(axial[4]) > 1e-4 && odd < 1e-12, "... and A4P is odd in time, to %.1e", odd);
    ok_all(bare > 0, "... with the mass %.4f of a quark", bare);
    free(out);
    free(axial);
    scene_free(&s);
}

/* Correlators that are known: exact masses. */
static void test_masses(void)
{
    enum { T = 16 };
    const double mass = 0.37;
    double even[T], odd[T], worst = 0;
    for (int t = 0; t < T; t++) {
        even[t] = 3 * cosh(mass * (t - T / 2));
        odd[t] = 2 * sinh(mass * (t - T / 2));
    }
    for (int t = 2; t < T / 2; t++) { /* an odd function jumps at 0 */
        worst = fmax(worst, fabs(meson_mass(even, T, 1, t) - mass) + fabs(meson_mass(odd, T, -1, t) - mass));
        worst = fmax(worst, fabs(meson_pcac_mass(odd, even, T, t) - sinh(mass) / 3));
    }
    even[5] = even[T - 5] = -1;
    ok_all(worst < 1e-13 && isnan(meson_mass(even, T, 1, 5)),
           "masses of hyperbolic functions, to %.1e, and none of a negative number", worst);
}

static const lat_dirac_parameters twisted = {.kappa = 0.12, .csw = 1, .mu = 0.1, .angle = {0, 0, 0, 1}};

static void draw_links(const scene *s, uint64_t member)
{
    lat_random random = {.seed = 23, .purpose = LAT_RANDOM_TEST, .step = 1, .member = member};
    lat_field *algebra = lat_field_algebra(s->g, s->gauge->group, LAT_DOUBLE);
    lat_field_gaussian(algebra, &random);
    lat_gauge_exp_update(s->gauge, 0.3, algebra);
    lat_field_free(algebra);
}

/* Correlators of a site, and of its neighbour on a field that is moved by as much: at even and at odd sites. */
static void test_translation(void)
{
    const lat_shape shape = {.dim = 4, .size = {4, 4, 4, 4}, .precision = LAT_FLOAT};
    scene s = scene_of(MPI_COMM_WORLD, &shape, LAT_SU3), moved = scene_of(MPI_COMM_WORLD, &shape, LAT_SU3);
    const int64_t volume = s.g->volume, each = s.gauge->links->components, from = 2 + 4 * 3 + 64 * 3,
                  to = (from + 64) % volume;
    draw_links(&s, 0);
    double *links = lat_alloc(volume * each, sizeof *links), *other = lat_alloc(volume * each, sizeof *links),
           worst = 0;
    lat_field_gather(s.gauge->links, 0, links);
    for (int64_t i = 0; i < volume; i++)
        memcpy(other + (i + 64) % volume * each, links + i * each, (size_t)each * sizeof *links);
    lat_field_scatter(moved.gauge->links, 0, other);
    lat_gauge_changed(moved.gauge);
    set_operator(&s, &lat_dirac_clover, &twisted);
    set_operator(&moved, &lat_dirac_clover, &twisted);
    solve(&s, &from, 1e-12);
    solve(&moved, &to, 1e-12);
    int negative = 0;
    for (int c = 0; c < CHANNELS; c++) {
        double *a = correlator(&s, channels[c]), *b = correlator(&moved, channels[c]);
        worst = fmax(worst, difference(a, b, 4));
        for (int t = 0; t < 4 && c == 0; t++) negative += !(a[t] > 0);
        free(a);
        free(b);
    }
    ok_all(worst < 1e-10 && negative == 0,
           "time moves with the field, through the boundary and to odd sites, to %.1e; PP is positive", worst);
    free(links);
    free(other);
    scene_free(&s);
    scene_free(&moved);
}

static double *all_channels(const scene *s, uint64_t first, int member)
{
    const lat_random random = {.seed = 7, .purpose = LAT_RANDOM_SOURCES, .member = first};
    int64_t site[8], slices = s->g->size[3];
    double *all = lat_alloc((CHANNELS + 2) * slices, sizeof *all), condensate[8];
    lat_error error = {0};
    lat_random_sites(s->g, &random, site);
    solve(s, site, 1e-9);
    for (int c = 0; c < CHANNELS; c++) {
        double *one = correlator(s, channels[c]);
        memcpy(all + c * slices, one + member * slices, (size_t)slices * sizeof *one);
        free(one);
    }
    lat_condensate(s->dirac, 2, &random, &(lat_solver_goal){1e-9, 1000}, condensate, &error);
    require(&error);
    lat_propagator_solve(s->propagator, site, &random, &(lat_solver_goal){1e-9, 1000}, &error);
    require(&error);
    double *wall = correlator(s, "PP");
    memcpy(all + CHANNELS * slices, wall + member * slices, (size_t)slices * sizeof *wall);
    free(wall);
    all[(CHANNELS + 1) * slices] = condensate[member];
    return all;
}

static void test_bits(void)
{
    const lat_shape shapes[] = {
        {.dim = 4, .size = {4, 4, 4, 8}, .members = 3, .precision = LAT_FLOAT},
        {.dim = 4, .size = {4, 4, 4, 8}, .members = 1, .lane_grid = {2, 1, 2, 2}, .precision = LAT_FLOAT}};
    int bad = 0;
    for (int member = 0; member < 3; member++) {
        scene alone =
            scene_of(MPI_COMM_SELF, &(lat_shape){.dim = 4, .size = {4, 4, 4, 8}, .precision = LAT_FLOAT}, LAT_SU2);
        draw_links(&alone, (uint64_t)member);
        set_operator(&alone, &lat_dirac_clover, &twisted);
        double *expected = all_channels(&alone, (uint64_t)member, 0);
        for (int i = 0; i < 2; i++) {
            const bool side_by_side = shapes[i].members > 1;
            scene s = scene_of(MPI_COMM_WORLD, &shapes[i], LAT_SU2);
            draw_links(&s, side_by_side ? 0 : (uint64_t)member);
            set_operator(&s, &lat_dirac_clover, &twisted);
            double *got = all_channels(&s, side_by_side ? 0 : (uint64_t)member, side_by_side ? member : 0);
            bad += memcmp(expected, got, ((CHANNELS + 1) * 8 + 1) * sizeof *got) != 0;
            free(got);
            scene_free(&s);
        }
        free(expected);
        scene_free(&alone);
    }
    ok_all(bad == 0, "the same bits on any ranks and lanes, beside any members");
}

static void test_failures(void)
{
    lat_meson meson;
    const char *const none[] = {"", "P", "PPP", "A5P", "A0P", "VV", "XP", "P4"};
    int accepted = 0;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) accepted += lat_meson_read(none[i], 4, &meson);
    ok_all(accepted == 0 && !lat_meson_read("V2V2", 2, &meson) && lat_meson_read("V4V4", 2, &meson),
           "channels that are none");
    scene s = schwinger_of(4, 4, 1, 1);
    lat_error error = {0};
    const int64_t origin = 0;
    set_operator(&s, &lat_dirac_wilson, &(lat_dirac_parameters){.kappa = 0.2, .angle = {0, 1}});
    lat_propagator_solve(s.propagator, &origin, NULL, &(lat_solver_goal){1e-12, 2}, &error);
    ok_all(error.status == LAT_NUMERICAL, "too few iterations: %s", error.text);
    scene_free(&s);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    char *table = shared("reference/fermions", "mesons4d.csv"),
         *path = shared("reference/fermions", "schwinger_fields.json");
    FILE *file = fopen(table, "r");
    json_t *fields = json_load_file(path, 0, NULL);
    if (file) {
        test_table(file);
        fclose(file);
    } else {
        ok(1, "correlators on fields of other programs # SKIP the table is not here");
    }
    if (fields) {
        test_schwinger(fields);
        test_condensate(fields);
        test_observable(fields);
    } else {
        ok(1, "the Schwinger model # SKIP the table is not here");
    }
    json_decref(fields);
    free(table);
    free(path);
    test_walls();
    test_free();
    test_masses();
    test_translation();
    test_bits();
    test_failures();
    return tap_end();
}
