/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flowmeas.c: measures stored configurations: one line of numbers for each file, in the form that flowstat reads, and
 * what the gradient flow gives in files of its own.  Groups of ranks take configurations in turn; rank 0 alone writes.
 */
#include "lattice/lattice.h"
#include "src/measured.h"
#include "src/measurement.h"
#include "src/meson_masses.h"
#include "src/numbering.h"
#include "src/options.h"
#include "src/potential.h"
#include "src/progress.h"
#include "src/run.h"
#include "src/signals.h"
#include "src/variate_results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_FORCE, OWN_GROUPS, OWN_NUMBER };

static const options_own own[] = {
    [OWN_FORCE] = {"force", NULL, "what differs from what a file says, or may be missing, is only a warning"},
    [OWN_GROUPS] = {"groups", "N", "cut the ranks into N groups, each of which takes configurations"},
    [OWN_NUMBER] = {"number", "REGEX", "the number of a configuration: first group of REGEX in its file's name"},
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
             "  flowstat measured.txt\n"
             "\n"
             "The same command again goes on where it was interrupted.\n",
    .accepts = OPTION_SET | OPTION_PRINT_CONFIG | OPTION_QUIET,
    .least = 0,
    .most = -1,
    .own = own,
};

/* One Markov chain: what is recorded of it.  On rank 0. */
typedef struct {
    int64_t replica;
    measured rows;
    gradient_flow_data *flow; /* NULL: it is not measured */
    char *flow_table;
} chain;

enum { NEEDED = 1, NEEDS_FLOW = 2 };

typedef struct {
    const options *options;
    measurement asked;
    char *identity; /* what the configuration says of the numbers */
    int rank, ranks, groups, group;
    MPI_Comm comm; /* of the group */
    int count;
    numbered_file *file;       /* in the order of replica and number */
    lat_config_report *header; /* in that of the command line */
    measurement_layout layout;
    int64_t flow_values; /* numbers of one configuration in the flow's file */
    chain *chain;
    int *need; /* of each file */
    int *chain_of;
    bool headed; /* the heading is printed */
} session;

static const lat_config_report *header_of(const session *s, int i) { return &s->header[s->file[i].place]; }
static int chains_of(const session *s) { return s->chain_of[s->count - 1] + 1; }

/* ---------------------------------------------------------------------------------------------- what is asked for */

static void read_groups(session *s, lat_error *error)
{
    const char *text = s->options->own[OWN_GROUPS];
    s->groups = 1;
    if (text) {
        size_t digits = strspn(text, "0123456789");
        s->groups = digits > 0 && digits < 8 && !text[digits] ? atoi(text) : 0;
        if (s->groups < 1 || s->groups > s->ranks)
            lat_fail(error, LAT_USAGE, "--groups '%.40s': give a number from 1 to that of the ranks, %d", text,
                     s->ranks);
    }
    if (error->status) return;
    s->group = (int)((int64_t)s->rank * s->groups / s->ranks);
    MPI_Comm_split(MPI_COMM_WORLD, s->group, s->rank, &s->comm);
}

/* The first rank of a group. */
static int first_rank(const session *s, int group)
{
    return (int)(((int64_t)group * s->ranks + s->groups - 1) / s->groups);
}

/* What of the configuration the numbers depend on. */
static char *identity(const lat_settings *root)
{
    static const char *const free_keys[] = {"backend",      "measure.output", "measure.bin",    "flow.output",
                                            "flow.replica", "variates.range", "variates.model", NULL};
    static const run_changes changes = {free_keys, NULL};
    char *text = lat_settings_print(root), *same = run_identity(text, &changes);
    free(text);
    return same;
}

static const char *provenance(const lat_config_report *header, const char *key)
{
    for (int i = 0; i < header->provenance_count; i++)
        if (strcmp(header->provenance[i].key, key) == 0) return header->provenance[i].value;
    return NULL;
}

