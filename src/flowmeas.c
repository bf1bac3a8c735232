/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flowmeas.c: measures stored configurations: one line of numbers for each file, in the form that flowstat reads, and
 * what the gradient flow gives in files of its own.
 */
#include "lattice/lattice.h"
#include "src/gradient_flow_data.h"
#include "src/loops.h"
#include "src/options.h"
#include "src/table.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_FORCE };

static const options_own own[] = {
    [OWN_FORCE] = {"force", NULL, "what differs from what a file says, or may be missing, is only a warning"},
    {0},
};

static const options_program flowmeas = {
    .name = "flowmeas",
    .usage = "Usage: flowmeas [OPTION...] MEAS.cfg FILE...\n"
             "\n"
             "Measures stored configurations and prints one line of numbers for each file, under a line that\n"
             "names the columns. MEAS.cfg says what to measure; the lattice is taken from the files:\n"
             "\n"
             "  measure = { observables = [ \"plaquette\", \"charge\", \"wilson_loop_2x2\" ]; };\n"
             "\n"
             "  flow = { time = 4.0; step = 0.01; every = 10; };    # the gradient flow, into flowr1.ms.dat\n"
             "\n"
             "  mpirun -n 2 flowmeas meas.cfg run/configs/*.h5 > measured.txt\n"
             "  flowstat measured.txt\n",
    .accepts = OPTION_SET | OPTION_PRINT_CONFIG,
    .least = 2,
    .most = -1,
    .own = own,
};

enum { MOST_OBSERVABLES = 64 };

/* The group `flow` of the configuration. */
typedef struct {
    bool wanted, adaptive;
    bool periodic; /* the lattice */
    lat_gradient_flow_kind kind;
    double step, tolerance;
    int64_t every, last;  /* measurements after 0, every, ... last * every steps */
    char *series, *table; /* names of the files */
    gradient_flow_data *data;      /* NULL before the first configuration */
    int dim;
    int64_t size[LAT_MAX_DIM], volume;
} flow_request;

typedef struct {
    lat_config_options input;
    int count;
    const char *name[MOST_OBSERVABLES];
    int rank;
    loops loops;
    flow_request flow;
    const struct lat_backend *backend;
    char no_device[LAT_BACKEND_TEXT];
} request;

static void read_flow(lat_settings *root, flow_request *flow, lat_error *error)
{
    static const char *const integrators[] = {"fixed", "adaptive", NULL};
    flow->wanted = lat_settings_has(root, "flow");
    if (!flow->wanted) return;
    lat_settings *group = lat_settings_group(root, "flow", error);
    flow->kind = (lat_gradient_flow_kind)lat_settings_choice(group, "kind", "wilson", lat_gradient_flow_names, error);
    double time = lat_settings_real(group, "time", NAN, 1e-6, 1e6, error);
    flow->step = lat_settings_real(group, "step", 0.01, 1e-9, 1, error);
    flow->every = lat_settings_int(group, "every", 10, 1, INT32_MAX, error);
    flow->adaptive = lat_settings_choice(group, "integrator", "fixed", integrators, error) == 1;
    flow->tolerance = lat_settings_real(group, "tolerance", 1e-6, 1e-14, 1, error);
    const char *output = lat_settings_string(group, "output", "flow", error);
    int64_t replica = lat_settings_int(group, "replica", 1, 0, 1000000, error);
    if (error->status) return;
    double intervals = time / (flow->step * (double)flow->every);
    if (!(intervals < INT32_MAX) || rint(intervals) < 1 || fabs(intervals - rint(intervals)) > 1e-6)
        lat_settings_fail(group, "time", error, "is no multiple of step times every, %.10g",
                          flow->step * (double)flow->every);
    flow->last = error->status ? 0 : (int64_t)rint(intervals);
    flow->series = lat_text("%sr%lld.ms.dat", output, (long long)replica);
    flow->table = lat_text("%sr%lld.h5", output, (long long)replica);
}

