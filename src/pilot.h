/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pilot.h: how many rungs a ladder has whose couplings are "auto".
 */
#ifndef PILOT_H
#define PILOT_H

#include "src/ensemble.h"

/* Whether a pilot can find them, before anything is run: LAT_CONFIG. */
lat_status pilot_check(lat_settings *root, const ensemble *e, lat_error *error);
/* The rungs of the checkpoint in the directory of the run, if it is to go on from one; else those that a pilot finds: as many steps of
 * e->chain from its start, in memory, as there are powers of two in its thermalisation.  Where e->walltime is a limit, what it took is taken
 * off.  LAT_STOPPED, and nothing is kept, if something asked for it.  Collective. */
lat_status pilot_find(ensemble *e, lat_rungs *rungs, lat_error *error);

#endif
