/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * checkpoints.h: the older checkpoints of a run directory, kept beside checkpoint.h5 as checkpoint-step-0000000500.h5.
 */
#ifndef CHECKPOINTS_H
#define CHECKPOINTS_H

#include "src/run.h"

/* Gives checkpoint.h5, which is that of this step, a second name, under which it outlives the next one.  Collective. */
lat_status checkpoints_keep(const run *run, uint64_t step, lat_error *error);
/* Removes all older checkpoints but the newest `most`.  Collective. */
lat_status checkpoints_prune(const run *run, int64_t most, lat_error *error);
/* Where checkpoint.h5 is of no use (a recorded failure, or it is missing): adds to the failure which older one to take, if
 * there is one.  Rank 0 alone does it. */
void checkpoints_advise(const run *run, lat_error *error);
/* Are there older checkpoints?  Collective. */
bool checkpoints_older(const run *run);

#endif