static lat_status read_request(lat_settings *root, request *request, lat_error *error)
{
    request->name[0] = "plaquette";
    lat_settings *measure = lat_settings_group(root, "measure", error);
    request->count = lat_settings_strings(measure, "observables", request->name, 1, MOST_OBSERVABLES, error);
    if (error->status == LAT_DONE && request->count == 0)
        lat_settings_fail(measure, "observables", error, "nothing to measure: name at least one");
    if (error->status == LAT_DONE) loops_read(root, &request->loops, error);
    if (error->status == LAT_DONE) read_flow(root, &request->flow, error);
    if (error->status == LAT_DONE) lat_backend_read(MPI_COMM_WORLD, root, &request->backend, request->no_device, error);
    return error->status ? error->status : lat_settings_finish(root, error);
}

/* ------------------------------------------------------------------------------------------------- the gradient flow */

/* The last number in the name of a file without its folder and ending: 300 of run/step-0000000300.h5. */
static int64_t number_in(const char *path, int64_t otherwise)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const char *end = strrchr(name, '.') ? strrchr(name, '.') : name + strlen(name);
    while (end > name && !isdigit((unsigned char)end[-1])) end--;
    const char *start = end;
    while (start > name && isdigit((unsigned char)start[-1])) start--;
    return start < end && end - start <= 18 ? strtoll(start, NULL, 10) : otherwise;
}

/* Opens the file with the first configuration; the others must be of the same lattice. */
static lat_status same_lattice(flow_request *flow, const lat_gauge *gauge, const char *path, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    gradient_flow_header header = {(int32_t)flow->every, (int32_t)flow->last, (int32_t)g->size[g->dim - 1], flow->step};
    if (flow->data) {
        if (g->dim != flow->dim || memcmp(g->size, flow->size, sizeof flow->size) != 0)
            return lat_fail(error, LAT_CONFIG,
                            "%s: is of another lattice than the files before: measure its flow by itself", path);
        return LAT_DONE;
    }
    flow->dim = g->dim;
    memcpy(flow->size, g->size, sizeof flow->size);
    flow->volume = g->volume;
    flow->periodic = lat_gauge_is_periodic(gauge);
    return gradient_flow_data_open(g->comm, flow->series, &header, &flow->data, error);
}

static lat_status integrate(const flow_request *flow, lat_gauge *gauge, double *value, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    int64_t slices = g->size[g->dim - 1], one = (flow->last + 1) * slices, steps = 0;
    double step = flow->step, *now = lat_alloc(FLOW_QUANTITIES * slices, sizeof *now);
    lat_gradient_flow *process;
    if (lat_gradient_flow_create(gauge, flow->kind, &process, error) == LAT_DONE) {
        for (int64_t i = 0; i <= flow->last && !error->status; i++) {
            if (i > 0 && flow->adaptive)
                lat_gradient_flow_advance(process, gauge, (double)flow->every * flow->step, flow->tolerance, &step, &steps,
                                 error);
            for (int64_t n = 0; n < flow->every && i > 0 && !flow->adaptive; n++)
                lat_gradient_flow_step(process, gauge, flow->step);
            lat_gradient_flow_slices(gauge, now);
            for (int q = 0; q < FLOW_QUANTITIES; q++)
                memcpy(value + q * one + i * slices, now + q * slices, (size_t)slices * sizeof *now);
        }
        lat_gradient_flow_free(process);
    }
    free(now);
    return error->status;
}

enum { FLOW_COLUMNS = 3 };
static const char *const flow_columns[FLOW_COLUMNS] = {"flow_t2e", "flow_charge", "flow_charge_squared"};

/* t^2 E (clover), Q and Q^2 where the flow ends */
static void print_flow(const flow_request *flow)
{
    int64_t slices = flow->data->header.slices;
    const double *value = flow->data->value + (flow->data->count - 1) * gradient_flow_data_values(&flow->data->header);
    double time = flow->step * (double)(flow->every * flow->last), energy = 0, charge = 0;
    int64_t one = (flow->last + 1) * slices, end = flow->last * slices;
    for (int64_t t = 0; t < slices; t++) {
        energy += value[FLOW_Y * one + end + t];
        charge += value[FLOW_Q * one + end + t];
    }
    printf(" %.17g %.17g %.17g", time * time * energy / (double)flow->volume, charge, charge * charge);
}

