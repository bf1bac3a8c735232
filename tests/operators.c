/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * operators.c: the list `operators` of a configuration: what is read and printed, and what is refused, by place and reason; what actions that
 * name an operator ask of the lattice, and which updates they have; operators on several geometries.
 */
#include "tests/chain.h"

/* On each geometry an action of twice as many as there are sites, which remembers its operator. */
typedef struct {
    lat_action base;
    lat_dirac *dirac;
    double factor;
} count_of_sites;

static int made, freed;
static lat_operator last; /* that an action was made of */

static void total(lat_action *action, lat_gauge *gauge, double *out)
{
    const count_of_sites *c = (const count_of_sites *)action;
    const lat_geometry *g = lat_dirac_geometry(c->dirac);
    for (int m = 0; m < g->members; m++) out[m] += g == gauge->links->geometry ? c->factor * (double)g->volume : NAN;
}

static void no_force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    (void)level, (void)gauge, (void)scale, (void)force;
    lat_fail(&action->error, LAT_NUMERICAL, "there is no force");
}

static void release(lat_action *action)
{
    freed++;
    free(action);
}

static const lat_action_table counting = {.name = "counting", .total = total, .force = no_force, .free = release};

static lat_action *make(lat_dirac *dirac, const void *parameters, lat_error *error)
{
    const double factor = *(const double *)parameters;
    if (factor == 0) lat_fail(error, LAT_CONFIG, "a factor of 0");
    if (factor == 0) return NULL;
    count_of_sites *c = lat_alloc(1, sizeof *c);
    *c = (count_of_sites){{.table = &counting, .group = lat_dirac_group(dirac), .levels = 1}, dirac, factor};
    last = (lat_operator){.group = lat_dirac_group(dirac), .parameters = *lat_dirac_parameters_of(dirac)};
    made++;
    return &c->base;
}

static const lat_quarks_table plain = {.make = make, .bytes = sizeof(double)},
                              with_fields = {.make = make, .bytes = sizeof(double), .auxiliary = true};

static lat_action *create(lat_settings *term, const lat_action_context *context, bool auxiliary, lat_error *error)
{
    lat_operator description;
    lat_operator_read(term, context, &description, error);
    return error->status ? NULL : lat_action_quarks(&description, auxiliary ? &with_fields : &plain, &(double){2}, 1);
}

static lat_action *create_naming(lat_settings *term, const lat_action_context *context, lat_error *error)
{
    return create(term, context, false, error);
}

static lat_action *create_auxiliary(lat_settings *term, const lat_action_context *context, lat_error *error)
{
    return create(term, context, true, error);
}

static const lat_action_kind kind_naming = {"naming", create_naming}, kind_auxiliary = {"auxiliary", create_auxiliary};
static const lat_action_kind *const kinds[] = {&lat_action_kind_wilson, &kind_naming, &kind_auxiliary, NULL};

/* An operator with wide needs. */
static void no_fill(const lat_dirac *dirac, const lat_gauge *gauge, lat_field *blocks)
{
    (void)dirac, (void)gauge, (void)blocks;
}
static const lat_dirac_table wide = {.name = "wide", .halo = 2, .corners = 3, .fill = no_fill};
static const lat_dirac_table *const tables[] = {&lat_dirac_wilson, &lat_dirac_clover, &wide, NULL};

/* ---------------------------------------------------------------------------------------------------------------- cards */

#define OPERATORS(terms) "operators = ( " terms " ); "
#define LIGHT "{ name = \"light\"; kind = \"wilson\"; kappa = 0.125; }"
#define CLOVER                                                                                                         \
    "{ name = \"heavy\"; kind = \"clover\"; kappa = 0.1; csw = 1; mu = -0.5; angle = [0.25, 0.0, 0.0, -1.0]; }"
#define SMEARED                                                                                                        \
    "{ name = \"smeared\"; kind = \"wilson\"; kappa = 0.1; smearing = { kind = \"stout\"; rho = 0.125; steps = 3; }; " \
    "}"
#define WIDE "{ name = \"wide\"; kind = \"wide\"; kappa = 0.1; csw = 1; }"
#define NAMING(name)                                                                                                   \
    "action = ( { kind = \"wilson\"; beta = 2.0; }, { kind = \"naming\"; operator = \"" name "\"; } ); "
