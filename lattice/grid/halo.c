/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo.c: filling the halo of a field, and the adjoint operation.
 *
 * A region of the halo is named by its offset o in {-1, 0, 1}^dim from the block.  Its sites are copies of sites of the
 * block that lies o further in the grid of lanes, and where that grid ends, of the rank next door: then it comes by
 * message, one message per displacement c of the rank grid, whatever regions and lanes it feeds.  A displacement that
 * leads back to this rank is a local copy.  All ranks are alike, so what a rank receives from the rank at +c it sends
 * to the rank at -c, in the same order: one list serves both.  One tag per c keeps the two sides of a periodic
 * direction with two ranks apart.
 *
 * Where lanes and ranks divide the lattice in different directions, what is found around a corner is in a message
 * already, in another lane of a face.  So a message that fills the halo brings the region at o = c alone, and what else lies
 * beyond the rank is copied from there, late.  The adjoint adds every region where it belongs, in one step.
 */
#include "lattice/grid/kernels.h"
#include "lattice/grid/geometry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { DISPLACEMENTS = 81 }; /* {-1, 0, 1}^4; the middle one is no displacement */
enum { HERE = DISPLACEMENTS / 2 };

/* Pairs of a halo site and the site of the block that it copies, in ascending order. */
typedef struct {
    int64_t sites;
    int64_t *halo, *block; /* where kernels find them, once all is planned */
    int64_t first_halo, first_block;
    bool consecutive; /* the sites of the block follow each other */
} pairs;
typedef struct {
    int offset[LAT_MAX_DIM];
    pairs all, parity[2]; /* parity: of the sum of coordinates */
} region;

typedef struct {
    const region *region;
    int lanes;
    int *to, *from; /* [lanes]: lane of the halo site, lane of the block that owns it */
    int *origin;    /* [lanes of the geometry]: from, by lane of the halo site; -1 in lanes of other parts */
    bool whole;     /* all lanes are in this part */
    bool plain;     /* and each comes from the same lane next door */
    bool late;
    int *late_lane; /* in place of origin there, and the sites of the halo that hold the same: */
    int64_t *late_all, *late_parity[2];
} part;

typedef struct {
    int parts;
    part *part;
    int64_t values; /* (site, lane) pairs in all parts */
    int source, destination; /* ranks */
} message;

/* The lists of a geometry; they do not depend on the field. */
typedef struct {
    region region[DISPLACEMENTS];
    message message[DISPLACEMENTS];
    const part *face[DISPLACEMENTS]; /* of message c, the part at the offset o = c; NULL: no such message */
} halo_plan;

/* What is exchanged of a field: components first ... first + count - 1; of links in direction mu those that staples
 * need; sites of one parity (parity < 0: all). */
typedef struct {
    int first, count, mu, parity;
} selection;
enum {
    WHOLE = -1,   /* in place of mu: whatever the halo holds */
    STAPLES = -2, /* links in all directions, count components each, where staples need them */
};

/* The same for one region: which of its sites, and of each of them some runs of components. */
typedef struct {
    int first, count;
} run;
typedef struct {
    const pairs *pairs;
    int64_t sites;
    int parity;
    int runs, components; /* components: of all runs */
    run run[LAT_MAX_DIM];
} choice;

/* One exchange: the buffers and persistent requests for a number of bytes per site and lane. */
typedef struct exchange {
    struct exchange *next;
    size_t bytes; /* components of the selection * size of a real */
    int mu, parity;
    int size[DISPLACEMENTS]; /* of the messages */
    /* Messages that need no order of their own: all components of the sites of a region in all lanes.  They are received
     * into the halo, and sent from the block where the sites follow each other there. */
    bool receive_plain[DISPLACEMENTS], send_plain[DISPLACEMENTS];
    int plain;
    MPI_Request plain_request[2 * DISPLACEMENTS];
    char *send[DISPLACEMENTS], *receive[DISPLACEMENTS];
    char *staged_send[DISPLACEMENTS], *staged_receive[DISPLACEMENTS]; /* on the host, where MPI cannot reach the others */
    int requests;
    MPI_Request request[2 * DISPLACEMENTS];
} exchange;

struct lat_halo {
    halo_plan plan;
    exchange *first;
};

/* --------------------------------------------------------------------------------------------------------- the plan */

static void pairs_create(pairs *pairs, int64_t most)
{
    pairs->halo = lat_alloc(most, sizeof(int64_t));
    pairs->block = lat_alloc(most, sizeof(int64_t));
}

static void pairs_add(pairs *pairs, int64_t halo, int64_t block)
{
    pairs->halo[pairs->sites] = halo;
    pairs->block[pairs->sites++] = block;
}

