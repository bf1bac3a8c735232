/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo_adjoint.c: the adjoint of filling the halo: what it holds is added to the sites that it is a copy of.  Every part of every
 * message goes to its owner in one step.
 */
#include "lattice/backend/backend.h"
#include "lattice/grid/halo_move.h"

#include <stdlib.h>

/* Buffers for a number of bytes per site and lane. */
typedef struct buffers {
    struct buffers *next;
    int64_t bytes;
    halo_buffer send[LAT_REGIONS], receive[LAT_REGIONS];
} buffers;

typedef struct {
    buffers *first;
} room;

static void release(const lat_geometry *g, void *object)
{
    room *room = object;
    for (buffers *b = room->first, *next; b; b = next) {
        next = b->next;
        for (int c = 0; c < LAT_REGIONS; c++) {
            lat_halo_buffer_free(g, &b->send[c]);
            lat_halo_buffer_free(g, &b->receive[c]);
        }
        free(b);
    }
    free(room);
}

static buffers *find_buffers(const lat_geometry *g, const halo_plan *plan, int64_t bytes)
{
    room *room = lat_geometry_room(g, release, sizeof *room);
    for (buffers *b = room->first; b; b = b->next)
        if (b->bytes == bytes) return b;
    buffers *b = lat_alloc(1, sizeof *b);
    b->next = room->first;
    b->bytes = bytes;
    room->first = b;
    for (int c = 0; c < LAT_REGIONS; c++) {
        if (!plan->message[c].face) continue;
        lat_halo_check_size(plan->message[c].values * bytes);
        b->send[c] = lat_halo_buffer(g, plan->message[c].values * bytes);
        b->receive[c] = lat_halo_buffer(g, plan->message[c].values * bytes);
    }
    return b;
}

static void pack(const lat_field *f, const halo_plan *plan, const halo_message *m, char *to)
{
    for (int i = 0; i < m->parts; i++) {
        halo_cut all = lat_halo_cut_all(f, plan, m->part[i].region);
        lat_halo_pack_halo(f, &m->part[i], &all, to);
        to += lat_halo_part_bytes(f, &m->part[i], &all);
    }
}

static void add(const lat_field *f, const halo_plan *plan, const halo_message *m, const char *buffer)
{
    for (int i = 0; i < m->parts; i++) {
        halo_cut all = lat_halo_cut_all(f, plan, m->part[i].region);
        lat_halo_add(f, &m->part[i], &all, buffer);
        if (buffer) buffer += lat_halo_part_bytes(f, &m->part[i], &all);
    }
}

void lat_halo_adjoint(lat_field *field)
{
    const lat_geometry *g = field->geometry;
    if (g->all_sites == g->sites) return;
    const halo_plan *plan = lat_halo_plan(g);
    const int64_t bytes = field->components * (int64_t)lat_halo_real_bytes(field), row = g->lanes * bytes;
    buffers *b = find_buffers(g, plan, bytes);
    MPI_Request request[2 * LAT_REGIONS];
    int requests = 0;
    for (int c = 0; c < LAT_REGIONS; c++) {
        const halo_message *m = &plan->message[c];
        if (!m->face) continue;
        int size = (int)(m->values * bytes);
        pack(field, plan, m, b->send[c].memory);
        if (b->send[c].staged) g->backend->send_staging(b->send[c].staged, b->send[c].memory, size, LAT_MAIN);
        g->backend->wait(LAT_MAIN);
        MPI_Irecv(lat_halo_message(&b->receive[c]), size, MPI_BYTE, m->destination, c, g->comm, &request[requests++]);
        MPI_Isend(lat_halo_message(&b->send[c]), size, MPI_BYTE, m->source, c, g->comm, &request[requests++]);
    }
    add(field, plan, &plan->message[LAT_BLOCK], NULL);
    MPI_Waitall(requests, request, MPI_STATUSES_IGNORE);
    for (int c = 0; c < LAT_REGIONS; c++) {
        const halo_message *m = &plan->message[c];
        if (!m->face) continue;
        if (b->receive[c].staged) g->backend->receive_staging(b->receive[c].memory, b->receive[c].staged, m->values * bytes, LAT_MAIN);
        add(field, plan, m, b->receive[c].memory);
    }
    g->backend->zero(lat_halo_row(field, 0, g->sites), (g->all_sites - g->sites) * row);
}
