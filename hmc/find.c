/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * find.c: where files lie that a configuration names.
 */
#include "hmc/find.h"

#include <stdlib.h>
#include <unistd.h>

/* Set by the build: where files that come with the program lie once installed, and before that. */
#ifndef FLOWHMC_DATADIR
#define FLOWHMC_DATADIR "/usr/local/share/flowhmc"
#endif
#ifndef FLOWHMC_SOURCEDIR
#define FLOWHMC_SOURCEDIR "."
#endif

enum { PLACES = 3 };

/* In the order in which they are looked at; free() each. */
static void places_of(const char *directory, const char *kind, const char *name, char *places[PLACES])
{
    places[0] = directory ? lat_text("%s/%s", directory, name) : lat_text("%s", "");
    places[1] = lat_text("%s/%s/%s", FLOWHMC_DATADIR, kind, name);
    places[2] = lat_text("%s/share/%s/%s", FLOWHMC_SOURCEDIR, kind, name);
}

char *mc_find_file(const char *directory, const char *kind, const char *name)
{
    if (name[0] == '/') return access(name, R_OK) == 0 ? lat_text("%s", name) : NULL;
    char *places[PLACES], *found = NULL;
    places_of(directory, kind, name, places);
    for (int i = 0; i < PLACES; i++) {
        if (!found && access(places[i], R_OK) == 0)
            found = places[i];
        else
            free(places[i]);
    }
    return found;
}

lat_status mc_find_needed(MPI_Comm comm, const char *directory, const char *kind, const char *name, char **path, lat_error *error)
{
    *path = mc_find_file(directory, kind, name);
    if (!*path && name[0] == '/') {
        lat_fail(error, LAT_FILE, "%.300s: is not there, or cannot be read: check the path", name);
    } else if (!*path) {
        char *places[PLACES];
        places_of(directory, kind, name, places);
        lat_fail(error, LAT_FILE, "%.100s: is not there, or cannot be read: looked for %.120s, %.120s and %.120s", name, places[0], places[1],
                 places[2]);
        for (int i = 0; i < PLACES; i++) free(places[i]);
    }
    if (lat_agree(comm, error) == LAT_DONE) return LAT_DONE;
    free(*path);
    *path = NULL;
    return error->status;
}