static void check_lattice(const session *s, int i, lat_error *error)
{
    const lat_config_report *first = &s->header[0], *header = &s->header[i];
    if (error->status || !measurement_of_one_lattice(&s->asked)) return;
    if (header->group != first->group || header->dim != first->dim ||
        memcmp(header->size, first->size, sizeof first->size) != 0)
        lat_fail(error, LAT_CONFIG, "%s: is of another lattice than the files before: measure it by itself",
                 s->file[i].path);
}

/* Reads all headers, and brings the files in order. */
static void examine(session *s, lat_error *error)
{
    s->count = s->options->argument_count - 1;
    s->file = lat_alloc(s->count, sizeof *s->file);
    s->header = lat_alloc(s->count, sizeof *s->header);
    const char **step = lat_alloc(s->count, sizeof *step), **replica = lat_alloc(s->count, sizeof *replica);
    for (int i = 0; i < s->count && !error->status; i++) {
        const char *path = s->options->argument[1 + i];
        s->file[i] = (numbered_file){.path = path, .place = i};
        if (strchr(path, '\n'))
            lat_fail(error, LAT_USAGE, "a name of a file has a line break in it: rename it");
        else if (lat_config_header(MPI_COMM_WORLD, path, &s->asked.input, &s->header[i], error) == LAT_DONE)
            check_lattice(s, i, error);
        step[i] = provenance(&s->header[i], "step");
        replica[i] = provenance(&s->header[i], "replica");
    }
    if (!error->status) numbering_order(s->file, s->count, s->options->own[OWN_NUMBER], step, replica, error);
    for (int i = 0; i < s->count && !error->status && s->asked.flow.wanted; i++)
        if (s->file[i].number > INT32_MAX || s->file[i].replica > INT32_MAX)
            lat_fail(error, LAT_CONFIG,
                     "%s: is number %" PRId64 " of replica %" PRId64 ": numbers have 32 bits in files of the flow",
                     s->file[i].path, s->file[i].number, s->file[i].replica);
    free(step);
    free(replica);
}

/* ------------------------------------------------------------------------------------------------- what is recorded */

/* What stands above the rows of a table. */
static char *head_of(const session *s, int64_t replica)
{
    lat_bytes text = {0};
    lat_bytes_print(&text, "# flowmeas, replica %" PRId64 "\n", replica);
    for (const char *line = s->identity; *line; line += strcspn(line, "\n") + 1)
        lat_bytes_print(&text, "# %.*s\n", (int)strcspn(line, "\n"), line);
    if (measurement_of_one_lattice(&s->asked)) {
        lat_bytes_print(&text, "# lattice = %s", lat_group_names[s->header[0].group]);
        for (int mu = 0; mu < s->header[0].dim; mu++) lat_bytes_print(&text, " %" PRId64, s->header[0].size[mu]);
        lat_bytes_print(&text, ";\n");
    }
    lat_bytes_print(&text, "%s\n", s->layout.names);
    return text.data;
}

static void open_chain(const session *s, chain *chain, lat_error *error)
{
    const flow_measurement *flow = &s->asked.flow;
    int64_t replica = flow->wanted && flow->replica >= 0 ? flow->replica : chain->replica;
    char *head = head_of(s, replica),
         *table = s->asked.output ? lat_text("%sr%" PRId64 ".txt", s->asked.output, replica) : NULL;
    if (flow->wanted) {
        gradient_flow_header header = flow_measurement_header(flow, s->layout.slices);
        char *series = lat_text("%sr%" PRId64 ".ms.dat", flow->output, replica);
        chain->flow_table = lat_text("%sr%" PRId64 ".h5", flow->output, replica);
        gradient_flow_data_open(series, &header, &chain->flow, error);
        free(series);
    }
    if (!error->status) measured_open(&chain->rows, table, head, s->layout.columns, error);
    free(table);
    free(head);
}

/* Numbers ascend in both files. */
static void check_order(const numbered_file *file, const char *path, int64_t last, lat_error *error)
{
    if (file->number < last)
        lat_fail(error, LAT_CONFIG,
                 "%.150s: configuration %" PRId64 " comes after %" PRId64
                 ": add them in ascending order, or name another output",
                 path, file->number, last);
}