static void pairs_finish(const lat_geometry *g, pairs *pairs)
{
    int64_t bytes = pairs->sites * (int64_t)sizeof(int64_t);
    if (pairs->sites > 0) {
        pairs->first_halo = pairs->halo[0];
        pairs->first_block = pairs->block[0];
        pairs->consecutive = pairs->block[pairs->sites - 1] - pairs->block[0] == pairs->sites - 1;
    }
    pairs->halo = lat_hand_over(g, pairs->halo, bytes);
    pairs->block = lat_hand_over(g, pairs->block, bytes);
}

static void pairs_free(const lat_geometry *g, pairs *pairs)
{
    g->backend->release(pairs->halo);
    g->backend->release(pairs->block);
}

static void fill_region(const lat_geometry *g, const int offset[LAT_MAX_DIM], region *region)
{
    memcpy(region->offset, offset, sizeof region->offset);
    pairs_create(&region->all, g->all_sites - g->sites);
    for (int parity = 0; parity < 2; parity++) pairs_create(&region->parity[parity], g->all_sites - g->sites);
    for (int64_t site = g->sites; site < g->all_sites; site++) {
        int64_t c[LAT_MAX_DIM], sum = 0;
        bool inside = true;
        lat_coordinates(g, site, c);
        for (int mu = 0; mu < g->dim; mu++) {
            sum += c[mu];
            int side = c[mu] < 0 ? -1 : c[mu] >= g->block[mu] ? 1 : 0;
            inside = inside && side == offset[mu];
            c[mu] -= side * g->block[mu];
        }
        for (int mu = g->dim; mu < LAT_MAX_DIM; mu++) inside = inside && offset[mu] == 0;
        if (!inside) continue;
        pairs_add(&region->all, site, lat_site(g, c));
        pairs_add(&region->parity[sum & 1], site, lat_site(g, c));
    }
}

/* Where the halo of this lane at this offset comes from: the lane, and the displacement of the rank. */
static int owner(const lat_geometry *g, int lane, const int offset[LAT_MAX_DIM], int *displacement)
{
    *displacement = HERE;
    int member = lane % g->members, block = lane / g->members;
    if (block >= g->blocks) return lane; /* idle lanes are small lattices of their own */
    int owner = 0, stride = 1, power = 1;
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        int grid = g->lane_grid[mu], place = block % grid + offset[mu];
        int step = place < 0 ? -1 : place >= grid ? 1 : 0;
        if (g->ranks[mu] > 1) *displacement += step * power;
        owner += (place - step * grid) * stride;
        block /= grid;
        stride *= grid;
        power *= 3;
    }
    return owner * g->members + member;
}

static int rank_at(const lat_geometry *g, const int offset[LAT_MAX_DIM], int sign)
{
    int rank = 0;
    for (int mu = LAT_MAX_DIM - 1; mu >= 0; mu--)
        rank = rank * g->ranks[mu] + (g->position[mu] + sign * offset[mu] + g->ranks[mu]) % g->ranks[mu];
    return rank;
}

static void add_part(const lat_geometry *g, message *message, const region *region, int displacement, const int offset[LAT_MAX_DIM])
{
    part part = {.region = region, .to = lat_alloc(g->lanes, sizeof(int)), .from = lat_alloc(g->lanes, sizeof(int)),
                 .origin = lat_alloc(g->lanes, sizeof(int))};
    for (int lane = 0; lane < g->lanes; lane++) {
        int where, from = owner(g, lane, offset, &where);
        part.origin[lane] = where == displacement ? from : -1;
        if (where != displacement) continue;
        part.to[part.lanes] = lane;
        part.from[part.lanes++] = from;
    }
    if (part.lanes == 0) {
        free(part.to);
        free(part.from);
        free(part.origin);
        return;
    }
    part.whole = part.lanes == g->lanes;
    message->values += region->all.sites * part.lanes;
    message->part[message->parts++] = part;
}

static int64_t *late_sources(const lat_geometry *g, const pairs *pairs, const int along[LAT_MAX_DIM])
{
    int64_t *source = lat_alloc(pairs->sites, sizeof *source);
    for (int64_t i = 0; i < pairs->sites; i++) {
        int64_t c[LAT_MAX_DIM];
        lat_coordinates(g, pairs->halo[i], c);
        for (int mu = 0; mu < g->dim; mu++) c[mu] -= along[mu] * g->block[mu];
        source[i] = lat_site(g, c);
    }
    return source;
}

/* A part of message c that is not at the offset o = c: what it brings lies o - c away, beyond the face that message c
 * fills. */
