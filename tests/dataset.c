/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * dataset: columns of text and run directories as series, and what is refused.
 */
#include "flows/flows.h"
#include "hmc/hmc.h"
#include "src/dataset.h"
#include "tests/tap.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "dataset.XXXXXX";

/* Collective: folder/name with these bytes. */
static char *write_file(const char *name, const char *bytes, size_t size)
{
    char *path = lat_text("%s/%s", folder, name);
    if (tap.rank == 0) {
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
            lat_abort(LAT_FILE, "%s: not written", path);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    return path;
}

static lat_status read_bytes(const char *bytes, size_t size, int64_t skip, dataset **set, lat_error *error)
{
    char *path = write_file("table.dat", bytes, size);
    *error = (lat_error){0};
    dataset_read(path, skip, set, error);
    MPI_Barrier(MPI_COMM_WORLD);
    free(path);
    return error->status;
}

static lat_status read_string(const char *text, int64_t skip, dataset **set, lat_error *error)
{
    return read_bytes(text, strlen(text), skip, set, error);
}

static void test_text(void)
{
    dataset *set;
    lat_error error;
    read_string("# made by hand\n\n  plaquette\tcharge \r\n0.5 -1\r\n 0.625\t2 # a remark\n#7 7\n.75e0 3", 0, &set,
                &error);
    ok_all(set && set->columns == 2 && set->replicas == 1 && set->rows[0] == 3 && set->entries == 3,
           "text: 2 columns of 3 rows");
    ok_all(set && strcmp(set->column[0], "plaquette") == 0 && strcmp(set->column[1], "charge") == 0,
           "text: named columns");
    ok_all(set && set->series[0][0] == 0.5 && set->series[0][2] == 0.75 && set->series[1][0] == -1 &&
               set->series[1][2] == 3,
           "text: values");
    ok_all(set && isnan(set->core_seconds) && !set->updates, "text: no cost, no updates");
    dataset_free(set);
    read_string("1 2 3\n4 5 6\n7 8 9\n", 2, &set, &error);
    ok_all(set && set->rows[0] == 1 && set->series[2][0] == 9 && strcmp(set->column[2], "column3") == 0,
           "text: columns without names, 2 rows skipped");
    dataset_free(set);
}

/* Bytes that mean the same two columns of three rows, 1.5 -2, 0.001 1e-103, 3 4, with or without names. */
static void test_spellings(void)
{
    static const struct {
        const char *text, *what;
    } spelling[] = {
        {"1.5 -2\n1e-3 1e-103\n3 4\n", "plain"},
        {"\xEF\xBB\xBF"
         "1.5 -2\n1e-3 1e-103\n3 4\n",
         "a byte-order mark"},
        {"\xEF\xBB\xBF"
         "a b\n1.5 -2\n1e-3 1e-103\n3 4\n",
         "a byte-order mark before names"},
        {"1.5 -2\r\n1e-3 1e-103\r\n\r\n3 4", "lines that end with CR LF"},
        {"a b\r1.5 -2\r1e-3 1e-103\r3 4\r", "lines that end with CR"},
        {"1.5D+00 -2.0d0\n1.0D-03 0.1D-102\n.3E1 4.\n", "exponents with D"},
        {"0.15E+01 -2.0\n1.0-3 1.0-103\n3.0+0 4.0E+000\n", "exponents without a letter"},
        {"a b\n1.5 -2\na b\n1e-3 1e-103\n# a b\n\n  a\tb \n3 4\na b\n", "names that come again"},
        {"a b\n1.5 -2\n\xEF\xBB\xBF"
         "a b\n1e-3 1e-103\n3 4\n",
         "a byte-order mark where files were put together"},
        {"# NA *** 1,5\n1.5 -2 # 0\n\t\n1e-3 1e-103\n3 4", "comments"},
        {"E1 1x1\n1.5 -2\n1e-3 1e-103\n3 4\n", "names with digits"},
        {"1x1 2x2\n1.5 -2\n1x1 2x2\n1e-3 1e-103\n3 4\n", "names that begin with digits"},
        {"\xCE\xB2 \xCF\x84_int\n1.5 -2\n1e-3 1e-103\n3 4\n", "Greek names"},
    };
    static const double first[] = {1.5, 1e-3, 3}, second[] = {-2, 1e-103, 4};
    dataset *set;
    lat_error error;
    for (size_t i = 0; i < sizeof spelling / sizeof *spelling; i++) {
        read_string(spelling[i].text, 0, &set, &error);
        ok(set && set->columns == 2 && set->entries == 3 && memcmp(set->series[0], first, sizeof first) == 0 &&
               memcmp(set->series[1], second, sizeof second) == 0,
           "text with %s", spelling[i].what);
        if (!set) printf("# %s\n", error.text);
        dataset_free(set);
    }
}

/* No first row is taken for names, whatever spoils it. */
static void test_first_rows(void)
{
    static const char *const rows[] = {"0 NA",
                                       "NA NA",
                                       "n/a",
                                       "nan",
                                       "-nan inf",
                                       "***** *****",
                                       "*",
                                       "-",
                                       "1,5 2,5",
                                       "0,5",
                                       "1.2.3",
                                       "1.5(3)",
                                       "5%",
                                       "1;2",
                                       "1.5e",
                                       "1.5D",
                                       "--",
                                       "? 1",
                                       "1e5e5",
                                       "12:30 0.5",
                                       "1.5 word",
                                       "null None",
                                       "\xE2\x88\x92"
                                       "0.5",
                                       "1.0D+",
                                       "0.5+-0.1",
                                       "1.5,2.5,3.5",
                                       "1_2 3",
                                       "Infinity",
                                       "(0.5,0.25)",
                                       "$5"};
    dataset *set;
    lat_error error;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = lat_text("# made by hand\n%s\n1 2\n3 4\n", rows[i]);
        read_string(text, 0, &set, &error);
        ok(!set && error.status == LAT_FORMAT && strstr(error.text, "table.dat:2: ") &&
               strstr(error.text, "finite number"),
           "first row '%s' is refused", rows[i]);
        if (set || !strstr(error.text, "finite number")) printf("# %s\n", error.text);
        dataset_free(set);
        free(text);
    }
}

