/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5_field.c: fields of all ranks, in one data set: [member] ... [1][0][component].  A rank writes and reads its part by
 * itself where that is made of long pieces of the file.  Else each rank takes a share of the lines of the file (what has
 * the same coordinates but for the first), and the ranks exchange what they hold of each: all of them, round by round,
 * whatever fails on one of them.
 */
#define _GNU_SOURCE
#include "lattice/io/h5_file.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONG_BYTES = 1 << 20,   /* of a piece that is worth a call of its own */
    PART_BYTES = 1 << 23,   /* written before they are sent on their way to the disk */
    CHUNK_BYTES = 1 << 20,  /* of lines, in one round */
    BUDGET_BYTES = 1 << 30, /* of lines of all ranks, in one round */
};

/* The part of a field that a rank holds, as the file sees it: [dim-1] ... [0][component]. */
typedef struct {
    int dim, components;
    int64_t size[LAT_MAX_DIM], first[LAT_MAX_DIM], count[LAT_MAX_DIM];
} box;

static box box_of(const lat_field *field)
{
    const lat_geometry *g = field->geometry;
    box part = {.dim = g->dim, .components = field->components};
    for (int mu = 0; mu < g->dim; mu++) {
        part.size[mu] = g->size[mu];
        part.count[mu] = g->local[mu];
        part.first[mu] = g->position[mu] * g->local[mu];
    }
    return part;
}

static int64_t box_values(const box *part)
{
    int64_t count = part->components;
    for (int mu = 0; mu < part->dim; mu++) count *= part->count[mu];
    return count;
}

/* Bytes of one member in the file. */
static int64_t member_bytes(const box *part)
{
    int64_t bytes = part->components * (int64_t)sizeof(double);
    for (int mu = 0; mu < part->dim; mu++) bytes *= part->size[mu];
    return bytes;
}

/* ------------------------------------------------------------------------------------------------------ by itself */

/* Values of a part that follow each other in the file as they do in memory. */
static int64_t run_values(const box *part)
{
    int64_t values = part->components;
    for (int mu = 0; mu < part->dim; mu++) {
        values *= part->count[mu];
        if (part->count[mu] < part->size[mu]) break;
    }
    return values;
}

/* The same on all ranks, whose parts have the same extents. */
static bool has_long_runs(const box *part)
{
    int64_t run = run_values(part);
    return run == box_values(part) || run >= LONG_BYTES / (int64_t)sizeof(double);
}

/* Where in a member the values begin that are number `value` and following of the part. */
static int64_t run_offset(const box *part, int64_t value)
{
    int64_t offset = 0, stride = part->components * (int64_t)sizeof(double), rest = value / part->components;
    for (int mu = 0; mu < part->dim; mu++) {
        offset += (part->first[mu] + rest % part->count[mu]) * stride;
        rest /= part->count[mu];
        stride *= part->size[mu];
    }
    return offset;
}

/* Only a hint, so failures do not matter. */
static void send_to_disk(int descriptor, int64_t offset, int64_t bytes)
{
#ifdef SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(descriptor, offset, bytes, SYNC_FILE_RANGE_WRITE);
#else
    (void)descriptor, (void)offset, (void)bytes;
#endif
}

static void write_run(lat_h5 *file, int64_t offset, const double *values, int64_t bytes)
{
    for (int64_t done = 0; done < bytes && file->error.status == LAT_DONE; done += PART_BYTES) {
        int64_t n = bytes - done < PART_BYTES ? bytes - done : PART_BYTES;
        lat_h5_write(file, (const char *)values + done, n, offset + done);
        send_to_disk(file->descriptor, offset + done, n);
    }
}

static void transfer_alone(lat_h5 *file, const box *part, int64_t offset, double *values, bool write)
{
    const int64_t run = run_values(part), bytes = run * (int64_t)sizeof(double), all = box_values(part);
    for (int64_t value = 0; value < all && file->error.status == LAT_DONE; value += run) {
        int64_t at = offset + run_offset(part, value);
        if (write)
            write_run(file, at, values + value, bytes);
        else if (lat_read_at(file->descriptor, values + value, bytes, at) != bytes)
            lat_h5_cannot_read(file, errno);
    }
}

/* ------------------------------------------------------------------------------------------------------- together */

/* Numbers for, or from, each rank. */
typedef struct {
    int *count, *first;
    double *values;
} parcel;

/* A line is cut into segments, one per rank along the first direction. */
typedef struct {
    const lat_geometry *geometry;
    int segment;            /* numbers of one */
    int64_t line;           /* numbers of a line */
    int64_t lines, share;   /* of the field, of each rank but the last */
    int64_t round_lines, rounds;
    parcel field, disk;     /* what this rank holds of the lines, the lines whose share it has */
    double *buffer;         /* lines of one round, as the file has them */
} exchange;

static void parcel_create(parcel *p, int ranks, int64_t values)
{
    p->count = lat_alloc(ranks, sizeof *p->count);
    p->first = lat_alloc(ranks, sizeof *p->first);
    p->values = lat_alloc(values, sizeof *p->values);
}

