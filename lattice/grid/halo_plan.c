/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * halo_plan.c: which site and lane of the halo is a copy of which, and on which rank.
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
#include "lattice/grid/halo_plan.h"

#include "lattice/grid/kernels.h"

#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------------------------- regions */

static int64_t block_site(const lat_geometry *g, const int offset[LAT_MAX_DIM], int64_t halo, int *parity)
{
    int64_t c[LAT_MAX_DIM], sum = 0;
    lat_coordinates(g, halo, c);
    for (int mu = 0; mu < g->dim; mu++) {
        sum += c[mu];
        c[mu] -= offset[mu] * g->block[mu];
    }
    *parity = (int)(sum & 1);
    return lat_site(g, c);
}

static void list_pairs(const lat_geometry *g, halo_plan *plan, halo_region *region)
{
    int64_t *block = plan->block + region->first_pair, *next[2];
    int parity;
    for (int64_t i = 0; i < region->sites; i++) {
        block[i] = block_site(g, region->offset, region->first_halo + i, &parity);
        region->even += parity == 0;
    }
    region->first_block = block[0];
    region->consecutive = block[region->sites - 1] - block[0] == region->sites - 1;
    next[0] = plan->halo_by_parity + region->first_pair;
    next[1] = next[0] + region->even;
    for (int64_t i = 0; i < region->sites; i++) {
        block_site(g, region->offset, region->first_halo + i, &parity);
        plan->block_by_parity[next[parity] - plan->halo_by_parity] = block[i];
        *next[parity]++ = region->first_halo + i;
    }
}

static void list_regions(const lat_geometry *g, halo_plan *plan)
{
    int64_t sites = g->all_sites - g->sites;
    plan->block = lat_alloc(sites, sizeof *plan->block);
    plan->halo_by_parity = lat_alloc(sites, sizeof *plan->halo_by_parity);
    plan->block_by_parity = lat_alloc(sites, sizeof *plan->block_by_parity);
    for (int o = 0; o < LAT_REGIONS; o++) {
        halo_region *region = &plan->region[o];
        lat_region_offset(o, region->offset);
        if (o == LAT_BLOCK || g->region[o].count == 0) continue;
        region->first_halo = g->region[o].first;
        region->first_pair = region->first_halo - g->sites;
        region->sites = g->region[o].count;
        list_pairs(g, plan, region);
    }
}

/* ------------------------------------------------------------------------------------------------------------- parts */

/* Where the halo of this lane at this offset comes from: the lane, and the displacement of the rank. */
static int owner(const lat_geometry *g, int lane, const int offset[LAT_MAX_DIM], int *displacement)
{
    *displacement = LAT_BLOCK;
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

static int lanes_from(const lat_geometry *g, const halo_region *region, int displacement)
{
    int lanes = 0, where;
    for (int lane = 0; lane < g->lanes; lane++) {
        owner(g, lane, region->offset, &where);
        lanes += where == displacement;
    }
    return lanes;
}

static halo_part part_of(const lat_geometry *g, const halo_region *region, int displacement)
{
    halo_part part = {.region = region, .to = lat_alloc(g->lanes, sizeof(int)), .from = lat_alloc(g->lanes, sizeof(int)),
                      .origin = lat_alloc(g->lanes, sizeof(int)), .plain = true};
    for (int lane = 0; lane < g->lanes; lane++) {
        int where, from = owner(g, lane, region->offset, &where);
        part.origin[lane] = where == displacement ? from : -1;
        part.plain = part.plain && part.origin[lane] == lane;
        if (where != displacement) continue;
        part.to[part.lanes] = lane;
        part.from[part.lanes++] = from;
    }
    part.whole = part.lanes == g->lanes;
    return part;
}

/* A part of message c that is not at the offset o = c: what it brings lies o - c away, beyond the face that message c
 * fills. */
static void make_late(const lat_geometry *g, const halo_plan *plan, halo_part *part, int displacement)
{
    const halo_region *region = part->region;
    int along[LAT_MAX_DIM], where, parity;
    lat_region_offset(displacement, along);
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) along[mu] = region->offset[mu] - along[mu];
    part->late_lane = lat_alloc(g->lanes, sizeof *part->late_lane);
    part->late = lat_alloc(region->sites, sizeof *part->late);
    part->late_by_parity = lat_alloc(region->sites, sizeof *part->late_by_parity);
    for (int lane = 0; lane < g->lanes; lane++) part->late_lane[lane] = part->origin[lane] < 0 ? -1 : owner(g, lane, along, &where);
    for (int64_t i = 0; i < region->sites; i++) {
        part->late[i] = block_site(g, along, region->first_halo + i, &parity);
        part->late_by_parity[i] = block_site(g, along, plan->halo_by_parity[region->first_pair + i], &parity);
    }
}