static void make_late(const lat_geometry *g, part *part, const int offset[LAT_MAX_DIM], const int displacement[LAT_MAX_DIM])
{
    const region *region = part->region;
    int along[LAT_MAX_DIM], where;
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) along[mu] = offset[mu] - displacement[mu];
    part->late_lane = lat_alloc(g->lanes, sizeof(int));
    part->late = true;
    part->late_all = late_sources(g, &region->all, along);
    for (int parity = 0; parity < 2; parity++) part->late_parity[parity] = late_sources(g, &region->parity[parity], along);
    for (int lane = 0; lane < g->lanes; lane++) part->late_lane[lane] = part->origin[lane] < 0 ? -1 : owner(g, lane, along, &where);
}

static void part_finish(const lat_geometry *g, part *part)
{
    const int64_t lanes = g->lanes * (int64_t)sizeof(int), size = sizeof(int64_t);
    part->plain = true;
    for (int lane = 0; lane < g->lanes; lane++) part->plain = part->plain && part->origin[lane] == lane;
    part->to = lat_hand_over(g, part->to, lanes);
    part->from = lat_hand_over(g, part->from, lanes);
    part->origin = lat_hand_over(g, part->origin, lanes);
    part->late_lane = lat_hand_over(g, part->late_lane, lanes);
    part->late_all = lat_hand_over(g, part->late_all, part->region->all.sites * size);
    for (int parity = 0; parity < 2; parity++)
        part->late_parity[parity] = lat_hand_over(g, part->late_parity[parity], part->region->parity[parity].sites * size);
}

static void part_free(const lat_geometry *g, part *part)
{
    g->backend->release(part->to);
    g->backend->release(part->from);
    g->backend->release(part->origin);
    g->backend->release(part->late_lane);
    g->backend->release(part->late_all);
    for (int parity = 0; parity < 2; parity++) g->backend->release(part->late_parity[parity]);
}

static void finish_plan(const lat_geometry *g, halo_plan *plan)
{
    for (int c = 0; c < DISPLACEMENTS; c++) {
        for (int i = 0; i < plan->message[c].parts; i++) part_finish(g, &plan->message[c].part[i]);
        pairs_finish(g, &plan->region[c].all);
        for (int parity = 0; parity < 2; parity++) pairs_finish(g, &plan->region[c].parity[parity]);
    }
}

static struct lat_halo *plan_halo(const lat_geometry *g)
{
    struct lat_halo *halo = lat_alloc(1, sizeof *halo);
    int offset[LAT_MAX_DIM], displacement[LAT_MAX_DIM];
    for (int o = 0; o < DISPLACEMENTS; o++) {
        lat_region_offset(o, offset);
        if (o != HERE) fill_region(g, offset, &halo->plan.region[o]);
    }
    for (int c = 0; c < DISPLACEMENTS; c++) {
        message *message = &halo->plan.message[c];
        message->part = lat_alloc(DISPLACEMENTS, sizeof *message->part);
        lat_region_offset(c, displacement);
        for (int o = 0; o < DISPLACEMENTS; o++) {
            int before = message->parts;
            lat_region_offset(o, offset);
            if (halo->plan.region[o].all.sites > 0) add_part(g, message, &halo->plan.region[o], c, offset);
            if (message->parts == before || c == HERE) continue;
            if (o == c)
                halo->plan.face[c] = &message->part[before];
            else
                make_late(g, &message->part[before], offset, displacement);
        }
        message->source = rank_at(g, displacement, 1);
        message->destination = rank_at(g, displacement, -1);
    }
    finish_plan(g, &halo->plan);
    return halo;
}

/* A staple in direction nu at x has U_nu(x + rho), U_nu(x - rho), U_rho(x), U_rho(x + nu), U_rho(x - rho) and
 * U_rho(x + nu - rho). */
static bool staples_need(const region *region, int mu)
{
    int outside = 0, above = 0;
    for (int rho = 0; rho < LAT_MAX_DIM; rho++) {
        outside += region->offset[rho] != 0;
        above += region->offset[rho] > 0;
    }
    if (outside == 1) return region->offset[mu] < 1;
    return outside == 2 && above == 1 && region->offset[mu] < 0;
}

/* Neighbouring runs become one. */
static void add_run(choice *c, int first, int count)
{
    run *last = c->runs > 0 ? &c->run[c->runs - 1] : NULL;
    if (last && last->first + last->count == first)
        last->count += count;
    else
        c->run[c->runs++] = (run){first, count};
    c->components += count;
}

