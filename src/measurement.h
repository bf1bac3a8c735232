/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * measurement.h: what flowmeas is asked to measure, and the measurement of one configuration.
 */
#ifndef MEASUREMENT_H
#define MEASUREMENT_H

#include "src/flow_measurement.h"
#include "src/loops.h"
#include "src/mesons.h"
#include "src/numbering.h"
#include "src/variates.h"

enum { MEASUREMENT_OBSERVABLES = 64 };

typedef struct {
    lat_config_options input;
    int count;
    const char *name[MEASUREMENT_OBSERVABLES];
    const char *output; /* of tables; NULL: there are none */
    int64_t bin;        /* of the jackknife */
    loops loops;
    mesons mesons;
    variates variates;
    flow_measurement flow;
    const struct lat_backend *backend;
    char no_device[LAT_BACKEND_TEXT];
} measurement;

/* The groups `measure`, `loops`, `mesons`, `variates` and `flow`, and the backend; root must live as long.  Collective over MPI_COMM_WORLD. */
lat_status measurement_read(lat_settings *root, measurement *asked, lat_error *error);

/* How a row of numbers is laid out: observables, loops, mesons, variates, flow; and the lattice of the first file, of which
 * all are if mesons, variates or the flow are measured. */
typedef struct {
    char *names;              /* of all columns, with a space between */
    int loops, mesons, variates, flow, columns; /* the first column of these, and the number of all */
    int dim;
    int64_t slices, volume;
    bool periodic;
} measurement_layout;

/* Whether all files are of one lattice. */
bool measurement_of_one_lattice(const measurement *asked);
/* Checks as far as the header of a file tells whether it can be measured, and lays out the row.  Where the flow is
 * asked for, the links may be read, too.  Collective. */
lat_status measurement_prepare(const measurement *asked, MPI_Comm comm, const char *path,
                               const lat_config_report *header, measurement_layout *layout, lat_error *error);
/* Fills the row but for the columns of the flow; flow: its values, NULL if it is not to be integrated.  Collective. */
lat_status measurement_of_file(const measurement *asked, MPI_Comm comm, const numbered_file *file,
                               const lat_config_report *header, double *row, double *flow, lat_error *error);

#endif
