/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * find.c: where files lie that a configuration names.
 */
#include "hmc/find.h"

#include "lattice/lattice.h"

#include <stdlib.h>
#include <unistd.h>

/* Set by the build: where files that come with the program lie once installed, and before that. */
#ifndef FLOWHMC_DATADIR
#define FLOWHMC_DATADIR "/usr/local/share/flowhmc"
#endif
#ifndef FLOWHMC_SOURCEDIR
#define FLOWHMC_SOURCEDIR "."
#endif

char *mc_find_file(const char *directory, const char *kind, const char *name)
{
    if (name[0] == '/') return access(name, R_OK) == 0 ? lat_text("%s", name) : NULL;
    char *places[] = {
        directory ? lat_text("%s/%s", directory, name) : lat_text("%s", ""),
        lat_text("%s/%s/%s", FLOWHMC_DATADIR, kind, name),
        lat_text("%s/share/%s/%s", FLOWHMC_SOURCEDIR, kind, name),
    };
    char *found = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!found && access(places[i], R_OK) == 0)
            found = places[i];
        else
            free(places[i]);
    }
    return found;
}
