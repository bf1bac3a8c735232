/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * options.c: command lines by getopt_long.
 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "src/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_HELP = 64, OPTION_VERSION = 128, OPTION_OWN = 1024, OPTIONS = 8, CONFIG_LIMIT = 1 << 20 };

static const char byte_order_mark[] = "\xEF\xBB\xBF"; /* some editors begin a file with it */

/* In the order in which --help lists them. */
static const struct {
    unsigned option;
    const char *name, *argument, *help;
} known[OPTIONS] = {
    {OPTION_SET, "set", "PATH=VALUE", "set one key of the configuration: chain.steps=20, updates.[0].steps=8"},
    {OPTION_OUT, "out", "DIR", "directory of the run"},
    {OPTION_RESUME, "resume", NULL, "go on with the run in that directory, or begin it"},
    {OPTION_DRY_RUN, "dry-run", NULL, "check everything, print memory and layout, and stop"},
    {OPTION_PRINT_CONFIG, "print-config", NULL, "print the complete configuration with every default, and stop"},
    {OPTION_QUIET, "quiet", NULL, "print nothing but failures"},
    {OPTION_HELP, "help", NULL, "print this text; -h is the same"},
    {OPTION_VERSION, "version", NULL, "print the version"},
};

static bool accepts(const options_program *program, int i)
{
    return ((program->accepts | OPTION_HELP | OPTION_VERSION) & known[i].option) != 0;
}

static bool has_own(const options_program *program, int i) { return program->own && i < OPTIONS_OWN && program->own[i].name; }

static void print_option(const char *name, const char *argument, const char *help)
{
    char *left = lat_text("--%s%s%s", name, argument ? " " : "", argument ? argument : "");
    printf("  %-20s %s\n", left, help);
    free(left);
}

static void print_help(const options_program *program)
{
    printf("%s\nOptions:\n", program->usage);
    for (int i = 0; has_own(program, i); i++) print_option(program->own[i].name, program->own[i].argument, program->own[i].help);
    for (int i = 0; i < OPTIONS; i++)
        if (accepts(program, i)) print_option(known[i].name, known[i].argument, known[i].help);
    printf("\nExit codes: 0 done, 2 usage, 3 configuration, 4 file or disk, 5 checksum or format, 6 numerical,\n"
           "7 stopped by a signal, a stop file or the wall-clock limit, with a good checkpoint.\n");
}

/* word: an option with its dashes and, possibly, =value. */
static void fail_unknown(const options_program *program, const char *word, lat_error *error)
{
    const char *names[OPTIONS + OPTIONS_OWN + 1] = {0};
    int count = 0;
    for (int i = 0; has_own(program, i); i++) names[count++] = program->own[i].name;
    for (int i = 0; i < OPTIONS; i++)
        if (accepts(program, i)) names[count++] = known[i].name;
    char name[32];
    const char *bare = word + strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
    const char *meant = lat_nearest(name, names);
    for (int i = count - 1; i >= 0 && bare == word + 1; i--)
        if (names[i][0] == bare[0]) meant = names[i];
    lat_fail(error, LAT_USAGE, "unknown option '%.100s': is --%s meant? %s --help lists all", word, meant,
             program->name);
}

static void take(options *options, unsigned option, char *value)
{
    if (option >= OPTION_OWN) {
        options->own[option - OPTION_OWN] = value ? value : "";
        return;
    }
    switch (option) {
    case OPTION_SET: options->set[options->set_count++] = value; break;
    case OPTION_OUT: options->out = value; break;
    case OPTION_RESUME: options->resume = true; break;
    case OPTION_DRY_RUN: options->dry_run = true; break;
    case OPTION_PRINT_CONFIG: options->print_config = true; break;
    default: options->quiet = true;
    }
}

int options_rank(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value) return atoi(value);
    }
    return 0;
}

/* The first of --help and --version that is met is answered, and the rest of the line ignored. */
static void answer(options *options, unsigned option)
{
    options->done = true;
    if (options_rank() > 0) return;
    if (option == OPTION_HELP)
        print_help(options->program);
    else
        printf("%s %s\n", options->program->name, PACKAGE_VERSION);
}