/* Lines across the pieces in which a file is read. */
static void test_pieces(void)
{
    enum { ROWS = 200000 };
    char *text = lat_alloc(ROWS * 24, 1), *end = text;
    for (int i = 0; i < ROWS; i++) end += sprintf(end, "%d %.9f\r\n", i, 1e-3 * i);
    dataset *set;
    lat_error error;
    read_bytes(text, (size_t)(end - text), 0, &set, &error);
    bool good = set && set->entries == ROWS;
    for (int i = 0; i < ROWS && good; i++) good = set->series[0][i] == i && fabs(set->series[1][i] - 1e-3 * i) < 1e-9;
    ok(good, "text of %d bytes", (int)(end - text));
    dataset_free(set);
    free(text);
}

static void test_refused_text(void)
{
    static const struct {
        const char *text, *why, *line;
        lat_status status;
    } bad[] = {
        {"", "empty", "", LAT_FORMAT},
        {"# nothing\n\n", "comments only", "", LAT_FORMAT},
        {"plaquette charge\n", "names only", "", LAT_FORMAT},
        {"1 2\n3\n", "a short line", "table.dat:2:", LAT_FORMAT},
        {"a b\n1 2\n\n1 2 3\n", "a long line", "table.dat:4:", LAT_FORMAT},
        {"1\n2x\n", "a word among numbers", "table.dat:2:", LAT_FORMAT},
        {"1\nnan\n", "not a number", "table.dat:2:", LAT_FORMAT},
        {"1\n1e999\n", "infinity", "table.dat:2:", LAT_FORMAT},
        {"a b a\n1 2 3\n", "a name twice", "table.dat:1:", LAT_FORMAT},
        {"a b\n1 2\nb a\n1 2\n", "other names further down", "table.dat:3:", LAT_FORMAT},
        {"a b\n1 2\na b c\n1 2\n", "more names further down", "table.dat:3:", LAT_FORMAT},
        {"1 2\na b\n1 2\n", "names below numbers", "table.dat:2:", LAT_FORMAT},
        {"a b\n1 2\nNA 2\n", "a missing number", "table.dat:3:", LAT_FORMAT},
        {"a b\n1 2\n*** ***\n", "numbers that did not fit", "table.dat:3:", LAT_FORMAT},
        {"a b\n1 2\n1,5 2\n", "a decimal comma", "table.dat:3:", LAT_FORMAT},
        {"plaquette,charge\n0.5,1\n", "comma-separated values", "table.dat:2:", LAT_FORMAT},
        {"a\033[2J\n1\n", "a name that moves the cursor", "table.dat:1:", LAT_FORMAT},
        {"1\n2\n3\n", "all rows skipped", "", LAT_CONFIG},
    };
    dataset *set;
    lat_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        read_string(bad[i].text, 3, &set, &error);
        ok_all(!set && error.status == bad[i].status && strstr(error.text, bad[i].line), "refused: %s", bad[i].why);
    }
    ok_all(read_bytes("1\n\0002\n", 5, 0, &set, &error) == LAT_FORMAT && !set, "refused: bytes that are no text");
    error = (lat_error){0};
    ok_all(dataset_read("dataset/of/nobody", 0, &set, &error) == LAT_FILE && !set, "refused: a file that is not there");
}

