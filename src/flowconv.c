/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flowconv.c: converts and verifies files of gauge configurations.
 */
#include "lattice/lattice.h"
#include "src/options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OWN_CHECK, OWN_FROM, OWN_FORMAT, OWN_PRECISION, OWN_TWO_ROW, OWN_ENDIAN, OWN_DIMS, OWN_FORCE, OWN_LFN, OWN_ID, OWN_LABEL };

static const options_own own[] = {
    [OWN_CHECK] = {"check", NULL, "only verify: all arguments are files to read"},
    [OWN_FROM] = {"from", "NAME", "format of IN, if its contents do not tell: bridge (with --dims)"},
    [OWN_FORMAT] = {"format", "NAME", "format of OUT, whatever its ending: h5, nersc, ildg, openqcd"},
    [OWN_PRECISION] = {"precision", "BITS", "numbers of OUT, of nersc and ildg: 64 or 32"},
    [OWN_TWO_ROW] = {"two-row", NULL, "leave out the last row of each matrix; nersc"},
    [OWN_ENDIAN] = {"endian", "ORDER", "byte order of IN, against what it says: big or little"},
    [OWN_DIMS] = {"dims", "XxYxZxT", "extents of IN, if it does not name them: ildg, bridge"},
    [OWN_FORCE] = {"force", NULL, "what differs from what IN says, or may be missing, is only a warning"},
    [OWN_LFN] = {"lfn", "NAME", "logical file name; ildg"},
    [OWN_ID] = {"id", "TEXT", "ENSEMBLE_ID; nersc"},
    [OWN_LABEL] = {"label", "TEXT", "ENSEMBLE_LABEL; nersc"},
    {0},
};

static const options_program flowconv = {
    .name = "flowconv",
    .usage = "Usage: flowconv [OPTION...] IN OUT\n"
             "       flowconv --check [OPTION...] FILE...\n"
             "\n"
             "Converts gauge configurations, or verifies them. Formats that are read: NERSC, ILDG, SciDAC, openQCD, MILC,\n"
             "HiRep, and HDF5 of this program; the contents of IN tell which. The ending of OUT names its format: .nersc,\n"
             ".ildg, .openqcd or .h5.\n"
             "\n"
             "  flowconv ckpoint_lat.1000 conf1000.ildg\n"
             "  mpirun -n 4 flowconv --check configs/*.nersc\n",
    .accepts = OPTION_QUIET,
    .least = 1,
    .most = -1,
    .own = own,
};

typedef struct {
    lat_config_options input, output;
    bool check, quiet; /* quiet: nothing is printed by this rank */
    const char *const *value;
} request;

/* "8x8x8x16" */
static void read_dims(const char *text, int64_t size[LAT_MAX_DIM], lat_error *error)
{
    char *end = (char *)text;
    int mu = 0;
    for (const char *at = text; mu < LAT_MAX_DIM; at = end + 1) {
        long long value = strtoll(at, &end, 10);
        if (end == at || value < 1 || value > INT32_MAX) break;
        size[mu++] = value;
        if (*end != 'x') break;
    }
    if (mu < LAT_MAX_DIM || *end)
        lat_fail(error, LAT_USAGE, "--dims '%.40s': four extents are needed, x first: 8x8x8x16", text);
}

static void read_request(const options *options, request *r, lat_error *error)
{
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    const char *const *value = options->own;
    *r = (request){.check = value[OWN_CHECK], .quiet = options->quiet || rank > 0, .value = value};
    r->input.format = value[OWN_FROM];
    r->input.endian = value[OWN_ENDIAN];
    r->input.lenient = value[OWN_FORCE];
    r->output.format = value[OWN_FORMAT];
    r->output.two_rows = value[OWN_TWO_ROW];
    if (value[OWN_DIMS]) read_dims(value[OWN_DIMS], r->input.size, error);
    if (value[OWN_PRECISION]) {
        r->output.bits = strcmp(value[OWN_PRECISION], "32") == 0   ? 32
                         : strcmp(value[OWN_PRECISION], "64") == 0 ? 64
                                                                   : 0;
        if (r->output.bits == 0) lat_fail(error, LAT_USAGE, "--precision '%.40s': use 32 or 64", value[OWN_PRECISION]);
    }
    if (!r->check && options->argument_count != 2)
        lat_fail(error, LAT_USAGE, "%d files on the command line: give two, IN and OUT, or --check",
                 options->argument_count);
}

/* --------------------------------------------------------------------------------------------------- what was found */

static void print_mean(const char *name, double found, double stored)
{
    if (isnan(found)) return;
    printf("%-12s%.12f", name, found);
    if (!isnan(stored)) printf("  (stored %.12g)", stored);
    printf("\n");
}

