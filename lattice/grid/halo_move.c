/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo_move.c: numbers on their way between block, halo and buffers of messages.  Where all lanes are on their way, and where the
 * host does not see the memory, kernels move them.
 */
#include "lattice/grid/halo_move.h"

#include "lattice/grid/kernels.h"

#include <stdatomic.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------------------------- buffers */

halo_buffer lat_halo_buffer(const lat_geometry *g, int64_t bytes)
{
    halo_buffer buffer = {.memory = g->backend->allocate(bytes)};
    if (!g->backend->messages) buffer.staged = g->backend->allocate_staging(bytes);
    return buffer;
}

void lat_halo_buffer_free(const lat_geometry *g, halo_buffer *buffer)
{
    g->backend->release(buffer->memory);
    g->backend->release_staging(buffer->staged);
    *buffer = (halo_buffer){0};
}

void lat_halo_check_size(int64_t bytes)
{
    if (bytes > INT32_MAX) lat_abort(LAT_CONFIG, "halo: a message of %lld bytes: use more ranks", (long long)bytes);
}

char *lat_halo_message(const halo_buffer *buffer) { return buffer->staged ? buffer->staged : buffer->memory; }

/* ------------------------------------------------------------------------------------------------------------- places */

size_t lat_halo_real_bytes(const lat_field *f) { return f->precision == LAT_FLOAT ? sizeof(float) : sizeof(double); }

static int64_t row_of(const lat_field *f, int64_t site, int component)
{
    return (site * f->components + component) * f->geometry->lanes;
}

char *lat_halo_row(const lat_field *f, int first, int64_t site)
{
    return (char *)f->data + (size_t)row_of(f, site, first) * lat_halo_real_bytes(f);
}

static size_t row_bytes(const lat_field *f, const lat_run *run)
{
    return (size_t)run->count * (size_t)f->geometry->lanes * lat_halo_real_bytes(f);
}

int64_t lat_halo_part_bytes(const lat_field *f, const halo_part *p, const halo_cut *cut)
{
    return cut->sites * cut->components * p->lanes * (int64_t)lat_halo_real_bytes(f);
}

halo_cut lat_halo_cut_all(const lat_field *f, const halo_plan *plan, const halo_region *region)
{
    return (halo_cut){.block = plan->block + region->first_pair, .first_halo = region->first_halo, .sites = region->sites,
                      .runs = 1, .components = f->components, .run = {{0, f->components}}};
}

static const lat_halo_pair *pair_of(const halo_cut *cut, const lat_run *run) { return cut->pair ? cut->pair + run->first : NULL; }

static int64_t halo_site(const halo_cut *cut, int64_t i) { return cut->halo ? cut->halo[i] : cut->first_halo + i; }

/* Where the numbering of the halo sites of a cut begins. */
static char *halo_rows(const lat_field *f, const halo_cut *cut, const lat_run *run)
{
    return lat_halo_row(f, run->first, cut->halo ? 0 : cut->first_halo);
}

static bool on_host(const lat_field *f) { return f->geometry->backend->on_host; }

/* --------------------------------------------------------------------------------------------------- whole rows of lanes */

/* A halo that would not stay in the caches anyway is written past them, and so are buffers, which are read by another
 * core or by the network: it need not ask this one for them. */
static bool streams(const lat_field *f)
{
    const int64_t cached_bytes = 1 << 24;
    return row_of(f, f->geometry->all_sites, 0) * (int64_t)lat_halo_real_bytes(f) > cached_bytes;
}

static void copy_rows(const lat_field *f, const lat_run *run, int64_t sites, halo_copy_args args, lat_stream stream)
{
    args.t = lat_tables_of(f->geometry);
    args.from = lat_halo_row(f, run->first, 0);
    args.components = run->count;
    args.from_components = f->components;
    lat_range range = {.count = sites, .lanes = f->geometry->lanes, .stream = stream};
    lat_field_kernels_of(f)->halo_copy(&args, &range);
    if (args.stream) atomic_thread_fence(memory_order_seq_cst);
}

