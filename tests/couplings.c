/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * couplings: a ladder of couplings is one field of many members: each has the action and the force that a field of its own would have with
 * its boundary, to the last bit, and only the couplings of the member that is named change.
 */
#include "tests/tap.h"

enum { MEMBERS = 3 };

static const lat_boundary ladder[MEMBERS] = {
    {.defect = false},
    {.defect = true, .direction = 2, .extent = {2, 3, 0}, .coupling = 0.4},
    {.open = {false, false, true}},
};

typedef struct {
    lat_geometry *geometry;
    lat_gauge *gauge;
    lat_field *force;
    double action[MEMBERS];
} world;

static world open_world(lat_group group, int members)
{
    world w;
    lat_error error = {0};
    lat_shape shape = {.dim = 3, .size = {4, 4, 8}, .members = members, .halo = 2};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &w.geometry, &error)) lat_abort(error.status, "%s", error.text);
    w.gauge = lat_gauge_create(w.geometry, group, LAT_DOUBLE);
    w.force = lat_field_algebra(w.geometry, group, LAT_DOUBLE);
    return w;
}

static void compute(world *w, lat_action *action)
{
    lat_field_zero(w->force);
    lat_action_total(action, w->gauge, w->action);
    lat_action_force(action, w->gauge, 1, w->force);
}

static void close_world(world *w)
{
    lat_field_free(w->force);
    lat_gauge_free(w->gauge);
    lat_geometry_free(w->geometry);
}

/* Whether a member has the action and the force of the only member of another. */
static bool alike(const world *all, int member, const world *alone)
{
    size_t count = (size_t)(all->geometry->volume * all->force->components);
    double *a = lat_alloc(count, sizeof *a), *b = lat_alloc(count, sizeof *b);
    lat_field_gather(all->force, member, a);
    lat_field_gather(alone->force, 0, b);
    bool same = all->action[member] == alone->action[0] && memcmp(a, b, count * sizeof *a) == 0;
    free(a);
    free(b);
    return same;
}

static void test_ladder(lat_group group, lat_action *action, const char *name)
{
    world all = open_world(group, MEMBERS);
    lat_random random = {.seed = 5, .purpose = LAT_RANDOM_TEST};
    lat_gauge_haar(all.gauge, &random);
    for (int m = 0; m < MEMBERS; m++) lat_gauge_couple(all.gauge, m, &ladder[m]);
    compute(&all, action);
    for (int m = 0; m < MEMBERS; m++) {
        world alone = open_world(group, 1);
        int others = 0;
        lat_field_take_members(alone.gauge->links, all.gauge->links, &m);
        lat_gauge_changed(alone.gauge);
        lat_gauge_couple(alone.gauge, 0, &ladder[1]); /* from now on there are couplings, which may be 1 */
        for (int b = 0; b < MEMBERS; b++) {
            lat_gauge_couple(alone.gauge, 0, &ladder[b]);
            compute(&alone, action);
            if (b == m)
                ok_all(alike(&all, m, &alone), "%s, %s, member %d: as a field of its own", lat_group_names[group], name,
                       m);
            else
                others += alike(&all, m, &alone);
        }
        ok_all(others == 0, "%s, %s, member %d: another boundary gives another force", lat_group_names[group], name, m);
        close_world(&alone);
    }
    lat_gauge_couple(all.gauge, 1, &ladder[0]);
    double kept = all.action[2], changed = all.action[1];
    compute(&all, action);
    ok_all(all.action[2] == kept && all.action[1] != changed, "%s, %s: one member gets other couplings",
           lat_group_names[group], name);
    ok_all(!lat_gauge_is_periodic(all.gauge) && lat_gauge_has_gaps(all.gauge),
           "%s, %s: some couplings are not 1, some are 0", lat_group_names[group], name);
    close_world(&all);
    lat_action_free(action);
}

/* Whether two fields have the same couplings, halo included. */
static bool same_couplings(const lat_gauge *a, const lat_gauge *b)
{
    const lat_geometry *g = a->links->geometry;
    const double *c = lat_field_map(a->couplings, LAT_READ), *d = lat_field_map(b->couplings, LAT_READ);
    bool same = true;
    for (int64_t i = 0; i < g->all_sites * g->dim * g->lanes; i++)
        same = same && (c[i] == d[i] || i % g->lanes >= g->blocks * g->members);
    lat_field_unmap(a->couplings, (void *)c, LAT_READ);
    lat_field_unmap(b->couplings, (void *)d, LAT_READ);
    return same;
}

/* Defects that move and change, links by links, are those that are made at once. */
static void test_moves(void)
{
    static const lat_boundary before[MEMBERS] = {
        {.defect = true, .direction = 2, .extent = {2, 3, 0}, .coupling = 0.4},
        {.defect = true, .direction = 0, .extent = {0, 4, 3}, .origin = {1, 2, 6}, .coupling = 0},
        {.open = {true}},
    };
    static const lat_boundary after[MEMBERS] = {
        {.defect = true, .direction = 2, .extent = {2, 3, 0}, .origin = {3, 3, 2}, .coupling = 0.7},
        {.defect = true, .direction = 0, .extent = {0, 4, 3}, .origin = {1, 3, 5}, .coupling = -1},
        {.open = {true}, .defect = true, .direction = 0, .extent = {0, 1, 8}, .coupling = 0.2},
    };
    world moved = open_world(LAT_U1, MEMBERS), made = open_world(LAT_U1, MEMBERS);
    lat_gauge_couple_members(moved.gauge, before);
    lat_gauge_couple_members(made.gauge, before);
    lat_gauge_couple_members(moved.gauge, after);
    bool other = !same_couplings(moved.gauge, made.gauge);
    lat_gauge_free(made.gauge);
    made.gauge = lat_gauge_create(made.geometry, LAT_U1, LAT_DOUBLE);
    lat_gauge_couple_members(made.gauge, after);
    ok_all(same_couplings(moved.gauge, made.gauge), "defects that were moved");
    MPI_Allreduce(MPI_IN_PLACE, &other, 1, MPI_C_BOOL, MPI_LOR, MPI_COMM_WORLD);
    ok_all(other, "they are not where they were");
    close_world(&moved);
    close_world(&made);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_moves();
    for (int group = 0; group < LAT_GROUPS; group++) {
        test_ladder((lat_group)group, lat_action_wilson((lat_group)group, 2.5), "wilson");
        test_ladder((lat_group)group, lat_action_improved((lat_group)group, 1.5, -0.331), "improved");
    }
    return tap_end();
}