/* What of a file is not recorded yet.  A run that is killed may leave the flow of one configuration without its row. */
static int need_of(const numbered_file *file, const chain *chain, lat_error *error)
{
    const measured *rows = &chain->rows;
    const gradient_flow_data *flow = chain->flow;
    int64_t row = measured_find(rows, file->number), last_row = rows->count > 0 ? rows->number[rows->count - 1] : -1;
    int64_t last_flow = flow && flow->count > 0 ? flow->number[flow->count - 1] : -1;
    bool flowed = flow && gradient_flow_data_find(flow, file->number);
    if (row >= 0 && strcmp(rows->path[row], file->path) != 0)
        lat_fail(error, LAT_CONFIG, "%.150s: is number %" PRId64 ", which %.100s has of %.150s: name another output",
                 file->path, file->number, rows->file.path, rows->path[row]);
    if (row < 0 && flowed && (file->number < last_row || file->number < last_flow))
        lat_fail(error, LAT_CONFIG,
                 "%.150s: is number %" PRId64 ", which is in %.100s, but not in %.100s: name another output",
                 file->path, file->number, flow->file.path, rows->file.path);
    if (row < 0) check_order(file, rows->file.path, last_row, error);
    if (flow && !flowed) check_order(file, flow->file.path, last_flow, error);
    return (row < 0 || (flow && !flowed) ? NEEDED : 0) | (flow && !flowed ? NEEDS_FLOW : 0);
}

/* Opens the records of all chains and finds out what is left to do. */
static void open_records(session *s, lat_error *error)
{
    int chains = 0;
    s->chain = lat_alloc(s->count, sizeof *s->chain);
    s->need = lat_alloc(s->count, sizeof *s->need);
    s->chain_of = lat_alloc(s->count, sizeof *s->chain_of);
    for (int i = 0; i < s->count; i++) {
        chains += i == 0 || s->file[i].replica != s->file[i - 1].replica;
        s->chain_of[i] = chains - 1;
        s->chain[chains - 1].replica = s->file[i].replica;
    }
    s->flow_values = 0;
    if (s->asked.flow.wanted) {
        gradient_flow_header header = flow_measurement_header(&s->asked.flow, s->layout.slices);
        s->flow_values = gradient_flow_data_values(&header);
        if (s->flow_values > INT32_MAX / 2)
            lat_fail(error, LAT_CONFIG,
                     "flow: %" PRId64 " numbers of each configuration are too many: raise flow.every", s->flow_values);
        if (chains > 1 && s->asked.flow.replica >= 0)
            lat_fail(error, LAT_CONFIG, "flow.replica: the files are of %d replicas: leave it out", chains);
    }
    if (s->rank == 0) {
        for (int c = 0; c < chains && !error->status; c++) open_chain(s, &s->chain[c], error);
        for (int i = 0; i < s->count && !error->status; i++)
            s->need[i] = need_of(&s->file[i], &s->chain[s->chain_of[i]], error);
    }
    if (lat_agree(MPI_COMM_WORLD, error) == LAT_DONE) MPI_Bcast(s->need, s->count, MPI_INT, 0, MPI_COMM_WORLD);
}

/* Rank 0: the flow first, so that what has a row has all. */
static void record(session *s, int i, double *row, const double *flow, lat_error *error)
{
    chain *chain = &s->chain[s->chain_of[i]];
    const numbered_file *file = &s->file[i];
    if (s->need[i] & NEEDS_FLOW) gradient_flow_data_append(chain->flow, file->number, flow, error);
    if (error->status || measured_find(&chain->rows, file->number) >= 0) return;
    if (chain->flow)
        flow_measurement_columns(&s->asked.flow, gradient_flow_data_find(chain->flow, file->number), s->layout.slices,
                                 s->layout.volume, row + s->layout.flow);
    measured_append(&chain->rows, file->number, file->path, row, error);
}

/* -------------------------------------------------------------------------------------------------------- printing */

