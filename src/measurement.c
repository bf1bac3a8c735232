/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * measurement.c: the measurement of one configuration.
 */
#include "src/measurement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lat_status measurement_read(lat_settings *root, measurement *asked, lat_error *error)
{
    asked->name[0] = "plaquette";
    lat_settings *measure = lat_settings_group(root, "measure", error);
    asked->count = lat_settings_strings(measure, "observables", asked->name, 1, MEASUREMENT_OBSERVABLES, error);
    if (error->status == LAT_DONE && asked->count == 0)
        lat_settings_fail(measure, "observables", error, "nothing to measure: name at least one");
    asked->bin = lat_settings_int(measure, "bin", 1, 1, INT32_MAX, error);
    asked->output = lat_settings_string(measure, "output", "", error);
    if (error->status == LAT_DONE) loops_read(root, &asked->loops, error);
    if (error->status == LAT_DONE) mesons_read(root, &asked->mesons, error);
    if (error->status == LAT_DONE) variates_read(root, &asked->variates, error);
    if (error->status == LAT_DONE) flow_measurement_read(root, &asked->flow, error);
    if (error->status == LAT_DONE && !*asked->output) asked->output = asked->flow.wanted ? asked->flow.output : NULL;
    if (error->status == LAT_DONE) lat_backend_read(MPI_COMM_WORLD, root, &asked->backend, asked->no_device, error);
    return error->status ? error->status : lat_settings_finish(root, error);
}

bool measurement_of_one_lattice(const measurement *asked)
{
    return asked->flow.wanted || asked->mesons.wanted || asked->variates.wanted;
}

/* ----------------------------------------------------------------------------------------------------- the lattice */

static lat_gauge *create_gauge(const measurement *asked, MPI_Comm comm, const lat_config_report *header,
                               lat_error *error)
{
    lat_geometry *geometry;
    lat_shape shape = {.dim = header->dim, .backend = asked->backend};
    memcpy(shape.size, header->size, sizeof shape.size);
    if (asked->flow.wanted && asked->flow.kind == LAT_GRADIENT_FLOW_ZEUTHEN) shape.halo = 2;
    mesons_shape(&asked->mesons, &shape);
    variates_shape(&asked->variates, &shape);
    if (lat_geometry_create(comm, &shape, &geometry, error)) return NULL;
    return lat_gauge_create(geometry, header->group, LAT_DOUBLE);
}

static void free_gauge(lat_gauge *gauge)
{
    lat_geometry *geometry = (lat_geometry *)gauge->links->geometry;
    lat_gauge_free(gauge);
    lat_geometry_free(geometry);
}

/* The boundary of the lattice, where a file of flowhmc names one. */
static void take_boundary(const lat_config_report *report, const char *path, lat_gauge *gauge, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    for (int i = 0; i < report->provenance_count && !error->status; i++) {
        lat_settings *root;
        lat_boundary boundary = {.open = {false}};
        if (strcmp(report->provenance[i].key, "boundary") != 0) continue;
        if (lat_settings_parse(report->provenance[i].value, path, &root, error)) return;
        lat_boundary_read(root, g->dim, g->size, &boundary, error);
        lat_settings_free(root);
        if (!error->status) lat_gauge_couple(gauge, -1, &boundary);
    }
}

static void read_links(const measurement *asked, const char *path, lat_gauge *gauge, bool warn, lat_error *error)
{
    lat_config_report report = {0};
    lat_config_read_as(path, gauge, &asked->input, &report, error);
    take_boundary(&report, path, gauge, error);
    if (warn && gauge->links->geometry->rank == 0 && !error->status) lat_config_report_warn(&report, path, gauge);
    lat_config_report_free(&report);
}

/* In files of other programs the links alone may tell that a boundary is open, which what is said of the flow
 * depends on. */
static void find_boundary(const measurement *asked, const char *path, const lat_config_report *header, lat_gauge *gauge,
                          lat_error *error)
{
    take_boundary(header, path, gauge, error);
    if (asked->flow.wanted && strcmp(header->format, "h5") != 0) read_links(asked, path, gauge, false, error);
}

/* ----------------------------------------------------------------------------------------------------- observables */

static void create_observables(const measurement *asked, const lat_gauge *gauge, lat_observable **observable,
                               lat_error *error)
{
    const lat_observe_context context = {.gauge = gauge, .lattice = gauge->links->geometry};
    for (int i = 0; i < asked->count && !error->status; i++)
        observable[i] = lat_observable_create(asked->name[i], lat_observable_kinds, &context, error);
}

static void free_observables(const measurement *asked, lat_observable **observable)
{
    for (int i = 0; i < asked->count; i++) lat_observable_free(observable[i]);
}

