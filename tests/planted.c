/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * planted.c: faults planted into the layers of a model end flow proposals and field-transformation HMC, in both precisions, before
 * 100 proposals or trajectories are done; no fault ends nothing.  Each is tried at SITES sites and seeds for each line of main, 40 runs
 * in all: where all are found, it goes by with a probability below 7.5 % (95 % confidence).
 */
#include "tests/chain.h"
#include "tests/planted.h"

enum { SITES = 8, EXTENT = 8, STEPS = 2, TRAJECTORIES = 10 };

static char *model_path(void) { return lat_text("planted-%d.h5", tap.ranks); }

static char *card(const char *kind, lat_precision precision, const char *start, int seed)
{
    char *model = model_path();
    char *text =
        lat_text("precision = \"%s\"; lattice = { group = \"u1\"; size = [%d, %d]; }; action = ( { kind = \"wilson\"; "
                 "beta = 2.0; } );"
                 "chain = { seed = %d; start = \"%s\"; }; updates = ( { kind = \"%s\"; model = \"%s\"; %s } );",
                 lat_precision_names[precision], EXTENT, EXTENT, seed, start, kind, model,
                 strcmp(kind, "flow") == 0 ? "batch = 64;" : "steps = 40;");
    free(model);
    return text;
}

/* Steps that are done before the run ends by itself; at most so many. */
static int steps_done(const char *text, int most, lat_error *error)
{
    const flow_layer_table *const kinds[] = {&faulty, &flow_layer_multiscale, NULL};
    test_chain t = {0};
    if (lat_settings_parse(text, "test", &t.root, error) ||
        mc_chain_create(MPI_COMM_WORLD, t.root, lat_action_kinds, lat_dirac_tables, ".", &t.chain, error) ||
        mc_chain_start(t.chain, error))
        lat_abort(error->status, "%s", error->text);
    const mc_context context = mc_chain_context(t.chain, kinds);
    if (mc_updates_create(t.root, mc_update_tables, &context, &t.updates, &t.count, error))
        lat_abort(error->status, "%s", error->text);
    int done = 0;
    while (done < most && mc_chain_step(t.chain, t.updates, t.count, error) == LAT_DONE) done++;
    chain_end(&t);
    return done;
}

static void test_faults(const char *kind, lat_precision precision, const char *start, bool float_alone, int most)
{
    for (fault what = NONE; what < FAULTS; what++) {
        int found = 0, wrong = 0;
        lat_error error = {0};
        for (int i = 0; i < SITES; i++) {
            plant_table(&flow_layer_plaquette_coupling, what, float_alone, 7 * i % (EXTENT * EXTENT));
            char *text = card(kind, precision, start, i + 1);
            error = (lat_error){0};
            const int done = steps_done(text, most, &error);
            found += error.status == LAT_NUMERICAL && strstr(error.text, "audit") && done < most;
            wrong += error.status && error.status != LAT_NUMERICAL;
            free(text);
        }
        ok(!wrong && found == (what == NONE ? 0 : SITES),
           "%s, %s, %s start: %s%s: %d of %d runs are ended before step %d: %s", kind, lat_precision_names[precision],
           start, fault_names[what], float_alone ? " in float alone" : "", found, SITES, most, error.text);
    }
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    char *path = model_path();
    flow_model *model = make_model();
    if (flow_model_write(MPI_COMM_WORLD, path, model, NULL, &(lat_error){0}))
        lat_abort(LAT_FILE, "%s: cannot be written", path);
    flow_model_free(model);
    test_faults("flow", LAT_DOUBLE, "hot", false, STEPS);
    test_faults("flow", LAT_FLOAT, "cold", false, STEPS);
    test_faults("flow", LAT_FLOAT, "hot", true, STEPS);
    test_faults("fthmc", LAT_DOUBLE, "hot", false, TRAJECTORIES);
    test_faults("fthmc", LAT_DOUBLE, "cold", false, TRAJECTORIES);
    if (tap.rank == 0) remove(path);
    free(path);
    return tap_end();
}
