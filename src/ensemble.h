/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ensemble.h: what a run of flowhmc works with, and what it says of it.
 */
#ifndef ENSEMBLE_H
#define ENSEMBLE_H

#include "hmc/hmc.h"
#include "src/energy.h"
#include "src/run.h"
#include "src/series.h"
#include "src/trajectories.h"

typedef struct {
    mc_chain *chain;
    mc_update **updates;
    int update_count;
    lat_observable **observable;
    int observable_count;
    int64_t steps; /* after thermalisation */
    int64_t every, save_every, keep_checkpoints, walltime;
    int64_t checkpoint_every, checkpoint_seconds; /* steps, or time, between checkpoints; the other is 0 */
    const char *save_format; /* ending of saved configurations */
    series *series; /* what is measured: the first has what is measured every `every` steps of all replicas */
    int series_count;
    trajectories trajectories;
    run *run;
    char *identity; /* of the configuration, for checkpoints */
    uint64_t kept;  /* step of the checkpoint on disk; UINT64_MAX: there is none */
    energy energy;
    bool energy_started;
    double joules_before; /* of the runs that this one goes on from */
} ensemble;

/* The step at which it is done. */
uint64_t ensemble_end(const ensemble *ensemble);
/* Steps after thermalisation that are done; negative before. */
int64_t ensemble_counted(const ensemble *ensemble);
/* A figure of the first update that reports it; NaN if it is not known. */
double ensemble_figure(const ensemble *ensemble, const char *name);
/* The update whose links are measured and saved in place of those of the chain; NULL: there is none. */
const mc_weighted *ensemble_weighted(const ensemble *ensemble);
/* What is measured and saved: its links, or mc_chain_sample; and beta of their action, NaN where that is no single Wilson term.  Collective. */
lat_gauge *ensemble_sample(const ensemble *ensemble);
double ensemble_beta(const ensemble *ensemble);
/* The acceptance as text, "0.8712", or "-"; free() it. */
char *ensemble_acceptance(const ensemble *ensemble);

/* Of quarks ", iterations 120": those of the longest solve in the last step, of all members; empty without solves.  free() it. */
char *ensemble_iterations(const ensemble *ensemble);

/* Writes summary.json and says what came out: observables with their errors, autocorrelation times and, in two
 * dimensions, exact values, what the updates report, the cost.  Collective. */
lat_status results_write(const ensemble *ensemble, lat_error *error);

#endif
