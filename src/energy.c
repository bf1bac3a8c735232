/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * energy.c: counters of energy.
 */
#include "src/energy.h"

#include "lattice/lattice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number in a file; NaN if there is none. */
static double read_number(const char *path)
{
    double value = NAN;
    FILE *file = fopen(path, "r");
    if (!file) return NAN;
    if (fscanf(file, "%lf", &value) != 1) value = NAN;
    fclose(file);
    return value;
}

/* Zones are packages, parts of packages, and whole machines: packages alone are counted. */
static bool is_package(const char *folder, int zone)
{
    char name[32] = "", *path = lat_text("%s/intel-rapl:%d/name", folder, zone);
    FILE *file = fopen(path, "r");
    if (file && !fgets(name, sizeof name, file)) name[0] = '\0';
    if (file) fclose(file);
    free(path);
    return strncmp(name, "package", 7) == 0;
}

static void add_package(energy *energy, const char *folder, int zone)
{
    char *range = lat_text("%s/intel-rapl:%d/max_energy_range_uj", folder, zone);
    char *file = lat_text("%s/intel-rapl:%d/energy_uj", folder, zone);
    energy->range[energy->packages] = read_number(range);
    energy->last[energy->packages] = read_number(file);
    energy->known = energy->known && isfinite(energy->range[energy->packages] + energy->last[energy->packages]);
    energy->file[energy->packages++] = file;
    free(range);
}

void energy_start(energy *energy, MPI_Comm comm, const char *folder)
{
    MPI_Comm node;
    int rank;
    memset(energy, 0, sizeof *energy);
    energy->comm = comm;
    MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &rank);
    MPI_Comm_free(&node);
    energy->reader = rank == 0;
    energy->known = true;
    energy->read = MPI_Wtime();
    if (!energy->reader) return;
    for (int zone = 0; zone < ENERGY_MOST_PACKAGES; zone++)
        if (is_package(folder, zone)) add_package(energy, folder, zone);
    energy->known = energy->known && energy->packages > 0;
}

static void read_counters(energy *energy)
{
    for (int i = 0; i < energy->packages && energy->known; i++) {
        double now = read_number(energy->file[i]), passed = now - energy->last[i];
        if (passed < 0) passed += energy->range[i];
        energy->joules += 1e-6 * passed;
        energy->last[i] = now;
        energy->known = isfinite(now);
    }
    energy->read = MPI_Wtime();
}

void energy_look(energy *energy)
{
    if (energy->reader && MPI_Wtime() - energy->read >= 1) read_counters(energy);
}

double energy_joules(energy *energy)
{
    if (energy->reader) read_counters(energy);
    double sums[2] = {energy->known ? energy->joules : 0, !energy->known};
    MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, energy->comm);
    return sums[1] > 0 ? -1 : sums[0];
}

void energy_end(energy *energy)
{
    for (int i = 0; i < energy->packages; i++) free(energy->file[i]);
    energy->packages = 0;
}