static choice choose(const lat_field *field, const region *region, const selection *s)
{
    choice c = {.pairs = s->parity < 0 ? &region->all : &region->parity[s->parity], .parity = s->parity};
    if (s->mu == STAPLES) {
        for (int mu = 0; mu < field->geometry->dim; mu++)
            if (staples_need(region, mu)) add_run(&c, mu * s->count, s->count);
    } else if (s->mu == WHOLE || staples_need(region, s->mu)) {
        add_run(&c, s->first, s->count);
    }
    c.sites = c.runs > 0 ? c.pairs->sites : 0;
    return c;
}

static selection whole(const lat_field *field) { return (selection){0, field->components, WHOLE, -1}; }

static selection staples(const lat_field *links)
{
    return (selection){0, links->components / links->geometry->dim, STAPLES, -1};
}

/* The sites of a region have the same parity on all ranks and in all lanes only where blocks are even. */
static selection links_of(const lat_field *links, int mu, int parity)
{
    const lat_geometry *g = links->geometry;
    int reals = links->components / g->dim;
    for (int nu = 0; nu < g->dim; nu++)
        if (g->split[nu] && g->block[nu] % 2) parity = -1;
    return (selection){mu * reals, reals, mu, parity};
}

static size_t real_bytes(const lat_field *f) { return f->precision == LAT_FLOAT ? sizeof(float) : sizeof(double); }

/* Where no message needs to be packed, links that staples do not need come along. */
static void choose_plain(exchange *x, int c, const lat_field *field, const part *face, const choice *chosen)
{
    bool packed = !chosen->pairs->consecutive, all = chosen->components == field->components;
    x->receive_plain[c] = chosen->parity < 0 && x->mu < 0 && face->plain && (all || !packed);
    x->send_plain[c] = x->receive_plain[c] && !packed;
}

/* Which memory MPI is given: that on the host, if there is some. */
static char *staged(char *staging, char *memory) { return staging ? staging : memory; }

static void make_buffers(const lat_geometry *g, exchange *x, int c, int64_t bytes)
{
    x->send[c] = g->backend->allocate(bytes);
    x->receive[c] = g->backend->allocate(bytes);
    if (g->backend->messages) return;
    x->staged_send[c] = g->backend->allocate_staging(bytes);
    x->staged_receive[c] = g->backend->allocate_staging(bytes);
}

static void release_halo(const lat_geometry *g, void *object);

static struct lat_halo *halo_of(const lat_geometry *g)
{
    struct lat_halo *halo = lat_geometry_kept(g, release_halo);
    if (halo) return halo;
    halo = plan_halo(g);
    lat_geometry_keep(g, release_halo, halo);
    return halo;
}

static exchange *find_exchange(const lat_field *field, const selection *s)
{
    const lat_geometry *g = field->geometry;
    struct lat_halo *halo = halo_of(g);
    size_t bytes = (size_t)s->count * real_bytes(field);
    for (exchange *x = halo->first; x; x = x->next)
        if (x->bytes == bytes && x->mu == s->mu && x->parity == s->parity) return x;
    exchange *x = lat_alloc(1, sizeof *x);
    x->bytes = bytes;
    x->mu = s->mu;
    x->parity = s->parity;
    x->next = halo->first;
    halo->first = x;
    const int64_t most = field->components * (int64_t)real_bytes(field);
    for (int c = 0; c < DISPLACEMENTS; c++) {
        const message *message = &halo->plan.message[c];
        const part *face = halo->plan.face[c];
        if (!face) continue;
        choice chosen = choose(field, face->region, s);
        if (chosen.sites == 0) continue;
        choose_plain(x, c, field, face, &chosen);
        if (x->send_plain[c]) chosen.components = field->components;
        if (message->values * most > INT32_MAX)
            lat_abort(LAT_CONFIG, "halo: a message of %lld bytes: use more ranks", (long long)(message->values * most));
        x->size[c] = (int)(chosen.sites * face->lanes * chosen.components * (int64_t)real_bytes(field));
        int64_t room = s->mu == WHOLE ? message->values * most : x->size[c]; /* the adjoint sends all parts */
        make_buffers(g, x, c, room);
        if (x->receive_plain[c]) continue;
        MPI_Recv_init(staged(x->staged_receive[c], x->receive[c]), x->size[c], MPI_BYTE, message->source, c, g->comm,
                      &x->request[x->requests++]);
        MPI_Send_init(staged(x->staged_send[c], x->send[c]), x->size[c], MPI_BYTE, message->destination, c, g->comm,
                      &x->request[x->requests++]);
    }
    return x;
}

