/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * dirac_reference: operators in four dimensions on fields of other programs, against numbers that were computed independently: norms
 * and forms of M and Mhat, and components, in two bases; actions of pseudofermions and of the diagonal, and their forces.  Skips where the tables and fields are not there.
 */
#include "lattice/dirac/solver.h"
#include "tests/tap.h"

#include <complex.h>
#include <unistd.h>

typedef double complex number;

enum { SPINS = 4, COLOURS = 3, REALS = SPINS * COLOURS, LINE = 1024, COLUMNS = 24 };

/* ----------------------------------------------------------------------------------------------------------- tables */

static char *shared(const char *folder, const char *name)
{
    return lat_text("%s/../shared/%s/%s", FLOWHMC_SOURCEDIR, folder, name);
}

/* The columns of a line of a table; how many there are. */
static int columns_of(char *line, char *column[COLUMNS])
{
    int count = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *at = line; at && count < COLUMNS;) {
        column[count++] = at;
        at = strchr(at, ',');
        if (at) *at++ = 0;
    }
    return count;
}

static FILE *open_table(const char *name)
{
    char *path = shared("reference/fermions", name);
    FILE *file = fopen(path, "r");
    free(path);
    return file;
}

/* ----------------------------------------------------------------------------------------------------------- scene */

typedef struct {
    char name[128]; /* of the field */
    lat_geometry *geometry;
    lat_gauge *gauge;
    lat_dirac *dirac;
    lat_field *in, *out;
    int64_t volume;
    number *eta, *result, *even_result; /* [site][spin][colour] */
} scene;

static void close_scene(scene *s)
{
    lat_field_free(s->in);
    lat_field_free(s->out);
    lat_dirac_free(s->dirac);
    lat_gauge_free(s->gauge);
    lat_geometry_free(s->geometry);
    free(s->eta);
    free(s->result);
    free(s->even_result);
    *s = (scene){0};
}

static void open_scene(scene *s, const char *field)
{
    lat_error error = {0};
    lat_group group;
    lat_shape shape;
    char *path = shared("configs", field);
    if (access(path, R_OK) != 0) {
        free(path);
        path = shared("reference/fermions", field);
    }
    close_scene(s);
    snprintf(s->name, sizeof s->name, "%s", field);
    lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, &error);
    if (!error.status) lat_geometry_create(MPI_COMM_WORLD, &shape, &s->geometry, &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    s->gauge = lat_gauge_create(s->geometry, group, LAT_DOUBLE);
    if (lat_config_read(path, s->gauge, &error)) lat_abort(error.status, "%s", error.text);
    s->in = lat_field_spinor(s->geometry, group, LAT_DOUBLE);
    s->out = lat_field_spinor(s->geometry, group, LAT_DOUBLE);
    s->volume = s->geometry->volume;
    s->eta = lat_alloc((size_t)(s->volume * REALS), sizeof *s->eta);
    s->result = lat_alloc((size_t)(s->volume * REALS), sizeof *s->eta);
    s->even_result = lat_alloc((size_t)(s->volume * REALS), sizeof *s->eta);
    free(path);
}

static void set_operator(scene *s, double kappa, double csw, int antiperiodic)
{
    lat_error error = {0};
    lat_dirac_parameters parameters = {.kappa = kappa, .csw = csw, .angle = {0, 0, 0, antiperiodic}};
    lat_dirac_free(s->dirac);
    if (lat_dirac_create(csw == 0 ? &lat_dirac_wilson : &lat_dirac_clover, s->geometry, LAT_SU3, &parameters, &s->dirac,
                         &error) ||
        lat_dirac_prepare(s->dirac, s->gauge, &error))
        lat_abort(error.status, "%s", error.text);
}

/* ----------------------------------------------------------------------------------------------------------- source */

static uint32_t mix(uint32_t h)
{
    h = (h ^ h >> 16) * 0x85ebca6b;
    h = (h ^ h >> 13) * 0xc2b2ae35;
    return h ^ h >> 16;
}

static bool is_even(const scene *s, int64_t site)
{
    const int64_t *L = s->geometry->size;
    return (site % L[0] + site / L[0] % L[1] + site / L[0] / L[1] % L[2] + site / L[0] / L[1] / L[2]) % 2 == 0;
}