static void parcel_free(parcel *p)
{
    free(p->count);
    free(p->first);
    free(p->values);
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static exchange exchange_create(const lat_geometry *g, const box *part)
{
    exchange e = {.geometry = g, .segment = (int)(part->count[0] * part->components), .lines = 1};
    e.line = part->size[0] * part->components;
    for (int mu = 1; mu < part->dim; mu++) e.lines *= part->size[mu];
    e.share = (e.lines + g->rank_count - 1) / g->rank_count;
    int64_t most = smaller(CHUNK_BYTES, BUDGET_BYTES / g->rank_count) / (e.line * (int64_t)sizeof(double));
    e.round_lines = smaller(most > 1 ? most : 1, e.share);
    e.rounds = (e.share + e.round_lines - 1) / e.round_lines;
    int64_t mine = smaller(box_values(part), e.round_lines * g->rank_count * e.segment);
    parcel_create(&e.field, g->rank_count, mine);
    parcel_create(&e.disk, g->rank_count, e.round_lines * e.line);
    e.buffer = lat_alloc(e.round_lines * e.line, sizeof *e.buffer);
    return e;
}

static void exchange_free(exchange *e)
{
    parcel_free(&e->field);
    parcel_free(&e->disk);
    free(e->buffer);
}

/* Of the share of a rank, the lines of a round: the first, and the number. */
static int64_t round_of(const exchange *e, int rank, int64_t round, int64_t *count)
{
    int64_t end = smaller(e->lines, (rank + 1) * e->share), first = rank * e->share + round * e->round_lines;
    *count = first < end ? smaller(e->round_lines, end - first) : 0;
    return first;
}

/* The rank that holds the first segment of a line; *place: which line it is of those which that rank holds. */
static int owner_of(const lat_geometry *g, int64_t line, int64_t *place)
{
    int64_t rank_stride = g->ranks[0], stride = 1;
    int rank = 0;
    *place = 0;
    for (int mu = 1; mu < g->dim; mu++) {
        int64_t c = line % g->size[mu];
        line /= g->size[mu];
        rank += (int)(c / g->local[mu] * rank_stride);
        *place += c % g->local[mu] * stride;
        rank_stride *= g->ranks[mu];
        stride *= g->local[mu];
    }
    return rank;
}

static void prefix(parcel *p, int ranks)
{
    for (int r = 0, sum = 0; r < ranks; sum += p->count[r++]) p->first[r] = sum;
}

/* How many numbers go from where to where in a round. */
static void count_round(exchange *e, int64_t round)
{
    const lat_geometry *g = e->geometry;
    const int here = g->rank - g->position[0];
    int64_t count, place, line = round_of(e, g->rank, round, &count);
    memset(e->disk.count, 0, (size_t)g->rank_count * sizeof *e->disk.count);
    for (int64_t end = line + count; line < end; line++)
        for (int i = 0, owner = owner_of(g, line, &place); i < g->ranks[0]; i++) e->disk.count[owner + i] += e->segment;
    for (int r = 0; r < g->rank_count; r++) {
        e->field.count[r] = 0;
        line = round_of(e, r, round, &count);
        for (int64_t end = line + count; line < end; line++)
            if (owner_of(g, line, &place) == here) e->field.count[r] += e->segment;
    }
    prefix(&e->disk, g->rank_count);
    prefix(&e->field, g->rank_count);
}

/* Between the field of this rank and its parcels, which have the lines in the order of the file. */
static void move_field(exchange *e, int64_t round, double *values, bool write)
{
    const lat_geometry *g = e->geometry;
    const size_t bytes = (size_t)e->segment * sizeof *values;
    double *packed = e->field.values;
    for (int r = 0; r < g->rank_count; r++) {
        int64_t count, place, line = round_of(e, r, round, &count);
        for (int64_t end = line + count; line < end; line++) {
            if (owner_of(g, line, &place) != g->rank - g->position[0]) continue;
            double *own = values + place * e->segment;
            memcpy(write ? packed : own, write ? own : packed, bytes);
            packed += e->segment;
        }
    }
}

/* Between the parcels of other ranks and whole lines.  Leaves `first` behind each. */
static void move_lines(exchange *e, int64_t round, bool write)
{
    const lat_geometry *g = e->geometry;
    const size_t bytes = (size_t)e->segment * sizeof(double);
    int64_t count, place, line = round_of(e, g->rank, round, &count);
    double *at = e->buffer;
    for (int64_t end = line + count; line < end; line++)
        for (int i = 0, owner = owner_of(g, line, &place); i < g->ranks[0]; i++, at += e->segment) {
            double *packed = e->disk.values + e->disk.first[owner + i];
            memcpy(write ? at : packed, write ? packed : at, bytes);
            e->disk.first[owner + i] += e->segment;
        }
    prefix(&e->disk, g->rank_count);
}

static void send_parcels(exchange *e, parcel *from, parcel *to)
{
    MPI_Alltoallv(from->values, from->count, from->first, MPI_DOUBLE, to->values, to->count, to->first, MPI_DOUBLE,
                  e->geometry->comm);
}

static void write_round(lat_h5 *file, exchange *e, int64_t round, int64_t offset, double *values)
{
    int64_t count, line = round_of(e, e->geometry->rank, round, &count), bytes = e->line * (int64_t)sizeof(double);
    move_field(e, round, values, true);
    send_parcels(e, &e->field, &e->disk);
    move_lines(e, round, true);
    lat_h5_write(file, e->buffer, count * bytes, offset + line * bytes);
    send_to_disk(file->descriptor, offset + line * bytes, count * bytes);
}

static void read_round(lat_h5 *file, exchange *e, int64_t round, int64_t offset, double *values)
{
    int64_t count, line = round_of(e, e->geometry->rank, round, &count), bytes = e->line * (int64_t)sizeof(double);
    if (lat_read_at(file->descriptor, e->buffer, count * bytes, offset + line * bytes) != count * bytes)
        lat_h5_cannot_read(file, errno);
    move_lines(e, round, false);
    send_parcels(e, &e->disk, &e->field);
    move_field(e, round, values, false);
}

static void transfer_together(lat_h5 *file, const lat_geometry *g, const box *part, int64_t offset, double *values,
                              bool write)
{
    exchange e = exchange_create(g, part);
    for (int64_t round = 0; round < e.rounds; round++) {
        count_round(&e, round);
        (write ? write_round : read_round)(file, &e, round, offset, values);
    }
    exchange_free(&e);
}

static void transfer(lat_h5 *file, const lat_geometry *g, const box *part, int64_t offset, double *values, bool write)
{
    if (has_long_runs(part))
        transfer_alone(file, part, offset, values, write);
    else
        transfer_together(file, g, part, offset, values, write);
}

/* ---------------------------------------------------------------------------------------------------- whole fields */

/* Extents of a field in the file, slowest first. */
static lat_h5_layout layout_of(const lat_field *field, int member)
{
    const lat_geometry *g = field->geometry;
    lat_h5_layout set = {0};
    if (member < 0) set.extent[set.rank++] = g->members;
    for (int mu = g->dim - 1; mu >= 0; mu--) set.extent[set.rank++] = g->size[mu];
    set.extent[set.rank++] = field->components;
    return set;
}

static bool all_finite(const double *values, int64_t count)
{
    int64_t bad = 0;
    for (int64_t i = 0; i < count; i++) bad += !(fabs(values[i]) <= DBL_MAX);
    return bad == 0;
}

void lat_h5_put_field(lat_h5 *file, const char *name, const lat_field *field, int member)
{
    if (file->error.status != LAT_DONE) return;
    const lat_geometry *g = field->geometry;
    lat_h5_layout set = layout_of(field, member);
    const box part = box_of(field);
    const int64_t count = box_values(&part);
    const int members = member < 0 ? g->members : 1;
    if (file->rank == 0) lat_h5_dataset_create(file, name, &set);
    if (!lat_h5_settled(file)) return;
    MPI_Bcast(&set.offset, 1, MPI_INT64_T, 0, file->comm);
    double *values = lat_alloc(count, sizeof *values);
    for (int m = 0; m < members; m++) {
        lat_field_get_local(field, member < 0 ? m : member, values);
        if (!all_finite(values, count))
            lat_fail(&file->error, LAT_NUMERICAL, "%s: '%s' holds numbers that are not finite: not written", file->path,
                     name);
        transfer(file, g, &part, set.offset + m * member_bytes(&part), values, true);
    }
    free(values);
    lat_h5_settled(file);
}

static void print_extents(char *text, size_t size, const lat_h5_layout *set)
{
    size_t n = 0;
    text[0] = 0;
    for (int i = 0; i < set->rank && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%lld", i ? " x " : "", (long long)set->extent[i]);
}

static bool same_extents(lat_h5 *file, const char *name, const lat_h5_layout *found, const lat_h5_layout *needed)
{
    char there[160], here[160];
    if (found->rank == needed->rank && memcmp(found->extent, needed->extent, sizeof found->extent) == 0) return true;
    print_extents(there, sizeof there, found);
    print_extents(here, sizeof here, needed);
    lat_h5_refuse(file,
                  "'%s' is %s and %s is needed ([member] [t] [z] y x number): it belongs to another lattice or group",
                  name, there, here);
    return false;
}

void lat_h5_get_field(lat_h5 *file, const char *name, lat_field *field, int member)
{
    lat_h5_layout set, needed = layout_of(field, member);
    const box part = box_of(field);
    if (!lat_h5_dataset_find(file, name, &set) || !same_extents(file, name, &set, &needed)) return;
    int members = member < 0 ? field->geometry->members : 1;
    int64_t count = box_values(&part);
    double *values = lat_alloc(count, sizeof *values);
    for (int m = 0; m < members; m++) {
        transfer(file, field->geometry, &part, set.offset + m * member_bytes(&part), values, false);
        if (file->error.status == LAT_DONE && !all_finite(values, count))
            lat_h5_refuse(file, "'%s' holds numbers that are not finite", name);
        if (file->error.status == LAT_DONE) lat_field_set_local(field, member < 0 ? m : member, values);
    }
    free(values);
    lat_h5_settled(file);
}
