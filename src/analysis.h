/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * analysis.h: what the Gamma method says of each column of a dataset.  Local.
 */
#ifndef ANALYSIS_H
#define ANALYSIS_H

#include "hmc/hmc.h"
#include "src/dataset.h"

/* P(Q) with its error, for the charges from least on. */
typedef struct {
    int64_t least;
    int count; /* 0: not a charge */
    mc_estimate *share;
} distribution;

typedef struct {
    const dataset *set;
    bool *chosen;          /* [columns] */
    mc_estimate *estimate; /* [columns]; nothing if the set is a training */
    const double *log_weight; /* the column of this name: of the others the means are weighted; NULL: there is none */
    double ess;               /* of the weights; 1: there are none */
    distribution charge;   /* of a column called charge */
} analysis;

/* With weights (hmc/statistics/weights.h) where there is a column `log_weight`.  column: the only one to be looked at; NULL: all.  LAT_CONFIG if it is not there. */
analysis analyse(const dataset *set, const char *column, lat_error *error);
void analysis_free(analysis *a);

/* Core-seconds per independent sample of a column: 2 tau_int / ESS times those of an entry; NaN: not known. */
double analysis_cost(const analysis *a, int column);

/* "3000 rows of 2 replicas, one every 10 steps".  New memory. */
char *analysis_extent(const dataset *set);

/* All results, on stdout.  analysis_csv refuses (LAT_CONFIG) trainings, which have no estimates. */
void analysis_json(const analysis *a, int count, int64_t skip);
void analysis_csv(const analysis *a, int count, lat_error *error);

/* A picture of each: histories, autocorrelation functions and P(Q), or the curves of a training.  LAT_CONFIG if these are
 * more panels than one page holds, LAT_FILE. */
void analysis_plot(const char *path, const analysis *a, int count, lat_error *error);

#endif
