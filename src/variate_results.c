/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * variate_results.c: estimators of correlators, with jackknife errors.
 */
#include "src/variate_results.h"

#include "src/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of a configuration: means of O and R, products at all times for each estimator, and the mean of each orbit's A. */
enum { MEAN_O, MEAN_R, PRODUCTS };

static void fill_products(const double *o, const double *r, int64_t slices, int64_t times, double *row)
{
    const double weight = 1 / (double)slices;
    for (int64_t s = 0; s < slices; s++) {
        row[MEAN_O] += weight * o[s];
        row[MEAN_R] += weight * r[s];
        for (int64_t t = 0; t < times; t++) {
            const int64_t other = (s + t) % slices;
            row[PRODUCTS + VARIATE_PLAIN * times + t] += weight * o[s] * o[other];
            row[PRODUCTS + VARIATE_ONE_SIDED * times + t] += 0.5 * weight * (o[s] * r[other] + r[s] * o[other]);
            row[PRODUCTS + VARIATE_TWO_SIDED * times + t] += weight * r[s] * r[other];
        }
    }
}

lat_status variate_results_of(const variate_series *series, variate_results *results, lat_error *error)
{
    const int64_t slices = series->slices, orbits = series->orbits->count,
                  steins = PRODUCTS + VARIATE_ESTIMATORS * (slices / 2 + 1);
    *results = (variate_results){.series = series, .times = slices / 2 + 1, .columns = steins + orbits};
    results->residue = variate_residues(series, error);
    if (error->status) return error->status;
    double *rows = lat_alloc(series->count * results->columns, sizeof *rows);
    for (int64_t n = 0; n < series->count; n++) {
        const double *value = series->value + n * (1 + orbits) * slices;
        double *row = rows + n * results->columns;
        fill_products(value, results->residue + n * slices, slices, results->times, row);
        for (int64_t i = 0; i < orbits * slices; i++) row[steins + i / slices] += value[slices + i] / (double)slices;
    }
    results->means = jackknife_means(rows, results->columns, &series->cut);
    free(rows);
    return LAT_DONE;
}

void variate_results_free(variate_results *results)
{
    free(results->residue);
    free(results->means);
    *results = (variate_results){0};
}

int64_t variate_first_time(const variates *variates, int estimator)
{
    const int64_t first[] = {0, variates->range + 1, 2 * variates->range + 2};
    return first[estimator];
}

/* --------------------------------------------------------------------------------------------------- with their errors */

typedef double quantity(const variate_results *results, const double *mean, int which, int64_t t);

static double correlator(const variate_results *results, const double *mean, int estimator, int64_t t)
{
    const double first = mean[estimator == VARIATE_TWO_SIDED ? MEAN_R : MEAN_O],
                 second = mean[estimator == VARIATE_PLAIN ? MEAN_O : MEAN_R];
    return mean[PRODUCTS + estimator * results->times + t] - first * second;
}

static double reduction(const variate_results *results, const double *mean, int which, int64_t t)
{
    (void)which;
    return correlator(results, mean, VARIATE_PLAIN, t) / correlator(results, mean, VARIATE_TWO_SIDED, t);
}

static double stein(const variate_results *results, const double *mean, int orbit, int64_t t)
{
    (void)t;
    return mean[PRODUCTS + VARIATE_ESTIMATORS * results->times + orbit];
}

static double value_of(const variate_results *results, quantity *quantity, int which, int64_t t, double *error)
{
    const int64_t bins = results->series->cut.bins;
    double all = quantity(results, results->means, which, t), *part = lat_alloc(bins, sizeof *part);
    for (int64_t b = 0; b < bins; b++)
        part[b] = quantity(results, results->means + (b + 1) * results->columns, which, t);
    *error = jackknife_error(all, part, bins);
    free(part);
    return all;
}

double variate_correlator(const variate_results *results, int estimator, int64_t t, double *error)
{
    return value_of(results, correlator, estimator, t, error);
}

double variate_reduction(const variate_results *results, double *error)
{
    return value_of(results, reduction, 0, 0, error);
}

double variate_stein(const variate_results *results, int orbit, double *error)
{
    return value_of(results, stein, orbit, 0, error);
}

/* The square of how far the correlator without bin b is from that of all. */
static double spread(const variate_results *results, int estimator, int64_t t, int64_t b)
{
    const double *mean = results->means;
    return pow(correlator(results, mean + (b + 1) * results->columns, estimator, t) -
                   correlator(results, mean, estimator, t),
               2);
}

/* The ratio of sums of these over the bins, and without each bin: part[1 + bin]. */
static void add_gains(const variate_results *results, int estimator, int64_t t, double weight, double *part)
{
    const int64_t bins = results->series->cut.bins;
    double plain = 0, own = 0;
    for (int64_t b = 0; b < bins; b++) {
        plain += spread(results, VARIATE_PLAIN, t, b);
        own += spread(results, estimator, t, b);
    }
    part[0] += weight * plain / own;
    for (int64_t b = 0; b < bins; b++)
        part[1 + b] +=
            weight * (plain - spread(results, VARIATE_PLAIN, t, b)) / (own - spread(results, estimator, t, b));
}

double variate_gain(const variate_results *results, int estimator, int64_t t, double *error)
{
    const int64_t bins = results->series->cut.bins,
                  first = t < 0 ? variate_first_time(results->series->asked, estimator) : t;
    const int64_t end = t < 0 ? results->times : t + 1;
    double *part = lat_alloc(1 + bins, sizeof *part);
    for (int64_t i = first; i < end; i++) add_gains(results, estimator, i, 1 / (double)(end - first), part);
    const double all = end > first ? part[0] : NAN;
    *error = jackknife_error(all, part + 1, bins);
    free(part);
    return all;
}

