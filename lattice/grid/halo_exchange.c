/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo_exchange.c: filling the halo of a field.  Exchanges that are over are kept, with their buffers and persistent requests, for the
 * next field that looks alike.
 */
#include "lattice/backend/backend.h"
#include "lattice/grid/halo_move.h"
#include "lattice/grid/kernels.h"

#include <stdlib.h>

struct lat_exchange {
    lat_exchange *next;
    lat_field *field; /* whose halo is being filled; NULL: none */
    const halo_plan *plan;
    lat_halo_choice choice;
    int components;
    lat_precision precision;
    lat_halo_pair *pair[LAT_REGIONS]; /* NULL: components travel as they are */
    int size[LAT_REGIONS]; /* of the messages */
    /* Messages that need no order of their own: all components of the sites of a region in all lanes.  They are received
     * into the halo, and sent from the block where the sites follow each other there. */
    bool receive_plain[LAT_REGIONS], send_plain[LAT_REGIONS];
    halo_buffer send[LAT_REGIONS], receive[LAT_REGIONS];
    int requests, plain;
    MPI_Request request[2 * LAT_REGIONS], plain_request[2 * LAT_REGIONS];
};

typedef struct {
    lat_exchange *first;
} exchanges;

static bool has_halo(const lat_field *f) { return f->geometry->all_sites > f->geometry->sites; }

static bool on_host(const lat_field *f) { return f->geometry->backend->on_host; }

/* ------------------------------------------------------------------------------------------------------ what travels */

/* Whether a choice of one parity can be met: then it is, else both travel. */
static bool one_parity(const lat_geometry *g, const lat_halo_choice *choice)
{
    bool even = choice->one_parity;
    for (int nu = 0; nu < g->dim; nu++) even = even && (!g->split[nu] || g->block[nu] % 2 == 0);
    return even;
}

static halo_cut cut_of(const lat_field *f, const halo_plan *plan, const halo_region *region, const lat_halo_choice *choice)
{
    halo_cut cut = lat_halo_cut_all(f, plan, region);
    if (choice->runs) {
        cut.runs = choice->runs(f, region->offset, choice->argument, cut.run);
        cut.components = 0;
        for (int r = 0; r < cut.runs; r++) cut.components += cut.run[r].count;
    }
    if (one_parity(f->geometry, choice)) {
        int64_t first = region->first_pair + (choice->parity ? region->even : 0);
        cut.halo = plan->halo_by_parity + first;
        cut.block = plan->block_by_parity + first;
        cut.sites = choice->parity ? region->sites - region->even : region->even;
    }
    if (cut.runs == 0) cut.sites = 0;
    return cut;
}

/* The same, with what components are added to on their way. */
static halo_cut sums_of(const lat_exchange *x, const halo_region *region)
{
    halo_cut cut = cut_of(x->field, x->plan, region, &x->choice);
    cut.pair = x->pair[region - x->plan->region];
    return cut;
}

/* What of message c travels, and whether it needs to be packed: where it does not, components that were not asked for come
 * along, unless they are most. */
static halo_cut cut_of_message(const lat_field *f, const halo_plan *plan, int c, const lat_halo_choice *choice, bool *receive_plain, bool *send_plain)
{
    const halo_part *face = plan->message[c].face;
    halo_cut cut = cut_of(f, plan, face->region, choice);
    bool packed = !face->region->consecutive, all = cut.components == f->components, most = 2 * cut.components >= f->components;
    *receive_plain = !cut.halo && !choice->pair && face->plain && (all || (most && !packed));
    *send_plain = *receive_plain && !packed;
    if (*send_plain) cut.components = f->components;
    return cut;
}

/* --------------------------------------------------------------------------------------------------- kept exchanges */

static void release(const lat_geometry *g, void *object)
{
    exchanges *kept = object;
    for (lat_exchange *x = kept->first, *next; x; x = next) {
        next = x->next;
        for (int i = 0; i < x->requests; i++) MPI_Request_free(&x->request[i]);
        for (int c = 0; c < LAT_REGIONS; c++) {
            lat_halo_buffer_free(g, &x->send[c]);
            lat_halo_buffer_free(g, &x->receive[c]);
            g->backend->release(x->pair[c]);
        }
        free(x);
    }
    free(kept);
}

static bool serves(const lat_exchange *x, const lat_field *f, const lat_halo_choice *choice)
{
    return !x->field && x->components == f->components && x->precision == f->precision && x->choice.runs == choice->runs &&
           x->choice.pair == choice->pair && x->choice.argument == choice->argument && x->choice.one_parity == choice->one_parity && x->choice.parity == choice->parity;
}

