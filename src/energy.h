/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * energy.h: the energy that the processors of all nodes take from some moment on, where Linux tells it (powercap,
 * RAPL). It is that of whole packages: whatever else runs on them counts too.
 */
#ifndef ENERGY_H
#define ENERGY_H

#include <mpi.h>
#include <stdbool.h>

enum { ENERGY_MOST_PACKAGES = 64 };

typedef struct {
    MPI_Comm comm;
    bool reader; /* one rank of each node reads */
    bool known;  /* on this node */
    int packages;
    char *file[ENERGY_MOST_PACKAGES];   /* counters in microjoules */
    double range[ENERGY_MOST_PACKAGES]; /* they start again from 0 beyond this */
    double last[ENERGY_MOST_PACKAGES];
    double joules, read; /* since the start; MPI_Wtime of the last look */
} energy;

/* Collective over comm.  folder: "/sys/class/powercap". */
void energy_start(energy *energy, MPI_Comm comm, const char *folder);
/* Local.  Reads the counters if a second has passed: call it often enough that none of them turns over twice. */
void energy_look(energy *energy);
/* Collective.  Joules of all nodes since the start; negative where one of them does not tell. */
double energy_joules(energy *energy);
void energy_end(energy *energy);

#endif
