/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * checkpoint.h: all that a chain needs to go on.
 */
#ifndef HMC_CHECKPOINT_H
#define HMC_CHECKPOINT_H

#include "hmc/chain.h"

/* What ties a checkpoint to its run. */
typedef struct {
    const char *config; /* the run's identity: whatever its numbers are a function of */
    const char *build;  /* of the program that wrote it: the last bit of its numbers depends on it */
    uint32_t history;   /* checksum of the history up to its step: that of another run, alike as it may look, is none of its */
} mc_ties;

/* checkpoint.h5: links of all replicas, step, cost so far, state of every update, ties.  Collective. */
lat_status mc_checkpoint_write(const char *path, const mc_chain *chain, mc_update *const *updates, int count, const mc_ties *ties,
                               lat_error *error);
/* Refuses (LAT_CONFIG) a checkpoint of another configuration than ties->config, (LAT_FORMAT) a damaged one.  Sets the other ties to what
 * is in the file; build is new memory then, and NULL on failure. */
lat_status mc_checkpoint_read(const char *path, mc_chain *chain, mc_update **updates, int count, mc_ties *ties, lat_error *error);

/* The couplings of the ladder that a checkpoint is of, before there is a chain for it.  Collective. */
lat_status mc_checkpoint_rungs(MPI_Comm comm, const char *path, lat_rungs *rungs, lat_error *error);

#endif
