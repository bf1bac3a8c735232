/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run.c: run directories (begun, refused, resumed), logs and summaries, and when a run is asked to stop.
 * # ranks: 1 2
 */
#include "tests/tap.h"

#include "src/run.h"
#include "src/signals.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const free_keys[] = {"walltime", "lattice.ranks", "backend", "updates.[*].batch", NULL};
static const run_changes changes = {free_keys, "chain.steps"};

static const char first_config[] =
    "lattice = {\n    size = [8, 8];\n    ranks = [1, 2];\n};\n"
    "chain = {\n    seed = 1;\n    steps = 100;\n};\n"
    "updates = (\n    {\n        kind = \"hmc\";\n        batch = 4;\n        steps = 10;\n    },\n"
    "    {\n        kind = \"x = {\";\n        list = (\n            1,\n            {\n"
    "                a = 2.0;\n            }\n        );\n    }\n);\n"
    "walltime = \"\";\n";

/* first_config with one text replaced by another. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(first_config, from);
    return lat_text("%.*s%s%s", (int)(at - first_config), first_config, to, at + strlen(from));
}

static char *in(const char *directory, const char *name) { return lat_text("%s/%s", directory, name); }

static void remove_directory(const char *directory)
{
    if (tap.rank == 0) {
        DIR *open = opendir(directory);
        for (struct dirent *entry; open && (entry = readdir(open));) {
            char *path = in(directory, entry->d_name);
            unlink(path);
            free(path);
        }
        if (open) closedir(open);
        rmdir(directory);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

/* What a file holds, on all ranks; "" if it is not there. */
static char *contents(const char *directory, const char *name)
{
    lat_error error = {0};
    char *path = in(directory, name), *text = NULL;
    int64_t size;
    lat_file_read(MPI_COMM_WORLD, path, 1 << 20, &text, &size, &error);
    free(path);
    return text ? text : lat_text("%s", "");
}

static lat_status open_run(const char *directory, bool resume, const char *config, run **run, lat_error *error)
{
    *error = (lat_error){0};
    return run_open(MPI_COMM_WORLD, "test", directory, resume, true, config, &changes, run, error);
}

/* Opening fails like this; the message has directory in front. */
static void refused(const char *directory, bool resume, const char *config, lat_status status, const char *message)
{
    run *run;
    lat_error error;
    open_run(directory, resume, config, &run, &error);
    bool good = !run && error.status == status && strncmp(error.text, directory, strlen(directory)) == 0 &&
                strstr(error.text, message);
    ok_all(good, "refused: %s", message);
    if (!good && tap.rank == 0) printf("# status %d: %s\n", error.status, error.text);
    lat_error ignored = {0};
    run_close(run, &ignored);
}

/* Resuming with this change is allowed, and config.cfg has it afterwards. */
static void resumed(const char *directory, const char *from, const char *to)
{
    run *run;
    lat_error error;
    char *config = changed(from, to);
    open_run(directory, true, config, &run, &error);
    char *unsettled = contents(directory, "config.cfg");
    bool left = strcmp(from, to) == 0 || strcmp(unsettled, config) != 0;
    if (run) run_settle(run, &error);
    char *written = contents(directory, "config.cfg");
    free(unsettled);
    ok_all(error.status == LAT_DONE && run->resumed && left && strcmp(written, config) == 0, "resumed with another %s %s", from,
           error.text);
    run_close(run, &error);
    free(written);
    free(config);
}

static void test_begin(const char *directory)
{
    run *run;
    lat_error error;
    open_run(directory, true, first_config, &run, &error);
    ok_all(error.status == LAT_DONE && !run->resumed, "--resume begins a run where there is none %s", error.text);
    run_close(run, &error);
    ok_all(access(directory, F_OK) != 0, "what is not settled leaves no directory");
    MPI_Barrier(MPI_COMM_WORLD);
    open_run(directory, true, first_config, &run, &error);
    run_settle(run, &error);
    char *written = contents(directory, "config.cfg");
    ok_all(strcmp(written, first_config) == 0, "config.cfg");
    free(written);
    run_log(run, "step %d", 7);
    run_log(run, "done");
    json_t *summary = json_pack("{s:i, s:f}", "seed", 1, "third", 1.0 / 3.0);
    ok_all(run_write_summary(run, summary, &error) == LAT_DONE, "summary.json is written %s", error.text);
    json_decref(summary);
    ok_all(run_close(run, &error) == LAT_DONE, "closed");

    char *log = contents(directory, "log.txt");
    ok_all(strlen(log) == 20 + 8 + 20 + 6 && log[10] == 'T' && log[19] == 'Z' && strcmp(log + 20, " step 7\n") > 0 &&
               strstr(log, "Z done\n"),
           "log.txt has lines with UTC time");
    free(log);
    char *text = contents(directory, "summary.json");
    json_t *root = json_loads(text, 0, NULL);
    const char *program = "", *version = "";
    int ranks = 0, seed = 0;
    double third = 0;
    json_unpack(root, "{s:s, s:s, s:i, s:i, s:f}", "program", &program, "version", &version, "ranks", &ranks, "seed",
                &seed, "third", &third);
    ok_all(strcmp(program, "test") == 0 && *version && ranks == tap.ranks && seed == 1 && third == 1.0 / 3.0,
           "summary.json reads back");
    json_decref(root);
    free(text);
}