static lat_status measure_flow(flow_request *flow, lat_gauge *gauge, const char *path, int64_t number, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    if (same_lattice(flow, gauge, path, error)) return error->status;
    double *value = lat_alloc(gradient_flow_data_values(&flow->data->header), sizeof *value);
    if (integrate(flow, gauge, value, error) == LAT_DONE)
        gradient_flow_data_append(g->comm, flow->series, flow->data, number_in(path, number), value, error);
    free(value);
    return error->status;
}

/* One scale with its error from the jackknife; none of a single configuration. */
static void print_scale(const char *name, const flow_request *flow, int quantity, bool second)
{
    const gradient_flow_data *data = flow->data;
    double all[2], part[2], spread = 0, n = (double)data->count;
    gradient_flow_data_scales(data, quantity, flow->volume, -1, &all[0], &all[1]);
    for (int64_t i = 0; i < data->count && data->count > 1; i++) {
        gradient_flow_data_scales(data, quantity, flow->volume, i, &part[0], &part[1]);
        spread += (part[second] - all[second]) * (part[second] - all[second]);
    }
    char *text = table_format(all[second], sqrt(spread * (n - 1) / n));
    printf("# %-15s %s\n", name, text);
    free(text);
}

/* Lines of comments, so that flowstat still reads the rest. */
static void print_scales(const flow_request *flow)
{
    printf("# %lld configurations in %s\n", (long long)flow->data->count, flow->series);
    if (!flow->periodic) {
        printf("# not periodic: take t0 and w0 from slices that lie far from the boundary\n");
        return;
    }
    print_scale("t0, clover", flow, FLOW_Y, false);
    print_scale("w0, clover", flow, FLOW_Y, true);
    print_scale("t0, plaquette", flow, FLOW_W, false);
    print_scale("w0, plaquette", flow, FLOW_W, true);
}

/* ------------------------------------------------------------------------------------------------------ line by line */

static void print_heading(const request *request, lat_observable *const *observable)
{
    if (request->rank > 0) return;
    if (request->no_device[0]) printf("# backend cpu, %s\n", request->no_device);
    for (int i = 0; i < request->count; i++)
        for (int c = 0; c < observable[i]->columns; c++) printf("%s%s", i + c ? " " : "", observable[i]->column[c].name);
    if (request->loops.wanted) loops_print_heading(&request->loops);
    for (int c = 0; c < FLOW_COLUMNS && request->flow.wanted; c++) printf(" %s", flow_columns[c]);
    printf("\n");
}

static int columns_of(lat_observable *const *observable, int count)
{
    int columns = 0;
    for (int i = 0; i < count; i++) columns += observable[i]->columns;
    return columns;
}

