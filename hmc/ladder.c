/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ladder.c: see ladder.h.
 */
#include "hmc/ladder.h"

#include "lattice/grid/kernels.h"

#include <stdlib.h>
#include <string.h>

mc_ladder *mc_ladder_create(const lat_boundary *boundary, const lat_rungs *rungs, int members)
{
    mc_ladder *ladder = lat_alloc(1, sizeof *ladder);
    *ladder =
        (mc_ladder){.rungs = rungs->rungs, .members = members, .boundary = *boundary, .acceptance = rungs->acceptance};
    ladder->coupling = lat_alloc(rungs->rungs, sizeof *ladder->coupling);
    ladder->rung = lat_alloc(members, sizeof *ladder->rung);
    ladder->origin = lat_alloc(members, sizeof *ladder->origin);
    memcpy(ladder->coupling, rungs->coupling, (size_t)rungs->rungs * sizeof *rungs->coupling);
    for (int m = 0; m < members; m++) ladder->rung[m] = m % rungs->rungs;
    for (int m = 0; m < members; m++) memcpy(ladder->origin[m], boundary->origin, sizeof boundary->origin);
    return ladder;
}

void mc_ladder_free(mc_ladder *ladder)
{
    if (!ladder) return;
    free(ladder->coupling);
    free(ladder->rung);
    free(ladder->origin);
    free(ladder);
}

int mc_ladder_member(const mc_ladder *ladder, int replica, int rung)
{
    int member = replica * ladder->rungs;
    while (ladder->rung[member] != rung) member++;
    return member;
}

/* alike NULL: of their rungs. */
static void couple(const mc_ladder *ladder, lat_gauge *gauge, const double *alike)
{
    lat_boundary *boundary = lat_alloc(ladder->members, sizeof *boundary);
    for (int m = 0; m < ladder->members; m++) {
        boundary[m] = ladder->boundary;
        boundary[m].coupling = alike ? *alike : ladder->coupling[ladder->rung[m]];
        memcpy(boundary[m].origin, ladder->origin[m], sizeof ladder->origin[m]);
    }
    lat_gauge_couple_members(gauge, boundary);
    free(boundary);
}

void mc_ladder_couple(const mc_ladder *ladder, lat_gauge *gauge) { couple(ladder, gauge, NULL); }

void mc_ladder_couple_alike(const mc_ladder *ladder, lat_gauge *gauge, double coupling)
{
    couple(ladder, gauge, &coupling);
}

lat_sites mc_ladder_sites(const mc_ladder *ladder, const lat_geometry *g, int reach)
{
    bool *near = lat_alloc(g->sites, sizeof *near);
    int64_t *site = NULL;
    for (int64_t lane = 0; lane < g->blocks * g->members; lane++) {
        lat_boundary boundary = ladder->boundary;
        int64_t first[LAT_MAX_DIM], extent[LAT_MAX_DIM];
        memcpy(boundary.origin, ladder->origin[g->lane_member[lane]], sizeof boundary.origin);
        int64_t volume = lat_boundary_box(&boundary, g, reach, first, extent);
        if (!site) site = lat_alloc(volume, sizeof *site);
        for (int64_t count = lat_box_sites(g, lane, first, extent, site); count > 0; count--)
            near[site[count - 1]] = true;
    }
    free(site);
    lat_sites list = {.site = lat_alloc(g->sites, sizeof *list.site)};
    for (int64_t i = 0; i < g->sites; i++)
        if (near[i]) list.site[list.count++] = i;
    free(near);
    lat_sites_share(g, &list);
    return list;
}

/* ----------------------------------------------------------------------------------------------------- checkpoints */

enum { NUMBERS = 1 + LAT_MAX_DIM }; /* of a member */

void mc_ladder_put(const mc_ladder *ladder, lat_h5 *file)
{
    const int64_t rungs = ladder->rungs, extent[2] = {ladder->members, NUMBERS};
    double *members = lat_alloc((int64_t)ladder->members * NUMBERS, sizeof *members);
    for (int m = 0; m < ladder->members; m++) {
        members[m * NUMBERS] = ladder->rung[m];
        for (int mu = 0; mu < LAT_MAX_DIM; mu++) members[m * NUMBERS + 1 + mu] = (double)ladder->origin[m][mu];
    }
    lat_h5_put_reals(file, "ladder_couplings", 1, &rungs, ladder->coupling);
    lat_h5_put_reals(file, "ladder_members", 2, extent, members);
    free(members);
}

static bool descends(const double *coupling, int rungs)
{
    bool good = coupling[0] == 1 && coupling[rungs - 1] >= 0;
    for (int i = 1; i < rungs; i++) good = good && coupling[i] < coupling[i - 1];
    return good;
}

void mc_ladder_get_rungs(lat_h5 *file, lat_rungs *rungs)
{
    int64_t count = 0;
    double *coupling = lat_h5_get_reals(file, "ladder_couplings", 1, &count, LAT_MOST_RUNGS);
    if (coupling && (count < 2 || !descends(coupling, (int)count))) {
        lat_h5_refuse(file, "'ladder_couplings' are those of no ladder");
    } else if (coupling) {
        rungs->rungs = (int)count;
        memcpy(rungs->coupling, coupling, (size_t)count * sizeof *coupling);
    }
    free(coupling);
}

/* A whole number below `end`. */
static bool counts_below(double value, int64_t end)
{
    return value >= 0 && value < (double)end && value == (double)(int64_t)value;
}

/* One member on each rung of each ladder, and defects on the lattice. */
static bool is_ladder(const mc_ladder *ladder, const lat_geometry *g, const double *member)
{
    bool *taken = lat_alloc(ladder->members, sizeof *taken), good = true;
    for (int m = 0; m < ladder->members && good; m++, member += NUMBERS) {
        good = counts_below(member[0], ladder->rungs);
        for (int mu = 0; mu < LAT_MAX_DIM; mu++) good = good && counts_below(member[1 + mu], g->size[mu]);
        int place = good ? m / ladder->rungs * ladder->rungs + (int)member[0] : 0;
        good = good && !taken[place];
        taken[place] = true;
    }
    free(taken);
    return good;
}

void mc_ladder_get(mc_ladder *ladder, const lat_geometry *g, lat_h5 *file)
{
    int64_t rungs = 0, extent[2] = {0};
    double *coupling = lat_h5_get_reals(file, "ladder_couplings", 1, &rungs, LAT_MOST_RUNGS);
    double *member = lat_h5_get_reals(file, "ladder_members", 2, extent, INT64_MAX);
    if (coupling && member) {
        if (rungs != ladder->rungs || extent[0] != ladder->members || extent[1] != NUMBERS ||
            !descends(coupling, ladder->rungs) || !is_ladder(ladder, g, member)) {
            lat_h5_refuse(file, "'ladder_couplings' and 'ladder_members' are no ladders of %d rungs for %d members",
                          ladder->rungs, ladder->members);
        } else {
            memcpy(ladder->coupling, coupling, (size_t)rungs * sizeof *coupling);
            for (int m = 0; m < ladder->members; m++) {
                ladder->rung[m] = (int)member[m * NUMBERS];
                for (int mu = 0; mu < LAT_MAX_DIM; mu++) ladder->origin[m][mu] = (int64_t)member[m * NUMBERS + 1 + mu];
            }
        }
    }
    free(coupling);
    free(member);
}
