/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flowmeas.c: measures stored configurations: one line of numbers for each file, in the form that flowstat reads.
 */
#include "../lattice/lattice.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const options_program flowmeas = {
    .name = "flowmeas",
    .usage = "Usage: flowmeas [OPTION...] MEAS.cfg FILE...\n"
             "\n"
             "Measures stored configurations and prints one line of numbers for each file, under a line that\n"
             "names the columns. MEAS.cfg says what to measure; the lattice is taken from the files:\n"
             "\n"
             "  measure = { observables = [ \"plaquette\", \"charge\", \"wilson_loop_2x2\" ]; };\n"
             "\n"
             "  mpirun -n 2 flowmeas meas.cfg run/configs/*.h5 > measured.txt\n"
             "  flowstat measured.txt\n",
    .accepts = OPTION_SET | OPTION_PRINT_CONFIG,
    .least = 2,
    .most = -1,
};

enum { MOST_OBSERVABLES = 64 };

typedef struct {
    int count;
    const char *name[MOST_OBSERVABLES];
    int rank;
} request;

static lat_status read_request(lat_settings *root, request *request, lat_error *error)
{
    request->name[0] = "plaquette";
    lat_settings *measure = lat_settings_group(root, "measure", error);
    request->count = lat_settings_strings(measure, "observables", request->name, 1, MOST_OBSERVABLES, error);
    if (error->status == LAT_DONE && request->count == 0)
        lat_settings_fail(measure, "observables", error, "nothing to measure: name at least one");
    return error->status ? error->status : lat_settings_finish(root, error);
}

static void print_heading(const request *request, const lat_observable *observable)
{
    if (request->rank > 0) return;
    for (int i = 0; i < request->count; i++)
        for (int c = 0; c < observable[i].columns; c++) printf("%s%s%s", i + c ? " " : "", observable[i].name, observable[i].column[c]);
    printf("\n");
}

static void measure_links(const request *request, const lat_observable *observable, lat_field *links, lat_group group, const char *path)
{
    enum { MOST_COLUMNS = 2 };
    if (request->rank == 0) printf("# %s\n", path);
    for (int i = 0; i < request->count; i++) {
        double value[MOST_COLUMNS];
        observable[i].measure(&observable[i], links, group, value);
        for (int c = 0; c < observable[i].columns && request->rank == 0; c++) printf("%s%.17g", i + c ? " " : "", value[c]);
    }
    if (request->rank == 0) printf("\n");
}

static lat_status measure_file(const request *request, const char *path, bool first, lat_error *error)
{
    lat_group group;
    lat_shape shape = {0};
    lat_geometry *geometry;
    lat_observable observable[MOST_OBSERVABLES];
    if (lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, error)) return error->status;
    for (int i = 0; i < request->count; i++)
        if (lat_observable_find(request->name[i], group, &shape, &observable[i], error)) return error->status;
    if (first) print_heading(request, observable);
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &geometry, error)) return error->status;
    lat_field *links = lat_field_gauge(geometry, group, LAT_DOUBLE);
    if (lat_config_read(path, links, group, error) == LAT_DONE) measure_links(request, observable, links, group, path);
    lat_field_free(links);
    lat_geometry_free(geometry);
    return error->status;
}

static void work(const options *options, lat_error *error)
{
    request request = {0};
    lat_settings *root = NULL;
    MPI_Comm_rank(MPI_COMM_WORLD, &request.rank);
    if (options_settings(options, MPI_COMM_WORLD, options->argument[0], NULL, &root, error)) return;
    if (read_request(root, &request, error) == LAT_DONE && options->print_config && request.rank == 0) {
        char *text = lat_settings_print(root);
        fputs(text, stdout);
        free(text);
    }
    bool files = !options->print_config;
    for (int i = 1; i < options->argument_count && files && !error->status; i++) measure_file(&request, options->argument[i], i == 1, error);
    lat_settings_free(root);
}

int main(int argc, char **argv)
{
    lat_start(&argc, &argv);
    options options;
    lat_error error = {0};
    options_parse(argc, argv, &flowmeas, &options, &error);
    if (error.status == LAT_DONE && !options.done) work(&options, &error);
    return options_finish(&options, &error);
}