static void print_heading(session *s)
{
    bool sorted = true;
    for (int i = 0; i < s->count; i++) sorted = sorted && s->file[i].place == i;
    if (s->asked.no_device[0]) printf("# backend cpu, %s\n", s->asked.no_device);
    if (!sorted) printf("# the files are taken in the order of their replicas and numbers\n");
    printf("%s\n", s->layout.names);
    s->headed = true;
}

/* Rank 0: prints the rows of files from `first` on, as far as there are any. */
static void print_rows(session *s, int first, int end)
{
    for (int i = first; i < end && s->rank == 0 && !s->options->quiet; i++) {
        const measured *rows = &s->chain[s->chain_of[i]].rows;
        int64_t row = measured_find(rows, s->file[i].number);
        if (row < 0) break;
        if (!s->headed) print_heading(s);
        printf("# %s\n", s->file[i].path);
        for (int64_t c = 0; c < rows->columns; c++)
            printf("%s%.17g", c ? " " : "", rows->value[row * rows->columns + c]);
        printf("\n");
    }
    if (s->rank == 0) fflush(stdout);
}

/* Some columns of all rows, [row][columns], in new memory, and bins that end with a replica. */
static double *gather(const session *s, int first, int64_t columns, jackknife *cut)
{
    int chains = chains_of(s);
    int64_t *counts = lat_alloc(chains, sizeof *counts), count = 0;
    for (int c = 0; c < chains; c++) count += counts[c] = s->chain[c].rows.count;
    double *value = lat_alloc(count * columns, sizeof *value), *to = value;
    for (int c = 0; c < chains; c++)
        for (int64_t i = 0; i < counts[c]; i++, to += columns)
            memcpy(to, s->chain[c].rows.value + i * s->layout.columns + first, (size_t)columns * sizeof *to);
    *cut = jackknife_cut(counts, chains, s->asked.bin);
    free(counts);
    return value;
}

static void summarise_loops(const session *s, lat_error *error)
{
    potential_loops loops = {.r = s->asked.loops.r, .t = s->asked.loops.t};
    loops.value = gather(s, s->layout.loops, loops_columns(&s->asked.loops), &loops.cut);
    loops.count = loops.cut.begin[loops.cut.bins];
    char *path = s->asked.output ? lat_text("%s-loops.h5", s->asked.output) : NULL;
    if (path) potential_write(path, &loops, error);
    if (!error->status && !s->options->quiet) potential_print(&loops);
    free(path);
    free(loops.value);
    jackknife_free(&loops.cut);
}

static void summarise_mesons(const session *s, lat_error *error)
{
    meson_correlators c = {.asked = &s->asked.mesons.columns, .slices = s->layout.slices};
    c.value = gather(s, s->layout.mesons, lat_meson_columns_count(c.asked, c.slices), &c.cut);
    c.count = c.cut.begin[c.cut.bins];
    c.number = lat_alloc(c.count, sizeof *c.number);
    c.replica = lat_alloc(c.count, sizeof *c.replica);
    for (int64_t chain = 0, to = 0; chain < chains_of(s); chain++)
        for (int64_t i = 0; i < s->chain[chain].rows.count; i++, to++) {
            c.number[to] = (double)s->chain[chain].rows.number[i];
            c.replica[to] = (double)s->chain[chain].replica;
        }
    char *path = s->asked.output ? lat_text("%s-mesons.h5", s->asked.output) : NULL;
    if (path) meson_masses_write(path, &c, error);
    if (!error->status && !s->options->quiet) meson_masses_print(&c);
    free(path);
    free(c.number);
    free(c.replica);
    free(c.value);
    jackknife_free(&c.cut);
}

static void summarise_variates(const session *s, lat_error *error)
{
    variate_results results = {0};
    variate_series series = {.asked = &s->asked.variates, .slices = s->layout.slices};
    lat_orbits *orbits = variates_orbits(series.asked, s->layout.dim, error);
    if (!orbits) return;
    double *value =
        gather(s, s->layout.variates, variates_columns(series.asked, s->layout.dim, series.slices), &series.cut);
    series.orbits = orbits;
    series.value = value;
    series.count = series.cut.begin[series.cut.bins];
    char *path = s->asked.output ? lat_text("%s-variates.h5", s->asked.output) : NULL,
         *settings = head_of(s, s->chain[0].replica);
    if (series.cut.bins > 1) variate_results_of(&series, &results, error);
    if (results.means && path) variate_results_write(path, &results, settings, error);
    if (results.means && !error->status && !s->options->quiet) variate_results_print(&results);
    variate_results_free(&results);
    free(settings);
    free(path);
    free(value);
    lat_orbits_free(orbits);
    jackknife_free(&series.cut);
}

