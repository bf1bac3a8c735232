/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ensemble.h: stored configurations as samples to train on.
 */
#ifndef FLOWS_ENSEMBLE_H
#define FLOWS_ENSEMBLE_H

#include "lattice/lattice.h"

/* Configurations in site order, as lat_field_gather gives them; the same on all ranks. */
typedef struct {
    int64_t count, reals;
    double *values; /* [count][reals] */
} flow_ensemble;

/* Collective over comm. */
lat_status flow_ensemble_read(MPI_Comm comm, const lat_shape *shape, lat_group group, const char *const *files,
                              int64_t count, flow_ensemble **ensemble, lat_error *error);
void flow_ensemble_free(flow_ensemble *ensemble);

#endif
