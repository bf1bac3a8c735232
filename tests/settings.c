/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.c: every class of message of the configuration reader, defaults, overrides, and that what is printed reads
 * back the same.
 * # ranks: 1
 */
#include "tests/tap.h"

static const char *const kinds[] = {"wilson", "improved", "schwinger", NULL};

static const char run_text[] = "# a run\n"
                               "lattice = { group = \"u1\"; size = [16, 16]; };\n"
                               "action = ( { kind = \"wilson\"; beta = 6; } );\n"
                               "chain = { seed = 99999999999; steps = 100;\n"
                               "          start = \"hot\"; };\n"
                               "updates = ( { kind = \"flow\"; model = \"m.h5\"; batch = 64; },\n"
                               "            { kind = \"hmc\"; trajectory = 1.0; steps = 10; } );\n"
                               "walltime = \"23h30m\";\n";

static lat_settings *parse(const char *text)
{
    lat_error error = {0};
    lat_settings *root;
    lat_settings_parse(text, "run.cfg", &root, &error);
    if (error.status != LAT_DONE) printf("# %s\n", error.text);
    return root;
}

/* Reads a run the way a program does. */
static void read_run(lat_settings *root, lat_error *error)
{
    lat_settings *lattice = lat_settings_group(root, "lattice", error);
    int64_t size[4], ranks[4];
    lat_settings_string(lattice, "group", NULL, error);
    lat_settings_ints(lattice, "size", size, -1, 4, 1, 1 << 20, error);
    lat_settings_ints(lattice, "ranks", ranks, 0, 4, 1, 1 << 20, error);
    for (int i = 0; i < lat_settings_list(root, "action", error); i++) {
        lat_settings *term = lat_settings_item(root, "action", i, error);
        lat_settings_choice(term, "kind", NULL, kinds, error);
        lat_settings_real(term, "beta", NAN, 0.0, 1e6, error);
    }
    lat_settings *chain = lat_settings_group(root, "chain", error);
    lat_settings_int(chain, "seed", 1, 0, INT64_MAX, error);
    lat_settings_int(chain, "steps", 1000, 0, INT64_MAX, error);
    lat_settings_string(chain, "start", "hot", error);
    lat_settings_bool(chain, "audit", true, error);
    for (int i = 0; i < lat_settings_list(root, "updates", error); i++) {
        lat_settings *update = lat_settings_item(root, "updates", i, error);
        const char *kind = lat_settings_string(update, "kind", NULL, error);
        if (strcmp(kind, "flow") == 0) {
            lat_settings_string(update, "model", NULL, error);
            lat_settings_int(update, "batch", 64, 1, 1 << 20, error);
        } else {
            lat_settings_real(update, "trajectory", 0.1, 0.0, 100.0, error);
            lat_settings_int(update, "steps", 10, 1, 1000, error);
        }
    }
    const char *observables[8] = {"plaquette", "charge"};
    lat_settings_strings(lat_settings_group(root, "measure", error), "observables", observables, 2, 8, error);
    lat_settings_string(root, "walltime", "", error);
    lat_settings_finish(root, error);
}

/* The text, read as a run, fails with exactly this message. */
static void fails(const char *text, const char *message)
{
    lat_error error = {0};
    lat_settings *root;
    if (lat_settings_parse(text, "run.cfg", &root, &error) == LAT_DONE) read_run(root, &error);
    bool good = error.status == LAT_CONFIG && strcmp(error.text, message) == 0;
    ok(good, "%s", message);
    if (!good) printf("# status %d: %s\n", error.status, error.text);
    lat_settings_free(root);
}

#define START "lattice = { group = \"u1\"; size = [8, 8]; };\n"

