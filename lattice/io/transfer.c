/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * transfer.c: between the matrices of a file, in whatever order, and a field that is spread over ranks and lanes.
 *
 * Each rank takes a contiguous share of the file and works through it in chunks, all ranks side by side.  For each
 * chunk it tells the owners of the links which numbers of their fields are meant, and gets them, or sends them.  So the
 * disk sees long contiguous requests, the checksums are computed by whoever has the bytes, memory is bounded, and the
 * bytes cannot depend on the number of ranks.
 */
#define _GNU_SOURCE
#include "lattice/io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_BYTES = 9 << 16,  /* fits in cache with its copies and the part of the field that it belongs to */
    BUDGET_BYTES = 1 << 24, /* what one rank may receive at a time, from all the others */
    MOST_PIECES = 16,
    SYNC_ROUNDS = 32,
};

/* Places and numbers of the links of a chunk, on one of the two sides. */
typedef struct {
    int *count, *first; /* [ranks]: links for, or from, each rank */
    int64_t links;
    int64_t *where; /* index of the first number of each link in the field of its owner */
    double *reals;
} side;

struct lat_transfer {
    const lat_matrix_format *format;
    lat_matrices matrices;
    lat_field *links;
    lat_group group;
    MPI_Datatype link_type;
    int ranks, reals; /* reals of a link */
    /* Of a site with coordinate c in direction mu: what it adds to the number of its owner, and to the index there. */
    int64_t *owner[LAT_MAX_DIM], *place[LAT_MAX_DIM];
    int64_t unit_bytes, piece_units, rounds;
    int64_t begin, end; /* this rank's share, in units */
    int pieces;         /* of a chunk: as many parts of the share, so that the lanes of a site are met together */
    int64_t stride;     /* from one part to the next */
    side near, far;     /* this rank as the one that has the bytes, and as the owner */
    int64_t far_room;
    int *rank_of, *at; /* of each link of a chunk: its owner, its place in near */
    int64_t *index;    /* and in the field of the owner */
    uint8_t *bytes;
    lat_text_numbers *text; /* where the numbers of the pieces come from if they are text */
    uint64_t hash; /* of all that this rank wrote */
};

/* ------------------------------------------------------------------------------------------------------------ setup */

/* The number of a rank, the site in its table and the lane are sums of contributions of the directions. */
static void tabulate(lat_transfer *t)
{
    const lat_geometry *g = t->links->geometry;
    int64_t rank_stride = 1, site_stride = 1, block_stride = 1;
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        t->owner[mu] = lat_alloc(g->size[mu], sizeof(int64_t));
        t->place[mu] = lat_alloc(g->size[mu], sizeof(int64_t));
        for (int64_t c = 0; c < g->size[mu]; c++) {
            int64_t local = c % g->local[mu];
            t->owner[mu][c] = c / g->local[mu] * rank_stride;
            t->place[mu][c] = local % g->block[mu] * site_stride * t->links->components * g->lanes +
                              local / g->block[mu] * block_stride * g->members;
        }
        rank_stride *= g->ranks[mu];
        site_stride *= g->block[mu];
        block_stride *= g->lane_grid[mu];
    }
}

static void side_create(side *s, int ranks, int64_t links, int reals)
{
    s->count = lat_alloc(ranks, sizeof *s->count);
    s->first = lat_alloc(ranks, sizeof *s->first);
    s->where = lat_alloc(links, sizeof *s->where);
    s->reals = lat_alloc(links * reals, sizeof *s->reals);
}

static void side_free(side *s)
{
    free(s->count);
    free(s->first);
    free(s->where);
    free(s->reals);
}

/* t is the slowest direction of all formats: blocks of lanes in t are parts of the file that are far apart. */
static void divide(lat_transfer *t, int64_t units)
{
    const lat_geometry *g = t->links->geometry;
    int64_t chunk = CHUNK_BYTES < BUDGET_BYTES / t->ranks ? CHUNK_BYTES : BUDGET_BYTES / t->ranks;
    int64_t share = (units + t->ranks - 1) / t->ranks, slowest = g->lane_grid[LAT_MAX_DIM - 1];
    t->unit_bytes = lat_unit_bytes(t->format, &t->matrices);
    t->pieces = (int)(slowest < MOST_PIECES ? slowest : MOST_PIECES);
    t->piece_units = chunk > t->unit_bytes * t->pieces ? chunk / t->unit_bytes / t->pieces : 1;
    t->stride = (share + t->pieces - 1) / t->pieces;
    t->begin = g->rank * share < units ? g->rank * share : units;
    t->end = units - t->begin < share ? units : t->begin + share;
    t->rounds = (t->stride + t->piece_units - 1) / t->piece_units;
}

