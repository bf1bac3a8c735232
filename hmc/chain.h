/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chain.h: a Markov chain as a configuration describes it: a state, and the run that it is in.
 */
#ifndef HMC_CHAIN_H
#define HMC_CHAIN_H

#include "hmc/update.h"

typedef struct {
    mc_state *state;
    lat_geometry *geometry;
    lat_gauge *sample; /* of the replicas, see mc_chain_sample; NULL: the state's own */
    lat_geometry *sample_geometry;
    lat_geometry *planned; /* NULL, or the lattice that was asked for, of which this chain is a small piece (mc_chain_plan) */
    lat_operators *operators; /* that the action, and observables, name; they live as long as the settings */
    lat_action *action;
    bool pilot; /* the couplings of its ladder are to be found, and these are a beginning: see mc_chain_create_on */
    uint64_t thermalise; /* steps before this one count in no report of an update */
    char *directory;     /* of the configuration file: where model paths are looked up first */
    char *start;         /* "hot", "cold" or a configuration file */
    bool force;          /* what differs from what the file says is only a warning */
    lat_precision precision; /* of the networks of flows */
    char no_device[LAT_BACKEND_TEXT]; /* why `backend` is the CPU though it was left open; empty: there is nothing to say */
    double core_seconds; /* spent in the steps that count, all ranks and all resumed runs together */
    double measure_core_seconds; /* likewise, in measurements; whoever measures adds to it */
    double joules;       /* likewise core_seconds; negative: not known */
    double processor_seconds; /* that processors spent in those steps, of this process */
    double processor_before;  /* likewise, of all ranks of the runs that this one goes on from */
} mc_chain;

/* Reads the groups `lattice`, `operators`, `action` and `chain` (seed, replicas, thermalise, start, force) and the keys `precision` and
 * `backend`, and lays out the lattice; the links are 1.  actions, operators: the kinds of terms, and of what they may name.  Collective. */
lat_status mc_chain_create(MPI_Comm comm, lat_settings *root, const lat_action_kind *const *actions, const lat_dirac_table *const *operators,
                           const char *directory, mc_chain **chain, lat_error *error);
/* The same with the rungs that were found (mc_tempering_plan) for a ladder whose couplings the configuration leaves open; NULL: none were. */
lat_status mc_chain_create_on(MPI_Comm comm, lat_settings *root, const lat_action_kind *const *actions,
                              const lat_dirac_table *const *operators, const char *directory, const lat_rungs *rungs,
                              mc_chain **chain, lat_error *error);
/* The same to foretell what a run takes: where the lattice is large, the fields are those of a small one, cut on ranks and lanes alike, and
 * `planned` is the one asked for. */
lat_status mc_chain_plan(MPI_Comm comm, lat_settings *root, const lat_action_kind *const *actions, const lat_dirac_table *const *operators,
                         const char *directory, mc_chain **chain, lat_error *error);
/* What is measured and saved: the links of the replicas as they are now, of the lattice that is wanted; where there are ladders, those of
 * their first rungs.  Halo not filled; the chain's own.  Collective. */
lat_gauge *mc_chain_sample(const mc_chain *chain);
/* The lattice that was asked for. */
const lat_geometry *mc_chain_lattice(const mc_chain *chain);
/* Before anything is done: LAT_FILE, naming the places, if `start` is a file that is nowhere, LAT_CONFIG if it is of another lattice.
 * Collective. */
lat_status mc_chain_check_start(const mc_chain *chain, lat_error *error);
/* The links of step 0: hot, cold or from a file.  Collective. */
lat_status mc_chain_start(mc_chain *chain, lat_error *error);
/* Of what is measured now: the replicas are counted from 1, as `flowmeas` counts them, which with the seed of the chain draws the same. */
lat_random mc_chain_sources(const mc_chain *chain);
void mc_chain_free(mc_chain *chain);
mc_context mc_chain_context(const mc_chain *chain, const flow_layer_table *const *layers);
/* True if what this step does counts in reports: thermalisation is over. */
bool mc_chain_counts(const mc_chain *chain);
/* Of all ranks and all resumed runs together: less than core_seconds where ranks share a core with something else.  Collective. */
double mc_chain_processor_seconds(const mc_chain *chain);
/* One step: every update once.  Where the step counts, adds to the seconds of the updates and of the chain.  Collective. */
lat_status mc_chain_step(mc_chain *chain, mc_update *const *updates, int count, lat_error *error);
#endif