static void print_report(const char *path, const lat_config_report *report, const lat_error *error)
{
    printf("%-12s%s\n", "file", path);
    if (report->format)
        printf("%-12s%s%s%s\n", "format", report->format, report->detail[0] ? ", " : "", report->detail);
    if (report->dim) {
        printf("%-12s%s", "lattice", lat_group_names[report->group]);
        for (int mu = 0; mu < report->dim; mu++) printf("%s%" PRId64, mu ? " x " : " ", report->size[mu]);
        printf("\n");
    }
    if (report->links) {
        print_mean("plaquette", report->plaquette, report->stored_plaquette);
        print_mean("link trace", report->trace, report->stored_trace);
        for (int i = 0; i < report->checksums; i++) {
            printf("%-12s%x", report->checksum_name[i], report->checksum[i]);
            if (report->has_checksums) printf("  (stored %x)", report->stored_checksum[i]);
            printf("\n");
        }
        printf("%-12s%.2g\n", "unitarity", report->violation);
    }
    if (report->warning[0]) printf("%-12s%s\n", "warning", report->warning);
    printf("%-12s%s\n", "verdict", error->status ? error->text : "good");
}

/* ------------------------------------------------------------------------------------------------------------- work */

/* The field of a file, on a lattice of its own.  The report is released by the caller. */
static lat_gauge *read_file(const request *r, const char *path, lat_config_report *report,
                            lat_error *error)
{
    lat_group group;
    lat_shape shape;
    lat_geometry *geometry;
    if (lat_config_shape_as(MPI_COMM_WORLD, path, &r->input, &group, &shape, error)) return NULL;
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &geometry, error)) return NULL;
    lat_gauge *gauge = lat_gauge_create(geometry, group, LAT_DOUBLE);
    lat_config_read_as(path, gauge, &r->input, report, error);
    return gauge;
}

static void free_gauge(lat_gauge *gauge)
{
    if (!gauge) return;
    lat_geometry *geometry = (lat_geometry *)gauge->links->geometry;
    lat_gauge_free(gauge);
    lat_geometry_free(geometry);
}

static void check_file(const request *r, const char *path, lat_error *error)
{
    lat_config_report report = {0};
    lat_error found = {0};
    free_gauge(read_file(r, path, &report, &found));
    if (!r->quiet) print_report(path, &report, &found);
    lat_config_report_free(&report);
    if (found.status) lat_fail(error, found.status, "%s", found.text);
}

/* What the file said of its origin, and what the command line says instead. */
static int make_provenance(const request *r, const lat_config_report *report, lat_provenance *out)
{
    const lat_provenance given[] = {
        {"lfn", r->value[OWN_LFN]}, {"ensemble_id", r->value[OWN_ID]}, {"ensemble_label", r->value[OWN_LABEL]}};
    const int most = (int)(sizeof given / sizeof *given);
    int count = 0;
    bool program = false;
    for (int i = 0; i < most; i++)
        if (given[i].value) out[count++] = given[i];
    for (int i = 0; i < report->provenance_count; i++) {
        bool replaced = false;
        for (int k = 0; k < most; k++)
            replaced = replaced || (given[k].value && strcmp(given[k].key, report->provenance[i].key) == 0);
        program = program || strcmp(report->provenance[i].key, "program") == 0;
        if (!replaced) out[count++] = report->provenance[i];
    }
    if (!program) out[count++] = (lat_provenance){"program", "flowconv " PACKAGE_VERSION};
    return count;
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* IN must be there when OUT is; and the temporary name of OUT is taken without asking. */
static void refuse_itself(const char *in, const char *out, lat_error *error)
{
    char *temporary = lat_text("%s.tmp", out);
    if (same_file(in, out) || same_file(in, temporary))
        lat_fail(error, LAT_USAGE, "%s: is IN, and would be lost: give OUT another name", out);
    free(temporary);
}

static void convert(const request *r, const char *in, const char *out, lat_error *error)
{
    lat_group group;
    lat_shape shape;
    lat_config_report report = {0};
    refuse_itself(in, out, error);
    if (lat_agree(MPI_COMM_WORLD, error)) return;
    if (lat_config_shape_as(MPI_COMM_WORLD, in, &r->input, &group, &shape, error)) return;
    if (lat_config_writable(out, group, &shape, &r->output, error)) return;
    double start = MPI_Wtime();
    lat_gauge *gauge = read_file(r, in, &report, error);
    double middle = MPI_Wtime();
    if (error->status == LAT_DONE) {
        lat_provenance *provenance = lat_alloc(report.provenance_count + OPTIONS_OWN, sizeof *provenance);
        int count = make_provenance(r, &report, provenance);
        lat_config_write_as(out, gauge, 0, &r->output, provenance, count, error);
        free(provenance);
        if (!r->quiet) {
            print_report(in, &report, error);
            printf("%-12sread in %.3f s, %s written in %.3f s\n", "time", middle - start, out, MPI_Wtime() - middle);
        }
    }
    free_gauge(gauge);
    lat_config_report_free(&report);
}

static void work(const options *options, lat_error *error)
{
    request r;
    read_request(options, &r, error);
    if (error->status) return;
    if (!r.check) {
        convert(&r, options->argument[0], options->argument[1], error);
        return;
    }
    for (int i = 0; i < options->argument_count; i++) {
        if (i > 0 && !r.quiet) printf("\n");
        check_file(&r, options->argument[i], error);
    }
}

int main(int argc, char **argv)
{
    options options;
    lat_error error = {0};
    if (options_parse(argc, argv, &flowconv, &options, &error) == LAT_DONE && !options.done) {
        lat_start(&argc, &argv);
        work(&options, &error);
    }
    return options_finish(&options, &error);
}
