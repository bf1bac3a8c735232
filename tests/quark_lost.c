/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * quark_lost.c: a trajectory whose links come to be no numbers is rejected and counted, with quarks as without; other replicas do not notice, and
 * nothing of it stays.
 */
#include "tests/chain.h"

#include <string.h>

enum { REPLICAS = 3 };

/* A term that spoils the force of the first replica when it is told to. */
static bool armed;

static void spoil(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    (void)action;
    (void)level;
    (void)scale;
    const lat_geometry *g = gauge->links->geometry;
    if (!armed || g->rank > 0) return;
    double *number = lat_field_map(force, LAT_CHANGE);
    for (int lane = 0; lane < g->lanes; lane++)
        if (g->lane_member[lane] == 0) number[lane] = NAN;
    lat_field_unmap(force, number, LAT_CHANGE);
}

static void release(lat_action *action) { free(action); }

static const lat_action_table spoiler = {.name = "spoiler", .force = spoil, .free = release};

static lat_action *create(lat_settings *term, const lat_action_context *context, lat_error *error)
{
    (void)term;
    (void)error;
    lat_action *action = lat_alloc(1, sizeof *action);
    *action = (lat_action){.table = &spoiler, .group = context->group, .levels = 1};
    return action;
}

static const lat_action_kind kind = {"spoiler", create};

static test_chain begin(const char *terms)
{
    const lat_action_kind *kinds[16] = {&kind};
    for (int i = 0; lat_action_kinds[i]; i++) kinds[i + 1] = lat_action_kinds[i];
    char *text = lat_text("lattice = { group = \"u1\"; size = [8, 4]; };"
                          "operators = ( { name = \"a\"; kind = \"clover\"; kappa = 0.18; csw = 1.0; }, { name = "
                          "\"b\"; kind = \"wilson\"; kappa = 0.16; } );"
                          "action = ( { kind = \"wilson\"; beta = 3.0; }, { kind = \"spoiler\"; }, %s );"
                          "chain = { seed = 4; replicas = %d; };"
                          "updates = ( { kind = \"hmc\"; trajectory = 0.3; steps = 2; } );",
                          terms, (int)REPLICAS);
    lat_error error = {0};
    test_chain t = {0};
    if (lat_settings_parse(text, "test", &t.root, &error) == LAT_DONE &&
        mc_chain_create(MPI_COMM_WORLD, t.root, kinds, lat_dirac_tables, ".", &t.chain, &error) == LAT_DONE &&
        mc_chain_start(t.chain, &error) == LAT_DONE)
        chain_updates(t.root, t.chain, &t.updates, &t.count, &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    free(text);
    return t;
}

/* Links of a replica, in new memory. */
static double *links_of(const test_chain *t, int replica)
{
    const lat_field *links = t->chain->state->gauge->links;
    double *values = lat_alloc(links->geometry->volume * links->components, sizeof *values);
    lat_field_gather(links, replica, values);
    return values;
}

static bool same(const test_chain *a, const test_chain *b, int replica)
{
    double *of_a = links_of(a, replica), *of_b = links_of(b, replica);
    const lat_field *links = a->chain->state->gauge->links;
    const bool equal = memcmp(of_a, of_b, (size_t)(links->geometry->volume * links->components) * sizeof *of_a) == 0;
    free(of_a);
    free(of_b);
    return equal;
}

static void take(test_chain *to, const test_chain *from)
{
    lat_gauge_copy(to->chain->state->gauge, from->chain->state->gauge);
    to->chain->state->step = from->chain->state->step;
}

static void test(const char *what, const char *terms)
{
    test_chain t = begin(terms), twin = begin(terms), before = begin(terms), fresh = begin(terms);
    chain_run(&t, 2);
    take(&twin, &t);
    take(&before, &t);
    armed = true;
    chain_run(&t, 1);
    armed = false;
    chain_run(&twin, 1);
    const double *figure = t.updates[0]->figure; /* [replica][dh, accepted, force_level0, ...] */
    ok_all(chain_figure(&t, 0, "not_finite") == 1 && isnan(figure[0]) && figure[1] == 0,
           "%s: it is counted and rejected", what);
    ok_all(same(&t, &before, 0), "%s: the links are what they were", what);
    ok_all(same(&t, &twin, 1) && same(&t, &twin, 2) && !same(&t, &before, 1), "%s: other replicas do not notice", what);
    take(&fresh, &t);
    chain_run(&t, 3);
    chain_run(&fresh, 3);
    ok_all(same(&t, &fresh, 0) && same(&t, &fresh, 1) && same(&t, &fresh, 2) && !same(&t, &before, 0),
           "%s: nothing of it stays", what);
    chain_end(&t);
    chain_end(&twin);
    chain_end(&before);
    chain_end(&fresh);
}

/* Where the links are lost from the beginning, refreshes meet them too. */
static void test_start(const char *what, const char *terms)
{
    test_chain t = begin(terms);
    lat_error error = {0};
    chain_run(&t, 1);
    double *links = links_of(&t, 0);
    links[0] = NAN;
    lat_field_scatter(t.chain->state->gauge->links, 0, links);
    lat_gauge_changed(t.chain->state->gauge);
    free(links);
    chain_run(&t, 5);
    ok_all(chain_figure(&t, 0, "not_finite") == 5 && chain_figure(&t, 0, "acceptance") > 0.5,
           "%s: so is a replica that never was finite", what);
    for (int m = 1; m < REPLICAS; m++) {
        links = links_of(&t, m);
        links[0] = NAN;
        lat_field_scatter(t.chain->state->gauge->links, m, links);
        free(links);
    }
    lat_gauge_changed(t.chain->state->gauge);
    int done = 0;
    while (done < 100 && mc_chain_step(t.chain, t.updates, t.count, &error) == LAT_DONE) done++;
    ok_all(done == 9 && error.status == LAT_NUMERICAL, "%s: ten lost steps of all in a row end the run: %s", what,
           error.text);
    chain_end(&t);
}

int main(int argc, char **argv)
{
    static const char *const terms[][2] = {
        {"two_flavours", "{ kind = \"two_flavours\"; operator = \"a\"; masses = [0.0, 0.3]; }"},
        {"rational", "{ kind = \"rational\"; operator = \"b\"; range = [0.2, 9.0]; error = 1e-7; }"},
        {"determinant", "{ kind = \"determinant\"; operator = \"a\"; }"},
    };
    tap_start(&argc, &argv);
    for (int i = 0; i < 3; i++) {
        test(terms[i][0], terms[i][1]);
        test_start(terms[i][0], terms[i][1]);
    }
    return tap_end();
}
