/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * variate_model.h: the coefficients of control variates, from least squares or from a file.
 *
 * Variates of the source in slice s are sums of A_i(t) over the one or two slices t at a distance from s that is the same to both sides, as far as the
 * loops of orbit i stay within `range` slices of s.  R(s) = O(s) - sum_j c_j f_j(s).
 */
#ifndef VARIATE_MODEL_H
#define VARIATE_MODEL_H

#include "src/jackknife.h"
#include "src/variates.h"

/* What flowmeas has recorded: value[configuration][1 + orbit][t], see variates.h. */
typedef struct {
    const variates *asked;
    const lat_orbits *orbits;
    int64_t slices, count;
    jackknife cut;
    const double *value;
} variate_series;

/* How many there are, and their names, "xy-x-y 0", with a comma between; free(). */
int variate_terms(const variates *variates, const lat_orbits *orbits);
char *variate_names(const variates *variates, const lat_orbits *orbits);
/* f_j(s) of a configuration. */
void variate_values(const variate_series *series, const double *configuration, int64_t s, double *f);

/* The coefficients that make the variance of R the smallest over the configurations of all bins but first, ..., end - 1; new memory.  LAT_NUMERICAL:
 * the normal equations have no solution. */
double *variate_fit(const variate_series *series, int64_t first, int64_t end, lat_error *error);
/* Those of the file variates->model, new memory.  LAT_FORMAT or LAT_FILE; LAT_CONFIG: it is of other variates.  Collective. */
double *variate_model_read(const variates *variates, const lat_orbits *orbits, MPI_Comm comm, lat_error *error);

/* R of all configurations, [configuration][t], new memory: with the coefficients of the model; without one, bins are put into at most ten parts, and
 * those of a part have the coefficients that the other parts give. */
double *variate_residues(const variate_series *series, lat_error *error);

#endif
