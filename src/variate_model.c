/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * variate_model.c: linear least squares for control variates.
 */
#include "src/variate_model.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 10, TEXT_LIMIT = 1 << 20 };

/* Slices above the source, from 0 on, at which an orbit has variates; a loop that has no slice in its middle is half a slice higher. */
static int distances(const variates *variates, const lat_orbit *orbit)
{
    const int count = variates->range + 1 - (orbit->extent + 1) / 2;
    return count > 0 ? count : 0;
}

int variate_terms(const variates *variates, const lat_orbits *orbits)
{
    int count = 0;
    for (int i = 0; i < orbits->count; i++) count += distances(variates, &orbits->orbit[i]);
    return count;
}

char *variate_names(const variates *variates, const lat_orbits *orbits)
{
    lat_bytes text = {0};
    for (int i = 0; i < orbits->count; i++)
        for (int d = 0; d < distances(variates, &orbits->orbit[i]); d++)
            lat_bytes_print(&text, "%s%s %d", text.size ? ", " : "", orbits->orbit[i].name, d);
    return text.data;
}

void variate_values(const variate_series *series, const double *configuration, int64_t s, double *f)
{
    const int64_t slices = series->slices;
    for (int i = 0; i < series->orbits->count; i++) {
        const lat_orbit *orbit = &series->orbits->orbit[i];
        const double *a = configuration + (1 + i) * slices;
        for (int d = 0; d < distances(series->asked, orbit); d++) {
            const int mirror = -d - orbit->extent % 2;
            *f = a[(s + d) % slices];
            if (mirror != d) *f += a[(s + mirror + slices) % slices];
            f++;
        }
    }
}

static const double *configuration_of(const variate_series *series, int64_t n)
{
    return series->value + n * (1 + series->orbits->count) * series->slices;
}

/* ------------------------------------------------------------------------------------------------------ least squares */

/* sum f f^T, lower half, and sum f (O - mean) */
static void normal_equations(const variate_series *series, int64_t first, int64_t end, int terms, double *matrix,
                             double *right)
{
    const int64_t slices = series->slices;
    double *f = lat_alloc(terms, sizeof *f), *sum = lat_alloc(terms, sizeof *sum), mean = 0;
    int64_t count = 0;
    for (int64_t n = 0; n < series->count; n++) {
        const double *value = configuration_of(series, n);
        for (int64_t s = 0; s < slices && (n < first || n >= end); s++, count++) {
            variate_values(series, value, s, f);
            mean += value[s];
            for (int i = 0; i < terms; i++) {
                sum[i] += f[i];
                right[i] += f[i] * value[s];
                for (int j = 0; j <= i; j++) matrix[i * terms + j] += f[i] * f[j];
            }
        }
    }
    for (int i = 0; i < terms && count > 0; i++) right[i] -= sum[i] * mean / (double)count;
    free(sum);
    free(f);
}

double *variate_fit(const variate_series *series, int64_t first, int64_t end, lat_error *error)
{
    const double ridge = 1e-10; /* of the mean of the diagonal: variates may depend on each other */
    const int terms = variate_terms(series->asked, series->orbits);
    double *matrix = lat_alloc((int64_t)terms * terms, sizeof *matrix), *right = lat_alloc(terms, sizeof *right),
           trace = 0;
    const int64_t *begin = series->cut.begin;
    normal_equations(series, begin[first], begin[end], terms, matrix, right);
    for (int i = 0; i < terms; i++) trace += matrix[i * terms + i];
    for (int i = 0; i < terms; i++) matrix[i * terms + i] += ridge * trace / terms;
    if (terms > 0 && LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', terms, 1, matrix, terms, right, 1))
        lat_fail(error, LAT_NUMERICAL,
                 "variates: %d coefficients do not follow from these configurations: take more of them", terms);
    free(matrix);
    return right;
}

double *variate_model_read(const variates *variates, const lat_orbits *orbits, MPI_Comm comm, lat_error *error)
{
    const int terms = variate_terms(variates, orbits);
    int64_t extent = 0;
    lat_h5 *file = lat_h5_open(comm, variates->model, "measurement");
    char *found = lat_h5_get_text(file, "variates/terms", TEXT_LIMIT), *wanted = variate_names(variates, orbits);
    double *coefficients = lat_h5_get_reals(file, "variates/coefficients", 1, &extent, TEXT_LIMIT);
    if (!lat_h5_finish(file, error) && (strcmp(found, wanted) != 0 || extent != terms))
        lat_fail(error, LAT_CONFIG, "%.100s: has coefficients of other shapes or another range", variates->model);
    free(found);
    free(wanted);
    if (!error->status) return coefficients;
    free(coefficients);
    return NULL;
}

/* ----------------------------------------------------------------------------------------------------------- residues */

static void subtract(const variate_series *series, const double *coefficients, int64_t first, int64_t end,
                     double *residue)
{
    const int terms = variate_terms(series->asked, series->orbits);
    double *f = lat_alloc(terms, sizeof *f);
    for (int64_t n = first; n < end; n++)
        for (int64_t s = 0; s < series->slices; s++) {
            const double *value = configuration_of(series, n);
            double r = value[s];
            variate_values(series, value, s, f);
            for (int j = 0; j < terms; j++) r -= coefficients[j] * f[j];
            residue[n * series->slices + s] = r;
        }
    free(f);
}

double *variate_residues(const variate_series *series, lat_error *error)
{
    const int64_t bins = series->cut.bins, *begin = series->cut.begin;
    const int64_t parts = series->asked->model ? 1 : bins < PARTS ? bins : PARTS;
    double *residue = lat_alloc(series->count * series->slices, sizeof *residue);
    for (int64_t p = 0; p < parts && !error->status; p++) {
        const int64_t first = p * bins / parts, end = (p + 1) * bins / parts;
        double *coefficients = series->asked->model
                                   ? variate_model_read(series->asked, series->orbits, MPI_COMM_SELF, error)
                                   : variate_fit(series, first, end, error);
        if (!error->status) subtract(series, coefficients, begin[first], begin[end], residue);
        free(coefficients);
    }
    return residue;
}