static void test_messages(void)
{
    fails(START "chain = {\n stpes = 10; };",
          "run.cfg:3: chain.stpes: unknown key: is 'steps' meant? (known: seed, steps, start, audit)");
    fails(START "lattise = { };", "run.cfg:2: lattise: unknown key: is 'lattice' meant? (known: lattice, action, "
                                  "chain, updates, measure, walltime)");
    fails(START "updates = ( { kind = \"hmc\"; }, {\n kind = \"flow\"; model = \"m\"; bacth = 3; } );",
          "run.cfg:3: updates.[1].bacth: unknown key: is 'batch' meant? (known: kind, model, batch)");
    fails(START "chain = { steps = \"ten\"; };",
          "run.cfg:2: chain.steps: is a string, but a whole number is asked for");
    fails(START "chain = { steps = 10.5; };",
          "run.cfg:2: chain.steps: is a real number, but a whole number is asked for");
    fails(START "chain = { audit = 1; };", "run.cfg:2: chain.audit: is a whole number, but true or false is asked for");
    fails(START "walltime = 60;", "run.cfg:2: walltime: is a whole number, but a string is asked for");
    fails(START "chain = 5;", "run.cfg:2: chain: is a whole number, but a group, { ... }, is asked for");
    fails(START "updates = { kind = \"hmc\"; };",
          "run.cfg:2: updates: is a group, but a list of groups, ( { ... }, { ... } ), is asked for");
    fails(START "updates = ( 1 );", "run.cfg:2: updates.[0]: is a whole number, but a group, { ... }, is asked for");
    fails("lattice = { group = \"u1\"; size = 8; };",
          "run.cfg:1: lattice.size: is a whole number, but a list of whole numbers, [1, 2], is asked for");
    fails("lattice = { group = \"u1\"; size = [8, 8, 8, 8, 8]; };",
          "run.cfg:1: lattice.size: has 5 elements: at most 4 are allowed");
    fails("lattice = { group = \"u1\"; size = [8, -8]; };",
          "run.cfg:1: lattice.size.[1]: -8 is too small: the smallest value is 1");
    fails("lattice = { group = \"u1\"; size = [8.0]; };",
          "run.cfg:1: lattice.size.[0]: is a real number, but a whole number is asked for");
    fails(START "chain = { steps = -1; };", "run.cfg:2: chain.steps: -1 is too small: the smallest value is 0");
    fails(START "updates = ( { kind = \"hmc\"; steps = 1001; } );",
          "run.cfg:2: updates.[0].steps: 1001 is too large: the largest value is 1000");
    fails(START "action = ( { kind = \"wilson\"; beta = -0.5; } );",
          "run.cfg:2: action.[0].beta: -0.5 is too small: the smallest value is 0");
    fails(START "action = ( { kind = \"wilsom\"; } );",
          "run.cfg:2: action.[0].kind: 'wilsom' is not known: is 'wilson' meant? (known: wilson, improved, schwinger)");
    fails(START "updates = (\n{ kind = \"flow\"; } );",
          "run.cfg:3: updates.[0].model: this key is required and missing: add it");
    fails(START "updates = (\n{ kind = \"flow\"; modle = \"m.h5\"; } );",
          "run.cfg:3: updates.[0].model: this key is required and missing: is it meant by 'modle'?");
    fails(START "action = ( { kind = \"wilson\"; } );",
          "run.cfg:2: action.[0].beta: this key is required and missing: add it");
    fails("lattice = { group = \"u1\"; };", "run.cfg:1: lattice.size: this key is required and missing: add it");
    fails("", "run.cfg: lattice.group: this key is required and missing: add it");
}

#define SYNTAX "syntax error: look for a missing quote, bracket, '=' or ';' here and just above"

