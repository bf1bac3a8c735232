/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * meson_columns.h: correlators of mesons and the condensate of one operator as columns of numbers, as a group of a configuration asks for
 * them, of stored configurations and of running chains:
 *
 *     { operator = "light"; channels = [ "PP", "A4P" ]; sources = 4; wall = true; condensate = 10; }
 */
#ifndef LAT_OBSERVE_MESON_COLUMNS_H
#define LAT_OBSERVE_MESON_COLUMNS_H

#include "lattice/dirac/action.h"
#include "lattice/dirac/solver.h"

enum { LAT_MESON_CHANNELS = 64 };

/* The names live as long as the settings. */
typedef struct {
    const char *name; /* of the operator */
    lat_operator operator;
    int channels;
    const char *channel[LAT_MESON_CHANNELS];
    int sources;
    bool wall;       /* the sources are slices full of noise, not points */
    int coordinates; /* of the source; 0: it is drawn */
    int64_t source[LAT_MAX_DIM];
    int condensate; /* sources of the condensate; 0: it is not measured */
    lat_solver_goal goal;
} lat_meson_columns;

/* From its group; the context has the operators.  The lattice need not be known yet.  seed NULL: the group has none. */
lat_status lat_meson_columns_read(lat_settings *group, const lat_action_context *context, lat_meson_columns *asked,
                                  uint64_t *seed, lat_error *error);
/* LAT_CONFIG if a lattice of this dimension and size has no such mesons. */
lat_status lat_meson_columns_check(const lat_meson_columns *asked, const lat_geometry *lattice, lat_error *error);
/* How many there are on a lattice of so many slices: [channel][t], then the condensate; and the name of one, "light_PP_0", in new memory. */
int64_t lat_meson_columns_count(const lat_meson_columns *asked, int64_t slices);
char *lat_meson_columns_name(const lat_meson_columns *asked, int64_t slices, int64_t column);
/* out[member][column], means over the sources, of the links that the operator is prepared for; what is drawn follows from the stream, of which
 * `update` is chosen here.  Collective.  LAT_NUMERICAL where a solver fails. */
lat_status lat_meson_columns_measure(const lat_meson_columns *asked, lat_dirac *dirac, const lat_random *random,
                                     double *out, lat_error *error);
/* Adds the memory that this takes, the operator left out. */
void lat_meson_columns_needs(const lat_meson_columns *asked, const lat_geometry *geometry, lat_needs *needs);

#endif