static lat_status check(const measurement *asked, lat_gauge *gauge, const char *path, lat_error *error)
{
    if (loops_check(&asked->loops, gauge, path, error)) return error->status;
    if (mesons_check(&asked->mesons, gauge, path, error)) return error->status;
    if (variates_check(&asked->variates, gauge, path, error)) return error->status;
    if (asked->flow.wanted && asked->flow.kind == LAT_GRADIENT_FLOW_ZEUTHEN && !lat_gauge_is_periodic(gauge))
        return lat_fail(error, LAT_CONFIG,
                        "%s: is of a lattice with an open boundary or a defect: there flow.kind is \"wilson\"", path);
    return LAT_DONE;
}

static void lay_out(const measurement *asked, lat_observable *const *observable, measurement_layout *layout)
{
    lat_bytes names = {0};
    for (int i = 0; i < asked->count; i++)
        for (int c = 0; c < observable[i]->columns; c++, layout->loops++)
            lat_bytes_print(&names, "%s%s", i + c ? " " : "", observable[i]->column[c].name);
    loops_add_names(&asked->loops, &names);
    mesons_add_names(&asked->mesons, layout->slices, &names);
    variates_add_names(&asked->variates, layout->dim, layout->slices, &names);
    layout->mesons = layout->loops + loops_columns(&asked->loops);
    layout->variates = layout->mesons + (int)mesons_columns(&asked->mesons, layout->slices);
    layout->flow = layout->variates + (int)variates_columns(&asked->variates, layout->dim, layout->slices);
    for (int c = 0; c < FLOW_COLUMNS && asked->flow.wanted; c++) lat_bytes_print(&names, " %s", flow_column_names[c]);
    layout->columns = layout->flow + (asked->flow.wanted ? FLOW_COLUMNS : 0);
    layout->names = names.data;
}

lat_status measurement_prepare(const measurement *asked, MPI_Comm comm, const char *path,
                               const lat_config_report *header, measurement_layout *layout, lat_error *error)
{
    lat_observable *observable[MEASUREMENT_OBSERVABLES] = {NULL};
    lat_gauge *gauge = create_gauge(asked, comm, header, error);
    if (!gauge) return error->status;
    find_boundary(asked, path, header, gauge, error);
    create_observables(asked, gauge, observable, error);
    if (!error->status && check(asked, gauge, path, error) == LAT_DONE) {
        const lat_geometry *g = gauge->links->geometry;
        *layout = (measurement_layout){.dim = g->dim,
                                       .slices = g->size[g->dim - 1],
                                       .volume = g->volume,
                                       .periodic = lat_gauge_is_periodic(gauge)};
        lay_out(asked, observable, layout);
    }
    free_observables(asked, observable);
    free_gauge(gauge);
    return error->status;
}

/* What `flowhmc` has at this step of this replica, if the seed is that of the chain. */
static lat_random random_of(const measurement *asked, const numbered_file *file)
{
    return (lat_random){.seed = asked->mesons.seed,
                        .purpose = LAT_RANDOM_SOURCES,
                        .step = (uint64_t)file->number,
                        .member = (uint64_t)file->replica};
}

/* The flow comes last: it changes the links. */
static void measure(const measurement *asked, lat_gauge *gauge, const numbered_file *file, double *row, double *flow,
                    lat_error *error)
{
    const lat_random random = random_of(asked, file);
    lat_observable *observable[MEASUREMENT_OBSERVABLES] = {NULL};
    create_observables(asked, gauge, observable, error);
    if (!error->status) check(asked, gauge, file->path, error);
    for (int i = 0; i < asked->count && !error->status; row += observable[i++]->columns)
        lat_observable_measure(observable[i], gauge, &random, row, error);
    if (asked->loops.wanted && !error->status) loops_measure(&asked->loops, gauge, row);
    row += loops_columns(&asked->loops);
    if (asked->mesons.wanted && !error->status) mesons_measure(&asked->mesons, file->path, &random, gauge, row, error);
    const lat_geometry *g = gauge->links->geometry;
    row += mesons_columns(&asked->mesons, g->size[g->dim - 1]);
    if (asked->variates.wanted && !error->status) variates_measure(&asked->variates, gauge, row);
    if (flow && !error->status) flow_measurement_integrate(&asked->flow, gauge, flow, error);
    free_observables(asked, observable);
}

lat_status measurement_of_file(const measurement *asked, MPI_Comm comm, const numbered_file *file,
                               const lat_config_report *header, double *row, double *flow, lat_error *error)
{
    lat_gauge *gauge = create_gauge(asked, comm, header, error);
    if (!gauge) return error->status;
    read_links(asked, file->path, gauge, true, error);
    if (!error->status) measure(asked, gauge, file, row, flow, error);
    free_gauge(gauge);
    return error->status;
}
