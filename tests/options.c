/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * options.c: command lines, durations, values with errors, tables and progress lines.
 * # ranks: 1 2
 */
#include "tests/tap.h"

#include "src/options.h"
#include "src/progress.h"
#include "src/signals.h"
#include "src/table.h"

static const options_program flowhmc = {"flowhmc", "Usage: flowhmc [OPTION]... [RUN.cfg]\n", OPTION_ALL, 0, 1, NULL};
static const options_program flowstat = {"flowstat", "Usage: flowstat FILE...\n", OPTION_QUIET, 1, -1, NULL};
static const options_own own[] = {{"check", NULL, "verify"}, {"format", "NAME", "format of OUT"}, {0}};
static const options_program flowconv = {"flowconv", "Usage: flowconv IN OUT\n", OPTION_QUIET, 1, 2, own};

enum { MAX_WORDS = 10 };

/* Words separated by blanks, as after the name of the program. */
static lat_status parse(const options_program *program, const char *line, options *options, lat_error *error)
{
    static char text[200];
    static char *words[MAX_WORDS + 1];
    int count = 0;
    snprintf(text, sizeof text, "%s %s", program->name, line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) words[count++] = word;
    words[count] = NULL;
    *error = (lat_error){0};
    return options_parse(count, words, program, options, error);
}

static void fails(const options_program *program, const char *line, const char *message)
{
    options options;
    lat_error error;
    parse(program, line, &options, &error);
    bool good = error.status == LAT_USAGE && strcmp(error.text, message) == 0;
    ok_all(good, "%s %s: %s", program->name, line, message);
    if (!good && tap.rank == 0) printf("# status %d: %s\n", error.status, error.text);
    free(options.set);
}

static void test_command_lines(void)
{
    options options;
    lat_error error;
    parse(&flowhmc, "--set a.b=1 run.cfg --out dir --resume --set c=2 --quiet", &options, &error);
    ok_all(error.status == LAT_DONE && options.resume && options.quiet && !options.dry_run && !options.print_config &&
               !options.done && strcmp(options.out, "dir") == 0,
           "options");
    ok_all(options.set_count == 2 && strcmp(options.set[0], "a.b=1") == 0 && strcmp(options.set[1], "c=2") == 0,
           "--set is repeatable");
    ok_all(options.argument_count == 1 && strcmp(options.argument[0], "run.cfg") == 0, "argument among options");
    free(options.set);
    parse(&flowhmc, "--dry-run --print-config --out=x", &options, &error);
    ok_all(options.dry_run && options.print_config && strcmp(options.out, "x") == 0 && options.argument_count == 0,
           "option=value");
    free(options.set);
    parse(&flowstat, "a b -- --c", &options, &error);
    ok_all(options.argument_count == 3 && strcmp(options.argument[2], "--c") == 0, "arguments after --");
    free(options.set);

    parse(&flowconv, "a --format x --check --quiet", &options, &error);
    ok_all(options.own[0] && !*options.own[0] && strcmp(options.own[1], "x") == 0 && !options.own[2] && options.quiet &&
               options.argument_count == 1, "options of one program");
    free(options.set);
    parse(&flowconv, "a", &options, &error);
    ok_all(!options.own[0] && !options.own[1], "that are not given");
    free(options.set);

    fails(&flowconv, "--chek", "unknown option '--chek': is --check meant? flowconv --help lists all");
    fails(&flowconv, "--format", "option '--format' needs a value: see flowconv --help");
    fails(&flowconv, "--check=no a", "option '--check=no' takes no value: leave it out");
    fails(&flowhmc, "--check", "unknown option '--check': is --help meant? flowhmc --help lists all");
    fails(&flowhmc, "--resum-e", "unknown option '--resum-e': is --resume meant? flowhmc --help lists all");
    fails(&flowhmc, "run.cfg --otu=dir", "unknown option '--otu=dir': is --out meant? flowhmc --help lists all");
    parse(&flowhmc, "--quiet -h", &options, &error);
    ok_all(options.done && error.status == LAT_DONE, "-h is --help");
    free(options.set);
    fails(&flowhmc, "--quiet -p", "unknown option '-p': is --print-config meant? flowhmc --help lists all");
    fails(&flowhmc, "-rx --quiet", "unknown option '-rx': is --resume meant? flowhmc --help lists all");
    fails(&flowhmc, "--out", "option '--out' needs a value: see flowhmc --help");
    fails(&flowhmc, "--resume=yes", "option '--resume=yes' takes no value: leave it out");
    fails(&flowhmc, "a.cfg b.cfg", "'b.cfg' is one argument too many: see flowhmc --help");
    fails(&flowstat, "", "a file is missing on the command line: see flowstat --help");
    fails(&flowstat, "--resume", "unknown option '--resume': is --quiet meant? flowstat --help lists all");
}