static void release_halo(const lat_geometry *g, void *object)
{
    struct lat_halo *halo = object;
    for (exchange *x = halo->first, *next; x; x = next) {
        next = x->next;
        for (int i = 0; i < x->requests; i++) MPI_Request_free(&x->request[i]);
        for (int c = 0; c < DISPLACEMENTS; c++) {
            g->backend->release(x->send[c]);
            g->backend->release(x->receive[c]);
            g->backend->release_staging(x->staged_send[c]);
            g->backend->release_staging(x->staged_receive[c]);
        }
        free(x);
    }
    for (int c = 0; c < DISPLACEMENTS; c++) {
        for (int i = 0; i < halo->plan.message[c].parts; i++) part_free(g, &halo->plan.message[c].part[i]);
        free(halo->plan.message[c].part);
        pairs_free(g, &halo->plan.region[c].all);
        for (int parity = 0; parity < 2; parity++) pairs_free(g, &halo->plan.region[c].parity[parity]);
    }
    free(halo);
}

/* ------------------------------------------------------------------------------------------------------ moving data */

static int64_t row_of(const lat_field *f, int64_t site, int component)
{
    return (site * f->components + component) * f->geometry->lanes;
}

/* The two moves differ in what lies at either end; size is a constant at every call, so that memcpy is a register
 * move. */
static inline __attribute__((always_inline)) void pack_sites(const lat_field *f, const part *p, const choice *chosen,
                                                             const run *run, bool halo_end, char **to, size_t size)
{
    const int64_t *site = halo_end ? chosen->pairs->halo : chosen->pairs->block;
    const int *lane = halo_end ? p->to : p->from;
    const char *data = f->data;
    for (int64_t i = 0; i < chosen->sites; i++)
        for (int c = run->first; c < run->first + run->count; c++) {
            const char *row = data + (size_t)row_of(f, site[i], c) * size;
            for (int l = 0; l < p->lanes; l++, *to += size) memcpy(*to, row + (size_t)lane[l] * size, size);
        }
}

static inline __attribute__((always_inline)) void unpack_sites(lat_field *f, const part *p, const choice *chosen,
                                                               const run *run, const char **from, size_t size)
{
    char *data = f->data;
    for (int64_t i = 0; i < chosen->sites; i++)
        for (int c = run->first; c < run->first + run->count; c++) {
            char *row = data + (size_t)row_of(f, chosen->pairs->halo[i], c) * size;
            for (int l = 0; l < p->lanes; l++, *from += size) memcpy(row + (size_t)p->to[l] * size, *from, size);
        }
}

/* A run of components at a site: so many bytes. */
static char *row_at(const lat_field *f, const run *run, int64_t site)
{
    return (char *)f->data + (size_t)row_of(f, site, run->first) * real_bytes(f);
}

static size_t row_bytes(const lat_field *f, const run *run)
{
    return (size_t)run->count * (size_t)f->geometry->lanes * real_bytes(f);
}

/* A halo that would not stay in the caches anyway is written past them, and so are buffers, which are read by another
 * core or by the network: it need not ask this one for them. */
static bool streams(const lat_field *f, const void *buffer)
{
    const int64_t cached_bytes = 1 << 24;
    return buffer || row_of(f, f->geometry->all_sites, 0) * (int64_t)real_bytes(f) > cached_bytes;
}

static bool on_host(const lat_field *f) { return f->geometry->backend->on_host; }

/* Rows of lanes of a run, from sites of the field to others, or to a buffer (target NULL): as in the kernel. */
static void copy_rows(const lat_field *f, const run *run, int64_t sites, void *buffer, const int64_t *target,
                      const int64_t *source, const int *lane, lat_stream stream)
{
    halo_copy_args args = {.t = lat_tables_of(f->geometry), .to = target ? row_at(f, run, 0) : buffer,
                           .from = row_at(f, run, 0), .target = target, .source = source, .lane = lane,
                           .components = run->count, .to_components = target ? f->components : run->count,
                           .from_components = f->components, .stream = streams(f, buffer)};
    lat_range range = {.count = sites, .lanes = f->geometry->lanes, .stream = stream};
    lat_kernels_of(f, LAT_U1)->halo_copy(&args, &range);
    if (args.stream) atomic_thread_fence(memory_order_seq_cst);
}

/* The chosen sites of a region of the halo, from the sites with the same place in the list source. */
static void copy_region(lat_field *f, const choice *chosen, const int64_t *source, const int *lane, lat_stream stream)
{
    for (int r = 0; r < chosen->runs; r++)
        copy_rows(f, &chosen->run[r], chosen->sites, NULL, chosen->pairs->halo, source, lane, stream);
}

/* What else there is to move in a memory that the host does not see: the lanes of a part between sites of the field and
 * a buffer. */
