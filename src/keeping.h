/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keeping.h: what a run leaves in its directory, and how it goes on from there.  All functions are collective.
 */
#ifndef KEEPING_H
#define KEEPING_H

#include "src/ensemble.h"

/* From the checkpoint in the directory of the run, if there is one, else from the start. */
lat_status keeping_begin(ensemble *e, lat_error *error);
/* History, then checkpoint, of the present step. */
lat_status keeping_checkpoint(ensemble *e, lat_error *error);
/* The configurations of all replicas at the present step, into configs/. */
lat_status keeping_save(const ensemble *e, lat_error *error);
bool keeping_on_disk(const char *path);

#endif
