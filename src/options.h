/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * options.h: the command line that the programs share, their configuration, and the way they end.
 *
 *     int main(int argc, char **argv)
 *     {
 *         options options;
 *         lat_error error = {0};
 *         if (options_parse(argc, argv, &flowhmc, &options, &error) == LAT_DONE && !options.done) {
 *             lat_start(&argc, &argv);
 *             work(&options, &error);
 *         }
 *         return options_finish(&options, &error);
 *     }
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "lattice/lattice.h"

/* Options that a program takes besides --help and --version. */
enum {
    OPTION_SET = 1,
    OPTION_OUT = 2,
    OPTION_RESUME = 4,
    OPTION_DRY_RUN = 8,
    OPTION_PRINT_CONFIG = 16,
    OPTION_QUIET = 32,
    OPTION_ALL = 63,
};

/* An option that only one program has. */
typedef struct {
    const char *name, *argument, *help; /* argument NULL: it takes no value */
} options_own;
enum { OPTIONS_OWN = 16 };

typedef struct {
    const char *name;  /* "flowhmc" */
    const char *usage; /* text of --help, with an example; the common options are added */
    unsigned accepts;  /* OPTION_... */
    int least, most;   /* number of arguments that are no options; most < 0: any number */
    const options_own *own; /* up to an entry without a name, at most OPTIONS_OWN; NULL: none */
} options_program;

typedef struct {
    const options_program *program;
    bool done; /* --help or --version was answered: nothing is left to do */
    bool resume, dry_run, print_config, quiet;
    const char *out; /* NULL: not given */
    int set_count;
    char **set; /* assignments, in the order given */
    const char *own[OPTIONS_OWN]; /* values of the program's own options; "" for those without; NULL: not given */
    int argument_count;
    char **argument;
} options;

/* Local, so that help is given where MPI cannot start.  LAT_USAGE, with the nearest option, if the command line is not
 * understood. */
lat_status options_parse(int argc, char **argv, const options_program *program, options *options, lat_error *error);
/* The configuration of the file path or, if that is NULL, of text, with the overrides of --set.  Collective. */
lat_status options_settings(const options *options, MPI_Comm comm, const char *path, const char *text,
                            lat_settings **root, lat_error *error);
/* The rank of this process as its launcher (mpirun, srun) tells it, before MPI has started; 0 without a launcher. */
int options_rank(void);
/* Ends the program: agrees on the failure, prints it once as "NAME: text", finalises MPI if it was started and returns the
 * exit code. */
int options_finish(options *options, lat_error *error);

#endif
