/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chain.h: what tests of updates share: chains from a configuration text, and the statistics of histograms.
 */
#ifndef TEST_CHAIN_H
#define TEST_CHAIN_H

#include "hmc/hmc.h"
#include "tests/tap.h"

typedef struct {
    lat_settings *root;
    mc_chain *chain;
    mc_update **updates;
    int count;
} test_chain;

/* The updates that a configuration names, for a chain. */
__attribute__((unused)) static lat_status chain_updates(lat_settings *root, const mc_chain *chain, mc_update ***updates, int *count,
                                                        lat_error *error)
{
    const mc_context context = mc_chain_context(chain, flow_layer_kinds);
    return mc_updates_create(root, mc_update_tables, &context, updates, count, error);
}

/* With the rungs that a pilot found; NULL: those of the text.  Any failure ends the test program. */
__attribute__((unused)) static test_chain chain_begin_on(MPI_Comm comm, const char *text, const lat_rungs *rungs)
{
    lat_error error = {0};
    test_chain t = {0};
    if (lat_settings_parse(text, "test", &t.root, &error) == LAT_DONE &&
        mc_chain_create_on(comm, t.root, lat_action_kinds, lat_dirac_tables, ".", rungs, &t.chain, &error) ==
            LAT_DONE &&
        mc_chain_start(t.chain, &error) == LAT_DONE)
        chain_updates(t.root, t.chain, &t.updates, &t.count, &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    return t;
}

/* A configuration that is refused: by the chain, its updates, or for a key that nobody reads; the message has `why` in it. */
__attribute__((unused)) static void chain_refused(const char *text, const char *why)
{
    lat_error error = {0};
    lat_settings *root;
    mc_chain *chain = NULL;
    mc_update **updates;
    int count;
    if (lat_settings_parse(text, "test", &root, &error)) lat_abort(error.status, "%s", error.text);
    if (mc_chain_create(MPI_COMM_WORLD, root, lat_action_kinds, lat_dirac_tables, ".", &chain, &error) == LAT_DONE &&
        chain_updates(root, chain, &updates, &count, &error) == LAT_DONE) {
        lat_settings_finish(root, &error);
        mc_updates_free(updates, count);
    }
    ok(error.status == LAT_CONFIG && strstr(error.text, why), "refused: %s", error.text);
    mc_chain_free(chain);
    lat_settings_free(root);
}

__attribute__((unused)) static test_chain chain_begin(MPI_Comm comm, const char *text)
{
    return chain_begin_on(comm, text, NULL);
}

__attribute__((unused)) static void chain_end(test_chain *t)
{
    mc_updates_free(t->updates, t->count);
    mc_chain_free(t->chain);
    lat_settings_free(t->root);
}

__attribute__((unused)) static void chain_run(test_chain *t, int64_t steps)
{
    lat_error error = {0};
    while (steps-- > 0)
        if (mc_chain_step(t->chain, t->updates, t->count, &error)) lat_abort(error.status, "%s", error.text);
}

/* Trajectories of length 1 of its action, of the number of steps given: one, or a list with one for each level. */
__attribute__((unused)) static mc_trajectory chain_trajectory(const mc_chain *chain, mc_integrator integrator, const char *steps)
{
    char *text = lat_text("steps = %s; integrator = \"%s\";", steps, mc_integrator_names[integrator]);
    lat_settings *settings;
    lat_error error = {0};
    mc_trajectory trajectory = {0};
    if (lat_settings_parse(text, "test", &settings, &error) == LAT_DONE)
        mc_trajectory_create(settings, chain->geometry, chain->action, &trajectory, &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    lat_settings_free(settings);
    free(text);
    return trajectory;
}

/* Typical |dH| of a trajectory from the links of the chain, the same momenta each time. */
__attribute__((unused)) static double chain_violation(const mc_chain *chain, mc_integrator integrator, const char *steps)
{
    double *dh = lat_alloc(mc_replicas(chain->state), sizeof *dh), sum = 0;
    bool *accepted = lat_alloc(mc_replicas(chain->state), sizeof *accepted);
    mc_trajectory trajectory = chain_trajectory(chain, integrator, steps);
    lat_gauge *gauge = lat_gauge_create(chain->geometry, chain->state->gauge->group, LAT_DOUBLE);
    lat_gauge_copy(gauge, chain->state->gauge);
    lat_random momenta = mc_random(chain->state, LAT_RANDOM_TEST, 0), acceptance = mc_random(chain->state, LAT_RANDOM_TEST, 1);
    mc_trajectory_run(&trajectory, chain->action, gauge, &momenta, &acceptance, dh, accepted, &(lat_error){0});
    for (int r = 0; r < mc_replicas(chain->state); r++) sum += dh[r] * dh[r];
    lat_gauge_free(gauge);
    mc_trajectory_free(&trajectory);
    free(accepted);
    free(dh);
    return sqrt(sum / mc_replicas(chain->state));
}

__attribute__((unused)) static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211ull;
    return hash;
}

__attribute__((unused)) static uint64_t add_links(uint64_t hash, const lat_gauge *gauge)
{
    const lat_geometry *g = gauge->links->geometry;
    int64_t n = g->volume * gauge->links->components;
    double *links = lat_alloc(n, sizeof *links);
    for (int m = 0; m < g->members; m++) {
        lat_field_gather(gauge->links, m, links);
        hash = add_bytes(hash, links, (size_t)n * sizeof *links);
    }
    free(links);
    return hash;
}

/* Of links and places of all members, and of what the updates keep and make of them. */
__attribute__((unused)) static uint64_t chain_digest(const test_chain *t)
{
    const mc_state *state = t->chain->state;
    uint64_t hash = add_links(1469598103934665603ull, state->gauge);
    for (int m = 0; m < mc_members(state) && state->ladder; m++)
        hash = add_bytes(hash, state->ladder->origin[m], sizeof state->ladder->origin[m]);
    if (state->ladder) hash = add_bytes(hash, state->ladder->coupling, (size_t)state->ladder->rungs * sizeof(double));
    for (int i = 0; i < t->count; i++) {
        const mc_update *update = t->updates[i];
        hash = add_bytes(hash, update->memory, (size_t)update->memory_count * sizeof(double));
        if (!update->weighted) continue;
        hash = add_links(hash, update->weighted->gauge);
        hash = add_bytes(hash, update->weighted->log_weight, (size_t)mc_members(state) * sizeof(double));
    }
    return hash;
}

/* Chains of configurations that differ in nothing that matters are the same: on all ranks; on one; and on one that goes on from a checkpoint
 * of all. */
__attribute__((unused)) static void chain_everywhere(const char *here, const char *alone, int before, int after,
                                                     const char *what)
{
    static const char path[] = "everywhere.h5";
    test_chain all = chain_begin(MPI_COMM_WORLD, here), one = chain_begin(MPI_COMM_SELF, alone),
               next = chain_begin(MPI_COMM_SELF, alone);
    mc_ties ties = {"the same", "build", 0};
    lat_error error = {0};
    chain_run(&all, before);
    if (mc_checkpoint_write(path, all.chain, all.updates, all.count, &ties, &error) ||
        mc_checkpoint_read(path, next.chain, next.updates, next.count, &ties, &error))
        lat_abort(error.status, "%s", error.text);
    chain_run(&all, after);
    chain_run(&next, after);
    chain_run(&one, before + after);
    ok_all(chain_digest(&all) == chain_digest(&one), "%s: the same to the last bit as on one rank", what);
    ok_all(chain_digest(&all) == chain_digest(&next), "%s: and as from a checkpoint", what);
    MPI_Barrier(MPI_COMM_WORLD);
    if (lat_rank(MPI_COMM_WORLD) == 0) remove(path);
    free((char *)(uintptr_t)ties.build);
    chain_end(&all);
    chain_end(&one);
    chain_end(&next);
}

/* A figure of the report of an update; NaN if it is null or missing. */
__attribute__((unused)) static double chain_figure(const test_chain *t, int update, const char *key)
{
    json_t *object = json_object(), *value;
    t->updates[update]->table->report(t->updates[update], object);
    value = json_object_get(object, key);
    double number = json_is_number(value) ? json_number_value(value) : NAN;
    json_decref(object);
    return number;
}

/* chi^2 of k degrees of freedom as a deviation in standard deviations, E. B. Wilson and M. M. Hilferty, Proc. Natl.
 * Acad. Sci. 17 (1931) 684. */
__attribute__((unused)) static double chi_square_sigmas(double chi_square, double k)
{
    return (cbrt(chi_square / k) - (1 - 2 / (9 * k))) / sqrt(2 / (9 * k));
}

#endif