#define SQUARE "lattice = { group = \"u1\"; size = [8, 8]; }; "
#define HYPERCUBE "lattice = { group = \"su3\"; size = [4, 4, 4, 4]; }; "

typedef struct {
    lat_settings *root;
    mc_chain *chain;
    lat_error error;
} card;

static card read_card_of(const char *text, const lat_action_kind *const *terms)
{
    card c = {0};
    if (lat_settings_parse(text, "test", &c.root, &c.error)) lat_abort(c.error.status, "%s", c.error.text);
    if (mc_chain_create(MPI_COMM_WORLD, c.root, terms, tables, ".", &c.chain, &c.error) == LAT_DONE)
        lat_settings_finish(c.root, &c.error);
    return c;
}

static card read_card(const char *text) { return read_card_of(text, kinds); }

static void release_card(card *c)
{
    mc_chain_free(c->chain);
    lat_settings_free(c->root);
}

static card good_card(const char *text)
{
    card c = read_card(text);
    if (c.error.status) lat_abort(c.error.status, "%s", c.error.text);
    return c;
}

/* Of a card without the group `chain`'s defaults: what is printed of the operators. */
static void test_printed(void)
{
    card c = good_card(HYPERCUBE OPERATORS(LIGHT ", " CLOVER) NAMING("heavy"));
    char *printed = lat_settings_print(c.root);
    card again = good_card(printed);
    char *twice = lat_settings_print(again.root);
    ok(strstr(printed, "kappa = 0.125") && strstr(printed, "mu = 0.0") &&
           strstr(printed, "angle = [0.0, 0.0, 0.0, 1.0]") && strstr(printed, "mu = -0.5") &&
           strstr(printed, "angle = [0.25, 0.0, 0.0, -1.0]") && !strstr(printed, "smearing"),
       "the printed configuration has the operators, complete");
    ok(strcmp(printed, twice) == 0, "and is read as it was printed");
    free(printed);
    free(twice);
    release_card(&c);
    release_card(&again);
    c = good_card(SQUARE "action = ( { kind = \"wilson\"; beta = 2.0; } );");
    printed = lat_settings_print(c.root);
    ok(!strstr(printed, "operators"), "without operators there is none");
    free(printed);
    release_card(&c);
}

/* The operator of a single term. */
static lat_dirac_parameters parameters_of(const card *c)
{
    double sites;
    lat_action_total(c->chain->action, c->chain->state->gauge, &sites);
    ok(sites == 2 * (double)c->chain->geometry->volume && last.group == c->chain->state->gauge->group,
       "a term with an operator on the lattice");
    return last.parameters;
}

static void test_parameters(void)
{
    card c =
        good_card(HYPERCUBE OPERATORS(LIGHT ", " CLOVER) "action = ( { kind = \"naming\"; operator = \"heavy\"; } );");
    lat_dirac_parameters p = parameters_of(&c);
    ok(p.kappa == 0.1 && p.csw == 1 && p.mu == -0.5, "the operator that is named, with its parameters");
    ok(p.angle[0] == 0.25 && p.angle[1] == 0 && p.angle[2] == 0 && p.angle[3] == -1,
       "angles of the boundary, one for each direction");
    release_card(&c);
    c = good_card(SQUARE OPERATORS(SMEARED) "action = ( { kind = \"naming\"; operator = \"smeared\"; } );");
    p = parameters_of(&c);
    ok(p.stout.steps == 3 && p.stout.rho == 0.125, "smeared links");
    char *printed = lat_settings_print(c.root);
    ok(strstr(printed, "rho = 0.125") && strstr(printed, "steps = 3"), "which are printed");
    free(printed);
    release_card(&c);
    c = good_card(SQUARE OPERATORS(LIGHT) "action = ( { kind = \"naming\"; operator = \"light\"; } );");
    p = parameters_of(&c);
    ok(p.stout.steps == 0, "links are not smeared unless that is asked for");
    ok(p.kappa == 0.125 && p.csw == 0 && p.mu == 0 && p.angle[0] == 0 && p.angle[1] == 1 && p.angle[2] == 0,
       "by default no twisted mass, and the last direction antiperiodic");
    release_card(&c);
}

/* ------------------------------------------------------------------------------------------------------------- refusals */

