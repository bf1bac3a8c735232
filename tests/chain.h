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

/* Any failure ends the test program. */
__attribute__((unused)) static test_chain chain_begin(MPI_Comm comm, const char *text)
{
    lat_error error = {0};
    test_chain t = {0};
    if (lat_settings_parse(text, "test", &t.root, &error) == LAT_DONE &&
        mc_chain_create(comm, t.root, lat_action_kinds, lat_dirac_tables, ".", &t.chain, &error) == LAT_DONE && mc_chain_start(t.chain, &error) == LAT_DONE)
        chain_updates(t.root, t.chain, &t.updates, &t.count, &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    return t;
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
