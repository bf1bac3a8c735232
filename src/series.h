/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * series.h: observables that are measured together, at the same steps and of the same replicas, and what came out: a history.  The first
 * series is what the group `measure` says of all; an observable with steps or a replica of its own is a series by itself.
 */
#ifndef SERIES_H
#define SERIES_H

#include "hmc/hmc.h"

typedef struct {
    char *file; /* in the run directory: "history.h5", "history-NAME.h5" */
    int count;
    lat_observable **observable; /* [count]; they are not the series' own */
    bool weighted;               /* the last column is `log_weight` */
    mc_history *history;
    double seconds; /* that its last measurement took, on this rank */
} series;

/* At least one.  every: of those that do not say; steps up to thermalise are not measured.  weighted: what is measured has weights. */
series *series_create(lat_observable *const *observable, int count, int64_t every, int replicas, uint64_t thermalise,
                      bool weighted, int *series_count);
void series_free(series *series, int count);

/* Rows that there are when so many steps after thermalisation are done. */
int64_t series_rows(const series *series, int64_t steps);
/* Whether the last of them is due. */
bool series_due(const series *series, int64_t steps);
/* Adds a row; log_weight[members]: of the members of a weighted series; random: of this step (lat_observable_measure).  Collective. */
lat_status series_measure(series *series, lat_gauge *gauge, const double *log_weight, const lat_random *random, lat_error *error);
/* The column `log_weight` as a series of all replicas, one after another, to be released with free(); NULL: there is none.  Local. */
double *series_log_weight(const series *series);

/* Their files, and all rows that they have.  Collective. */
lat_status series_write(const series *series, int count, const char *directory, lat_error *error);
/* In place of what they hold: the rows of that many steps in the files of the directory, which must have this checksum.  LAT_FORMAT if they
 * are of another run.  Collective. */
lat_status series_read(series *series, int count, const char *directory, int64_t steps, uint32_t checksum,
                       lat_error *error);
/* Of all rows of all, as a checkpoint keeps it. */
uint32_t series_checksum(const series *series, int count);

#endif