static void set_up_pairs(lat_exchange *x, const lat_field *f, int o)
{
    const lat_halo_choice *choice = &x->choice;
    halo_cut cut = cut_of(f, x->plan, &x->plan->region[o], choice);
    lat_halo_pair *pair = lat_alloc(f->components, sizeof *pair);
    for (int r = 0; r < cut.runs; r++)
        for (int c = cut.run[r].first; c < cut.run[r].first + cut.run[r].count; c++)
            pair[c] = choice->pair(f, x->plan->region[o].offset, choice->argument, c);
    x->pair[o] = lat_hand_over(f->geometry, pair, f->components * (int64_t)sizeof *pair);
}

static void set_up_message(lat_exchange *x, const lat_field *f, int c)
{
    const lat_geometry *g = f->geometry;
    const halo_message *message = &x->plan->message[c];
    halo_cut cut = cut_of_message(f, x->plan, c, &x->choice, &x->receive_plain[c], &x->send_plain[c]);
    int64_t bytes = lat_halo_part_bytes(f, message->face, &cut);
    if (bytes == 0) return;
    lat_halo_check_size(bytes);
    x->size[c] = (int)bytes;
    if (!x->send_plain[c] || !g->backend->messages) x->send[c] = lat_halo_buffer(g, bytes);
    if (!x->receive_plain[c] || !g->backend->messages) x->receive[c] = lat_halo_buffer(g, bytes);
    if (x->receive_plain[c]) return;
    MPI_Recv_init(lat_halo_message(&x->receive[c]), x->size[c], MPI_BYTE, message->source, c, g->comm, &x->request[x->requests++]);
    MPI_Send_init(lat_halo_message(&x->send[c]), x->size[c], MPI_BYTE, message->destination, c, g->comm, &x->request[x->requests++]);
}

static lat_exchange *find_exchange(const lat_field *f, const lat_halo_choice *choice)
{
    exchanges *kept = lat_geometry_room(f->geometry, release, sizeof *kept);
    for (lat_exchange *x = kept->first; x; x = x->next)
        if (serves(x, f, choice)) return x;
    lat_exchange *x = lat_alloc(1, sizeof *x);
    *x = (lat_exchange){.next = kept->first, .plan = lat_halo_plan(f->geometry), .choice = *choice, .components = f->components,
                        .precision = f->precision};
    kept->first = x;
    for (int o = 0; choice->pair && o < LAT_REGIONS; o++)
        if (x->plan->region[o].sites > 0) set_up_pairs(x, f, o);
    for (int c = 0; c < LAT_REGIONS; c++)
        if (x->plan->message[c].face) set_up_message(x, f, c);
    return x;
}

/* Of message c the part at the offset o = c: the lanes whose block is at that end of the rank's. */
static double message_memory(const lat_geometry *g, int c, double bytes_of_site, bool faces)
{
    int offset[LAT_MAX_DIM], outside = 0;
    double lanes = g->lanes;
    lat_region_offset(c, offset);
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        if (offset[mu] == 0) continue;
        if (g->ranks[mu] == 1) return 0;
        lanes /= g->lane_grid[mu];
        outside++;
    }
    if (outside == 0 || (faces && outside > 1)) return 0;
    return (double)lat_alloc_bytes((size_t)(bytes_of_site * lanes * (double)g->region[c].count));
}

double lat_halo_memory(const lat_geometry *g, int components, lat_precision precision, bool faces)
{
    const double bytes_of_site = components * (double)(precision == LAT_FLOAT ? sizeof(float) : sizeof(double));
    double sum = 0;
    for (int c = 0; c < LAT_REGIONS; c++) sum += 2 * message_memory(g, c, bytes_of_site, faces); /* sent and received */
    return sum;
}

/* ---------------------------------------------------------------------------------------------------------- messages */

/* Where message c begins and where it ends, in the memory of the backend. */
static char *sent_from(const lat_exchange *x, int c)
{
    return x->send_plain[c] ? lat_halo_row(x->field, 0, x->plan->message[c].face->region->first_block) : x->send[c].memory;
}
static char *received_into(const lat_exchange *x, int c)
{
    return x->receive_plain[c] ? lat_halo_row(x->field, 0, x->plan->message[c].face->region->first_halo) : x->receive[c].memory;
}

/* Which memory MPI is given for it. */
static char *message_of(const halo_buffer *buffer, char *memory) { return buffer->staged ? buffer->staged : memory; }

static void receive_plain(lat_exchange *x)
{
    x->plain = 0;
    for (int c = 0; c < LAT_REGIONS; c++) {
        if (!x->receive_plain[c]) continue;
        MPI_Irecv(message_of(&x->receive[c], received_into(x, c)), x->size[c], MPI_BYTE, x->plan->message[c].source, c,
                  x->field->geometry->comm, &x->plain_request[x->plain++]);
    }
}