/* Value of a column of a replica in a row of the run that the tests write. */
static double value_of(int64_t row, int replica, int column) { return (double)row + 100 * replica + 1000 * column; }

static char *write_run(const char *name, int64_t rows, int replicas, int64_t every, const char *summary)
{
    char *path = lat_text("%s/%s", folder, name), *history_path = lat_text("%s/history.h5", path);
    if (tap.rank == 0) mkdir(path, 0777);
    MPI_Barrier(MPI_COMM_WORLD);
    mc_history *history = mc_history_create(2, replicas);
    history->every = (uint64_t)every;
    mc_history_name(history, 0, "plaquette");
    mc_history_name(history, 1, "charge");
    double *row = lat_alloc(2 * replicas, sizeof *row);
    for (int64_t i = 0; i < rows; i++) {
        for (int r = 0; r < replicas; r++)
            for (int c = 0; c < 2; c++) row[2 * r + c] = value_of(i, r, c);
        mc_history_append(history, row);
    }
    lat_error error = {0};
    ok_all(mc_history_write(MPI_COMM_WORLD, history_path, history, &error) == LAT_DONE, "%s: history written", name);
    mc_history_free(history);
    free(row);
    free(history_path);
    char *summary_name = lat_text("%s/summary.json", name);
    if (summary) free(write_file(summary_name, summary, strlen(summary)));
    free(summary_name);
    return path;
}

/* A trajectory that was lost: NaN in one column of trajectories.h5, to which the others are blind. */
static void test_not_finite(void)
{
    enum { ROWS = 100 };
    lat_error error = {0};
    dataset *set;
    char *path = lat_text("%s/trajectories.h5", folder);
    mc_history *history = mc_history_create(2, 1);
    mc_history_name(history, 0, "dh_0");
    mc_history_name(history, 1, "force_level0_0");
    for (int i = 0; i < ROWS; i++) mc_history_append(history, (double[]){i == 50 ? NAN : sin(i * i), 2 + cos(i * i)});
    mc_history_write(MPI_COMM_WORLD, path, history, &error);
    dataset_read(path, 0, &set, &error);
    ok_all(set && isnan(set->series[0][50]) && set->entries == ROWS, "not finite: read as it is");
    mc_estimate lost = mc_gamma_replicas(set->series[0], 1, set->rows),
                good = mc_gamma_replicas(set->series[1], 1, set->rows);
    ok_all(isnan(lost.mean) && fabs(good.mean - 2) < 0.3 && good.tau_int > 0,
           "not finite: no mean, and the other column has one");
    dataset_free(set);
    mc_history_free(history);
    free(path);
}

static void test_run(void)
{
    dataset *set;
    lat_error error = {0};
    char *path = write_run("run", 10, 3, 1,
                           "{\"cost\": {\"core_seconds\": 60}, \"updates\": [{\"kind\": \"flow\", \"ess\": 0.5}]}");
    dataset_read(path, 4, &set, &error);
    ok_all(set && set->columns == 2 && set->replicas == 3 && set->rows[2] == 6 && strcmp(set->column[1], "charge") == 0,
           "run: shape");
    bool good = set;
    for (int c = 0; good && c < 2; c++)
        for (int r = 0; r < 3; r++)
            for (int64_t i = 0; i < 6; i++) good = good && set->series[c][r * 6 + i] == value_of(i + 4, r, c);
    ok_all(good, "run: values without the rows skipped");
    ok_all(set && set->core_seconds == 2, "run: core-seconds per entry, rows skipped included");
    ok_all(set && json_array_size(set->updates) == 1, "run: updates");
    dataset_free(set);
    char *history = lat_text("%s/history.h5", path);
    dataset_read(history, 4, &set, &error);
    ok(set && set->replicas == 3 && set->rows[0] == 6 && set->first == 4 && isnan(set->core_seconds),
       "run: its history alone");
    dataset_free(set);
    free(history);
    free(path);

    path = write_run("plain", 5, 1, 1, NULL);
    dataset_read(path, 0, &set, &error);
    ok_all(set && isnan(set->core_seconds) && !set->updates, "run without summary.json");
    dataset_free(set);
    free(path);
    path = write_run("broken", 5, 1, 1, "{\"cost\": ");
    ok_all(dataset_read(path, 0, &set, &error) == LAT_FORMAT && !set, "run with a damaged summary.json: refused");
    free(path);
    error = (lat_error){0};
    ok_all(dataset_read(folder, 0, &set, &error) == LAT_FILE && !set, "directory without history.h5: refused");
}