lat_transfer *lat_transfer_create(const lat_matrix_format *format, const lat_matrices *matrices, lat_gauge *gauge)
{
    lat_transfer *t = lat_alloc(1, sizeof *t);
    int64_t units = 0;
    *t = (lat_transfer){
        .format = format, .matrices = *matrices, .links = gauge->links, .group = gauge->group, .ranks = gauge->links->geometry->rank_count};
    t->reals = lat_link_reals(gauge->group);
    lat_unit_count(format, matrices, &units);
    divide(t, units);
    tabulate(t);
    int64_t most = t->pieces * t->piece_units * format->unit_links;
    side_create(&t->near, t->ranks, most, t->reals);
    side_create(&t->far, t->ranks, 0, t->reals);
    t->rank_of = lat_alloc(most, sizeof *t->rank_of);
    t->at = lat_alloc(most, sizeof *t->at);
    t->index = lat_alloc(most, sizeof *t->index);
    t->bytes = lat_alloc(t->pieces * t->piece_units * t->unit_bytes, 1);
    MPI_Type_contiguous(t->reals, MPI_DOUBLE, &t->link_type);
    MPI_Type_commit(&t->link_type);
    return t;
}

void lat_transfer_free(lat_transfer *t)
{
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        free(t->owner[mu]);
        free(t->place[mu]);
    }
    side_free(&t->near);
    side_free(&t->far);
    free(t->rank_of);
    free(t->at);
    free(t->index);
    free(t->bytes);
    lat_text_close(t->text);
    MPI_Type_free(&t->link_type);
    free(t);
}

/* ------------------------------------------------------------------------------------------------ comparison of bytes */

enum { HASH_WAYS = 8, HASH_BYTES = 8 * HASH_WAYS };
static inline void hash_block(uint64_t h[HASH_WAYS], const uint8_t *bytes)
{
    for (int k = 0; k < HASH_WAYS; k++) {
        uint64_t word;
        memcpy(&word, bytes + 8 * k, sizeof word);
        h[k] = (h[k] ^ word) * 0x9e3779b97f4a7c15ull;
        h[k] ^= h[k] >> 32;
    }
}

/* Interleaved multiplicative hashes of words: as fast as memory, and every bit and place counts. */
static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, int64_t size)
{
    uint8_t last[HASH_BYTES] = {0};
    uint64_t h[HASH_WAYS];
    int64_t whole = size / HASH_BYTES * HASH_BYTES;
    for (int k = 0; k < HASH_WAYS; k++) h[k] = hash + (uint64_t)k;
    for (int64_t i = 0; i < whole; i += HASH_BYTES) hash_block(h, bytes + i);
    memcpy(last, bytes + whole, (size_t)(size - whole));
    hash_block(h, last);
    for (int k = 0; k < HASH_WAYS; k++) hash = hash * 3 + h[k];
    return hash;
}

/* ----------------------------------------------------------------------------------------------- numbers and fields */

/* The usual case is one member of doubles. */
static void set_links(const lat_transfer *t, void *numbers, const int64_t *where, const double *reals, int64_t count)
{
    const lat_geometry *g = t->links->geometry;
    const int64_t lanes = g->lanes;
    const int n = t->reals, members = g->members;
    if (t->links->precision == LAT_FLOAT) {
        float *data = numbers;
        for (int64_t i = 0; i < count; i++)
            for (int c = 0; c < n; c++)
                for (int m = 0; m < members; m++) data[where[i] + c * lanes + m] = (float)reals[i * n + c];
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        double *to = (double *)numbers + where[i];
        for (int c = 0; c < n; c++) to[c * lanes] = reals[i * n + c];
        for (int m = 1; m < members; m++)
            for (int c = 0; c < n; c++) to[c * lanes + m] = reals[i * n + c];
    }
}

static void get_links(const lat_transfer *t, const void *numbers, const int64_t *where, int member, int64_t count,
                      double *reals)
{
    const int64_t lanes = t->links->geometry->lanes;
    const int n = t->reals;
    if (t->links->precision == LAT_FLOAT) {
        const float *data = (const float *)numbers + member;
        for (int64_t i = 0; i < count; i++)
            for (int c = 0; c < n; c++) reals[i * n + c] = data[where[i] + c * lanes];
        return;
    }
    const double *data = (const double *)numbers + member;
    for (int64_t i = 0; i < count; i++)
        for (int c = 0; c < n; c++) reals[i * n + c] = data[where[i] + c * lanes];
}

/* ---------------------------------------------------------------------------------------------------- between ranks */

static int64_t prefix(side *s, int ranks)
{
    s->links = 0;
    for (int r = 0; r < ranks; r++) {
        s->first[r] = (int)s->links;
        s->links += s->count[r];
    }
    return s->links;
}

