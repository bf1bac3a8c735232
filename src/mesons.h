/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mesons.h: correlators of mesons that flowmeas measures.
 *
 *     operators = ( { name = "light"; kind = "wilson"; kappa = 0.15; } );
 *     mesons = { operator = "light"; channels = [ "PP", "A4P" ]; sources = 4; };
 */
#ifndef MESONS_H
#define MESONS_H

#include "lattice/lattice.h"

typedef struct {
    bool wanted;
    lat_meson_columns columns;
    uint64_t seed;
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
/* The numbers of the configuration of a file: value[channel][t], mean over the sources, and the condensate.  Collective.  LAT_NUMERICAL where a
 * solver fails. */
lat_status mesons_measure(const mesons *mesons, const char *path, const lat_random *random, lat_gauge *gauge,
                          double *value, lat_error *error);

#endif
