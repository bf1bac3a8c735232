/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * find.h: where files lie that a configuration names.
 */
#ifndef HMC_FIND_H
#define HMC_FIND_H

#include "lattice/lattice.h"

/* Where a file that comes with a configuration or with the program lies: beside the configuration, then in the installed
 * folder of that kind ("models", "examples"), then in that of the source tree; free() it.  NULL: nowhere.  directory
 * NULL: not beside a configuration.  Local. */
char *mc_find_file(const char *directory, const char *kind, const char *name);
/* The same for a file that must be there, *path; LAT_FILE, naming the places, if it is nowhere.  Collective. */
lat_status mc_find_needed(MPI_Comm comm, const char *directory, const char *kind, const char *name, char **path, lat_error *error);

#endif
