/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * files.c: reading and writing of a 16^4 configuration of SU(3) in each format, against copying a file of as many bytes
 * and syncing it, as `dd bs=1M conv=fsync` does.  The file lies in the current directory.  Best of many repetitions.
 */
#define _GNU_SOURCE
#include "lattice/io/io.h"
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPETITIONS = 15 };

/* Rank 0. */
static void copy_file(const char *in, const char *out)
{
    enum { BLOCK = 1 << 20 };
    char *block = lat_alloc(BLOCK, 1);
    int from = open(in, O_RDONLY), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ssize_t n;
    if (from < 0 || to < 0) lat_abort(LAT_FILE, "%s: %s", out, strerror(errno));
    while ((n = read(from, block, BLOCK)) > 0)
        if (write(to, block, (size_t)n) != n) lat_abort(LAT_FILE, "%s: %s", out, strerror(errno));
    if (fsync(to) != 0) lat_abort(LAT_FILE, "%s: %s", out, strerror(errno));
    close(from);
    close(to);
    free(block);
}

static void require(const lat_error *error)
{
    if (error->status != LAT_DONE) lat_abort(error->status, "%s", error->text);
}

/* MB/s, with a row. */
static double rate(bench *b, const bench_times *times, double megabytes, const char *path, const char *what)
{
    bench_row(b, &(bench_result){.times = times, .factor = 1e3, .unit = "ms"}, "%s, %s", path, what);
    return megabytes / bench_best(times);
}

static void measure(bench *b, lat_gauge *gauge, const char *path)
{
    lat_error error = {0};
    bench_times write = {0}, read = {0}, copy = {0};
    char *other = lat_text("%s.copy", path);
    struct stat status = {0};
    for (int i = 0; i < bench_or_brief(REPETITIONS, 1); i++) {
        if (b->rank == 0) {
            unlink(path); /* what is written is new */
            unlink(other);
        }
        bench_begin(b, &write);
        lat_config_write(path, gauge, 0, NULL, 0, &error);
        bench_finish(b, &write);
        require(&error);
        bench_begin(b, &read);
        lat_config_read(path, gauge, &error);
        bench_finish(b, &read);
        require(&error);
        bench_begin(b, &copy);
        if (b->rank == 0) copy_file(path, other);
        bench_finish(b, &copy);
    }
    if (b->rank == 0 && stat(path, &status) != 0) lat_abort(LAT_FILE, "%s: %s", path, strerror(errno));
    double megabytes = (double)status.st_size / 1e6, copied = rate(b, &copy, megabytes, path, "copy"),
           written = rate(b, &write, megabytes, path, "write"), seen = rate(b, &read, megabytes, path, "read");
    bench_print(b, "%-20s %5.1f MB: copy %5.0f MB/s, write %5.0f MB/s (%.2f of it), read %5.0f MB/s (%.2f)\n", path,
                megabytes, copied, written, written / copied, seen, seen / copied);
    if (b->rank == 0) {
        unlink(path);
        unlink(other);
    }
    free(other);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"bench-files.nersc", "bench-files.ildg", "bench-files.openqcd",
                                        "bench-files.h5"};
    lat_error error = {0};
    lat_geometry *g;
    const int extent = bench_or_brief(16, 4);
    lat_shape shape = {.dim = 4, .size = {extent, extent, extent, extent}};
    lat_start(&argc, &argv);
    bench b = bench_start("files", bench_wall_time);
    bench_measure_ceilings(&b);
    lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error);
    require(&error);
    lat_gauge *gauge = lat_gauge_create(g, LAT_SU3, LAT_DOUBLE);
    lat_gauge_haar(gauge, &(lat_random){.seed = 1, .purpose = LAT_RANDOM_TEST});
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) measure(&b, gauge, names[i]);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
    return bench_end(&b);
}