static void refused_card(const char *text, const lat_action_kind *const *terms, const char *place, const char *why)
{
    card c = read_card_of(text, terms);
    ok(c.error.status == LAT_CONFIG && strstr(c.error.text, place) && strstr(c.error.text, why) &&
           !strchr(c.error.text, '\n'),
       "refused: %s", c.error.text);
    release_card(&c);
}

static void refused(const char *text, const char *place, const char *why) { refused_card(text, kinds, place, why); }

#define REFUSED_OPERATOR(keys, place, why) refused(SQUARE OPERATORS("{ " keys " }") NAMING("light"), place, why)

static void test_refused_operators(void)
{
    REFUSED_OPERATOR("kind = \"wilson\"; kappa = 0.1;", "operators.[0].name", "required");
    REFUSED_OPERATOR("name = \"\"; kind = \"wilson\"; kappa = 0.1;", "operators.[0].name", "empty");
    REFUSED_OPERATOR("name = \"light\"; kappa = 0.1;", "operators.[0].kind", "required");
    REFUSED_OPERATOR("name = \"light\"; kind = \"willson\"; kappa = 0.1;", "operators.[0].kind", "is 'wilson' meant?");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\";", "operators.[0].kappa", "required");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 1.2;", "operators.[0].kappa", "too large");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = -0.1;", "operators.[0].kappa", "too small");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; csw = 1.0;", "operators.[0].csw",
                     "no clover term");
    REFUSED_OPERATOR("name = \"light\"; kind = \"clover\"; kappa = 0.1;", "operators.[0].csw", "required");
    REFUSED_OPERATOR("name = \"light\"; kind = \"clover\"; kappa = 0.1; csw = -1.0;", "operators.[0].csw", "too small");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; mu = 1e9;", "operators.[0].mu", "too large");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; angle = [1.0];", "operators.[0].angle",
                     "1 numbers for a lattice of 2");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; angle = [0, 0, 0, 1];", "operators.[0].angle",
                     "4 numbers for a lattice of 2");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; angle = [0.0, 1.5];", "operators.[0].angle",
                     "too large");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; kapa = 0.1;", "operators.[0].kapa",
                     "is 'kappa' meant?");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; smearing = { rho = 0.1; };",
                     "operators.[0].smearing.kind", "required");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; smearing = { kind = \"stoot\"; rho = 0.1; };",
                     "operators.[0].smearing.kind", "is 'stout' meant?");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; smearing = { kind = \"stout\"; };",
                     "operators.[0].smearing.rho", "required");
    REFUSED_OPERATOR("name = \"light\"; kind = \"wilson\"; kappa = 0.1; smearing = { kind = \"stout\"; rho = 0.3; };",
                     "operators.[0].smearing.rho", "too large");
    refused(SQUARE OPERATORS(LIGHT ", " LIGHT) NAMING("light"), "operators.[1].name", "two 'light'");
    refused(SQUARE "operators = 3; " NAMING("light"), "operators", "a list of groups");
}

static void test_refused_terms(void)
{
    refused(SQUARE OPERATORS(LIGHT) NAMING("lihgt"), "action.[1].operator", "is 'light' meant?");
    refused(SQUARE NAMING("light"), "action.[1].operator", "no operators");
    refused(SQUARE "operators = ( ); " NAMING("light"), "action.[1].operator", "no operators");
    refused(SQUARE OPERATORS(LIGHT) "action = ( { kind = \"naming\"; } );", "action.[0].operator", "required");
}

static void test_refused_lattices(void)
{
    refused("lattice = { group = \"su2\"; size = [4, 4, 4]; }; " OPERATORS(LIGHT) NAMING("light"), "operators",
            "no quarks in 3 dimensions");
    refused("lattice = { group = \"u1\"; size = [8, 7]; }; " OPERATORS(LIGHT) NAMING("light"), "operators",
            "direction 1 has 7 sites");
    refused("lattice = { group = \"u1\"; size = [8, 8]; boundary = [\"periodic\", \"open\"]; }; " OPERATORS(LIGHT)
                NAMING("light"),
            "operators", "periodic lattices alone");
    refused("lattice = { group = \"u1\"; size = [8, 8]; defect = { coupling = 0.5; }; }; " OPERATORS(LIGHT)
                NAMING("light"),
            "operators", "periodic lattices alone");
}