void lat_halo_copy(lat_field *f, const halo_cut *cut, const int64_t *source, const int *lane, lat_stream stream)
{
    for (int r = 0; r < cut->runs; r++) {
        const lat_run *run = &cut->run[r];
        halo_copy_args args = {.to = halo_rows(f, cut, run), .target = cut->halo, .source = source, .lane = lane,
                               .pair = pair_of(cut, run), .to_components = f->components, .stream = streams(f)};
        copy_rows(f, run, cut->sites, args, stream);
    }
}

/* -------------------------------------------------------------------------------------------------------- single lanes */

static halo_end end_in_block(const lat_field *f, const halo_part *p, const halo_cut *cut, const lat_run *run)
{
    return (halo_end){lat_halo_row(f, run->first, 0), cut->block, p->from, f->components, f->geometry->lanes};
}

static halo_end end_in_halo(const lat_field *f, const halo_part *p, const halo_cut *cut, const lat_run *run)
{
    return (halo_end){halo_rows(f, cut, run), cut->halo, p->to, f->components, f->geometry->lanes};
}

static halo_end end_in_buffer(const halo_part *p, const lat_run *run, const char *buffer)
{
    return (halo_end){(char *)buffer, NULL, NULL, run->count, p->lanes};
}

/* Of all lanes of a part, in a memory that the host does not see. */
static void move_lanes(const lat_field *f, const halo_part *p, const halo_cut *cut, const lat_run *run, halo_move_args args, lat_stream stream)
{
    args.t = lat_tables_of(f->geometry);
    args.components = run->count;
    lat_range range = {.count = cut->sites, .lanes = p->lanes, .stream = stream};
    lat_field_kernels_of(f)->halo_move(&args, &range);
}

/* The moves of the host differ in what lies at either end; size is a constant at every call, so that memcpy is a register
 * move. */
static inline __attribute__((always_inline)) void pack_sites(const lat_field *f, const halo_part *p, const halo_cut *cut, const lat_run *run,
                                                             bool from_halo, char *to, size_t size)
{
    const int *lane = from_halo ? p->to : p->from;
    const char *data = f->data;
    for (int64_t i = 0; i < cut->sites; i++)
        for (int c = run->first; c < run->first + run->count; c++) {
            const char *row = data + (size_t)row_of(f, from_halo ? halo_site(cut, i) : cut->block[i], c) * size;
            for (int l = 0; l < p->lanes; l++, to += size) memcpy(to, row + (size_t)lane[l] * size, size);
        }
}

static inline __attribute__((always_inline)) void unpack_sites(lat_field *f, const halo_part *p, const halo_cut *cut, const lat_run *run,
                                                               const char *from, size_t size)
{
    char *data = f->data;
    for (int64_t i = 0; i < cut->sites; i++)
        for (int c = run->first; c < run->first + run->count; c++) {
            char *row = data + (size_t)row_of(f, halo_site(cut, i), c) * size;
            for (int l = 0; l < p->lanes; l++, from += size) memcpy(row + (size_t)p->to[l] * size, from, size);
        }
}

/* From a buffer, or from the halo sites themselves. */
static inline __attribute__((always_inline)) void add_sites(const lat_field *f, const halo_part *p, const halo_cut *cut, const char *buffer,
                                                            bool wide)
{
    const size_t size = wide ? sizeof(double) : sizeof(float);
    for (int64_t i = 0; i < cut->sites; i++)
        for (int c = 0; c < f->components; c++) {
            void *owner = (char *)f->data + (size_t)row_of(f, cut->block[i], c) * size;
            const void *row = buffer ? buffer : (const char *)f->data + (size_t)row_of(f, halo_site(cut, i), c) * size;
            for (int l = 0; l < p->lanes; l++) {
                int from = buffer ? l : p->to[l], to = p->from[l];
                if (wide)
                    ((double *)owner)[to] += ((const double *)row)[from];
                else
                    ((float *)owner)[to] += ((const float *)row)[from];
            }
            if (buffer) buffer += (size_t)p->lanes * size;
        }
}