/* Each replica by itself, then all together. */
static void summarise_flow(const session *s, lat_error *error)
{
    const measurement_layout *l = &s->layout;
    const int chains = chains_of(s);
    const bool print = !s->options->quiet;
    const gradient_flow_data **flow = lat_alloc(chains, sizeof *flow);
    for (int c = 0; c < chains && !error->status; c++) {
        flow[c] = s->chain[c].flow;
        gradient_flow_data_write(s->chain[c].flow_table, flow[c], lat_gradient_flow_names[s->asked.flow.kind],
                                 s->header[0].size, s->header[0].dim, error);
        if (!error->status && print) flow_measurement_print(&flow[c], 1, l->volume, l->periodic, s->asked.bin);
    }
    if (!error->status && print && chains > 1)
        flow_measurement_print(flow, chains, l->volume, l->periodic, s->asked.bin);
    free(flow);
}

/* Rank 0: what comes of all configurations. */
static void summarise(const session *s, lat_error *error)
{
    if (s->asked.loops.wanted) summarise_loops(s, error);
    if (s->asked.mesons.wanted && !error->status) summarise_mesons(s, error);
    if (s->asked.variates.wanted && !error->status) summarise_variates(s, error);
    if (s->asked.flow.wanted && !error->status) summarise_flow(s, error);
}

/* ------------------------------------------------------------------------------------------------------- measuring */

