/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow_data.h: what is measured on the gradient flow, configuration after configuration, in the layout of
 * openQCD's `.ms.dat` files.  Local: for one rank.
 */
#ifndef GRADIENT_FLOW_DATA_H
#define GRADIENT_FLOW_DATA_H

#include "src/append_file.h"

typedef struct {
    int32_t every, last, slices; /* steps between measurements, measurements but one, time slices */
    double step;
} gradient_flow_header;

typedef struct {
    append_file file;
    gradient_flow_header header;
    int64_t count, room;
    int32_t *number; /* of the configurations, ascending */
    double *value;   /* [configuration][quantity][measurement][slice] */
} gradient_flow_data;

/* Numbers of one configuration. */
int64_t gradient_flow_data_values(const gradient_flow_header *header);
/* Takes in what is in the file, whose end is cut where it is half a record, and begins it if it is not there.
 * LAT_FORMAT if it is damaged, LAT_CONFIG if it is of another flow. */
lat_status gradient_flow_data_open(const char *path, const gradient_flow_header *header, gradient_flow_data **data,
                                   lat_error *error);
/* The values of a configuration; NULL: it is not there. */
const double *gradient_flow_data_find(const gradient_flow_data *data, int64_t number);
/* Adds a configuration, here and in the file.  The number has 31 bits and is larger than the last. */
void gradient_flow_data_append(gradient_flow_data *data, int64_t number, const double *value, lat_error *error);
/* The same numbers, with the times, as HDF5. */
lat_status gradient_flow_data_write(const char *path, const gradient_flow_data *data, const char *kind,
                                    const int64_t *size, int dim, lat_error *error);
void gradient_flow_data_free(gradient_flow_data *data); /* NULL is allowed */

/* Energy densities from W or Y of the configurations of some chains, one chain after the other: [configuration][measurement], new memory. */
double *gradient_flow_data_energies(const gradient_flow_data *const *chain, int chains, int quantity, int64_t volume);
/* t0 and w0 of an energy density [measurement]; NaN where t^2 E does not get to 0.3. */
void gradient_flow_data_scales(const gradient_flow_header *header, const double *energy, double *t0, double *w0);

#endif