/* The flow comes last: it changes the links. */
static void measure_links(request *request, lat_observable *const *observable, lat_gauge *gauge, const char *path, int64_t number,
                          lat_error *error)
{
    int columns = columns_of(observable, request->count);
    double *value = lat_alloc(columns, sizeof *value);
    for (int i = 0, first = 0; i < request->count; first += observable[i++]->columns)
        lat_observable_measure(observable[i], gauge, value + first);
    if (request->loops.wanted) loops_measure(&request->loops, gauge, path, error);
    if (request->flow.wanted && !error->status) measure_flow(&request->flow, gauge, path, number, error);
    if (request->rank == 0 && !error->status) {
        printf("# %s\n", path);
        for (int i = 0; i < columns; i++) printf("%s%.17g", i ? " " : "", value[i]);
        if (request->loops.wanted) loops_print_row(&request->loops);
        if (request->flow.wanted) print_flow(&request->flow);
        printf("\n");
    }
    free(value);
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

static void read_links(const request *request, const char *path, lat_gauge *gauge, lat_error *error)
{
    lat_config_report report = {0};
    lat_config_read_as(path, gauge, &request->input, &report, error);
    take_boundary(&report, path, gauge, error);
    if (gauge->links->geometry->rank == 0 && !error->status) lat_config_report_warn(&report, path, gauge);
    lat_config_report_free(&report);
}

static void create_observables(const request *request, const lat_gauge *gauge, lat_observable **observable, lat_error *error)
{
    const lat_observe_context context = {gauge, NULL};
    for (int i = 0; i < request->count && !error->status; i++)
        observable[i] = lat_observable_create(request->name[i], lat_observable_kinds, &context, error);
}

static void free_observables(const request *request, lat_observable **observable)
{
    for (int i = 0; i < request->count; i++) {
        lat_observable_free(observable[i]);
        observable[i] = NULL;
    }
}

/* What cannot be measured is refused before the links are read, as far as it is known by then. */
static lat_status check_request(const request *request, const lat_gauge *gauge, const char *path, lat_error *error)
{
    lat_observable *observable[MOST_OBSERVABLES] = {NULL};
    create_observables(request, gauge, observable, error);
    free_observables(request, observable);
    if (error->status) return error->status;
    if (request->loops.wanted && lat_gauge_has_gaps(gauge))
        return lat_fail(error, LAT_CONFIG, "%s: is of a lattice with an open boundary: loops are there for others only", path);
    if (request->flow.wanted && request->flow.kind == LAT_GRADIENT_FLOW_ZEUTHEN && !lat_gauge_is_periodic(gauge))
        return lat_fail(error, LAT_CONFIG, "%s: is of a lattice with an open boundary or a defect: there flow.kind is \"wilson\"", path);
    return LAT_DONE;
}

static void measure_gauge(request *request, lat_gauge *gauge, const char *path, int64_t number, lat_error *error)
{
    lat_observable *observable[MOST_OBSERVABLES] = {NULL};
    if (check_request(request, gauge, path, error)) return;
    read_links(request, path, gauge, error);
    if (error->status || check_request(request, gauge, path, error)) return;
    create_observables(request, gauge, observable, error);
    if (number == 1) print_heading(request, observable);
    measure_links(request, observable, gauge, path, number, error);
    free_observables(request, observable);
}

static lat_status measure_file(request *request, const char *path, int64_t number, lat_error *error)
{
    lat_group group;
    lat_shape shape = {0};
    lat_geometry *geometry;
    if (lat_config_shape_as(MPI_COMM_WORLD, path, &request->input, &group, &shape, error)) return error->status;
    shape.backend = request->backend;
    if (request->flow.wanted && request->flow.kind == LAT_GRADIENT_FLOW_ZEUTHEN) shape.halo = 2;
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &geometry, error)) return error->status;
    lat_gauge *gauge = lat_gauge_create(geometry, group, LAT_DOUBLE);
    measure_gauge(request, gauge, path, number, error);
    lat_gauge_free(gauge);
    lat_geometry_free(geometry);
    return error->status;
}

static void finish_flow(const request *request, lat_error *error)
{
    const flow_request *flow = &request->flow;
    if (!flow->data || error->status) return;
    gradient_flow_data_write(MPI_COMM_WORLD, flow->table, flow->data, lat_gradient_flow_names[flow->kind], flow->size, flow->dim, error);
    if (request->rank == 0 && !error->status) print_scales(flow);
}

static void work(const options *options, lat_error *error)
{
    request request = {.input.lenient = options->own[OWN_FORCE]};
    lat_settings *root = NULL;
    MPI_Comm_rank(MPI_COMM_WORLD, &request.rank);
    if (options_settings(options, MPI_COMM_WORLD, options->argument[0], NULL, &root, error)) return;
    if (read_request(root, &request, error) == LAT_DONE && options->print_config && request.rank == 0) {
        char *text = lat_settings_print(root);
        fputs(text, stdout);
        free(text);
    }
    bool files = !options->print_config;
    for (int i = 1; i < options->argument_count && files && !error->status; i++)
        measure_file(&request, options->argument[i], i, error);
    if (request.loops.count > 0 && !error->status && request.rank == 0) loops_print_ratios(&request.loops);
    finish_flow(&request, error);
    loops_free(&request.loops);
    gradient_flow_data_free(request.flow.data);
    free(request.flow.series);
    free(request.flow.table);
    lat_settings_free(root);
}

int main(int argc, char **argv)
{
    options options;
    lat_error error = {0};
    if (options_parse(argc, argv, &flowmeas, &options, &error) == LAT_DONE && !options.done) {
        lat_start(&argc, &argv);
        work(&options, &error);
    }
    return options_finish(&options, &error);
}
