/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 * # ranks: 1 2 4
 *
 * checkpoint.c: histories and checkpoints come back to the bit, have the same bytes for the same contents, and are
 * refused when they are damaged or belong to another run.
 */
#define _GNU_SOURCE
#include "tests/tap.h"

#include "hmc/hmc.h"

#include <errno.h>
#include <unistd.h>

static const char config[] = "lattice = { size = [8, 4]; };\nchain = { seed = 1; };\n";
static const uint32_t checksum = 4000000000u;

/* Those of the run, anew for each call. */
static mc_ties *tied(void)
{
    static mc_ties ties;
    ties = (mc_ties){config, "avx512, gcc 12", checksum};
    return &ties;
}

static char directory[256];

static char *in_directory(const char *name) { return lat_text("%s/%s", directory, name); }

static void make_directory(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/flowhmc-checkpoint-XXXXXX", base ? base : "/tmp");
    if (tap.rank == 0 && !mkdtemp(directory)) lat_abort(LAT_FILE, "%s: %s", directory, strerror(errno));
    MPI_Bcast(directory, sizeof directory, MPI_BYTE, 0, MPI_COMM_WORLD);
}

static void say(const lat_error *error)
{
    if (tap.rank == 0) printf("# %s\n", error->text);
}

static bool same_files(const char *a, const char *b)
{
    lat_error error = {0};
    char *bytes[2];
    int64_t size[2];
    bool same = lat_file_read(MPI_COMM_WORLD, a, 1 << 24, &bytes[0], &size[0], &error) == LAT_DONE &&
                lat_file_read(MPI_COMM_WORLD, b, 1 << 24, &bytes[1], &size[1], &error) == LAT_DONE &&
                size[0] == size[1] && memcmp(bytes[0], bytes[1], (size_t)size[0]) == 0;
    free(bytes[0]);
    free(bytes[1]);
    return same;
}

/* -------------------------------------------------------------------------------------------------------- histories */

static mc_history *make_history(int rows)
{
    mc_history *history = mc_history_create(2, 3);
    mc_history_name(history, 0, "plaquette");
    mc_history_name(history, 1, "charge_squared_of_more_than_thirty_one_characters");
    history->first_step = 100;
    history->every = 5;
    for (int row = 0; row < rows; row++) {
        double values[6];
        for (int i = 0; i < 6; i++) values[i] = i == 4 ? NAN : 10 * row + i + 0.1;
        mc_history_append(history, values);
    }
    return history;
}

static bool same_histories(const mc_history *a, const mc_history *b)
{
    bool same = a->columns == b->columns;
    for (int c = 0; same && c < a->columns; c++) same = strcmp(a->name[c], b->name[c]) == 0;
    return same && a->replicas == b->replicas && a->rows == b->rows && a->first_step == b->first_step && a->every == b->every &&
           (a->rows == 0 || memcmp(a->value, b->value, (size_t)a->rows * 6 * sizeof(double)) == 0);
}

static void test_history(int rows)
{
    lat_error error = {0};
    char *path = in_directory("history.h5"), *again = in_directory("again.h5");
    mc_history *history = make_history(rows), *back = NULL;
    ok_all(mc_history_write(MPI_COMM_WORLD, path, history, &error) == LAT_DONE &&
               mc_history_read(MPI_COMM_WORLD, path, &back, &error) == LAT_DONE,
           "a history of %d rows is written and read", rows);
    say(&error);
    ok_all(back && same_histories(history, back), "and comes back");
    const double more[6] = {1, 2, 3, 4, 5, 6};
    mc_history_append(history, more);
    mc_history_append(back, more);
    ok_all(mc_history_write(MPI_COMM_WORLD, path, history, &error) == LAT_DONE &&
               mc_history_write(MPI_COMM_WORLD, again, back, &error) == LAT_DONE && same_files(path, again),
           "goes on after it was read, with the same bytes");
    double *series = lat_alloc(history->rows, sizeof *series);
    mc_history_series(back, 1, 2, series);
    ok_all(series[rows] == 6 && (rows == 0 || series[rows - 1] == 10 * (rows - 1) + 5.1), "a series");
    free(series);
    mc_history_free(history);
    mc_history_free(back);
}

typedef enum { NOTHING, STEPS, NAME, TWICE, SHORT, REPLICAS, COLUMN, HISTORY_FAULTS } history_fault;