/* The history of a training, as a model has it. */
static void test_model(void)
{
    static const double history[2 * FLOW_HISTORY_COLUMNS] = {10, 5, 0.5, 2, 1e-3, 7, 20, 4, 0.75, 1, 1e-4, 14};
    dataset *set;
    lat_error error = {0};
    char *path = lat_text("%s/model.h5", folder);
    for (int trained = 0; trained < 2; trained++) {
        lat_h5 *file = lat_h5_create(MPI_COMM_WORLD, path, "model");
        if (trained) lat_h5_put_reals(file, "history", 2, (int64_t[]){2, FLOW_HISTORY_COLUMNS}, history);
        if (!trained) lat_h5_put_int(file, "dimension", 2);
        if (lat_h5_finish(file, &error) != LAT_DONE) lat_abort(LAT_FILE, "%s", error.text);
        dataset_read(path, 0, &set, &error);
        if (!trained) ok(!set && error.status == LAT_FORMAT, "a model that was not trained: refused");
        error = (lat_error){0};
    }
    ok(set && set->training && set->entries == 2 && set->series[0][1] == 20 && set->series[1][0] == 5 &&
           set->series[2][1] == 0.75 && strcmp(set->column[2], "ess") == 0,
       "the training of a model");
    dataset *twice[2] = {set, set}, *joined;
    ok(dataset_join(twice, 2, &joined, &error) == LAT_CONFIG && !joined, "join: no trainings");
    dataset_free(set);
    free(path);
}

static void test_join(void)
{
    dataset *part[3], *set;
    lat_error error = {0};
    char *first = write_run("first", 8, 2, 5, "{\"cost\": {\"core_seconds\": 16}}");
    char *second = write_run("second", 6, 1, 5, "{\"cost\": {\"core_seconds\": 17}}");
    dataset_read(first, 1, &part[0], &error);
    dataset_read(second, 1, &part[1], &error);
    read_string("plaquette\n1\n", 0, &part[2], &error);
    dataset_join(part, 2, &set, &error);
    bool good = set && set->replicas == 3 && set->columns == 2 && set->entries == 19 && set->rows[0] == 7 &&
                set->rows[1] == 7 && set->rows[2] == 5;
    for (int c = 0; good && c < 2; c++)
        for (int64_t i = 0; i < 19; i++)
            good = good && set->series[c][i] == value_of(i % 7 + 1, i < 7 || i >= 14 ? 0 : 1, c);
    ok_all(good, "join: 3 replicas with all their rows");
    ok_all(set && fabs(set->core_seconds - (14 * 1 + 5 * 17.0 / 6) / 19) < 1e-14, "join: core-seconds per entry");
    ok_all(set && set->every == 5, "join: steps between rows");
    dataset_free(set);
    part[1]->every = 4;
    ok_all(dataset_join(part, 2, &set, &error) == LAT_CONFIG && !set, "join: other steps between rows are refused");
    part[1]->every = 5;
    error = (lat_error){0};
    ok_all(dataset_join(part, 3, &set, &error) == LAT_CONFIG && !set, "join: different columns are refused");
    for (int p = 0; p < 3; p++) dataset_free(part[p]);
    free(first);
    free(second);
}

static int remove_file(const char *path)
{
    int removed = remove(path) == 0;
    if (!removed) printf("# %s stays behind\n", path);
    return removed;
}

static void remove_all(void)
{
    static const char *const names[] = {"run/history.h5",
                                        "run/summary.json",
                                        "run",
                                        "plain/history.h5",
                                        "plain",
                                        "broken/history.h5",
                                        "broken/summary.json",
                                        "broken",
                                        "first/history.h5",
                                        "first/summary.json",
                                        "first",
                                        "second/history.h5",
                                        "second/summary.json",
                                        "second",
                                        "table.dat",
                                        "trajectories.h5",
                                        "model.h5"};
    int removed = 1;
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char *path = lat_text("%s/%s", folder, names[i]);
            removed &= remove_file(path);
            free(path);
        }
        removed &= remove_file(folder);
    }
    ok_all(removed, "nothing stays behind");
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    if (tap.rank == 0 && !mkdtemp(folder)) lat_abort(LAT_FILE, "%s: not made", folder);
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    test_text();
    test_spellings();
    test_first_rows();
    test_pieces();
    test_refused_text();
    test_run();
    test_not_finite();
    test_model();
    test_join();
    remove_all();
    return tap_end();
}