static void test_hostile(void)
{
    fails("a = 1;\nb = ;\n", "run.cfg:2: " SYNTAX);
    fails("a = (1;\n", "run.cfg:1: " SYNTAX);
    fails("a = 1;\n\na = 2;\n", "run.cfg:3: the same key is set twice: remove one of them");
    fails("a = [1, \"x\"];\n", "run.cfg:1: the elements of [ ] are not of one type: write all of them alike");
    fails("@include \"/etc/passwd\"\n", "run.cfg:1: @include is not supported: write the settings into this file");
    fails("a = \"one\ntwo\n", "run.cfg:1: this string does not end: add the closing quote");
    fails("a = 1; /* no end", "run.cfg:1: this comment does not end: add */");
    fails("a = 1e999;", "run.cfg:1: this number is too large");
    fails("\na = 99999999999999999999;", "run.cfg:2: this number does not fit into 64 bits");
    fails("a = 0xFFFFFFFFFFFFFFFFF;", "run.cfg:1: this number does not fit into 64 bits");
    fails("a = 12abc;", "run.cfg:1: this is not a number: put words between quotes");
    fails("a = .;", "run.cfg:1: this is not a number: put words between quotes");
    fails("a = \"\\x00\";", "run.cfg:1: \\x00 in a string: remove it");
    fails("a = ((((((((((((((((((((((((((((((((( 1 )))))))))))))))))))))))))))))))));",
          "run.cfg:1: brackets are nested too deeply");

    enum { LARGE = (1 << 20) + 1 };
    char *text = lat_alloc(LARGE + 1, 1);
    memset(text, ' ', LARGE);
    fails(text, "run.cfg: a configuration has at most 1048576 bytes");
    enum { VALUES = 20000 };
    for (int i = 0; i < 2 * VALUES; i++) text[i] = i % 2 ? ',' : '1';
    text[2 * VALUES - 1] = '\0';
    char *many = lat_text("a = [%s];", text);
    fails(many, "run.cfg:1: too many keys and values");
    free(many);
    free(text);

    lat_settings *root =
        parse("a = \"x\n@include \\\"/etc/passwd\\\"\ny\"; # @include\n/* @include \"/etc/passwd\"\n */ b = 3;");
    lat_error error = {0};
    ok(root && strcmp(lat_settings_string(root, "a", "", &error), "x\n@include \"/etc/passwd\"\ny") == 0,
       "@include in strings and comments is text");
    lat_settings_int(root, "b", 0, 4, 5, &error);
    ok(strcmp(error.text, "run.cfg:5: b: 3 is too small: the smallest value is 4") == 0,
       "lines are counted through strings and comments");
    lat_settings_free(root);
}

static void test_lists_of_reals(void)
{
    lat_error error = {0}, range = {0}, word = {0};
    lat_settings *root = parse("whole = [1, 2]; mixed = (0.5, 3); far = [0.5, 7.5]; words = [\"a\"];");
    double values[3] = {-1, -2, -3};
    ok(lat_settings_reals(root, "whole", values, 0, 3, 0, 5, &error) == 2 && values[1] == 2, "whole numbers are numbers in lists too");
    ok(lat_settings_reals(root, "mixed", values, 0, 3, 0, 5, &error) == 2 && values[0] == 0.5 && values[1] == 3, "list of numbers");
    ok(lat_settings_reals(root, "absent", values, 2, 3, 0, 5, &error) == 2 && values[0] == 0.5, "default of a list of numbers");
    char *text = lat_settings_print(root);
    ok(error.status == LAT_DONE && strstr(text, "whole = [1.0, 2.0];") && strstr(text, "absent = [0.5, 3.0];"), "lists of numbers are printed");
    ok(lat_settings_reals(root, "far", values, 1, 3, 0, 5, &range) == 1 && values[0] == 0.5 &&
           strcmp(range.text, "run.cfg:1: far.[1]: 7.5 is too large: the largest value is 5") == 0, "%s", range.text);
    ok(lat_settings_reals(root, "words", values, -1, 3, 0, 5, &word) == 0 &&
           strcmp(word.text, "run.cfg:1: words.[0]: is a string, but a number is asked for") == 0, "%s", word.text);
    free(text);
    lat_settings_free(root);
}

