/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flow_measurement.h: what flowmeas measures on the gradient flow, and what it says of it.
 */
#ifndef FLOW_MEASUREMENT_H
#define FLOW_MEASUREMENT_H

#include "src/gradient_flow_data.h"

/* The group `flow` of a configuration. */
typedef struct {
    bool wanted, adaptive;
    lat_gradient_flow_kind kind;
    double step, tolerance;
    int64_t every, last; /* measurements after 0, every, ... last * every steps */
    const char *output;
    int64_t replica; /* -1: that of the files */
} flow_measurement;

void flow_measurement_read(lat_settings *root, flow_measurement *flow, lat_error *error);

/* The header of its files on a lattice with so many slices. */
gradient_flow_header flow_measurement_header(const flow_measurement *flow, int64_t slices);
/* Integrates the flow, which changes the links, and fills values as gradient_flow_data has them.  Collective. */
lat_status flow_measurement_integrate(const flow_measurement *flow, lat_gauge *gauge, double *value, lat_error *error);

enum { FLOW_COLUMNS = 3 };
extern const char *const flow_column_names[FLOW_COLUMNS];
/* t^2 E (clover), Q and Q^2 where the flow ends, from the values of a configuration.  Local. */
void flow_measurement_columns(const flow_measurement *flow, const double *value, int64_t slices, int64_t volume,
                              double out[FLOW_COLUMNS]);

/* Lines of comments: t0 and w0 of all configurations of some chains of one flow, with errors of the jackknife in bins, if the lattice
 * is periodic.  Local. */
void flow_measurement_print(const gradient_flow_data *const *chain, int chains, int64_t volume, bool periodic,
                            int64_t bin);

#endif