static void test_history_faults(void)
{
    static const char *const names[] = {"nothing",        "a gap in the steps", "a name too long", "a name twice",
                                        "a short column", "no replicas",        "no column"};
    char *path = in_directory("faulty.h5");
    for (history_fault f = NOTHING; f < HISTORY_FAULTS; f++) {
        lat_error error = {0};
        mc_history *back;
        const double step[] = {5, f == STEPS ? 7 : 6}, values[] = {1, 2, 3, 4};
        lat_h5 *file = lat_h5_create(MPI_COMM_WORLD, path, "history");
        char *long_name = lat_text("a %0300d", 0);
        lat_h5_put_text(file, "columns", f == NAME ? long_name : f == TWICE ? "a a" : "a b");
        free(long_name);
        lat_h5_put_int(file, "replicas", f == REPLICAS ? 0 : 2);
        lat_h5_put_int(file, "first_step", 5);
        lat_h5_put_int(file, "every", 1);
        lat_h5_put_reals(file, "step", 1, (int64_t[]){2}, step);
        lat_h5_put_reals(file, "a", 2, (int64_t[]){2, 2}, values);
        if (f != COLUMN) lat_h5_put_reals(file, "b", 2, (int64_t[]){f == SHORT ? 1 : 2, 2}, values);
        lat_h5_finish(file, &error);
        lat_status status = mc_history_read(MPI_COMM_WORLD, path, &back, &error);
        ok_all(f == NOTHING ? status == LAT_DONE : status == LAT_FORMAT && !back, "history with %s", names[f]);
        say(&error);
        mc_history_free(back);
    }
}

/* ------------------------------------------------------------------------------------------------------ checkpoints */

enum { UPDATES = 3, REPLICAS_OF_CHAIN = 3 };

static void fill_links(mc_chain *chain, double factor)
{
    lat_field *links = chain->state->gauge->links;
    int64_t count = chain->geometry->volume * links->components;
    double *values = lat_alloc(count, sizeof *values);
    for (int m = 0; m < mc_replicas(chain->state); m++) {
        for (int64_t i = 0; i < count; i++) values[i] = factor * (double)(i + 1) / (m + 7);
        lat_field_scatter(links, m, values);
    }
    free(values);
}

static mc_chain make_chain(int64_t extent, double factor)
{
    lat_error error = {0};
    mc_chain chain = {.thermalise = 0};
    lat_shape shape = {.dim = 2, .size = {extent, 4}, .members = REPLICAS_OF_CHAIN};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &chain.geometry, &error) != LAT_DONE)
        lat_abort(error.status, "%s", error.text);
    chain.state = mc_state_create(chain.geometry, LAT_U1, NULL, NULL, NULL, 1);
    chain.state->step = 1234;
    chain.state->gauge->version = 99;
    fill_links(&chain, factor);
    return chain;
}

static void free_chain(mc_chain *chain)
{
    mc_state_free(chain->state);
    lat_geometry_free(chain->geometry);
}

static bool same_links(const mc_chain *a, const mc_chain *b)
{
    const lat_field *mine = a->state->gauge->links, *other = b->state->gauge->links;
    int64_t count = a->geometry->volume * mine->components;
    double *x = lat_alloc(2 * count, sizeof *x);
    bool same = true;
    for (int m = 0; m < mc_replicas(a->state); m++) {
        lat_field_gather(mine, m, x);
        lat_field_gather(other, m, x + count);
        same = same && memcmp(x, x + count, (size_t)count * sizeof *x) == 0;
    }
    free(x);
    return same;
}

static const mc_update_table nothing = {.name = "nothing"};

/* Updates with 0, 2 and 4 numbers of state. */
static void make_updates(mc_update update[UPDATES], mc_update *list[UPDATES], double *state, double value)
{
    for (int i = 0; i < UPDATES; i++) {
        update[i] = (mc_update){.table = &nothing, .index = i, .memory_count = 2 * i, .memory = state + i * (i - 1)};
        for (int j = 0; j < 2 * i; j++) update[i].memory[j] = value * (10 * i + j);
        list[i] = &update[i];
    }
}

static void test_round_trip(void)
{
    lat_error error = {0};
    char *path = in_directory("checkpoint.h5"), *again = in_directory("again.h5");
    mc_chain chain = make_chain(8, 0.01), back = make_chain(8, 0);
    mc_update update[2][UPDATES], *list[2][UPDATES];
    double state[2][6];
    make_updates(update[0], list[0], state[0], 0.1);
    make_updates(update[1], list[1], state[1], 0);
    back.state->step = back.state->gauge->version = 0;
    ok_all(mc_checkpoint_write(path, &chain, list[0], UPDATES, tied(), &error) == LAT_DONE, "a checkpoint is written");
    say(&error);
    mc_ties ties = {.config = config};
    ok_all(mc_checkpoint_read(path, &back, list[1], UPDATES, &ties, &error) == LAT_DONE, "and read");
    ok_all(strcmp(ties.build, tied()->build) == 0 && ties.history == checksum, "the build and the checksum of the history come back");
    free((char *)(uintptr_t)ties.build);
    say(&error);
    ok_all(same_links(&chain, &back), "the links come back");
    ok_all(back.state->step == 1234 && back.state->gauge->version == 99, "the step comes back");
    ok_all(memcmp(state[0], state[1], sizeof state[0]) == 0, "the state of the updates comes back");
    ok_all(mc_checkpoint_write(again, &back, list[1], UPDATES, tied(), &error) == LAT_DONE && same_files(path, again),
           "what was read is written with the same bytes");
    free_chain(&chain);
    free_chain(&back);
}