static void move_lanes(const lat_field *f, const run *run, int lanes, int64_t sites, halo_move_args args, lat_stream stream)
{
    args.t = lat_tables_of(f->geometry);
    args.components = run->count;
    lat_range range = {.count = sites, .lanes = lanes, .stream = stream};
    lat_kernels_of(f, LAT_U1)->halo_move(&args, &range);
}

static halo_end end_in_field(const lat_field *f, const run *run, const int64_t *site, const int *lane)
{
    return (halo_end){row_at(f, run, 0), site, lane, f->components, f->geometry->lanes};
}

static halo_end end_in_buffer(const run *run, void *buffer, int lanes) { return (halo_end){buffer, NULL, NULL, run->count, lanes}; }

static void copy_here(lat_field *f, const halo_plan *plan, const selection *s)
{
    const message *here = &plan->message[HERE];
    for (int i = 0; i < here->parts; i++) {
        choice chosen = choose(f, here->part[i].region, s);
        copy_region(f, &chosen, chosen.pairs->block, here->part[i].origin, LAT_MAIN);
    }
}

static void copy_late(lat_field *f, const message *message, const selection *s)
{
    for (int i = 0; i < message->parts; i++) {
        const part *p = &message->part[i];
        choice chosen = choose(f, p->region, s);
        if (p->late) copy_region(f, &chosen, s->parity < 0 ? p->late_all : p->late_parity[s->parity], p->late_lane, LAT_SIDE);
    }
}

static void pack_face(const lat_field *f, const part *p, const selection *s, char *to)
{
    choice chosen = choose(f, p->region, s);
    for (int r = 0; r < chosen.runs; r++) {
        const run *run = &chosen.run[r];
        if (p->whole) {
            copy_rows(f, run, chosen.sites, to, NULL, chosen.pairs->block, p->origin, LAT_SIDE);
            to += (size_t)chosen.sites * row_bytes(f, run);
        } else if (!on_host(f)) {
            halo_move_args args = {.to = end_in_buffer(run, to, p->lanes), .from = end_in_field(f, run, chosen.pairs->block, p->from)};
            move_lanes(f, run, p->lanes, chosen.sites, args, LAT_SIDE);
            to += chosen.sites * run->count * p->lanes * (int64_t)real_bytes(f);
        } else if (f->precision == LAT_FLOAT) {
            pack_sites(f, p, &chosen, run, false, &to, sizeof(float));
        } else {
            pack_sites(f, p, &chosen, run, false, &to, sizeof(double));
        }
    }
}

static void unpack_face(lat_field *f, const part *p, const selection *s, const char *from)
{
    choice chosen = choose(f, p->region, s);
    for (int r = 0; r < chosen.runs; r++) {
        const run *run = &chosen.run[r];
        if (!on_host(f)) {
            halo_move_args args = {.to = end_in_field(f, run, chosen.pairs->halo, p->to), .from = end_in_buffer(run, (char *)from, p->lanes)};
            move_lanes(f, run, p->lanes, chosen.sites, args, LAT_SIDE);
            from += chosen.sites * run->count * p->lanes * (int64_t)real_bytes(f);
        } else if (p->whole)
            for (int64_t i = 0; i < chosen.sites; i++, from += row_bytes(f, run))
                memcpy(row_at(f, run, chosen.pairs->halo[i]), from, row_bytes(f, run));
        else if (f->precision == LAT_FLOAT)
            unpack_sites(f, p, &chosen, run, &from, sizeof(float));
        else
            unpack_sites(f, p, &chosen, run, &from, sizeof(double));
    }
}

static bool has_halo(const lat_field *field) { return field->geometry->all_sites > field->geometry->sites; }

/* Where message c begins and where it ends, in the memory of the backend. */
static char *sent_from(const lat_field *field, const exchange *x, const halo_plan *plan, int c)
{
    const run all = {0, field->components};
    return x->send_plain[c] ? row_at(field, &all, plan->face[c]->region->all.first_block) : x->send[c];
}
static char *received_into(const lat_field *field, const exchange *x, const halo_plan *plan, int c)
{
    const run all = {0, field->components};
    return x->receive_plain[c] ? row_at(field, &all, plan->face[c]->region->all.first_halo) : x->receive[c];
}

static void receive_plain(lat_field *field, exchange *x, const halo_plan *plan)
{
    x->plain = 0;
    for (int c = 0; c < DISPLACEMENTS; c++) {
        if (!x->receive_plain[c]) continue;
        MPI_Irecv(staged(x->staged_receive[c], received_into(field, x, plan, c)), x->size[c], MPI_BYTE, plan->message[c].source,
                  c, field->geometry->comm, &x->plain_request[x->plain++]);
    }
}

