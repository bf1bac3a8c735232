/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * checkpoint.h: all that a chain needs to go on.
 */
#ifndef HMC_CHECKPOINT_H
#define HMC_CHECKPOINT_H

#include "hmc/chain.h"

/* checkpoint.h5: links of all replicas, step, cost so far, state of every update, configuration.  Collective. */
lat_status mc_checkpoint_write(const char *path, const mc_chain *chain, mc_update *const *updates, int count, const char *config, lat_error *error);
/* Refuses (LAT_CONFIG) a checkpoint of another configuration, (LAT_FORMAT) a damaged one. */
lat_status mc_checkpoint_read(const char *path, mc_chain *chain, mc_update **updates, int count, const char *config, lat_error *error);

#endif
