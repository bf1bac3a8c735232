/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow_data.h: what is measured on the gradient flow, configuration after configuration, in the layout of openQCD's
 * `.ms.dat` files.
 */
#ifndef GRADIENT_FLOW_DATA_H
#define GRADIENT_FLOW_DATA_H

#include "lattice/lattice.h"

enum { FLOW_W, FLOW_Y, FLOW_Q, FLOW_QUANTITIES };

typedef struct {
    int32_t every, last, slices; /* steps between measurements, measurements but one, time slices */
    double step;
} gradient_flow_header;

typedef struct {
    gradient_flow_header header;
    int64_t count, room;
    int32_t *number; /* of the configurations */
    double *value;   /* [configuration][quantity][measurement][slice] */
} gradient_flow_data;

/* Numbers of one configuration. */
int64_t gradient_flow_data_values(const gradient_flow_header *header);
/* Takes in what is in the file, if there is one; begins it otherwise.  LAT_FORMAT if it is damaged, LAT_CONFIG if it is of
 * another flow.  Collective. */
lat_status gradient_flow_data_open(MPI_Comm comm, const char *path, const gradient_flow_header *header, gradient_flow_data **data,
                          lat_error *error);
/* Adds a configuration, here and in the file.  Numbers must ascend: LAT_CONFIG.  Collective. */
lat_status gradient_flow_data_append(MPI_Comm comm, const char *path, gradient_flow_data *data, int64_t number, const double *value,
                            lat_error *error);
/* The same numbers, with the times, as HDF5.  Collective. */
lat_status gradient_flow_data_write(MPI_Comm comm, const char *path, const gradient_flow_data *data, const char *kind,
                           const int64_t *size, int dim, lat_error *error);
void gradient_flow_data_free(gradient_flow_data *data);

/* t0 and w0 of the mean energy density of all configurations but `without` (-1: all) from W or Y; NaN where t^2 E does not
 * get to 0.3. */
void gradient_flow_data_scales(const gradient_flow_data *data, int quantity, int64_t volume, int64_t without, double *t0, double *w0);

#endif