/* Sums of two.  Those of floats, taken in double, are rounded once. */
static void pack_pairs(const lat_field *f, const halo_part *p, const halo_cut *cut, const lat_run *run, char *to)
{
    for (int64_t i = 0; i < cut->sites; i++)
        for (int c = run->first; c < run->first + run->count; c++) {
            int64_t row = row_of(f, cut->block[i], c), other = row + (int64_t)cut->pair[c].further * f->geometry->lanes;
            for (int l = 0; l < p->lanes; l++, to += lat_halo_real_bytes(f)) {
                int lane = p->from[l];
                double sum = lat_real_at(f, f->data, row + lane) + cut->pair[c].factor * lat_real_at(f, f->data, other + lane);
                float single = (float)sum;
                memcpy(to, f->precision == LAT_FLOAT ? (void *)&single : (void *)&sum, lat_halo_real_bytes(f));
            }
        }
}

static void pack(const lat_field *f, const halo_part *p, const halo_cut *cut, const lat_run *run, bool from_halo, char *to)
{
    if (f->precision == LAT_FLOAT)
        pack_sites(f, p, cut, run, from_halo, to, sizeof(float));
    else
        pack_sites(f, p, cut, run, from_halo, to, sizeof(double));
}

/* ------------------------------------------------------------------------------------------------------- whole parts */

void lat_halo_pack_block(const lat_field *f, const halo_part *p, const halo_cut *cut, char *to)
{
    for (int r = 0; r < cut->runs; r++) {
        const lat_run *run = &cut->run[r];
        if (p->whole) {
            halo_copy_args args = {.to = to, .source = cut->block, .lane = p->origin, .pair = pair_of(cut, run), .to_components = run->count,
                                   .stream = true};
            copy_rows(f, run, cut->sites, args, LAT_SIDE);
        } else if (!on_host(f)) {
            halo_move_args args = {.to = end_in_buffer(p, run, to), .from = end_in_block(f, p, cut, run), .pair = pair_of(cut, run)};
            move_lanes(f, p, cut, run, args, LAT_SIDE);
        } else if (cut->pair) {
            pack_pairs(f, p, cut, run, to);
        } else {
            pack(f, p, cut, run, false, to);
        }
        to += cut->sites * run->count * p->lanes * (int64_t)lat_halo_real_bytes(f);
    }
}

void lat_halo_unpack(lat_field *f, const halo_part *p, const halo_cut *cut, const char *from)
{
    for (int r = 0; r < cut->runs; r++) {
        const lat_run *run = &cut->run[r];
        const int64_t bytes = cut->sites * run->count * p->lanes * (int64_t)lat_halo_real_bytes(f);
        if (!on_host(f)) {
            halo_move_args args = {.to = end_in_halo(f, p, cut, run), .from = end_in_buffer(p, run, from)};
            move_lanes(f, p, cut, run, args, LAT_SIDE);
        } else if (p->whole) {
            for (int64_t i = 0; i < cut->sites; i++)
                memcpy(lat_halo_row(f, run->first, halo_site(cut, i)), from + (size_t)i * row_bytes(f, run), row_bytes(f, run));
        } else if (f->precision == LAT_FLOAT) {
            unpack_sites(f, p, cut, run, from, sizeof(float));
        } else {
            unpack_sites(f, p, cut, run, from, sizeof(double));
        }
        from += bytes;
    }
}

void lat_halo_pack_halo(const lat_field *f, const halo_part *p, const halo_cut *cut, char *to)
{
    if (on_host(f)) {
        pack(f, p, cut, cut->run, true, to);
    } else {
        halo_move_args args = {.to = end_in_buffer(p, cut->run, to), .from = end_in_halo(f, p, cut, cut->run)};
        move_lanes(f, p, cut, cut->run, args, LAT_MAIN);
    }
}

void lat_halo_add(const lat_field *f, const halo_part *p, const halo_cut *cut, const char *buffer)
{
    if (!on_host(f)) {
        halo_move_args args = {.to = end_in_block(f, p, cut, cut->run), .add = true};
        args.from = buffer ? end_in_buffer(p, cut->run, buffer) : end_in_halo(f, p, cut, cut->run);
        move_lanes(f, p, cut, cut->run, args, LAT_MAIN);
    } else if (f->precision == LAT_FLOAT) {
        add_sites(f, p, cut, buffer, false);
    } else {
        add_sites(f, p, cut, buffer, true);
    }
}