static void test_values(void)
{
    lat_error error = {0};
    lat_settings *root =
        parse("i = 99999999999; l = -9223372036854775808L; h = 0x7fffffffffffffff; r = 3; t = 1e-3;\r\n"
              "d = .5; s = \"a\" \"b\\\"\\\\\\n\\x41\"; yes = TRUE; words = (\"p\", \"q\"); none = [];");
    ok(lat_settings_int(root, "i", 0, 0, INT64_MAX, &error) == 99999999999, "64-bit integers need no suffix");
    ok(lat_settings_int(root, "l", 0, INT64_MIN, 0, &error) == INT64_MIN, "smallest integer");
    ok(lat_settings_int(root, "h", 0, 0, INT64_MAX, &error) == INT64_MAX, "largest integer, hexadecimal");
    ok(lat_settings_real(root, "r", 0, 0, 9, &error) == 3.0, "an integer is a real number");
    ok(lat_settings_real(root, "t", 0, 0, 9, &error) == 1e-3, "real with exponent");
    ok(lat_settings_real(root, "d", 0, 0, 9, &error) == 0.5, "real without leading digit");
    ok(strcmp(lat_settings_string(root, "s", "", &error), "ab\"\\\nA") == 0, "escapes in strings");
    ok(lat_settings_bool(root, "yes", false, &error), "boolean");
    const char *words[2];
    ok(lat_settings_strings(root, "words", words, -1, 2, &error) == 2 && strcmp(words[1], "q") == 0, "list of strings");
    int64_t values[2] = {7, 8};
    ok(lat_settings_ints(root, "none", values, 2, 2, 0, 9, &error) == 0, "an empty list has no elements");
    ok(lat_settings_ints(root, "absent", values, 2, 2, 0, 9, &error) == 2 && values[1] == 8, "default of a list");
    ok(lat_settings_choice(root, "kind", "improved", kinds, &error) == 1, "default of a choice");
    ok(lat_settings_real(root, "limit", INFINITY, 0, 1, &error) == INFINITY,
       "default outside the range means: not set");
    ok(!lat_settings_has(root, "limit") && lat_settings_has(root, "kind") && !lat_settings_has(root, "x"), "has");
    ok(lat_settings_finish(root, &error) == LAT_DONE, "all read: %s", error.text);

    int64_t steps = lat_settings_int(root, "i", 5, 0, 10, &error);
    ok(steps == 5 && error.status == LAT_CONFIG, "out of range: the default is returned");
    error = (lat_error){0};
    ok(lat_settings_fail(root, "t", &error, "must be %d", 3) == LAT_CONFIG &&
           strcmp(error.text, "run.cfg:1: t: must be 3") == 0,
       "failure at a key");
    error = (lat_error){0};
    lat_settings *wrong = lat_settings_group(root, "t", &error);
    ok(lat_settings_int(wrong, "x", 4, 0, 9, &error) == 4, "a group that is none can be read: defaults");
    lat_settings_free(root);
}

static void test_nearest(void)
{
    static const char *const words[] = {"plaquette", "charge", "polyakov", NULL};
    ok(strcmp(lat_nearest("Polykov", words), "polyakov") == 0, "nearest word");
    ok(strcmp(lat_nearest("chareg", words), "charge") == 0, "nearest word with an exchange");
    ok(!lat_nearest("x", words + 3), "nearest of none");
}

/* The override is accepted, and the run then prints this line. */
static void overrides(const char *assignment, const char *line)
{
    lat_error error = {0};
    lat_settings *root = parse(run_text);
    lat_settings_override(root, assignment, &error);
    read_run(root, &error);
    char *text = lat_settings_print(root);
    ok(error.status == LAT_DONE && strstr(text, line), "--set %s %s", assignment, error.text);
    free(text);
    lat_settings_free(root);
}

static void override_fails(const char *assignment, lat_status status, const char *message)
{
    lat_error error = {0};
    lat_settings *root = parse(run_text);
    lat_settings_override(root, assignment, &error);
    if (error.status == LAT_DONE) read_run(root, &error);
    bool good = error.status == status && strcmp(error.text, message) == 0;
    ok(good, "%s", message);
    if (!good) printf("# status %d: %s\n", error.status, error.text);
    lat_settings_free(root);
}