/* What a group has found goes to rank 0: whether it failed, the row, the flow. */
static void send(const session *s, bool failed, const double *row, const double *flow)
{
    int status = failed;
    if (s->rank == 0 || s->rank != first_rank(s, s->group)) return;
    MPI_Send(&status, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    if (failed) return;
    MPI_Send(row, s->layout.columns, MPI_DOUBLE, 0, 1, MPI_COMM_WORLD);
    MPI_Send(flow, (int)s->flow_values, MPI_DOUBLE, 0, 2, MPI_COMM_WORLD);
}

static bool receive(const session *s, int group, double *row, double *flow)
{
    int failed, from = first_rank(s, group);
    MPI_Recv(&failed, 1, MPI_INT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (failed) return false;
    MPI_Recv(row, s->layout.columns, MPI_DOUBLE, from, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Recv(flow, (int)s->flow_values, MPI_DOUBLE, from, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return true;
}

/* Files of a batch, one for each of the first groups.  What comes before a file that fails is recorded. */
static void measure_batch(session *s, const int *batch, int count, lat_error *error)
{
    double *row = lat_alloc(s->layout.columns, sizeof *row), *flow = lat_alloc(s->flow_values, sizeof *flow);
    lat_error failure = {0};
    if (s->group < count) {
        int i = batch[s->group];
        measurement_of_file(&s->asked, s->comm, &s->file[i], header_of(s, i), row,
                            s->need[i] & NEEDS_FLOW ? flow : NULL, &failure);
        send(s, failure.status != LAT_DONE, row, flow);
    }
    bool good = failure.status == LAT_DONE;
    if (s->rank == 0 && good) record(s, batch[0], row, flow, &failure);
    for (int g = 1; g < count && s->rank == 0; g++) {
        good = receive(s, g, row, flow) && good;
        if (good) record(s, batch[g], row, flow, &failure);
    }
    if (lat_agree(MPI_COMM_WORLD, &failure)) lat_fail(error, failure.status, "%s", failure.text);
    free(row);
    free(flow);
}

/* The next files that need work, one for each group, and where the next batch begins. */
static int next_batch(const session *s, int *batch, int *end)
{
    int count = 0;
    while (*end < s->count && (count < s->groups || !s->need[*end])) {
        if (s->need[*end]) batch[count++] = *end;
        ++*end;
    }
    return count;
}

static void measure_all(session *s, lat_error *error)
{
    int *batch = lat_alloc(s->groups, sizeof *batch), left = 0, end = 0;
    for (int i = 0; i < s->count; i++) left += s->need[i] != 0;
    stopper stopper;
    progress progress;
    const char *reason = NULL;
    stopper_start(&stopper, MPI_COMM_WORLD, NULL, 0);
    progress_start(&progress, "configuration", s->count - left, s->count, s->options->quiet || s->rank > 0);
    progress_to_stderr(&progress);
    while (end < s->count && !error->status && !(left > 0 && (reason = stopper_reason(&stopper)))) {
        int first = end, count = next_batch(s, batch, &end);
        if (count > 0) measure_batch(s, batch, count, error);
        left -= count;
        progress_finish(&progress);
        print_rows(s, first, end);
        if (!error->status && left > 0 && progress_due(&progress, s->count - left))
            progress_show(&progress, s->count - left, "number %" PRId64, s->file[end - 1].number);
    }
    progress_finish(&progress);
    if (reason && !error->status)
        lat_fail(error, LAT_STOPPED, "stopped after %d of %d configurations (%s): the same command %s", s->count - left,
                 s->count, reason, s->asked.output ? "goes on" : "begins anew, as there is no measure.output");
    stopper_end(&stopper);
    free(batch);
}

static void release(session *s)
{
    for (int i = 0; i < s->count; i++) {
        if (s->header) lat_config_report_free(&s->header[i]);
        if (!s->chain) continue;
        measured_free(&s->chain[i].rows);
        gradient_flow_data_free(s->chain[i].flow);
        free(s->chain[i].flow_table);
    }
    free(s->file);
    free(s->header);
    free(s->chain);
    free(s->need);
    free(s->chain_of);
    free(s->layout.names);
    free(s->identity);
    if (s->comm != MPI_COMM_NULL) MPI_Comm_free(&s->comm);
}

static void measure_files(session *s, lat_error *error)
{
    read_groups(s, error);
    if (!error->status) examine(s, error);
    if (!error->status) measurement_prepare(&s->asked, s->comm, s->file[0].path, header_of(s, 0), &s->layout, error);
    if (lat_agree(MPI_COMM_WORLD, error) == LAT_DONE) open_records(s, error);
    if (!error->status) measure_all(s, error);
    if (!error->status && s->rank == 0) summarise(s, error);
    release(s);
}

static void work(const options *options, lat_error *error)
{
    session s = {.options = options, .comm = MPI_COMM_NULL};
    lat_settings *root = NULL;
    s.rank = lat_rank(MPI_COMM_WORLD);
    MPI_Comm_size(MPI_COMM_WORLD, &s.ranks);
    s.asked.input.lenient = options->own[OWN_FORCE];
    const char *path = options->argument_count > 0 ? options->argument[0] : NULL;
    if (options_settings(options, MPI_COMM_WORLD, path, "", &root, error) == LAT_DONE)
        measurement_read(root, &s.asked, error);
    if (!error->status && options->print_config && s.rank == 0) {
        char *text = lat_settings_print(root);
        fputs(text, stdout);
        free(text);
    }
    if (!error->status && !options->print_config) {
        s.identity = identity(root);
        measure_files(&s, error);
    }
    lat_settings_free(root);
}

/* The configuration can be printed without any file to measure. */
static void check_arguments(const options *options, lat_error *error)
{
    if (!error->status && !options->done && !options->print_config && options->argument_count < 2)
        lat_fail(error, LAT_USAGE, "a file is missing on the command line: see flowmeas --help");
}

int main(int argc, char **argv)
{
    options options;
    lat_error error = {0};
    options_parse(argc, argv, &flowmeas, &options, &error);
    check_arguments(&options, &error);
    if (error.status == LAT_DONE && !options.done) {
        lat_start(&argc, &argv);
        work(&options, &error);
    }
    return options_finish(&options, &error);
}