static void fill_source(scene *s, uint32_t salt)
{
    for (int64_t n = 0; n < s->volume * REALS; n++) {
        uint32_t h = mix((uint32_t)n + 1 + salt);
        s->eta[n] = (h >> 16) / 65536.0 - 0.5 + I * ((h & 65535) / 65536.0 - 0.5);
    }
}

/* psi in the other basis: S psi with the blocks S = ((0, s2), (-s2, 0)), or its inverse S^+ = ((0, -s2), (s2, 0)) */
static void turn(const scene *s, int sign, number *psi)
{
    for (int64_t site = 0; site < s->volume; site++)
        for (int a = 0; a < COLOURS; a++) {
            number *p = psi + site * REALS + a, upper[2] = {p[0], p[COLOURS]},
                   lower[2] = {p[2 * COLOURS], p[3 * COLOURS]};
            p[0] = sign * -I * lower[1];
            p[COLOURS] = sign * I * lower[0];
            p[2 * COLOURS] = sign * I * upper[1];
            p[3 * COLOURS] = sign * -I * upper[0];
        }
}

static void apply(scene *s, lat_dirac_form form, bool other_basis, const number *source, number *out)
{
    memcpy(out, source, (size_t)(s->volume * REALS) * sizeof *out);
    if (other_basis) turn(s, -1, out);
    for (int64_t n = 0; form.even && n < s->volume * REALS; n++)
        if (!is_even(s, n / REALS)) out[n] = 0;
    lat_field_scatter(s->in, 0, (const double *)out);
    lat_field_zero(s->out);
    lat_dirac_apply(s->dirac, form, s->in, s->out);
    lat_field_gather(s->out, 0, (double *)out);
    if (other_basis) turn(s, 1, out);
}

static number product(const scene *s, const number *x, const number *y, bool even, bool gamma5)
{
    long double re = 0, im = 0;
    for (int64_t n = 0; n < s->volume * REALS; n++) {
        if (even && !is_even(s, n / REALS)) continue;
        number term = conj(x[n]) * y[n] * (gamma5 && n % REALS >= REALS / 2 ? -1 : 1);
        re += creal(term);
        im += cimag(term);
    }
    return (double)re + I * (double)im;
}

static double worst;
static void hold(number value, double re, double im, double scale)
{
    worst = fmax(worst, cabs(value - (re + I * im)) / scale);
}

/* ------------------------------------------------------------------------------------------------------------ tests */

static void test_row(scene *s, char **c)
{
    bool other = strcmp(c[1], "openqcd") == 0;
    double number_at[COLUMNS];
    for (int i = 5; i < 15; i++) number_at[i] = strtod(c[i], NULL);
    double full = number_at[5], half = number_at[11];
    worst = 0;
    apply(s, (lat_dirac_form){0}, other, s->eta, s->result);
    hold(product(s, s->eta, s->eta, false, false), full, 0, full);
    hold(product(s, s->result, s->result, false, false), number_at[6], 0, full);
    hold(product(s, s->eta, s->result, false, false), number_at[7], number_at[8], full);
    hold(creal(product(s, s->eta, s->result, false, true)), number_at[10], 0, full);
    apply(s, (lat_dirac_form){.dagger = true}, other, s->eta, s->result);
    hold(product(s, s->result, s->result, false, false), number_at[9], 0, full);
    apply(s, (lat_dirac_form){.even = true}, other, s->eta, s->result);
    hold(product(s, s->eta, s->eta, true, false), half, 0, half);
    hold(product(s, s->result, s->result, true, false), number_at[12], 0, half);
    hold(product(s, s->eta, s->result, true, false), number_at[13], number_at[14], half);
    ok_all(worst < 1e-13, "%s, %s, kappa %s, csw %s, %s: to %.1e", c[0], c[1], c[2], c[3], c[4], worst);
}

static void test_operators(scene *s)
{
    char line[LINE], *c[COLUMNS], wanted[LINE];
    FILE *file = open_table("operator4d.csv");
    while (fgets(line, sizeof line, file)) {
        if (columns_of(line, c) < 15 || strcmp(c[0], "field") == 0) continue;
        snprintf(wanted, sizeof wanted, "%s", c[0]);
        if (strcmp(s->name, wanted) != 0) open_scene(s, wanted);
        fill_source(s, 0);
        set_operator(s, strtod(c[2], NULL), strtod(c[3], NULL), strcmp(c[4], "antiperiodic") == 0);
        test_row(s, c);
    }
    fclose(file);
}

