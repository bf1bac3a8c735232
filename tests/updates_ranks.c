/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4 8
 *
 * updates_ranks.c: a sequence of all updates gives the same links and the same figures, to the last bit, on any number
 * of ranks and however the lattice lies in lanes.
 */
#include "tests/chain.h"

static const char *const any_dimension =
    "{ kind = \"hmc\"; trajectory = 0.7; steps = 3; integrator = \"leapfrog\"; },"
    "{ kind = \"hmc\"; trajectory = 0.7; steps = 2; integrator = \"omf2\"; },"
    "{ kind = \"hmc\"; trajectory = 1.0; steps = 2; integrator = \"omf4\"; },"
    "{ kind = \"heatbath\"; count = 2; }, { kind = \"overrelax\"; count = 3; }, { kind = \"heatbath\"; }";
static const char *const plane_only = ", { kind = \"instanton\"; hits = 3; }";

enum { STEPS = 4 };

/* Of the links of all replicas, and of what the updates keep. */
static void run(MPI_Comm comm, lat_group group, const char *lattice, const char *lanes, int replicas, bool plane, uint64_t hash[2])
{
    char *text =
        lat_text("lattice = { group = \"%s\"; size = %s; %s }; action = ( { kind = \"wilson\"; beta = %g; } );"
                 "chain = { seed = 11; replicas = %d; }; updates = ( %s%s );",
                 lat_group_names[group], lattice, lanes, group == LAT_SU3 ? 5.0 : 1.6, replicas, any_dimension, plane ? plane_only : "");
    test_chain t = chain_begin(comm, text);
    chain_run(&t, STEPS);
    hash[1] = 1469598103934665603ull;
    hash[0] = add_links(hash[1], t.chain->state->gauge);
    for (int i = 0; i < t.count; i++)
        hash[1] = add_bytes(hash[1], t.updates[i]->memory, (size_t)t.updates[i]->memory_count * sizeof(double));
    free(text);
    chain_end(&t);
}

static void test(lat_group group, const char *lattice, const char *lanes, const char *one_lane, int replicas, bool plane)
{
    uint64_t here[2], alone[2];
    run(MPI_COMM_WORLD, group, lattice, lanes, replicas, plane, here);
    run(MPI_COMM_SELF, group, lattice, one_lane, replicas, plane, alone);
    ok_all(here[0] == alone[0], "%s, %s, %d replicas %s: same links", lat_group_names[group], lattice, replicas, lanes);
    ok_all(here[1] == alone[1], "%s, %s, %d replicas %s: same figures", lat_group_names[group], lattice, replicas, lanes);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test(LAT_U1, "[16, 16]", "", "lanes = [1, 1];", 1, true);
    test(LAT_U1, "[16, 16]", "lanes = [1, 1];", "lanes = [1, 1];", 1, true);
    test(LAT_U1, "[16, 16]", "lanes = [2, 1];", "", 3, true);
    test(LAT_U1, "[16, 8]", "lanes = [1, 2];", "lanes = [1, 1];", 5, true);
    test(LAT_U1, "[8, 4, 8]", "", "lanes = [1, 1, 1];", 2, false);
    test(LAT_U1, "[4, 4, 4, 8]", "", "lanes = [1, 1, 1, 1];", 1, false);
    for (int group = LAT_U1; group <= LAT_SU3; group++) {
        test((lat_group)group, "[6, 6, 4]", "lanes = [1, 1, 1];", "", 1, false); /* parts of odd extents */
        if (group == LAT_U1) continue;
        test((lat_group)group, "[16, 8]", "", "lanes = [1, 1];", 1, false);
        test((lat_group)group, "[8, 4, 8]", "", "lanes = [1, 1, 1];", 3, false);
        test((lat_group)group, "[4, 4, 4, 8]", "", "lanes = [1, 1, 1, 1];", 1, false);
        test((lat_group)group, "[8, 4, 4, 8]", "lanes = [2, 1, 1, 1];", "", 2, false);
    }
    return tap_end();
}
