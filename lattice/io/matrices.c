/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matrices.c: configuration files that are a header, all links as matrices, and perhaps a trailer: what the formats of
 * other programs have in common.  Sizes are checked against the length of the file before memory is taken; checksums,
 * plaquette and link trace are computed from what was read and compared with what the file says.
 */
#include "lattice/io/io.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIM = 4 };

/* 4D and, for NERSC and ILDG, SU(2) too: their headers can say so. */
static bool can_hold(const lat_matrix_format *format, lat_group group, int dim)
{
    return dim == DIM && (group == LAT_SU3 || (group == LAT_SU2 && format->any_colours));
}

static void print_size(char text[96], const int64_t size[LAT_MAX_DIM], int dim)
{
    int n = 0;
    for (int mu = 0; mu < dim; mu++)
        n += snprintf(text + n, (size_t)(96 - n), "%s%lld", mu ? " x " : "", (long long)size[mu]);
}

/* ----------------------------------------------------------------------------------------------------------- header */

/* More bytes than links need are padding, if they look like it; afterwards m->bytes is what links need. */
static void check_length(const char *path, int descriptor, lat_matrices *m, int64_t needed,
                         const lat_config_options *options, lat_error *error)
{
    const int64_t more = m->bytes - needed, found = m->bytes;
    char size[96];
    m->bytes = needed;
    if (more == 0) return;
    print_size(size, m->size, DIM);
    if (more > 0 && lat_only_padding(descriptor, m->offset + needed, m->offset + found))
        lat_matrices_warn(m, "%lld bytes of padding follow its links", (long long)more);
    else if (more > 0 && options->lenient)
        lat_matrices_warn(m, "%lld bytes that nobody knows follow its links", (long long)more);
    else
        lat_fail(error, LAT_FORMAT,
                 "%s: holds %lld bytes of links and should hold %lld, for %s: it is %s, take another copy", path,
                 (long long)found, (long long)needed, size, more < 0 ? "cut off or damaged" : "damaged");
}

static void check_header(const lat_matrix_format *format, const char *path, int descriptor, lat_matrices *m,
                         const lat_config_options *options, lat_error *error)
{
    int64_t units = 0;
    char size[96], asked[96];
    print_size(size, m->size, DIM);
    print_size(asked, options->size, DIM);
    bool odd = false, good = lat_unit_count(format, m, &units);
    for (int mu = 0; mu < DIM; mu++) odd = odd || m->size[mu] % 2;
    if (!good)
        lat_fail(error, LAT_FORMAT, "%s: its extents %s are out of range: it is damaged, take another copy", path,
                 size);
    else if (format->even && odd)
        lat_fail(error, LAT_FORMAT, "%s: its extents %s are not even: it is damaged, take another copy", path, size);
    else if (options->size[0] > 0 && memcmp(options->size, m->size, sizeof m->size) != 0)
        lat_fail(error, LAT_CONFIG, "%s: its extents are %s and not %s: leave them out", path, size, asked);
    else
        check_length(path, descriptor, m, units * lat_unit_bytes(format, m), options, error);
}

/* Which byte order makes the first matrix unitary?  Both or neither: big-endian, as most writers mean. */
static void guess_order(const lat_matrix_format *format, const char *path, int descriptor, lat_matrices *m,
                        lat_error *error)
{
    uint8_t bytes[18 * 8];
    int64_t size = lat_unit_bytes(format, m) / format->unit_links;
    if (lat_read_at(descriptor, bytes, size, m->offset) != size) {
        lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the disk", path,
                 errno ? strerror(errno) : "it ended early");
        return;
    }
    m->big = false;
    m->big = !lat_matrix_is_link(m, bytes);
    m->guess = false;
}