static void send_plain(const lat_field *field, exchange *x, const halo_plan *plan)
{
    for (int c = 0; c < DISPLACEMENTS; c++) {
        if (!x->receive_plain[c]) continue;
        MPI_Isend(staged(x->staged_send[c], sent_from(field, x, plan, c)), x->size[c], MPI_BYTE, plan->message[c].destination, c,
                  field->geometry->comm, &x->plain_request[x->plain++]);
    }
}

/* Brings messages to the host before they are sent, and from there when they have come. */
static void stage_sends(const lat_field *field, exchange *x, const halo_plan *plan)
{
    const lat_backend *backend = field->geometry->backend;
    for (int c = 0; c < DISPLACEMENTS; c++)
        if (x->size[c] && x->staged_send[c])
            backend->send_staging(x->staged_send[c], sent_from(field, x, plan, c), x->size[c], LAT_SIDE);
    backend->wait(LAT_SIDE);
}

static void unstage_receives(const lat_field *field, exchange *x, const halo_plan *plan)
{
    for (int c = 0; c < DISPLACEMENTS; c++)
        if (x->size[c] && x->staged_receive[c])
            field->geometry->backend->receive_staging(received_into(field, x, plan, c), x->staged_receive[c], x->size[c], LAT_SIDE);
}

static bool has_messages(const exchange *x)
{
    for (int c = 0; c < DISPLACEMENTS; c++)
        if (x->size[c]) return true;
    return false;
}

static void start(lat_field *field, selection s)
{
    if (!has_halo(field)) return;
    exchange *x = find_exchange(field, &s);
    const halo_plan *plan = &halo_of(field->geometry)->plan;
    if (on_host(field)) receive_plain(field, x, plan);
    field->geometry->backend->follow(LAT_SIDE, LAT_MAIN);
    for (int c = 0; c < DISPLACEMENTS; c++)
        if (x->size[c] && !x->send_plain[c]) pack_face(field, plan->face[c], &s, x->send[c]);
    if (!on_host(field) && has_messages(x)) {
        /* Then what came last has been taken out of the buffers and out of the halo. */
        stage_sends(field, x, plan);
        receive_plain(field, x, plan);
    }
    send_plain(field, x, plan);
    if (x->requests > 0) MPI_Startall(x->requests, x->request);
    copy_here(field, plan, &s);
}

static void finish(lat_field *field, selection s)
{
    if (!has_halo(field)) return;
    exchange *x = find_exchange(field, &s);
    const halo_plan *plan = &halo_of(field->geometry)->plan;
    if (x->plain > 0) MPI_Waitall(x->plain, x->plain_request, MPI_STATUSES_IGNORE);
    if (x->requests > 0) MPI_Waitall(x->requests, x->request, MPI_STATUSES_IGNORE);
    unstage_receives(field, x, plan);
    for (int c = 0; c < DISPLACEMENTS; c++)
        if (x->size[c] && !x->receive_plain[c]) unpack_face(field, plan->face[c], &s, x->receive[c]);
    for (int c = 0; c < DISPLACEMENTS; c++)
        if (x->size[c]) copy_late(field, &plan->message[c], &s);
    field->geometry->backend->follow(LAT_MAIN, LAT_SIDE);
}

void lat_halo_start(lat_field *field) { start(field, whole(field)); }
void lat_halo_finish(lat_field *field) { finish(field, whole(field)); }
void lat_halo_start_links(lat_field *links, int mu, int parity) { start(links, links_of(links, mu, parity)); }
void lat_halo_finish_links(lat_field *links, int mu, int parity) { finish(links, links_of(links, mu, parity)); }

void lat_halo_start_staples(lat_field *links) { start(links, staples(links)); }
void lat_halo_finish_staples(lat_field *links) { finish(links, staples(links)); }

static int64_t bytes_sent(const lat_field *field, selection s)
{
    int64_t sum = 0;
    if (!has_halo(field)) return 0;
    const exchange *x = find_exchange(field, &s);
    for (int c = 0; c < DISPLACEMENTS; c++) sum += x->size[c];
    return sum;
}

int64_t lat_halo_bytes(const lat_field *field) { return bytes_sent(field, whole(field)); }
int64_t lat_halo_staple_bytes(const lat_field *links) { return bytes_sent(links, staples(links)); }

void lat_halo_exchange(lat_field *field)
{
    lat_halo_start(field);
    lat_halo_finish(field);
}

/* ------------------------------------------------------------------------------------------------------ the adjoint */