/* This rank's piece of a round: its first unit, and the number of units. */
static int64_t piece_of(const lat_transfer *t, int64_t round, int piece, int64_t *units)
{
    int64_t first = t->begin + piece * t->stride + round * t->piece_units;
    int64_t end = t->begin + (piece + 1) * t->stride < t->end ? t->begin + (piece + 1) * t->stride : t->end;
    *units = end - first < 0 ? 0 : end - first < t->piece_units ? end - first : t->piece_units;
    return first;
}

/* Owner of each link from number n on, and its index there. */
static int64_t locate_piece(lat_transfer *t, int64_t first, int64_t units, int64_t n)
{
    const int per_unit = t->format->unit_links;
    const int64_t lanes = t->links->geometry->lanes;
    for (int64_t u = 0; u < units; u++) {
        lat_place place[LAT_MOST_UNIT];
        int64_t owner = 0, base = 0;
        t->format->locate(t->matrices.size, first + u, place);
        for (int i = 0; i < per_unit; i++, n++) {
            if (i == 0 || !t->format->site_units) {
                owner = base = 0;
                for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
                    owner += t->owner[mu][place[i].coordinate[mu]];
                    base += t->place[mu][place[i].coordinate[mu]];
                }
            }
            t->rank_of[n] = (int)owner;
            t->near.count[owner]++;
            t->index[n] = base + place[i].direction * t->reals * lanes;
        }
    }
    return n;
}

/* Sorts the links of a chunk by their owners. */
static void address(lat_transfer *t, int64_t round)
{
    int64_t n = 0;
    memset(t->near.count, 0, (size_t)t->ranks * sizeof *t->near.count);
    for (int piece = 0; piece < t->pieces; piece++) {
        int64_t units, first = piece_of(t, round, piece, &units);
        n = locate_piece(t, first, units, n);
    }
    prefix(&t->near, t->ranks);
    for (int64_t i = 0; i < n; i++) {
        t->at[i] = t->near.first[t->rank_of[i]]++;
        t->near.where[t->at[i]] = t->index[i];
    }
    prefix(&t->near, t->ranks);
}

/* Alone, a rank is its own other side. */
static side *meet(lat_transfer *t)
{
    if (t->ranks == 1) return &t->near;
    MPI_Comm comm = t->links->geometry->comm;
    MPI_Alltoall(t->near.count, 1, MPI_INT, t->far.count, 1, MPI_INT, comm);
    if (prefix(&t->far, t->ranks) > t->far_room) {
        t->far_room = t->far.links;
        free(t->far.where);
        free(t->far.reals);
        t->far.where = lat_alloc(t->far_room, sizeof *t->far.where);
        t->far.reals = lat_alloc(t->far_room * t->reals, sizeof *t->far.reals);
    }
    MPI_Alltoallv(t->near.where, t->near.count, t->near.first, MPI_INT64_T, t->far.where, t->far.count, t->far.first,
                  MPI_INT64_T, comm);
    return &t->far;
}

static void send_links(lat_transfer *t, const side *from, side *to)
{
    if (t->ranks > 1)
        MPI_Alltoallv(from->reals, from->count, from->first, t->link_type, to->reals, to->count, to->first,
                      t->link_type, t->links->geometry->comm);
}

/* -------------------------------------------------------------------------------------------------------- the whole */

static int64_t position(const lat_transfer *t, int64_t unit) { return t->matrices.offset + unit * t->unit_bytes; }

static void combine(const lat_transfer *t, uint32_t sum[2])
{
    MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_UINT32_T, t->format->add ? MPI_SUM : MPI_BXOR, t->links->geometry->comm);
}

static void read_piece(lat_transfer *t, const char *path, int descriptor, int64_t first, int64_t size, uint8_t *bytes,
                       lat_error *error)
{
    if (lat_read_at(descriptor, bytes, size, position(t, first)) == size) return;
    memset(bytes, 0, (size_t)size);
    lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the disk", path,
             errno ? strerror(errno) : "it ended early");
}

/* The pieces of all rounds follow each other. */
static void open_text(lat_transfer *t, const char *path, int descriptor, lat_error *error)
{
    int64_t first[MOST_PIECES];
    for (int piece = 0; piece < t->pieces; piece++) {
        int64_t units, unit = piece_of(t, 0, piece, &units);
        first[piece] = (unit < t->end ? unit : t->end) * (t->unit_bytes / (int64_t)sizeof(double));
    }
    t->text = lat_text_open(t->links->geometry->comm, path, descriptor, t->matrices.text, first, t->pieces, error);
}