/* On all ranks. */
static lat_status read_header(const lat_matrix_format *format, MPI_Comm comm, const char *path,
                              const lat_config_options *options, lat_matrices *m, lat_bytes *pairs, lat_error *error)
{
    int rank, descriptor = -1;
    MPI_Comm_rank(comm, &rank);
    *m = (lat_matrices){.group = LAT_SU3, .rows = 3, .plaquette_tolerance = 1e-5, .trace_tolerance = 1e-6};
    if (rank == 0 && error->status == LAT_DONE) {
        int64_t bytes = 0;
        descriptor = lat_open_input(path, &bytes, error);
        if (!error->status) format->parse(path, descriptor, bytes, options, m, pairs, error);
        if (!error->status) check_header(format, path, descriptor, m, options, error);
        if (!error->status && options->endian) {
            m->big = strcmp(options->endian, "big") == 0;
            m->guess = false;
        }
        if (!error->status && m->guess) guess_order(format, path, descriptor, m, error);
        if (descriptor >= 0) close(descriptor);
    }
    if (lat_agree(comm, error)) return error->status;
    lat_broadcast(comm, m, sizeof *m);
    int64_t size = pairs->size;
    lat_broadcast(comm, &size, sizeof size);
    if (rank > 0 && size > 0) {
        char *data = lat_alloc(size, 1);
        lat_broadcast(comm, data, size);
        lat_bytes_add(pairs, data, size);
        free(data);
    } else if (size > 0) {
        lat_broadcast(comm, pairs->data, size);
    }
    return LAT_DONE;
}