/* Adds the values of halo sites, or of a buffer, to those of their owners. */
static inline __attribute__((always_inline)) const char *add_part_of(const lat_field *f, const part *p,
                                                                     const char *buffer, bool wide)
{
    const size_t size = wide ? sizeof(double) : sizeof(float);
    const pairs *pairs = &p->region->all;
    for (int64_t i = 0; i < pairs->sites; i++)
        for (int c = 0; c < f->components; c++) {
            void *owner = (char *)f->data + (size_t)row_of(f, pairs->block[i], c) * size;
            const void *copy = (const char *)f->data + (size_t)row_of(f, pairs->halo[i], c) * size;
            for (int l = 0; l < p->lanes; l++) {
                int from = buffer ? l : p->to[l], to = p->from[l];
                const void *row = buffer ? buffer : copy;
                if (wide)
                    ((double *)owner)[to] += ((const double *)row)[from];
                else
                    ((float *)owner)[to] += ((const float *)row)[from];
            }
            if (buffer) buffer += (size_t)p->lanes * size;
        }
    return buffer;
}

static const char *add_lanes(const lat_field *f, const part *p, const char *buffer)
{
    const run all = {0, f->components};
    const pairs *pairs = &p->region->all;
    halo_move_args args = {.to = end_in_field(f, &all, pairs->block, p->from), .add = true};
    args.from = buffer ? end_in_buffer(&all, (char *)buffer, p->lanes) : end_in_field(f, &all, pairs->halo, p->to);
    move_lanes(f, &all, p->lanes, pairs->sites, args, LAT_MAIN);
    return buffer ? buffer + pairs->sites * all.count * p->lanes * (int64_t)real_bytes(f) : NULL;
}

static void add_message(lat_field *f, const message *m, const char *buffer)
{
    for (int i = 0; i < m->parts && !on_host(f); i++) buffer = add_lanes(f, &m->part[i], buffer);
    for (int i = 0; i < m->parts && on_host(f); i++)
        buffer = f->precision == LAT_FLOAT ? add_part_of(f, &m->part[i], buffer, false)
                                           : add_part_of(f, &m->part[i], buffer, true);
}

static char *pack_part(const lat_field *f, const part *p, char *to)
{
    const selection s = whole(f);
    choice all = choose(f, p->region, &s);
    if (!on_host(f)) {
        halo_move_args args = {.to = end_in_buffer(all.run, to, p->lanes), .from = end_in_field(f, all.run, all.pairs->halo, p->to)};
        move_lanes(f, all.run, p->lanes, all.sites, args, LAT_MAIN);
        return to + all.sites * all.components * p->lanes * (int64_t)real_bytes(f);
    }
    if (f->precision == LAT_FLOAT)
        pack_sites(f, p, &all, all.run, true, &to, sizeof(float));
    else
        pack_sites(f, p, &all, all.run, true, &to, sizeof(double));
    return to;
}

void lat_halo_adjoint(lat_field *field)
{
    if (!has_halo(field)) return;
    selection s = whole(field);
    exchange *x = find_exchange(field, &s);
    const lat_geometry *g = field->geometry;
    const halo_plan *plan = &halo_of(g)->plan;
    MPI_Request request[2 * DISPLACEMENTS];
    int requests = 0;
    for (int c = 0; c < DISPLACEMENTS; c++) {
        const message *m = &plan->message[c];
        if (!x->size[c]) continue;
        int size = (int)(m->values * (int64_t)x->bytes);
        char *to = x->send[c];
        for (int i = 0; i < m->parts; i++) to = pack_part(field, &m->part[i], to);
        if (x->staged_send[c]) g->backend->send_staging(x->staged_send[c], x->send[c], size, LAT_MAIN);
        g->backend->wait(LAT_MAIN);
        MPI_Irecv(staged(x->staged_receive[c], x->receive[c]), size, MPI_BYTE, m->destination, c, g->comm, &request[requests++]);
        MPI_Isend(staged(x->staged_send[c], x->send[c]), size, MPI_BYTE, m->source, c, g->comm, &request[requests++]);
    }
    add_message(field, &plan->message[HERE], NULL);
    MPI_Waitall(requests, request, MPI_STATUSES_IGNORE);
    for (int c = 0; c < DISPLACEMENTS; c++) {
        if (!x->size[c]) continue;
        if (x->staged_receive[c])
            g->backend->receive_staging(x->receive[c], x->staged_receive[c], plan->message[c].values * (int64_t)x->bytes, LAT_MAIN);
        add_message(field, &plan->message[c], x->receive[c]);
    }
    int64_t row = g->lanes * (int64_t)x->bytes;
    g->backend->zero((char *)field->data + g->sites * row, (g->all_sites - g->sites) * row);
}
