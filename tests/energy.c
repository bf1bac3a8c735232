/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * energy.c: counters of energy, in a folder made like Linux's: packages alone count, once for all ranks of a node, and
 * a counter that starts again from 0 loses nothing.
 */
#define _GNU_SOURCE
#include "src/energy.h"
#include "tests/tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

/* Rank 0 writes; the others wait. */
static void put(int zone, const char *name, const char *text)
{
    if (tap.rank == 0) {
        char *directory = lat_text("%s/intel-rapl:%d", folder, zone), *path = lat_text("%s/%s", directory, name);
        mkdir(directory, 0777);
        FILE *file = fopen(path, "w");
        if (!file || fputs(text, file) < 0 || fclose(file) != 0) lat_abort(LAT_FILE, "%s: %s", path, strerror(errno));
        free(directory);
        free(path);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

static void take(int zone)
{
    static const char *const names[] = {"/name", "/energy_uj", "/max_energy_range_uj", ""};
    for (int i = 0; i < 4; i++) {
        char *path = lat_text("%s/intel-rapl:%d%s", folder, zone, names[i]);
        remove(path);
        free(path);
    }
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/flowhmc-energy-XXXXXX", base ? base : "/tmp");
    if (tap.rank == 0 && !mkdtemp(folder)) lat_abort(LAT_FILE, "%s: %s", folder, strerror(errno));
    MPI_Bcast(folder, sizeof folder, MPI_BYTE, 0, MPI_COMM_WORLD);

    energy energy;
    energy_start(&energy, MPI_COMM_WORLD, folder);
    ok_all(energy_joules(&energy) < 0, "no counters: not known");
    energy_end(&energy);

    const char *const names[] = {"package-0\n", "psys\n", "package-1\n"};
    for (int zone = 0; zone < 3; zone++) {
        put(zone, "name", names[zone]);
        put(zone, "max_energy_range_uj", "10000000\n");
        put(zone, "energy_uj", "9000000\n");
    }
    energy_start(&energy, MPI_COMM_WORLD, folder);
    ok_all(energy_joules(&energy) == 0, "nothing yet");
    put(0, "energy_uj", "9500000\n");
    put(1, "energy_uj", "9900000\n");
    double first = energy_joules(&energy);
    ok_all(fabs(first - 0.5) < 1e-9, "one package, not the whole machine: %g J", first);
    put(0, "energy_uj", "250000\n");
    put(2, "energy_uj", "9125000\n");
    double second = energy_joules(&energy);
    ok_all(fabs(second - 1.375) < 1e-9, "a counter that turned over, and another package: %g J", second);
    put(2, "energy_uj", "nothing\n");
    ok_all(energy_joules(&energy) < 0, "a counter that cannot be read any more: not known");
    energy_end(&energy);
    for (int zone = 0; zone < 3 && tap.rank == 0; zone++) take(zone);
    if (tap.rank == 0) rmdir(folder);
    return tap_end();
}