lat_status lat_matrices_shape(const lat_config_format *format, MPI_Comm comm, const char *path,
                              const lat_config_options *options, lat_group *group, lat_shape *shape, lat_config_report *report,
                              lat_error *error)
{
    lat_matrices m;
    lat_bytes pairs = {0};
    if (read_header(format->matrices, comm, path, options, &m, &pairs, error)) {
        free(pairs.data);
        return error->status;
    }
    *group = m.group;
    *shape = (lat_shape){.dim = DIM};
    memcpy(shape->size, m.size, sizeof m.size);
    lat_report_pairs(report, &pairs);
    return LAT_DONE;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static void check_lattice(const char *path, const lat_matrices *m, const lat_geometry *g, lat_group group,
                          lat_error *error)
{
    char there[96], here[96];
    print_size(there, m->size, DIM);
    print_size(here, g->size, g->dim);
    if (m->group != group)
        lat_fail(error, LAT_FORMAT,
                 "%s: is a configuration of %s, the lattice is one of %s: choose another file or group", path,
                 lat_group_names[m->group], lat_group_names[group]);
    else if (g->dim != DIM || memcmp(m->size, g->size, sizeof m->size) != 0)
        lat_fail(error, LAT_FORMAT, "%s: is a configuration of %s, the lattice is %s: choose another file or size",
                 path, there, here);
}

static void begin_report(lat_config_report *report, const lat_matrix_format *format, const lat_matrices *m)
{
    report->group = m->group;
    report->dim = DIM;
    memcpy(report->size, m->size, sizeof m->size);
    snprintf(report->detail, sizeof report->detail, "%s", m->detail);
    snprintf(report->warning, sizeof report->warning, "%s", m->warning);
    report->stored_plaquette = m->has_plaquette ? m->plaquette : NAN;
    report->stored_trace = m->has_trace ? m->trace : NAN;
    report->checksums = format->checksums;
    report->has_checksums = m->has_checksum;
    for (int i = 0; i < 2; i++) {
        report->checksum_name[i] = format->checksum_name[i];
        report->stored_checksum[i] = m->checksum[i];
    }
}

__attribute__((format(printf, 2, 3))) static void warn(lat_config_report *report, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    lat_append_warning(report->warning, sizeof report->warning, format, list);
    va_end(list);
}

/* What is being read, and what is found of it. */
typedef struct {
    const lat_matrix_format *format;
    const lat_matrices *m;
    const char *path;
    bool lenient;
    lat_config_report *report;
    lat_error *error;
} input;

/* A difference between the file and its header. */
static void differs(const input *in, const char *text)
{
    if (in->lenient)
        warn(in->report, "%s", text);
    else
        lat_fail(in->error, LAT_FORMAT, "%s: %s: it is damaged: take another copy, or read it with --force", in->path, text);
}

/* Zeros are what writers put where they compute nothing. */
static void compare_checksums(const input *in)
{
    const lat_matrices *m = in->m;
    lat_config_report *report = in->report;
    char text[128];
    if (report->checksums == 0) return;
    if (!m->has_checksum) {
        warn(report, "there is no checksum in it");
        return;
    }
    bool unset = true;
    for (int i = 0; i < report->checksums; i++) unset = unset && m->checksum[i] == 0 && report->checksum[i] != 0;
    if (unset) {
        warn(report, "its checksum is 0: not computed by its writer, so not verified");
        return;
    }
    input lenient = *in;
    if (in->format->sums_are_foreign && in->format->sums_are_foreign(report->checksum, m->checksum)) lenient.lenient = true;
    for (int i = 0; i < report->checksums; i++)
        if (report->checksum[i] != m->checksum[i]) {
            snprintf(text, sizeof text, "%s is %x and should be %x", report->checksum_name[i], report->checksum[i],
                     m->checksum[i]);
            differs(&lenient, text);
        }
}

/* digit: what one in the last digit of the stored number is worth. */
static void compare_mean(const input *in, const char *name, double found, double stored, double tolerance, double digit)
{
    char text[128];
    const double difference = fabs(found - stored);
    if (difference <= tolerance) return;
    if (stored == 0 && digit > 0)
        warn(in->report, "its %s is 0: not computed by its writer, so not verified", name);
    else if (difference <= digit)
        warn(in->report, "its %s is verified to the few digits it has", name);
    else {
        snprintf(text, sizeof text, "%s is %.12g and should be %.12g", name, found, stored);
        differs(in, text);
    }
}

static void compare_means(const input *in)
{
    const lat_matrices *m = in->m;
    if (m->has_plaquette)
        compare_mean(in, "plaquette", in->report->plaquette, m->plaquette, m->plaquette_tolerance, m->plaquette_digit);
    if (m->has_trace) compare_mean(in, "link trace", in->report->trace, m->trace, m->trace_tolerance, m->trace_digit);
}

/* Open boundaries are stored as zeros by openQCD and by what converts its files: with them the means are what the file
 * says; afterwards the links are 1, and the report has the boundary as if the file had named it. */
static void take_open_boundary(const input *in, lat_gauge *gauge, lat_links_summary *summary, lat_bytes *pairs)
{
    static const char open[] = "boundary = [\"periodic\", \"periodic\", \"periodic\", \"open\"];";
    const lat_geometry *g = gauge->links->geometry;
    if (summary->bad != g->size[0] * g->size[1] * g->size[2] || !lat_links_mend_open(gauge)) return;
    lat_links_summary mended = lat_links_summarise(gauge, 0, false);
    summary->bad = mended.bad;
    summary->violation = mended.violation;
    lat_bytes_add_pair(pairs, "boundary", open, sizeof open - 1);
    size_t n = strlen(in->report->detail);
    snprintf(in->report->detail + n, sizeof in->report->detail - n, ", open in t");
}

static void read_links(const input *in, lat_gauge *gauge, lat_bytes *pairs)
{
    const lat_matrices *m = in->m;
    lat_config_report *report = in->report;
    int64_t bytes = 0;
    int descriptor = lat_open_input(in->path, &bytes, in->error);
    if (descriptor >= 0 && bytes < (m->text ? m->text : m->offset + m->bytes))
        lat_fail(in->error, LAT_FILE, "%s: has %lld bytes where another rank sees more: use a file system that all share",
                 in->path, (long long)bytes);
    if (lat_agree(gauge->links->geometry->comm, in->error) == LAT_DONE) {
        lat_transfer *transfer = lat_transfer_create(in->format, m, gauge);
        lat_transfer_read(transfer, in->path, descriptor, report->checksum, in->error);
        lat_transfer_free(transfer);
    }
    if (descriptor >= 0) close(descriptor);
    if (in->error->status) return;
    lat_links_summary summary = lat_links_summarise(gauge, 0, m->has_plaquette || report->wanted);
    if (summary.bad) take_open_boundary(in, gauge, &summary, pairs);
    report->links = true;
    report->plaquette = summary.plaquette;
    report->trace = summary.trace;
    report->violation = summary.violation;
    compare_checksums(in);
    if (summary.bad)
        lat_fail(in->error, LAT_FORMAT,
                 "%s: holds %lld matrices that are not in %s: it is damaged, or its byte order is not the one "
                 "it names",
                 in->path, (long long)summary.bad, lat_group_names[gauge->group]);
    compare_means(in);
}

lat_status lat_matrices_read(const lat_config_format *format, const char *path, lat_gauge *gauge,
                             const lat_config_options *options, lat_config_report *report, lat_error *error)
{
    lat_matrices m;
    lat_bytes pairs = {0};
    const input in = {format->matrices, &m, path, options->lenient, report, error};
    if (read_header(format->matrices, gauge->links->geometry->comm, path, options, &m, &pairs, error) == LAT_DONE) {
        begin_report(report, format->matrices, &m);
        check_lattice(path, &m, gauge->links->geometry, gauge->group, error);
        if (error->status == LAT_DONE) read_links(&in, gauge, &pairs);
        lat_report_pairs(report, &pairs);
    }
    free(pairs.data);
    return lat_agree(gauge->links->geometry->comm, error);
}

/* ---------------------------------------------------------------------------------------------------------- writing */

lat_status lat_matrices_writable(const lat_matrix_format *format, const char *path, lat_group group,
                                 const lat_shape *shape, lat_error *error)
{
    if (!can_hold(format, group, shape->dim))
        return lat_fail(error, LAT_CONFIG, "%s: %s files cannot hold %s in %d dimensions: write .h5", path,
                        format->name, lat_group_names[group], shape->dim);
    for (int mu = 0; mu < DIM && format->even; mu++)
        if (shape->size[mu] % 2)
            return lat_fail(error, LAT_CONFIG, "%s: %s files need even extents: write .h5", path, format->name);
    return LAT_DONE;
}

/* What is about to be written: rank 0 has the frame, all ranks the file. */
typedef struct {
    const lat_matrix_format *format;
    const char *path;
    char *temporary;
    MPI_Comm comm;
    int rank, descriptor;
    lat_bytes before, after;
    const lat_matrices *matrices;
} output;

static int64_t after_offset(const output *out)
{
    int64_t units = 0;
    lat_unit_count(out->format, out->matrices, &units);
    return out->matrices->offset + units * lat_unit_bytes(out->format, out->matrices);
}

/* Rank 0 makes the file, and asks for its room before it is used; then all have it open. */
static void open_output(output *out, lat_error *error)
{
    enum { TRAILER = 1 << 12 };
    if (out->rank == 0) {
        out->descriptor = lat_open_temporary(out->temporary);
        int code = out->descriptor < 0 ? errno : lat_claim(out->descriptor, 0, after_offset(out) + TRAILER);
        if (code) lat_cannot_write(out->path, code, error);
    }
    if (lat_agree(out->comm, error)) return;
    if (out->rank > 0) out->descriptor = lat_open_again(out->temporary);
    if (out->descriptor < 0) lat_cannot_write(out->path, errno, error);
    lat_agree(out->comm, error);
}

static bool same_bytes(int descriptor, const lat_bytes *bytes, int64_t offset)
{
    char *copy = lat_alloc(bytes->size, 1);
    bool same = lat_read_at(descriptor, copy, bytes->size, offset) == bytes->size &&
                (bytes->size == 0 || memcmp(copy, bytes->data, (size_t)bytes->size) == 0);
    free(copy);
    return same;
}

/* Rank 0: what stands around the matrices, and the length. */
static void write_frame(output *out, lat_error *error)
{
    int64_t end = after_offset(out);
    int code = lat_write_at(out->descriptor, out->before.data, out->before.size, 0) != out->before.size ||
                       lat_write_at(out->descriptor, out->after.data, out->after.size, end) != out->after.size
                   ? errno
                   : lat_truncate(out->descriptor, end + out->after.size);
    if (code) lat_cannot_write(out->path, code, error);
}

static void sync_and_check(output *out, lat_transfer *transfer, lat_error *error)
{
    int code = error->status == LAT_DONE ? lat_sync(out->descriptor) : 0;
    if (code) lat_cannot_write(out->path, code, error);
    if (lat_agree(out->comm, error)) return;
    if (out->rank == 0 &&
        (!same_bytes(out->descriptor, &out->before, 0) || !same_bytes(out->descriptor, &out->after, after_offset(out))))
        lat_fail(error, LAT_FILE, "%s: reads back other than it was written: check the disk", out->path);
    lat_transfer_check(transfer, out->path, out->descriptor, error);
}

static void close_output(output *out, lat_error *error)
{
    if (out->rank == 0 && out->descriptor >= 0) {
        if (error->status == LAT_DONE) lat_file_commit(out->temporary, out->path, error);
        if (error->status != LAT_DONE) unlink(out->temporary);
    }
    if (out->descriptor >= 0) close(out->descriptor);
    lat_agree(out->comm, error);
}

/* Rank 0; again once the checksums are known. */
static void make_frame(output *out, const lat_matrices *m, const lat_provenance *provenance, int count)
{
    free(out->before.data);
    free(out->after.data);
    out->before = out->after = (lat_bytes){0};
    out->format->frame(out->path, m, provenance, count, &out->before, &out->after);
}

/* Is the lattice open in t, by what goes along with it? */
static bool is_open(const lat_geometry *g, const lat_provenance *provenance, int count)
{
    lat_error error = {0};
    lat_boundary boundary;
    const char *value = lat_provenance_find(provenance, count, "boundary");
    return value && lat_provenance_boundary(value, g->dim, g->size, &boundary, &error) == LAT_DONE && boundary.open[DIM - 1];
}

static void write_file(output *out, lat_matrices *m, lat_gauge *gauge, int member,
                       const lat_provenance *provenance, int count, lat_error *error)
{
    int64_t zeros = out->format->cut && is_open(gauge->links->geometry, provenance, count) ? lat_links_cut_open(gauge, member) : 0;
    if (out->rank == 0) make_frame(out, m, provenance, count);
    m->offset = out->before.size;
    MPI_Bcast(&m->offset, 1, MPI_INT64_T, 0, out->comm);
    open_output(out, error);
    if (error->status == LAT_DONE) {
        lat_transfer *transfer = lat_transfer_create(out->format, m, gauge);
        lat_transfer_write(transfer, out->path, out->descriptor, member, m->checksum, error);
        lat_links_summary summary = lat_links_summarise(gauge, member, out->format->with_plaquette);
        m->plaquette = summary.plaquette;
        m->trace = summary.trace;
        if (summary.bad != zeros)
            lat_fail(error, LAT_NUMERICAL, "%s: %lld links are not in %s: not written", out->path,
                     (long long)(summary.bad - zeros), lat_group_names[gauge->group]);
        if (out->rank == 0 && error->status == LAT_DONE) {
            make_frame(out, m, provenance, count);
            write_frame(out, error);
        }
        sync_and_check(out, transfer, error);
        lat_transfer_free(transfer);
    }
    close_output(out, error);
}

lat_status lat_matrices_write(const lat_matrix_format *format, const char *path, lat_gauge *gauge,
                              int member, const lat_matrices *variant, const lat_provenance *provenance, int count,
                              lat_error *error)
{
    lat_matrices m = *variant;
    m.group = gauge->group;
    if (gauge->group == LAT_SU2) m.rows--;
    memcpy(m.size, gauge->links->geometry->size, sizeof m.size);
    lat_gauge *cut = NULL;
    if (format->cut && is_open(gauge->links->geometry, provenance, count)) {
        cut = lat_gauge_create(gauge->links->geometry, gauge->group, gauge->links->precision);
        lat_gauge_copy(cut, gauge);
    }
    output out = {.format = format, .path = path, .comm = gauge->links->geometry->comm, .descriptor = -1, .matrices = &m};
    MPI_Comm_rank(out.comm, &out.rank);
    out.temporary = lat_text("%s.tmp", path);
    write_file(&out, &m, cut ? cut : gauge, member, provenance, count, error);
    lat_gauge_free(cut);
    free(out.temporary);
    free(out.before.data);
    free(out.after.data);
    return error->status;
}