/* The bytes of a chunk, and their contribution to the checksums. */
static void read_chunk(lat_transfer *t, const char *path, int descriptor, int64_t round, uint32_t sum[2],
                       lat_error *error)
{
    uint8_t *bytes = t->bytes;
    for (int piece = 0; piece < t->pieces; piece++) {
        int64_t units, first = piece_of(t, round, piece, &units), size = units * t->unit_bytes;
        if (t->text)
            lat_text_read(t->text, piece, size / (int64_t)sizeof(double), bytes, error);
        else
            read_piece(t, path, descriptor, first, size, bytes, error);
        if (t->format->checksum) t->format->checksum(&t->matrices, bytes, first, units, sum);
        bytes += size;
    }
}

static void write_chunk(lat_transfer *t, const char *path, int descriptor, int64_t round, uint32_t sum[2],
                        lat_error *error)
{
    const uint8_t *bytes = t->bytes;
    for (int piece = 0; piece < t->pieces; piece++) {
        int64_t units, first = piece_of(t, round, piece, &units), size = units * t->unit_bytes;
        if (t->format->checksum) t->format->checksum(&t->matrices, bytes, first, units, sum);
        t->hash = hash_bytes(t->hash, bytes, size);
        if (error->status == LAT_DONE && lat_write_at(descriptor, bytes, size, position(t, first)) != size)
            lat_fail(error, LAT_FILE, "%s: cannot be written: %s: check the room on the disk", path, strerror(errno));
        bytes += size;
    }
}

/* What some rounds have written begins its way to the disk, while more is computed.  Only a hint, so failures do not
 * matter. */
static void send_to_disk(const lat_transfer *t, int descriptor, int64_t first_round, int64_t last_round)
{
#ifdef SYNC_FILE_RANGE_WRITE
    for (int piece = 0; piece < t->pieces; piece++) {
        int64_t units, first = piece_of(t, first_round, piece, &units), last = piece_of(t, last_round, piece, &units);
        last += units;
        if (last > first)
            (void)sync_file_range(descriptor, position(t, first), (last - first) * t->unit_bytes,
                                  SYNC_FILE_RANGE_WRITE);
    }
#else
    (void)t, (void)descriptor, (void)first_round, (void)last_round;
#endif
}

void lat_transfer_read(lat_transfer *t, const char *path, int descriptor, uint32_t sum[2], lat_error *error)
{
    const int64_t link_bytes = t->unit_bytes / t->format->unit_links;
    void *numbers = lat_field_map(t->links, LAT_CHANGE);
    sum[0] = sum[1] = 0;
    if (t->matrices.text) open_text(t, path, descriptor, error);
    for (int64_t round = 0; round < t->rounds; round++) {
        read_chunk(t, path, descriptor, round, sum, error);
        address(t, round);
        for (int64_t n = 0; n < t->near.links; n++)
            lat_link_of_bytes(&t->matrices, t->bytes + n * link_bytes, t->near.reals + (int64_t)t->at[n] * t->reals);
        side *far = meet(t);
        send_links(t, &t->near, far);
        set_links(t, numbers, far->where, far->reals, far->links);
    }
    lat_field_unmap(t->links, numbers, LAT_CHANGE);
    combine(t, sum);
    lat_agree(t->links->geometry->comm, error);
}

void lat_transfer_write(lat_transfer *t, const char *path, int descriptor, int member, uint32_t sum[2],
                        lat_error *error)
{
    const int64_t link_bytes = t->unit_bytes / t->format->unit_links;
    void *numbers = lat_field_map(t->links, LAT_READ);
    sum[0] = sum[1] = 0;
    t->hash = 0;
    for (int64_t round = 0; round < t->rounds; round++) {
        address(t, round);
        side *far = meet(t);
        get_links(t, numbers, far->where, member, far->links, far->reals);
        send_links(t, far, &t->near);
        for (int64_t n = 0; n < t->near.links; n++)
            lat_bytes_of_link(&t->matrices, t->near.reals + (int64_t)t->at[n] * t->reals, t->bytes + n * link_bytes);
        write_chunk(t, path, descriptor, round, sum, error);
        if ((round + 1) % SYNC_ROUNDS == 0 || round + 1 == t->rounds)
            send_to_disk(t, descriptor, round / SYNC_ROUNDS * SYNC_ROUNDS, round);
    }
    lat_field_unmap(t->links, numbers, LAT_READ);
    combine(t, sum);
    lat_agree(t->links->geometry->comm, error);
}

void lat_transfer_check(lat_transfer *t, const char *path, int descriptor, lat_error *error)
{
    uint64_t hash = 0;
    for (int64_t round = 0; round < t->rounds; round++)
        for (int piece = 0; piece < t->pieces; piece++) {
            int64_t units, first = piece_of(t, round, piece, &units), size = units * t->unit_bytes;
            read_piece(t, path, descriptor, first, size, t->bytes, error);
            hash = hash_bytes(hash, t->bytes, size);
        }
    if (hash != t->hash) lat_fail(error, LAT_FILE, "%s: reads back other than it was written: check the disk", path);
    lat_agree(t->links->geometry->comm, error);
}
