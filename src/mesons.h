/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mesons.h: correlators of mesons that flowmeas measures.
 *
 *     operators = ( { name = "light"; kind = "wilson"; kappa = 0.15; } );
 *     mesons = { operator = "light"; channels = [ "PP", "A4P" ]; sources = 4; };
 */
#ifndef MESONS_H
#define MESONS_H

#include "src/numbering.h"

enum { MESONS_CHANNELS = 64 };

typedef struct {
    bool wanted;
    const char *name; /* of the operator */
    lat_operator operator;
    int channels;
    const char *channel[MESONS_CHANNELS];
    int sources;
    int coordinates; /* of the source; 0: it is drawn */
    int64_t source[LAT_MAX_DIM];
    int condensate; /* sources of the condensate; 0: it is not measured */
    uint64_t seed;
    lat_solver_goal goal;
} mesons;

/* The group `mesons` of a configuration and the list `operators`, if the former is there. */
void mesons_read(lat_settings *root, mesons *mesons, lat_error *error);
/* Makes a shape ask for what the operator needs. */
void mesons_shape(const mesons *mesons, lat_shape *shape);
/* Numbers of one configuration: channels times slices, then the condensate; or 0.  And their names, each after a space. */
int64_t mesons_columns(const mesons *mesons, int64_t slices);
void mesons_add_names(const mesons *mesons, int64_t slices, lat_bytes *text);
/* LAT_CONFIG if the lattice of a file has no such mesons.  Collective. */
lat_status mesons_check(const mesons *mesons, lat_gauge *gauge, const char *path, lat_error *error);
/* The numbers of the configuration of a file: value[channel][t], mean over the sources, and the condensate; sources that are drawn follow from seed, number and replica.
 * Collective.  LAT_NUMERICAL where a solver fails. */
lat_status mesons_measure(const mesons *mesons, const numbered_file *file, lat_gauge *gauge, double *value,
                          lat_error *error);

#endif