/* ------------------------------------------------------------------------------------------------------------ as text */

static void print_times(const variate_results *results)
{
    const char *headings[] = {"t", "plain", "one-sided", "two-sided", "gain, one", "gain, two"};
    const variates *asked = results->series->asked;
    table *table = table_create(6, headings);
    for (int64_t t = 0; t < results->times; t++) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)t);
        table_cell(table, text);
        for (int column = 0; column < 5; column++) {
            const int estimator = column % 3 + (column > 2);
            double error = 0, value = NAN;
            if (t >= variate_first_time(asked, estimator))
                value = column < 3 ? variate_correlator(results, estimator, t, &error)
                                   : variate_gain(results, estimator, t, &error);
            if (isnan(value))
                table_cell(table, "-");
            else
                table_value(table, value, error);
        }
    }
    table_comment(table);
    table_free(table);
}

static void print_line(const char *name, double value, double error)
{
    char *text = table_format(value, error);
    printf("# %-48s %s\n", name, isnan(value) ? "-" : text);
    free(text);
}

static void print_gains(const variate_results *results)
{
    double error, value = variate_reduction(results, &error);
    print_line("variance of the source over that of the residue", value, error);
    value = variate_gain(results, VARIATE_ONE_SIDED, -1, &error);
    print_line("gain, mean of all times: one-sided", value, error);
    value = variate_gain(results, VARIATE_TWO_SIDED, -1, &error);
    print_line("gain, mean of all times: two-sided", value, error);
}

static void print_steins(const variate_results *results)
{
    const char *headings[] = {"w.dS - div w of", "average", "sigmas"};
    const lat_orbits *orbits = results->series->orbits;
    table *table = table_create(3, headings);
    for (int i = 0; i < orbits->count; i++) {
        char text[24];
        double error, value = variate_stein(results, i, &error);
        snprintf(text, sizeof text, "%.1f", value / error);
        table_cell(table, orbits->orbit[i].name);
        table_value(table, value, error);
        table_cell(table, text);
    }
    table_comment(table);
    table_free(table);
}

void variate_results_print(const variate_results *results)
{
    const variate_series *series = results->series;
    const variates *asked = series->asked;
    printf("# correlator of \"%s\" with %d control variates within %d slices, %lld configurations in %lld bins; "
           "coefficients %s\n",
           asked->shape[asked->source], variate_terms(asked, series->orbits), asked->range, (long long)series->count,
           (long long)series->cut.bins, asked->model ? asked->model : "of other bins");
    print_times(results);
    print_gains(results);
    print_steins(results);
}

/* ------------------------------------------------------------------------------------------------------------ as HDF5 */

/* name and name_error, [t]; NaN where the estimator is none */
static void put(lat_h5 *file, const variate_results *results, const char *name, int estimator, bool gain)
{
    const int64_t first = variate_first_time(results->series->asked, estimator);
    double *value = lat_alloc(results->times, sizeof *value), *error = lat_alloc(results->times, sizeof *error);
    for (int64_t t = 0; t < results->times; t++) {
        value[t] = error[t] = NAN;
        if (t >= first)
            value[t] = gain ? variate_gain(results, estimator, t, &error[t])
                            : variate_correlator(results, estimator, t, &error[t]);
    }
    char *path = lat_text("variates/%s", name), *error_path = lat_text("variates/%s_error", name);
    lat_h5_put_reals(file, path, 1, &results->times, value);
    lat_h5_put_reals(file, error_path, 1, &results->times, error);
    free(path);
    free(error_path);
    free(value);
    free(error);
}

static void put_model(lat_h5 *file, const variate_series *series, const char *settings, lat_error *error)
{
    const variates *asked = series->asked;
    const int64_t terms = variate_terms(asked, series->orbits);
    char *names = variate_names(asked, series->orbits);
    double *coefficients = asked->model ? variate_model_read(asked, series->orbits, MPI_COMM_SELF, error)
                                        : variate_fit(series, 0, 0, error);
    lat_h5_put_text(file, "variates/terms", names);
    if (!error->status) lat_h5_put_reals(file, "variates/coefficients", 1, &terms, coefficients);
    lat_h5_put_text(file, "variates/settings", settings);
    lat_h5_put_int(file, "variates/configurations", series->count);
    free(coefficients);
    free(names);
}

lat_status variate_results_write(const char *path, const variate_results *results, const char *settings,
                                 lat_error *error)
{
    static const char *const names[] = {"plain", "one_sided", "two_sided"}, *const gains[] = {NULL, "gain_one_sided",
                                                                                              "gain_two_sided"};
    const variate_series *series = results->series;
    lat_h5 *file = lat_h5_create(MPI_COMM_SELF, path, "measurement");
    lat_h5_put_int(file, "bins", series->cut.bins);
    put_model(file, series, settings, error);
    lat_h5_put_reals(file, "variates/residue", 2, (int64_t[]){series->count, series->slices}, results->residue);
    for (int i = 0; i < VARIATE_ESTIMATORS; i++) put(file, results, names[i], i, false);
    for (int i = 1; i < VARIATE_ESTIMATORS; i++) put(file, results, gains[i], i, true);
    return lat_h5_finish(file, error);
}