static void read_options(int argc, char **argv, options *options, lat_error *error)
{
    struct option table[OPTIONS + OPTIONS_OWN + 1] = {{0}};
    int count = 0;
    for (int i = 0; has_own(options->program, i); i++) {
        const options_own *own = &options->program->own[i];
        table[count++] = (struct option){own->name, own->argument ? required_argument : no_argument, NULL, OPTION_OWN + i};
    }
    for (int i = 0; i < OPTIONS; i++)
        if (accepts(options->program, i))
            table[count++] = (struct option){known[i].name, known[i].argument ? required_argument : no_argument, NULL,
                                             (int)known[i].option};
    opterr = 0;
    optind = 0; /* so that a command line can be read more than once */
    while (error->status == LAT_DONE) {
        int before = optind > 0 ? optind : 1;
        int option = getopt_long(argc, argv, ":h", table, NULL);
        const char *word = argv[optind > before ? optind - 1 : before];
        if (option < 0) return;
        if (option == '?' && optopt >= OPTION_SET && strchr(word, '='))
            lat_fail(error, LAT_USAGE, "option '%.100s' takes no value: leave it out", word);
        else if (option == '?')
            fail_unknown(options->program, word, error);
        else if (option == ':')
            lat_fail(error, LAT_USAGE, "option '%.100s' needs a value: see %s --help", word, options->program->name);
        else if (option == OPTION_HELP || option == 'h' || option == OPTION_VERSION) {
            answer(options, option == 'h' ? OPTION_HELP : (unsigned)option);
            return;
        } else {
            take(options, (unsigned)option, optarg);
        }
    }
}

lat_status options_parse(int argc, char **argv, const options_program *program, options *options, lat_error *error)
{
    memset(options, 0, sizeof *options);
    options->program = program;
    options->set = lat_alloc(argc + 1, sizeof *options->set);
    read_options(argc, argv, options, error);
    if (error->status != LAT_DONE || options->done) return error->status;
    options->argument = argv + optind;
    options->argument_count = argc - optind;
    if (options->argument_count < program->least)
        return lat_fail(error, LAT_USAGE, "a file is missing on the command line: see %s --help", program->name);
    if (program->most >= 0 && options->argument_count > program->most)
        return lat_fail(error, LAT_USAGE, "'%.100s' is one argument too many: see %s --help",
                        options->argument[program->most], program->name);
    return LAT_DONE;
}

lat_status options_settings(const options *options, MPI_Comm comm, const char *path, const char *text,
                            lat_settings **root, lat_error *error)
{
    *root = NULL;
    char *bytes = NULL;
    int64_t size = 0;
    if (path) {
        if (lat_file_read(comm, path, CONFIG_LIMIT, &bytes, &size, error) != LAT_DONE) return error->status;
        if (memchr(bytes, '\0', (size_t)size))
            lat_fail(error, LAT_CONFIG, "%.200s: there are NUL bytes in it: give a text file", path);
        text = bytes;
    }
    if (text && strncmp(text, byte_order_mark, strlen(byte_order_mark)) == 0) text += strlen(byte_order_mark);
    if (error->status == LAT_DONE) lat_settings_parse(text, path ? path : "built-in configuration", root, error);
    for (int i = 0; i < options->set_count && error->status == LAT_DONE; i++)
        lat_settings_override(*root, options->set[i], error);
    free(bytes);
    return error->status;
}

int options_finish(options *options, lat_error *error)
{
    int running = 0;
    MPI_Initialized(&running);
    MPI_Comm comm = running ? MPI_COMM_WORLD : MPI_COMM_NULL;
    int rank = running ? lat_rank(comm) : options_rank();
    if (fflush(stdout) != 0 || ferror(stdout))
        lat_fail(error, LAT_FILE, "standard output: could not be written: is its disk full?");
    lat_agree(comm, error);
    if (rank == 0 && error->status != LAT_DONE) fprintf(stderr, "%s: %s\n", options->program->name, error->text);
    free(options->set);
    options->set = NULL;
    if (running) MPI_Finalize();
    return error->status;
}