/* Rows of one field, basis and operator follow each other. */
static void test_components(scene *s)
{
    char line[LINE], *c[COLUMNS], last[LINE] = "";
    int rows = 0;
    FILE *file = open_table("operator4d_components.csv");
    worst = 0;
    while (fgets(line, sizeof line, file)) {
        if (columns_of(line, c) < 11 || strcmp(c[0], "field") == 0) continue;
        char *now = lat_text("%s %s %s %s", c[0], c[1], c[2], c[3]);
        bool other = strcmp(c[1], "openqcd") == 0;
        if (strcmp(now, last) != 0) {
            if (strcmp(s->name, c[0]) != 0) open_scene(s, c[0]);
            fill_source(s, 0);
            set_operator(s, strtod(c[2], NULL), strtod(c[3], NULL), 1);
            apply(s, (lat_dirac_form){0}, other, s->eta, s->result);
            apply(s, (lat_dirac_form){.even = true}, other, s->eta, s->even_result);
            snprintf(last, sizeof last, "%s", now);
        }
        int64_t site = strtoll(c[4], NULL, 10),
                n = site * REALS + strtol(c[5], NULL, 10) * COLOURS + strtol(c[6], NULL, 10);
        hold(s->result[n], strtod(c[7], NULL), strtod(c[8], NULL), 1);
        if (is_even(s, site)) hold(s->even_result[n], strtod(c[9], NULL), strtod(c[10], NULL), 1);
        rows++;
        free(now);
    }
    fclose(file);
    ok_all(rows > 100 && worst < 1e-13, "%d components of M eta and Mhat eta: to %.1e", rows, worst);
}

/* ----------------------------------------------------------------------------------------------------------- forces */

/* Of S = phi^+ (D D^+)^-1 phi = |D^-1 phi|^2 with D = M or Mhat: S; force: minus 2 Re x^+ dD y, x = (D D^+)^-1 phi, y = D^+ x. */
static double pseudofermion(scene *s, bool even, lat_field *force)
{
    lat_error error = {0};
    lat_solver_report report;
    lat_dirac_form adjoint = {.even = even, .dagger = true};
    lat_spinor_sites sites = even ? LAT_EVEN_SITES : LAT_ALL_SITES;
    lat_field *x = lat_field_spinor(s->geometry, LAT_SU3, LAT_DOUBLE),
              *density = lat_field_create(s->geometry, 1, LAT_DOUBLE);
    lat_solver *solver = lat_solver_create(s->dirac);
    double value;
    fill_source(s, 5000);
    for (int64_t n = 0; even && n < s->volume * REALS; n++)
        if (!is_even(s, n / REALS)) s->eta[n] = 0;
    lat_field_scatter(s->in, 0, (double *)s->eta);
    if (lat_solve_cg_mixed(solver, adjoint, 0, s->in, x, &(lat_solver_goal){1e-13, 10000}, &report, &error))
        lat_abort(error.status, "%s", error.text);
    lat_spinor_dot(sites, s->in, x, density, &value);
    lat_dirac_apply(s->dirac, adjoint, x, s->out);
    if (even) lat_dirac_extend(s->dirac, true, x);
    if (even) lat_dirac_extend(s->dirac, false, s->out);
    lat_dirac_force(s->dirac, -1, x, s->out);
    lat_dirac_force_finish(s->dirac, s->gauge, force);
    lat_solver_free(solver);
    lat_field_free(density);
    lat_field_free(x);
    return value;
}

enum { ALGEBRA = 8, DIRECTIONS = 4 };

/* The forces of all links of one scene, and what sums they have */
typedef struct {
    double action[2], *number[2]; /* of pseudofermions, and of the diagonal */
} forces;

