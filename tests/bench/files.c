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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPETITIONS = 15 };

/* Rank 0. */
static double copy_seconds(const char *in, const char *out)
{
    enum { BLOCK = 1 << 20 };
    char *block = lat_alloc(BLOCK, 1);
    double start = MPI_Wtime();
    int from = open(in, O_RDONLY), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ssize_t n;
    if (from < 0 || to < 0) lat_abort(LAT_FILE, "%s: %s", out, strerror(errno));
    while ((n = read(from, block, BLOCK)) > 0)
        if (write(to, block, (size_t)n) != n) lat_abort(LAT_FILE, "%s: %s", out, strerror(errno));
    if (fsync(to) != 0) lat_abort(LAT_FILE, "%s: %s", out, strerror(errno));
    close(from);
    close(to);
    free(block);
    return MPI_Wtime() - start;
}

static void require(const lat_error *error)
{
    if (error->status != LAT_DONE) lat_abort(error->status, "%s", error->text);
}

static void bench(lat_gauge *gauge, const char *path, int rank)
{
    lat_error error = {0};
    double best[3] = {1e9, 1e9, 1e9};
    char *copy = lat_text("%s.copy", path);
    struct stat status = {0};
    for (int i = 0; i < bench_or_brief(REPETITIONS, 1); i++) {
        double t[3];
        if (rank == 0) {
            unlink(path); /* what is written is new */
            unlink(copy);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        t[0] = MPI_Wtime();
        lat_config_write(path, gauge, 0, NULL, 0, &error);
        require(&error);
        t[1] = MPI_Wtime();
        lat_config_read(path, gauge, &error);
        require(&error);
        MPI_Barrier(MPI_COMM_WORLD);
        t[2] = MPI_Wtime();
        double seconds[3] = {t[1] - t[0], t[2] - t[1], rank == 0 ? copy_seconds(path, copy) : 0};
        for (int k = 0; k < 3; k++)
            if (seconds[k] < best[k]) best[k] = seconds[k];
    }
    if (rank == 0) {
        stat(path, &status);
        double megabytes = (double)status.st_size / 1e6;
        printf("%-20s %5.1f MB: copy %5.0f MB/s, write %5.0f MB/s (%.2f of it), read %5.0f MB/s (%.2f)\n", path,
               megabytes, megabytes / best[2], megabytes / best[0], best[2] / best[0], megabytes / best[1],
               best[2] / best[1]);
        unlink(path);
        unlink(copy);
    }
    free(copy);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"bench-files.nersc", "bench-files.ildg", "bench-files.openqcd",
                                        "bench-files.h5"};
    lat_error error = {0};
    lat_geometry *g;
    const int extent = bench_or_brief(16, 4);
    lat_shape shape = {.dim = 4, .size = {extent, extent, extent, extent}};
    int rank;
    lat_start(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error);
    require(&error);
    lat_gauge *gauge = lat_gauge_create(g, LAT_SU3, LAT_DOUBLE);
    lat_gauge_haar(gauge, &(lat_random){.seed = 1, .purpose = LAT_RANDOM_TEST});
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) bench(gauge, names[i], rank);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
    MPI_Finalize();
    return 0;
}