/* What is asked of a good checkpoint in the wrong way, and how it is refused. */
static void test_other_runs(void)
{
    char *path = in_directory("checkpoint.h5");
    mc_chain chain = make_chain(8, 0), other = make_chain(4, 0);
    mc_update update[UPDATES], *list[UPDATES];
    double state[6];
    make_updates(update, list, state, 0);
    lat_error error = {0};
    ok_all(mc_checkpoint_read(path, &chain, list, UPDATES, &(mc_ties){"lattice = { size = [8, 4]; };\nchain = { seed = 2; };\n", "", 0}, &error) == LAT_CONFIG &&
               strstr(error.text, "line 2") && strstr(error.text, "seed = 2"),
           "another configuration: LAT_CONFIG, naming the line");
    say(&error);
    error = (lat_error){0};
    ok_all(mc_checkpoint_read(path, &chain, list, UPDATES, &(mc_ties){"lattice = { size = [8, 4]; };\n", "", 0}, &error) == LAT_CONFIG,
           "a shorter configuration: LAT_CONFIG");
    say(&error);
    error = (lat_error){0};
    ok_all(mc_checkpoint_read(path, &chain, list, UPDATES - 1, tied(), &error) == LAT_FORMAT,
           "other updates: LAT_FORMAT");
    say(&error);
    error = (lat_error){0};
    list[1]->memory_count = 1;
    ok_all(mc_checkpoint_read(path, &chain, list, UPDATES, tied(), &error) == LAT_FORMAT, "other state: LAT_FORMAT");
    say(&error);
    error = (lat_error){0};
    list[1]->memory_count = 2;
    ok_all(mc_checkpoint_read(path, &other, list, UPDATES, tied(), &error) == LAT_FORMAT, "other extents: LAT_FORMAT");
    say(&error);
    error = (lat_error){0};
    ok_all(mc_checkpoint_read(in_directory("history.h5"), &chain, list, UPDATES, tied(), &error) == LAT_FORMAT,
           "a history: LAT_FORMAT");
    say(&error);
    error = (lat_error){0};
    ok_all(mc_checkpoint_read(in_directory("none.h5"), &chain, list, UPDATES, tied(), &error) == LAT_FILE,
           "missing: LAT_FILE");
    say(&error);
    free_chain(&chain);
    free_chain(&other);
}

/* NaN in the links must not replace a good checkpoint. */
static void test_not_finite(void)
{
    char *path = in_directory("checkpoint.h5"), *copy = in_directory("copy.h5");
    mc_chain chain = make_chain(8, NAN);
    mc_update update[UPDATES], *list[UPDATES];
    double state[6];
    lat_error error = {0};
    char *bytes;
    int64_t size;
    make_updates(update, list, state, 0);
    lat_file_read(MPI_COMM_WORLD, path, 1 << 24, &bytes, &size, &error);
    lat_file_write(MPI_COMM_WORLD, copy, bytes, size, &error);
    ok_all(mc_checkpoint_write(path, &chain, list, UPDATES, tied(), &error) == LAT_NUMERICAL && same_files(path, copy),
           "NaN: LAT_NUMERICAL, and the last checkpoint stays");
    say(&error);
    free(bytes);
    free_chain(&chain);
}

/* A sample of lengths and bits. */
static void test_damage(void)
{
    enum { TRIES = 24 };
    char *path = in_directory("checkpoint.h5"), *damaged = in_directory("damaged.h5"), *bytes;
    mc_chain chain = make_chain(8, 0);
    mc_update update[UPDATES], *list[UPDATES];
    double state[6];
    lat_error error = {0};
    int64_t size;
    int refused = 0;
    make_updates(update, list, state, 0);
    lat_file_read(MPI_COMM_WORLD, path, 1 << 24, &bytes, &size, &error);
    for (int i = 0; i < TRIES; i++) {
        lat_error damage = {0};
        int64_t place = i * (size - 1) / (TRIES - 1);
        if (i % 2) bytes[place] ^= 1;
        lat_file_write(MPI_COMM_WORLD, damaged, bytes, i % 2 ? size : place, &error);
        refused += mc_checkpoint_read(damaged, &chain, list, UPDATES, tied(), &damage) == LAT_FORMAT;
        if (i % 2) bytes[place] ^= 1;
    }
    ok_all(refused == TRIES && chain.state->step == 1234, "%d truncated or changed checkpoints are LAT_FORMAT", (int)TRIES);
    free(bytes);
    free_chain(&chain);
}

static void remove_directory(void)
{
    char *command = lat_text("rm -r '%s'", directory);
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0 && system(command) != 0) printf("# %s is left\n", directory);
    free(command);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    make_directory();
    test_history(0);
    test_history(3);
    test_history(5000);
    test_history_faults();
    test_round_trip();
    test_other_runs();
    test_not_finite();
    test_damage();
    remove_directory();
    return tap_end();
}
