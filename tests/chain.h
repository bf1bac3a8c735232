/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chain.h: what tests of updates share: chains from a configuration text, and the statistics of histograms.
 */
#ifndef TEST_CHAIN_H
#define TEST_CHAIN_H

#include "../hmc/hmc.h"
#include "tap.h"

typedef struct {
    lat_settings *root;
    mc_chain *chain;
    mc_update **updates;
    int count;
} test_chain;

/* Any failure ends the test program. */
__attribute__((unused)) static test_chain chain_begin(MPI_Comm comm, const char *text)
{
    lat_error error = {0};
    test_chain t = {0};
    if (lat_settings_parse(text, "test", &t.root, &error) == LAT_DONE &&
        mc_chain_create(comm, t.root, ".", &t.chain, &error) == LAT_DONE && mc_chain_start(t.chain, &error) == LAT_DONE)
        mc_updates_create(t.root, t.chain, &t.updates, &t.count, &error);
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
