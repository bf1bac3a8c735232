/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flow_data.h: what is measured on the gradient flow, configuration after configuration, in the layout of openQCD's
 * `.ms.dat` files.
 */
#ifndef FLOW_DATA_H
#define FLOW_DATA_H

#include "lattice/lattice.h"

enum { FLOW_W, FLOW_Y, FLOW_Q, FLOW_QUANTITIES };

typedef struct {
    int32_t every, last, slices; /* steps between measurements, measurements but one, time slices */
    double step;
} flow_header;

typedef struct {
    flow_header header;
    int64_t count, room;
    int32_t *number; /* of the configurations */
    double *value;   /* [configuration][quantity][measurement][slice] */
} flow_data;

/* Numbers of one configuration. */
int64_t flow_data_values(const flow_header *header);
/* Takes in what is in the file, if there is one; begins it otherwise.  LAT_FORMAT if it is damaged, LAT_CONFIG if it is of
 * another flow.  Collective. */
lat_status flow_data_open(MPI_Comm comm, const char *path, const flow_header *header, flow_data **data,
                          lat_error *error);
/* Adds a configuration, here and in the file.  Numbers must ascend: LAT_CONFIG.  Collective. */
lat_status flow_data_append(MPI_Comm comm, const char *path, flow_data *data, int64_t number, const double *value,
                            lat_error *error);
/* The same numbers, with the times, as HDF5.  Collective. */
lat_status flow_data_write(MPI_Comm comm, const char *path, const flow_data *data, const char *kind,
                           const int64_t *size, int dim, lat_error *error);
void flow_data_free(flow_data *data);

/* t0 and w0 of the mean energy density of all configurations but `without` (-1: all) from W or Y; NaN where t^2 E does not
 * get to 0.3. */
void flow_data_scales(const flow_data *data, int quantity, int64_t volume, int64_t without, double *t0, double *w0);

#endif