static void test_many(void)
{
    char *text = lat_text(SQUARE "operators = ( { name = \"q0\"; kind = \"wilson\"; kappa = 0.1; }");
    for (int i = 1; i <= 64; i++) {
        char *longer = lat_text("%s, { name = \"q%d\"; kind = \"wilson\"; kappa = 0.1; }", text, i);
        free(text);
        text = longer;
    }
    char *whole = lat_text("%s ); " NAMING("q0"), text);
    refused(whole, "operators", "at most 64");
    free(text);
    free(whole);
}

/* -------------------------------------------------------------------------------------------------- lattice and updates */

static void test_geometry(void)
{
    card plain = good_card(HYPERCUBE OPERATORS(WIDE) "action = ( { kind = \"wilson\"; beta = 2.0; } );");
    card quarks = good_card(HYPERCUBE OPERATORS(WIDE) NAMING("wide"));
    const lat_geometry *g = quarks.chain->geometry;
    ok(plain.chain->geometry->halo == 1 && plain.chain->geometry->corners == 2,
       "an operator that no term names asks for nothing");
    ok(g->halo == 2 && g->corners == 3 && lat_geometry_serves(g, LAT_FLOAT),
       "a named one asks for its halo and corners, and for a layout for float");
    release_card(&plain);
    release_card(&quarks);
    card few = good_card(SQUARE OPERATORS(LIGHT) "action = ( { kind = \"naming\"; operator = \"light\"; } );");
    ok(few.chain->geometry->corners == 2, "never for fewer corners than observables need");
    release_card(&few);
}