static forces compute(scene *s, bool even)
{
    forces f = {{0}, {NULL}};
    lat_field *force = lat_field_algebra(s->geometry, LAT_SU3, LAT_DOUBLE),
              *density = lat_field_create(s->geometry, 1, LAT_DOUBLE);
    size_t count = (size_t)s->volume * DIRECTIONS * ALGEBRA;
    for (int i = 0; i < 2; i++) f.number[i] = lat_alloc(count, sizeof(double));
    f.action[0] = pseudofermion(s, even, force);
    lat_field_gather(force, 0, f.number[0]);
    lat_field_zero(force);
    lat_dirac_log_det_diagonal(s->dirac, density);
    lat_sum(density, &f.action[1]);
    f.action[1] *= -2;
    lat_dirac_force_diagonal(s->dirac, -2);
    lat_dirac_force_finish(s->dirac, s->gauge, force);
    lat_field_gather(force, 0, f.number[1]);
    lat_field_free(force);
    lat_field_free(density);
    return f;
}

static void set_scene(scene *s, char **c)
{
    if (strcmp(s->name, c[0]) != 0) open_scene(s, c[0]);
    set_operator(s, strtod(c[1], NULL), strtod(c[2], NULL), strcmp(c[3], "antiperiodic") == 0);
}

static void free_forces(forces *f)
{
    for (int i = 0; i < 2; i++) free(f->number[i]);
    *f = (forces){{0}, {NULL}};
}

/* Action, sum of squares and largest of the force, in columns that begin at `first` */
static void hold_totals(const scene *s, const forces *f, int which, char **c, int first)
{
    double squares = 0, most = 0;
    for (int64_t i = 0; i < s->volume * DIRECTIONS * ALGEBRA; i++) {
        squares += f->number[which][i] * f->number[which][i];
        most = fmax(most, fabs(f->number[which][i]));
    }
    hold(f->action[which], strtod(c[first], NULL), 0, 1 + fabs(strtod(c[first], NULL)));
    hold(squares, strtod(c[first + 1], NULL), 0, 1 + strtod(c[first + 1], NULL));
    hold(most, strtod(c[first + 2], NULL), 0, 1);
}

static void test_totals(scene *s, bool even)
{
    char line[LINE], *c[COLUMNS];
    FILE *file = open_table(even ? "force4d_evenodd_totals.csv" : "force4d_totals.csv");
    while (fgets(line, sizeof line, file)) {
        if (columns_of(line, c) < 7 || strcmp(c[0], "field") == 0) continue;
        set_scene(s, c);
        forces f = compute(s, even);
        worst = 0;
        hold_totals(s, &f, 0, c, 4);
        if (even) hold_totals(s, &f, 1, c, 7);
        ok_all(worst < 1e-9, "%s, csw %s, %s: action and force to %.1e", c[0], c[2], even ? "even-odd" : "all sites",
               worst);
        free_forces(&f);
    }
    fclose(file);
}

/* Rows of one field and operator follow each other. */
static void test_forces(scene *s, bool even)
{
    char line[LINE], *c[COLUMNS], last[LINE] = "";
    forces f = {{0}, {NULL}};
    int rows = 0;
    FILE *file = open_table(even ? "force4d_evenodd.csv" : "force4d.csv");
    worst = 0;
    while (fgets(line, sizeof line, file)) {
        if (columns_of(line, c) < 9 || strcmp(c[0], "field") == 0) continue;
        char *now = lat_text("%s %s %s", c[0], c[1], c[2]);
        if (strcmp(now, last) != 0) {
            set_scene(s, c);
            free_forces(&f);
            f = compute(s, even);
            snprintf(last, sizeof last, "%s", now);
        }
        int64_t i = (strtoll(c[4], NULL, 10) * DIRECTIONS + strtol(c[5], NULL, 10)) * ALGEBRA + strtol(c[6], NULL, 10);
        hold(f.number[0][i], strtod(c[7], NULL), 0, 1);
        if (even) hold(f.number[1][i], strtod(c[8], NULL), 0, 1);
        rows++;
        free(now);
    }
    fclose(file);
    free_forces(&f);
    ok_all(rows > 100 && worst < 1e-9, "%d components of forces, %s: to %.1e", rows, even ? "even-odd" : "all sites",
           worst);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    FILE *file = open_table("operator4d.csv");
    if (file) {
        scene s = {0};
        fclose(file);
        test_operators(&s);
        test_components(&s);
        for (int even = 0; even < 2; even++) {
            test_totals(&s, even);
            test_forces(&s, even);
        }
        close_scene(&s);
    } else {
        ok(1, "operators on fields of other programs # SKIP the tables are not here");
    }
    return tap_end();
}