static void test_resume(const char *directory)
{
    refused(directory, false, first_config, LAT_CONFIG, "there is a run in it: go on with --resume");
    resumed(directory, "seed", "seed");
    resumed(directory, "walltime = \"\"", "walltime = \"1h\"");
    resumed(directory, "ranks = [1, 2]", "ranks = [2, 1]");
    resumed(directory, "walltime = ", "backend = \"cpu\";\nwalltime = ");
    resumed(directory, "batch = 4", "batch = 8");
    resumed(directory, "steps = 100", "steps = 200");
    resumed(directory, "steps = 100", "steps = 100"); /* the program asks what is done */
    static const struct {
        const char *from, *to, *message;
    } cases[] = {
        {"seed = 1", "seed = 2", "was run with 'chain.seed = 1;', but now there is 'chain.seed = 2;'"},
        {"steps = 10;", "steps = 11;", "'updates.[0].steps = 10;', but now there is 'updates.[0].steps = 11;'"},
        {"x = {", "y = {", "'updates.[1].kind = \"x = {\";', but now there is 'updates.[1].kind = \"y = {\";'"},
        {"1,\n", "3,\n", "'updates.[1].list.[0] = 1,', but now there is 'updates.[1].list.[0] = 3,'"},
        {"a = 2.0", "a = 3.0", "'updates.[1].list.[1].a = 2.0;', but now there is 'updates.[1].list.[1].a = 3.0;'"},
        {"walltime", "new = true;\nwalltime", "was run with '', but now there is 'new = true;'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *config = changed(cases[i].from, cases[i].to);
        refused(directory, true, config, LAT_CONFIG, cases[i].message);
        free(config);
    }
    char *a = run_identity(first_config, &changes), *config = changed("steps = 100", "steps = 300");
    char *b = run_identity(config, &changes);
    ok_all(strcmp(a, b) == 0 && strstr(a, "chain.seed = 1;\n") && !strstr(a, "chain.steps") && !strstr(a, "walltime"),
           "identity of a run");
    free(a);
    free(b);
    free(config);
}

static void test_failures(const char *directory)
{
    run *run;
    lat_error error;
    char *path = in(directory, "config.cfg"), *below = in(directory, "config.cfg/run"), *deep = in(directory, "a/b");
    refused(path, false, first_config, LAT_FILE, "cannot be written: Not a directory");
    refused(below, false, first_config, LAT_FILE, "the directory cannot be made: Not a directory");
    refused(deep, false, first_config, LAT_FILE, "the directory cannot be made: No such file");
    if (tap.rank == 0) unlink(path);
    MPI_Barrier(MPI_COMM_WORLD);
    refused(directory, true, first_config, LAT_CONFIG, "its config.cfg is missing");
    free(path);
    free(below);
    free(deep);
    remove_directory(directory);

    char *log = in(directory, "log.txt");
    if (tap.rank == 0 && (mkdir(directory, 0777) != 0 || symlink("/dev/full", log) != 0)) printf("# no /dev/full\n");
    MPI_Barrier(MPI_COMM_WORLD);
    if (open_run(directory, false, first_config, &run, &error) == LAT_DONE) run_log(run, "on a full disk");
    ok_all(run_close(run, &error) == LAT_FILE, "full disk: %s", error.text);
    remove_directory(directory);
    free(log);
}

/* Another process holds the directory for a moment, then for good. */
static void test_lock(const char *directory, const char *locked)
{
    run *run;
    lat_error error;
    int pipes[2] = {-1, -1};
    pid_t child = -1;
    if (tap.rank == 0 && mkdir(directory, 0777) == 0 && pipe(pipes) == 0) {
        child = fork();
        if (child == 0) {
            char *path = in(directory, locked);
            int file = open(path, strcmp(locked, ".") == 0 ? O_RDONLY : O_WRONLY | O_CREAT, 0666);
            if (flock(file, LOCK_EX) != 0 || write(pipes[1], "x", 1) != 1) _exit(1);
            usleep(300000);
            _exit(0);
        }
        char byte;
        if (read(pipes[0], &byte, 1) != 1) printf("# no lock\n");
    }
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    open_run(directory, false, first_config, &run, &error);
    int waited = MPI_Wtime() - start > 0.2;
    MPI_Bcast(&waited, 1, MPI_INT, 0, MPI_COMM_WORLD);
    ok_all(error.status == LAT_DONE && waited, "a run waits for the end of one that is about to die %s", error.text);
    if (child > 0) waitpid(child, NULL, 0);
    run_close(run, &error);
    remove_directory(directory);
}

static void test_stop(const char *directory)
{
    stopper stopper;
    char *file = in(directory, "stop");
    if (tap.rank == 0 && mkdir(directory, 0777) == 0) close(open(file, O_CREAT | O_WRONLY, 0666));
    MPI_Barrier(MPI_COMM_WORLD);
    stopper_start(&stopper, MPI_COMM_WORLD, directory, 2);
    ok_all(!stopper_reason(&stopper) && access(file, F_OK) != 0, "a stop file from before is removed");
    if (tap.rank == 0) close(open(file, O_CREAT | O_WRONLY, 0666));
    const char *reason = NULL;
    double start = MPI_Wtime();
    while (!reason) {
        reason = stopper_reason(&stopper);
        usleep(1000);
    }
    ok_all(strstr(reason, "stop") && MPI_Wtime() - start < 2, "stop file: %s", "seen");
    remove_directory(directory);
    for (reason = NULL; !reason; usleep(1000)) reason = stopper_reason(&stopper);
    ok_all(strcmp(reason, "wall-clock limit") == 0, "wall-clock limit");
    stopper_end(&stopper);

    const int signals[] = {SIGTERM, SIGUSR1, SIGINT, SIGUSR2, SIGXCPU, SIGHUP};
    for (int i = 0; i < 6; i++) {
        stopper_start(&stopper, MPI_COMM_WORLD, NULL, 0);
        int early = stopper_reason(&stopper) != NULL;
        if (tap.rank == tap.ranks - 1) raise(signals[i]);
        char expected[16];
        snprintf(expected, sizeof expected, "signal %d", signals[i]);
        reason = stopper_reason(&stopper);
        ok_all(!early && reason && strcmp(reason, expected) == 0, "%s at one rank stops all", expected);
        stopper_end(&stopper);
    }
    free(file);
}

static void test_clocks(void)
{
    stopper stopper;
    char text[32];
    ok_all(job_end_seconds("2000", 1000) == 2000 && job_end_seconds("900", 1000) == 0 && job_end_seconds("soon", 1000) == 0 &&
               job_end_seconds("", 1000) == 0 && job_end_seconds(NULL, 1000) == 0,
           "end of a job as batch systems write it");
    snprintf(text, sizeof text, "%lld", (long long)time(NULL) + 2);
    setenv("SLURM_JOB_END_TIME", text, 1);
    stopper_start(&stopper, MPI_COMM_WORLD, NULL, 0);
    const char *reason = stopper_reason(&stopper);
    ok_all(stopper.job_end > 0, "the end of the job is known");
    for (double start = MPI_Wtime(); !reason && MPI_Wtime() - start < 10; usleep(1000)) reason = stopper_reason(&stopper);
    ok_all(reason && strcmp(reason, "end of the job") == 0, "and a run stops before it");
    stopper_end(&stopper);
    stopper_start(&stopper, MPI_COMM_WORLD, NULL, 1000);
    ok_all(stopper.job_end == 0, "a walltime that is asked for comes before it");
    unsetenv("SLURM_JOB_END_TIME");
    stopper.interval = 1000;
    stopper_saved(&stopper);
    stopper_reason(&stopper);
    int early = stopper.due;
    stopper.interval = 0.05;
    for (int calls = 0; !stopper.due && calls < 100000; calls++) {
        usleep(1000);
        stopper_reason(&stopper);
    }
    stopper_end(&stopper);
    ok_all(!early && stopper.due, "a checkpoint is due by the clock");
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    char directory[] = "run-test-XXXXXX";
    if (tap.rank == 0 && mkdtemp(directory)) rmdir(directory);
    MPI_Bcast(directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);
    test_begin(directory);
    test_resume(directory);
    test_failures(directory);
    test_lock(directory, "log.txt");
    test_lock(directory, ".");
    test_stop(directory);
    test_clocks();
    return tap_end();
}