/* An action with auxiliary fields: every update but hmc and fthmc refuses it by its name. */
static void test_auxiliary(void)
{
    static const struct {
        const char *update, *why;
    } all[] = {
        {"kind = \"heatbath\";", "heatbath knows the Wilson action alone"},
        {"kind = \"overrelax\";", "overrelax knows the Wilson action alone"},
        {"kind = \"direct\";", "direct knows the Wilson action alone"},
        {"kind = \"instanton\";", "instanton knows actions without auxiliary fields alone"},
        {"kind = \"flow\"; model = \"none.h5\";", "flow knows actions without auxiliary fields alone"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char *text =
            lat_text(SQUARE OPERATORS(
                         LIGHT) "action = ( { kind = \"auxiliary\"; operator = \"light\"; } ); updates = ( { %s } );",
                     all[i].update);
        card c = read_card(text);
        mc_update **updates;
        int count;
        c.error = (lat_error){0}; /* `updates` was not read */
        ok(chain_updates(c.root, c.chain, &updates, &count, &c.error) == LAT_CONFIG && strstr(c.error.text, all[i].why),
           "refused: %s", c.error.text);
        release_card(&c);
        free(text);
    }
    card c = read_card(SQUARE OPERATORS(LIGHT)
                           NAMING("light") "updates = ( { kind = \"instanton\"; }, { kind = \"hmc\"; } );");
    mc_update **updates;
    int count;
    c.error = (lat_error){0};
    ok(chain_updates(c.root, c.chain, &updates, &count, &c.error) == LAT_DONE,
       "without auxiliary fields all are known that need no Wilson action");
    mc_updates_free(updates, count);
    release_card(&c);
}

/* -------------------------------------------------------------------------------------------------- on several geometries */

static lat_geometry *square_of(int64_t extent)
{
    lat_error error = {0};
    lat_geometry *g;
    if (lat_geometry_create(MPI_COMM_WORLD, &(lat_shape){.dim = 2, .size = {8, extent}, .precision = LAT_FLOAT}, &g,
                            &error))
        lat_abort(error.status, "%s", error.text);
    return g;
}

static const lat_operator light = {&lat_dirac_wilson, LAT_U1, {.kappa = 0.1, .angle = {0, 1}}, 2};

/* The operator goes with its geometry: one at the same address finds nothing of the one before it. */
static void test_operators(void)
{
    lat_error error = {0};
    lat_operator copy = light, heavy = light, other = light, smeared = light;
    heavy.parameters.kappa = 0.05;
    smeared.parameters.stout.steps = 1;
    other.parameters.angle[0] = 0.5;
    lat_geometry *a = square_of(8), *b = square_of(16);
    lat_dirac *one = lat_operator_on(&light, a, &error);
    ok(one && lat_operator_on(&light, a, &error) == one && lat_operator_on(&copy, a, &error) == one,
       "equal descriptions share an operator");
    ok(lat_operator_on(&heavy, a, &error) != one && lat_operator_on(&other, a, &error) != one &&
           lat_operator_on(&smeared, a, &error) != one && lat_operator_on(&light, a, &error) == one,
       "others have their own");
    lat_dirac *two = lat_operator_on(&light, b, &error);
    ok(two && two != one && lat_dirac_geometry(one) == a && lat_dirac_geometry(two) == b,
       "on another geometry there is another one");
    lat_geometry_free(b);
    ok(lat_operator_on(&light, a, &error) == one, "and the first stays when that has gone");
    b = square_of(12);
    two = lat_operator_on(&light, b, &error);
    ok(two && lat_dirac_geometry(two) == b && lat_dirac_parameters_of(two)->kappa == 0.1 && !error.status,
       "a later one has one of its own");
    lat_geometry_free(b);
    lat_geometry_free(a);
}

static bool counts(lat_action *action, const lat_geometry *geometry)
{
    double sites = 0;
    lat_gauge *gauge = lat_gauge_create(geometry, LAT_U1, LAT_DOUBLE);
    lat_action_total(action, gauge, &sites);
    lat_gauge_free(gauge);
    return sites == 2 * (double)geometry->volume;
}

/* Terms and geometries, whichever is freed first. */
static void test_places(void)
{
    lat_geometry *a = square_of(8), *b = square_of(16);
    lat_action *action = lat_action_quarks(&light, &plain, &(double){2}, 1);
    made = freed = 0;
    ok(counts(action, a) && counts(action, b) && counts(action, a) && made == 2,
       "on each geometry an action of its own, which is made once");
    lat_geometry_free(b);
    ok(freed == 1, "and freed with the geometry");
    b = square_of(12);
    ok(counts(action, b) && counts(action, a) && made == 3, "a later geometry has one of its own");
    lat_action *second = lat_action_quarks(&light, &plain, &(double){2}, 1);
    ok(counts(second, a) && made == 4, "and so has another term");
    lat_action_free(action);
    ok(freed == 3, "with the term all of its actions are freed");
    action = lat_action_quarks(&light, &plain, &(double){2}, 1);
    ok(counts(action, a) && counts(second, a) && made == 5, "a later term finds nothing of it");
    lat_geometry_free(a);
    lat_geometry_free(b);
    lat_action_free(second);
    lat_action_free(action);
    ok(freed == made, "none is left");
}

/* What fails where links are given is found in the action. */
static void test_failures(void)
{
    lat_error error = {0};
    lat_geometry *square = square_of(8), *cube;
    if (lat_geometry_create(MPI_COMM_WORLD, &(lat_shape){.dim = 3, .size = {4, 4, 4}, .precision = LAT_FLOAT}, &cube,
                            &error))
        lat_abort(error.status, "%s", error.text);
    lat_action *good = lat_action_quarks(&light, &plain, &(double){2}, 1),
               *bad = lat_action_quarks(&light, &plain, &(double){0}, 1);
    counts(good, cube);
    ok(lat_action_failed(good, &error) == LAT_CONFIG, "no operator there: %s", error.text);
    error = (lat_error){0};
    counts(bad, square);
    ok(lat_action_failed(bad, &error) == LAT_CONFIG && strstr(error.text, "factor of 0"), "no action: %s", error.text);
    error = (lat_error){0};
    lat_gauge *gauge = lat_gauge_create(square, LAT_U1, LAT_DOUBLE);
    lat_field *force = lat_field_algebra(square, LAT_U1, LAT_DOUBLE);
    lat_action_force(good, gauge, 1, force);
    ok(lat_action_failed(good, &error) == LAT_NUMERICAL && strstr(error.text, "no force"), "no force: %s", error.text);
    lat_field_free(force);
    lat_gauge_free(gauge);
    lat_action_free(good);
    lat_action_free(bad);
    lat_geometry_free(square);
    lat_geometry_free(cube);
}

/* ----------------------------------------------------------------------------------------------------- a determinant */

/* The links after steps of hmc, of a flow and of fthmc, each of which computes the determinant on a lattice of its own. */
static void run_chain(MPI_Comm comm, const char *text, double *links)
{
    test_chain t = chain_begin(comm, text);
    chain_run(&t, 3);
    lat_field_gather(t.chain->state->gauge->links, 0, links);
    for (int i = 0; comm == MPI_COMM_WORLD && i < 3; i += 2)
        ok(chain_figure(&t, i, "acceptance") > 0 && chain_figure(&t, i, "reversibility") < 1e-9,
           "%s: accepted, and forth and back", t.updates[i]->table->name);
    chain_end(&t);
}

static void test_determinant(void)
{
    const char *source = getenv("srcdir");
    double alone[2 * 64], together[2 * 64];
    char *model = lat_text("%s/share/models/u1-beta2.h5", source ? source : ".");
    char *text = lat_text(SQUARE OPERATORS("{ name = \"light\"; kind = \"exponential_clover\"; kappa = 0.2; csw = 1.0; "
                                           "smearing = { kind = \"stout\"; rho = "
                                           "0.1; steps = 2; }; }") "action = ( { kind = \"wilson\"; beta = 2.0; }, { "
                                                                   "kind = \"determinant\"; operator = \"light\"; "
                                                                   "flavours = 2; level = 1; } );"
                                                                   "chain = { seed = 5; start = \"cold\"; }; updates "
                                                                   "= ( { kind = \"hmc\"; steps = [4, 2]; },"
                                                                   "{ kind = \"flow\"; model = \"%s\"; batch = 16; "
                                                                   "}, { kind = \"fthmc\"; model = \"%s\"; "
                                                                   "trajectory = 0.1; steps = [10, 1]; } );",
                          model, model);
    run_chain(MPI_COMM_SELF, text, alone);
    run_chain(MPI_COMM_WORLD, text, together);
    ok_all(memcmp(alone, together, sizeof alone) == 0,
           "updates on lattices of their own: the same to the last bit on any ranks");
    free(text);
    free(model);
}

/* The installed model of two flavours, on 8x8 with 2048 proposals: ESS 0.31 and acceptance 0.33 where it was trained, with little more or less. */
static void test_model_of_quarks(void)
{
    const char *source = getenv("srcdir");
    char *text = lat_text(SQUARE OPERATORS("{ name = \"quark\"; kind = \"wilson\"; kappa = 0.276; }")
                          "action = ( { kind = \"wilson\"; beta = 2.0; }, { kind = \"determinant\"; operator = \"quark\"; } );"
                          "chain = { seed = 5; replicas = 16; }; updates = ( { kind = \"flow\"; batch = 64;"
                          "model = \"%s/share/models/schwinger-nf2-beta2-kappa0.276.h5\"; }, { kind = \"instanton\"; } );",
                          source ? source : ".");
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    chain_run(&t, 128);
    double ess = chain_figure(&t, 0, "ess"), acceptance = chain_figure(&t, 0, "acceptance"), log_z = chain_figure(&t, 0, "log_z"),
           hits = chain_figure(&t, 1, "acceptance");
    ok(ess > 0.15 && acceptance > 0.25 && acceptance < 0.5, "the model of two flavours: ESS %.3f, acceptance %.3f", ess, acceptance);
    ok(fabs(log_z + 67.25) < 0.4 && hits > 0.08 && hits < 0.18, "ln Z %.2f, acceptance of instantons %.3f", log_z, hits);
    chain_end(&t);
    free(text);
}

static void test_refused_determinants(void)
{
    static const struct {
        const char *lattice, *description, *keys, *place, *why;
    } bad[] = {
        {SQUARE, LIGHT, "flavours = 0;", "action.[0].flavours", "too small"},
        {SQUARE, LIGHT, "flavors = 2;", "action.[0].flavors", "is 'flavours' meant?"},
        {"lattice = { group = \"su3\"; size = [8, 8, 8, 8]; }; ", LIGHT, "", "action.[0].operator", "24576 rows"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text =
            lat_text("%s operators = ( %s ); action = ( { kind = \"determinant\"; operator = \"light\"; %s } );",
                     bad[i].lattice, bad[i].description, bad[i].keys);
        refused_card(text, lat_action_kinds, bad[i].place, bad[i].why);
        free(text);
    }
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_printed();
    test_parameters();
    test_refused_operators();
    test_refused_terms();
    test_refused_lattices();
    test_many();
    test_geometry();
    test_auxiliary();
    test_operators();
    test_places();
    test_failures();
    test_determinant();
    test_model_of_quarks();
    test_refused_determinants();
    return tap_end();
}