static int rank_at(const lat_geometry *g, const int offset[LAT_MAX_DIM], int sign)
{
    int rank = 0;
    for (int mu = LAT_MAX_DIM - 1; mu >= 0; mu--)
        rank = rank * g->ranks[mu] + (g->position[mu] + sign * offset[mu] + g->ranks[mu]) % g->ranks[mu];
    return rank;
}

static void plan_message(const lat_geometry *g, halo_plan *plan, int c)
{
    halo_message *message = &plan->message[c];
    for (int o = 0; o < LAT_REGIONS; o++)
        message->parts += plan->region[o].sites > 0 && lanes_from(g, &plan->region[o], c) > 0;
    message->part = lat_alloc(message->parts, sizeof *message->part);
    halo_part *next = message->part;
    for (int o = 0; o < LAT_REGIONS; o++) {
        if (plan->region[o].sites == 0 || lanes_from(g, &plan->region[o], c) == 0) continue;
        *next = part_of(g, &plan->region[o], c);
        message->values += plan->region[o].sites * next->lanes;
        if (o == c)
            message->face = next;
        else if (c != LAT_BLOCK)
            make_late(g, plan, next, c);
        next++;
    }
    message->source = rank_at(g, plan->region[c].offset, 1);
    message->destination = rank_at(g, plan->region[c].offset, -1);
}

/* ---------------------------------------------------------------------------------------------------------- the whole */

/* To where kernels find them. */
static void hand_over(const lat_geometry *g, halo_plan *plan)
{
    const int64_t lanes = g->lanes * (int64_t)sizeof(int), size = sizeof(int64_t), list = (g->all_sites - g->sites) * size;
    plan->block = lat_hand_over(g, plan->block, list);
    plan->halo_by_parity = lat_hand_over(g, plan->halo_by_parity, list);
    plan->block_by_parity = lat_hand_over(g, plan->block_by_parity, list);
    for (int c = 0; c < LAT_REGIONS; c++)
        for (int i = 0; i < plan->message[c].parts; i++) {
            halo_part *part = &plan->message[c].part[i];
            part->to = lat_hand_over(g, part->to, lanes);
            part->from = lat_hand_over(g, part->from, lanes);
            part->origin = lat_hand_over(g, part->origin, lanes);
            part->late_lane = lat_hand_over(g, part->late_lane, lanes);
            part->late = lat_hand_over(g, part->late, part->region->sites * size);
            part->late_by_parity = lat_hand_over(g, part->late_by_parity, part->region->sites * size);
        }
}

static void release(const lat_geometry *g, void *object)
{
    halo_plan *plan = object;
    for (int c = 0; c < LAT_REGIONS; c++) {
        for (int i = 0; i < plan->message[c].parts; i++) {
            const halo_part *part = &plan->message[c].part[i];
            g->backend->release(part->to);
            g->backend->release(part->from);
            g->backend->release(part->origin);
            g->backend->release(part->late_lane);
            g->backend->release(part->late);
            g->backend->release(part->late_by_parity);
        }
        free(plan->message[c].part);
    }
    g->backend->release(plan->block);
    g->backend->release(plan->halo_by_parity);
    g->backend->release(plan->block_by_parity);
    free(plan);
}

const halo_plan *lat_halo_plan(const lat_geometry *g)
{
    halo_plan *plan = lat_geometry_kept(g, release);
    if (plan) return plan;
    plan = lat_alloc(1, sizeof *plan);
    list_regions(g, plan);
    for (int c = 0; c < LAT_REGIONS; c++) plan_message(g, plan, c);
    hand_over(g, plan);
    lat_geometry_keep(g, release, plan);
    return plan;
}
