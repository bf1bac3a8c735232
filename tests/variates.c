/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * variates.c: least squares and estimators of control variates, on numbers of which the answer is known.
 */
#include "src/variate_results.h"
#include "tests/tap.h"

#include <unistd.h>

enum { SLICES = 16, COUNT = 400 };

static double noise(uint64_t number)
{
    double u[4];
    lat_random random = {.seed = 31, .purpose = LAT_RANDOM_TEST};
    lat_uniform4(&random, number, 0, 0, 0, u);
    return sqrt(-2 * log(u[0])) * cos(2 * M_PI * u[1]);
}

static variates asked_for(int range)
{
    return (variates){
        .wanted = true, .shapes = 4, .shape = {"xy-x-y", "xxy-x-x-y", "xyz-x-z-y", "xyz-x-y-z"}, .range = range};
}

static lat_orbits *orbits_for(const variates *asked)
{
    lat_error error = {0};
    lat_orbits *orbits = variates_orbits(asked, 4, &error);
    if (!orbits) lat_abort(error.status, "%s", error.text);
    return orbits;
}

static double coefficient(int j) { return 0.3 * (j % 5) - 0.5; }

/* Variates are white noise, and O(s) = 10 + sum_j c_j f_j(s) + noise of standard deviation `rest`, where these c_j have all orbits; and a part that lives on: x(s) + x(s+1) + ... . */
static double *make(const variate_series *series, double rest)
{
    const int64_t columns = (1 + series->orbits->count) * SLICES;
    const int terms = variate_terms(series->asked, series->orbits);
    double *value = lat_alloc(COUNT * columns, sizeof *value), *f = lat_alloc(terms, sizeof *f);
    for (int64_t n = 0; n < COUNT; n++) {
        double *row = value + n * columns;
        for (int64_t i = SLICES; i < columns; i++) row[i] = noise((uint64_t)(n * columns + i));
        for (int64_t s = 0; s < SLICES; s++) {
            variate_values(series, row, s, f);
            row[s] = 10;
            for (int k = 0; k < 8; k++) row[s] += rest * noise((uint64_t)(n * columns + (s + k) % SLICES)) / sqrt(8);
            for (int j = 0; j < terms; j++) row[s] += coefficient(j) * f[j];
        }
    }
    free(f);
    return value;
}

static void terms(void)
{
    variates one = asked_for(1), two = asked_for(2);
    lat_orbits *orbits = orbits_for(&one);
    ok(variate_terms(&one, orbits) == 14 && variate_terms(&two, orbits) == 24, "ten orbits have %d and %d variates",
       variate_terms(&one, orbits), variate_terms(&two, orbits));
    char *names = variate_names(&one, orbits);
    ok(strstr(names, "xy-x-y 0, xy-x-y 1") && strstr(names, "xtt-x-t-t 0") && !strstr(names, "xtt-x-t-t 1"),
       "their names");
    free(names);
    double row[11 * SLICES] = {0}, f[24];
    variate_series series = {.asked = &two, .orbits = orbits, .slices = SLICES};
    bool even = true;
    for (int i = 0; i < orbits->count; i++) /* A(t) = (t + extent / 2)^3 is odd about the middle of a loop */
        for (int t = -6; t < 7; t++)
            row[(1 + i) * SLICES + (t + SLICES) % SLICES] = pow(t + 0.5 * (orbits->orbit[i].extent % 2), 3);
    variate_values(&series, row, 0, f);
    for (int j = 0; j < 24; j++) even = even && f[j] == 0;
    ok(even, "variates are the same to both sides of the source");
    lat_orbits_free(orbits);
}

static variate_series series_of(const variates *asked, const lat_orbits *orbits)
{
    const int64_t chain[] = {COUNT};
    return (variate_series){
        .asked = asked, .orbits = orbits, .slices = SLICES, .count = COUNT, .cut = jackknife_cut(chain, 1, 4)};
}

static void model(const variate_series *series, const variate_results *results)
{
    lat_error error = {0};
    char *path = lat_text("variates-%d.h5", (int)getpid());
    variates known = *series->asked, other = asked_for(2);
    variate_series again = *series;
    variate_results same;
    double gain, first, scatter;
    known.model = other.model = path;
    again.asked = &known;
    variate_results_write(path, results, "a test", &error);
    variate_results_of(&again, &same, &error);
    ok(error.status == LAT_DONE, "coefficients in a file and back: %s", error.text);
    gain = variate_gain(&same, VARIATE_TWO_SIDED, -1, &scatter);
    first = variate_gain(results, VARIATE_TWO_SIDED, -1, &scatter);
    ok(fabs(gain - first) < 0.2 * first, "gain %.3g in place of %.3g", gain, first);
    free(variate_model_read(&other, series->orbits, MPI_COMM_SELF, &error));
    ok(error.status == LAT_CONFIG, "another range is refused: %s", error.text);
    variate_results_free(&same);
    unlink(path);
    free(path);
}

static void estimators(void)
{
    const double rest = 0.5;
    lat_error error = {0};
    variates asked = asked_for(1);
    lat_orbits *orbits = orbits_for(&asked);
    variate_series series = series_of(&asked, orbits);
    double *value = make(&series, rest), worst = 0, scatter, most = 0;
    series.value = value;
    double *fitted = variate_fit(&series, 0, 0, &error);
    for (int j = 0; j < variate_terms(&asked, orbits); j++) worst = fmax(worst, fabs(fitted[j] - coefficient(j)));
    ok(error.status == LAT_DONE && worst < 0.04, "coefficients come back to %.2g", worst);
    free(fitted);
    variate_results results;
    variate_results_of(&series, &results, &error);
    double variance = 0;
    for (int j = 0; j < variate_terms(&asked, orbits); j++) variance += pow(coefficient(j), 2);
    const double reduction = variate_reduction(&results, &scatter);
    ok(reduction > (variance + rest * rest) / (rest * rest), "variance of the source down by %.3g(%.1g)", reduction,
       scatter);
    for (int e = 0; e < VARIATE_ESTIMATORS; e++)
        for (int64_t t = variate_first_time(&asked, e); t < results.times; t++) {
            if (e == VARIATE_PLAIN && t <= 3) continue; /* there variates of the two slices have slices in common */
            const double exact = rest * rest * (t < 8 ? 1 - (double)t / 8 : 0);
            most = fmax(most, fabs(variate_correlator(&results, e, t, &scatter) - exact) / scatter);
        }
    ok(most < 4.5, "correlators of all estimators are the known one, the farthest %.1f sigma away", most);
    const double one = variate_gain(&results, VARIATE_ONE_SIDED, -1, &scatter),
                 two = variate_gain(&results, VARIATE_TWO_SIDED, -1, &scatter);
    ok(one > 3 && two > one * 1.3, "variance down by %.3g and %.3g", one, two);
    for (int i = 0; i < orbits->count; i++) most = fmax(most, fabs(variate_stein(&results, i, &scatter) / scatter));
    ok(most < 5, "averages of variates are 0");
    model(&series, &results);
    variate_results_free(&results);
    jackknife_free(&series.cut);
    lat_orbits_free(orbits);
    free(value);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    terms();
    estimators();
    return tap_end();
}