static void test_settings(void)
{
    options options;
    lat_error error;
    lat_settings *root;
    parse(&flowhmc, "--set chain.steps=20 --set start=cold", &options, &error);
    options_settings(&options, MPI_COMM_WORLD, NULL, "chain = { steps = 10; };", &root, &error);
    lat_settings *chain = lat_settings_group(root, "chain", &error);
    ok_all(lat_settings_int(chain, "steps", 1, 0, 100, &error) == 20 &&
               strcmp(lat_settings_string(root, "start", "hot", &error), "cold") == 0 && error.status == LAT_DONE,
           "built-in configuration with --set");
    lat_settings_free(root);
    options_settings(&options, MPI_COMM_WORLD, NULL, "\xEF\xBB\xBF" "chain = { steps = 10; };", &root, &error);
    ok_all(root && error.status == LAT_DONE, "a byte-order mark before the configuration");
    lat_settings_free(root);
    options_settings(&options, MPI_COMM_WORLD, "no/such/file.cfg", NULL, &root, &error);
    ok_all(error.status == LAT_FILE && !root, "no such configuration: %s", error.text);
    free(options.set);
}

static void test_walltime(void)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {{"23h30m", 84600}, {"45m", 2700}, {"90s", 90},  {"2d", 172800},     {"1d2h3m4s", 93784}, {"0s", 0},
                 {"", -1},          {"90", -1},    {"1h1h", -1}, {"30m2h", -1},      {"h", -1},           {"-1h", -1},
                 {"1.5h", -1},      {"1h ", -1},   {"1w", -1},   {"9999999999s", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ok_all(walltime_seconds(cases[i].text) == cases[i].seconds, "'%s' is %lld seconds", cases[i].text,
               (long long)cases[i].seconds);
    lat_error error = {0};
    lat_settings *root;
    lat_settings_parse("\nwalltime = \"soon\";", "run.cfg", &root, &error);
    ok_all(walltime_read(root, &error) == 0 && error.status == LAT_CONFIG &&
               strcmp(error.text, "run.cfg:2: walltime: 'soon' is no duration: write \"23h30m\", \"45m\", \"90s\" or "
                                  "\"2d\"") == 0,
           "a walltime that is none is an error of the configuration");
    lat_settings_free(root);
}

static void is_format(double value, double error, const char *expected)
{
    char *text = table_format(value, error);
    ok_all(strcmp(text, expected) == 0, "%s", expected);
    if (strcmp(text, expected) != 0 && tap.rank == 0) printf("# %.17g with error %.17g: %s\n", value, error, text);
    free(text);
}

static void test_values(void)
{
    is_format(0.925534, 0.000123, "0.92553(12)");
    is_format(-0.925534, 0.000123, "-0.92553(12)");
    is_format(0.925534, 0.00996, "0.926(10)");
    is_format(12.3456, 4.56, "12.3(4.6)");
    is_format(12.3456, 9.96, "12(10)");
    is_format(1234.4, 56.4, "1234(56)");
    is_format(1234.4, 560.0, "1234(560)");
    is_format(0.0, 0.012, "0.000(12)");
    is_format(0.001, 0.5, "0.00(50)");
    is_format(0.1, 1.0, "0.1(1.0)");
    is_format(1.2346e-7, 5.6e-9, "1.235(56)e-07");
    is_format(3.25e8, 4.4e6, "3.250(44)e+08");
    is_format(0.5, 0.0, "0.5");
    is_format(0.5, NAN, "0.5");
    is_format(NAN, 0.1, "-");
    is_format(1.0, 1e-20, "1");
    is_format(-0.0, 0.0, "0");
    is_format(-0.0, 0.012, "0.000(12)");
    is_format(-1e-5, 0.012, "0.000(12)");
    is_format(-0.4, 34.0, "0(34)");
    is_format(-0.2, 56.0, "0(56)");
    is_format(-1.2e-12, 5.6e-9, "0.0(5.6)e-09");
    is_format(-0.06, 1.0, "-0.1(1.0)");
    is_format(-75.235, 0.029001, "-75.235(29)");
}

static void test_table(void)
{
    static const char *const headings[] = {"observable", "value", "tau_int"};
    table *table = table_create(3, headings);
    table_cell(table, "plaquette");
    table_value(table, 0.925534, 0.000123);
    table_number(table, 0.5);
    table_cell(table, "Q²");
    table_value(table, 1.25, 0.11);
    table_number(table, NAN);
    char *text = table_text(table);
    ok_all(strcmp(text, "observable        value  tau_int\n"
                        "--------------------------------\n"
                        "plaquette   0.92553(12)      0.5\n"
                        "Q²             1.25(11)        -\n") == 0,
           "table");
    free(text);
    table_free(table);
}

/* No line is longer than 80 characters, and the first column stands before all others. */
static void test_wide_table(void)
{
    static const char *const headings[] = {"observable", "mean", "tau_int", "window", "n", "variance", "core-s/sample"};
    table *table = table_create(7, headings);
    table_cell(table, "polyakov_correlator_imaginary");
    for (int i = 1; i < 7; i++) table_value(table, 1.2346e-7, 5.6e-9);
    char *text = table_text(table);
    int lines = 0, names = 0;
    bool narrow = true;
    for (char *line = text; *line; lines++) {
        size_t length = strcspn(line, "\n");
        narrow = narrow && length <= 80;
        names += strncmp(line, "polyakov_correlator_imaginary  ", 31) == 0;
        line += length + 1;
    }
    ok_all(narrow && names == 2 && lines == 7 && strstr(text, "core-s/sample\n"), "a wide table comes in two parts");
    free(text);
    table_free(table);
}

static void test_progress(void)
{
    char duration[16];
    const double seconds[] = {7, 250, 3900, 183600, INFINITY};
    const char *const expected[] = {"7s", "4m10s", "1h05m", "2d03h", "99 days or more"};
    for (int i = 0; i < 5; i++) {
        progress_duration(seconds[i], duration);
        ok_all(strcmp(duration, expected[i]) == 0, "%s", expected[i]);
    }

    char *text = NULL;
    size_t size = 0;
    progress progress;
    progress_start(&progress, "step", 500, 1500, false);
    progress.terminal = false;
    progress.out = open_memstream(&text, &size);
    for (int step = 501; step <= 1500; step++)
        if (progress_due(&progress, step)) progress_show(&progress, step, "acceptance %.2f", 0.5);
    progress_finish(&progress);
    fclose(progress.out);
    int lines = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    ok_all(lines == 10 && strncmp(text, "step 600/1500 (40 %)  ", 22) == 0 && strstr(text, "  acceptance 0.50\n") &&
               strstr(text, "step 1500/1500 (100 %)") && !strchr(text, '\r'),
           "a plain line every tenth of the way");
    free(text);
    progress_start(&progress, "step", 0, 10, false);
    progress_to_stderr(&progress);
    progress.terminal = false;
    bool before = progress_due(&progress, 10);
    progress.last -= 31;
    ok_all(progress.out == stderr && !before && progress_due(&progress, 1), "beside results, a line in 30 seconds");
    progress_start(&progress, "step", 0, 10, true);
    ok_all(!progress_due(&progress, 10), "silence");
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_command_lines();
    test_settings();
    test_walltime();
    test_values();
    test_table();
    test_wide_table();
    test_progress();
    return tap_end();
}