static void send_plain(lat_exchange *x)
{
    for (int c = 0; c < LAT_REGIONS; c++) {
        if (!x->receive_plain[c]) continue;
        MPI_Isend(message_of(&x->send[c], sent_from(x, c)), x->size[c], MPI_BYTE, x->plan->message[c].destination, c,
                  x->field->geometry->comm, &x->plain_request[x->plain++]);
    }
}

/* Brings messages to the host before they are sent, and from there when they have come. */
static void stage_sends(const lat_exchange *x)
{
    const lat_backend *backend = x->field->geometry->backend;
    for (int c = 0; c < LAT_REGIONS; c++)
        if (x->size[c] && x->send[c].staged) backend->send_staging(x->send[c].staged, sent_from(x, c), x->size[c], LAT_SIDE);
    backend->wait(LAT_SIDE);
}

static void unstage_receives(const lat_exchange *x)
{
    const lat_backend *backend = x->field->geometry->backend;
    for (int c = 0; c < LAT_REGIONS; c++)
        if (x->size[c] && x->receive[c].staged) backend->receive_staging(received_into(x, c), x->receive[c].staged, x->size[c], LAT_SIDE);
}

static bool has_messages(const lat_exchange *x)
{
    for (int c = 0; c < LAT_REGIONS; c++)
        if (x->size[c]) return true;
    return false;
}

/* ------------------------------------------------------------------------------------------------------ the two halves */

static void copy_here(const lat_exchange *x)
{
    const halo_message *here = &x->plan->message[LAT_BLOCK];
    for (int i = 0; i < here->parts; i++) {
        halo_cut cut = sums_of(x, here->part[i].region);
        lat_halo_copy(x->field, &cut, cut.block, here->part[i].origin, LAT_MAIN);
    }
}

static void copy_late(const lat_exchange *x, const halo_message *message)
{
    for (int i = 0; i < message->parts; i++) {
        const halo_part *p = &message->part[i];
        if (!p->late_lane) continue;
        halo_cut cut = cut_of(x->field, x->plan, p->region, &x->choice);
        bool odd = cut.halo && x->choice.parity;
        const int64_t *source = cut.halo ? p->late_by_parity + (odd ? p->region->even : 0) : p->late;
        lat_halo_copy(x->field, &cut, source, p->late_lane, LAT_SIDE);
    }
}

lat_exchange *lat_halo_start(lat_field *field, lat_halo_choice choice)
{
    if (!has_halo(field)) return NULL;
    lat_exchange *x = find_exchange(field, &choice);
    x->field = field;
    if (on_host(field)) receive_plain(x);
    field->geometry->backend->follow(LAT_SIDE, LAT_MAIN);
    for (int c = 0; c < LAT_REGIONS; c++) {
        if (!x->size[c] || x->send_plain[c]) continue;
        halo_cut cut = sums_of(x, x->plan->message[c].face->region);
        lat_halo_pack_block(field, x->plan->message[c].face, &cut, x->send[c].memory);
    }
    if (!on_host(field) && has_messages(x)) {
        /* Then what came last has been taken out of the buffers and out of the halo. */
        stage_sends(x);
        receive_plain(x);
    }
    send_plain(x);
    if (x->requests > 0) MPI_Startall(x->requests, x->request);
    copy_here(x);
    return x;
}

void lat_halo_finish(lat_exchange *x)
{
    if (!x) return;
    if (x->plain > 0) MPI_Waitall(x->plain, x->plain_request, MPI_STATUSES_IGNORE);
    if (x->requests > 0) MPI_Waitall(x->requests, x->request, MPI_STATUSES_IGNORE);
    unstage_receives(x);
    for (int c = 0; c < LAT_REGIONS; c++) {
        if (!x->size[c] || x->receive_plain[c]) continue;
        halo_cut cut = cut_of(x->field, x->plan, x->plan->message[c].face->region, &x->choice);
        lat_halo_unpack(x->field, x->plan->message[c].face, &cut, x->receive[c].memory);
    }
    for (int c = 0; c < LAT_REGIONS; c++)
        if (x->size[c]) copy_late(x, &x->plan->message[c]);
    x->field->geometry->backend->follow(LAT_MAIN, LAT_SIDE);
    x->field = NULL;
}

void lat_halo_exchange(lat_field *field) { lat_halo_finish(lat_halo_start(field, (lat_halo_choice){0})); }

int64_t lat_halo_bytes(const lat_field *field, lat_halo_choice choice)
{
    int64_t sum = 0;
    if (!has_halo(field)) return 0;
    const halo_plan *plan = lat_halo_plan(field->geometry);
    for (int c = 0; c < LAT_REGIONS; c++) {
        bool receive, send;
        if (!plan->message[c].face) continue;
        halo_cut cut = cut_of_message(field, plan, c, &choice, &receive, &send);
        sum += lat_halo_part_bytes(field, plan->message[c].face, &cut);
    }
    return sum;
}