static void test_overrides(void)
{
    overrides("chain.steps=20", "    steps = 20;\n    start = \"hot\";");
    overrides("chain.steps = 0x10", "    steps = 16;\n    start = \"hot\";");
    overrides("updates.[1].steps=30", "        steps = 30;\n");
    overrides("updates.[0].model=other-model.h5", "        model = \"other-model.h5\";\n");
    overrides("chain.start=/some/path/23.h5", "    start = \"/some/path/23.h5\";\n");
    overrides("chain.start=\"two words\"", "    start = \"two words\";\n");
    overrides("walltime=45m", "walltime = \"45m\";\n");
    overrides("measure.observables=[\"charge\"]", "measure = {\n    observables = [\"charge\"];\n};\n");
    overrides("lattice.size=[4, 4, 4]", "    size = [4, 4, 4];\n");
    overrides("lattice.size.[1]=32", "    size = [16, 32];\n");
    overrides("updates=()", "updates = [];\n");
    overrides("chain.audit=false", "    audit = false;\n");

    override_fails("chain.stpes=1", LAT_CONFIG,
                   "command line: chain.stpes: unknown key: is 'steps' meant? (known: seed, steps, start, audit)");
    override_fails("new.group.key=1", LAT_CONFIG,
                   "command line: new: unknown key: is 'chain' meant? (known: lattice, action, chain, updates, "
                   "walltime, measure)");
    override_fails("chain.steps=many", LAT_CONFIG,
                   "command line: chain.steps: is a string, but a whole number is asked for");
    override_fails("chain.steps", LAT_USAGE, "--set chain.steps: there is no '=' in it: write path.to.key=value");
    override_fails("=1", LAT_USAGE, "--set =1: '' is no key: write path.to.key=value or list.[0].key=value");
    override_fails("chain steps=1", LAT_USAGE,
                   "--set chain steps=1: 'chain steps' is no key: write path.to.key=value or list.[0].key=value");
    override_fails("chain.=1", LAT_USAGE,
                   "--set chain.=1: '' is no key: write path.to.key=value or list.[0].key=value");
    override_fails("chain.steps.x=1", LAT_USAGE,
                   "--set chain.steps.x=1: 'chain.steps' is a whole number and cannot hold 'x': see --print-config");
    override_fails("updates.steps=1", LAT_USAGE,
                   "--set updates.steps=1: 'updates' is a list and cannot hold 'steps': see --print-config");
    override_fails("updates.[2].steps=1", LAT_USAGE,
                   "--set updates.[2].steps=1: 'updates' has 2 elements, counted from 0: give one of them");
    static const char no_value[] = "not a value: write 1, 0.5, true, word, '\"two words\"' or '[1, 2]'";
    static const char *const bad[] = {"walltime=", "walltime=two words", "walltime=[1, 2", "walltime=1; x = 2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *message = lat_text("--set %s: %s", bad[i], no_value);
        override_fails(bad[i], LAT_USAGE, message);
        free(message);
    }
}

static void test_print(void)
{
    lat_error error = {0};
    lat_settings *root = parse(run_text);
    read_run(root, &error);
    char *first = lat_settings_print(root);
    lat_settings_free(root);
    ok(strcmp(first,
              "lattice = {\n    group = \"u1\";\n    size = [16, 16];\n    ranks = [];\n};\n"
              "action = (\n    {\n        kind = \"wilson\";\n        beta = 6.0;\n    }\n);\n"
              "chain = {\n    seed = 99999999999L;\n    steps = 100;\n    start = \"hot\";\n    audit = true;\n};\n"
              "updates = (\n    {\n        kind = \"flow\";\n        model = \"m.h5\";\n        batch = 64;\n    },\n"
              "    {\n        kind = \"hmc\";\n        trajectory = 1.0;\n        steps = 10;\n    }\n);\n"
              "measure = {\n    observables = [\"plaquette\", \"charge\"];\n};\nwalltime = \"23h30m\";\n") == 0,
       "complete, in the order of reading");
    root = parse(first);
    read_run(root, &error);
    char *second = lat_settings_print(root);
    ok(error.status == LAT_DONE && strcmp(first, second) == 0, "what is printed reads back the same");
    free(first);
    free(second);
    lat_settings_free(root);
}

/* Reals of all magnitudes are printed so that they read back to the last bit. */
static void test_reals(void)
{
    enum { COUNT = 2000 };
    int different = 0;
    for (int i = 0; i < COUNT; i++) {
        uint64_t bits = (uint64_t)(i + 1) * 0x9E3779B97F4A7C15u;
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (i < 8) value = (double[]){0.0, -0.0, 0.1, 1e22, 5e-324, 1.7976931348623157e308, 1.0 / 3.0, -2e-9}[i];
        if (!isfinite(value)) continue;
        lat_error error = {0};
        lat_settings *root = parse("");
        lat_settings_real(root, "x", value, -INFINITY, INFINITY, &error);
        char *text = lat_settings_print(root);
        lat_settings_free(root);
        root = parse(text);
        back = lat_settings_real(root, "x", 0.5, -INFINITY, INFINITY, &error);
        different += value != back || signbit(value) != signbit(back) || error.status != LAT_DONE;
        free(text);
        lat_settings_free(root);
    }
    ok(different == 0, "reals read back to the last bit (%d do not)", different);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_messages();
    test_hostile();
    test_values();
    test_lists_of_reals();
    test_nearest();
    test_overrides();
    test_print();
    test_reals();
    return tap_end();
}
